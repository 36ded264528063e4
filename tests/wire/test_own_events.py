"""Events of our own: sent by the account itself, never by Alexa."""

import json
import logging
import time
from typing import Any

import pytest

from ha_bridge.bridge import Bridge
from ha_bridge.connection import Connector
from ha_bridge.errors import BridgeError, Failure
from ha_bridge.home_assistant import HomeAssistant, Unconfigured
from ha_bridge.settings import Settings
from tests.directives import event
from tests.fakes.behaviours import answer_directive
from tests.fakes.clock import Clock
from tests.fakes.server import Server
from tests.fakes.tls import Authority
from tests.fakes.transport import StubContext, StubTransport
from tests.wire.conftest import MakeBridge

WARM: dict[str, Any] = {"ha_bridge": {"warm": {}}}


def test_warm_opens_a_connection_and_sends_nothing(
    make_bridge: MakeBridge, authority: Authority
) -> None:
    """The directive after it finds the handshake done, Home Assistant's log nothing.

    Each opens a new one, which lives until the next; the last is the one that is used.
    """
    with Server((answer_directive,), tls=authority.server("127.0.0.1")) as server:
        bridge = make_bridge(server.url)
        assert bridge.answer(WARM) == {"ha_bridge": {"warm": {"connection": "new"}}}
        assert bridge.answer(WARM) == {"ha_bridge": {"warm": {"connection": "kept"}}}
        assert server.requests == []
        answer = bridge.answer(event("turn_on"))
        assert answer["event"]["header"]["name"] == "Response"
        assert server.requests[0].connection == 2, "the last"


@pytest.mark.parametrize("age_s", [1, 30, 59])
@pytest.mark.parametrize("jitter_s", [-0.5, 0, 0.5])
def test_a_warm_event_leaves_a_connection_for_a_whole_minute(
    make_bridge: MakeBridge, clock: Clock, jitter_s: float, age_s: float
) -> None:
    """KeepWarm sends one each minute: a directive always finds a fit connection."""
    with Server((answer_directive,)) as server:
        bridge = make_bridge(server.url)
        for _ in range(3):
            bridge.answer(WARM)
            clock.moved_s += 60 + jitter_s
        bridge.answer(WARM)
        clock.moved_s += age_s
        answer = bridge.answer(event("unlock"))
        assert answer["event"]["header"]["name"] == "Response"
        assert server.requests[0].connection == 4, "that of the last warm event"
        assert len(server.open_connections()) == 1, "the old ones are closed"


def test_a_warm_event_that_takes_the_one_opened_ahead_does_not_make_it_young(
    clock: Clock,
) -> None:
    """Its time counts from its handshake."""
    with Server((answer_directive,)) as server:
        settings = Settings.from_environ({"BASE_URL": server.url})
        connector = Connector(settings.address)
        connector.open_ahead()
        time.sleep(0.2)
        home_assistant = HomeAssistant(connector)
        bridge = Bridge(settings, home_assistant)
        clock.moved_s = 55
        bridge.answer(WARM)
        clock.moved_s = 110
        answer = bridge.answer(event("unlock"))
        home_assistant.close()
        assert answer["event"]["header"]["name"] == "Response"
        assert server.requests[0].connection > 1


def test_a_warm_event_that_fails_is_in_the_log(
    make_bridge: MakeBridge, caplog: pytest.LogCaptureFixture
) -> None:
    """Else it could be broken for months, unseen."""
    bridge = make_bridge("http://127.0.0.1:1")
    caplog.clear()
    bridge.answer(WARM, StubContext(1500))
    failed = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert "refused" in failed[0].getMessage()


def test_warm_says_what_is_wrong(make_bridge: MakeBridge) -> None:
    """As a directive would."""
    answer = make_bridge("http://127.0.0.1:1").answer(WARM, StubContext(1500))
    assert "refused" in answer["ha_bridge"]["error"]


@pytest.mark.parametrize(
    "request_", [None, {}, [], "warm", {"x": {}}, {"warm": {}, "x": {}}], ids=str
)
def test_an_unknown_request_is_named(request_: Any) -> None:
    """With the ones there are."""
    settings = Settings.from_environ({"BASE_URL": "https://home.example.org"})
    answer = Bridge(settings, StubTransport()).answer({"ha_bridge": request_})
    assert "one of: warm" in answer["ha_bridge"]["error"]


def test_wrong_settings_are_named() -> None:
    """The variable that is wrong."""
    wrong = BridgeError(Failure.WRONG_SETTING, "BASE_URL is not set")
    assert (
        "BASE_URL"
        in Bridge(None, Unconfigured(wrong)).answer(WARM)["ha_bridge"]["error"]
    )


def test_a_bug_is_named_by_type_only() -> None:
    """Its text could hold anything."""
    settings = Settings.from_environ({"BASE_URL": "https://home.example.org"})
    bridge = Bridge(settings, StubTransport(RuntimeError("hunter2")))
    assert json.dumps(bridge.answer(WARM)) == '{"ha_bridge": {"error": "RuntimeError"}}'


def test_a_directive_with_another_key_is_still_a_directive() -> None:
    """Only the single key makes an event ours."""
    settings = Settings.from_environ({"BASE_URL": "https://home.example.org"})
    transport = StubTransport()
    Bridge(settings, transport).answer({**event("turn_on"), **WARM})
    assert len(transport.posted) == 1
