"""The function as its own witness: it examines its way to Home Assistant.

Loaded only for an event `{"ha_bridge": {"probe": {}}}`, and by `ha-bridge check`, which
looks from another place with the same eyes.  Each step is measured: resolve, connect,
TLS, and one GET of the Alexa path without a token, which Home Assistant answers with
405 and does not count as a login attempt.  Nothing is controlled, and what was seen is
reported as it was; what it means is decided in `ha_bridge_ops.check`.
"""

import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPException
from types import MappingProxyType
from typing import Any, Final

from ha_bridge import __version__
from ha_bridge.answerers import LOOKED_AT, MAX_LOOK, describe
from ha_bridge.connection import (
    Gate,
    PlainSocket,
    Resolve,
    Socket,
    TLSSocket,
    resolve_name,
    secure,
    tls_context,
)
from ha_bridge.errors import BridgeError
from ha_bridge.home_assistant import ANY_PACKING, PACKED, BoundedResponse
from ha_bridge.network_errors import certificate_error, spoken, what
from ha_bridge.settings import PATH, Address

Report = dict[str, Any]

#: Opens a TCP connection, as socket.create_connection.
Dial = Callable[[tuple[str, int], float], socket.socket]

#: Seconds for one TCP connect to one address; a home that is up answers in a tenth.
CONNECT_TIMEOUT_S: Final = 2.0

#: Addresses of a host, and names in a certificate, that are told; there may be
#: thousands.
_ENTRIES: Final = 64

#: Seconds after its deadline at which a connection is ended that does not end itself.
_GRACE_S: Final = 0.5

#: OpenSSL's X509_V_FLAG_NO_CHECK_TIME: to read a certificate that has expired.
_NO_CHECK_TIME: Final = 0x200000

#: In a certificate, before the address of its issuer's own (RFC 5280, 4.2.2.1): public
#: authorities name it, so that what is missing in a chain can be found.
_ISSUER_AT: Final = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x02\x86"

#: In a certificate, the first common name; the issuer's stands before the subject's.
_COMMON_NAME: Final = re.compile(rb"\x06\x03\x55\x04\x03[\x0c\x13\x16](.)", re.DOTALL)


def connect(
    address: Address, ip: str, deadline: float, dial: Dial = socket.create_connection
) -> PlainSocket:
    """Return a TCP connection to one of the addresses behind a name.

    Args:
        deadline: When to give up, in seconds of time.monotonic; it binds all that is
            done over the connection.
        dial: In place of the system's.

    Raises:
        OSError: It was refused, took too long or the like.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    raw = dial((ip, address.port), min(left, CONNECT_TIMEOUT_S))
    sock = PlainSocket(fileno=raw.detach())
    sock.deadline = deadline
    return sock


@contextmanager
def ended(sock: Socket, deadline: float) -> Iterator[None]:
    """End a connection when its time is over, even while OpenSSL reads it.

    What comes over TLS and is no data, such as tickets for another session, OpenSSL
    reads by itself as long as more of it comes: no timeout and no Ctrl-C is looked at.

    Args:
        deadline: In seconds of time.monotonic; a timeout comes first where it can.
    """
    left = max(deadline - time.monotonic(), 0) + _GRACE_S
    timer = threading.Timer(left, sock.abort)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def examine(
    address: Address,
    deadline: float,
    *,
    gate: Gate | None = None,
    resolve: Resolve = socket.getaddrinfo,
    dial: Dial = socket.create_connection,
) -> Report:
    """Return what was seen on the way to Home Assistant; it never raises OSError.

    A certificate that is not trusted is reported, and the way gone on: no secret is
    sent over it.  A part that is missing could not be tried.

    Args:
        deadline: When to give up, in seconds of time.monotonic.
        gate: What opens a closed home.  Then it is also tried without: what a gate
            that is not closed answers tells more than anything else.
        resolve: In place of the system's, for tests.
        dial: Likewise.
    """
    report: Report = {"base_url": str(address)}
    if gate is not None:
        try:
            gate.resolve(deadline)
            report["gate"] = gate.describe(deadline)
        except BridgeError as error:
            report["gate"] = {"given": list(gate.given), "error": error.message}
            gate = None  # the way is looked at all the same
    started = time.monotonic()
    try:
        peers = resolve_name(address.host, address.port, deadline, resolve)
    except OSError as error:
        report["resolve"] = {"error": kind_of(error), "reason": _reason(error)}
        return report
    ips = list(dict.fromkeys(str(peer.sockaddr[0]) for peer in peers))[:_ENTRIES]
    report["resolve"] = {"addresses": ips, "ms": _ms(started)}
    reach = partial(connect, address, deadline=deadline, dial=dial)
    sock: Socket | None = _connected(ips, reach, report)
    if sock is None:
        return report
    again = partial(reach, report["connect"]["address"])
    if address.is_tls:
        sock = _secured(sock, address, again, report, gate)
    if sock is not None:
        with sock, ended(sock, deadline):
            sent = _sendable(report, gate, deadline)
            hide = gate.hide if gate is not None else str
            report["http"] = _asked(sock, address, sent, hide)
        # Home Assistant itself hangs up on who speaks plainly to its TLS.
        hung_up = not address.is_tls and report["http"].get("error") == "reset"
        if hung_up and _speaks_tls(address.host, again):
            report["http"]["error"] = "wants_https"
        if gate is not None and gate.closes and not report.get("tls", {}).get("error"):
            report["bare"] = _bare(address, again, gate)
    return _hidden(report, gate) if gate is not None else report


def _sendable(report: Report, gate: Gate | None, deadline: float) -> dict[str, str]:
    """Return the extra headers; none, if the server is not known to be the home's."""
    if gate is None or report.get("tls", {}).get("error"):
        return {}
    return dict(gate.headers(deadline))


def _bare(address: Address, again: Callable[[], PlainSocket], gate: Gate) -> Report:
    """Return what is answered to somebody who shows nothing."""
    try:
        sock: Socket = again()
        if address.is_tls:
            context = tls_context(gate, sock.deadline, shows=False)
            sock = secure(sock, context, address.host)
        with sock, ended(sock, sock.deadline):
            return _asked(sock, address)
    except OSError as error:
        return {"error": kind_of(error), "reason": _reason(error)}


def _hidden(value: Any, gate: Gate) -> Any:
    """Return a report without what a gate repeats of that which it was shown."""
    if isinstance(value, dict):
        return {name: _hidden(part, gate) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(part, gate) for part in value]
    return gate.hide(value) if isinstance(value, str) else value


def _connected(
    ips: list[str], reach: Callable[[str], PlainSocket], report: Report
) -> PlainSocket | None:
    failed = []
    for ip in ips:
        started = time.monotonic()
        try:
            sock = reach(ip)
        except OSError as error:
            failed.append(
                {"address": ip, "error": kind_of(error), "reason": _reason(error)}
            )
        else:
            report["connect"] = {"address": ip, "ms": _ms(started), "failed": failed}
            return sock
    report["connect"] = {"failed": failed}
    return None


def _secured(
    sock: Socket,
    address: Address,
    again: Callable[[], PlainSocket],
    report: Report,
    gate: Gate | None,
) -> TLSSocket | None:
    context = tls_context(gate, sock.deadline)
    started, deadline = time.monotonic(), sock.deadline
    # Half the time: a port that keeps silent is asked in plain HTTP after that.
    sock.deadline = started + (deadline - started) / 2
    try:
        secured = secure(sock, context, address.host)
    except OSError as error:
        known = {"error": kind_of(error), "reason": _reason(error)}
        report["tls"] = known
        if certificate_error(error):
            return _secured_somehow(address.host, again, report)
        if known["error"] == "timeout" and _speaks_plainly(address, again):
            known["error"] = "plain_http"
        return None
    secured.deadline = deadline
    report["tls"] = {
        "ms": _ms(started),
        "version": secured.version(),
        **_certificate(secured),
        **_stricter(address.host, again, gate),
    }
    return secured


def _speaks_plainly(address: Address, again: Callable[[], PlainSocket]) -> bool:
    """Return whether plain HTTP is answered where TLS is not."""
    try:
        with again() as sock:
            return "status" in _asked(sock, address)
    except OSError:
        return False


def _blind() -> ssl.SSLContext:
    """Return what takes any certificate: to look at it, never to send a secret."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _speaks_tls(host: str, again: Callable[[], PlainSocket]) -> bool:
    """Return whether TLS is spoken where plain HTTP is hung up on."""
    try:
        secure(again(), _blind(), host).close()
    except OSError:
        return False
    return True


def _stricter(host: str, again: Callable[[], PlainSocket], gate: Gate | None) -> Report:
    """Return whether TLS 1.2 is spoken too, and what newer Pythons would refuse.

    Amazon's servers were reported to need TLS 1.2 for account linking, and Python 3.13
    checks certificates more strictly than the one that looks here may do.
    """
    try:
        sock = again()
        context = tls_context(gate, sock.deadline)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        if gate is None or "CA_CERTIFICATE" not in gate.given:
            context.verify_flags |= ssl.VERIFY_X509_STRICT
        secure(sock, context, host).close()
    except ssl.SSLCertVerificationError as error:
        return {"speaks_12": True, "imperfect": error.verify_message}
    except ssl.SSLError:
        return {"speaks_12": False}
    except OSError:
        return {}
    return {"speaks_12": True}


def _secured_somehow(
    host: str, again: Callable[[], PlainSocket], report: Report
) -> TLSSocket | None:
    """Return a connection whose certificate is not trusted, and describe that."""
    # First all but name and time are checked: then Python tells what it says.
    lenient = ssl.create_default_context()
    lenient.check_hostname = False
    lenient.verify_flags |= _NO_CHECK_TIME
    for context in (lenient, _blind()):
        try:
            secured = secure(again(), context, host)
        except OSError:
            continue
        tls = report["tls"]
        sent = _sent(secured)
        tls |= _certificate(secured) or {"issuer": _issuer(sent[0])}
        # A root names no issuer of its own: what does is not the end of a chain.
        if tls["error"] == "untrusted" and _ISSUER_AT in sent[-1]:
            tls["error"] = "incomplete"
            tls["missing"] = _issuer(sent[-1])
        return secured
    return None


def _certificate(sock: TLSSocket) -> Report:
    """Return what a certificate says; nothing if that was not looked at, or is odd."""
    try:
        return _told(sock.getpeercert())
    except (ValueError, ssl.SSLError):  # a name of other letters, a day that is none
        return {}


def _told(certificate: Any) -> Report:
    if not certificate:
        return {}
    issuer = {name: value for part in certificate["issuer"] for name, value in part}
    return {
        "issuer": issuer.get("organizationName") or issuer.get("commonName", ""),
        "names": [name for _, name in certificate.get("subjectAltName", ())[:_ENTRIES]],
        "not_before": int(ssl.cert_time_to_seconds(certificate["notBefore"])),
        "not_after": int(ssl.cert_time_to_seconds(certificate["notAfter"])),
    }


def _sent(sock: TLSSocket) -> list[bytes]:
    """Return the certificates that the server sent, its own first."""
    chain = getattr(sock, "get_unverified_chain", None)  # Python 3.13
    if chain is not None:
        return list(chain())
    chain = getattr(getattr(sock, "_sslobj", None), "get_unverified_chain", None)
    if chain is not None:  # not public before, and there all the same
        return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in chain() or ()]
    return [sock.getpeercert(binary_form=True) or b""]


def _issuer(certificate: bytes) -> str:
    """Return the common name of who issued a certificate, or nothing."""
    if (found := _COMMON_NAME.search(certificate)) is None:
        return ""
    name = certificate[found.end() : found.end() + found[1][0]]
    return "".join(c for c in name.decode("utf-8", "replace") if c.isprintable())


def _asked(
    sock: Socket,
    address: Address,
    extra: Mapping[str, str] = MappingProxyType({}),
    hide: Callable[[str], str] = str,
) -> Report:
    started = time.monotonic()
    http = HTTPConnection(address.host, address.port)
    http.response_class = BoundedResponse
    http.sock = sock
    http.auto_open = 0
    try:
        http.request(
            "GET",
            address.path + PATH,
            headers={
                "Host": address.authority,
                "User-Agent": f"ha-bridge/{__version__}",
                "Connection": "close",
                **extra,
            },
        )
        answer = http.getresponse()
        ms = _ms(started)
        body = answer.read(MAX_LOOK)
        headers = dict(answer.headers.items())
        body = _unpacked(body, headers)
        # Before anything is cut off: half a secret is none that could be found.
        headers = {
            name: hide(value) if name.lower() in LOOKED_AT else ""
            for name, value in headers.items()
        }
        body = hide(body.decode("latin-1")).encode("latin-1")
        seen = describe(answer.status, headers, body, address)
        return seen._asdict() | {"ms": ms}
    except OSError as error:
        said = spoken(sock, error)
        return {"error": kind_of(said), "reason": _reason(said)}
    except HTTPException as error:
        return {"error": kind_of(error), "reason": type(error).__name__}


def _unpacked(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return what is packed in the beginning of a body, which nobody has asked for."""
    coding = {name.lower(): value for name, value in headers.items()}.get(
        "content-encoding", ""
    )
    if coding.strip().lower() not in PACKED:
        return body
    try:
        return zlib.decompressobj(ANY_PACKING).decompress(body, MAX_LOOK)
    except zlib.error:
        return body


def kind_of(error: Exception) -> str:
    """Return what an exception of the network is, in the words of `network_errors`."""
    return what(error).name


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or ""
    return error.strerror or ""


def _ms(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
