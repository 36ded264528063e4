"""A way to Home Assistant that is no network, for tests of what lies above it."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ha_bridge.home_assistant import Reply
from ha_bridge.redaction import Secret


class Posted(NamedTuple):
    """One call of `post`."""

    body: bytes
    token: Secret
    deadline: float
    repeatable: bool


@dataclass
class StubTransport:
    """Answers with one body, or raises, and remembers what it was given."""

    outcome: bytes | Exception = (
        b'{"event": {"header": {"name": "Response"}, "payload": {}}}'
    )
    posted: list[Posted] = field(default_factory=list)

    def post(
        self, body: bytes, token: Secret, *, deadline: float, repeatable: bool
    ) -> Reply:
        self.posted.append(Posted(body, token, deadline, repeatable))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return Reply(self.outcome, reused=False)

    def warm(self, deadline: float) -> bool:
        del deadline
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return True


@dataclass
class StubContext:
    """Lambda's context with a set time left."""

    remaining_ms: Any

    def get_remaining_time_in_millis(self) -> Any:
        return self.remaining_ms
