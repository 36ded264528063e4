"""What an exception of the network means: one table for the function and the check.

The sibling of `answerers`: there somebody answered, here nobody did.  Alerts of TLS
are known by their name, what is wrong with a certificate by OpenSSL's number, and what
a resolver says by its number; the words around them change.

To know something new, add a row to `NETWORK_ERRORS`.  Loaded only when something fails.
"""

import socket
import ssl
from collections.abc import Callable
from http.client import BadStatusLine, HTTPException, IncompleteRead
from typing import Final, NamedTuple

from ha_bridge.errors import Failure

#: The resolver's own trouble; every other number is about the name.
#: https://man7.org/linux/man-pages/man3/getaddrinfo.3.html
_NAME_SERVERS: Final = frozenset(
    getattr(socket, name)
    for name in ("EAI_AGAIN", "EAI_FAIL", "EAI_MEMORY", "EAI_SYSTEM")
    if hasattr(socket, name)  # Windows has no EAI_SYSTEM
)

#: Alerts by which a server says what it thinks of the client's certificate.
#: https://datatracker.ietf.org/doc/html/rfc8446#section-6.2
_ABOUT_CLIENT: Final = frozenset(
    {
        "ACCESS_DENIED",
        "BAD_CERTIFICATE",
        "CERTIFICATE_EXPIRED",
        "CERTIFICATE_REQUIRED",
        "CERTIFICATE_REVOKED",
        "CERTIFICATE_UNKNOWN",
        "NO_CERTIFICATE",
        "UNKNOWN_CA",
        "UNSUPPORTED_CERTIFICATE",
    }
)

#: Alerts of a server that has nothing to show for the name it is asked for: nginx and
#: Java say the first, Go (Caddy, Traefik) the second, Cloudflare the third.
_ABOUT_NAME: Final = frozenset(
    {"HANDSHAKE_FAILURE", "INTERNAL_ERROR", "UNRECOGNIZED_NAME"}
)

_ABOUT_VERSION: Final = frozenset({"INSUFFICIENT_SECURITY", "PROTOCOL_VERSION"})

#: What OpenSSL says of a server that speaks only TLS 1.0 or 1.1.
_TOO_OLD: Final = frozenset(
    {"UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW", "WRONG_SSL_VERSION"}
)

#: What OpenSSL says when it meets something that is not TLS.
_NO_TLS: Final = frozenset(
    {
        "HTTP_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "UNKNOWN_PROTOCOL",
        "WRONG_VERSION_NUMBER",
    }
)

#: OpenSSL's reasons to refuse a certificate, in our words; the numbers that are not
#: here mean that no trusted authority was found.
#: https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_CERTIFICATES: Final = {
    9: "not_yet",
    10: "expired",
    18: "self_signed",
    62: "name",
    64: "name",
    # Refused by Python 3.13 and later only, which sets VERIFY_X509_STRICT.
    **dict.fromkeys(range(79, 95), "imperfect"),
}

#: Before the name of an alert, as OpenSSL has it; the rest are its own reasons.
_ALERTS: Final = ("SSLV3_", "TLSV1_", "TLSV13_")

#: How a TLS record with an alert begins: what a TLS server says to plain HTTP.
_ALERT: Final = "\x15\x03"


def alert(error: BaseException) -> str:
    """Return the name of the alert that the server sent, such as UNKNOWN_CA."""
    reason = getattr(error, "reason", None) or ""
    if not isinstance(error, ssl.SSLError):
        return ""
    for prefix in _ALERTS:
        if reason.startswith(prefix):
            return reason.removeprefix(prefix).removeprefix("ALERT_")
    return ""


def certificate_error(error: BaseException) -> str:
    """Return what is wrong with a certificate: a name, or nothing if it is not that."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return ""
    return _CERTIFICATES.get(error.verify_code, "untrusted")


class NetworkError(NamedTuple):
    """A row: what happened, as what failure it counts, and how to know it."""

    name: str
    failure: Failure
    is_it: Callable[[BaseException], bool]


def _is(*kinds: type[BaseException]) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, kinds)


def _alerts(names: frozenset[str]) -> Callable[[BaseException], bool]:
    return lambda error: alert(error) in names


def _finds(reasons: frozenset[str]) -> Callable[[BaseException], bool]:
    return lambda error: (
        isinstance(error, ssl.SSLError) and getattr(error, "reason", None) in reasons
    )


def _certificate(name: str, failure: Failure) -> NetworkError:
    return NetworkError(name, failure, lambda error: certificate_error(error) == name)


def _is_name_server(error: BaseException) -> bool:
    return isinstance(error, socket.gaierror) and error.errno in _NAME_SERVERS


def _is_alert_for_http(error: BaseException) -> bool:
    return isinstance(error, BadStatusLine) and str(error).startswith(_ALERT)


#: All that is known; the first that fits is it.
NETWORK_ERRORS: Final[tuple[NetworkError, ...]] = (
    NetworkError("name_server", Failure.NAME_SERVER, _is_name_server),
    NetworkError("unknown_name", Failure.UNKNOWN_NAME, _is(socket.gaierror)),
    *(
        _certificate(name, Failure.UNTRUSTED_CERTIFICATE)
        for name in ("not_yet", "expired", "self_signed", "name", "untrusted")
    ),
    _certificate("imperfect", Failure.IMPERFECT_CERTIFICATE),
    NetworkError(
        "client_certificate", Failure.CLIENT_CERTIFICATE, _alerts(_ABOUT_CLIENT)
    ),
    NetworkError("no_such_site", Failure.NO_SUCH_SITE, _alerts(_ABOUT_NAME)),
    NetworkError("tls_version", Failure.TLS_VERSION, _alerts(_ABOUT_VERSION)),
    NetworkError("tls_version", Failure.TLS_VERSION, _finds(_TOO_OLD)),
    NetworkError("not_tls", Failure.NOT_TLS, _finds(_NO_TLS)),
    NetworkError(
        "reset", Failure.CONNECTION_LOST, _is(ssl.SSLEOFError, ssl.SSLZeroReturnError)
    ),
    NetworkError("tls_failed", Failure.TLS_FAILED, _is(ssl.SSLError)),
    NetworkError("timeout", Failure.TIMED_OUT, _is(TimeoutError)),
    NetworkError("refused", Failure.CONNECTION_REFUSED, _is(ConnectionRefusedError)),
    NetworkError("reset", Failure.CONNECTION_LOST, _is(ConnectionError)),
    NetworkError("unreachable", Failure.NO_ROUTE, _is(OSError)),
    NetworkError("broken_off", Failure.BROKEN_OFF, _is(IncompleteRead)),
    NetworkError("wants_https", Failure.WANTS_HTTPS, _is_alert_for_http),
    NetworkError("not_http", Failure.NOT_HTTP, _is(HTTPException)),
    # Of urllib3, which cannot read what it is given, such as a broken gzip.
    NetworkError("not_http", Failure.NOT_HTTP, lambda _error: True),
)


def what(error: BaseException) -> NetworkError:
    """Return what an exception of the network, of TLS or of HTTP means."""
    return next(row for row in NETWORK_ERRORS if row.is_it(error))


def spoken(sock: socket.socket, error: OSError) -> OSError:
    """Return what the server said before a write to it failed, else the error.

    With TLS 1.3 the server looks at the client's certificate after the handshake: its
    alert comes while the request is written, and the write fails for a connection that
    is closed already.  What the server said still lies in the receive buffer.
    """
    if not isinstance(error, ConnectionError | ssl.SSLEOFError):
        return error
    try:
        sock.settimeout(0)
        sock.recv(1)
    except ssl.SSLError as said:
        return said if alert(said) else error
    except (OSError, ValueError):
        pass
    return error
