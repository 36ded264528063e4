"""A child process: forwards TCP with a round trip's delay, counts, and breaks it.

It runs as a script, prints its port, and answers commands over its pipes: one JSON
object a line.  With a certificate it ends TLS, where there is no nginx to do so.
"""

import argparse
import asyncio
import contextlib
import ctypes
import json
import socket
import ssl
import struct
import sys
from dataclasses import dataclass
from typing import Any

#: Linux: a socket's packet filter, and the program "return 0": drop them all, before
#: TCP acknowledges anything.  https://docs.kernel.org/networking/filter.html
SO_ATTACH_FILTER = 26
DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)


@dataclass(eq=False)
class Relayed:
    """One connection through the relay."""

    client: asyncio.StreamWriter
    home: asyncio.StreamWriter
    is_swallowing: bool = False

    def drop_packets(self) -> None:
        """Let the client's packets vanish."""
        program = ctypes.create_string_buffer(DROP_ALL)
        pointer = struct.pack("HP", 1, ctypes.addressof(program))
        sock = self.client.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer)

    def reset(self) -> None:
        """End it as a home does that has restarted: its kernel knows nothing of it."""
        sock = self.client.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.transport.abort()


class Relay:
    """Forwards to a port on loopback.

    Args:
        port: Where to forward.
        rtt: Seconds a round trip takes.
    """

    def __init__(self, port: int, rtt: float) -> None:
        self._port = port
        self._rtt = rtt
        self._open: set[Relayed] = set()
        self._counts = {"up": 0, "down": 0, "connections": 0}

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Forward one connection both ways until it ends."""
        # The kernel has completed connect() at once.  Over a real network it would
        # have come back a round trip later, and no byte would have been sent before.
        connected = asyncio.get_running_loop().time() + self._rtt
        self._counts["connections"] += 1
        try:
            home, home_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.close()
            return
        pair = Relayed(writer, home_writer)
        self._open.add(pair)
        await asyncio.gather(
            self._pump(pair, reader, home_writer, "up", connected),
            self._pump(pair, home, writer, "down", 0.0),
        )
        self._open.discard(pair)
        for end in (writer, home_writer):
            end.close()

    async def _pump(
        self,
        pair: Relayed,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        way: str,
        not_before: float,
    ) -> None:
        now = asyncio.get_running_loop().time
        chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sender = asyncio.create_task(self._send(pair, chunks, writer))
        while not sender.done():
            try:
                data = await reader.read(65536)
            except OSError:
                data = b""
            self._counts[way] += len(data)
            chunks.put_nowait((max(now(), not_before) + self._rtt / 2, data))
            if not data:
                break
        await sender

    async def _send(
        self,
        pair: Relayed,
        chunks: asyncio.Queue[tuple[float, bytes]],
        writer: asyncio.StreamWriter,
    ) -> None:
        now = asyncio.get_running_loop().time
        with contextlib.suppress(OSError):
            while True:
                due, data = await chunks.get()
                await asyncio.sleep(due - now())
                if not data:
                    break
                if not pair.is_swallowing:
                    writer.write(data)
                    await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
            else:
                writer.close()

    def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what the parent wants; return the counts."""
        for pair in self._open:
            if pair.client.is_closing():
                continue
            match command["do"]:
                case "close":  # as a home does that ends idle connections
                    pair.home.write_eof()
                case "swallow":
                    pair.is_swallowing = True
                case "drop":
                    pair.drop_packets()
                case "reset":
                    pair.reset()
        return self._counts


async def run() -> None:
    """Serve until the pipe is closed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--rtt", type=float, default=0.0)
    parser.add_argument("--certificate")
    options = parser.parse_args()
    tls = None
    if options.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.minimum_version = ssl.TLSVersion.TLSv1_3
        tls.load_cert_chain(options.certificate)
    relay = Relay(options.port, options.rtt)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0, ssl=tls)
    ended = asyncio.Event()

    def obey() -> None:
        if line := sys.stdin.readline():
            _say(relay.obey(json.loads(line)))
        else:
            ended.set()

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), obey)
    _say({"port": server.sockets[0].getsockname()[1]})
    await ended.wait()


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(run())
