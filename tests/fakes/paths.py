"""What happens to packets on the way: lost, and after a while lost no more.

A socket filter works below TCP: what it drops is not even acknowledged, as where a
path has vanished. It needs no rights, and so it takes the place of a firewall here.
https://www.kernel.org/doc/Documentation/networking/filter.txt
"""

import contextlib
import ctypes
import socket
import struct
from pathlib import Path
from typing import Any, NamedTuple

_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27

#: The longest TCP header in bytes: what is longer carries data.
_HEADER = 60

#: Programs of the packet filter: code, jump if true, jump if false, operand.
_DROP_ALL = ((0x06, 0, 0, 0),)  # ret 0
_DROP_DATA = (
    (0x80, 0, 0, 0),  # ld len
    (0x25, 0, 1, _HEADER),  # jgt
    (0x06, 0, 0, 0),  # ret 0
    (0x06, 0, 0, 0xFFFF_FFFF),  # ret all of it
)


def lose_all(sock: socket.socket) -> None:
    """Let every packet to this socket be lost; of a listening one, connects too."""
    _attach(sock, _DROP_ALL)


def lose_data(sock: socket.socket) -> None:
    """Let every packet with data be lost; what is accepted here inherits it."""
    _attach(sock, _DROP_DATA)


def heal(sock: socket.socket) -> None:
    """Lose nothing any more; a socket that has ended is none's concern."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)


def is_established(sock: socket.socket) -> bool:
    """Return whether neither side has ended a connection, as far as this end knows."""
    with contextlib.suppress(OSError):
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == b"\x01"
    return False


def _attach(
    sock: socket.socket, program: tuple[tuple[int, int, int, int], ...]
) -> None:
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    held = ctypes.create_string_buffer(code)
    pointer = struct.pack("HL", len(program), ctypes.addressof(held))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, pointer)


class ClientEnd(NamedTuple):
    """The client's end of a connection; the client is in this process.

    It belongs to the bridge, so it is looked up each time and let go at once: a second
    handle on it would keep it open after the bridge has closed it.
    """

    local: Any
    remote: Any

    @classmethod
    def of(cls, server_end: socket.socket) -> "ClientEnd":
        """Return the end that this end of a server talks to."""
        return cls(server_end.getpeername(), server_end.getsockname())

    def lose_all(self) -> None:
        """Let every packet to the client be lost, a FIN or a RST too."""
        with self._borrowed() as sock:
            lose_all(sock)

    def heal(self) -> None:
        """Lose nothing any more, if it is still open."""
        with contextlib.suppress(LookupError), self._borrowed() as sock:
            heal(sock)

    @contextlib.contextmanager
    def _borrowed(self) -> Any:
        for entry in Path("/proc/self/fd").iterdir():
            number = int(entry.name)
            with contextlib.suppress(OSError):
                if not str(entry.readlink()).startswith("socket:"):
                    continue
                sock = socket.socket(fileno=number)
                try:
                    ends = sock.getsockname(), sock.getpeername()
                    if ends == tuple(self):
                        yield sock
                        return
                finally:
                    sock.detach()
        raise LookupError(f"no socket from {self.local} to {self.remote} here")
