"""Starts Home Assistant, and lets nothing of it listen beyond this machine.

Home Assistant's own Python runs this, so it needs nothing but the standard library.
The web server is told where to listen.  What is not asked: multicast DNS, which
listens on every interface, and the web server of recovery mode, which does so on port
8123.  So each address that is bound is brought home to loopback.
"""

import socket
import sys
from typing import Any

HOME = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}

_bind = socket.socket.bind


def bind(self: socket.socket, address: Any) -> None:
    """Bind to loopback, whatever address is asked for."""
    if self.family in HOME:
        address = (HOME[self.family], *address[1:])
    _bind(self, address)


if __name__ == "__main__":
    socket.socket.bind = bind  # type: ignore[assignment,method-assign] # of this process alone
    from homeassistant.__main__ import main  # type: ignore[import-not-found]

    sys.exit(main())
