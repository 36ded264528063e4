"""What goes wrong between here and the home, in the words of the check."""

import socket
import ssl
import time
from typing import Any, Final

import pytest

from ha_bridge.connection import _Bound
from ha_bridge.gate import Gate
from ha_bridge.probe import _told, examine
from ha_bridge.redaction import Secret
from ha_bridge.settings import parse_address
from ha_bridge_ops.home_client import Client
from tests.fakes.behaviours import reply, silence
from tests.fakes.server import Server
from tests.fakes.tls import Authority
from tests.ops.check.conftest import Serve
from tests.worlds.home import (
    HOST,
    PUBLIC,
    context,
    dialler,
    findings,
    home,
    report_only,
    resolver,
)

CERTIFICATE: Final = "tls.certificate"
REACHABLE: Final = "ha.reachable"

#: A report of the probe, as far as the connection.
CONNECTED: Final = {
    "resolve": {"addresses": [PUBLIC], "ms": 1.0},
    "connect": {"address": PUBLIC, "ms": 1.0},
}

#: Then TLS went well.
TRUSTED: Final = {"version": "TLSv1.3", "not_after": 4_000_000_000, "speaks_12": True}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_proxy_that_knows_old_tls_only(authority: Authority) -> None:
    """Python and Amazon speak TLS 1.2 at least."""
    tls = authority.server(HOST)
    tls.set_ciphers("ALL:@SECLEVEL=0")
    tls.minimum_version = ssl.TLSVersion.TLSv1
    tls.maximum_version = ssl.TLSVersion.TLSv1_1
    with Server(home(), tls=tls) as server:
        found = findings(context(server.port))
    assert found[CERTIFICATE].causes == ("tls_version",)
    assert "TLS 1.2" in found[CERTIFICATE].fix


def test_a_handshake_that_makes_no_sense() -> None:
    """It looks like TLS, and is none."""

    def answer(sock: socket.socket, _stopping: object) -> None:
        sock.recv(65536)
        sock.sendall(b"\x16\x03\x03\x00\x05hello")
        sock.close()

    with Server(home(), on_accept=answer) as server:
        found = findings(context(server.port))
    assert found[CERTIFICATE].causes == ("tls_failed",)


@pytest.mark.parametrize(
    ("link", "cause", "seen", "fix"),
    [
        (
            CERTIFICATE,
            "client_certificate",
            {"tls": {"error": "client_certificate", "reason": "alert"}},
            "/auth/token",
        ),
        (CERTIFICATE, "tls_failed", {"tls": {"error": "failed"}}, "TLS"),
        (
            REACHABLE,
            "tls_failed",
            {"tls": TRUSTED, "http": {"error": "tls_failed", "reason": "bad record"}},
            "proxy",
        ),
        (
            REACHABLE,
            "broken_off",
            {"tls": TRUSTED, "http": {"error": "broken_off", "reason": "3 of 99"}},
            "proxy",
        ),
        (
            REACHABLE,
            "wants_https",
            {"tls": TRUSTED, "http": {"error": "wants_https", "reason": "an alert"}},
            "https",
        ),
    ],
    ids=[
        "a client certificate",
        "an older function's word",
        "after the handshake",
        "cut short",
        "http where the port wants https",
    ],
)
def test_what_the_function_reports(
    link: str, cause: str, seen: dict[str, Any], fix: str
) -> None:
    """Each error that it may name has its words, with the address filled in."""
    made = context(1)
    report_only(made, {**CONNECTED, **seen})
    found = findings(made)[link]
    assert found.causes == (cause,)
    assert fix in f"{found.fix}\n{found.paste}"


def test_who_answered_is_named_as_it_names_itself(serve: Serve) -> None:
    """By its header Server."""
    answer = reply(403, b"no", {"Server": "cloudflare"})
    found = findings(context(serve(home(get=answer)).port))
    assert "HTTP 403 from cloudflare" in found["ha.is_home_assistant"].saw


@pytest.mark.parametrize(
    ("reason", "said"), [("No such host.", " (No such host.)"), ("", "")]
)
def test_why_a_name_has_no_address_is_said_if_it_is_known(
    reason: str, said: str
) -> None:
    """In the words of the resolver; without them there is no empty bracket."""
    made = context(1)
    report_only(made, {"resolve": {"error": "unknown_name", "reason": reason}})
    assert findings(made)["address.dns"].saw == f"{HOST} has no address{said}"


def test_what_looks_at_no_timeout_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """As OpenSSL, while a server sends it tickets for other sessions without end."""
    address = parse_address("http://127.0.0.1:8123")
    monkeypatch.setattr(_Bound, "_bind", lambda sock: sock.settimeout(None))
    with Server((silence,)) as server:
        dial = dialler(server.port)
        report = examine(address, time.monotonic() + 2, dial=dial)
        assert report["http"]["error"] == "reset"
        client = Client(address, "127.0.0.1", dial, verify_tls=True)
        with pytest.raises(ConnectionError):
            client.request("GET", "/", timeout_s=2)


def test_thousands_of_addresses_and_names_are_not_all_told() -> None:
    """Each is looked through for secrets, and taken out of what a forum reads."""

    def refuse(*_arguments: object) -> socket.socket:
        raise ConnectionRefusedError

    many = [f"10.0.{number // 250}.{number % 250}" for number in range(4000)]
    address = parse_address(f"https://{HOST}")
    report = examine(
        address, time.monotonic() + 9, resolve=resolver(*many), dial=refuse
    )
    assert len(report["resolve"]["addresses"]) == len(report["connect"]["failed"]) == 64
    day = "Nov 26 12:00:00 2026 GMT"
    names = tuple(("DNS", f"{number}.example") for number in range(4000))
    told = _told(
        {"issuer": (), "subjectAltName": names, "notBefore": day, "notAfter": day}
    )
    assert len(told["names"]) == 64


def test_no_header_is_looked_through_that_nobody_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There may be a hundred of them, of megabytes in all."""
    gate = Gate({"EXTRA_HEADERS": Secret('{"X-Key": "a-key-of-this-test"}')}, None)
    looked_through: list[str] = []
    hide = gate.hide

    def spy(text: str) -> str:
        looked_through.append(text)
        return hide(text)

    monkeypatch.setattr(gate, "hide", spy)
    said = {"Server": "nginx a-key-of-this-test", "X-Other": "y" * 60_000}
    address = parse_address("http://127.0.0.1:8123")
    with Server((reply(404, b"", said),)) as server:
        report = examine(
            address,
            time.monotonic() + 9,
            gate=gate,
            dial=dialler(server.port),
        )
    assert report["http"]["server"] == "nginx <redacted>"
    assert max(map(len, looked_through)) < 100
