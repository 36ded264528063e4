"""The page on a free port, before a home that is a table, and before the real one."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import pytest

from ha_bridge.redaction import Secret
from ha_bridge_ops.page.app import Shown
from ha_bridge_ops.page.guard import CSRF_HEADER
from ha_bridge_ops.page.home import Home
from ha_bridge_ops.page.server import PageServer
from tests.directives import TOKEN


def endpoint(endpoint_id: str, name: str, kind: str, *able: str) -> dict[str, Any]:
    """Return an endpoint with capabilities that have no more than a name."""
    interfaces = ("Alexa", *(f"Alexa.{one}" for one in able))
    return {
        "endpointId": endpoint_id,
        "friendlyName": name,
        "description": f"{name} via Home Assistant",
        "manufacturerName": "Home Assistant",
        "displayCategories": [kind],
        "capabilities": [
            {"interface": one, "properties": {"retrievable": True}}
            for one in interfaces
        ],
    }


LAMP = endpoint("light#desk", "Desk lamp", "LIGHT", "PowerController")
DOOR = endpoint("lock#front", "Front door", "SMARTLOCK", "LockController")
HOSTILE = "<img src=x onerror=document.title='owned'>"


@dataclass
class TableHome:
    """A function before a home of two devices; it notes what it was told."""

    endpoints: list[dict[str, Any]] = field(default_factory=lambda: [LAMP, DOOR])
    description: str = "in a test"
    told: list[str] = field(default_factory=list)
    state: dict[str, str] = field(default_factory=lambda: {"light#desk": "OFF"})
    error: str = ""

    def invoke(self, event: object) -> dict[str, Any]:
        """Answer as Home Assistant does; the token is echoed, as it might."""
        assert isinstance(event, dict)
        directive = event["directive"]
        name = directive["header"]["name"]
        where = directive.get("endpoint", {}).get("endpointId", "")
        self.told.append(f"{name} {where}".strip())
        payload: dict[str, Any]
        if self.error:
            payload = {"type": self.error, "message": f"It failed with {TOKEN}."}
            return {"event": {"header": {"name": "ErrorResponse"}, "payload": payload}}
        if name == "Discover":
            payload = {"endpoints": self.endpoints}
            return {
                "event": {"header": {"name": "Discover.Response"}, "payload": payload}
            }
        if name in ("TurnOn", "TurnOff"):
            self.state[where] = name.removeprefix("Turn").upper()
        if name in ("Lock", "Unlock"):
            self.state[where] = f"{name.upper()}ED"
        kind = "LockController" if where.startswith("lock") else "PowerController"
        value = {
            "namespace": f"Alexa.{kind}",
            "name": "lockState" if kind == "LockController" else "powerState",
            "value": self.state.get(where, "LOCKED"),
        }
        return {
            "event": {
                "header": {"name": "Response"},
                "endpoint": {"scope": {"token": TOKEN}},
                "payload": {},
            },
            "context": {"properties": [value]},
        }


@contextmanager
def serving(shown: Shown) -> Iterator[PageServer]:
    """Run the page in a thread."""
    server = PageServer(shown)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


class Client:
    """A browser that was let in, as far as HTTP goes."""

    def __init__(self, server: PageServer) -> None:
        self.server = server
        self.host = f"127.0.0.1:{server.port}"
        self.cookie = ""
        self.csrf = ""

    def ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> tuple[HTTPResponse, bytes]:
        """Send just these headers, and return the answer and its body."""
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True)
            sent = {"Host": self.host, **(headers or {})}
            if body is not None:
                sent.setdefault("Content-Length", str(len(body)))
            for name, value in sent.items():
                if value:
                    connection.putheader(name, value)
            # A head that is refused is hung up on, at times before its body came.
            with suppress(ConnectionError):
                connection.endheaders(body)
            answer = connection.getresponse()
            try:
                return answer, answer.read()
            except ConnectionResetError:
                if answer.status != HTTPStatus.BAD_REQUEST:
                    raise
                return answer, b""
        finally:
            connection.close()

    def open(self) -> HTTPResponse:
        """Open the one-time address."""
        url = urlsplit(self.server.address)
        answer, _ = self.ask("GET", f"{url.path}?{url.query}")
        self.cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        _, page = self.ask("GET", "/", {"Cookie": self.cookie})
        marker = b'name="csrf" content="'
        self.csrf = page.partition(marker)[2].partition(b'"')[0].decode()
        return answer

    @property
    def allowed(self) -> dict[str, str]:
        """The headers of a change that the page itself makes."""
        return {
            "Cookie": self.cookie,
            "Origin": f"http://{self.host}",
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/json",
            CSRF_HEADER: self.csrf,
        }

    def post(self, path: str, **body: object) -> tuple[int, Any]:
        """Post as the page does; return the status and the JSON."""
        sent = json.dumps(body).encode()
        answer, text = self.ask("POST", path, self.allowed, sent)
        return answer.status, json.loads(text)

    def get(self, path: str) -> tuple[int, Any]:
        """Get as the page does; return the status and the JSON."""
        answer, text = self.ask("GET", path, {"Cookie": self.cookie})
        return answer.status, json.loads(text)


#: Gives the page before a home, and a client that was let in.
Opened = Callable[..., Client]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """The page, before any function."""
    logging.getLogger("ha_bridge").setLevel(logging.INFO)
    with ExitStack() as stack:

        def start(function: TableHome, *, may_open: bool = False) -> Client:
            home = Home(function, token=lambda: TOKEN, may_open=may_open)
            variables = {"BASE_URL": "http://127.0.0.1:9", "X": ""}
            shown = Shown(
                home, variables["BASE_URL"], variables, lambda: [Secret(TOKEN)]
            )
            client = Client(stack.enter_context(serving(shown)))
            client.open()
            return client

        yield start
