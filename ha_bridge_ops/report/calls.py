"""What the log says of each call of the function."""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ha_bridge_ops.aws.logs import Line
from ha_bridge_ops.grammar import ERROR_TYPE

#: The lines that are asked for, where each of them is a JSON object.
#: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
PATTERN: Final = (
    '{ ($.directive.duration_ms = *) || ($.type = "platform.report") '
    '|| ($.message = "*Task timed out*") }'
)

#: The error of a call that Lambda ended: Alexa had no answer.
TIMED_OUT: Final = "timeout"

#: An error that is no type of Alexa's; the function's log calls it so too.
UNKNOWN: Final = "unknown"

#: What shows that the home, or the way to it, is down.
UNREACHED: Final = frozenset({"BRIDGE_UNREACHABLE", "INTERNAL_ERROR", TIMED_OUT})

_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Where the log is plain text.
_REPORT: Final = re.compile(r"^REPORT RequestId: ")
_TIME: Final = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_INIT: Final = re.compile(rf"Init Duration: {_TIME} ms")
_DURATION: Final = re.compile(rf"(?<!Init )(?<!Billed )Duration: {_TIME} ms")
_TIMED_OUT: Final = re.compile(rf"Task timed out after {_TIME} seconds")

#: Milliseconds that a call may take: Lambda ends it after a quarter of an hour.
_LONGEST_MS: Final = 15 * 60 * 1000

#: Calls that are counted, of which each takes memory: 100 a day for years.
MAX_CALLS: Final = 300_000

#: Characters of an endpointId: as many as the function logs.
_ENDPOINT: Final = 256


@dataclass(frozen=True, slots=True)
class Call:
    """A directive, and how it ended."""

    at_ms: int
    """When it was answered, in milliseconds since the epoch."""
    ms: float
    """How long it took."""
    error: str = ""
    """The type of the ErrorResponse; empty for none."""
    is_homes: bool = False
    """Whether the error is Home Assistant's own answer, not the function's."""
    endpoint: str = ""
    """The endpointId; empty for Discover and the like."""
    reused: bool | None = None
    """Whether it went over the connection that was kept; None if over none."""

    @property
    def is_down(self) -> bool:
        """Whether it shows that the home cannot be reached."""
        return self.error in UNREACHED and not self.is_homes


@dataclass
class Calls:
    """All that the log says.

    Args:
        lines: Oldest first or not.
    """

    calls: list[Call] = field(default_factory=list)
    cold_ms: list[float] = field(default_factory=list)
    """How long each cold start took, before its first call."""
    reports: int = 0
    """Lambda's own lines about a call: without any, nothing is known of cold starts."""
    plain: int = 0
    """Lines that are no JSON."""
    _ended: set[str] = field(default_factory=set)

    def read(self, lines: Iterable[Line]) -> None:
        """Read lines; those that say nothing of a call are passed over."""
        for line in lines:
            self.add(line)

    def add(self, line: Line) -> None:
        """Read a line."""
        record = line.record
        if record is None:
            self.plain += 1
            self._plain(line)
        elif (directive := line.directive) is not None:
            self._directive(line, record, directive)
        elif record.get("type") == "platform.report":
            self._platform(line, record.get("record"))
        elif found := _TIMED_OUT.search(str(record.get("message", ""))):
            self._time_out(line, float(found[1]) * 1000)

    @property
    def is_full(self) -> bool:
        """Whether there are as many as are counted."""
        return len(self.calls) + len(self.cold_ms) >= MAX_CALLS

    def done(self) -> None:
        """Put all in the order of time: CloudWatch gives stream after stream."""
        self.calls.sort(key=lambda call: call.at_ms)

    def _directive(
        self, line: Line, record: Mapping[str, Any], directive: Mapping[str, Any]
    ) -> None:
        ms = _number(directive.get("duration_ms"))
        if ms is None:
            return
        connection = directive.get("connection")
        self.calls.append(
            Call(
                line.at_ms,
                ms,
                error=_kind(directive.get("errorType")),
                is_homes=record.get("level") != "ERROR",
                # The same few in many thousand lines.
                endpoint=sys.intern(str(directive.get("endpointId") or "")[:_ENDPOINT]),
                reused=connection == "reused" if connection else None,
            )
        )

    def _platform(self, line: Line, record: object) -> None:
        """Read Lambda's report of a call.

        https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
        """
        if not isinstance(record, dict):
            return
        self.reports += 1
        found = record.get("metrics")
        metrics = found if isinstance(found, dict) else {}
        init_ms = _number(metrics.get("initDurationMs"))
        if init_ms is not None:
            self.cold_ms.append(init_ms)
        if record.get("status") == "timeout":
            self._time_out(line, _number(metrics.get("durationMs")) or 0.0)

    def _plain(self, line: Line) -> None:
        if found := _TIMED_OUT.search(line.text):
            self._time_out(line, float(found[1]) * 1000)
        if not _REPORT.search(line.text):
            return
        self.reports += 1
        if init := _INIT.search(line.text):
            self.cold_ms.append(float(init[1]))
        if "Status: timeout" in line.text:
            took = _DURATION.search(line.text)
            self._time_out(line, float(took[1]) if took else 0.0)

    def _time_out(self, line: Line, ms: float) -> None:
        """Count a call that was ended, of which more than one line tells."""
        found = _ID.search(line.text)
        if found and found[0] in self._ended:
            return
        if found:
            self._ended.add(found[0])
        self.calls.append(Call(line.at_ms, ms, error=TIMED_OUT))


def _kind(value: object) -> str:
    """Return what Alexa was told; UNKNOWN for what is no type of its own."""
    if not value:
        return ""
    is_one = isinstance(value, str) and ERROR_TYPE.fullmatch(value)
    return sys.intern(str(value)) if is_one else UNKNOWN


def _number(value: object) -> float | None:
    """Return a number of the log; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= _LONGEST_MS else None
