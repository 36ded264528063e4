"""What the handler is held to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ha_bridge_ops.bench.figures import FIGURES, Figures
from ha_bridge_ops.bench.measure import (
    BLACK_HOLES,
    CLOSED_UNSEEN,
    DEAD_FIRST,
    SLOW_HOME,
    SLOW_S,
    Trouble,
)


@dataclass(frozen=True)
class Verdict:
    """Whether a target was met."""

    what: str
    limit: float
    value: float
    unit: str
    answered: bool = True

    @property
    def is_met(self) -> bool:
        """Whether there was an answer, and the value is as good as it should be."""
        return self.answered and self.value <= self.limit


#: Gives the verdict from what was measured.
Target = Callable[[Figures, Sequence[Trouble]], Verdict]


def _to_limit(name: str, limit: float) -> Target:
    what = next(figure.what for figure in FIGURES if figure.name == name)
    return lambda figures, _: Verdict(
        what, limit, figures[name]["bridge"].to_limit.value, "× limit"
    )


def _cold_to_bridge(what: str, contender: str, limit: float) -> Target:
    def verdict(figures: Figures, _: Sequence[Trouble]) -> Verdict:
        found = figures["cold"][contender].to_bridge
        return Verdict(what, limit, found.value if found else 0.0, "× without")

    return verdict


def _at_most(what: str, limit: float, *names: str) -> Target:
    """Bound a figure, or several added up."""
    unit = next(figure.unit for figure in FIGURES if figure.name in names)
    return lambda figures, _: Verdict(
        what,
        limit,
        sum(figures[name]["bridge"].value.value for name in names),
        unit,
    )


def _answer(what: str, limit: float, *names: str) -> Target:
    """Bound the time to an answer in some of the troubles, as far as there are any."""

    def verdict(_: Figures, troubles: Sequence[Trouble]) -> Verdict:
        met = [one for one in troubles if one.what in names]
        worst = max((second for one in met for second in one.seconds), default=0.0)
        answered = all(one.answered for one in met)
        return Verdict(what, limit, worst, "s", answered)

    return verdict


#: What the handler is held to.
TARGETS: Sequence[Target] = (
    _to_limit("warm", 1.03),
    _to_limit("idle", 1.05),
    _to_limit("discovery", 1.05),
    _at_most("Discovery, both ways", 6.0, "discovery_up", "discovery_down"),
    _to_limit("cold", 1.25),
    _cold_to_bridge("Cold start with CA_CERTIFICATE", "own_authority", 1.0),
    _at_most("Warm directive, CPU time", 1.6, "cpu"),
    _at_most("Connections of 50 warm directives", 0.0, "connections"),
    _answer("An answer from a black hole", 2.5, *BLACK_HOLES),
    _answer(f"An answer that takes {SLOW_S:.0f} s", SLOW_S + 0.5, SLOW_HOME),
    _answer("A command where the connection was closed unseen", 0.5, CLOSED_UNSEEN),
    _answer("A cold start where the first address is dead", 1.0, DEAD_FIRST),
)
