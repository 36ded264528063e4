"""What was measured, as tables and as JSON."""

import dataclasses
import statistics
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from ha_bridge_ops.bench.estimates import Estimate
from ha_bridge_ops.bench.figures import FIGURES, KB, MB, MS, Figures
from ha_bridge_ops.bench.lab import CONTENDERS
from ha_bridge_ops.bench.measure import Growth, Trouble
from ha_bridge_ops.bench.targets import TARGETS, Verdict
from ha_bridge_ops.terminal import Console

#: Digits after the point, by unit.
DIGITS = {"×": 3, "ms": 1, "kB": 2, "MB": 1}


@dataclass(frozen=True)
class Results:
    """All that was measured."""

    circumstances: dict[str, Any]
    figures: Figures
    growth: list[Growth]
    troubles: list[Trouble]

    @property
    def contenders(self) -> dict[str, str]:
        """Who was measured, by name, with what it is."""
        measured = self.figures[FIGURES[0].name]
        return {name: what for name, what in CONTENDERS.items() if name in measured}

    @property
    def verdicts(self) -> list[Verdict]:
        """How the measured compares with what it should be."""
        return [target(self.figures, self.troubles) for target in TARGETS]

    def as_json(self) -> dict[str, Any]:
        """Return it for machines; seconds and bytes where no unit says otherwise."""
        return {
            "circumstances": self.circumstances,
            "figures": {
                figure.name: {
                    "what": figure.what,
                    "unit": figure.unit,
                    **{
                        name: _without_nothing(dataclasses.asdict(measured))
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
        names = self.contenders
        heads = ["to limit", *(["to before"] if "before" in names else [])]
        drawn = _table("median (95 % interval)", "", *names.values(), *heads)
        for figure in FIGURES:
            found = self.figures[figure.name]
            mine = found["bridge"]
            drawn.add_row(
                figure.what,
                figure.unit,
                *(
                    in_words(found[name].value, figure.unit) if name in found else "–"
                    for name in names
                ),
                *(in_words(one, "×") for one in (mine.to_limit, mine.to_before) if one),
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
        drawn = _table("A directive when", "took", "answered", "Home Assistant got it")
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
                f"{one.value:.4g} {one.unit}",
                "met" if one.is_met else Text("missed", style="bold"),
            )
        return drawn


# -- words -----------------------------------------------------------------------------


def in_words(estimate: Estimate, unit: str) -> str:
    """Return an estimate and, in parentheses, its interval."""
    digits = DIGITS.get(unit, 0)
    value, low, high = (
        f"{number:.{digits}f}"
        for number in (estimate.value, estimate.low, estimate.high)
    )
    return value if low == high else f"{value} ({low}–{high})"


def _without_nothing(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _table(*columns: str) -> Table:
    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        drawn.add_column(column, justify="right" if number else "left")
    return drawn
