"""`ha-bridge adopt`: what is there, what it becomes, and back again."""

import contextlib
import io
import json
import stat
import warnings
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from ha_bridge.settings import VARIABLES
from ha_bridge_ops.adopt.exchange import (
    exchange,
    prove,
    restore,
    steps,
    with_settings,
)
from ha_bridge_ops.adopt.recognise import Kind, recognise
from ha_bridge_ops.aws.version import Live, Version
from ha_bridge_ops.commands.adopt import adopt
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.local import build, one_file
from ha_bridge_ops.local.package import write_zip
from tests.fakes.server import Server
from tests.ops.adopt.world import (
    NAME,
    Aws,
    Fault,
    Old,
    Trouble,
    client,
    code_now,
    configuration_now,
    ha_alexa,
    haaska,
    haaska_of_version_2,
    haaska_with,
    run,
    script,
    something_else,
    unzipped,
    who_answers,
    zipped,
)
from tests.worlds.home import TOKEN, home

DIRECTIVE: dict[str, Any] = {"directive": {}}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An AWS account with nothing in it."""
    for name in ("AWS_PROFILE", *VARIABLES):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield Aws()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What ships, without urllib3 and byte code: moto runs neither."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "code/ha_bridge").mkdir(parents=True)
    for path in (build.SOURCES / "ha_bridge").glob("*.py"):
        (folder / "code/ha_bridge" / path.name).write_bytes(path.read_bytes())
    entry = build.SOURCES / "lambda_function.py"
    (folder / "code/lambda_function.py").write_bytes(entry.read_bytes())
    write_zip(folder / "code", folder / "package.zip")
    return (folder / "package.zip").read_bytes()


def typed(aws: Aws, *arguments: str, answer: str = "") -> Result:
    """Run the command."""
    return CliRunner().invoke(adopt, arguments, obj=aws.live_of, input=answer)


def file_kept() -> Path:
    (found,) = Path().glob("ha-bridge-adopt-*.json")
    return found


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


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


@pytest.mark.parametrize("old", [script(), haaska()], ids=["script", "haaska"])
def test_from_end_to_end(
    aws: Aws,
    empty: Path,  # noqa: ARG001 - a fixture for its effect
    old: Old,
) -> None:
    """The real package against a home, every directive met by old or new; and back."""
    with Server(home()) as server:
        url = f"http://127.0.0.1:{server.port}"
        if old.variables:
            old = Old(old.code, old.handler, {**old.variables, "BASE_URL": url})
        else:
            old = haaska(url=f"{url}/api/")
        aws.put(old)
        aws.runs_for_real = True
        env = {"LONG_LIVED_ACCESS_TOKEN": TOKEN}
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


def changed(aws: Aws, package: bytes) -> tuple[Version, Version]:
    """Return what is there, and what it shall become."""
    old = aws.live().read()
    variables = {"BASE_URL": "https://home.example.org"}
    return old, Version(package, with_settings(old.settings, variables))


def attempt(aws: Aws, package: bytes, fault: Fault | None = None) -> list[str]:
    """Exchange it, with faults from the first change on; return what was told."""
    live = aws.live()
    old = live.read()
    variables = {"BASE_URL": "https://home.example.org"}
    new = Version(package, with_settings(old.settings, variables))
    aws.calls.clear()
    aws.seen.clear()
    if fault is not None:
        aws.fault = fault
    told: list[str] = []
    exchange(live, old, new, lambda: prove(live, ""), told.append)
    return told


def calls_of_an_exchange() -> int:
    """Return how many calls it takes if all goes well."""
    return 5 * 2 + 2 * 2


@pytest.mark.parametrize("kind", ["refused", "lost", "killed"])
@pytest.mark.parametrize("number", range(1, calls_of_an_exchange() + 1))
def test_a_call_that_fails_leaves_the_old(
    aws: Aws, package: bytes, number: int, kind: str
) -> None:
    """Whichever it is: refused, done but its answer lost, or Ctrl-C in its middle."""
    aws.put(haaska())
    old = aws.live().read()
    trouble = Trouble(
        "ServiceException", is_done=kind != "refused", is_kill=kind == "killed"
    )
    why = KeyboardInterrupt if kind == "killed" else RefusedError
    with pytest.raises(why):
        attempt(aws, package, lambda n, _: trouble if n == number else None)
    aws.fault = lambda _n, _name: None
    assert aws.live().read() == old
    assert "half" not in aws.seen


def test_that_is_how_many_calls_there_are(aws: Aws, package: bytes) -> None:
    """Else the test above would leave some out."""
    aws.put(haaska())
    attempt(aws, package)
    assert len(aws.calls) == calls_of_an_exchange()
    assert set(aws.seen) == {"old", "new"}
    assert who_answers() == "new"


def test_a_new_code_that_does_not_reach_home_is_taken_away(
    aws: Aws, package: bytes
) -> None:
    """It says why, and what finds out more."""
    aws.put(script())
    old = aws.live().read()
    aws.broken = True
    with pytest.raises(RefusedError, match="does not reach Home Assistant"):
        attempt(aws, package)
    assert aws.live().read() == old
    assert "half" not in aws.seen


def test_somebody_else_who_changes_it_is_noticed(aws: Aws, package: bytes) -> None:
    """By the revision: his change is not overwritten by ours."""
    aws.put(haaska())

    def meddle(_number: int, name: str) -> None:
        if name == "update_function_configuration":
            aws.fault = lambda _n, _name: None
            boto3.client(
                "lambda", region_name="eu-west-1"
            ).update_function_configuration(FunctionName="home", Timeout=77)

    with pytest.raises((RefusedError, CommandError), match="Someone else"):
        attempt(aws, package, meddle)


def test_the_way_back_is_tried_again(aws: Aws, package: bytes) -> None:
    """AWS has bad minutes; three failures in a row are no reason to leave a half."""
    aws.put(haaska())
    old = aws.live().read()
    bad = range(5, 9)
    with pytest.raises(RefusedError):
        attempt(
            aws, package, lambda n, _: Trouble("ServiceException") if n in bad else None
        )
    aws.fault = lambda _n, _name: None
    assert aws.live().read() == old


@pytest.mark.parametrize("number", range(1, calls_of_an_exchange() + 1))
def test_aws_that_never_comes_back_leaves_what_works(
    aws: Aws, package: bytes, number: int
) -> None:
    """From some call on all are refused: no half; and the way back is there later."""
    aws.put(haaska())
    old = aws.live().read()
    trouble = Trouble("ServiceException")
    with pytest.raises((RefusedError, CommandError)):
        attempt(aws, package, lambda n, _: trouble if n >= number else None)
    aws.fault = lambda _n, _name: None
    assert "half" not in aws.seen
    if (now := aws.live().read()) != old:
        restore(aws.live(), now, old, package, lambda _what: None)
    assert aws.live().read() == old


def adopted(aws: Aws, package: bytes) -> tuple[Live, Version, Version]:
    """Return a function, what it was, and what it is now."""
    old, new = changed(aws, package)
    live = aws.live()
    live.put_code(new.code)
    live.put_settings(new.settings)
    now = live.read()
    aws.calls.clear()
    aws.seen.clear()
    return live, old, now


def calls_of_an_undo() -> int:
    """Return how many calls it takes if all goes well."""
    return 5 + 5 * 2


@pytest.mark.parametrize("kind", ["refused", "lost", "for good"])
@pytest.mark.parametrize("number", range(1, calls_of_an_undo() + 1))
def test_a_call_that_fails_in_an_undo_leaves_what_works(
    aws: Aws, package: bytes, number: int, kind: str
) -> None:
    """It is tried again; and if it ends, another undo finishes it."""
    aws.put(haaska())
    live, old, now = adopted(aws, package)
    trouble = Trouble("ServiceException", is_done=kind == "lost")
    is_for_good = kind == "for good"
    is_hit = int.__ge__ if is_for_good else int.__eq__
    aws.fault = lambda n, _: trouble if is_hit(n, number) else None
    with pytest.raises(CommandError) if is_for_good else contextlib.nullcontext():
        restore(live, now, old, package, lambda _what: None)
    aws.fault = lambda _n, _name: None
    assert "half" not in aws.seen
    if is_for_good:
        restore(aws.live(), aws.live().read(), old, package, lambda _what: None)
    assert aws.live().read() == old


def test_that_is_how_many_calls_an_undo_takes(aws: Aws, package: bytes) -> None:
    """Else the test above would leave some out."""
    aws.put(haaska())
    live, old, now = adopted(aws, package)
    restore(live, now, old, package, lambda _what: None)
    assert len(aws.calls) == calls_of_an_undo()


@pytest.mark.parametrize("reached", range(1, 6))
def test_undo_finds_back_from_every_step(
    aws: Aws, package: bytes, reached: int
) -> None:
    """A machine that went off in the middle is no reason to lose anything."""
    aws.put(script())
    old, new = changed(aws, package)
    live = aws.live()
    live.read()

    for before, after in pairwise(steps(old, new)[: reached + 1]):
        if after.code != before.code:
            live.put_code(after.code)
        if after.settings != before.settings:
            live.put_settings(after.settings)
    aws.seen.clear()
    now = live.read()
    restore(live, now, old, package, lambda _what: None)
    assert aws.live().read() == old
    assert "half" not in aws.seen


@pytest.mark.parametrize(
    ("old", "arguments", "said"),
    [
        (something_else(), (), "stays as it is"),
        (script(NOT_VERIFY_SSL="False"), ("--yes",), "--no-verify-tls"),
        (haaska(bearer_token="ey"), (), "--linked-with-home"),
        (haaska(ssl_client=["a.pem"]), (), "CLIENT_CERTIFICATE"),
        (haaska(ssl_verify="a.pem"), (), "CA_CERTIFICATE"),
        (haaska(password="secret"), (), "password"),
        (haaska(ssl_verify="False"), ("--yes",), "--no-verify-tls"),
        (haaska(ha_cert="a.pem", ssl_verify="a.pem"), (), "CA_CERTIFICATE"),
        (haaska_of_version_2(), (), "payload version 2"),
        (haaska(url=5), (), "BASE_URL"),
        (haaska(url=None), (), "BASE_URL"),
        (haaska_with("{"), (), "no JSON object"),
        (haaska_with("[" * 100_000), (), "no JSON object"),
        (haaska_with("[]"), (), "no JSON object"),
        (script(NOT_VERIFY_SSL="nein"), ("--yes",), "--no-verify-tls"),
        (script(NOT_VERIFY_SSL=" "), ("--yes",), "--no-verify-tls"),
        (script(NOT_VERIFY_SSL="0"), (), "--no-verify-tls"),
        (script(BASE_URL="https://a b"), (), "BASE_URL"),
        (script(BASE_URL="https://\x1b[31mhome"), (), "BASE_URL"),
        (haaska(url="not a url"), (), "BASE_URL"),
        (script(BASE_URL=""), (), "BASE_URL"),
    ],
    ids=lambda value: "" if not isinstance(value, str) else value,
)
def test_what_cannot_be_taken_over_is_said(
    aws: Aws, empty: Path, old: Old, arguments: tuple[str, ...], said: str
) -> None:
    """In a sentence, before anything is changed or kept."""
    aws.put(old)
    done = typed(aws, *arguments)
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.output.split())
    assert code_now() == old.code
    assert not list(empty.iterdir())
    assert not [name for name in aws.calls if name.startswith("update")]


@pytest.mark.parametrize(
    ("old", "arguments", "expected"),
    [
        (script(), (), {"BASE_URL": "https://home.example.org"}),
        (
            script(NOT_VERIFY_SSL="False"),
            ("--verify-tls",),
            {"BASE_URL": "https://home.example.org", "NOT_VERIFY_SSL": "false"},
        ),
        (
            script(NOT_VERIFY_SSL="False"),
            ("--no-verify-tls",),
            {"BASE_URL": "https://home.example.org", "NOT_VERIFY_SSL": "true"},
        ),
        (
            script(
                NOT_VERIFY_SSL="True", DEBUG="off", LONG_LIVED_ACCESS_TOKEN="t" * 20
            ),
            (),
            {
                "BASE_URL": "https://home.example.org",
                "NOT_VERIFY_SSL": "True",
                "DEBUG": "false",
                "LONG_LIVED_ACCESS_TOKEN": "t" * 20,
            },
        ),
        (
            script(LONG_LIVED_ACCESS_TOKEN="t" * 20, MINE="kept"),
            (),
            {"BASE_URL": "https://home.example.org", "MINE": "kept"},
        ),
        (
            haaska(ssl_verify=False, debug=True, bearer_token="t" * 20),
            ("--linked-with-home",),
            {
                "BASE_URL": "https://home.example.org:8123",
                "NOT_VERIFY_SSL": "true",
                "DEBUG": "true",
            },
        ),
        (
            haaska(ssl_verify="false", debug="False"),
            ("--verify-tls",),
            {"BASE_URL": "https://home.example.org:8123"},
        ),
        (
            haaska(ssl_verify=""),
            (),
            {
                "BASE_URL": "https://home.example.org:8123",
                "NOT_VERIFY_SSL": "true",
            },
        ),
        (
            haaska_with(
                '{"ha_cert": false, "ha_url": "https://home.example.org:8123/api///"}'
            ),
            (),
            {
                "BASE_URL": "https://home.example.org:8123",
                "NOT_VERIFY_SSL": "true",
            },
        ),
    ],
    ids=[
        *("as it is", "verify", "no verify", "any text", "without effect", "haaska"),
        *("in quotation marks", "empty", "older names"),
    ],
)
def test_settings_mean_what_they_meant(
    aws: Aws,
    empty: Path,  # noqa: ARG001 - a fixture for its effect
    old: Old,
    arguments: tuple[str, ...],
    expected: dict[str, str],
) -> None:
    """What changes its meaning is said; no secret is."""
    aws.put(old)
    done = typed(aws, "--yes", *arguments)
    assert done.exit_code == 0, done.output
    assert configuration_now()["Environment"]["Variables"] == expected
    assert "t" * 20 not in done.output
    shown = [
        name for name, value in expected.items() if old.variables.get(name) != value
    ]
    assert all(name in done.output for name in shown)


def test_a_service_token_of_cloudflares_is_taken_along(
    aws: Aws,
    empty: Path,  # noqa: ARG001 - a fixture for its effect
) -> None:
    """From the Parameter Store, where ha-alexa has it; it is not shown."""
    aws.put(ha_alexa(NOT_VERIFY_SSL="1"))
    store = boto3.client("ssm", region_name="eu-west-1")
    for name, value in (("id", "an-id-of-mine"), ("secret", "a-secret-of-mine")):
        store.put_parameter(
            Name=f"/ha-alexa/cloudflare-client-{name}", Value=value, Type="SecureString"
        )
    done = typed(aws, "--yes")
    assert done.exit_code == 0, done.output
    variables = configuration_now()["Environment"]["Variables"]
    assert json.loads(variables.pop("EXTRA_HEADERS")) == {
        "CF-Access-Client-Id": "an-id-of-mine",
        "CF-Access-Client-Secret": "a-secret-of-mine",
    }
    assert variables == {"BASE_URL": "https://home.example.org", "NOT_VERIFY_SSL": "1"}
    assert "of-mine" not in done.output


@pytest.mark.parametrize(
    ("answer", "expected"), [("y", "false"), ("n", "true")], ids=["on", "off"]
)
def test_what_may_be_meant_either_way_is_asked(
    aws: Aws,
    empty: Path,  # noqa: ARG001 - a fixture for its effect
    answer: str,
    expected: str,
) -> None:
    """NOT_VERIFY_SSL=False has switched the check of the certificate off until now."""
    aws.put(script(NOT_VERIFY_SSL="False"))
    done = typed(aws, answer=f"{answer}\ny\n")
    assert done.exit_code == 0, done.output
    assert "any text is a yes" in done.output
    variables = configuration_now()["Environment"]["Variables"]
    assert variables["NOT_VERIFY_SSL"] == expected


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


def test_a_file_that_is_there_twice_is_no_trouble(aws: Aws, package: bytes) -> None:
    """As a zip may have it; the last one counts."""
    with warnings.catch_warnings(action="ignore"):
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            for name, text in (*unzipped(haaska()), ("haaska.py", "")):
                archive.writestr(name, text)
            for name, text in unzipped(haaska()):
                archive.writestr(name, text)
    aws.put(Old(code.getvalue(), "haaska.event_handler", {}))
    live, old, now = adopted(aws, package)
    restore(live, now, old, package, lambda _what: None)
    assert code_now() == code.getvalue()


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
