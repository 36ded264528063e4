"""What the calls amount to: figures, days, outages, devices."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import groupby, pairwise
from typing import Final

from ha_bridge_ops.aws.trail import PastChange
from ha_bridge_ops.report.calls import TIMED_OUT, Call, Calls

#: Amazon judges a quarter of an hour at a time, and so do the alarms.
WINDOW_MS: Final = 15 * 60 * 1000

#: Directives that a quarter of an hour must have for its times to count, and failures
#: for those to count: of one alone nobody can tell.  The template's alarms do the same.
MIN_CALLS: Final = 3
MIN_FAILED: Final = 3

#: Failures one after the other that make an outage.
MIN_OUTAGE: Final = 2

#: Changes that are one deployment: `sam deploy` changes code and settings one after
#: the other, and `ha-bridge adopt` does so in five steps.
DEPLOYMENT_MS: Final = 10 * 60 * 1000

#: Devices that are named.
WORST: Final = 5


def percentile(values: Iterable[float], percent: float) -> float | None:
    """Return the value that so many in a hundred do not exceed; None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def share(part: int, whole: int) -> float | None:
    """Return a part in percent; None of nothing."""
    return 100 * part / whole if whole else None


@dataclass(frozen=True)
class Figures:
    """What some calls amount to."""

    calls: Sequence[Call]

    @property
    def directives(self) -> int:
        """How many there were, those without an answer included."""
        return len(self.calls)

    @cached_property
    def errors(self) -> Counter[str]:
        """How often each error was the answer."""
        return Counter(call.error for call in self.calls if call.error)

    @property
    def failed(self) -> int:
        """How many were answered by an error, or not at all."""
        return self.errors.total()

    @property
    def success(self) -> float | None:
        """How many went well, in percent."""
        return share(self.directives - self.failed, self.directives)

    @property
    def internal(self) -> float | None:
        """Those that Amazon counts against a skill, in percent."""
        counted = self.errors["INTERNAL_ERROR"] + self.errors[TIMED_OUT]
        return share(counted, self.directives)

    @property
    def kept(self) -> float | None:
        """How many of those that reached the home went over a kept connection."""
        known = [call.reused for call in self.calls if call.reused is not None]
        return share(sum(known), len(known))

    def ms(self, percent: float) -> float | None:
        """Return a percentile of the times, in milliseconds."""
        return percentile((call.ms for call in self.calls), percent)


@dataclass(frozen=True)
class Outage:
    """A span of time in which nothing reached the home."""

    first_ms: int
    """Of the first failure, in milliseconds since the epoch."""
    last_ms: int
    """Of the last."""
    again_ms: int | None
    """When a directive went well again; None if none has."""
    failed: int
    error: str
    """What Alexa was told most often."""

    @property
    def length_ms(self) -> int:
        """How long it certainly was: in between nobody may have asked."""
        return self.last_ms - self.first_ms


@dataclass(frozen=True)
class Device:
    """What was asked of one device."""

    endpoint: str
    figures: Figures


@dataclass(frozen=True)
class Day:
    """What was asked on one day, in UTC."""

    date: date
    figures: Figures


@dataclass(frozen=True)
class Stretch:
    """The time from one deployment to the next."""

    since_ms: int
    changed: tuple[str, ...]
    """What was changed at its begin; nothing where it only begins to be read."""
    figures: Figures


@dataclass(frozen=True)
class Report:
    """All that is told.

    Args:
        since_ms: From when the log was read, in milliseconds since the epoch.
        until_ms: Until when.
        changes: Of the function, oldest first.
        only_last_change: Why none but the last is known; empty if all are.
        is_whole: Whether all of the log was read.
    """

    name: str
    region: str
    since_ms: int
    until_ms: int
    seen: Calls
    changes: Sequence[PastChange] = ()
    only_last_change: str = ""
    is_whole: bool = True

    @cached_property
    def all(self) -> Figures:
        """The figures of the whole time."""
        return Figures(self.seen.calls)

    @cached_property
    def windows(self) -> list[Figures]:
        """The figures of each quarter of an hour in which something was asked."""
        return [
            Figures(list(calls))
            for _, calls in groupby(
                self.seen.calls, key=lambda call: call.at_ms // WINDOW_MS
            )
        ]

    def worst_success(self) -> float | None:
        """Return the success of the worst quarter of an hour, or of all, in percent."""
        judged = [one for one in self.windows if one.failed >= MIN_FAILED]
        found = [one.success for one in (*judged, self.all)]
        return min((one for one in found if one is not None), default=None)

    def worst_p90(self) -> float | None:
        """Return p90 of the slowest quarter of an hour, or of all, in milliseconds."""
        judged = [one for one in self.windows if one.directives >= MIN_CALLS]
        found = [one.ms(90) for one in (*judged, self.all)]
        return max((one for one in found if one is not None), default=None)

    @cached_property
    def outages(self) -> list[Outage]:
        """The outages, oldest first."""
        found: list[Outage] = []
        runs = [
            (is_down, list(calls))
            for is_down, calls in groupby(
                # A device that is gone says nothing of the home, either way.
                (one for one in self.seen.calls if one.is_down or not one.error),
                key=lambda call: call.is_down,
            )
        ]
        for place, (is_down, calls) in enumerate(runs):
            if not is_down or len(calls) < MIN_OUTAGE:
                continue
            after = runs[place + 1][1][0].at_ms if place + 1 < len(runs) else None
            ((error, _),) = Counter(call.error for call in calls).most_common(1)
            first, last = calls[0].at_ms, calls[-1].at_ms
            found.append(Outage(first, last, after, len(calls), error))
        return found

    def availability(self) -> float | None:
        """Return for how much of the time nothing shows an outage, in percent."""
        if not self.seen.calls:
            return None
        whole = self.until_ms - max(self.since_ms, self.seen.calls[0].at_ms)
        down = sum(outage.length_ms for outage in self.outages)
        return 100.0 if whole <= 0 else max(0.0, 100 * (1 - down / whole))

    @cached_property
    def devices(self) -> list[Device]:
        """The worst devices: those that failed most often, then the slowest."""
        by_name = defaultdict(list)
        for call in self.seen.calls:
            if call.endpoint:
                by_name[call.endpoint].append(call)
        every = [Device(name, Figures(calls)) for name, calls in by_name.items()]
        every.sort(key=lambda one: (-one.figures.failed, -(one.figures.ms(90) or 0)))
        return every[:WORST]

    @cached_property
    def days(self) -> list[Day]:
        """Each day of the time, also those on which nothing was asked."""
        by_day = defaultdict(list)
        for call in self.seen.calls:
            by_day[_day(call.at_ms)].append(call)
        first = _day(self.since_ms).toordinal()
        last = _day(self.until_ms).toordinal()
        every = map(date.fromordinal, range(first, last + 1))
        return [Day(day, Figures(by_day.get(day, []))) for day in every]

    @cached_property
    def stretches(self) -> list[Stretch]:
        """The figures before, between and after the deployments; none without one."""
        inside = [
            one for one in self.changes if self.since_ms < one.at_ms < self.until_ms
        ]
        begins: list[tuple[int, int, list[str]]] = []
        for one in inside:
            if begins and one.at_ms - begins[-1][1] <= DEPLOYMENT_MS:
                first, _, what = begins[-1]
                begins[-1] = (first, one.at_ms, [*what, one.what])
            else:
                begins.append((one.at_ms, one.at_ms, [one.what]))
        if not begins:
            return []
        # What ran while it was changed belongs to what was before.
        edges = [self.since_ms, *(last for _, last, _ in begins), self.until_ms + 1]
        what_of = [(), *(tuple(dict.fromkeys(what)) for _, _, what in begins)]
        return [
            Stretch(since, what, Figures(self._between(since, until)))
            for (since, until), what in zip(pairwise(edges), what_of, strict=True)
        ]

    def _between(self, since_ms: int, until_ms: int) -> list[Call]:
        return [call for call in self.seen.calls if since_ms <= call.at_ms < until_ms]


def moment(ms: int) -> datetime:
    """Return a time of the log, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def _day(ms: int) -> date:
    return moment(ms).date()
