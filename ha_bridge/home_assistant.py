"""Home Assistant's Alexa endpoint: the only module that knows HTTP.

Source: https://www.home-assistant.io/integrations/alexa.smart_home/
"""

import base64
import json
import logging
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, IncompleteRead
from socket import gaierror
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError
from urllib3.util import wait_for_read

from ha_bridge import __version__
from ha_bridge.connection import MAX_IDLE_S, Connector, Socket, is_quiet
from ha_bridge.errors import STATUS_FAILURES, BridgeError, Failure
from ha_bridge.race import Race
from ha_bridge.redaction import Secret

#: Where Home Assistant takes directives.
PATH: Final = "/api/alexa/smart_home"

#: Bytes, decoded: what a Lambda function may return.
#: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ANSWER: Final = 6 * 1024 * 1024

#: Bytes read of an answer that is no success, enough to tell whose it is.
MAX_REFUSAL: Final = 4096

#: Seconds of silence on a kept connection after which a directive that may be sent
#: twice is sent on a new one too.  Something on the way may still acknowledge for a
#: home that is gone, and a slow Home Assistant must not be given up for that.
PATIENCE_S: Final = 2.0

_OK: Final = 200

# What it logs of a malformed header is the header itself, which may echo our token.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

#: Refusals that mean one thing from Home Assistant and another from a proxy, firewall
#: or login page: Home Assistant's own body, the failure then, and the failure else.
#: Headers do not tell: behind Cloudflare every answer has a cf-ray.
_REFUSALS: Final = {
    400: (b"400: Bad Request", Failure.BAD_REQUEST, Failure.UNEXPECTED_STATUS),
    401: (b"401: Unauthorized", Failure.REFUSED_TOKEN, Failure.FIREWALL),
    403: (b"403: Forbidden", Failure.REFUSED_ADDRESS, Failure.FIREWALL),
}

#: What an exception means, first match first.
_EXCEPTION_FAILURES: Final = (
    (gaierror, Failure.UNKNOWN_NAME),
    (ssl.SSLCertVerificationError, Failure.UNTRUSTED_CERTIFICATE),
    (ssl.SSLEOFError, Failure.CONNECTION_LOST),
    (ssl.SSLError, Failure.TLS_FAILED),
    (TimeoutError, Failure.TIMED_OUT),
    (ConnectionRefusedError, Failure.CONNECTION_REFUSED),
    (ConnectionError, Failure.CONNECTION_LOST),
    (OSError, Failure.NO_ROUTE),
    (IncompleteRead, Failure.BROKEN_OFF),
    (HTTPException, Failure.NOT_HTTP),
    (HTTPError, Failure.NOT_HTTP),
)


class Reply(NamedTuple):
    """What Home Assistant sent back to a directive."""

    body: bytes
    """Decoded, at most MAX_ANSWER bytes."""
    reused: bool
    """Whether it came over a connection that had served before."""


class HomeAssistant:
    """Posts directives to one Home Assistant, over one connection that is kept."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._kept: list[_Connection] = []
        address = connector.address
        self._target = address.path + PATH
        self._headers = {
            "Host": address.authority,
            # Exactly gzip: offered more, Home Assistant takes the slower deflate.
            "Accept-Encoding": "gzip",
            "Content-Type": "application/json",
            "User-Agent": f"ha-bridge/{__version__}",
        }

    def post(
        self, body: bytes, token: Secret, *, deadline: float, repeatable: bool
    ) -> Reply:
        """Post a directive and return the body of Home Assistant's 200 answer.

        Args:
            body: The event as JSON.
            token: Home Assistant's access token; not checked beyond being sendable.
            deadline: When to give up, in seconds of time.monotonic; it covers the
                whole exchange, from resolving the name to the last byte.
            repeatable: Whether Home Assistant may receive the directive twice.

        Raises:
            BridgeError: Anything else than a complete answer with status 200.
        """
        request = _Request(
            self._target,
            {**self._headers, "Authorization": _authorization(token)},
            body,
            deadline,
        )
        ready = self._take_ready(deadline)
        with _mapped_errors(reused=ready is not None and ready.reused):
            answered = self._exchange(request, ready, repeatable=repeatable)
        if answered.is_complete:
            self._kept.append(answered)
        else:
            answered.close()
        _check(answered, token)
        return Reply(answered.body, answered.reused)

    def warm(self, deadline: float) -> bool:
        """Have a connection ready for the next directive, and send nothing over it.

        Args:
            deadline: When to give up, in seconds of time.monotonic.

        Returns:
            Whether the one that was there is still fit.

        Raises:
            BridgeError: There was none, and none could be opened.
        """
        ready = self._take_ready(deadline)
        with _mapped_errors(reused=False):
            self._kept.append(ready or _Connection(self._connector.open(deadline)))
        return ready is not None

    def close(self) -> None:
        """Close the kept connection."""
        while self._kept:
            self._kept.pop().close()

    def _exchange(
        self, request: "_Request", ready: "_Connection | None", *, repeatable: bool
    ) -> "_Connection":
        if ready is None:
            return self._ask_anew(request)
        try:
            ready.send(request)
            if not repeatable or ready.answers_within(PATIENCE_S):
                return ready.receive()
        except OSError:
            if not repeatable or ready.has_answered:
                raise
            return self._ask_anew(request)
        # Silence: perhaps a dead connection, perhaps a slow home.
        decided = threading.Event()
        race = Race(ready.receive, lambda: self._ask_anew(request, unless=decided))
        try:
            return race.winner(request.deadline)
        finally:
            decided.set()

    def _ask_anew(
        self, request: "_Request", *, unless: threading.Event | None = None
    ) -> "_Connection":
        connection = _Connection(self._connector.open(request.deadline))
        if unless is not None and unless.is_set():
            # The other attempt was answered meanwhile.  Sent now, this directive
            # would undo the next one: off, and on again.
            connection.close()
            raise TimeoutError
        connection.send(request)
        return connection.receive()

    def _take_ready(self, deadline: float) -> "_Connection | None":
        """Return a connection that is open and seems fit, or None."""
        # Taken out while it is used, so that no two directives ever share it.
        while self._kept:
            kept = self._kept.pop()
            if kept.is_fit():
                return kept
            kept.close()
        ahead = self._connector.take_ahead(deadline)
        return _Connection(ahead) if ahead is not None else None


class _Request(NamedTuple):
    target: str
    headers: Mapping[str, str]
    body: bytes
    deadline: float


class _Connection:
    """HTTP on one socket, and the last answer it brought."""

    def __init__(self, sock: Socket) -> None:
        self._sock = sock
        # urllib3 frames and decodes; it is handed its socket and never connects.
        self._http = HTTPConnection("")
        self._http.sock = sock
        self._http.auto_open = 0
        self._idle_since = time.time()
        self.reused = False
        """Whether a directive before this one was answered over it."""
        self.has_answered = False
        self.is_complete = False
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.body = b""

    def is_fit(self) -> bool:
        # Wall clock: it goes on while Lambda has the environment frozen.
        return time.time() - self._idle_since < MAX_IDLE_S and is_quiet(self._sock)

    def send(self, request: _Request) -> None:
        with self._closed_on_failure():
            self._sock.deadline = request.deadline
            self.reused = self.reused or self.has_answered
            self.has_answered = self.is_complete = False
            self._http.timeout = max(request.deadline - time.monotonic(), 0.001)
            self._http.request(
                "POST",
                request.target,
                request.body,
                request.headers,
                preload_content=False,
            )

    def answers_within(self, seconds: float) -> bool:
        left = max(0.0, self._sock.deadline - time.monotonic())
        return wait_for_read(self._sock, min(seconds, left))

    def receive(self) -> "_Connection":
        """Read the answer to its last byte, or as much of it as is allowed."""
        with self._closed_on_failure():
            response = self._http.getresponse()
            self.has_answered = True
            self.status, self.headers = response.status, response.headers
            limit = MAX_ANSWER if self.status == _OK else MAX_REFUSAL
            self.body = response.read(limit + 1, decode_content=True)
            # Only after the last byte does the next answer start with its first; and
            # after a 1xx, which http.client takes for a whole one, comes another.
            self.is_complete = (
                response.closed and self.status >= _OK and self._http.sock is not None
            )
            self._idle_since = time.time()
        return self

    @contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._http.close()
        self._sock.close()


def _authorization(token: Secret) -> str:
    """Return the Authorization header.

    Raises:
        BridgeError: UNSENDABLE_TOKEN; the token is not repeated.
    """
    text = token.reveal()
    is_usual = text.isascii() and text.isprintable()
    if not is_usual and not all(" " <= c <= "~" or "\xa0" <= c <= "\xff" for c in text):
        raise BridgeError(Failure.UNSENDABLE_TOKEN)
    return f"Bearer {text}"


def _check(answer: _Connection, token: Secret) -> None:
    """Raise the failure that the answer's status stands for, if it is not 200."""
    if answer.status == _OK:
        if len(answer.body) > MAX_ANSWER:
            raise BridgeError(
                Failure.TOO_LARGE,
                f"over {MAX_ANSWER} bytes",
                status=_OK,
                reused=answer.reused,
            )
        return
    if refusal := _REFUSALS.get(answer.status):
        own_body, own, other = refusal
        failure = own if answer.body.strip() == own_body else other
    else:
        failure = STATUS_FAILURES.get(answer.status, Failure.UNEXPECTED_STATUS)
    if failure is Failure.REFUSED_TOKEN and has_expired(token, time.time()):
        failure = Failure.EXPIRED_TOKEN
    raise BridgeError(
        failure, _sender(answer), status=answer.status, reused=answer.reused
    )


def _sender(answer: _Connection) -> str:
    """Return what is known of who answered, for the log."""
    known = [f"HTTP {answer.status}"]
    if server := answer.headers.get("server"):
        known.append(f"by {server[:40]!r}")
    if host := _redirects_to(answer):
        known.append(f"to {host[:80]!r}")
    return " ".join(known)


def _redirects_to(answer: _Connection) -> str | None:
    # Only the host: the rest of the address may be meant for one reader.
    try:
        return urlsplit(answer.headers.get("location", "")).hostname
    except ValueError:
        return None


def has_expired(token: Secret, now: float) -> bool:
    """Return whether a token is a JWT, as Home Assistant's are, whose time is over.

    The signature is not checked: only Home Assistant can, and it has just refused.

    Args:
        now: Seconds since the epoch, as in the claim.
    """
    parts = token.reveal().split(".")
    if len(parts) != 3:  # noqa: PLR2004 - RFC 7519: header, claims, signature
        return False
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    except (ValueError, RecursionError):
        return False
    expiry = claims.get("exp") if isinstance(claims, dict) else None
    return isinstance(expiry, int | float) and expiry <= now


@contextmanager
def _mapped_errors(*, reused: bool) -> Iterator[None]:
    """Raise what goes wrong inside as the failure that it means.

    Args:
        reused: Whether a connection that had served before was tried first.
    """
    try:
        yield
    except (OSError, HTTPException, HTTPError) as error:
        # urllib3 wraps what happens while it reads a body; the cause tells more.
        known = (OSError, HTTPException)
        cause = error.__cause__ if isinstance(error.__cause__, known) else error
        failure = next(
            failure for kind, failure in _EXCEPTION_FAILURES if isinstance(cause, kind)
        )
        raise BridgeError(failure, _reason(cause), reused=reused) from None


def _reason(error: Exception) -> str:
    """Return what the system says of an error; nothing in it comes from a directive."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or ""
    return (
        (error.strerror or "") if isinstance(error, OSError) else type(error).__name__
    )
