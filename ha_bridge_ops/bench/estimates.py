"""Medians and how far to trust them."""

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: How often the rounds are drawn anew, for an interval that covers 95 %.
DRAWS = 1000

Rounds = Sequence[Sequence[float]]
Statistic = Callable[[Sequence[float]], float]


@dataclass(frozen=True)
class Estimate:
    """A value, and its 95 % confidence interval."""

    value: float
    low: float
    high: float


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    """Return what 95 % of the values do not exceed."""
    return sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)]


def estimate(rounds: Rounds, statistic: Statistic) -> Estimate:
    """Return a statistic of all values, whatever their round.

    The interval comes from drawing whole rounds, with repetition: values of one round
    share a process and a moment of the machine.
    """
    return _bootstrap([rounds], lambda pools: statistic(pools[0]))


def ratio(rounds: Rounds, others: Rounds, statistic: Statistic) -> Estimate:
    """Return a statistic as a multiple of the same one of another contender."""

    def divided(pools: list[list[float]]) -> float:
        return statistic(pools[0]) / (statistic(pools[1]) or 1.0)

    return _bootstrap([rounds, others], divided)


def _bootstrap(
    samples: Sequence[Rounds], statistic: Callable[[list[list[float]]], float]
) -> Estimate:
    chance = random.Random(0)  # noqa: S311 - the same numbers, the same interval

    def pooled(numbers: Sequence[int]) -> list[list[float]]:
        return [
            [value for number in numbers for value in rounds[number]]
            for rounds in samples
        ]

    count = len(samples[0])
    drawn = sorted(
        statistic(pooled(chance.choices(range(count), k=count))) for _ in range(DRAWS)
    )
    whole = statistic(pooled(range(count)))
    return Estimate(whole, drawn[DRAWS * 25 // 1000], drawn[DRAWS * 975 // 1000 - 1])
