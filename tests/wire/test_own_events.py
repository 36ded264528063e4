"""Events of our own: sent by the account itself, never by Alexa."""

import json
from typing import Any

import pytest

from ha_bridge.bridge import Bridge
from ha_bridge.errors import BridgeError, Failure
from ha_bridge.home_assistant import Unconfigured
from ha_bridge.settings import Settings
from tests.directives import event
from tests.fakes.behaviours import answer_directive
from tests.fakes.server import Server
from tests.fakes.tls import Authority
from tests.fakes.transport import StubTransport
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
        assert server.connections == server.requests[0].connection == 2


def test_warm_says_what_is_wrong(make_bridge: MakeBridge) -> None:
    """As a directive would."""
    answer = make_bridge("http://127.0.0.1:1").answer(WARM)
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
