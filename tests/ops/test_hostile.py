"""Hostile texts and odd shapes wherever something is shown, beyond `check`.

Each value here is as good as what comes from outside; every place in it is tried.  A
field that is added to one of them is covered by that.
"""

import io
import json
import logging
import shlex
import socket
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.client import HTTPException
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from click.testing import CliRunner
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from moto import mock_aws

from ha_bridge.redaction import Secret
from ha_bridge.settings import VARIABLES, parse_address
from ha_bridge_ops.adopt import saved
from ha_bridge_ops.adopt.recognise import Kind, recognise
from ha_bridge_ops.adopt.translate import Choices, translated
from ha_bridge_ops.aws.logs import Line, Log
from ha_bridge_ops.aws.version import Settings, Version
from ha_bridge_ops.commands.adopt import _ask_about, _show
from ha_bridge_ops.commands.home_assistant_config import home_assistant_config
from ha_bridge_ops.commands.invoke import invoke
from ha_bridge_ops.endpoints.limits import CATEGORIES
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.home_client import Client
from ha_bridge_ops.report import output
from ha_bridge_ops.report.calls import Calls
from ha_bridge_ops.report.figures import Report
from ha_bridge_ops.report.picture import svg
from ha_bridge_ops.setup.desk import Memory
from ha_bridge_ops.setup.watch import Found, Watch
from ha_bridge_ops.skill import consoles
from ha_bridge_ops.skill.apply import State, _namesakes, _wait_for_build
from ha_bridge_ops.skill.ask_cli import AskCli, answered, in_words, refusal
from ha_bridge_ops.skill.documents import Folder, Skill
from ha_bridge_ops.state import Journal
from ha_bridge_ops.terminal import Console
from ha_bridge_ops.variables import read_variables
from tests.directives import EVENTS, TOKEN
from tests.fakes import pem
from tests.fakes.behaviours import answer_directive, reply_json
from tests.fakes.server import Server
from tests.hostile import (
    MARK,
    ODD,
    TEXTS,
    WRITTEN,
    assert_harmless,
    assert_hidden,
    places,
)
from tests.ops.adopt.world import zipped
from tests.worlds.devices import ENDPOINT, STATE
from tests.worlds.home import home

#: `invoke` ends its process with the connection to Home Assistant open.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)

LOOSE = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner)
    ),
    max_leaves=12,
)

#: How deep JSON must be to end Python's reader.
DEEP = "[" * 100_000


def shaped_like(*values: Any) -> st.SearchStrategy[Any]:
    """Give JSON that is one of these but for something at one of its places."""
    puts = [put for value in values for _, put in places(value)]
    return st.builds(lambda put, other: put(other), st.sampled_from(puts), JSON)


def assert_bounded(shown: str, most: int = 200_000) -> None:
    assert_harmless(shown)
    assert len(shown) < most
    assert "Traceback" not in shown


# -- invoke ----------------------------------------------------------------------------

ERROR: dict[str, Any] = {
    "event": {
        "header": {"namespace": "Alexa", "name": "ErrorResponse"},
        "payload": {"type": "NO_SUCH_ENDPOINT", "message": "gone"},
    }
}

ENDPOINT_PLACES = dict(places(ENDPOINT))


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Runs `ha-bridge invoke` before a server, and returns what it prints."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    root = logging.getLogger()
    handlers = root.handlers[:]

    def run(port: int, *arguments: str, **variables: str) -> str:
        root.handlers = []  # as in a new process: the command brings its own
        monkeypatch.setenv("BASE_URL", f"http://127.0.0.1:{port}")
        for name, text in variables.items():
            monkeypatch.setenv(name, text)
        done = CliRunner().invoke(invoke, arguments)
        assert done.exception is None or isinstance(done.exception, SystemExit), (
            done.exc_info
        )
        shown: str = done.output
        return shown

    yield run
    root.handlers = handlers


def discovered(endpoints: Any) -> dict[str, Any]:
    header = {"namespace": "Alexa.Discovery", "name": "Discover.Response"}
    return {"event": {"header": header, "payload": {"endpoints": endpoints}}}


@pytest.mark.parametrize("place", ENDPOINT_PLACES)
def test_invoke_shows_a_device_as_text(place: str, typed: Callable[..., str]) -> None:
    """As JSON, as a table and for a program; texts and other shapes, at any place."""
    put = ENDPOINT_PLACES[place]
    said = discovered([put(one) for one in (*TEXTS, *ODD)])
    with Server((reply_json(said),)) as server:
        for output_ in ((), ("--table",), ("--json",)):
            shown = typed(
                server.port,
                str(EVENTS / "discovery.json"),
                *output_,
                LONG_LIVED_ACCESS_TOKEN=TOKEN,
            )
            assert_bounded(shown, 3_000_000 if output_ != ("--table",) else 60_000)
            assert shown


@pytest.mark.parametrize("answer", [STATE, ERROR], ids=["state", "error"])
def test_invoke_shows_any_answer_as_text(
    answer: dict[str, Any], typed: Callable[..., str]
) -> None:
    """A state or an error, on stdout and in the line about it."""
    answers = [
        put(TEXTS[number % 24]) for number, (_, put) in enumerate(places(answer))
    ]
    answers += [
        put(ODD[number % len(ODD)]) for number, (_, put) in enumerate(places(answer))
    ]
    behaviours = [reply_json(one) for one in answers]
    for behave in behaviours:
        with Server((behave,)) as server:
            event = str(EVENTS / "report_state.json")
            shown = typed(server.port, event, LONG_LIVED_ACCESS_TOKEN=TOKEN)
        assert_bounded(shown)
        assert TOKEN not in shown


@given(answer=shaped_like(ERROR, STATE, discovered([ENDPOINT])))
@LOOSE
def test_invoke_takes_any_json(answer: Any, typed: Callable[..., str]) -> None:
    """Whatever it is."""
    with Server((reply_json(answer),)) as server:
        for table in ((), ("--table",)):
            event = str(EVENTS / "discovery.json")
            assert_bounded(
                typed(server.port, event, *table, LONG_LIVED_ACCESS_TOKEN="x-token")
            )


@pytest.mark.parametrize("text", [DEEP, "", "\x00", '{"directive"', "1e999", "\ud800"])
def test_a_broken_event_is_one_sentence(
    text: str, tmp_path: Path, typed: Callable[..., str]
) -> None:
    """It is the user's own file, or somebody else's."""
    path = tmp_path / "mine.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert_bounded(typed(1, str(path)), 2000)


LENT = "secret-lent-token-51ab"
HEADER = "secret-header-value-0c"


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("is_reference", [False, True], ids=["text", "reference"])
def test_invoke_hides_what_was_resolved(
    is_reference: bool,  # noqa: FBT001
    how: str,
    typed: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The token and headers, wherever they are kept and however they are repeated."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    headers = json.dumps({"X-Key": HEADER})
    said = " ".join(WRITTEN[how](one) for one in (LENT, HEADER))
    odd = {**ENDPOINT, "friendlyName": said, "description": said}
    error = {"event": {"header": {"name": "ErrorResponse"}, "payload": {"type": said}}}
    error["event"]["payload"]["message"] = said
    with mock_aws():
        boto3.client("secretsmanager").create_secret(Name="t", SecretString=LENT)
        boto3.client("ssm").put_parameter(Name="/h", Value=headers, Type="SecureString")
        variables = {"LONG_LIVED_ACCESS_TOKEN": LENT, "EXTRA_HEADERS": headers}
        if is_reference:
            variables = {
                "LONG_LIVED_ACCESS_TOKEN": "secretsmanager:t",
                "EXTRA_HEADERS": "ssm:/h",
            }
        for answer in (discovered([odd]), error):
            with Server((reply_json(answer),)) as server:
                for table in ((), ("--table",), ("--json",)):
                    event = str(EVENTS / "discovery.json")
                    shown = typed(server.port, event, *table, **variables)
                    (request, *_) = server.requests
                    assert request.headers["authorization"] == f"Bearer {LENT}"
                    assert request.headers["x-key"] == HEADER
                    assert "redacted" in shown
                    for secret in (LENT, HEADER):
                        assert_hidden(secret, WRITTEN[how](secret), shown)


def test_invoke_shows_no_line_of_the_client_key(
    tmp_path: Path, typed: Callable[..., str]
) -> None:
    """Whatever knows it may say it, all of it or a line."""
    ours = pem.authority()
    local = [x509.IPAddress(ip_address("127.0.0.1"))]
    tls = pem.server_context(tmp_path, pem.issued(ours, "home", names=local), ours)
    client = pem.issued(ours, "me")
    body = client.key_pem().strip().split("\n")[1:-1]
    said = [client.key_pem(), *body, "".join(body), client.key_pem().replace("\n", " ")]
    answer = discovered([{**ENDPOINT, "friendlyName": one} for one in said])
    with Server((reply_json(answer),), tls=tls) as server:
        for shape in ((), ("--table",), ("--json",)):
            shown = typed(
                server.port,
                str(EVENTS / "discovery.json"),
                *shape,
                BASE_URL=f"https://127.0.0.1:{server.port}",
                CA_CERTIFICATE=ours.certificate_pem,
                CLIENT_CERTIFICATE=client.pem,
                LONG_LIVED_ACCESS_TOKEN=TOKEN,
            )
            assert "redacted" in shown
            for line in body:
                assert line[:16] not in shown


def test_a_header_that_is_a_word_of_json_leaves_it_json(
    typed: Callable[..., str],
) -> None:
    """Only texts are looked through: `true` is no secret of whom it says true to."""
    answer = discovered([{**ENDPOINT, "cookie": {"true": "true", "a": True, "b": 12}}])
    with Server((reply_json(answer),)) as server:
        for shape in ((), ("--json",)):
            shown = typed(
                server.port,
                str(EVENTS / "discovery.json"),
                *shape,
                EXTRA_HEADERS='{"X-Skip-Warning": "true"}',
                LONG_LIVED_ACCESS_TOKEN=TOKEN,
            )
            (said,) = json.loads(shown)["event"]["payload"]["endpoints"]
            assert said["capabilities"] == ENDPOINT["capabilities"]


def test_a_program_gets_what_an_answer_must_repeat(
    tmp_path: Path, typed: Callable[..., str]
) -> None:
    """The correlation token, and nothing nested without end."""
    event = json.loads((EVENTS / "turn_on.json").read_text())
    event["directive"]["header"]["correlationToken"] = "correlation-1234567890"
    event["directive"]["endpoint"]["scope"]["token"] = "scope-token-of-the-event"
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(event))
    with Server((answer_directive,)) as server:
        shown = typed(server.port, str(path), "--json")
        answer = json.loads(shown)["event"]
    assert answer["header"]["correlationToken"] == "correlation-1234567890"
    assert "scope-token" not in shown
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    with Server((reply_json(discovered(deep)),)) as server:
        path = EVENTS / "discovery.json"
        shown = typed(server.port, str(path), "--json", LONG_LIVED_ACCESS_TOKEN=TOKEN)
    assert "nested" in shown


@pytest.mark.parametrize("token", ["eyJ\nhead: er", "eyJ\r\n\r\nGET /", "eyJ\ud800"])
def test_a_token_that_cannot_be_sent_is_in_no_error(token: str) -> None:
    """It is refused before a byte of it goes, and its text is not repeated."""
    with Server(home()) as server:
        address = parse_address(server.url)
        client = Client(address, "127.0.0.1", socket.create_connection, verify_tls=True)
        with pytest.raises(HTTPException) as refused:
            client.request("GET", "/api/", token=Secret(token))
        client.close()
        assert "eyJ" not in repr(refused.value)
        assert refused.value.__suppress_context__
        assert server.requests == []


# -- report ----------------------------------------------------------------------------

LINE: dict[str, Any] = {
    "timestamp": "2026-11-26T10:00:00Z",
    "level": "ERROR",
    "message": "Alexa.PowerController TurnOn: NO_SUCH_ENDPOINT in 5 ms: gone",
    "logger": "ha_bridge",
    "directive": {
        "namespace": "Alexa.PowerController",
        "name": "TurnOn",
        "endpointId": "light#bed",
        "errorType": "NO_SUCH_ENDPOINT",
        "status": 200,
        "connection": "reused",
        "duration_ms": 5,
    },
}

PLATFORM: dict[str, Any] = {
    "time": "2026-11-26T10:00:00Z",
    "type": "platform.report",
    "record": {
        "requestId": "3604209a-e9a3-11e6-939a-754dd98c7be3",
        "status": "timeout",
        "metrics": {"durationMs": 9.5, "initDurationMs": 100.5},
    },
}

NOW_MS = 1_794_999_600_000


def assert_report_is_harmless(lines: list[str], times: list[int]) -> None:
    seen = Calls()
    seen.read(Line(text, at_ms) for text, at_ms in zip(lines, times, strict=True))
    seen.done()
    found = Report(
        "ha-bridge",
        "eu-west-1",
        NOW_MS - 86_400_000,
        NOW_MS + 86_400_000,
        seen,
        only_last_change=f"www.{MARK}.example",  # what AWS may call an error
        is_whole=False,
    )
    file = io.StringIO()
    output.show(found, Console(file=file, force_terminal=True, width=100))
    assert_bounded(file.getvalue(), 30_000)
    as_json = output.as_json(found, "1")
    assert isinstance(json.loads(as_json), dict)
    assert_bounded(as_json, 60_000)
    markdown = output.as_markdown(found, "1")
    assert_bounded(markdown, 30_000)
    assert MARK not in markdown
    renderer = MarkdownIt("commonmark", {"html": True}).enable("table")
    for token in renderer.parse(markdown):
        for one in (token, *(token.children or ())):
            assert one.type not in ("image", "link_open", "html_inline", "html_block")
    ET.fromstring(svg(found))  # noqa: S314 - our own
    assert_bounded(svg(found))


@pytest.mark.parametrize("value", [LINE, PLATFORM], ids=["function", "Lambda"])
def test_a_line_of_the_log_says_what_it_likes(value: dict[str, Any]) -> None:
    """In the tables, as JSON, for a forum and in the picture."""
    for name, put in places(value):
        lines = [json.dumps(put(one)) for one in (*TEXTS, *ODD)]
        assert_report_is_harmless(lines, [NOW_MS + n for n in range(len(lines))])
        del name


def test_a_line_that_is_no_json_says_what_it_likes() -> None:
    """Numbers of all kinds among them."""
    lines = list(TEXTS)
    for number in (
        "1",
        "1.2.3",
        "...",
        "9" * 5000,
        "\N{ARABIC-INDIC DIGIT ONE}",
        "nan",
    ):
        lines += [
            f"Task timed out after {number} seconds",
            f"REPORT RequestId: x Duration: {number} ms Init Duration: {number} ms",
            f"REPORT RequestId: x Status: timeout Duration: {number} ms",
            json.dumps({"message": f"Task timed out after {number} seconds"}),
        ]
    assert_report_is_harmless(lines, [NOW_MS] * len(lines))


@given(
    st.lists(
        st.text() | shaped_like(LINE, PLATFORM).map(json.dumps) | JSON.map(json.dumps),
        max_size=6,
    )
)
@settings(LOOSE, max_examples=20)
def test_any_lines_of_the_log(lines: list[str]) -> None:
    """Odd numbers, NaN, keys without end."""
    assert_report_is_harmless(lines, [NOW_MS] * len(lines))


class _Page:
    """A function of which AWS gives one page of the log."""

    log_group = "g"

    def __init__(self, page: Any) -> None:
        self._page = page

    def client(self, _service: str) -> Any:
        return self

    def filter_log_events(self, **_request: Any) -> Any:
        return self._page


@given(st.dictionaries(st.sampled_from(["events", "x"]), JSON))
@LOOSE
def test_any_page_of_cloudwatch(page: dict[str, Any]) -> None:
    """What is no line of the log is none."""
    for at in (*ODD, 10**18):
        events = (
            [*page.get("events", [])] if isinstance(page.get("events"), list) else []
        )
        whole = {**page, "events": [*events, {"message": at, "timestamp": at}]}
        for one in (page, whole, at):
            for line in Log(_Page(one), 0.0):  # type: ignore[arg-type]
                assert 0 <= line.at_ms < 10**15


@pytest.mark.parametrize("text", TEXTS)
def test_what_alexa_came_with_is_one_line(text: str) -> None:
    """Setup tells it while it waits."""
    told: list[str] = []
    for name, put in places(LINE):
        event = {"message": json.dumps(put(text)), "timestamp": NOW_MS}
        watch = Watch(_Page({"events": [event]}), told.append, clock=lambda: 1.0)  # type: ignore[arg-type]
        watch.until_found(0.0, 0.0)
        del name
    assert told
    for one in told:
        assert_bounded(one, 1000)
        assert "\n" not in one


@pytest.mark.parametrize("count", [10**4000, -5, True, 1.5, "2", None])
def test_an_odd_number_of_devices_is_none(count: object) -> None:
    """Setup would print it whole."""
    line = {"directive": {"name": "Discover", "endpoints": count}}
    page = _Page({"events": [{"message": json.dumps(line), "timestamp": NOW_MS}]})
    watch = Watch(page, lambda _: None, clock=lambda: 1.0)  # type: ignore[arg-type]
    assert watch.until_found(0.0, 0.0) == Found(None)


# -- adopt -----------------------------------------------------------------------------

OLD = Settings(
    "python3.9",
    "lambda_function.lambda_handler",
    3,
    128,
    {"BASE_URL": "https://home.example.org", "NOT_VERIFY_SSL": "", "DEBUG": ""},
)
SCRIPT = "BASE_URL /api/alexa/smart_home directive payloadVersion"
HAASKA = {"url": "https://home.example.org/api", "ssl_verify": True, "debug": False}


def assert_adoption_is_harmless(kind: Kind, old: Version) -> None:
    """What would change is shown, or it is said why not."""
    file = io.StringIO()
    try:
        found = translated(kind, old, Choices(), lambda _name: "")
        _show(Console(file=file, force_terminal=True), old, old, found)
        new = Version(old.code, Settings("r", "h", 9, 256, found.variables))
        _show(Console(file=file, force_terminal=True), old, new, found)
        if found.doubts:
            _ask_about(found, yes=True)
    except CommandError as error:
        file.write(error.format_message())
    assert_bounded(file.getvalue(), 20_000)


@pytest.mark.parametrize("text", TEXTS)
def test_a_function_of_others_is_shown_as_text(text: str) -> None:
    """Runtime, handler, names and values of variables."""
    code = zipped({"lambda_function.py": SCRIPT})
    for name in (*OLD.variables, text):
        variables = {**OLD.variables, name: text}
        for settings_ in (
            Settings(OLD.runtime, OLD.handler, 3, 128, variables),
            Settings(text, text, 3, 128, {**OLD.variables, "DEBUG": text}),
        ):
            old = Version(code, settings_)
            recognise(old)
            assert_adoption_is_harmless(Kind.SCRIPT, old)


@given(config=shaped_like(HAASKA) | JSON)
@LOOSE
def test_any_config_of_haaska(config: Any) -> None:
    """Whatever stands in the zip."""
    files = {"haaska.py": "", "config.json": json.dumps(config)}
    handler = "haaska.event_handler"
    old = Version(zipped(files), Settings("python3.9", handler, 3, 128, {}))
    assert_adoption_is_harmless(Kind.HAASKA, old)


def test_a_zip_that_is_hostile() -> None:
    """Too deep, too large, cut off, a bomb: one sentence, and little is read."""
    deep = zipped({"haaska.py": "", "config.json": DEEP})
    settings_ = Settings("python3.9", "haaska.event_handler", 3, 128, {})
    assert_adoption_is_harmless(Kind.HAASKA, Version(deep, settings_))
    bomb = zipped({f"{number}.py": "x" * 900_000 for number in range(300)})
    assert recognise(Version(bomb, settings_)) is Kind.OTHER
    whole = zipped({"haaska.py": "x" * 9000, "config.json": "{}" * 500})
    for start in range(0, len(whole), 7):
        broken = bytearray(whole)
        broken[start] ^= 0xFF
        for code in (bytes(broken), whole[:start]):
            try:
                recognise(Version(code, settings_))
                assert_adoption_is_harmless(Kind.HAASKA, Version(code, settings_))
            except (CommandError, KeyError):
                pass


# -- files of state --------------------------------------------------------------------

KEPT = {
    "format": 1,
    "function": "arn:aws:lambda:eu-west-1:123456789012:function:home",
    "settings": {
        "runtime": "python3.9",
        "handler": "x.y",
        "timeout_s": 3,
        "memory_mb": 128,
        "variables": {"BASE_URL": "https://home.example.org"},
    },
    "code": "UEs=",
}

STATE_FILE = {
    "default": {"skill_id": "x", "client_secret": "y" * 30, "creating": "z"},
    "setup": {"base_url": "x", "locale": "y", "stack": "z"},
}

READS: dict[str, Callable[[Path], object]] = {
    "adopt": saved.read,
    "state": lambda path: Journal(path, "default").read(),
    "skill id": lambda path: State(path, "default").skill_id,
    "secret": lambda path: State(path, "default").client_secret,
    "creating": lambda path: State(path, "default").creating,
    "setup": lambda path: Memory(path.parent).get("stack"),
    ".env": read_variables,
}


@pytest.mark.parametrize("what", READS)
@given(
    content=st.binary(max_size=60)
    | st.text().map(lambda text: text.encode("utf-8", "surrogatepass"))
    | shaped_like(KEPT, STATE_FILE).map(lambda one: json.dumps(one).encode())
    | st.sampled_from([DEEP.encode(), b'{"format": 1, "x": ' + b"9" * 5000 + b"}"])
)
@LOOSE
def test_any_file_is_read_or_said_to_be_none(
    what: str, content: bytes, tmp_path: Path
) -> None:
    """Somebody else may have written it."""
    path = tmp_path / "setup.json"
    path.write_bytes(content)
    try:
        READS[what](path)
    except CommandError as error:
        assert_bounded(error.format_message(), 1000)


# -- ask -------------------------------------------------------------------------------

SKILL_ID = "amzn1.ask.skill.12345678-1234-1234-1234-123456789abc"

#: What Amazon says, by what is asked.
SAID: dict[str, Any] = {
    "skillId": SKILL_ID,
    "skills": [
        {
            "skillId": SKILL_ID,
            "stage": "development",
            "apis": ["smartHome"],
            "nameByLocale": {"en-GB": "Home Assistant"},
        }
    ],
    "nextToken": "next",
    "manifest": {
        "lastUpdateRequest": {"status": "FAILED", "errors": [{"message": "no"}]}
    },
    "skillMessagingCredentials": {"clientId": "a" * 30, "clientSecret": "b" * 30},
    "message": "no",
    "violations": [{"message": "x", "code": "y"}],
}


class Told(AskCli):
    """The ASK CLI that says one thing."""

    build_timeout_s = 0.0

    def __init__(self, said: dict[str, Any]) -> None:
        self._said = said

    def _run(self, *_arguments: str) -> dict[str, Any]:
        return self._said


def skill(name: str = "Home Assistant") -> Skill:
    address = parse_address("https://home.example.org")
    return Skill(name, address, ("en-GB",), {}, Secret("x" * 30))


STEPS: dict[str, Callable[[AskCli], object]] = {
    "create": lambda ask: ask.create(Path("x")),
    "list": lambda ask: list(ask.skills()),
    "namesakes": lambda ask: _namesakes(skill().name, ask),
    "build": lambda ask: _wait_for_build(ask, SKILL_ID),
    "credentials": lambda ask: ask.credentials(SKILL_ID),
}


@pytest.mark.parametrize("step", STEPS)
def test_amazon_says_what_it_likes(step: str) -> None:
    """Texts and other shapes, at any place of its answer."""
    for name, put in places(SAID):
        for one in (*TEXTS, *ODD):
            said = put(one)
            if not isinstance(said, dict):
                continue  # `answered` gives none
            try:
                STEPS[step](Told(said))
            except CommandError as error:
                assert_bounded(error.format_message(), 3000)
        del name


@given(said=shaped_like(SAID))
@LOOSE
def test_any_answer_of_amazon(said: Any) -> None:
    """Or none that can be read."""
    text = json.dumps(said)
    for shown in (text, f"\n---- Response ----\n{text}", f"[Error]: {text}", text[:-3]):
        assert isinstance(answered(shown), dict)
        assert_bounded(refusal(shown).format_message(), 3000)
    if isinstance(said, dict):
        for act in STEPS.values():
            try:
                act(Told(said))
            except CommandError as error:
                assert_bounded(error.format_message(), 3000)
    assert_bounded(in_words(said), 30_000)


@given(st.text() | st.binary().map(lambda data: data.decode("utf-8", "replace")))
@LOOSE
def test_any_words_of_ask(text: str) -> None:
    """On stdout and on stderr."""
    assert isinstance(answered(text), dict)
    assert_bounded(refusal(text).format_message(), 3000)
    assert_bounded(refusal(f"[Error]: {text}").format_message(), 3000)


@pytest.mark.parametrize("text", TEXTS[:-1])
def test_commands_to_paste_are_words(text: str) -> None:
    """A name or a folder of the user's own ends no word, and begins no other."""
    name = " ".join("".join(one if one.isprintable() else "?" for one in text).split())
    folder = Folder(Path(name.replace("/", "_")))
    words = shlex.split(consoles.again(skill(name), folder))
    assert words[:2] == ["ha-bridge", "skill"]
    assert name in words
    its = skill(name)
    functions = {its.region.key: name}
    made = replace(its, functions=functions, token_endpoint=True)
    lines = [consoles.permit(made, name)]
    for one_skill in (its, made):
        for skill_id in (SKILL_ID, name):
            lines += [
                one.line for one in consoles.commands(one_skill, folder, skill_id)
            ]
    for line in lines:
        for shown in (line, consoles.folded(line)):
            split = shlex.split(shown.replace("\\\n", ""))
            assert not {"touch", "id", "curl"} & set(split)


@pytest.mark.parametrize("text", TEXTS)
def test_a_skill_of_amazon_is_taken_by_its_id_only(text: str) -> None:
    """What is none is passed over, and never kept."""
    said = json.loads(json.dumps(SAID))
    said["skills"] = [{**SAID["skills"][0], "skillId": text}, SAID["skills"][0]]
    del said["nextToken"]
    assert _namesakes(skill().name, Told(said)) == [SKILL_ID]


# -- home-assistant-config -------------------------------------------------------------


def configured(*arguments: str) -> Any:
    """Return the block; None if it was refused, in words."""
    done = CliRunner().invoke(home_assistant_config, ["--locale", "en-GB", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert_bounded(done.output, 30_000)
    if done.exit_code:
        assert done.exit_code == 2
        return None
    found = yaml.safe_load(done.stdout)
    assert list(found) == ["alexa"]
    assert list(found["alexa"]) == ["smart_home"]
    block = found["alexa"]["smart_home"]
    assert set(block) <= {"locale", "endpoint", "filter", "entity_config"}
    for names in block.get("filter", {}).values():
        assert all(isinstance(one, str) for one in names)
    return block


@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_filter_or_name_is_refused_or_a_text(text: str) -> None:
    """YAML of ours, whatever it says."""
    configured("--filter", text)
    configured("--filter", f"light,!{text}")
    configured("--entity", text)
    configured("--category", f"light.x={text}")
    block = configured("--entity", f"light.x={text}")
    if block is not None:
        assert block["entity_config"]["light.x"]["name"] == text.strip()


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "null", "true", "y", "n"])
def test_a_word_of_yaml_stays_a_text(word: str) -> None:
    """A domain or a name may be one."""
    assert configured("--filter", word)["filter"] == {"include_domains": [word]}
    block = configured("--entity", f"light.x={word}")
    assert block["entity_config"]["light.x"]["name"] == word


@given(text=st.text(), category=st.sampled_from(sorted(CATEGORIES)))
@LOOSE
def test_any_filter_and_any_name(text: str, category: str) -> None:
    """What is taken is what was typed."""
    configured("--filter", text)
    block = configured(
        "--entity", f"light.x={text}", "--category", f"light.x={category}"
    )
    if block is not None:
        told = block["entity_config"]["light.x"]
        assert told["display_categories"] == category
        assert told.get("name", "") == text.strip()
