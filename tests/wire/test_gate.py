"""Closed homes on the wire: Access, client certificates, authorities of one's own."""

import ipaddress
import json
import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ha_bridge.bridge import Bridge
from ha_bridge.connection import Connector
from ha_bridge.errors import ErrorType, Failure
from ha_bridge.gate import Gate
from ha_bridge.home_assistant import HomeAssistant
from ha_bridge.secrets import SecretReader
from ha_bridge.settings import Settings
from tests.directives import event
from tests.fakes import access, pem
from tests.fakes.behaviours import answer_directive, reply
from tests.fakes.server import Exchange, Server
from tests.oracle import assert_error
from tests.wire.conftest import MakeBridge

CA = pem.authority(bare=True)
HERE = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
SERVER = pem.issued(CA, "127.0.0.1", names=HERE)
CLIENT = pem.issued(CA, "the bridge")
OTHER_CA = pem.authority("Another authority")
CLIENTS = {
    "right": CLIENT.pem,
    "of another authority": pem.issued(OTHER_CA, "the bridge").pem,
    "expired": pem.issued(CA, "late", not_after=pem.NOW - pem.DAY).pem,
}


def tls(
    tmp_path: Path,
    own: pem.Pair = SERVER,
    asks: ssl.VerifyMode = ssl.CERT_NONE,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> ssl.SSLContext:
    """Return a server's context, which may ask for a client certificate."""
    return pem.server_context(tmp_path, own, CA, asks=asks, version=version)


def is_response(answer: Any) -> bool:
    return bool(answer["event"]["header"]["name"] == "Response")


def message(answer: Any) -> str:
    return str(answer["event"]["payload"]["message"])


# -- extra headers ---------------------------------------------------------------------


def test_headers_go_with_every_request(make_bridge: MakeBridge) -> None:
    """Beside the bridge's own, of which only the name of the program may change."""
    extra = {"X-Key": "a b", "user-agent": "mine/1"}
    with Server((answer_directive,)) as server:
        bridge = make_bridge(server.url, EXTRA_HEADERS=json.dumps(extra))
        for name in ("turn_on", "lock"):
            assert is_response(bridge.answer(event(name)))
        for request in server.requests:
            assert request.headers["x-key"] == "a b"
            assert request.headers["user-agent"] == "mine/1"
            assert request.headers["authorization"].startswith("Bearer ")
            assert request.headers["accept-encoding"] == "gzip"


GATES: dict[str, Callable[[], access.Access]] = {
    "service tokens only": access.Access,
    "people too": lambda: access.Access(has_allow=True),
    "strict": lambda: access.Access(strict=True),
    "strict, people too": lambda: access.Access(strict=True, has_allow=True),
}
WRONG = {**access.HEADERS, "CF-Access-Client-Secret": "mistyped-secret-77"}
HALF = {"CF-Access-Client-Id": access.ID}


@pytest.mark.parametrize("name", GATES)
def test_a_service_token_opens_access(make_bridge: MakeBridge, name: str) -> None:
    """On each request anew: no cookie is kept."""
    gate = GATES[name]()
    with Server((gate.behave,)) as server:
        bridge = make_bridge(server.url, EXTRA_HEADERS=json.dumps(access.HEADERS))
        for _ in range(3):
            assert is_response(bridge.answer(event("turn_on")))
        assert gate.cookies == []


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize(
    ("headers", "word"),
    [
        (None, "service token in EXTRA_HEADERS"),
        (WRONG, "EXTRA_HEADERS is refused"),
        (HALF, "EXTRA_HEADERS has no CF-Access-Client-Secret"),
        ({"X-Key": "1234"}, "EXTRA_HEADERS has no CF-Access-Client-Id"),
    ],
    ids=["nothing", "wrong", "half", "another header"],
)
def test_access_that_refuses_is_told_as_that(
    make_bridge: MakeBridge,
    caplog: pytest.LogCaptureFixture,
    name: str,
    headers: dict[str, str] | None,
    word: str,
) -> None:
    """Whatever the status; never as a fault of the token, which would end the link."""
    caplog.set_level(logging.DEBUG)
    environ = {"EXTRA_HEADERS": json.dumps(headers)} if headers else {}
    with Server((GATES[name]().behave,)) as server:
        bridge = make_bridge(server.url, DEBUG="true", **environ)
        directive = event("turn_on")
        answer = bridge.answer(directive)
        assert_error(answer, ErrorType.BRIDGE_UNREACHABLE, directive)
        assert len(server.requests) == 1
    assert word in message(answer)
    for secret in (headers or {}).values():
        assert secret not in message(answer) + caplog.text


def test_a_valid_token_that_no_policy_names_is_told_too(
    make_bridge: MakeBridge,
) -> None:
    """The most frequent mistake: the action is Allow instead of Service Auth."""
    gate = access.Access(strict=True, outside=frozenset({access.ID}))
    with Server((gate.behave,)) as server:
        bridge = make_bridge(server.url, EXTRA_HEADERS=json.dumps(access.HEADERS))
        assert "Service Auth" in message(bridge.answer(event("turn_on")))


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (403, {"Server": "{}"}),
        (302, {"Location": "https://{}/x"}),
        (502, {"Server": "{}"}),
    ],
)
def test_a_gate_that_repeats_a_secret_does_not_get_it_told(
    make_bridge: MakeBridge,
    caplog: pytest.LogCaptureFixture,
    status: int,
    headers: dict[str, str],
) -> None:
    """Some say who was refused, or only what stands behind the word Bearer."""
    caplog.set_level(logging.DEBUG)
    secret = "k7Qx2vB"
    said = {name: value.format(secret) for name, value in headers.items()}
    with Server((reply(status, secret.encode(), said),)) as server:
        given = json.dumps({"X-Key": f"Bearer {secret}"})
        bridge = make_bridge(server.url, DEBUG="true", EXTRA_HEADERS=given)
        answer = bridge.answer(event("turn_on"))
        report = bridge.answer({"ha_bridge": {"probe": {}}})
    assert_error(answer, ErrorType.BRIDGE_UNREACHABLE)
    assert secret not in message(answer) + caplog.text + json.dumps(report)


LOGIN = b"<html><title>Sign in</title><input type='password'></html>"
HTML = {"Content-Type": "text/html"}
PORTALS = {
    "200 and a login page": reply(200, LOGIN, HTML),
    "403 and a login page": reply(403, LOGIN, HTML),
    "401 and a page": reply(401, b"<html>Who are you?</html>", HTML),
    "a redirect elsewhere": reply(302, b"", {"Location": "https://sso.test/login"}),
}


@pytest.mark.parametrize("name", PORTALS)
def test_a_login_page_is_a_gate_where_something_is_given_to_open_it(
    make_bridge: MakeBridge, name: str
) -> None:
    """Whatever its status; without the setting it is a login page, and no more."""
    with Server((PORTALS[name],)) as server:
        given = make_bridge(server.url, EXTRA_HEADERS='{"X-Key": "mistyped"}')
        answer = given.answer(event("turn_on"))
        assert_error(answer, ErrorType.BRIDGE_UNREACHABLE)
        assert "EXTRA_HEADERS is not what is looked for there" in message(answer)
        assert message(answer).startswith(Failure.NOT_ADMITTED.cause)
        answer = make_bridge(server.url).answer(event("turn_on"))
        assert message(answer).startswith(Failure.PORTAL.cause)


class Store:
    """AWS's Parameter Store with one parameter."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.asked = 0

    def get_parameter(self, **_query: object) -> dict[str, dict[str, str]]:
        self.asked += 1
        return {"Parameter": {"Value": self.value}}


def test_what_tls_needs_is_asked_for_in_the_thread_that_opens_ahead(
    tmp_path: Path,
) -> None:
    """The import goes on meanwhile, and that connection serves the directive."""
    may_answer, threads = threading.Event(), list[str]()

    class Waits(Store):
        def get_parameter(self, **query: object) -> dict[str, dict[str, str]]:
            threads.append(threading.current_thread().name)
            assert may_answer.wait(30)
            return super().get_parameter(**query)

    store = Waits(CLIENTS["right"])
    context = tls(tmp_path, asks=ssl.CERT_REQUIRED)
    with Server((answer_directive,), tls=context) as server:
        environ = {
            "BASE_URL": server.url,
            "CLIENT_CERTIFICATE": "ssm:/home/client",
            "CA_CERTIFICATE": CA.certificate_pem,
        }
        settings = Settings.from_environ(environ)
        gate = Gate(settings.gate, SecretReader(lambda _service: store))
        connector = Connector(settings.address, gate=gate)
        connector.open_ahead()
        # The import is over, and AWS has not answered yet.
        may_answer.set()
        home_assistant = HomeAssistant(connector)
        bridge = Bridge(settings, home_assistant)
        assert is_response(bridge.answer(event("turn_on")))
        home_assistant.close()
        assert server.connections == 1
    assert len(threads) == store.asked == 1
    assert threading.main_thread().name not in threads


def bridge_from(store: Store, url: str, variable: str) -> Iterator[Bridge]:
    settings = Settings.from_environ({"BASE_URL": url, variable: "ssm:/home/gate"})
    gate = Gate(settings.gate, SecretReader(lambda _service: store))
    connector = Connector(settings.address, gate=gate)
    connector.open_ahead()
    home_assistant = HomeAssistant(connector)
    yield Bridge(settings, home_assistant)
    home_assistant.close()


def test_a_token_that_was_rotated_works_with_the_next_directive() -> None:
    """Without a deployment; while all is well, AWS is asked once."""
    store = Store(json.dumps(WRONG))
    gate = access.Access(tokens={access.ID: access.SECRET})
    with Server((gate.behave,)) as server:
        for bridge in bridge_from(store, server.url, "EXTRA_HEADERS"):
            assert_error(bridge.answer(event("turn_on")))
            store.value = json.dumps(access.HEADERS)
            for _ in range(3):
                assert is_response(bridge.answer(event("turn_on")))
    assert store.asked == 2


def test_a_login_page_with_status_200_makes_the_setting_be_read_anew() -> None:
    """What looks like success is a refusal: the next directive passes."""
    store = Store('{"X-Key": "old"}')

    def portal(exchange: Exchange) -> None:
        opens = exchange.request.headers.get("x-key") == "new"
        (answer_directive if opens else reply(200, LOGIN, HTML))(exchange)

    with Server((portal,)) as server:
        for bridge in bridge_from(store, server.url, "EXTRA_HEADERS"):
            assert_error(bridge.answer(event("turn_on")))
            store.value = '{"X-Key": "new"}'
            assert is_response(bridge.answer(event("turn_on")))
    assert store.asked == 2


def test_a_certificate_that_was_renewed_works_with_the_next_directive(
    tmp_path: Path,
) -> None:
    """The context is made anew, and no connection of the old one is kept."""
    store = Store(CLIENTS["expired"])
    context = tls(tmp_path, asks=ssl.CERT_REQUIRED)
    with Server((answer_directive,), tls=context) as server:
        environ = {
            "BASE_URL": server.url,
            "CLIENT_CERTIFICATE": "ssm:/home/client",
            "CA_CERTIFICATE": CA.certificate_pem,
        }
        settings = Settings.from_environ(environ)
        gate = Gate(settings.gate, SecretReader(lambda _service: store))
        home_assistant = HomeAssistant(Connector(settings.address, gate=gate))
        bridge = Bridge(settings, home_assistant)
        assert "has expired on" in message(bridge.answer(event("turn_on")))
        store.value = CLIENTS["right"]
        assert is_response(bridge.answer(event("turn_on")))
        home_assistant.close()


def test_a_secret_that_is_slow_does_not_cost_alexa_its_answer() -> None:
    """The thread that opens ahead waits for it, and the directive only in its time."""

    class Slow(Store):
        def get_parameter(self, **query: object) -> dict[str, dict[str, str]]:
            time.sleep(1)
            return super().get_parameter(**query)

    with Server((answer_directive,)) as server:
        store = Slow('{"X-Key": "1234"}')
        for bridge in bridge_from(store, server.url, "EXTRA_HEADERS"):
            assert is_response(bridge.answer(event("turn_on")))
        assert store.asked == 1, "two threads need it, and one asks"


# -- client certificates ---------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_opens(
    make_bridge: MakeBridge, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """Behind the same private authority."""
    context = tls(tmp_path, asks=ssl.CERT_REQUIRED, version=version)
    with Server((answer_directive,), tls=context) as server:
        bridge = make_bridge(
            server.url,
            CLIENT_CERTIFICATE=CLIENTS["right"].replace("\n", " "),
            CA_CERTIFICATE=CA.certificate_pem,
        )
        assert is_response(bridge.answer(event("turn_on")))


@pytest.mark.parametrize(
    ("client", "word"),
    [
        (None, "CLIENT_CERTIFICATE"),
        ("of another authority", "CLIENT_CERTIFICATE is of another authority"),
        ("expired", "CLIENT_CERTIFICATE has expired on"),
    ],
)
def test_a_client_certificate_that_is_refused_is_told_every_time(
    tmp_path: Path, client: str | None, word: str
) -> None:
    """With TLS 1.3 the alert comes late, and often into a write that fails."""
    environ = {"CA_CERTIFICATE": CA.certificate_pem}
    if client:
        environ["CLIENT_CERTIFICATE"] = CLIENTS[client]
    context = tls(tmp_path, asks=ssl.CERT_REQUIRED)
    with Server((answer_directive,), tls=context) as server:
        for number in range(10):
            settings = Settings.from_environ({"BASE_URL": server.url, **environ})
            connector = Connector.for_settings(settings)
            if number % 2:
                connector.open_ahead()
            home_assistant = HomeAssistant(connector)
            answer = Bridge(settings, home_assistant).answer(event("turn_on"))
            home_assistant.close()
            assert_error(answer, ErrorType.BRIDGE_UNREACHABLE)
            assert word in message(answer)
        assert server.requests == []


# -- authorities -----------------------------------------------------------------------

SELF_SIGNED = pem.authority("self-signed")


def test_an_authority_as_tutorials_make_it_is_trusted(
    make_bridge: MakeBridge, tmp_path: Path
) -> None:
    """Without key usage, on which Python 3.13 insists otherwise."""
    with Server((answer_directive,), tls=tls(tmp_path)) as server:
        bridge = make_bridge(server.url, CA_CERTIFICATE=CA.certificate_pem)
        assert is_response(bridge.answer(event("turn_on")))


def test_the_servers_own_certificate_may_be_given_itself(
    make_bridge: MakeBridge, tmp_path: Path
) -> None:
    """What openssl s_client shows of it is enough."""
    with Server((answer_directive,), tls=tls(tmp_path)) as server:
        bridge = make_bridge(server.url, CA_CERTIFICATE=SERVER.certificate_pem)
        assert is_response(bridge.answer(event("turn_on")))


@pytest.mark.parametrize(
    ("own", "authority", "word"),
    [
        (SERVER, OTHER_CA, "CA_CERTIFICATE"),
        (pem.issued(CA, "x", names=[x509.DNSName("other.example")]), CA, "mismatch"),
        (
            pem.issued(CA, "x", names=HERE, not_after=pem.NOW - pem.DAY),
            CA,
            "expired",
        ),
    ],
    ids=["another authority", "another name", "expired"],
)
def test_name_time_and_authority_are_still_checked(
    make_bridge: MakeBridge,
    tmp_path: Path,
    own: pem.Pair,
    authority: pem.Pair,
    word: str,
) -> None:
    """Only strictness about form is relaxed."""
    with Server((answer_directive,), tls=tls(tmp_path, own)) as server:
        bridge = make_bridge(server.url, CA_CERTIFICATE=authority.certificate_pem)
        answer = bridge.answer(event("turn_on"))
        assert_error(answer, ErrorType.BRIDGE_UNREACHABLE)
        assert word in message(answer)
        assert server.requests == []


# -- the probe -------------------------------------------------------------------------


def probed(bridge: Bridge) -> dict[str, Any]:
    report: dict[str, Any] = bridge.answer({"ha_bridge": {"probe": {}}})["ha_bridge"]
    return dict(report["probe"])


def test_the_probe_uses_the_settings_and_tells_no_value(
    make_bridge: MakeBridge, tmp_path: Path
) -> None:
    """And says what somebody without them sees."""

    def home(exchange: Any) -> None:
        gate.behave(exchange)

    gate = access.Access(behind=reply(405, b"405: Method Not Allowed"))
    context = tls(tmp_path, asks=ssl.CERT_OPTIONAL)
    with Server((home,), tls=context) as server:
        report = probed(
            make_bridge(
                server.url,
                EXTRA_HEADERS=json.dumps(access.HEADERS),
                CLIENT_CERTIFICATE=CLIENT.pem,
                CA_CERTIFICATE=CA.certificate_pem,
            )
        )
    assert report["http"]["status"] == 405
    assert report["bare"]["status"] == 403
    assert report["gate"]["headers"] == list(access.HEADERS)
    assert report["gate"]["client_certificate"]["subject"] == "the bridge"
    text = json.dumps(report)
    for secret in (access.ID, access.SECRET, *CLIENT.pem.split("\n")[1:3]):
        assert secret not in text


def test_the_probe_shows_nothing_to_a_server_it_does_not_trust(
    make_bridge: MakeBridge, tmp_path: Path
) -> None:
    """It may be anybody's."""
    with Server((reply(405),), tls=tls(tmp_path)) as server:
        report = probed(
            make_bridge(server.url, EXTRA_HEADERS=json.dumps(access.HEADERS))
        )
        assert report["tls"]["error"] in {"untrusted", "imperfect"}
        assert server.requests
        for request in server.requests:
            assert "cf-access-client-secret" not in request.headers


def test_the_probe_says_what_is_wrong_with_a_setting_and_looks_on() -> None:
    """What is kept in AWS is known only then."""
    with Server((reply(405),)) as server:
        for bridge in bridge_from(Store("no JSON"), server.url, "EXTRA_HEADERS"):
            report = probed(bridge)
    assert "EXTRA_HEADERS is no JSON" in report["gate"]["error"]
    assert report["http"]["status"] == 405
