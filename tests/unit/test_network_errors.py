"""What an exception means: the table."""

import errno
import socket
import ssl
from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected

import pytest
from urllib3.exceptions import DecodeError

from ha_bridge.errors import ErrorType, Failure
from ha_bridge.network_errors import NETWORK_ERRORS, what


def tls(reason: str | None) -> ssl.SSLError:
    """Return what Python raises for an alert or another reason."""
    error = ssl.SSLError(1, f"[SSL: {reason}]")
    error.reason = reason  # type: ignore[assignment]
    return error


def untrusted(code: int) -> ssl.SSLCertVerificationError:
    """Return what Python raises for a certificate."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = code
    error.verify_message = "why"
    return error


CASES: dict[str, tuple[Failure, list[Exception]]] = {
    "name_server": (
        Failure.NAME_SERVER,
        [
            socket.gaierror(socket.EAI_AGAIN, "Temporary failure"),
            socket.gaierror(socket.EAI_FAIL, "Non-recoverable failure"),
            socket.gaierror(socket.EAI_SYSTEM, "System error"),
        ],
    ),
    "unknown_name": (
        Failure.UNKNOWN_NAME,
        [
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            socket.gaierror(socket.EAI_NODATA, "No address"),
            socket.gaierror(socket.EAI_ADDRFAMILY, "Address family"),
            socket.gaierror("no number at all"),
        ],
    ),
    "not_yet": (Failure.UNTRUSTED_CERTIFICATE, [untrusted(9)]),
    "expired": (Failure.UNTRUSTED_CERTIFICATE, [untrusted(10)]),
    "self_signed": (Failure.UNTRUSTED_CERTIFICATE, [untrusted(18)]),
    "name": (Failure.UNTRUSTED_CERTIFICATE, [untrusted(62), untrusted(64)]),
    "untrusted": (
        Failure.UNTRUSTED_CERTIFICATE,
        [untrusted(19), untrusted(20), untrusted(21), untrusted(12345)],
    ),
    "imperfect": (
        Failure.IMPERFECT_CERTIFICATE,
        [untrusted(85), untrusted(86), untrusted(89), untrusted(92)],
    ),
    "client_certificate": (
        Failure.CLIENT_CERTIFICATE,
        [
            tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"),
            tls("SSLV3_ALERT_BAD_CERTIFICATE"),
            tls("TLSV1_ALERT_UNKNOWN_CA"),
            tls("SSLV3_ALERT_CERTIFICATE_EXPIRED"),
            tls("SSLV3_ALERT_CERTIFICATE_REVOKED"),
            tls("SSLV3_ALERT_CERTIFICATE_UNKNOWN"),
            tls("SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"),
            tls("SSLV3_ALERT_NO_CERTIFICATE"),
            tls("TLSV1_ALERT_ACCESS_DENIED"),
        ],
    ),
    "no_such_site": (
        Failure.NO_SUCH_SITE,
        [
            tls("TLSV1_UNRECOGNIZED_NAME"),
            tls("TLSV1_ALERT_INTERNAL_ERROR"),
            tls("SSLV3_ALERT_HANDSHAKE_FAILURE"),
        ],
    ),
    "tls_version": (
        Failure.TLS_VERSION,
        [
            tls("TLSV1_ALERT_PROTOCOL_VERSION"),
            tls("TLSV1_ALERT_INSUFFICIENT_SECURITY"),
            tls("UNSUPPORTED_PROTOCOL"),
        ],
    ),
    "not_tls": (
        Failure.NOT_TLS,
        [tls("WRONG_VERSION_NUMBER"), tls("RECORD_LAYER_FAILURE")],
    ),
    "tls_failed": (
        Failure.TLS_FAILED,
        [
            tls("DECRYPTION_FAILED_OR_BAD_RECORD_MAC"),
            tls("SSLV3_ALERT_BAD_RECORD_MAC"),
            # OpenSSL's own trouble, which is no alert of the server's.
            tls("INTERNAL_ERROR"),
            tls(None),
        ],
    ),
    "timeout": (Failure.TIMED_OUT, [TimeoutError(), TimeoutError(errno.ETIMEDOUT, "")]),
    "refused": (Failure.CONNECTION_REFUSED, [ConnectionRefusedError()]),
    "reset": (
        Failure.CONNECTION_LOST,
        [
            ConnectionResetError(),
            BrokenPipeError(),
            RemoteDisconnected("closed"),
            ssl.SSLEOFError(8, "EOF"),
            ssl.SSLZeroReturnError(6, "closed"),
        ],
    ),
    "unreachable": (Failure.NO_ROUTE, [OSError(errno.ENETUNREACH, "no network")]),
    "broken_off": (Failure.BROKEN_OFF, [IncompleteRead(b"x", 9)]),
    "wants_https": (Failure.WANTS_HTTPS, [BadStatusLine("\x15\x03\x01\x00\x02\x02F")]),
    "not_http": (Failure.NOT_HTTP, [BadStatusLine("SSH-2.0"), DecodeError("gzip")]),
}


@pytest.mark.parametrize(
    ("name", "failure", "error"),
    [
        pytest.param(name, failure, error, id=f"{name}: {error!r}")
        for name, (failure, errors) in CASES.items()
        for error in errors
    ],
)
def test_what_happened(name: str, failure: Failure, error: Exception) -> None:
    """By the name of the alert and by the number, whatever the words are."""
    row = what(error)
    assert (row.name, row.failure) == (name, failure)


def test_every_row_is_met() -> None:
    """No row without an exception that it is for."""
    assert {row.name for row in NETWORK_ERRORS} == set(CASES)


def test_the_network_is_never_the_tokens_fault() -> None:
    """Nobody answered, so nobody was reached."""
    for row in NETWORK_ERRORS:
        assert row.failure.error_type is ErrorType.BRIDGE_UNREACHABLE
