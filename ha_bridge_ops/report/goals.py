"""The numbers that others have published, and ours: one row each."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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


#: Amazon's own numbers; to miss one is what makes a home degraded.
_amazons = partial(Goal, who="Amazon", decides=True)


def _of_a_platform(key: str, who: str, source: str) -> tuple[Goal, Goal]:
    """Return Google's two numbers, which are ours too."""
    named = partial(Goal, who=who, source=source)
    return (
        named(
            name=f"{key}_success",
            what="success",
            sign="≥",
            limit=99.5,
            unit="%",
            measure=_success,
        ),
        named(
            name=f"{key}_p90",
            what="p90",
            sign="≤",
            limit=1000,
            unit="ms",
            measure=_p90,
        ),
    )


#: Every number, with who has published it.
GOALS: Final = (
    _amazons(
        name="amazon_p90",
        what="p90, the worst 15 minutes",
        sign="<",
        limit=5000,
        unit="ms",
        measure=Report.worst_p90,
        source=_DEGRADED,
    ),
    _amazons(
        name="amazon_success",
        what="success, the worst 15 minutes",
        sign="≥",
        limit=85,
        unit="%",
        measure=Report.worst_success,
        source=_DEGRADED,
    ),
    _amazons(
        name="amazon_errors",
        what="INTERNAL_ERROR and timeouts",
        sign="≤",
        limit=3,
        unit="%",
        measure=_internal,
        source=_CERTIFIED,
    ),
    _amazons(
        name="amazon_availability",
        what="availability",
        sign="≥",
        limit=99.93,
        unit="%",
        measure=Report.availability,
        source=_AVAILABLE,
    ),
    *_of_a_platform("google", "Google", _GOOGLE),
    *_of_a_platform("our", "ha-bridge", "docs/how-it-works.md"),
)


def verdicts(report: Report) -> list[Verdict]:
    """Return how the home is, beside each number."""
    return [Verdict(goal, goal.measure(report)) for goal in GOALS]


def is_degraded(report: Report) -> bool:
    """Return whether one of Amazon's own numbers is missed."""
    return any(one.goal.decides and one.is_met is False for one in verdicts(report))
