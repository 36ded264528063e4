"""Sockets to Home Assistant: opened in time, bound by it, witnesses of what arrived."""

import contextlib
import errno
import math
import os
import selectors
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from ha_bridge.errors import BridgeError
from ha_bridge.race import Race
from ha_bridge.redaction import Secret
from ha_bridge.settings import Address, Settings

#: Seconds after which an idle connection is not used again: a minute, which is how
#: often KeepWarm comes, and what its schedule may be late.  Proxies close after 60 to
#: 75 s, and whatever sits between forgets in silence.
MAX_IDLE_S: Final = 63.0

#: Seconds after which the next address of a name is tried beside the one that has not
#: answered yet (RFC 8305, section 5, has 0.25).
STAGGER_S: Final = 0.25

#: Seconds that the attempt ahead may take in all, which is longer than any directive
#: waits; and after which the directive tries a second time beside it.
AHEAD_S: Final = 10.0
AHEAD_PATIENCE_S: Final = 2.0

#: Errors that tell of this machine rather than of the home, such as no IPv6 here.
_OURS: Final = frozenset(
    {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.ENETUNREACH, errno.EPROTONOSUPPORT}
)

#: SO_LINGER with no time: closing sends a RST, and the kernel forgets what it has not
#: delivered.  https://man7.org/linux/man-pages/man7/socket.7.html
_ABORT: Final = (1).to_bytes(4, sys.byteorder) + bytes(4)
_NO_LINGER: Final = bytes(8)

#: Seconds that an acknowledgment may be delayed by the other side's kernel (RFC 1122,
#: 4.2.3.2, has 0.5 at the most; Linux and Windows wait 0.2).
_DELAYED_S: Final = 0.25

#: The fields of struct tcp_info that tell it: tcpi_last_data_sent in ms, tcpi_rtt in
#: us, tcpi_bytes_acked, tcpi_notsent_bytes, tcpi_bytes_sent and tcpi_bytes_retrans; and
#: what opening a connection adds to those acknowledged.
#: https://github.com/torvalds/linux/blob/master/include/uapi/linux/tcp.h
_TCP_INFO: Final = struct.Struct("=44x I 20x I 48x Q 16x I 52x Q Q")
_SYN: Final = 1

#: Bytes that a look whether there is an answer reads of it, as many as `http.client`.
_EARLY: Final = 8192

#: Resolves a name, as socket.getaddrinfo.
Resolve = Callable[..., list[Any]]


class Peer(NamedTuple):
    """One address behind a name, as socket.getaddrinfo has it."""

    family: socket.AddressFamily
    sockaddr: Any


class _Counters(NamedTuple):
    """How many bytes a connection has carried so far."""

    written: int
    acknowledged: int
    quiet_s: float
    """Seconds since an acknowledgment of the last packet could have been here."""


def _counters(sock: socket.socket) -> _Counters | None:
    """Return what the kernel knows; None where it tells nothing, which is not Linux.

    It still tells after a reset, until the socket is closed.
    """
    if sys.platform != "linux":
        return None
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    if len(info) < _TCP_INFO.size:  # before Linux 4.19
        return None
    last_ms, round_trip_us, acknowledged, unsent, sent, again = _TCP_INFO.unpack(info)
    written = sent - again + unsent + _SYN
    return _Counters(written, acknowledged, last_ms / 1e3 - round_trip_us / 1e6)


class TooMuchError(Exception):
    """More was sent than is read."""


class _Bound(socket.socket):
    """A socket whose reads and writes end before a deadline, and that keeps evidence.

    A timeout bounds a single read, so a server that sends a byte a second would never
    meet it.  `http.client` reads through `recv_into` and writes through `sendall`, and
    it closes the socket before its exception arrives: hence what is noted in `close`.
    """

    deadline: float = 0.0
    """In seconds of time.monotonic."""
    idle_since: float = 0.0
    """When the last answer was complete, in seconds of time.time."""
    has_ended = False
    """Whether the other side has sent all it will."""
    allowance: float = math.inf
    """Bytes that may still be read; what is read at once may be more by a buffer."""
    _is_asking = False
    _before: _Counters | None = None
    _has_arrived = False
    _early = b""

    def begin(self, deadline: float) -> None:
        """Start a request: until `finish`, closing aborts, and what arrives is noted.

        Raises:
            OSError: The socket is closed.
        """
        self.deadline = deadline
        self._is_asking, self._has_arrived = True, False
        self._before = _counters(self)

    def finish(self) -> None:
        """The answer is complete: the connection is idle from now on."""
        self.idle_since = time.time()
        self._is_asking = False

    def has_arrived(self) -> bool:
        """Return whether the other side may have a byte of the request.

        A kernel may keep back the acknowledgment of one packet, but hardly that of two
        (Linux: at the latest when both were read), which is why the request is sent as
        head and body: what was not acknowledged when a connection ends was not read.
        """
        try:
            now = _counters(self)
        except OSError:  # closed, and noted before
            return self._has_arrived
        self._has_arrived = (
            now is None
            or self._before is None
            or now.acknowledged > self._before.written
        )
        return self._has_arrived

    def may_be_acknowledged_in(self) -> float:
        """Return for how many seconds an acknowledgment of what was sent may come.

        What TCP has sent again goes as one packet, and that may be acknowledged late.
        """
        now = _counters(self)
        return _DELAYED_S - now.quiet_s if now else 0.0

    def close(self) -> None:
        """Close; what was to be known of the request is known afterwards too."""
        if self._is_asking:
            self.has_arrived()
        else:  # nothing is under way: a polite end
            with contextlib.suppress(OSError):  # it is closed
                self.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        super().close()

    def abort(self) -> None:
        """End it from another thread, and wake the one that reads, which closes."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self, socket.SHUT_RDWR)
        patience = time.monotonic() + 0.2
        while self.fileno() >= 0 and time.monotonic() < patience:
            time.sleep(0.001)

    def _bind(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.settimeout(left)

    def answers_before(self, until: float) -> bool:
        """Return whether the answer, or the end, comes before a time.

        It is read for that, because session tickets are bytes on the wire too.

        Raises:
            OSError: The connection broke off.
        """
        if not self._early:
            self.settimeout(max(min(until, self.deadline) - time.monotonic(), 0.001))
            try:
                self._early = super().recv(_EARLY)
            except TimeoutError:
                return False
        return True

    def _take_early(self, size: int) -> bytes:
        taken, self._early = self._early[:size], self._early[size:]
        return taken

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        return self._take_early(buflen) if self._early else super().recv(buflen, flags)

    def recv_into(self, buffer: Any, *args: Any, **kwargs: Any) -> int:
        if self._early:
            taken = self._take_early(len(buffer))
            buffer[: len(taken)] = taken
            return len(taken)
        if self.allowance <= 0:
            raise TooMuchError
        self._bind()
        size = super().recv_into(buffer, *args, **kwargs)
        self.allowance -= size
        self.has_ended = size == 0
        return size

    def send(self, *args: Any, **kwargs: Any) -> int:
        self._bind()
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self._bind()
        return super().sendall(*args, **kwargs)


class PlainSocket(_Bound):
    """TCP only, for tests on one's own network."""


class TLSSocket(_Bound, ssl.SSLSocket):
    """TLS over TCP."""


#: What `Connector.open` gives.
Socket = PlainSocket | TLSSocket


def is_fit(sock: Socket) -> bool:
    """Return whether a connection that has lain idle may be used."""
    # Wall clock: it goes on while Lambda has the environment frozen.
    return 0 <= time.time() - sock.idle_since < MAX_IDLE_S and is_quiet(sock)


def is_quiet(sock: Socket) -> bool:
    """Return whether nothing has come in since the last answer.

    An end of file, or bytes that nobody asked for, mean that a kept connection must
    not be used again.  TLS 1.3 session tickets are no bytes in this sense: `recv`
    digests them, where a look at the bare socket would take them for data.
    """
    sock.settimeout(0)
    try:
        sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    return False


def resolve_name(
    host: str, port: int, deadline: float, resolve: Resolve | None = None
) -> list[Peer]:
    """Return the addresses behind a name, in the system's order.

    Args:
        deadline: When to give up, in seconds of time.monotonic.
        resolve: In place of the system's.

    Raises:
        OSError: There is none (gaierror), or it took too long.
    """

    def ask() -> list[Peer]:
        # As bytes: for a text Python would load its tables for international names.
        name = host.encode()
        try:
            found = (resolve or socket.getaddrinfo)(name, port, type=socket.SOCK_STREAM)
        except UnicodeError:  # an empty label, or one of over 63 letters
            raise socket.gaierror(socket.EAI_NONAME, "no valid name") from None
        return list(dict.fromkeys(Peer(one[0], one[4]) for one in found))

    return Race(ask).winner(deadline)


def connect(peers: list[Peer], deadline: float) -> PlainSocket:
    """Return a connection to the first address that answers.

    They are tried side by side, each a little after the one before, so that a dead one
    costs no more than that; a single one has all the time there is.

    Args:
        deadline: When to give up, in seconds of time.monotonic.

    Raises:
        OSError: None answered; the first error of the home's, not of this machine's.
    """
    waiting, errors, next_at = list(peers), list[OSError](), 0.0
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or selector.get_map():
                now = time.monotonic()
                if now >= deadline:
                    errors.append(TimeoutError())
                    break
                if waiting and (now >= next_at or not selector.get_map()):
                    try:
                        selector.register(_begun(waiting.pop(0)), selectors.EVENT_WRITE)
                    except OSError as error:
                        errors.append(error)
                    next_at = now + STAGGER_S
                    continue
                until = min(deadline, next_at) if waiting else deadline
                for key, _ in selector.select(until - now):
                    selector.unregister(key.fileobj)
                    sock: PlainSocket = key.fileobj  # type: ignore[assignment]  # ours
                    if not (
                        code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    ):
                        sock.deadline = deadline
                        return sock
                    sock.close()
                    errors.append(OSError(code, os.strerror(code)))
        finally:
            for key in selector.get_map().values():
                key.fileobj.close()  # type: ignore[union-attr]  # ours
    raise min(errors, key=lambda error: error.errno in _OURS)


def _begun(peer: Peer) -> PlainSocket:
    sock = PlainSocket(peer.family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(0)
        code = sock.connect_ex(peer.sockaddr)
        if code not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            raise OSError(code, os.strerror(code))
    except BaseException:
        sock.close()
        raise
    return sock


def secure(sock: Socket, context: ssl.SSLContext, host: str) -> TLSSocket:
    """Return the connection with TLS, before its deadline; if that fails it is closed.

    Raises:
        OSError: ssl.SSLError in most cases.
    """
    context.sslsocket_class = TLSSocket
    try:
        sock.settimeout(max(sock.deadline - time.monotonic(), 0.001))
        secured: TLSSocket = context.wrap_socket(sock, server_hostname=host.encode())  # type: ignore[assignment]  # see sslsocket_class
    except BaseException:
        sock.close()
        raise
    secured.deadline = sock.deadline
    return secured


class Gate(Protocol):
    """What opens a closed home; see `gate.Gate`, which few homes load."""

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the variables that are set."""

    @property
    def closes(self) -> bool:
        """Whether a home that needs these should be closed to all others."""

    @property
    def must_ask(self) -> bool:
        """Whether AWS must be asked for one of them."""

    def resolve(self, deadline: float) -> None:
        """Have all of them ready."""

    def headers(self, deadline: float) -> Mapping[str, str]:
        """Return the headers to send with each request."""

    def context(self, deadline: float, *, shows: bool = True) -> ssl.SSLContext:
        """Return a new TLS context of a client."""

    def forget(self) -> None:
        """Read each reference anew when it is needed next."""

    def judge(self, error: BridgeError) -> BridgeError:
        """Return what a failure means where these settings are given."""

    def describe(self, deadline: float) -> dict[str, Any]:
        """Return what may be told of the settings."""

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must not be shown, as far as it is known by now."""

    def hide(self, text: str) -> str:
        """Return a text without the values of the headers."""


def tls_context(
    gate: Gate | None, deadline: float, *, shows: bool = True
) -> ssl.SSLContext:
    """Return a new TLS context of a client, as the bridge and the probe both use it.

    Args:
        gate: What opens a closed home, if it is one.
        deadline: When to give up, in seconds of time.monotonic.
        shows: Whether a client certificate is shown, if there is one.

    Raises:
        BridgeError: A setting of the gate is wrong, or cannot be had.
    """
    if gate is None:
        context = ssl.create_default_context()
    else:
        context = gate.context(deadline, shows=shows)
    context.set_alpn_protocols(["http/1.1"])
    return context


class Connector:
    """Opens connections to one address, the first of them ahead of need.

    Args:
        address: Where to.
        verify_tls: Whether the server's certificate is checked.
        gate: What opens a closed home.
    """

    def __init__(
        self, address: Address, *, verify_tls: bool = True, gate: Gate | None = None
    ) -> None:
        self.address = address
        self.gate = gate
        self._verify_tls = verify_tls
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._ahead: Race[Socket] | None = None
        self._ahead_since = 0.0
        self._answered: Any = None

    @classmethod
    def for_settings(cls, settings: Settings) -> "Connector":
        """Return one that has all that the settings say of the way."""
        opener = None
        if settings.gate:
            from ha_bridge import gate  # noqa: PLC0415 - few homes are closed

            opener = gate.Gate(settings.gate)
        return cls(settings.address, verify_tls=settings.verify_tls, gate=opener)

    def open_ahead(self) -> None:
        """Begin to connect, and parse the certificates while the network works.

        Called at import, it hides connect and handshake behind the heavier imports.
        """
        # What goes wrong here must not fail the import: the directive will meet it
        # again, and is answered.
        with contextlib.suppress(BridgeError, OSError, RuntimeError):
            self._ahead_since = time.time()
            deadline = time.monotonic() + AHEAD_S
            self._ahead = Race(partial(self.open, deadline))
            # What AWS must be asked for is waited for in the thread, not here.
            if self.address.is_tls and not (self.gate and self.gate.must_ask):
                self._tls_context(deadline)

    def take_ahead(self, deadline: float) -> Socket | None:
        """Return the connection opened ahead, once, if it is there and fit.

        One that is long in coming is not given up: another is tried beside it.

        Args:
            deadline: When to give up, in seconds of time.monotonic.
        """
        # Lambda may have prepared this environment hours before it was needed.
        if not 0 <= time.time() - self._ahead_since < MAX_IDLE_S:
            self.drop_ahead()
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return None
        try:
            if not ahead.is_decided(min(deadline, time.monotonic() + AHEAD_PATIENCE_S)):
                ahead.add(partial(self.open, deadline))
            sock = ahead.winner(deadline)
        except (BridgeError, OSError):
            return None  # perhaps long ago: what counts is how it is now
        if is_fit(sock):
            return sock
        sock.close()
        return None

    def drop_ahead(self) -> None:
        """Close the connection opened ahead, or end the attempt."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.cancel()

    def open(self, deadline: float) -> Socket:
        """Return a newly connected socket.

        Args:
            deadline: When to give up, in seconds of time.monotonic.

        Raises:
            TimeoutError: It took longer: resolving, connecting and TLS in all.
            OSError: It failed: gaierror, SSLError, ConnectionError and the like.
            BridgeError: A setting that TLS or the request needs is wrong, or is kept
                where it cannot be had.
        """
        host = self.address.host
        asked = self._ask_aws(deadline)
        found = resolve_name(host, self.address.port, deadline)
        # The one that answered last time first, and the others in their order.
        found.sort(key=lambda peer: peer.sockaddr != self._answered)
        sock: Socket = connect(found, deadline)
        try:
            answered = sock.getpeername()
            if asked is not None:
                asked.winner(deadline)
            context = self._tls_context(deadline) if self.address.is_tls else None
        except BaseException:
            sock.close()
            raise
        if context is not None:
            sock = secure(sock, context, host)
        self._answered = answered
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        sock.idle_since = time.time()
        return sock

    def forget(self) -> None:
        """Make all anew when it is needed next: what the gate was shown was refused."""
        if self.gate is not None:
            self.gate.forget()
            self._context = None
            self.drop_ahead()

    def _ask_aws(self, deadline: float) -> "Race[None] | None":
        """Begin to ask for what is kept in AWS, beside the connecting."""
        if self.gate is None or not self.gate.must_ask:
            return None
        return Race(partial(self.gate.resolve, deadline))

    def _tls_context(self, deadline: float) -> ssl.SSLContext:
        # Parsing a hundred authorities is the dearest step of a cold start: once.
        with self._lock:
            context = self._context
            if context is None:
                context = tls_context(self.gate, deadline)
                if not self._verify_tls:
                    context.check_hostname = False
                    context.verify_mode = ssl.CERT_NONE
                self._context = context
            return context
