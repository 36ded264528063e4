"""The report, as tables and a picture for a terminal, as Markdown, as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rich.text import Text

from ha_bridge_ops.grammar import ERROR_TYPE
from ha_bridge_ops.outside import code_span, for_strangers, one_of, quoted, to_json
from ha_bridge_ops.report.calls import TIMED_OUT
from ha_bridge_ops.report.figures import Figures, Outage, Report, moment, percentile
from ha_bridge_ops.report.goals import Verdict, verdicts
from ha_bridge_ops.terminal import Console, plain_table

#: Grows when what a script reads changes its meaning.
VERSION: Final = 1

#: Kinds of error, and outages, that are named.
_SHOWN: Final = 5
_OUTAGES: Final = 10

_BARS: Final = "▁▂▃▄▅▆▇█"

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
    found.append(_change(report))
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
    return Section("Beside published numbers", ("", "by", "what", "here", "goal"), rows)


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
    return one_of(kind, ERROR_TYPE)


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


def _change(report: Report) -> Section:
    if report.before_and_after is None or report.modified_ms is None:
        return Section("", (), [])
    changed = when(moment(report.modified_ms))
    title = f"Before and after the function was changed, {changed} UTC"
    rows: Rows = [
        (
            what,
            f"{one.directives:,}",
            number(one.success, "%"),
            number(one.ms(50), "ms"),
            number(one.ms(90), "ms"),
        )
        for what, one in zip(("before", "after"), report.before_and_after, strict=True)
    ]
    return Section(title, ("", "directives", "success", "p50", "p90"), rows)


# -- a terminal ------------------------------------------------------------------------


def bars(values: Sequence[float | None], highest: float) -> str:
    """Return a line of bars, a space where there is no value."""
    return "".join(_bar(value, highest) for value in values)


def _bar(value: float | None, highest: float) -> str:
    if value is None:
        return " "
    part = value / highest if highest > 0 else 0.0
    return _BARS[max(0, min(len(_BARS) - 1, round(part * (len(_BARS) - 1))))]


def picture(report: Report) -> list[tuple[str, str, str]]:
    """Return for each figure its name, a bar a day, and what the highest bar is."""
    days = [day.figures for day in report.days]
    asked = [float(one.directives) if one.directives else None for one in days]
    failed = [float(one.failed) if one.directives else None for one in days]
    slow = [one.ms(90) for one in days]
    most = max((one for one in asked if one), default=0.0)
    return [
        ("directives", bars(asked, most), f"{most:,.0f}"),
        ("failed", bars(failed, most), f"{most:,.0f}"),
        ("p90", bars(slow, 5000), "5 s and more"),
    ]


def show(report: Report, console: Console) -> None:
    """Print the report for a person."""
    console.print(
        f"{report.name} in {report.region}, "
        f"{when(moment(report.since_ms))} to {when(moment(report.until_ms))} UTC"
    )
    console.print(Text(headline(report), "bold"))
    for note in notes(report):
        console.print(Text(note, "yellow"))
    console.print()
    if report.all.directives:
        drawn = plain_table("each day", "", "highest bar")
        for name, line, highest in picture(report):
            drawn.add_row(name, Text(line, "cyan", no_wrap=True), highest)
        console.print(drawn)
    for section in sections(report):
        console.print()
        console.print(Text(section.title, "bold"))
        table = plain_table(*section.columns)
        table.show_header = any(section.columns)
        for row in section.rows:
            table.add_row(*(Text(cell, _style(cell)) for cell in row))
        console.print(table)


def _style(cell: str) -> str:
    return {"✓": "green", "✗": "bold red", "!": "yellow"}.get(cell[:1], "")


def notes(report: Report) -> list[str]:
    """Return what limits the report."""
    found = []
    if not report.is_whole:
        found.append("The log is longer than what was read: this is its beginning.")
    if not report.all.directives and report.seen.plain:
        found.append(
            "The log has lines, but none of ha-bridge in JSON: set the function's log "
            "format to JSON in the Lambda console (Configuration, Monitoring and "
            "operations tools), or deploy it with template.yaml."
        )
    return found


# -- a forum ---------------------------------------------------------------------------


def as_markdown(report: Report, version: str) -> str:
    """Return the report for a forum: no address, no account, no name of a device."""
    days = round((report.until_ms - report.since_ms) / 86_400_000)
    lines = [f"ha-bridge {version}, {days} days: {headline(report)}", ""]
    lines += [f"{note}\n" for note in notes(report)]
    for section in sections(report, named=False):
        columns = [column or " " for column in section.columns]
        lines += [f"**{section.title}**", ""]
        lines.append(f"| {' | '.join(columns)} |")
        lines.append(f"|{'---|' * len(columns)}")
        for row in section.rows:
            lines.append(f"| {' | '.join(map(_cell, row))} |")
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    shown = for_strangers(text)
    return code_span(shown) if "“" in shown else shown.replace("|", "\\|")


# -- a script --------------------------------------------------------------------------


def as_json(report: Report, version: str) -> str:
    """Return the report for a script; times in milliseconds and UTC."""
    changed = report.before_and_after
    return to_json(
        {
            "version": VERSION,
            "ha_bridge": version,
            "function": report.name,
            "region": report.region,
            "since": moment(report.since_ms).isoformat(),
            "until": moment(report.until_ms).isoformat(),
            "is_whole": report.is_whole,
            "figures": {
                **_figures_json(report.all),
                "errors": dict(report.all.errors),
                "cold_starts": len(report.seen.cold_ms)
                if report.seen.reports
                else None,
                "cold_start_p50_ms": percentile(report.seen.cold_ms, 50),
                "kept_percent": report.all.kept,
                "internal_percent": report.all.internal,
                "availability_percent": report.availability(),
            },
            "goals": [
                {
                    "name": one.goal.name,
                    "by": one.goal.who,
                    "what": one.goal.what,
                    "value": one.value,
                    "must_be": one.goal.sign,
                    "limit": one.goal.limit,
                    "unit": one.goal.unit,
                    "is_met": one.is_met,
                    "decides": one.goal.decides,
                    "source": one.goal.source,
                }
                for one in verdicts(report)
            ],
            "outages": [_outage_json(one) for one in report.outages],
            "devices": [
                {"endpointId": one.endpoint, **_figures_json(one.figures)}
                for one in report.devices
            ],
            "days": [
                {"date": one.date.isoformat(), **_figures_json(one.figures)}
                for one in report.days
            ],
            "change": changed
            and {
                "at": moment(report.modified_ms or 0).isoformat(),
                "before": _figures_json(changed[0]),
                "after": _figures_json(changed[1]),
            },
        }
    )


def _figures_json(figures: Figures) -> dict[str, Any]:
    return {
        "directives": figures.directives,
        "failed": figures.failed,
        "success_percent": figures.success,
        **{f"p{one}_ms": figures.ms(one) for one in (50, 90, 99)},
    }


def _outage_json(outage: Outage) -> dict[str, Any]:
    again = outage.again_ms
    return {
        "first": moment(outage.first_ms).isoformat(),
        "last": moment(outage.last_ms).isoformat(),
        "well_again": moment(again).isoformat() if again else None,
        "failed": outage.failed,
        "error": outage.error,
    }
