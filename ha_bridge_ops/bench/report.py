"""What was measured, as tables and as JSON."""

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from ha_bridge_ops.bench.estimates import (
    Estimate,
    Statistic,
    estimate,
    median,
    p95,
    ratio,
)
from ha_bridge_ops.bench.lab import CONTENDERS
from ha_bridge_ops.bench.measure import SLOW_S, Growth, Notes, Trouble

#: Digits after the point, by unit.
DIGITS = {"×": 3, "ms": 1, "kB": 2, "MB": 1}

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
    Figure("first", "First directive after it", "ms", MS, "first"),
    Figure("cold", "Cold start: both together", "ms", MS, "both"),
    Figure("warm", "Warm directive", "ms", MS, "warm"),
    Figure("warm_p95", "Warm directive, 95th percentile", "ms", MS, "warm", p95),
    Figure("idle", "After the home closed the idle one", "ms", MS, "idle"),
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


@dataclass(frozen=True)
class Verdict:
    """Whether a target was met."""

    what: str
    limit: float
    value: float
    unit: str

    @property
    def is_met(self) -> bool:
        """Whether the value is as good as it should be."""
        return self.value <= self.limit


@dataclass(frozen=True)
class Report:
    """All that was measured."""

    circumstances: dict[str, Any]
    figures: dict[str, dict[str, Measured]]
    """By figure and contender."""
    growth: list[Growth]
    troubles: list[Trouble]

    @property
    def verdicts(self) -> list[Verdict]:
        """How the measured compares with what it should be."""
        return [target(self) for target in TARGETS]

    def as_json(self) -> dict[str, Any]:
        """Return it for machines; seconds and bytes where no unit says otherwise."""
        return {
            "circumstances": self.circumstances,
            "figures": {
                figure.name: {
                    "what": figure.what,
                    "unit": figure.unit,
                    **{
                        name: dataclasses.asdict(measured)
                        for name, measured in self.figures[figure.name].items()
                    },
                }
                for figure in FIGURES
            },
            "growth": [dataclasses.asdict(one) for one in self.growth],
            "troubles": [dataclasses.asdict(one) for one in self.troubles],
            "targets": [
                {**dataclasses.asdict(one), "is_met": one.is_met}
                for one in self.verdicts
            ],
        }

    def show(self, console: Console) -> None:
        """Print the tables."""
        for table in (
            self._figures_table(),
            self._growth_table(),
            self._trouble_table(),
            self._target_table(),
        ):
            console.print(table, "")
        for what, value in self.circumstances.items():
            console.print(f"{what}: {value}")

    def _figures_table(self) -> Table:
        drawn = _table("median (95 % interval)", "", *CONTENDERS.values(), "to limit")
        for figure in FIGURES:
            found = self.figures[figure.name]
            drawn.add_row(
                figure.what,
                figure.unit,
                *(in_words(found[name].value, figure.unit) for name in CONTENDERS),
                in_words(found["bridge"].to_limit, "×"),
            )
        return drawn

    def _growth_table(self) -> Table:
        drawn = _table("Discovery with", "by", "time", "peak memory", "received")
        for one in self.growth:
            drawn.add_row(
                f"{one.endpoints} endpoints",
                CONTENDERS[one.contender],
                f"{statistics.median(one.seconds) * MS:.0f} ms",
                f"{statistics.median(one.peak_bytes) * MB:.0f} MB",
                f"{one.wire_bytes * KB:.1f} kB",
            )
        return drawn

    def _trouble_table(self) -> Table:
        drawn = _table("A question when", "took", "answered", "Home Assistant got it")
        for one in self.troubles:
            drawn.add_row(
                one.what,
                f"{max(one.seconds):.2f} s",
                "yes" if one.answered else "no",
                "once" if one.received == 1 else f"{one.received} times",
            )
        return drawn

    def _target_table(self) -> Table:
        drawn = _table("ha-bridge should be", "at most", "and is", "")
        for one in self.verdicts:
            drawn.add_row(
                one.what,
                f"{one.limit:g} {one.unit}",
                f"{one.value:.3g} {one.unit}",
                "met" if one.is_met else "[bold]missed[/bold]",
            )
        return drawn


def summed_up(notes: Notes) -> dict[str, dict[str, Measured]]:
    """Return every figure of every contender."""
    return {
        figure.name: {name: _measured(notes, figure, name) for name in CONTENDERS}
        for figure in FIGURES
    }


def _measured(notes: Notes, figure: Figure, contender: str) -> Measured:
    mine, limit = (
        [[value * figure.scale for value in values] for values in rounds]
        for rounds in (
            notes.values[contender, figure.note],
            notes.values["limit", figure.note],
        )
    )
    return Measured(
        estimate(mine, figure.statistic), ratio(mine, limit, figure.statistic)
    )


# -- targets ---------------------------------------------------------------------------


def _to_limit(name: str, limit: float) -> Callable[[Report], Verdict]:
    what = next(figure.what for figure in FIGURES if figure.name == name)
    return lambda report: Verdict(
        what, limit, report.figures[name]["bridge"].to_limit.value, "× limit"
    )


def _at_most(limit: float, *names: str) -> Callable[[Report], Verdict]:
    """Bound a figure, or several added up."""
    figures = [figure for figure in FIGURES if figure.name in names]
    return lambda report: Verdict(
        " and ".join(figure.what for figure in figures),
        limit,
        sum(report.figures[name]["bridge"].value.value for name in names),
        figures[0].unit,
    )


def _holes(limit: float) -> Callable[[Report], Verdict]:
    def verdict(report: Report) -> Verdict:
        holes = report.troubles[:-1]
        times = [max(one.seconds) if one.answered else float("inf") for one in holes]
        return Verdict("An answer from a black hole", limit, max(times), "s")

    return verdict


def _slow_home(report: Report) -> Verdict:
    slow = report.troubles[-1]
    value = max(slow.seconds) if slow.answered else float("inf")
    return Verdict(f"An answer that takes {SLOW_S:.0f} s", SLOW_S + 0.5, value, "s")


#: What the handler is held to.
TARGETS: Sequence[Callable[[Report], Verdict]] = (
    _to_limit("warm", 1.03),
    _to_limit("idle", 1.05),
    _to_limit("discovery", 1.05),
    _at_most(6.0, "discovery_up", "discovery_down"),
    _to_limit("cold", 1.25),
    _at_most(1.6, "cpu"),
    _at_most(0.0, "connections"),
    _holes(2.5),
    _slow_home,
)


# -- words -----------------------------------------------------------------------------


def in_words(estimate: Estimate, unit: str) -> str:
    """Return an estimate and, in parentheses, its interval."""
    digits = DIGITS.get(unit, 0)
    value, low, high = (
        f"{number:.{digits}f}"
        for number in (estimate.value, estimate.low, estimate.high)
    )
    return value if low == high else f"{value} ({low}–{high})"


def _table(*columns: str) -> Table:
    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        drawn.add_column(column, justify="right" if number else "left")
    return drawn
