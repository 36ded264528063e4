"""A child process: one of the contenders, measured from inside.

It runs as a script in the Python of the function, sees nothing of this package, and
answers commands over its pipes: one JSON object a line.
"""

import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

with contextlib.suppress(ImportError):
    # What Lambda's runtime has loaded before any function; absent off Linux.
    import awslambdaric.bootstrap  # noqa: F401

Json = dict[str, Any]

#: Where Home Assistant takes directives.
PATH = "/api/alexa/smart_home"


class Contender(Protocol):
    """What is compared."""

    def load(self) -> None:
        """Do what is done once, at import."""

    def ask(self, directive: Json) -> bool:
        """Bring a directive to Home Assistant; return whether it was answered."""


class Bridge:
    """This project's handler, as Lambda calls it."""

    def load(self) -> None:
        """Import the function."""
        from lambda_function import lambda_handler  # noqa: PLC0415 - it is measured

        self._handler = lambda_handler

    def ask(self, directive: Json) -> bool:
        """Call the handler."""
        answer = self._handler(directive["event"], self)
        return bool(answer["event"]["header"]["name"] != "ErrorResponse")

    def get_remaining_time_in_millis(self) -> int:
        """Stand in for Lambda's context."""
        return 9000

    def record(self, directive: Json) -> str:
        """Return the bytes that the handler sends for a directive."""
        import ssl  # noqa: PLC0415

        sent: list[bytes] = []
        send = ssl.SSLSocket.send

        def recorded(sock: ssl.SSLSocket, data: Any, flags: int = 0) -> int:
            count = send(sock, data, flags)
            sent.append(bytes(data)[:count])
            return count

        ssl.SSLSocket.send = recorded  # type: ignore[assignment,method-assign]
        try:
            self.ask(directive)
        finally:
            ssl.SSLSocket.send = send  # type: ignore[method-assign]
        return b"".join(sent).decode("latin-1")


class PerDirective:
    """What scripts to be pasted into Lambda do: a urllib3 client for each directive."""

    def load(self) -> None:
        """Import urllib3."""
        import urllib3  # noqa: PLC0415 - it is measured

        self._urllib3 = urllib3
        self._url = os.environ["BASE_URL"] + PATH

    def ask(self, directive: Json) -> bool:
        """Make a client, post, decode; client and connection are then dropped."""
        event = directive["event"]
        body = event["directive"]
        scope = body.get("endpoint", body["payload"])["scope"]
        http = self._urllib3.PoolManager(
            cert_reqs="CERT_REQUIRED",
            timeout=self._urllib3.Timeout(connect=2.0, read=10.0),
        )
        response = http.request(
            "POST",
            self._url,
            headers={
                "Authorization": f"Bearer {scope['token']}",
                "Content-Type": "application/json",
            },
            body=json.dumps(event).encode(),
        )
        return "event" in json.loads(response.data.decode())


class Limit:
    """A bare TLS socket, kept open, that posts given bytes and reads what comes.

    It parses nothing and decodes nothing.  All that can be done before the first
    directive is done at import, one step after the other.
    """

    def load(self) -> None:
        """Import what a TLS socket needs, read the authorities, and connect."""
        import socket  # noqa: PLC0415 - it is measured
        import ssl  # noqa: PLC0415

        self._socket, self._ssl = socket, ssl
        host, _, port = os.environ["BASE_URL"].removeprefix("https://").partition(":")
        self._address = (host, int(port))
        self._context = ssl.create_default_context()
        self._connect()

    def ask(self, directive: Json) -> bool:
        """Post the bytes, over the kept socket if it still lives."""
        request = directive["request"].encode("latin-1")
        if self._has_ended():
            self._connect()
        self._sock.sendall(request)
        answer = b""
        while not _is_whole(answer):
            answer += self._sock.recv(65536)
        return answer.startswith(b"HTTP/1.1 200")

    def _connect(self) -> None:
        raw = self._socket.create_connection(self._address, 10)
        raw.setsockopt(self._socket.IPPROTO_TCP, self._socket.TCP_NODELAY, 1)
        host = self._address[0]
        self._sock = self._context.wrap_socket(raw, server_hostname=host)

    def _has_ended(self) -> bool:
        self._sock.settimeout(0)
        try:
            self._sock.recv(1)
        except self._ssl.SSLWantReadError:
            self._sock.settimeout(10)
            return False
        self._sock.close()
        return True


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    _, found, length = head.lower().partition(b"content-length:")
    if found:
        return len(body) >= int(length.partition(b"\r\n")[0])
    return body.endswith(b"0\r\n\r\n")


CONTENDERS: dict[str, Callable[[], Contender]] = {
    "bridge": Bridge,
    "before": Bridge,
    "one_file": Bridge,
    "own_authority": Bridge,
    "per_directive": PerDirective,
    "limit": Limit,
}


def _set_deaf(*, deaf: bool) -> None:
    """Let every packet to our connections be lost, or none any more; Linux.

    What the other side does meanwhile is not seen here, as while Lambda has a function
    frozen.  https://docs.kernel.org/networking/filter.html
    """
    # Imported here, for what the contenders load is measured.
    import ctypes  # noqa: PLC0415
    import socket  # noqa: PLC0415
    import struct  # noqa: PLC0415

    attach, detach = 26, 27
    program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    pointer = struct.pack("HP", 1, ctypes.addressof(program))
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(entry.readlink()).startswith("socket:"):
                sock = socket.socket(fileno=int(entry.name))
                try:
                    sock.setsockopt(
                        socket.SOL_SOCKET, attach if deaf else detach, pointer
                    )
                finally:
                    sock.detach()


def _resolve_to(addresses: list[str]) -> None:
    """Let every name have these addresses, in this order."""
    import socket  # noqa: PLC0415 - what the contenders load is measured

    def resolve(_host: object, port: int, *_args: object, **_named: object) -> Any:
        kind, protocol = socket.SOCK_STREAM, socket.IPPROTO_TCP
        return [
            (socket.AF_INET, kind, protocol, "", (address, port))
            for address in addresses
        ]

    socket.getaddrinfo = resolve  # type: ignore[assignment]  # for one family only


def _timed(act: Callable[[], object]) -> Json:
    wall, cpu = time.perf_counter(), time.process_time()
    result = act()
    return {
        "s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "answered": result,
    }


def _peak_bytes() -> int:
    with contextlib.suppress(OSError):
        # getrusage would tell the parent's peak if that was higher.
        for line in Path("/proc/self/status").read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        raise NotImplementedError  # `ha-bridge bench` says so before
    import resource  # noqa: PLC0415

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _start(contender: Contender, directive: Json, group: Json | None) -> Json:
    """Import, then with little CPU answer a first directive, as a cold start does."""
    if group:
        _write(group["join"])
    started = time.perf_counter()
    loaded = _timed(contender.load)
    if group:  # only now: Lambda's init phase has a whole CPU
        _write(group["limit"])
    first = _timed(lambda: contender.ask(directive))
    both = time.perf_counter() - started
    return {**first, "import_s": loaded["s"], "first_s": first["s"], "both_s": both}


def _write(what: list[str]) -> None:
    path, text = what
    Path(path).write_text(text, "utf-8")


def main() -> None:
    """Obey commands until the pipe is closed; the argument names the contender."""
    # Lambda's runtime formats and writes the log lines; here they go nowhere.
    sink = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as we live
    logging.basicConfig(stream=sink, level=logging.INFO)
    contender = CONTENDERS[sys.argv[1]]()
    for line in sys.stdin:
        command = json.loads(line)
        match command["do"]:
            case "start":
                answer = _start(contender, command["directive"], command["group"])
            case "ask":
                answer = _timed(partial(contender.ask, command["directive"]))
            case "deaf":
                _set_deaf(deaf=command["deaf"])
                answer = {}
            case "resolve":
                _resolve_to(command["addresses"])
                answer = {}
            case "record":
                assert isinstance(contender, Bridge)  # noqa: S101
                contender.load()
                sent = [contender.record(one) for one in command["directives"]]
                answer = {"requests": sent}
            case _:
                answer = {"bytes": _peak_bytes()}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
