"""The page's server: loopback only, a free port, until Ctrl-C."""

import asyncio
import socket
import threading
from concurrent.futures import Future, wait

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ha_bridge_ops.page.app import Shown, application
from ha_bridge_ops.page.guard import OPEN, Sessions

#: Requests at a time, and bytes of their heads; a browser needs few of both.
_AT_ONCE = 64
_HEAD = 32 * 1024

#: Seconds that a connection may have for the head of a request.
_PATIENCE_S = 10.0

#: Seconds between two looks whether it runs, and for it to end.
_LISTEN_S = 0.5
_END_S = 5.0


class _Protocol(H11Protocol):
    """HTTP in which nobody keeps a place for long without asking for anything."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        super().connection_made(transport)
        self._look_later()

    def _look_later(self) -> None:
        self.loop.call_later(_PATIENCE_S, self._look)

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        cycle = getattr(self, "cycle", None)  # at first, whatever its type says
        is_answered = cycle is None or cycle.response_complete
        # One that is kept alive has uvicorn's own limit.
        if is_answered and self.timeout_keep_alive_task is None:
            self.transport.abort()
        else:
            self._look_later()


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
            http=_Protocol,
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
        """Answer until it is stopped, or Ctrl-C is pressed.

        In a thread that nobody waits for at the end, as are those that it starts: a
        home may take minutes to say how all of its devices are.
        """
        # Not by `join`: Python 3.11 takes a thread for ended where Ctrl-C ends that.
        ended: Future[None] = Future()
        try:
            threading.Thread(target=self._answer, args=(ended,), daemon=True).start()
            # Windows hears Ctrl-C in between only.
            while not wait([ended], _LISTEN_S).done:
                pass
            ended.result()
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()
            wait([ended], _END_S)
            self._socket.close()

    def _answer(self, ended: "Future[None]") -> None:
        try:
            self._server.run(sockets=[self._socket])
            ended.set_result(None)
        except BaseException as error:  # noqa: BLE001 - raised by `run`
            ended.set_exception(error)

    def stop(self) -> None:
        """Stop it, from another thread."""
        self._server.should_exit = True
