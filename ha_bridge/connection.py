"""Sockets to Home Assistant: opened within a time, and bound by a deadline."""

import contextlib
import socket
import ssl
import threading
import time
from typing import Any, Final

from ha_bridge.race import Race
from ha_bridge.settings import Address

#: Seconds for one TCP connect to one address; a home that is up answers in a tenth.
CONNECT_TIMEOUT_S: Final = 2.0

#: Seconds after which an idle connection is not used again.  Proxies close after 60 to
#: 75 s, and whatever sits between forgets in silence, which costs the directive that
#: must not be sent twice.
MAX_IDLE_S: Final = 60.0

#: Seconds for the TLS handshake; a directive's deadline is nearer, but this ends it
#: where nobody waits any more.
HANDSHAKE_TIMEOUT_S: Final = 10.0

#: Milliseconds that sent bytes may stay unacknowledged before the kernel gives the
#: connection up.  It finds out kept connections whose path has vanished (the router
#: forgot them, the home address moved) without hurrying a slow Home Assistant: its
#: kernel acknowledges at once.  https://man7.org/linux/man-pages/man7/tcp.7.html
UNACKNOWLEDGED_MS: Final = 1500

_SOCKET_OPTIONS: Final = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    *(
        [(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)]
        if hasattr(socket, "TCP_USER_TIMEOUT")  # Linux only
        else []
    ),
]


class _Bound(socket.socket):
    """A socket whose reads and writes all end before one deadline.

    A timeout bounds a single read, so a server that sends a byte a second would never
    meet it.  `http.client` reads through `recv_into` and writes through `sendall`.
    """

    deadline: float = 0.0
    """In seconds of time.monotonic."""

    def _bind(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.settimeout(left)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self._bind()
        return super().recv_into(*args, **kwargs)

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


class Connector:
    """Opens connections to one address, the first of them ahead of need."""

    def __init__(self, address: Address, *, verify_tls: bool = True) -> None:
        self.address = address
        self._verify_tls = verify_tls
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._ahead: Race[Socket] | None = None
        self._ahead_since = 0.0

    def open_ahead(self) -> None:
        """Begin to connect, and parse the certificates while the network works.

        Called at import, it hides connect and handshake behind the heavier imports.
        """
        # What goes wrong here must not fail the import: the directive will meet it
        # again, and is answered.
        with contextlib.suppress(OSError, RuntimeError):
            self._ahead_since = time.time()
            self._ahead = Race(self._open)
            if self.address.is_tls:
                self._tls_context()

    def take_ahead(self, deadline: float) -> Socket | None:
        """Return the connection opened ahead, once, if it is there and fit.

        Args:
            deadline: When to give up, in seconds of time.monotonic; an attempt that is
                still busy is not waited for so long that a new one would be too late.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return None
        try:
            sock = ahead.winner(min(deadline, time.monotonic() + CONNECT_TIMEOUT_S))
        except OSError:
            return None  # perhaps long ago: what counts is how it is now
        # Lambda may have prepared this environment hours before it was needed.
        if time.time() - self._ahead_since < MAX_IDLE_S and is_quiet(sock):
            return sock
        sock.close()
        return None

    def open(self, deadline: float) -> Socket:
        """Return a newly connected socket.

        Args:
            deadline: When to give up, in seconds of time.monotonic.

        Raises:
            TimeoutError: It took longer: resolving, connecting and TLS in all.
            OSError: It failed: gaierror, SSLError, ConnectionError and the like.
        """
        return Race(self._open).winner(deadline)

    def _open(self) -> Socket:
        # As bytes: for a text Python would load its tables for international names.
        host = self.address.host.encode()
        raw = socket.create_connection(
            (host, self.address.port),  # type: ignore[arg-type]  # typeshed: str only
            CONNECT_TIMEOUT_S,
        )
        try:
            for option in _SOCKET_OPTIONS:
                raw.setsockopt(*option)
            if not self.address.is_tls:
                return PlainSocket(fileno=raw.detach())
            raw.settimeout(HANDSHAKE_TIMEOUT_S)
            return self._tls_context().wrap_socket(raw, server_hostname=host)  # type: ignore[return-value]  # see sslsocket_class
        except BaseException:
            raw.close()
            raise

    def _tls_context(self) -> ssl.SSLContext:
        # Parsing a hundred authorities is the dearest step of a cold start: once.
        with self._lock:
            if self._context is None:
                context = ssl.create_default_context()
                context.sslsocket_class = TLSSocket
                context.set_alpn_protocols(["http/1.1"])
                if not self._verify_tls:
                    context.check_hostname = False
                    context.verify_mode = ssl.CERT_NONE
                self._context = context
            return self._context
