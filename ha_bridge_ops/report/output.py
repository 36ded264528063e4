"""The report: tables and bars, Markdown for a forum, JSON for a script."""

from collections.abc import Sequence
from typing import Any, Final

from rich.text import Text

from ha_bridge_ops.outside import code_span, prose, to_json
from ha_bridge_ops.report.figures import Figures, Outage, Report, moment, percentile
from ha_bridge_ops.report.goals import verdicts
from ha_bridge_ops.report.tables import headline, notes, sections, when
from ha_bridge_ops.strangers import for_strangers, ours_in
from ha_bridge_ops.terminal import Console, plain_table

#: Grows when what a script reads changes its meaning.
VERSION: Final = 1

_BARS: Final = "▁▂▃▄▅▆▇█"


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
    # By a height of its own: a few of many would not be seen beside them.
    failed = [float(one.failed) if one.failed else None for one in days]
    slow = [one.ms(90) for one in days]
    most, worst = (max(filter(None, one), default=0.0) for one in (asked, failed))
    return [
        ("directives", bars(asked, most), f"{most:,.0f}"),
        ("failed", bars(failed, worst), f"{worst:,.0f}"),
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


# -- a forum ---------------------------------------------------------------------------

#: What our own notes name; what AWS calls its errors may be somebody's name.
_OURS: Final = ours_in(("template.yaml",))


def as_markdown(report: Report, version: str) -> str:
    """Return the report for a forum: no address, no account, no name of a device."""
    days = round((report.until_ms - report.since_ms) / 86_400_000)
    lines = [f"ha-bridge {version}, {days} days: {headline(report)}", ""]
    lines += [f"{prose(for_strangers(note, _OURS))}\n" for note in notes(report)]
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
            "deployments_are_all": not report.only_last_change,
            "deployments": [
                {
                    "since": moment(one.since_ms).isoformat(),
                    "changed": list(one.changed),
                    **_figures_json(one.figures),
                }
                for one in report.stretches
            ],
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
