"""`ha-bridge adopt`: what is there, what it becomes, and back again."""

import io
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ha_bridge_ops.adopt.recognise import Kind, recognise
from ha_bridge_ops.commands.adopt import adopt
from ha_bridge_ops.local import one_file
from tests.fakes.server import Server
from tests.ops.adopt.world import (
    NAME,
    Aws,
    Old,
    client,
    code_now,
    configuration_now,
    file_kept,
    ha_alexa,
    haaska,
    run,
    script,
    something_else,
    typed,
    zipped,
)
from tests.worlds.home import TOKEN, home

DIRECTIVE: dict[str, Any] = {"directive": {}}


@pytest.mark.parametrize(
    ("old", "kind"),
    [
        (script(), Kind.SCRIPT),
        (haaska(), Kind.HAASKA),
        (ha_alexa(), Kind.HA_ALEXA),
        (something_else(), Kind.OTHER),
        (
            Old(
                zipped({"index.py": one_file.lambda_function()}),
                "index.lambda_handler",
                {},
            ),
            Kind.OURS,
        ),
        (
            Old(
                zipped({"lambda_function.py": "", "ha_bridge/bridge.py": ""}),
                "lambda_function.lambda_handler",
                {},
            ),
            Kind.OURS,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Kind) else "",
)
def test_what_is_there_is_recognised(aws: Aws, old: Old, kind: Kind) -> None:
    """By its files and its handler."""
    aws.put(old)
    assert recognise(aws.live().read()) is kind


@pytest.mark.parametrize(
    ("old", "token"),
    [(script(), TOKEN), (haaska(), "ssm:/home/token")],
    ids=["script", "haaska"],
)
def test_from_end_to_end(
    aws: Aws,
    empty: Path,  # noqa: ARG001 - a fixture for its effect
    old: Old,
    token: str,
) -> None:
    """The real package against a home, every directive met by old or new; and back.

    Home Assistant's token may be one that AWS keeps.
    """
    client("ssm", "eu-west-1").put_parameter(
        Name="/home/token", Value=TOKEN, Type="SecureString"
    )
    with Server(home()) as server:
        url = f"http://127.0.0.1:{server.port}"
        if old.variables:
            old = Old(old.code, old.handler, {**old.variables, "BASE_URL": url})
        else:
            old = haaska(url=f"{url}/api/")
        aws.put(old)
        aws.runs_for_real = True
        env = {"LONG_LIVED_ACCESS_TOKEN": token}
        done = CliRunner().invoke(adopt, ["--yes"], obj=aws.live_of, env=env)
    assert done.exit_code == 0, done.output
    now = configuration_now()
    assert now["Runtime"] == "python3.13"
    assert now["Handler"] == "lambda_function.lambda_handler"
    assert now["Timeout"] == 9
    assert now["MemorySize"] == 256
    # What `check`, `report` and the template's filters read.
    assert aws.logging["LogFormat"] == "JSON"
    assert aws.logging["LogGroup"] == "/aws/lambda/home"
    assert now["Environment"]["Variables"]["BASE_URL"] == url
    with zipfile.ZipFile(io.BytesIO(code_now())) as archive:
        names = archive.namelist()
    assert "urllib3/connection.py" in names
    assert not any(name.startswith(("ha_bridge_new", "haaska")) for name in names)
    assert "half" not in aws.seen
    assert TOKEN not in done.output

    kept = file_kept()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    aws.seen.clear()
    undone = typed(aws, "--undo", str(kept), "--yes")
    assert undone.exit_code == 0, undone.output
    assert code_now() == old.code
    now = configuration_now()
    assert (now["Handler"], now["Runtime"]) == (old.handler, old.runtime)
    assert (now["Timeout"], now["MemorySize"]) == (3, 128)
    assert aws.logging == {"LogFormat": "Text", "LogGroup": "/aws/lambda/home"}
    assert now.get("Environment", {}).get("Variables", {}) == dict(old.variables)
    assert "half" not in aws.seen
    assert run(DIRECTIVE)["event"]["header"]["name"] in ("script", "haaska")
    assert "nothing to undo" in typed(aws, "--undo", str(kept)).output


def test_variables_that_nobody_may_read_are_not_lost(aws: Aws, empty: Path) -> None:
    """AWS gives an error in their place, and a change would replace all of them."""
    aws.put(script())
    aws.environment = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "no"}}
    done = typed(aws, "--yes")
    assert done.exit_code == 1
    assert "AccessDeniedException" in done.output
    assert not list(empty.iterdir())
    assert not [name for name in aws.calls if name.startswith("update")]


def test_an_alias_is_not_adopted(aws: Aws, empty: Path) -> None:
    """Its code cannot be exchanged, and the skill would go on to meet the old."""
    aws.put(script())
    made = client("lambda", "eu-west-1")
    version = made.publish_version(FunctionName=NAME)["Version"]
    made.create_alias(FunctionName=NAME, Name="live", FunctionVersion=version)
    arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{NAME}:live"
    done = typed(aws, "--yes", "--function", arn)
    assert done.exit_code == 2, done.output
    assert "is a version or alias" in " ".join(done.output.split())
    assert not list(empty.iterdir())


def test_a_dry_run_shows_and_ends(aws: Aws, empty: Path) -> None:
    """And so does a no."""
    aws.put(haaska())
    for arguments, answer, status in (
        (("--dry-run",), "", 0),
        ((), "n\n", 1),
        ((), "", 1),
    ):
        done = typed(aws, *arguments, answer=answer)
        assert done.exit_code == status, done.output
        assert "haaska.event_handler → lambda_function.lambda_handler" in done.output
        assert "devices, groups" in done.output
    assert not list(empty.iterdir())
    assert not [name for name in aws.calls if name.startswith("update")]


def test_a_token_that_cannot_be_read_is_said_before_anything_is_done(
    aws: Aws, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reference is no token: the home would count it as an attack."""
    monkeypatch.setenv("LONG_LIVED_ACCESS_TOKEN", "ssm:/home/none")
    aws.put(script())
    done = typed(aws, "--yes")
    assert done.exit_code == 2, done.output
    said = " ".join(done.output.split())
    assert "LONG_LIVED_ACCESS_TOKEN, ssm:/home/none: ParameterNotFound." in said
    assert not list(empty.iterdir())
    assert not [name for name in aws.calls if name.startswith("update")]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"format": 2}', '{"format": 1, "function": "x", "code": "!"}'],
)
def test_a_file_of_something_else_is_no_file_of_ours(
    aws: Aws, empty: Path, text: str
) -> None:
    """One sentence."""
    (empty / "kept.json").write_text(text)
    done = typed(aws, "--undo", "kept.json")
    assert done.exit_code == 2
    assert "kept.json" in done.output
    assert "Traceback" not in done.output


def test_what_somebody_has_put_there_since_is_left_alone(
    aws: Aws,
    empty: Path,  # noqa: ARG001 - a fixture for its effect
) -> None:
    """`--undo` is for what adopt has done."""
    aws.put(script())
    assert typed(aws, "--yes").exit_code == 0
    theirs = something_else()
    aws.live().put_code(theirs.code)
    done = typed(aws, "--undo", str(file_kept()), "--yes")
    assert done.exit_code == 2
    assert "stays as it is" in " ".join(done.output.split())
    assert code_now() == theirs.code


def test_the_file_has_all_that_was_there(
    aws: Aws,
    empty: Path,  # noqa: ARG001 - a fixture for its effect
) -> None:
    """Code and variables, byte by byte."""
    old = haaska(debug=True)
    aws.put(old)
    assert typed(aws, "--yes").exit_code == 0
    kept: Any = json.loads(file_kept().read_text())
    assert kept["settings"]["handler"] == "haaska.event_handler"
    assert kept["function"].endswith(":function:home")
