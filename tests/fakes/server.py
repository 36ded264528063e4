"""A server on a real loopback socket that answers each request as it is told.

A behaviour is a function of the `Exchange`: it has the request and the bare socket and
may send whatever it likes, as slowly as it likes, or nothing.  The first request gets
the first behaviour, and so on; the last one serves all that follow.
"""

import contextlib
import ctypes
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BufferedReader
from typing import Any, Self


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
        _drop_packets(self.sock)

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
    """

    behaviours: tuple[Behaviour, ...]
    tls: ssl.SSLContext | None = None
    on_accept: Callable[[socket.socket, threading.Event], None] | None = None
    host: str = "127.0.0.1"
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    bytes_sent: int = 0
    connections: int = 0

    def __post_init__(self) -> None:
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]

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
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has stopped before
        self._listener.close()

    def drop_connections(self, *, reset: bool = False) -> None:
        """End every open connection."""
        with self._lock:
            for sock in self._open:
                if reset:
                    _reset(sock)
                else:
                    _shut(sock)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(sock)
                number = self.connections
            self._start(self._serve, sock, number)

    def _serve(self, raw: socket.socket, number: int) -> None:
        sock = raw
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.on_accept:
                self.on_accept(sock, self.stopping)
            if self.tls:
                sock = self.tls.wrap_socket(raw, server_side=True)
                with self._lock:
                    self._open.discard(raw)
                    self._open.add(sock)
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
                self._open.discard(sock)
                sock.close()


def _read_request(stream: BufferedReader, connection: int) -> Request | None:
    first = stream.peek(1)[:1]
    if not first:
        return None
    if not first.isalpha():  # such as the start of a TLS handshake
        raise Malformed
    start = stream.readline().decode("latin-1").split()
    if len(start) != 3:
        raise Malformed
    headers: dict[str, str] = {}
    while (entry := stream.readline().decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = entry.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(start[0], start[1], headers, body, connection)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Of the bare socket: an SSLSocket's own would lose its TLS state.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _reset(sock: socket.socket) -> None:
    """Let the close be a RST, and wake the thread that reads, which closes."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.shutdown(sock, socket.SHUT_RD)


def _drop_packets(sock: socket.socket) -> None:
    # A socket filter that lets nothing pass works below TCP, so that not even an ACK
    # goes back: what a path that has vanished looks like. BPF: `ret #0`.
    program = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
    filter_ = struct.pack("HL", 1, ctypes.addressof(program))
    so_attach_filter = 26
    sock.setsockopt(socket.SOL_SOCKET, so_attach_filter, filter_)
