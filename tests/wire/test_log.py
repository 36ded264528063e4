"""What the log says of a directive, and what it must never say."""

import json
import logging
from typing import Any

import pytest

from ha_bridge.bridge import Bridge
from ha_bridge.settings import Settings
from tests.directives import SECRETS, TOKEN, changed, event
from tests.fakes.behaviours import (
    answer_directive,
    hang_up,
    reply,
    reply_json,
)
from tests.fakes.server import Behaviour, Server
from tests.fakes.transport import StubContext, StubTransport
from tests.hostile import WRITTEN, assert_hidden
from tests.oracle import assert_error, assert_event
from tests.wire.conftest import MakeBridge

TURN_ON, ADJUST = event("turn_on"), event("adjust_brightness")


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [
        record.__dict__["directive"]
        for record in caplog.records
        if "directive" in record.__dict__
    ]


@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_failure_says_whether_its_connection_was_kept(
    make_bridge: MakeBridge, caplog: pytest.LogCaptureFixture, before: int
) -> None:
    """Stale or fresh is the first question then, also for the second directive."""
    with Server((*[answer_directive] * before, hang_up)) as server:
        bridge = make_bridge(server.url)
        for _ in range(before):
            bridge.answer(TURN_ON)
        assert_error(bridge.answer(ADJUST), event=ADJUST)
    words = [line["connection"] for line in lines(caplog)]
    assert words == ["new", "reused", "reused"][: before + 1]


def test_what_failed_before_any_connection_names_none(
    make_bridge: MakeBridge, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither new nor reused: there was none."""
    bridge = make_bridge("http://127.0.0.1:1")
    assert_error(bridge.answer(ADJUST, StubContext(1000)), event=ADJUST)
    [line] = lines(caplog)
    assert "connection" not in line


def test_a_directive_that_had_to_be_sent_again_says_how_it_came(
    make_bridge: MakeBridge, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer came over a new one."""
    with Server((answer_directive,)) as server:
        bridge = make_bridge(server.url)
        bridge.answer(TURN_ON)
        server.end_unseen(with_reset=True).heal()
        bridge.answer(TURN_ON)
    assert [line["connection"] for line in lines(caplog)] == ["new", "new"]


STRANGE = {
    "function URL": {
        "version": "2.0",
        "rawPath": "/",
        "rawQueryString": f"token={SECRETS[0]}",
        "headers": {"x-forwarded": SECRETS[0]},
        "body": json.dumps(TURN_ON),
    },
    "API Gateway": {"httpMethod": "POST", "body": json.dumps(event("accept_grant"))},
    "a text": json.dumps(TURN_ON),
    "a list": [json.dumps(TURN_ON)],
}


@pytest.mark.parametrize("what", STRANGE)
def test_debug_shows_no_secret_that_stands_inside_a_text(
    make_bridge: MakeBridge, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    """What is no directive has secrets where no key tells of them."""
    caplog.set_level(logging.DEBUG)
    with Server((answer_directive,)) as server:
        bridge = make_bridge(server.url, DEBUG="true")
        assert_error(bridge.answer(STRANGE[what]), None)
        assert server.requests == []
    assert not [secret for secret in SECRETS if secret in caplog.text]


@pytest.mark.parametrize("kind", ["X\n[ERROR] forged", "y" * 100_000, "a\x1b[31m"])
def test_home_assistants_error_type_is_cleaned_like_the_rest(
    make_bridge: MakeBridge, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """It can forge no line, and fills none."""
    own = {"event": {"header": {"name": "ErrorResponse"}, "payload": {"type": kind}}}
    with Server((reply_json(own),)) as server:
        assert make_bridge(server.url).answer(TURN_ON) == own, "it passes as it came"
    [record] = [one for one in caplog.records if "directive" in one.__dict__]
    for text in (record.getMessage(), record.__dict__["directive"]["errorType"]):
        assert text.isprintable()
        assert len(text) < 500


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("debug", ["true", "false"])
def test_what_home_assistant_repeats_of_a_secret_is_not_logged(
    make_bridge: MakeBridge, caplog: pytest.LogCaptureFixture, how: str, debug: str
) -> None:
    """Token or header, sent or lent; in an error, an answer and a page."""
    caplog.set_level(logging.DEBUG)
    gate = "secret-of-the-gate-1d"
    said = " ".join(WRITTEN[how](one) for one in (TOKEN, gate))
    error = {"header": {"name": "ErrorResponse"}, "payload": {"message": said}}
    fine = {"header": {"name": "Response"}, "payload": {"said": [said]}}
    page = reply(500, f"<title>{said}</title>".encode(), {"Server": said})
    answers = (reply_json({"event": error}), reply_json({"event": fine}), page)
    with Server(answers) as server:
        bridge = make_bridge(
            server.url,
            DEBUG=debug,
            EXTRA_HEADERS=json.dumps({"X-Gate": gate}),
            LONG_LIVED_ACCESS_TOKEN=TOKEN,
        )
        bridge.answer(event("discovery", None))
        for _ in range(4):
            bridge.answer(event("accept_grant"))
            bridge.answer(TURN_ON)
    assert "says" in caplog.text
    for secret in (TOKEN, gate):
        assert_hidden(secret, WRITTEN[how](secret), caplog.text)


def test_a_secret_is_neither_a_type_nor_an_id_in_the_log(
    make_bridge: MakeBridge, caplog: pytest.LogCaptureFixture
) -> None:
    """A server may say it in capitals, and names the devices that Alexa asks for."""
    error = {"header": {"name": "ErrorResponse"}, "payload": {"type": "OPENSESAME"}}
    secrets = (TOKEN, "opensesame", b"opensesame".hex())
    ids = [f"light#{one}" for one in secrets]
    asked = [changed(TURN_ON, "directive.endpoint.endpointId", one) for one in ids]
    with Server((reply_json({"event": error}), *[answer_directive] * 3)) as server:
        gate = json.dumps({"X-Gate": "opensesame"})
        bridge = make_bridge(server.url, EXTRA_HEADERS=gate)
        bridge.answer(TURN_ON)
        for one in asked:
            bridge.answer(one)
        first, *others = lines(caplog)
        assert first["errorType"] == "unknown"
        assert {one["endpointId"] for one in others} == {"light#<redacted>"}
        assert [one.json for one in server.requests[1:]] == asked
    assert TOKEN not in caplog.text
    assert "OPENSESAME" not in caplog.text


def test_what_is_cut_off_of_an_answer_leaves_no_beginning_of_a_secret(
    make_bridge: MakeBridge, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a header or a message no more is told than a sentence: not half a secret."""
    gate = "7c1e5a9b3d0f4826b7a1e93c5d8f2046"
    message = {"message": f"{'x' * 289}{gate}"}
    error = {"header": {"name": "ErrorResponse"}, "payload": message}
    page = reply(500, b"<p>", {"Server": f"{'x ' * 14}{gate} beyond"})
    place = reply(302, b"", {"Location": f"https://{'a.' * 35}{gate}.example/"})
    with Server((reply_json({"event": error}), page, place)) as server:
        bridge = make_bridge(server.url, EXTRA_HEADERS=json.dumps({"X-Gate": gate}))
        answers = [bridge.answer(TURN_ON) for _ in range(3)]
    assert "says" in caplog.text
    assert gate[:8] not in caplog.text + json.dumps(answers[1:])
    assert "beyond" not in caplog.text
    assert ".example" not in caplog.text


def test_a_broken_log_breaks_no_answer(
    make_bridge: MakeBridge,
) -> None:
    """Lambda's handler lets an error of the log pipe through."""

    class Sink(logging.Handler):
        def emit(self, _record: logging.LogRecord) -> None:
            raise BrokenPipeError

    sink = Sink()
    with Server((answer_directive, reply(502))) as server:
        bridge = make_bridge(server.url)
        logging.getLogger().addHandler(sink)
        try:
            answers = [bridge.answer(TURN_ON) for _ in range(2)]
            assert_error(bridge.answer(None), None)
        finally:
            logging.getLogger().removeHandler(sink)
    assert answers[0]["event"]["header"]["name"] == "Response"
    assert_event(answers[1])


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (reply(502, b"x", {"Server": "nginx/1.22.1"}), ["HTTP 502", "nginx/1.22.1"]),
        (reply(301, headers={"Location": "https://new.example.org/x?t=1"}), ["new."]),
        (hang_up, ["broke off"]),
    ],
    ids=["who answered", "where to", "how it ended"],
)
def test_the_message_says_what_is_known(
    make_bridge: MakeBridge, behaviour: Behaviour, words: list[str]
) -> None:
    """Who answered, and what; never the rest of an address."""
    with Server((behaviour,)) as server:
        answer = make_bridge(server.url).answer(TURN_ON)
    message = answer["event"]["payload"]["message"]
    assert not [word for word in words if word not in message]
    assert "t=1" not in message


def test_settings_that_are_better_changed_are_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """When the function starts: plain http, and no check of the certificate."""
    settings = Settings.from_environ(
        {"BASE_URL": "http://192.0.2.1", "NOT_VERIFY_SSL": "1"}
    )
    Bridge(settings, StubTransport())
    warned = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert any("plain http" in text for text in warned)
    assert any("NOT_VERIFY_SSL" in text for text in warned)
