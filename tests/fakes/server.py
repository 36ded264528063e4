"""A server on a real loopback socket that answers each request as it is told.

A behaviour is a function of the `Exchange`: it has the request and the bare socket and
may send whatever it likes, as slowly as it likes, or nothing.  The first request gets
the first behaviour, and so on; the last one serves all that follow.
"""

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BufferedReader
from typing import Any, Self

from tests.fakes import paths


@dataclass(frozen=True)
class Request:
    """What reached the server, and over which of its connections."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Hangup(Exception):  # noqa: N818 - no error: how a behaviour ends a connection
    """The behaviour wants the connection closed, or the client has closed it."""


class Malformed(Exception):  # noqa: N818
    """What came is no HTTP request."""


@dataclass
class Exchange:
    """One request, its socket, and the end of the test."""

    request: Request
    sock: socket.socket
    server: "Server"

    @property
    def stopping(self) -> threading.Event:
        return self.server.stopping

    def send(self, data: bytes) -> None:
        self.server.bytes_sent += len(data)
        try:
            self.sock.sendall(data)
        except OSError:
            raise Hangup from None

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end of the test."""
        if self.stopping.wait(seconds):
            raise Hangup

    def vanish(self) -> None:
        """Let every further packet to this connection be lost, without a word."""
        paths.lose_all(self.sock)

    def reset(self) -> None:
        """End the connection with a RST instead of a FIN."""
        _reset(self.sock)
        raise Hangup


Behaviour = Callable[[Exchange], None]


@dataclass
class Server:
    """Use as a context manager; `url` is its address.

    Args:
        behaviours: What to do with the requests, in their order.
        tls: Speak TLS with this context.
        on_accept: Called with each new socket before anything is read; it may close
            it, or block on `stopping`.
        host: The name that stands in `url`.
        port: Where to listen; 0 is a free one.
        bind: The address to listen at.
        opens_after: Seconds in which connections are refused at first.
    """

    behaviours: tuple[Behaviour, ...]
    tls: ssl.SSLContext | None = None
    on_accept: Callable[[socket.socket, threading.Event], None] | None = None
    host: str = "127.0.0.1"
    port: int = 0
    bind: str = "127.0.0.1"
    opens_after: float = 0.0
    requests: list[Request] = field(default_factory=list)
    bytes_sent: int = 0
    connections: int = 0

    def __post_init__(self) -> None:
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[int, socket.socket] = {}
        self._threads: list[threading.Thread] = []
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.bind, self.port))
        self.port = self.listener.getsockname()[1]
        if not self.opens_after:
            self.listener.listen(128)

    @property
    def url(self) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{self.host}:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_why: object) -> None:
        self.stopping.set()
        self.stop_listening()
        self.drop_connections()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "a behaviour did not end"

    def stop_listening(self) -> None:
        """Refuse new connections from now on."""
        with contextlib.suppress(OSError):  # it has stopped before, or never began
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def drop_connections(self, *, reset: bool = False) -> None:
        """End every open connection."""
        with self._lock:
            for sock in self._open.values():
                _end(sock, with_reset=reset)

    def open_connections(self) -> dict[int, socket.socket]:
        """Return this end of each connection that neither side has ended, by number.

        Raises:
            LookupError: There is none.
        """
        with self._lock:
            found = {
                number: sock
                for number, sock in sorted(self._open.items())
                if paths.is_established(sock)
            }
        if not found:
            raise LookupError("no connection is open")
        return found

    def newest(self) -> int:
        """Return the number of the newest connection that is open."""
        return max(self.open_connections())

    def end(self, number: int, *, with_reset: bool = False) -> None:
        """End a connection, if it has not ended yet, and wait until it has."""
        with self._lock:
            if sock := self._open.get(number):
                _end(sock, with_reset=with_reset)
        while number in self._open:
            time.sleep(0.001)

    def end_unseen(self, *, with_reset: bool = False) -> paths.ClientEnd:
        """End the newest connection, and let the client not hear of it.

        Returns:
            The end of the client, deaf until it is healed.
        """
        number = self.newest()
        client = paths.ClientEnd.of(self.open_connections()[number])
        client.lose_all()
        self.end(number, with_reset=with_reset)
        return client

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        if self.opens_after and not self.stopping.wait(self.opens_after):
            self.listener.listen(128)
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                number = self.connections
                self._open[number] = sock
            self._start(self._serve, sock, number)

    def _serve(self, raw: socket.socket, number: int) -> None:
        sock = raw
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.on_accept:
                self.on_accept(sock, self.stopping)
            if self.tls:
                sock = self.tls.wrap_socket(
                    raw, server_side=True, do_handshake_on_connect=False
                )
                with self._lock:
                    self._open[number] = sock
                sock.do_handshake()
            with sock.makefile("rb") as stream:
                while request := _read_request(stream, number):
                    with self._lock:
                        self.requests.append(request)
                        index = min(len(self.requests), len(self.behaviours)) - 1
                    self.behaviours[index](Exchange(request, sock, self))
        except Malformed:
            with contextlib.suppress(OSError):
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        except (Hangup, OSError, ValueError):
            pass
        finally:
            with self._lock:
                sock.close()
                del self._open[number]


def _read_request(stream: BufferedReader, connection: int) -> Request | None:
    """Return the next request, or None where it ends before it is whole."""
    first = stream.peek(1)[:1]
    if not first:
        return None
    if not first.isalpha():  # such as the start of a TLS handshake
        raise Malformed
    start = stream.readline().decode("latin-1").split()
    if len(start) != 3:
        raise Malformed
    headers: dict[str, str] = {}
    while (entry := stream.readline().decode("latin-1")) not in ("\r\n", "\n"):
        if not entry.endswith("\n"):
            return None
        name, _, value = entry.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    body = stream.read(length)
    if len(body) < length:
        return None
    return Request(start[0], start[1], headers, body, connection)


def _end(sock: socket.socket, *, with_reset: bool) -> None:
    if with_reset:
        _reset(sock)
    else:
        _shut(sock)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Of the bare socket: an SSLSocket's own would lose its TLS state.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _reset(sock: socket.socket) -> None:
    """Let the close be a RST, and wake the thread that reads, which closes."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.shutdown(sock, socket.SHUT_RD)
