"""Whoever answers, and whatever breaks: the function knows them by its tables."""

import logging
import socket
import ssl
import time
from pathlib import Path

import pytest

from ha_bridge.bridge import Bridge
from ha_bridge.connection import Connector, PlainSocket, Socket
from ha_bridge.errors import BridgeError, ErrorType, Failure
from ha_bridge.home_assistant import HomeAssistant
from ha_bridge.settings import Settings, parse_address
from tests.directives import event
from tests.fakes.answers import HOME, SAMPLES, Sample
from tests.fakes.behaviours import reply, reply_json
from tests.fakes.certificates import Issued
from tests.fakes.resolver import names
from tests.fakes.server import Server
from tests.oracle import assert_error


class Elsewhere(Connector):
    """Connects to a port on loopback in place of the home."""

    def __init__(self, port: int) -> None:
        super().__init__(parse_address(HOME))
        self._port = port

    def open(self, deadline: float) -> Socket:
        raw = socket.create_connection(("127.0.0.1", self._port))
        sock = PlainSocket(fileno=raw.detach())
        sock.deadline = deadline
        return sock


def told(sample: Sample) -> dict[str, object]:
    """Return what the function tells Alexa of an answer."""
    behaviour = reply(sample.status, sample.body, sample.headers)
    with Server((behaviour,)) as server:
        transport = HomeAssistant(Elsewhere(server.port))
        bridge = Bridge(Settings(parse_address(HOME)), transport)
        answer: dict[str, object] = bridge.answer(event("turn_on"))
        transport.close()
        assert len(server.requests) == 1
    return answer


@pytest.mark.parametrize("name", SAMPLES)
def test_the_function_tells_who_answered(name: str) -> None:
    """In the words of the row, and of the type that who answered decides."""
    sample = SAMPLES[name]
    answer = told(sample)
    assert_error(answer, sample.failure.error_type, event("turn_on"))
    message = answer["event"]["payload"]["message"]  # type: ignore[index]
    assert message.startswith(sample.failure.cause)
    assert message.endswith(sample.failure.fix)
    assert ("Set BASE_URL" in message) is (sample.who in ("moved", "not_allowed"))
    assert sample.target in message


def test_a_redirect_shows_no_more_than_the_host() -> None:
    """The rest of the address may be meant for one reader."""
    location = "https://auth.example.net/realm/7f3a9c?state=hunter2"
    answer = told(Sample("portal", Failure.PORTAL, 302, headers={"Location": location}))
    message = answer["event"]["payload"]["message"]  # type: ignore[index]
    assert "auth.example.net" in message
    assert "7f3a9c" not in message
    assert "hunter2" not in message


def test_an_error_of_home_assistants_own_is_logged_with_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As a warning; a token in them does not get into the log."""
    directive = event("turn_on")
    token = directive["directive"]["endpoint"]["scope"]["token"]
    said = f"The endpoint light#gone does not exist, {token}"
    payload = {"type": "NO_SUCH_ENDPOINT", "message": said}
    header = {"namespace": "Alexa", "name": "ErrorResponse"}
    answer = {"event": {"header": header, "payload": payload}}
    with Server((reply_json(answer),)) as server:
        settings = Settings.from_environ({"BASE_URL": server.url})
        transport = HomeAssistant(Connector(settings.address))
        with caplog.at_level(logging.INFO):
            assert Bridge(settings, transport).answer(directive) == answer
        transport.close()
    (line,) = [one for one in caplog.records if hasattr(one, "directive")]
    assert line.levelno == logging.WARNING
    assert "light#gone does not exist" in line.getMessage()
    assert "NO_SUCH_ENDPOINT" in line.getMessage()
    assert token not in line.getMessage()


# -- TLS -------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Issued:
    """An authority that is trusted."""
    made = Issued.root()
    (tmp_path / "trusted.pem").write_bytes(made.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    return made


def failure_of(server: Server) -> BridgeError:
    """Return what a directive to a server fails with."""
    settings = Settings.from_environ({"BASE_URL": server.url})
    transport = HomeAssistant(Connector(settings.address))
    answer = Bridge(settings, transport).answer(event("turn_on"))
    transport.close()
    payload = answer["event"]["payload"]
    assert payload["type"] == ErrorType.BRIDGE_UNREACHABLE
    failure = next(row for row in Failure if payload["message"].startswith(row.cause))
    return BridgeError(failure, payload["message"])


@pytest.mark.parametrize("attempt", range(20))
def test_a_client_certificate_that_is_missing_is_named(
    attempt: int, root: Issued, tmp_path: Path
) -> None:
    """Each time, though the write fails before the alert is read."""
    del attempt
    tls = root.server("127.0.0.1").context(tmp_path)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(tmp_path / "trusted.pem")
    with Server((), tls=tls) as server:
        error = failure_of(server)
    assert error.failure is Failure.CLIENT_CERTIFICATE
    assert "CERTIFICATE_REQUIRED" in error.detail


@pytest.mark.parametrize(
    "alert",
    [
        ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME,
        ssl.AlertDescription.ALERT_DESCRIPTION_INTERNAL_ERROR,
        ssl.AlertDescription.ALERT_DESCRIPTION_HANDSHAKE_FAILURE,
    ],
    ids=lambda alert: alert.name,
)
def test_a_name_that_the_server_has_no_site_for(
    alert: ssl.AlertDescription, root: Issued, tmp_path: Path
) -> None:
    """It ends TLS with an alert."""
    tls = root.server("localhost").context(tmp_path)
    tls.sni_callback = lambda *_args: alert
    with Server((), tls=tls, host="localhost") as server:
        assert failure_of(server).failure is Failure.NO_SUCH_SITE


def test_a_name_server_that_fails() -> None:
    """It is not the name that is wrong, and it may be well in a moment."""
    refused = socket.gaierror(socket.EAI_AGAIN, "Temporary failure")
    with names({"home.test": [refused, ["127.0.0.1"]]}) as asked:
        with Server((reply_json({"event": {}}),), host="home.test") as server:
            settings = Settings.from_environ({"BASE_URL": server.url})
            transport = HomeAssistant(Connector(settings.address))
            answer = Bridge(settings, transport).answer(event("turn_on"))
            transport.close()
        assert answer == {"event": {}}
        assert asked == ["home.test"] * 2


@pytest.mark.parametrize(
    ("number", "failure"),
    [
        (socket.EAI_AGAIN, Failure.NAME_SERVER),
        (socket.EAI_FAIL, Failure.NAME_SERVER),
        (socket.EAI_NONAME, Failure.UNKNOWN_NAME),
    ],
)
def test_a_name_that_is_not_resolved(number: int, failure: Failure) -> None:
    """The name server or the name, by the number of the resolver."""
    with names({"home.test": [socket.gaierror(number, "…")]}):
        connector = Connector(parse_address("http://home.test:8123"))
        with pytest.raises(BridgeError) as raised:
            HomeAssistant(connector).warm(time.monotonic() + 5)
    assert raised.value.failure is failure
