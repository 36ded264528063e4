"""What is measured of each contender."""

from dataclasses import dataclass

from ha_bridge_ops.bench.estimates import (
    Estimate,
    Statistic,
    estimate,
    median,
    p95,
    ratio,
)
from ha_bridge_ops.bench.lab import COLD_ONLY, CONTENDERS
from ha_bridge_ops.bench.measure import Notes

MS, KB, MB = 1000.0, 1 / 1000, 1 / 1_000_000


@dataclass(frozen=True)
class Figure:
    """A line of the table: which notes, and how they become a number."""

    name: str
    what: str
    unit: str
    scale: float
    note: str
    statistic: Statistic = median


FIGURES = (
    Figure("import", "Import", "ms", MS, "import"),
    Figure("first", "First directive after the import", "ms", MS, "first"),
    Figure("cold", "Cold start: import and first directive", "ms", MS, "both"),
    Figure("warm", "Warm directive", "ms", MS, "warm"),
    Figure("warm_p95", "Warm directive, 95th percentile", "ms", MS, "warm", p95),
    Figure("idle", "After the home closed the idle connection", "ms", MS, "idle"),
    Figure("discovery", "Discovery", "ms", MS, "discovery"),
    Figure("discovery_up", "Discovery, sent", "kB", KB, "discovery_up"),
    Figure("discovery_down", "Discovery, received", "kB", KB, "discovery_down"),
    Figure("cpu", "Warm directive, CPU time", "ms", MS, "warm_cpu"),
    Figure("up", "Warm directive, sent", "kB", KB, "up"),
    Figure("down", "Warm directive, received", "kB", KB, "down"),
    Figure("connections", "Connections of 50 warm directives", "", 1, "connections"),
    Figure("peak", "Peak memory of the process", "MB", MB, "peak"),
)


@dataclass(frozen=True)
class Measured:
    """A figure of one contender, in the figure's unit."""

    value: Estimate
    to_limit: Estimate
    """As a multiple of the limit's."""
    to_before: Estimate | None = None
    """As a multiple of that of the other checkout, if there is one."""
    to_bridge: Estimate | None = None
    """As a multiple of the bridge's, where only the start differs from it."""


#: Measured figures, by figure and contender.
Figures = dict[str, dict[str, Measured]]


def summed_up(notes: Notes) -> dict[str, dict[str, Measured]]:
    """Return every figure of every contender that was there."""
    return {
        figure.name: {
            name: _measured(notes, figure, name)
            for name in CONTENDERS
            if (name, figure.note) in notes.values
        }
        for figure in FIGURES
    }


def _measured(notes: Notes, figure: Figure, contender: str) -> Measured:
    def noted(name: str) -> list[list[float]]:
        rounds = notes.values[name, figure.note]
        return [[value * figure.scale for value in values] for values in rounds]

    mine = noted(contender)
    to_before, to_bridge = None, None
    if contender == "bridge" and ("before", figure.note) in notes.values:
        to_before = ratio(mine, noted("before"), figure.statistic)
    if contender in COLD_ONLY:
        to_bridge = ratio(mine, noted("bridge"), figure.statistic)
    return Measured(
        estimate(mine, figure.statistic),
        ratio(mine, noted("limit"), figure.statistic),
        to_before,
        to_bridge,
    )
