"""A way to Home Assistant that is no network, for tests of what lies above it."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from ha_bridge.connection import Connector
from ha_bridge.delivery import Kind
from ha_bridge.errors import BridgeError, Failure
from ha_bridge.home_assistant import Answered, HomeAssistant, Reply
from ha_bridge.redaction import Secret
from ha_bridge.settings import Address, parse_address

ADDRESS = parse_address("https://home.example.org")


class Posted(NamedTuple):
    """One call of `post`."""

    body: bytes
    token: Secret | None
    deadline: float
    kind: Kind


@dataclass
class StubTransport:
    """Answers with one body, or raises, and remembers what it was given."""

    outcome: bytes | Exception = (
        b'{"event": {"header": {"name": "Response"}, "payload": {}}}'
    )
    posted: list[Posted] = field(default_factory=list)
    address: Address = ADDRESS
    secrets: tuple[Secret, ...] = ()
    closed: int = 0

    def post(
        self, body: bytes, token: Secret | None, *, deadline: float, kind: Kind
    ) -> Reply:
        if token is None:
            raise BridgeError(Failure.NO_TOKEN)
        self.posted.append(Posted(body, token, deadline, kind))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return Reply(self.outcome, reused=False)

    def reject(self, answered: Answered) -> NoReturn:
        HomeAssistant(Connector(self.address)).reject(answered)

    def warm(self, deadline: float) -> bool:
        del deadline
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return True

    def close(self) -> None:
        self.closed += 1


@dataclass
class StubContext:
    """Lambda's context with a set time left."""

    remaining_ms: Any

    def get_remaining_time_in_millis(self) -> Any:
        return self.remaining_ms
