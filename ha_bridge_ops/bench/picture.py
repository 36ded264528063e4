"""A picture of the times, as SVG."""

from ha_bridge_ops.bench.figures import FIGURES
from ha_bridge_ops.bench.results import Results
from ha_bridge_ops.svg import bar, document, text

#: The figures that are drawn, and the colors of the contenders.
DRAWN = ("warm", "idle", "discovery", "cold")
COLORS = {
    "bridge": "#1769aa",
    "before": "#7fb2dc",
    "one_file": "#4f9d69",
    "own_authority": "#7a5aa6",
    "per_directive": "#c25e1a",
    "limit": "#8a8f98",
}

WIDTH, LEFT, RIGHT, TOP = 860, 20, 90, 78
BAR, GAP, TITLE = 18, 5, 26


def svg(results: Results) -> str:
    """Return the picture: a bar for each contender, grouped by figure."""
    names = {figure.name: figure.what for figure in FIGURES}
    contenders = results.contenders
    longest = max(
        results.figures[figure][name].value.value
        for figure in DRAWN
        for name in results.figures[figure]
    )
    scale = (WIDTH - LEFT - RIGHT) / longest
    groups = [
        TITLE + len(results.figures[figure]) * (BAR + GAP) + 16 for figure in DRAWN
    ]
    height = TOP + sum(groups)
    title = "Milliseconds that the function takes for a directive"
    parts = [text(LEFT, 30, title, 17, bold=True)]
    x = LEFT
    for name, what in contenders.items():
        parts += [bar(x, 46, 14, 14, COLORS[name], rx=3), text(x + 20, 58, what, 13)]
        x += 56 + 7 * len(what)
    for row, figure in enumerate(DRAWN):
        y = TOP + sum(groups[:row]) + 16
        parts.append(text(LEFT, y, names[figure], 14, bold=True))
        for place, (name, found) in enumerate(results.figures[figure].items()):
            value = found.value.value
            top = y + TITLE - 16 + place * (BAR + GAP)
            parts.append(bar(LEFT, top, value * scale, BAR, COLORS[name], rx=3))
            end = LEFT + value * scale + 8
            parts.append(text(end, top + 14, f"{value:.0f} ms", 13))
    return document(WIDTH, height, _summary(results), parts)


def _summary(results: Results) -> str:
    warm = results.figures["warm"]
    return "A warm directive: " + ", ".join(
        f"{what} {warm[name].value.value:.0f} ms"
        for name, what in results.contenders.items()
        if name in warm
    )
