"""Whose program is at the other end of a connection on loopback.

The address of the page is an argument of the browser that opens it, and on most
machines every account may read the arguments of every program.
"""

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

#: The kernel's tables of connections, one a line.
#: https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))

End = tuple[str, int]


def is_of_another(client: End, server: End) -> bool:
    """Return whether another account of this machine asks; False if nobody can know.

    The superuser may look into everything anyway, and has brought what comes from
    outside of a virtual machine.

    Args:
        client: IPv4 address and port of who asks.
        server: Likewise of the page.
    """
    own = getattr(os, "getuid", lambda: 0)()  # Windows has none
    if own == 0:
        return False
    try:
        tables = [path.read_text("ascii") for path in _TABLES if path.exists()]
    except OSError:
        return False
    owners = {uid for table in tables for uid in owners_in(table, client, server)}
    return not owners <= {0, own}


def owners_in(table: str, client: End, server: End) -> Iterator[int]:
    """Give who owns the client's end of a connection, by one of the kernel's tables."""
    wanted = (_written(client), _written(server))
    for line in table.splitlines()[1:]:
        fields = line.split()
        # An IPv4 address stands at the end of one of IPv6 that wraps it.
        ends = tuple(end[-len("7F000001:1F90") :] for end in fields[1:3])
        if ends == wanted:
            yield int(fields[7])


def _written(end: End) -> str:
    address, port = end
    return f"{struct.unpack('=I', socket.inet_aton(address))[0]:08X}:{port:04X}"
