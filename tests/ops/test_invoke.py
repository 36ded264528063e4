"""`ha-bridge invoke`: one event file through the handler."""

import json
import threading
from pathlib import Path

import pytest

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local import lambda_runtime
from ha_bridge_ops.local.lambda_runtime import InProcess
from tests.directives import EVENTS, TOKEN
from tests.fakes.behaviours import answer_directive, reply, reply_json
from tests.fakes.server import Server
from tests.ops.conftest import Run

DISCOVERY = str(EVENTS / "discovery.json")
TURN_ON = str(EVENTS / "turn_on.json")
ENDPOINT = {
    "endpointId": "light#bed",
    "friendlyName": "Bed Light",
    "displayCategories": ["LIGHT"],
    "capabilities": [
        {"interface": "Alexa"},
        {"interface": "Alexa.PowerController"},
        {"interface": "Alexa.RangeController", "instance": "fan.speed_level"},
    ],
}
DISCOVERED = {
    "event": {
        "header": {"name": "Discover.Response"},
        "payload": {"endpoints": [ENDPOINT, {**ENDPOINT, "displayCategories": None}]},
    }
}


def is_one_line(text: str) -> bool:
    return text.count("\n") == 1 and "Traceback" not in text


def test_an_answer_is_printed_without_the_token(run: Run) -> None:
    """Home Assistant echoes it; people paste what they see."""
    with Server((answer_directive,)) as server:
        done = run(
            "invoke", TURN_ON, BASE_URL=server.url, LONG_LIVED_ACCESS_TOKEN=TOKEN
        )
        assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert done.returncode == 0
    assert json.loads(done.stdout)["event"]["header"]["name"] == "Response"
    assert TOKEN not in done.stdout + done.stderr


def test_a_token_of_somebody_else_is_not_printed_either(run: Run) -> None:
    """What an answer has under such a name is one, whosever it is."""
    answer = {"event": {"endpoint": {"scope": {"token": "token-of-another-house"}}}}
    with Server((reply_json(answer),)) as server:
        environ = {"BASE_URL": server.url, "LONG_LIVED_ACCESS_TOKEN": TOKEN}
        done = run("invoke", TURN_ON, **environ)
    assert "scope" in done.stdout
    assert "token-of-another-house" not in done.stdout + done.stderr


def test_json_is_the_answer_as_it_is(run: Run) -> None:
    """For a program that reads it."""
    with Server((reply_json(DISCOVERED),)) as server:
        environ = {"BASE_URL": server.url, "LONG_LIVED_ACCESS_TOKEN": TOKEN}
        done = run("invoke", DISCOVERY, "--json", **environ)
    assert json.loads(done.stdout) == DISCOVERED


def test_a_table_of_a_discovery(run: Run) -> None:
    """Name, category, abilities, and how many."""
    with Server((reply_json(DISCOVERED),)) as server:
        environ = {"BASE_URL": server.url, "LONG_LIVED_ACCESS_TOKEN": TOKEN}
        done = run("invoke", DISCOVERY, "--table", **environ)
    assert "Bed Light" in done.stdout
    assert "on and off, speed level" in done.stdout
    assert "2 endpoints" in done.stdout
    assert "1 of them may not work as you say them" in done.stdout
    assert "\x1b" not in done.stdout, "no colour where nobody looks"


def test_settings_come_from_a_file_too(run: Run, tmp_path: Path) -> None:
    """The environment goes before it."""
    with Server((answer_directive,)) as server:
        (tmp_path / ".env").write_text(
            f"BASE_URL=http://127.0.0.1:1\nLONG_LIVED_ACCESS_TOKEN={TOKEN}\n"
        )
        assert run("invoke", TURN_ON, BASE_URL=server.url).returncode == 0
        (tmp_path / "other").write_text(
            f"BASE_URL={server.url}\nLONG_LIVED_ACCESS_TOKEN={TOKEN}\n"
        )
        assert run("invoke", TURN_ON, "--env-file", "other").returncode == 0


def test_an_error_response_is_exit_status_1(run: Run) -> None:
    """With the answer on stdout all the same, and the cause on stderr."""
    with Server((reply(404, b"404: Not Found"),)) as server:
        done = run("invoke", TURN_ON, BASE_URL=server.url, LONG_LIVED_ACCESS_TOKEN="x")
    assert done.returncode == 1
    assert json.loads(done.stdout)["event"]["payload"]["type"] == "INTERNAL_ERROR"
    assert "smart_home:" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        (["no-such-file.json"], {"BASE_URL": "http://x"}, "no-such-file.json"),
        (["."], {"BASE_URL": "http://x"}, "directory"),
        (["broken.json"], {"BASE_URL": "http://x"}, "not JSON"),
        ([TURN_ON], {}, "BASE_URL is not set"),
        ([TURN_ON, "--env-file", "nowhere"], {}, "There is no file nowhere"),
        ([TURN_ON, "--env-file", "."], {}, "cannot be read"),
        ([TURN_ON, "--env-file", "latin"], {}, "save it as UTF-8"),
        ([TURN_ON, "--env-file", "words"], {}, "words, line 2, is not NAME=value"),
        (
            [TURN_ON],
            {"BASE_URL": "http://x", "LONG_LIVED_ACCESS_TOKEN": "paste it here"},
            "LONG_LIVED_ACCESS_TOKEN has a space",
        ),
        ([TURN_ON], {"BASE_URL": "x"}, "BASE_URL must start with https://"),
        ([TURN_ON], {"BASE_URL": "http://x", "DEBUG": "?"}, "DEBUG must be true"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_status_2(
    run: Run,
    tmp_path: Path,
    arguments: list[str],
    variables: dict[str, str],
    words: str,
) -> None:
    """It says what is wrong and what to do, and is no traceback."""
    (tmp_path / "broken.json").write_text("{'directive': ")
    (tmp_path / "latin").write_bytes("BASE_URL=https://höhle".encode("latin-1"))
    (tmp_path / "words").write_text("DEBUG=no\n=what is this\n")
    done = run("invoke", *arguments, **variables)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words.lower() in done.stderr.lower()
    assert is_one_line(done.stderr)


def test_a_refused_token_points_to_where_it_came_from(run: Run) -> None:
    """Here it is not the skill's, so linking anew would not help."""
    refusal = reply(401, b"401: Unauthorized")
    with Server((refusal,)) as server:
        done = run("invoke", TURN_ON, BASE_URL=server.url, LONG_LIVED_ACCESS_TOKEN="x")
        assert "Check LONG_LIVED_ACCESS_TOKEN in" in done.stderr
        done = run("invoke", TURN_ON, BASE_URL=server.url)
        assert "There is no LONG_LIVED_ACCESS_TOKEN in" in done.stderr


COMMANDS = [
    "bench",
    "check",
    "demo",
    "home-assistant-config",
    "invoke",
    "page",
    "skill",
]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=str)
def test_help_begins_with_examples(run: Run, command: list[str]) -> None:
    """What to type comes before what it means."""
    done = run(*command, "--help")
    assert done.returncode == 0
    assert 0 < done.stdout.index("Examples:") < done.stdout.index("Options:")
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_what_never_ends_is_ended_as_aws_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL looks at no time while a server sends it tickets without end."""
    for name in ("TIMEOUT_S", "_LATE_S"):
        monkeypatch.setattr(lambda_runtime, name, 0.1)
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:9")
    with InProcess({}) as function:
        ended = threading.Event()
        monkeypatch.setattr(function, "_handler", lambda *_: ended.wait())
        with pytest.raises(CommandError, match="has not ended"):
            function.invoke({})
        ended.set()
