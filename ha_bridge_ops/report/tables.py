"""What the report says, in words and tables, whoever shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ha_bridge_ops.grammar import ERROR_TYPE
from ha_bridge_ops.outside import one_of, quoted
from ha_bridge_ops.report.calls import TIMED_OUT, UNKNOWN
from ha_bridge_ops.report.figures import Outage, Report, moment, percentile
from ha_bridge_ops.report.goals import Verdict, verdicts

#: Kinds of error, outages and deployments that are named.
_SHOWN: Final = 5
_OUTAGES: Final = 10
_DEPLOYMENTS: Final = 10

Rows = list[tuple[str, ...]]


@dataclass(frozen=True)
class Section:
    """A table of the report."""

    title: str
    columns: tuple[str, ...]
    rows: Rows


def number(value: float | None, unit: str) -> str:
    """Return a value as people read it."""
    if value is None:
        return "–"
    if unit == "%":
        # Never rounded up to what it is not.
        text = f"{int(value * 100) / 100:.2f}".rstrip("0").rstrip(".")
        return f"{text} %"
    return f"{value:,.0f} ms"


def when(value: datetime) -> str:
    """Return a time in UTC."""
    return f"{value:%Y-%m-%d %H:%M}"


def mark(verdict: Verdict) -> str:
    """Return a sign and a word for it, which say the same."""
    if verdict.is_met is None:
        return "– unknown"
    if verdict.is_met:
        return "✓ met"
    return "✗ MISSED" if verdict.goal.decides else "! missed"


def headline(report: Report) -> str:
    """Return in one sentence how the home is."""
    every = verdicts(report)
    missed = [one for one in every if one.is_met is False]
    amazons = [one for one in missed if one.goal.decides]
    if not report.all.directives:
        return "No directive came in this time, so nothing can be said."
    if amazons:
        return (
            f"Amazon would call it degraded: {len(amazons)} of its numbers "
            f"{'is' if len(amazons) == 1 else 'are'} missed."
        )
    if missed:
        return "Good enough for Amazon, and not as good as it could be."
    return "It is good: every number is met."


def sections(report: Report, *, named: bool = True) -> list[Section]:
    """Return the tables.

    Args:
        report: What was found.
        named: With the names of devices; else only what kind each is.
    """
    found = [_figures(report), _goals(report), _errors(report)]
    found += [_outages(report.outages), _devices(report, named=named)]
    found.append(_deployments(report))
    return [one for one in found if one.rows]


def _figures(report: Report) -> Section:
    seen, whole = report.seen, report.all
    cold = "–"
    if seen.reports:
        took = number(percentile(seen.cold_ms, 50), "ms")
        cold = f"{len(seen.cold_ms)}, half within {took}" if seen.cold_ms else "0"
    rows: Rows = [
        ("directives", f"{whole.directives:,}"),
        ("success", number(whole.success, "%")),
        *((f"p{one}", number(whole.ms(one), "ms")) for one in (50, 90, 99)),
        ("cold starts", cold),
        ("over a kept connection", number(whole.kept, "%")),
    ]
    return Section("Figures", ("", ""), rows)


def _goals(report: Report) -> Section:
    rows: Rows = [
        (
            mark(one),
            one.goal.who,
            one.goal.what,
            number(one.value, one.goal.unit),
            f"{one.goal.sign} {number(one.goal.limit, one.goal.unit)}",
        )
        for one in verdicts(report)
    ]
    return Section(
        "Compared with published numbers", ("", "by", "what", "here", "goal"), rows
    )


def _errors(report: Report) -> Section:
    whole = report.all
    rows: Rows = [
        (_kind(kind), f"{times:,}", number(100 * times / whole.directives, "%"))
        for kind, times in whole.errors.most_common(_SHOWN)
    ]
    return Section("What Alexa was told", ("error", "times", "share"), rows)


def _kind(kind: str) -> str:
    if kind == TIMED_OUT:
        return "nothing: Lambda ended the call"
    return kind if kind == UNKNOWN else one_of(kind, ERROR_TYPE)


def _outages(outages: Sequence[Outage]) -> Section:
    rows: Rows = [
        (
            when(moment(one.first_ms)),
            when(moment(one.last_ms)),
            when(moment(one.again_ms)) if one.again_ms else "not yet",
            str(one.failed),
            _kind(one.error),
        )
        for one in outages[-_OUTAGES:]
    ]
    title = "Outages"
    if len(outages) > _OUTAGES:
        title += f", the last {_OUTAGES} of {len(outages)}"
    return Section(
        f"{title} (UTC)", ("first failure", "last", "well again", "failed", "as"), rows
    )


def _devices(report: Report, *, named: bool) -> Section:
    rows: Rows = [
        (
            quoted(one.endpoint) if named else f"device {place}",
            f"{one.figures.directives:,}",
            f"{one.figures.failed:,}",
            number(one.figures.ms(90), "ms"),
        )
        for place, one in enumerate(report.devices, 1)
    ]
    return Section("The worst devices", ("device", "asked", "failed", "p90"), rows)


def _deployments(report: Report) -> Section:
    shown = report.stretches[-_DEPLOYMENTS:]
    rows: Rows = [
        (
            when(moment(one.since_ms)),
            ", ".join(one.changed) or "–",
            f"{one.figures.directives:,}",
            number(one.figures.success, "%"),
            number(one.figures.ms(50), "ms"),
            number(one.figures.ms(90), "ms"),
        )
        for one in shown
    ]
    title = "What changed at a deployment"
    if len(shown) < len(report.stretches):
        title += f", the last {_DEPLOYMENTS} of {len(report.stretches) - 1}"
    return Section(
        f"{title} (UTC)",
        ("from", "changed", "directives", "success", "p50", "p90"),
        rows,
    )


def notes(report: Report) -> list[str]:
    """Return what limits the report."""
    found = []
    if not report.is_whole:
        found.append("The log is longer than what was read: this is a part of it.")
    if not report.all.directives and report.seen.plain:
        found.append(
            "The log has lines, but none of ha-bridge in JSON: set the function's log "
            "format to JSON in the Lambda console (Configuration, Monitoring and "
            "operations tools), or deploy it with template.yaml."
        )
    if report.only_last_change:
        found.append(
            "Only the last deployment is shown, because AWS did not list the others "
            f"({report.only_last_change}): that needs cloudtrail:LookupEvents."
        )
    return found
