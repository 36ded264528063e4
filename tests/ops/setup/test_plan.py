"""What setup is going to do, shown with values that somebody else has set."""

from pathlib import Path
from typing import Any

import pytest

from ha_bridge.redaction import Secret
from ha_bridge.settings import parse_address
from ha_bridge_ops.aws.deployed import Deployed, Stack
from ha_bridge_ops.aws.template import Change, Resource
from ha_bridge_ops.setup import plan
from ha_bridge_ops.setup.deployment import Package
from ha_bridge_ops.setup.desk import Desk, Wishes
from ha_bridge_ops.skill.documents import Skill
from tests.hostile import TEXTS, assert_harmless
from tests.ops.setup.world import STACK
from tests.worlds.home import URL


class NoPackage(Package):
    """One that nobody has made."""

    size = 1
    code_hash = "new"


def desk_in(folder: Path) -> Desk:
    nothing: Any = dict.fromkeys(Wishes.__dataclass_fields__)
    (folder / ".env").touch()
    wishes = {"locale": "en-GB", "folder": folder, "env_file": folder / ".env"}
    return Desk(Wishes(**{**nothing, **wishes}))


def show(desk: Desk, text: str) -> None:
    """Print a stack in which all that AWS says is this text."""
    parameters = {"BaseUrl": text, "SkillId": text, text: text}
    skill = Skill("Home", parse_address(URL), ("en-GB",), {}, Secret("x"))
    found = plan.Plan(
        skill,
        None,
        Stack(text, parameters),
        Deployed(f"arn:aws:lambda:eu-west-1:123456789012:function:{STACK}", text),
        NoPackage(desk.folder.path),
        {"BaseUrl": URL, "SkillId": "x"},
        parameters,
        [],
        is_joined=False,
    )
    plan.show(desk, found)
    plan.show_all(desk, found)


@pytest.mark.parametrize("text", TEXTS)
def test_a_value_of_a_stack_is_one_line(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It begins none of its own, and is not longer than AWS lets a value be."""
    desk = desk_in(tmp_path)
    lines = []
    for one in ("usual", text):
        show(desk, one)
        printed = "".join(capsys.readouterr())
        assert_harmless(printed)
        lines.append(printed.split("\n"))
    assert len(lines[0]) == len(lines[1])
    assert max(map(len, lines[1])) < 11_000


def test_no_secret_of_a_stack_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever has put it into a template as text, or shows a parameter that hides."""
    secret = "planted-secret-0123456789"
    address = f"https://owner:{secret}@home.example.org"
    variables = {"LONG_LIVED_ACCESS_TOKEN": secret, "OWN": secret, "DEBUG": "true"}
    odd = ({"Variables": variables}, {"Variables": [secret]}, secret)
    resources = [
        Change(
            str(number),
            Resource("AWS::Lambda::Function", {"Environment": before}),
            Resource("AWS::Lambda::Function", {"Environment": {"Variables": {}}}),
        )
        for number, before in enumerate(odd)
    ]
    parameters = {"LongLivedAccessToken": secret, "Own": secret, "BaseUrl": address}
    desk = desk_in(tmp_path)
    found = plan.Plan(
        Skill("Home", parse_address(URL), ("en-GB",), {}, Secret("x")),
        None,
        Stack("CREATE_COMPLETE", parameters),
        None,
        NoPackage(desk.folder.path),
        {"BaseUrl": URL, "SkillId": "x"},
        {**parameters, "Debug": "true"},
        resources,
        is_joined=False,
        open_parameters=frozenset({"BaseUrl", "SkillId", "Debug"}),
    )
    plan.show(desk, found)
    plan.show_all(desk, found)
    said = "".join(capsys.readouterr())
    assert secret not in said
    for line in ("LONG_LIVED_ACCESS_TOKEN: (set)", "DEBUG: 'true'", "Debug: true"):
        assert line in said
    assert f"BaseUrl: (set) → {URL}" in said
