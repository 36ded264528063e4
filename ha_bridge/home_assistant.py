"""Home Assistant's Alexa endpoint: the only module that knows HTTP.

Source: https://www.home-assistant.io/integrations/alexa.smart_home/
"""

import base64
import json
import logging
import math
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import (
    BadStatusLine,
    HTTPException,
    HTTPResponse,
    IncompleteRead,
    LineTooLong,
    RemoteDisconnected,
)
from itertools import chain, repeat
from typing import Any, Final, NamedTuple, NoReturn

from urllib3.connection import HTTPConnection
from urllib3.exceptions import DecodeError, HTTPError
from urllib3.response import BaseHTTPResponse

from ha_bridge import __version__
from ha_bridge.connection import Connector, Socket, TooMuchError, is_fit
from ha_bridge.delivery import (
    PATIENCE_S,
    VANISHED_AFTER_S,
    Fate,
    Kind,
    may_go_again,
)
from ha_bridge.errors import BridgeError, Failure
from ha_bridge.messages import MAX_ANSWER
from ha_bridge.race import Race
from ha_bridge.redaction import Secret
from ha_bridge.settings import PATH, Address

#: Bytes read of an answer that is no success, enough to tell whose it is.
MAX_REFUSAL: Final = 4096

#: Bytes of a chunk, or of a body that is packed, that are read at once.
_PIECE: Final = 64 * 1024

#: Bytes of an answer's head.  http.client allows for a hundred times as many, and the
#: parser makes forty times as many of them.
_MAX_HEAD: Final = 64 * 1024

#: What is asked for, as it may be called (RFC 9110, 8.4.1), and what some send unasked;
#: and what tells zlib to see by itself which it is.
PACKED: Final = ("gzip", "x-gzip", "deflate")
ANY_PACKING: Final = 15 + 32

#: Seconds between the attempts of one directive: at once, then less and less often, for
#: as long as there is time.  A proxy that reloads is away for less than one of them.
PAUSES_S: Final = (0.0, 0.1, 0.2, 0.4, 0.8)
LAST_PAUSE_S: Final = 1.0

_OK: Final = 200

# What it logs of a malformed header is the header itself, which may echo our token.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

#: What may pass by itself within seconds, so that another attempt can help; names of
#: `network_errors`.  A wrong name or certificate stays wrong.
_PASSING: Final = frozenset(
    {
        "broken_off",
        "name_server",
        "refused",
        "reset",
        "timeout",
        "tls_failed",
        "unreachable",
    }
)


class Reply(NamedTuple):
    """What Home Assistant sent back to a directive."""

    body: bytes
    """Decoded, at most MAX_ANSWER bytes."""
    reused: bool
    """Whether it came over a connection that had served before."""
    headers: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"Reply({len(self.body)} bytes, reused={self.reused})"


class Answered(NamedTuple):
    """Whatever was sent back, and by whomever."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    reused: bool

    def __repr__(self) -> str:  # without a token
        return f"Answered(HTTP {self.status}, {len(self.body)} bytes)"


class HomeAssistant:
    """Posts directives to one Home Assistant, over one connection that is kept."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._kept: _Connection | None = None
        self.address = connector.address
        self.gate = connector.gate
        self._target = self.address.path + PATH
        self._headers = {
            "Host": self.address.authority,
            # Exactly gzip: offered more, Home Assistant takes the slower deflate.
            "Accept-Encoding": "gzip",
            "Content-Type": "application/json",
            "User-Agent": f"ha-bridge/{__version__}",
        }

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What opens a closed home, as far as it is known by now."""
        return self.gate.secrets if self.gate is not None else ()

    def post(
        self, body: bytes, token: Secret | None, *, deadline: float, kind: Kind
    ) -> Reply:
        """Post a directive and return the body of Home Assistant's 200 answer.

        Args:
            body: The event as JSON.
            token: Home Assistant's access token; not checked beyond being sendable.
            deadline: When to give up, in seconds of time.monotonic; it covers the
                whole exchange, from resolving the name to the last byte.
            kind: What the directive does, which decides whether it may go again.

        Raises:
            BridgeError: Anything else than a complete answer with status 200.
        """
        if token is None:
            raise BridgeError(Failure.NO_TOKEN)
        try:
            headers = {
                **self._headers,
                **self._extra_headers(deadline),
                "Authorization": _authorization(token),
            }
            request = _Request(self._target, headers, body, deadline, kind)
            answered = self._answered(request)
            _check(answered, token, self.address)
        except BridgeError as error:
            raise self._judged(error) from None
        return Reply(answered.body, answered.reused, answered.headers)

    def post_form(
        self, path: str, form: bytes, *, deadline: float, kind: Kind
    ) -> Answered:
        """Post a form that needs no token, and return whatever is answered.

        Args:
            path: Where to, below the address.
            form: Encoded as application/x-www-form-urlencoded.
            deadline: As for `post`.
            kind: Whether it may go again.

        Raises:
            BridgeError: Nothing was answered.
        """
        try:
            headers = {
                **self._headers,
                "Content-Type": "application/x-www-form-urlencoded",
                **self._extra_headers(deadline),
            }
            target = self.address.path + path
            return self._answered(_Request(target, headers, form, deadline, kind))
        except BridgeError as error:
            raise self._judged(error) from None

    def reject(self, answered: Answered) -> NoReturn:
        """Raise what an answer means that is not Home Assistant's.

        Raises:
            BridgeError: Always.
        """
        raise self._judged(_by_who_answered(answered, self.address))

    def _answered(self, request: "_Request") -> Answered:
        answer = self._deliver(request)
        reused = answer.connection.reused
        if answer.is_complete:
            self._keep(answer.connection)
        else:
            answer.close()
        return Answered(answer.status, answer.headers, answer.body, reused)

    def warm(self, deadline: float) -> bool:
        """Open a connection for the next directive, and send nothing over it.

        Always a new one, for the one that was there would be too old before the next
        such call.

        Args:
            deadline: When to give up, in seconds of time.monotonic.

        Returns:
            Whether there was a fit one before.

        Raises:
            BridgeError: None could be opened.
        """
        try:
            fresh = self._open(deadline)
        except OSError as error:
            raise self._judged(_failure_of(error, reused=None)[0]) from None
        except BridgeError as error:
            raise self._judged(error) from None
        was_ready = self._kept is not None and is_fit(self._kept.sock)
        self._connector.drop_ahead()
        self._keep(fresh)
        return was_ready

    def close(self) -> None:
        """Close the kept connection, and the one that is opened ahead."""
        self._connector.drop_ahead()
        self._keep(None)

    def _judged(self, error: BridgeError) -> BridgeError:
        """Return what a refusal means for the settings that open a closed home."""
        if self.gate is None:
            return error
        told = self.gate.judge(error)
        if told is not error:  # what was refused may have been replaced meanwhile
            self._connector.forget()
            self.close()
        return told

    def _extra_headers(self, deadline: float) -> Mapping[str, str]:
        return self.gate.headers(deadline) if self.gate is not None else {}

    def _keep(self, connection: "_Connection | None") -> None:
        before, self._kept = self._kept, connection
        if before is not None:
            before.close()

    def _take_ready(self, deadline: float) -> "_Connection | None":
        """Return a connection that is open and seems fit, or None."""
        # Taken out while it is used, so that no two directives ever share it.
        kept, self._kept = self._kept, None
        if kept is not None:
            if is_fit(kept.sock):
                return kept
            kept.close()
        ahead = self._connector.take_ahead(deadline)
        return _Connection(ahead) if ahead is not None else None

    def _deliver(self, request: "_Request") -> "_Answer":
        """Return an answer, after as many attempts as the rule of delivery allows."""
        attempts = _Attempts(request)
        while True:
            connection = self._take_ready(request.deadline)
            is_new = connection is None
            try:
                connection = connection or self._open(request.deadline)
                return self._exchange(connection, request, is_new=is_new)
            except (OSError, HTTPException, HTTPError) as error:
                pause_s = attempts.pause_s_after(error, connection, is_new=is_new)
            time.sleep(pause_s)

    def _open(self, deadline: float) -> "_Connection":
        return _Connection(self._connector.open(deadline))

    def _exchange(
        self, connection: "_Connection", request: "_Request", *, is_new: bool
    ) -> "_Answer":
        kind = request.kind
        sent_at = time.monotonic()
        connection.send(request)
        if (
            not is_new
            and may_go_again(kind, Fate.VANISHED)
            and connection.has_vanished(sent_at + VANISHED_AFTER_S)
        ):
            connection.give_up()
        if not may_go_again(kind, Fate.SILENT):
            return connection.receive()
        if connection.answers_before(sent_at + PATIENCE_S):
            return connection.receive()
        return self._ask_twice(connection, request)

    def _ask_twice(self, first: "_Connection", request: "_Request") -> "_Answer":
        """Ask over a new connection too, and return the answer that comes first."""
        asked = [first]
        race = Race(first.receive)

        def ask_again() -> _Answer:
            second = self._open(request.deadline)
            try:
                with race.undecided():
                    second.send(request)
                    asked.append(second)
            except BaseException:
                second.close()
                raise
            return second.receive()

        race.add(ask_again)
        answer = None
        try:
            answer = race.winner(request.deadline)
        finally:
            for connection in asked:
                if answer is None or connection is not answer.connection:
                    connection.sock.abort()
        return answer


class Unconfigured:
    """The way to Home Assistant where a setting is wrong: it says so each time."""

    def __init__(self, error: BridgeError) -> None:
        self._failure, self._detail = error.failure, error.detail

    @property
    def address(self) -> Address:
        """Raise what is wrong."""
        # A new one: raised again, an exception would keep each directive it met.
        raise BridgeError(self._failure, self._detail)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Return none."""
        return ()

    def post(
        self, body: bytes, token: Secret | None, *, deadline: float, kind: Kind
    ) -> Reply:
        """Raise what is wrong."""
        del body, token, deadline, kind
        raise BridgeError(self._failure, self._detail)

    def post_form(
        self, path: str, form: bytes, *, deadline: float, kind: Kind
    ) -> Answered:
        """Raise what is wrong."""
        del path, form, deadline, kind
        raise BridgeError(self._failure, self._detail)

    def reject(self, answered: Answered) -> NoReturn:
        """Raise what is wrong."""
        del answered
        raise BridgeError(self._failure, self._detail)

    def warm(self, deadline: float) -> bool:
        """Raise what is wrong."""
        del deadline
        raise BridgeError(self._failure, self._detail)

    def close(self) -> None:
        """There is nothing to close."""


class _Request(NamedTuple):
    target: str
    headers: Mapping[str, str]
    body: bytes
    deadline: float
    kind: Kind

    def __repr__(self) -> str:  # without the token
        return f"_Request({self.target}, {len(self.body)} bytes, {self.kind})"


class _Attempts:
    """The attempts of one directive so far, and whether there is to be another."""

    def __init__(self, request: _Request) -> None:
        self._request = request
        self._pauses_s = chain(PAUSES_S, repeat(LAST_PAUSE_S))
        self._told: BridgeError | None = None
        self._was_read = False

    def pause_s_after(
        self, error: Exception, connection: "_Connection | None", *, is_new: bool
    ) -> float:
        """Return in how many seconds another attempt is due.

        Raises:
            BridgeError: There is none; what went wrong.
        """
        fate = connection.fate if connection else Fate.UNSENT
        reused = connection.reused if connection else None
        failure, may_pass = _failure_of(error, reused=reused)
        # That there was no time left for another attempt explains nothing.
        if self._told is None or failure.failure is not Failure.TIMED_OUT:
            self._told = failure
        pause_s = next(self._pauses_s)
        may_help = may_pass or (fate is Fate.UNREAD and not is_new)
        has_time = time.monotonic() + pause_s < self._request.deadline
        is_allowed = may_go_again(self._request.kind, fate) and not (
            fate is Fate.READ and self._was_read
        )
        if not (may_help and has_time and is_allowed):
            raise self._told
        self._was_read = self._was_read or fate is Fate.READ
        return pause_s


class _Answer(NamedTuple):
    connection: "_Connection"
    status: int
    headers: Mapping[str, str]
    body: bytes
    is_complete: bool
    """Whether the next answer will start with the next byte."""

    def __repr__(self) -> str:
        return f"_Answer(HTTP {self.status}, {len(self.body)} bytes)"

    def close(self) -> None:
        self.connection.close()


class BoundedResponse(HTTPResponse):
    """An answer of which no more is read than was asked for, whatever it says.

    http.client reads to the end of a chunk that says its size is -1, and ends in a
    ValueError where it is less.

    Args:
        sock: A socket of `ha_bridge.connection`.
    """

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._sock = sock

    def begin(self) -> None:
        """Read the head.

        Raises:
            HTTPException: It is none, or has no end.
        """
        self._sock.allowance = _MAX_HEAD
        try:
            super().begin()
        except TooMuchError:
            raise LineTooLong("head") from None
        finally:
            self._sock.allowance = math.inf

    def read(self, amt: int | None = None) -> bytes:
        """Return the body, or as many bytes of it.

        Args:
            amt: Bytes; all of it, if None.
        """
        if amt is None or not self.chunked:
            return super().read(amt)
        body = bytearray()  # of chunks there may be a million
        while (left := amt - len(body)) > 0 and (
            piece := self.read1(min(left, _PIECE))
        ):
            body += piece
        return bytes(body)


class _Connection:
    """HTTP on one socket.  A `with` block that fails closes it."""

    def __init__(self, sock: Socket) -> None:
        self.sock = sock
        # urllib3 frames; it is handed its socket and never connects, nor unpacks.
        self._http = HTTPConnection("")
        self._http.response_class = BoundedResponse
        self._http.sock = sock
        self._http.auto_open = 0
        self._uses = 0
        self._is_given_up = False

    def __enter__(self) -> None:
        """Begin what closes the connection if it fails."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.close()

    @property
    def reused(self) -> bool:
        """Whether a directive before this one was sent over it."""
        return self._uses > 1

    @property
    def fate(self) -> Fate:
        """What is known of a request that failed."""
        if self._is_given_up:
            return Fate.VANISHED
        return Fate.READ if self.sock.has_arrived() else Fate.UNREAD

    def send(self, request: _Request) -> None:
        self._uses += 1
        with self:
            self.sock.begin(request.deadline)
            self._http.timeout = max(request.deadline - time.monotonic(), 0.001)
            try:
                # Head and body are two packets, and must be: see `has_arrived`.
                self._http.request(
                    "POST",
                    request.target,
                    request.body,
                    request.headers,
                    preload_content=False,
                )
            except (ConnectionError, ssl.SSLEOFError) as error:
                # What the server said before the write failed, if it said something.
                from ha_bridge.network_errors import spoken  # noqa: PLC0415 - as below

                raise spoken(self.sock, error) from None

    def answers_before(self, until: float) -> bool:
        """Return whether an answer begins before a time, in that of time.monotonic."""
        with self:
            return self.sock.answers_before(until)

    def has_vanished(self, until: float) -> bool:
        """Return whether no byte of the request has been acknowledged by a time."""
        while not self.answers_before(until):
            late_s = self.sock.may_be_acknowledged_in()
            if self.sock.has_arrived():
                return False
            if late_s <= 0 or until > self.sock.deadline:
                return True
            until = time.monotonic() + late_s
        return False

    def give_up(self) -> None:
        """Abort it, because its path has vanished; raises TimeoutError."""
        self._is_given_up = True
        self.close()
        raise TimeoutError

    def receive(self) -> _Answer:
        """Read the answer to its last byte, or as much of it as is allowed."""
        with self:
            response = self._response()
            if not self.sock.has_arrived():
                # Written before the request arrived, so no answer to it: a proxy that
                # ends an idle connection may say 408 first.
                raise ConnectionResetError
            limit = MAX_ANSWER if response.status == _OK else MAX_REFUSAL
            body = self._body(response, limit + 1)
            # Only after the last byte does the next answer start with its first; and
            # after a 1xx, which http.client takes for a whole one, comes another.
            is_complete = (
                response.closed
                and response.status >= _OK
                and self._http.sock is not None
            )
            if is_complete:
                self.sock.finish()
        return _Answer(self, response.status, response.headers, body, is_complete)

    def _body(self, response: BaseHTTPResponse, amount: int) -> bytes:
        """Return so many bytes of a body.

        urllib3 would unpack whatever it says, in one call that looks at no time: a few
        thousand bytes can keep it busy for a minute.
        """
        coding = response.headers.get("Content-Encoding", "")
        is_packed = coding.strip().lower() in PACKED
        pieces = _pieces(response, _PIECE if is_packed else amount)
        if is_packed:
            pieces = _unpacked(pieces, self.sock.deadline)
        body, left = [], amount
        for piece in pieces:
            body.append(piece)
            left -= len(piece)
            if left <= 0:
                break
        return b"".join(body)

    def _response(self) -> BaseHTTPResponse:
        """Return the answer as far as its body; http.client takes an end for one."""
        try:
            response = self._http.getresponse()
        except RemoteDisconnected:
            raise
        except BadStatusLine as error:
            if self.sock.has_ended and "HTTP/".startswith(error.args[0][:5]):
                raise IncompleteRead(b"") from None
            raise
        if self.sock.has_ended:
            response.close()  # which still holds the socket
            raise IncompleteRead(b"")
        return response

    def close(self) -> None:
        self._http.close()
        self.sock.close()


def _pieces(response: BaseHTTPResponse, size: int) -> Iterator[bytes]:
    """Give a body as it is sent; raises HTTPError if it breaks off."""
    while not response.closed and (piece := response.read(size, decode_content=False)):
        yield piece


def _unpacked(pieces: Iterator[bytes], deadline: float) -> Iterator[bytes]:
    """Give what is packed in the pieces of a body, a piece at a time.

    Args:
        pieces: No more bytes of them are taken than of an answer.
        deadline: In seconds of time.monotonic.

    Raises:
        DecodeError: They are not packed as they should be.
        TimeoutError: It takes too long.
    """
    import zlib  # noqa: PLC0415 - what is not packed needs none

    unpacker = zlib.decompressobj(ANY_PACKING)
    allowance, is_first = MAX_ANSWER + _PIECE, True
    for packed in pieces:
        allowance -= len(packed)
        if allowance < 0:
            raise DecodeError
        left = packed
        while left:
            if time.monotonic() > deadline:
                raise TimeoutError
            if unpacker.eof:  # another may follow, or what is none
                unpacker, is_first = zlib.decompressobj(ANY_PACKING), False
            try:
                if piece := unpacker.decompress(left, _PIECE):
                    yield piece
            except zlib.error:
                if is_first:
                    raise DecodeError from None
                break
            left = unpacker.unconsumed_tail or unpacker.unused_data


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


def _check(answered: Answered, token: Secret, address: Address) -> None:
    """Raise the failure that an answer stands for, if its status is not 200."""
    if answered.status == _OK:
        if len(answered.body) > MAX_ANSWER:
            raise BridgeError(
                Failure.TOO_LARGE,
                f"over {MAX_ANSWER} bytes",
                status=_OK,
                reused=answered.reused,
            )
        return
    known = _by_who_answered(answered, address)
    if known.failure is Failure.REFUSED_TOKEN and has_expired(token, time.time()):
        known = BridgeError(
            Failure.EXPIRED_TOKEN,
            known.detail,
            status=known.status,
            reused=answered.reused,
        )
    raise known


def no_event(
    reply: Reply, reject: Callable[[Answered], NoReturn], why: BridgeError
) -> BridgeError:
    """Return what an answer with status 200 that is no event means.

    Args:
        reply: The answer.
        reject: Raises what it means; see `HomeAssistant.reject`.
        why: What it lacks; that is all, where nobody is known by it.
    """
    if why.failure is not Failure.NOT_AN_EVENT:
        return why
    try:
        reject(Answered(_OK, reply.headers, reply.body, reply.reused))
    except BridgeError as known:
        return why if known.failure is Failure.NOT_AN_EVENT else known


def _by_who_answered(answered: Answered, address: Address) -> BridgeError:
    from ha_bridge import answerers  # noqa: PLC0415 - what goes well needs none

    answer = answerers.describe(
        answered.status, answered.headers, answered.body, address
    )
    said = [f"HTTP {answer.status}"]
    if answer.server:
        said.append(f"by {answer.server!r}")
    if answer.target:
        said.append(f"to {answer.target}")
    elif answer.location:
        # Only the host: the rest of the address may be meant for one reader.
        host = answer.location.split("/")[2]
        said.append(f"to {answerers.cut(host, 80)!r}")
    failure = answerers.who(answer).failure
    return BridgeError(
        failure, " ".join(said), status=answer.status, reused=answered.reused
    )


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


def _failure_of(error: Exception, *, reused: bool | None) -> tuple[BridgeError, bool]:
    """Return what an exception of the network means, and whether that may pass."""
    from ha_bridge.network_errors import what  # noqa: PLC0415 - what goes well needs none

    # urllib3 wraps what happens while it reads a body; the cause tells more.
    cause = error.__cause__
    if not isinstance(cause, OSError | HTTPException):
        cause = error
    row = what(cause)
    return BridgeError(row.failure, _reason(cause), reused=reused), row.name in _PASSING


def _reason(error: Exception) -> str:
    """Return what the system says of an error; nothing in it comes from a directive."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or ""
    return (
        (error.strerror or "") if isinstance(error, OSError) else type(error).__name__
    )
