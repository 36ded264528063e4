"""What the delivery tests share: kinds of directives, and a home that can fail."""

import contextlib
import copy
import ssl
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ha_bridge.bridge import Bridge
from ha_bridge.connection import Connector
from ha_bridge.home_assistant import HomeAssistant
from ha_bridge.settings import Settings
from tests.directives import changed, event
from tests.fakes import paths
from tests.fakes.behaviours import answer_directive
from tests.fakes.server import Behaviour, Server
from tests.fakes.transport import StubContext
from tests.oracle import assert_error

Event = dict[str, Any]

#: Seconds that a busy machine may take longer than the clock says.
BUSY_S = 2.0

#: Seconds that the bridge keeps back of what Lambda leaves.
RESERVE_S = 0.5

WARM: Event = {"ha_bridge": {"warm": {}}}

#: What a directive does: asks only, names the state to reach and opens nothing, or
#: anything else. The columns of the rule.
ASKS, STATES, ACTS = "asks", "names a state", "acts"


def named(namespace: str, name: str) -> Event:
    """Return a directive to an endpoint that no event file has."""
    directive = changed(event("turn_on"), "directive.header.namespace", namespace)
    return changed(directive, "directive.header.name", name)


def cover(name: str, endpoint: str, payload: Event) -> Event:
    """Return a directive that moves a cover, as Alexa sends it for Home Assistant's."""
    directive = event("set_mode" if name == "SetMode" else "set_range")
    directive["directive"]["header"]["instance"] = "cover.position"
    directive["directive"]["endpoint"]["endpointId"] = endpoint
    directive["directive"]["payload"] = payload
    return directive


#: Each kind of directive: what it does, and one of it.
KINDS: dict[str, tuple[str, Event]] = {
    "Discover": (ASKS, event("discovery")),
    "ReportState": (ASKS, event("report_state")),
    "TurnOn": (STATES, event("turn_on")),
    "TurnOff": (STATES, event("turn_off")),
    "SetBrightness": (STATES, event("set_brightness")),
    "Lock": (STATES, event("lock")),
    "AdjustBrightness": (ACTS, event("adjust_brightness")),
    "Unlock": (ACTS, event("unlock")),
    "SetMode opens the garage": (
        ACTS,
        cover("SetMode", "cover#garage_door", {"mode": "position.open"}),
    ),
    "SetRangeValue opens the gate": (
        ACTS,
        cover("SetRangeValue", "cover#gate", {"rangeValue": 100}),
    ),
    "Activate": (ACTS, event("activate_scene")),
    "AcceptGrant": (ACTS, event("accept_grant")),
    "unknown name": (ACTS, named("Alexa.PowerController", "Fire")),
    "unknown namespace": (ACTS, named("Vendor.Launcher", "TurnOn")),
}


def numbered(directive: Event) -> Event:
    """Return a copy with a messageId and correlationToken of its own."""
    directive = copy.deepcopy(directive)
    header = directive["directive"]["header"]
    header["messageId"] = str(uuid.uuid4())
    if "correlationToken" in header:
        header["correlationToken"] = f"correlation-{uuid.uuid4()}"
    return directive


def id_of(directive: Event) -> str:
    message_id: str = directive["directive"]["header"]["messageId"]
    return message_id


def is_answered(answer: Event, directive: Event) -> bool:
    """Return whether Home Assistant's answer came back, and assert that it is ours.

    An error must be well-formed, and of a type that says: it may not have been done.
    """
    header = answer["event"]["header"]
    expected = directive["directive"]["header"].get("correlationToken")
    assert header.get("correlationToken") == expected, "the answer of another"
    if header["name"] == "Response":
        return True
    assert_error(answer, event=directive)
    assert answer["event"]["payload"]["type"] in {
        "BRIDGE_UNREACHABLE",
        "INTERNAL_ERROR",
        "ACCEPT_GRANT_FAILED",
    }
    return False


@dataclass
class Stage:
    """A bridge, the home that it talks to, and what the home got."""

    server: Server
    bridge: Bridge

    def __post_init__(self) -> None:
        self.timers: list[threading.Timer] = []

    def ask(self, directive: Event, remaining_ms: int = 60_000) -> Event:
        return self.bridge.answer(directive, StubContext(remaining_ms))

    def received(self) -> list[str]:
        """Return the messageIds of what the home has read, in its order."""
        return [id_of(request.json) for request in list(self.server.requests)]

    def later(self, seconds: float, act: Any, *args: Any, **named: Any) -> None:
        """Do something while the bridge is busy."""
        timer = threading.Timer(seconds, act, args, named)
        timer.daemon = True
        timer.start()
        self.timers.append(timer)

    def wait_for_later(self) -> None:
        """Wait until all that was to happen later has happened."""
        while self.timers:
            self.timers.pop().join()

    def heal(self) -> None:
        """Lose nothing any more, on any way."""
        paths.heal(self.server.listener)
        with contextlib.suppress(LookupError):
            for sock in self.server.open_connections().values():
                paths.heal(sock)

    def lose_connection(self, seconds: float | None = None) -> None:
        """Let the path of the newest connection vanish, for a while or for good."""
        sock = self.server.open_connections()[self.server.newest()]
        paths.lose_all(sock)
        if seconds is not None:
            self.later(seconds, paths.heal, sock)

    def lose_everything(self, seconds: float) -> None:
        """Let the whole path vanish for a while: no new connection either."""
        self.lose_connection(seconds)
        paths.lose_all(self.server.listener)
        self.later(seconds, paths.heal, self.server.listener)


@contextlib.contextmanager
def stage(
    *behaviours: Behaviour,
    tls: ssl.SSLContext | None = None,
    url: str = "",
    **server_options: Any,
) -> Iterator[Stage]:
    """A bridge and a home that does this with the directives, in their order.

    Args:
        url: Another address for the bridge; `{port}` is the home's.
    """
    script = behaviours or (answer_directive,)
    with Server(script, tls=tls, **server_options) as server:
        environ = {"BASE_URL": url.format(port=server.port) or server.url}
        settings = Settings.from_environ(environ)
        home_assistant = HomeAssistant(Connector(settings.address))
        made = Stage(server, Bridge(settings, home_assistant))
        try:
            yield made
        finally:
            for timer in made.timers:
                timer.cancel()
            home_assistant.close()
