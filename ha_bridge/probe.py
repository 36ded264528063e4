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
import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from ha_bridge import __version__
from ha_bridge.connection import (
    PlainSocket,
    Resolve,
    Socket,
    TLSSocket,
    resolve_name,
    secure,
)
from ha_bridge.home_assistant import PATH
from ha_bridge.settings import Address

Report = dict[str, Any]

#: Opens a TCP connection, as socket.create_connection.
Dial = Callable[[tuple[str, int], float], socket.socket]

#: Seconds for one TCP connect to one address; a home that is up answers in a tenth.
CONNECT_TIMEOUT_S: Final = 2.0

#: Bytes read of an answer, enough to tell whose it is.
MAX_READ: Final = 4096

#: OpenSSL's X509_V_FLAG_NO_CHECK_TIME: to read a certificate that has expired.
_NO_CHECK_TIME: Final = 0x200000

#: OpenSSL's reasons to refuse a certificate, in our words.
#: https://docs.openssl.org/master/man1/openssl-verification-options/
_CERTIFICATE_ERRORS: Final = {
    9: "not_yet",
    10: "expired",
    18: "self_signed",
    19: "untrusted",
    20: "untrusted",
    21: "untrusted",
    62: "name",
    64: "name",
}

#: What OpenSSL says when it meets something that is not TLS.
_NOT_TLS: Final = frozenset(
    {
        "HTTP_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "UNKNOWN_PROTOCOL",
        "UNSUPPORTED_PROTOCOL",
        "WRONG_VERSION_NUMBER",
    }
)

#: In a certificate, before the address of its issuer's own (RFC 5280, 4.2.2.1): public
#: authorities name it, so that what is missing in a chain can be found.
_ISSUER_AT: Final = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x02\x86"

_TITLE: Final = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)


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


def examine(
    address: Address,
    deadline: float,
    *,
    resolve: Resolve = socket.getaddrinfo,
    dial: Dial = socket.create_connection,
) -> Report:
    """Return what was seen on the way to Home Assistant; it never raises OSError.

    A certificate that is not trusted is reported, and the way gone on: no secret is
    sent over it.  A part that is missing could not be tried.

    Args:
        deadline: When to give up, in seconds of time.monotonic.
        resolve: In place of the system's, for tests.
        dial: Likewise.
    """
    report: Report = {"base_url": str(address)}
    started = time.monotonic()
    try:
        peers = resolve_name(address.host, address.port, deadline, resolve)
    except OSError as error:
        report["resolve"] = {"error": kind_of(error), "reason": _reason(error)}
        return report
    ips = list(dict.fromkeys(str(peer.sockaddr[0]) for peer in peers))
    report["resolve"] = {"addresses": ips, "ms": _ms(started)}
    reach = partial(connect, address, deadline=deadline, dial=dial)
    sock: Socket | None = _connected(ips, reach, report)
    if sock is not None and address.is_tls:
        again = partial(reach, report["connect"]["address"])
        sock = _secured(sock, address.host, again, report)
    if sock is not None:
        with sock:
            report["http"] = _asked(sock, address)
    return report


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
    sock: Socket, host: str, again: Callable[[], PlainSocket], report: Report
) -> TLSSocket | None:
    context = ssl.create_default_context()
    started = time.monotonic()
    try:
        secured = secure(sock, context, host)
    except ssl.SSLCertVerificationError as error:
        known: Report = {
            "error": _CERTIFICATE_ERRORS.get(error.verify_code, "untrusted"),
            "reason": error.verify_message,
        }
    except ssl.SSLEOFError as error:
        report["tls"] = {"error": "reset", "reason": error.reason or ""}
        return None
    except ssl.SSLError as error:
        kind = "not_tls" if error.reason in _NOT_TLS else "failed"
        report["tls"] = {"error": kind, "reason": error.reason or ""}
        return None
    except OSError as error:
        report["tls"] = {"error": kind_of(error), "reason": _reason(error)}
        return None
    else:
        report["tls"] = {
            "ms": _ms(started),
            "version": secured.version(),
            **_certificate(secured),
        }
        return secured
    report["tls"] = known
    return _secured_somehow(host, again, report)


def _secured_somehow(
    host: str, again: Callable[[], PlainSocket], report: Report
) -> TLSSocket | None:
    """Return a connection whose certificate is not trusted, and describe that."""
    # First all but name and time are checked: then Python tells what it says.
    lenient = ssl.create_default_context()
    lenient.check_hostname = False
    lenient.verify_flags |= _NO_CHECK_TIME
    blind = ssl.create_default_context()
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    for context in (lenient, blind):
        try:
            secured = secure(again(), context, host)
        except OSError:
            continue
        tls = report["tls"]
        tls |= _certificate(secured)
        if tls["error"] == "untrusted" and _lacks_its_chain(secured):
            tls["error"] = "incomplete"
        return secured
    return None


def _certificate(sock: TLSSocket) -> Report:
    certificate: Any = sock.getpeercert()
    if not certificate:
        return {}
    issuer = {name: value for part in certificate["issuer"] for name, value in part}
    return {
        "issuer": issuer.get("organizationName") or issuer.get("commonName", ""),
        "names": [value for _, value in certificate.get("subjectAltName", ())],
        "not_after": int(ssl.cert_time_to_seconds(certificate["notAfter"])),
    }


def _lacks_its_chain(sock: TLSSocket) -> bool:
    """Return whether the server sent one certificate, and a public authority's."""
    chain = getattr(sock, "get_unverified_chain", None)  # Python 3.13
    sent = len(chain()) if chain else 1
    return sent == 1 and _ISSUER_AT in (sock.getpeercert(binary_form=True) or b"")


def _asked(sock: Socket, address: Address) -> Report:
    started = time.monotonic()
    http = HTTPConnection(address.host, address.port)
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
            },
        )
        answer = http.getresponse()
        ms = _ms(started)
        return _described(answer, answer.read(MAX_READ)) | {"ms": ms}
    except OSError as error:
        return {"error": kind_of(error), "reason": _reason(error)}
    except HTTPException as error:
        return {"error": "not_http", "reason": type(error).__name__}


def _described(answer: HTTPResponse, body: bytes) -> Report:
    title = _TITLE.search(body)
    header = answer.headers.get
    return {
        "status": answer.status,
        "server": header("server", "")[:40],
        "content_type": header("content-type", "").partition(";")[0],
        "location": _without_query(header("location", "")),
        "www_authenticate": header("www-authenticate", "").partition(" ")[0],
        "cf_ray": "cf-ray" in answer.headers,
        "cf_mitigated": header("cf-mitigated", "")[:40],
        "title": _text(title[1]) if title else "",
        "begins": _text(body[:160]),
    }


def _without_query(location: str) -> str:
    # What follows the question mark may be meant for one reader.
    try:
        url = urlsplit(location)
    except ValueError:
        return ""
    host = url.netloc.rpartition("@")[2]
    return urlunsplit((url.scheme, host, url.path, "", ""))[:300]


def _text(data: bytes) -> str:
    shown = data.decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in shown).split())


#: Exceptions of the network in our words, first match first.
_KINDS: Final = (
    (socket.gaierror, "unknown_name"),
    (TimeoutError, "timeout"),
    (ConnectionRefusedError, "refused"),
    (ConnectionError, "reset"),
)


def kind_of(error: OSError) -> str:
    """Return what an exception of the network is in one word."""
    kinds = (kind for known, kind in _KINDS if isinstance(error, known))
    return next(kinds, "unreachable")


def _reason(error: OSError) -> str:
    return error.strerror or ""


def _ms(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
