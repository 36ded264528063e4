"""The numbers that others have published, and ours: one row each."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ha_bridge_ops.report.figures import Report

_DEGRADED: Final = (
    "https://developer.amazon.com/en-US/docs/alexa/smarthome/"
    "understand-degradation-emails.html"
)
_AVAILABLE: Final = (
    "https://developer.amazon.com/en-US/blogs/alexa/device-makers/2023/01/"
    "three-steps-smart-home-january-2023"
)
_CERTIFIED: Final = "https://developer.amazon.com/en-US/docs/alexa/smarthome/wwa-skill-requirements.html"
_GOOGLE: Final = "https://developers.home.google.com/codelabs/home-vitals"


@dataclass(frozen=True)
class Goal:
    """A number that the home is held against."""

    name: str
    who: str
    what: str
    sign: str
    """How the measured must be to the limit: a key of `SIGNS`."""
    limit: float
    unit: str
    """ms or %."""
    measure: Callable[[Report], float | None]
    source: str
    decides: bool = False
    """Whether to miss it makes the exit status 1: it is Amazon's own."""


#: How a measured value must be to its limit.
SIGNS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "≤": operator.le,
    "≥": operator.ge,
}


@dataclass(frozen=True)
class Verdict:
    """What was measured beside a goal."""

    goal: Goal
    value: float | None
    """None if there was nothing to measure."""

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None if there was nothing to measure."""
        if self.value is None:
            return None
        return SIGNS[self.goal.sign](self.value, self.goal.limit)


def _success(report: Report) -> float | None:
    return report.all.success


def _p90(report: Report) -> float | None:
    return report.all.ms(90)


def _internal(report: Report) -> float | None:
    return report.all.internal


#: Every number, with who has published it.
GOALS: Final = (
    Goal(
        name="amazon_p90",
        who="Amazon",
        what="p90, the worst 15 minutes",
        sign="<",
        limit=5000,
        unit="ms",
        measure=Report.worst_p90,
        source=_DEGRADED,
        decides=True,
    ),
    Goal(
        name="amazon_success",
        who="Amazon",
        what="success, the worst 15 minutes",
        sign="≥",
        limit=85,
        unit="%",
        measure=Report.worst_success,
        source=_DEGRADED,
        decides=True,
    ),
    Goal(
        name="amazon_errors",
        who="Amazon",
        what="INTERNAL_ERROR and timeouts",
        sign="≤",
        limit=3,
        unit="%",
        measure=_internal,
        source=_CERTIFIED,
        decides=True,
    ),
    Goal(
        name="amazon_availability",
        who="Amazon",
        what="availability",
        sign="≥",
        limit=99.93,
        unit="%",
        measure=Report.availability,
        source=_AVAILABLE,
        decides=True,
    ),
    Goal(
        name="google_success",
        who="Google",
        what="success",
        sign="≥",
        limit=99.5,
        unit="%",
        measure=_success,
        source=_GOOGLE,
    ),
    Goal(
        name="google_p90",
        who="Google",
        what="p90",
        sign="≤",
        limit=1000,
        unit="ms",
        measure=_p90,
        source=_GOOGLE,
    ),
    Goal(
        name="our_success",
        who="ha-bridge",
        what="success",
        sign="≥",
        limit=99.5,
        unit="%",
        measure=_success,
        source="docs/how-it-works.md",
    ),
    Goal(
        name="our_p90",
        who="ha-bridge",
        what="p90",
        sign="≤",
        limit=1000,
        unit="ms",
        measure=_p90,
        source="docs/how-it-works.md",
    ),
)


def verdicts(report: Report) -> list[Verdict]:
    """Return how the home is, beside each number."""
    return [Verdict(goal, goal.measure(report)) for goal in GOALS]


def is_degraded(report: Report) -> bool:
    """Return whether one of Amazon's own numbers is missed."""
    return any(one.goal.decides and one.is_met is False for one in verdicts(report))
