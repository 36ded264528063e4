"""The report as a picture in SVG: a bar a day, and p90 above it."""

from typing import Final

from ha_bridge_ops.report.figures import Day, Report, moment
from ha_bridge_ops.report.tables import headline, number, when
from ha_bridge_ops.svg import bar, document, text

_WIDTH: Final = 860
_LEFT: Final = 64
_RIGHT: Final = 20
_HEIGHT: Final = 430

#: Top and height of the two drawings.
_TIMES: Final = (96, 120)
_COUNTS: Final = (270, 110)

#: Milliseconds at which lines are drawn, with what they are.
_LINES: Final = ((1000, "goal: 1 s"), (5000, "Amazon: 5 s"))

_WELL: Final = "#1769aa"
_FAILED: Final = "#c0392b"
_FAINT: Final = "#8a8f98"


def svg(report: Report) -> str:
    """Return the picture."""
    days = report.days
    step = (_WIDTH - _LEFT - _RIGHT) / max(1, len(days))
    span = f"{days[0].date} to {days[-1].date}, {report.all.directives:,} directives"
    parts = [
        text(20, 32, headline(report), 17),
        text(20, 54, _summary(report), 13),
        text(20, 84, "p90 of each day", 13),
        text(20, 258, "Directives of each day, red those that failed", 13),
        *_times(days, step),
        *_counts(days, step),
        text(_LEFT, _HEIGHT - 22, str(days[0].date), 12, _FAINT),
        text(_WIDTH - _RIGHT - 70, _HEIGHT - 22, str(days[-1].date), 12, _FAINT),
    ]
    until = when(moment(report.until_ms))
    title = f"{span}, until {until} UTC. {headline(report)}"
    return document(_WIDTH, _HEIGHT, title, parts)


def _summary(report: Report) -> str:
    whole = report.all
    return (
        f"{whole.directives:,} directives, success {number(whole.success, '%')}, "
        f"p50 {number(whole.ms(50), 'ms')}, p90 {number(whole.ms(90), 'ms')}, "
        f"{len(report.outages)} outages"
    )


def _times(days: list[Day], step: float) -> list[str]:
    top, height = _TIMES
    slowest = max([day.figures.ms(90) or 0 for day in days] + [_LINES[-1][0] * 1.1])
    parts = []
    for limit, what in _LINES:
        y = top + height * (1 - limit / slowest)
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="{_FAINT}" stroke-dasharray="4 4"/>'
        )
        parts.append(text(_WIDTH - _RIGHT - 80, y - 4, what, 12, _FAINT))
    for place, day in enumerate(days):
        p90 = day.figures.ms(90)
        if p90 is not None:
            color = _FAILED if p90 >= _LINES[-1][0] else _WELL
            parts.append(_bar(place, step, top + height, height * p90 / slowest, color))
    return parts


def _counts(days: list[Day], step: float) -> list[str]:
    top, height = _COUNTS
    most = max([day.figures.directives for day in days] + [1])
    parts = [
        text(20, top + 10, f"{most:,}", 12, _FAINT),
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{top + height}" '
        f'y2="{top + height}" stroke="{_FAINT}"/>',
    ]
    for place, day in enumerate(days):
        whole = height * day.figures.directives / most
        failed = height * day.figures.failed / most
        parts.append(_bar(place, step, top + height - failed, whole - failed, _WELL))
        parts.append(_bar(place, step, top + height, failed, _FAILED))
    return [part for part in parts if part]


def _bar(place: int, step: float, bottom: float, height: float, color: str) -> str:
    return bar(
        _LEFT + place * step + step * 0.1, bottom - height, step * 0.8, height, color
    )
