"""The texts of the findings are data files, checked as they are read."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ha_bridge.redaction import Secret
from ha_bridge_ops.aws.deploy import command
from ha_bridge_ops.check import placeholders
from ha_bridge_ops.check.catalogue import EVERY, FINDINGS, TEXTS, Texts
from ha_bridge_ops.check.model import Problem, Status, judge
from ha_bridge_ops.check.placeholders import (
    LEFT_OUT,
    PLACEHOLDERS,
    sentence,
    to_paste,
)
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.outside import without
from tests import hostile
from tests.fakes.answers import SAMPLES

#: This module, whose texts are no cases.
OURS = Path(__file__).name

WORDS = """
[phrases]
no_answer = "Alexa: “… is not responding.”"
[seen]
host = "home.example.org"
"""

CAUSE = """
part = "Certificate"
[certificate]
title = "it is trusted"
[certificate.expired]
symptom = "{no_answer} At night"
means = "It has ended."
fix = "Renew that of {host}."
"""


def texts(folder: Path, part: str) -> Texts:
    (folder / "placeholders.toml").write_text(WORDS)
    (folder / "tls.toml").write_text(part)
    return Texts(folder)


def test_every_file_is_a_part_of_the_chain() -> None:
    """No file of the folder is left unread."""
    parts = {link.id.partition(".")[0] for link in EVERY}
    assert {path.stem for path in FINDINGS.iterdir()} == {*parts, "placeholders"}


def test_a_cause_is_read_with_its_phrases(tmp_path: Path) -> None:
    """Phrases are filled in at once; what a check has seen comes later."""
    title, (link,) = texts(tmp_path, CAUSE).part("tls")
    (cause,) = link.causes
    assert (title, link.id, link.title) == (
        "Certificate",
        "tls.certificate",
        "it is trusted",
    )
    assert cause.name == "expired"
    assert cause.status is Status.FAILED
    assert cause.symptom == "Alexa: “… is not responding.” At night"
    assert cause.fix == "Renew that of {host}."
    assert cause.paste == ""


def test_a_warning_is_one_by_its_status(tmp_path: Path) -> None:
    """What says nothing is a failure; `status` may say warning."""
    _, (link,) = texts(tmp_path, f'{CAUSE}status = "warning"\n').part("tls")
    assert link.causes[0].status is Status.WARNING


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        (CAUSE.replace('part = "Certificate"', ""), "tls.toml must begin with"),
        (CAUSE.replace('title = "it is trusted"', ""), "tls.certificate in tls.toml"),
        (CAUSE.replace('fix = "Renew', 'fixes = "Renew'), "has no fix"),
        (f'{CAUSE}pate = "x"\n', "has a key pate"),
        (f'{CAUSE}paste = " "\n', "empty or none"),
        (f'{CAUSE}paste = ["a", "b"]\n', "empty or none"),
        (f'{CAUSE}paste = "curl {{hots}}"\n', "{hots}"),
        (f'{CAUSE}status = "bad"\n', "failed or warning"),
        (CAUSE.replace("[certificate.expired]", ""), "is no table"),
        (f"{CAUSE}fix = 1\n", "tls.toml cannot be read"),
        (f"{CAUSE}[certificate.name\n", "tls.toml cannot be read"),
    ],
    ids=[
        "no heading",
        "no title",
        "no fix",
        "unknown key",
        "empty text",
        "a list",
        "unknown placeholder",
        "unknown status",
        "texts outside a cause",
        "a key twice",
        "no TOML",
    ],
)
def test_a_mistake_is_named(tmp_path: Path, part: str, complaint: str) -> None:
    """Whoever mends a sentence is told the file, the cause and what is wrong."""
    with pytest.raises(CommandError) as raised:
        texts(tmp_path, part).part("tls")
    assert complaint in raised.value.message
    assert "\n" not in raised.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """One sentence with its path."""
    with pytest.raises(CommandError, match=r"ha\.toml cannot be read"):
        texts(tmp_path, CAUSE).part("ha")


def test_it_is_deployed_as_everywhere() -> None:
    """The command of the texts is the one that the other commands print."""
    deploy = (TEXTS.phrases["deploy"], TEXTS.phrases["deploy_new"])
    assert deploy == (command("{env}"), f"{command('{env}', 'X')[:-1]}{{base_url}}")


def test_every_placeholder_is_read_before_it_is_filled_in() -> None:
    """One without a reader would never be filled in; its example may stand there."""
    assert set(TEXTS.examples) == set(PLACEHOLDERS)
    for name, example in TEXTS.examples.items():
        assert PLACEHOLDERS[name].read(example) is not None, name


@pytest.mark.parametrize("name", sorted({*PLACEHOLDERS} - placeholders.OURS))
def test_no_placeholder_takes_what_is_hostile(name: str) -> None:
    """Alone, or around what may stand there: a line to paste is left out then."""
    good, instead = TEXTS.examples[name], PLACEHOLDERS[name].instead
    quoted = ";()" if PLACEHOLDERS[name].is_word else ""
    is_harmless = re.compile(rf"(?!-)[A-Za-z0-9_/.:%~\[\]@# ,{quoted}-]+")
    line = f"aws x {{{name}}}"
    for text in (*hostile.TEXTS, "; id", "\n", " --x", "$(id)", "'"):
        for value in (text, good + text, text + good, good + text + good):
            written = PLACEHOLDERS[name].read(value)
            if written is None:
                assert to_paste(line, {name: value}) is None
                assert sentence(line, {name: value}) == f"aws x {instead}"
            else:
                assert is_harmless.fullmatch(written)


def test_every_placeholder_is_used() -> None:
    """A name that no text has any more goes."""
    used = "".join(
        f"{cause.symptom}{cause.means}{cause.fix}{cause.paste}"
        for link in EVERY
        for cause in link.causes
    )
    for name in TEXTS.examples:
        assert f"{{{name}}}" in used, name


def test_every_cause_has_a_case() -> None:
    """A cause that no test finds may be one that nothing finds.

    A test names the finding and the cause, itself or in what it uses of its module;
    the samples of who answers name theirs for all of them.
    """
    tests = Path(__file__).parents[1].rglob("test_*.py")
    cases = [case for path in tests if path.name != OURS for case in named_in(path)]
    cases += [{"ha.is_home_assistant", sample.who} for sample in SAMPLES.values()]
    missing = [
        f"{link.id}: {cause.name}"
        for link in EVERY
        for cause in link.causes
        if not any({link.id, cause.name} <= case for case in cases)
    ]
    assert missing == []


def named_in(path: Path) -> Iterator[set[str]]:
    """Give the texts of each test of a module, with those of what it uses there."""
    top: dict[str, ast.stmt] = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        match node:
            case ast.FunctionDef(name=name):
                top[name] = node
            case ast.Assign(targets=[ast.Name(id=name)]):
                top[name] = node
            case ast.AnnAssign(target=ast.Name(id=name)):
                top[name] = node
    for name in top:
        if name.startswith("test_"):
            used, waiting = set[str](), [name]
            while waiting:
                if (one := waiting.pop()) not in used:
                    used.add(one)
                    waiting += _names(top[one]) & top.keys()
            yield {text for one in used for text in _texts(top[one])}


def _names(tree: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)}


def _texts(tree: ast.AST) -> Iterator[str]:
    for one in ast.walk(tree):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def test_lines_that_are_left_out_are_missed() -> None:
    """The fix says why there is nothing to paste."""
    check = next(one for one in EVERY if one.id == "address.redirect")
    for target in ("https://h;id", ""):
        told = judge(check, Problem("redirects", "", {"target": target})).problems[0]
        assert told.paste == ""
        assert told.fix.endswith(LEFT_OUT)


def test_a_word_of_a_command_is_one_to_a_shell() -> None:
    """Whatever its grammar lets through; in a file of settings it stands bare."""
    values = {"longest": "Hall (door); bed", "name": "home"}
    line = "aws x {longest} {name}"
    assert to_paste(line, values) == "aws x 'Hall (door); bed' home"
    assert to_paste("BASE_URL={longest}", values) == "BASE_URL=Hall (door); bed"


@pytest.mark.parametrize(
    ("link", "cause", "values"),
    [
        ("directive.report_state", "failed", {"entity": "light.hunter22"}),
        ("discovery.endpoints", "bad_name", {"entity": "light.hunter22"}),
        ("address.redirect", "redirects", {"target": "https://hunter22.example.org"}),
        ("address.redirect", "redirects", {"target": "https://a.example/%68unter22"}),
    ],
)
def test_no_secret_is_filled_in(
    link: str, cause: str, values: Mapping[str, str]
) -> None:
    """Where a server repeats one as a name, the text has other words for it."""
    check = next(one for one in EVERY if one.id == link)

    def hide(text: str) -> str:
        return without([Secret("hunter22")], text)

    told = judge(check, Problem(cause, "", values), hide).as_json()
    assert "unter22" not in json.dumps(told)
