"""The page's server: loopback only, a free port, until Ctrl-C."""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from ha_bridge_ops.page.app import Shown, application
from ha_bridge_ops.page.guard import OPEN, Sessions

#: Requests at a time, and bytes of their heads; a browser needs few of both.
_AT_ONCE = 64
_HEAD = 32 * 1024


class PageServer:
    """A server that listens already, and answers once it runs.

    Args:
        shown: What the page shows.
    """

    def __init__(self, shown: Shown) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.sessions = Sessions(self.port)
        config = uvicorn.Config(
            application(shown, self.sessions, self.port),
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,
            # A header could say that somebody else had asked.
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_AT_ONCE,
            h11_max_incomplete_event_size=_HEAD,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)

    @property
    def address(self) -> str:
        """The address that lets one browser in, once."""
        return f"http://127.0.0.1:{self.port}{OPEN}?token={self.sessions.one_time}"

    def run(self) -> None:
        """Answer until it is stopped, or Ctrl-C is pressed."""
        with self._closing(), contextlib.suppress(KeyboardInterrupt):
            self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Stop it, from another thread."""
        self._server.should_exit = True

    @contextlib.contextmanager
    def _closing(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._socket.close()
