"""What reaches Home Assistant, and over how many connections."""

import json
import ssl

import pytest

from ha_bridge.bridge import Bridge
from ha_bridge.connection import Connector
from ha_bridge.errors import ErrorType
from ha_bridge.home_assistant import HomeAssistant
from ha_bridge.settings import Settings
from tests.directives import TOKEN, changed, event
from tests.fakes.behaviours import (
    answer_directive,
    hang_up,
    reply,
    reply_json,
    silence,
)
from tests.fakes.server import Behaviour, Exchange, Server
from tests.fakes.tls import Authority
from tests.oracle import assert_error
from tests.wire.conftest import MakeBridge

TURN_ON = event("turn_on")
HA_REFUSAL = reply(401, b"401: Unauthorized", {"Content-Type": "text/plain"})


def test_the_request_is_the_scripts(make_bridge: MakeBridge) -> None:
    """Same path, same bearer token, same body as the script it succeeds."""
    with Server((answer_directive,)) as server:
        make_bridge(server.url + "/").answer(TURN_ON)
    [request] = server.requests
    assert (request.method, request.target) == ("POST", "/api/alexa/smart_home")
    assert request.json == TURN_ON
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "gzip"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.headers["user-agent"].startswith("ha-bridge/")
    assert "x-forwarded-for" not in request.headers


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_json_is_never_sent(make_bridge: MakeBridge, number: float) -> None:
    """Home Assistant could not read it; the directive is refused for what it is."""
    directive = changed(TURN_ON, "directive.payload.value", number)
    with Server((answer_directive,)) as server:
        answer = make_bridge(server.url).answer(directive)
        assert server.requests == []
    assert_error(answer, "INVALID_DIRECTIVE")


def test_tls_is_told_that_http_is_meant(
    make_bridge: MakeBridge, authority: Authority
) -> None:
    """A proxy that offers HTTP/2 first must not choose it (ALPN)."""
    tls = authority.server("127.0.0.1")
    tls.set_alpn_protocols(["h2", "http/1.1"])
    chosen: list[object] = []

    def look(exchange: Exchange) -> None:
        assert isinstance(exchange.sock, ssl.SSLSocket)
        chosen.append(exchange.sock.selected_alpn_protocol())
        answer_directive(exchange)

    with Server((look,), tls=tls) as server:
        make_bridge(server.url).answer(TURN_ON)
    assert chosen == ["http/1.1"]


def test_a_path_prefix_is_kept(make_bridge: MakeBridge) -> None:
    """Some homes share a name with other services."""
    with Server((answer_directive,)) as server:
        make_bridge(f"{server.url}/ha/api/").answer(TURN_ON)
    assert server.requests[0].target == "/ha/api/alexa/smart_home"


@pytest.mark.parametrize("answer", [{"event": {"ü": [1, None]}, "new": {"x": 1.5}}])
def test_the_answer_comes_back_as_it_was(
    make_bridge: MakeBridge, answer: dict[str, object]
) -> None:
    """Compressed on the wire, unchanged at the end."""
    with Server((reply_json(answer),)) as server:
        assert make_bridge(server.url).answer(TURN_ON) == answer


def test_fifty_directives_share_one_tls_connection(
    make_bridge: MakeBridge, authority: Authority
) -> None:
    """The handshake is paid for once."""
    with Server((answer_directive,), tls=authority.server("127.0.0.1")) as server:
        bridge = make_bridge(server.url)
        for _ in range(50):
            assert bridge.answer(TURN_ON)["event"]["header"]["name"] == "Response"
    assert server.connections == 1
    assert len(server.requests) == 50


def test_a_refusal_keeps_the_connection(make_bridge: MakeBridge) -> None:
    """A 401 is an answer like another, and is not tried again."""
    with Server((HA_REFUSAL, answer_directive)) as server:
        bridge = make_bridge(server.url)
        answer = bridge.answer(TURN_ON)
        assert_error(answer, ErrorType.INVALID_AUTHORIZATION_CREDENTIAL, TURN_ON)
        assert len(server.requests) == 1
        bridge.answer(TURN_ON)
    assert server.connections == 1


def test_connection_close_is_obeyed(make_bridge: MakeBridge) -> None:
    """Home Assistant closes after a 500; the next directive connects anew."""
    closing = reply(500, b"x", {"Connection": "close"})
    with Server((closing, answer_directive)) as server:
        bridge = make_bridge(server.url)
        assert_error(bridge.answer(TURN_ON), ErrorType.BRIDGE_UNREACHABLE, TURN_ON)
        assert bridge.answer(TURN_ON)["event"]["header"]["name"] == "Response"
    assert server.connections == 2


def test_a_connection_opened_ahead_serves_the_first_directive(
    authority: Authority,
) -> None:
    """Session tickets of TLS 1.3 lie in it unread; they must not spoil it."""
    with Server((answer_directive,), tls=authority.server("127.0.0.1")) as server:
        settings = Settings.from_environ({"BASE_URL": server.url})
        connector = Connector(settings.address)
        connector.open_ahead()
        home_assistant = HomeAssistant(connector)
        bridge = Bridge(settings, home_assistant)
        assert bridge.answer(TURN_ON)["event"]["header"]["name"] == "Response"
        home_assistant.close()
    assert server.connections == 1


def test_a_home_that_was_away_at_import_is_tried_again(authority: Authority) -> None:
    """What failed during the import says nothing about now."""
    server = Server((answer_directive,), tls=authority.server("127.0.0.1"))
    settings = Settings.from_environ({"BASE_URL": server.url})
    with Server((answer_directive,)) as gone:
        gone_settings = Settings.from_environ({"BASE_URL": gone.url})
    # The port of a server that has ended: refused.
    connector = Connector(gone_settings.address)
    connector.open_ahead()
    connector.address = settings.address
    with server:
        home_assistant = HomeAssistant(connector)
        bridge = Bridge(settings, home_assistant)
        assert bridge.answer(TURN_ON)["event"]["header"]["name"] == "Response"
        home_assistant.close()


def test_a_discovery_is_small_on_the_wire(make_bridge: MakeBridge) -> None:
    """Sixty devices say much the same; gzip makes a tenth of it, and less."""
    endpoint = {"endpointId": "x" * 30, "capabilities": ["y"] * 9}
    answer = {"event": {"payload": {"endpoints": [endpoint] * 60}}}
    with Server((reply_json(answer),)) as server:
        assert make_bridge(server.url).answer(event("discovery")) == answer
        assert server.bytes_sent < len(json.dumps(answer)) / 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("then", "connections"),
    [(silence, 2), (hang_up, 2)],
    ids=["a silent one", "one that hangs up"],
)
def test_a_dead_connection_opened_ahead_is_replaced(
    then: Behaviour, connections: int
) -> None:
    """The environment may have been prepared before; a question is asked anew."""
    with Server((then, answer_directive)) as server:
        settings = Settings.from_environ({"BASE_URL": server.url})
        connector = Connector(settings.address)
        connector.open_ahead()
        home_assistant = HomeAssistant(connector)
        answer = Bridge(settings, home_assistant).answer(event("report_state"))
        home_assistant.close()
        assert answer["event"]["header"]["name"] == "Response"
        assert server.connections == connections
