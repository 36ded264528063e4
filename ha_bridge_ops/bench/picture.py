"""A picture of the times, as SVG: small enough to be written by hand."""

from xml.sax.saxutils import escape

from ha_bridge_ops.bench.figures import FIGURES
from ha_bridge_ops.bench.results import Results

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
    # A ground of its own, for pages that are dark.
    parts = [
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
        _text(
            LEFT, 30, "Milliseconds that the function takes for a directive", 17, "bold"
        ),
    ]
    x = LEFT
    for name, what in contenders.items():
        parts += [_bar(x, 46, 14, COLORS[name], 14), _text(x + 20, 58, what, 13)]
        x += 56 + 7 * len(what)
    for row, figure in enumerate(DRAWN):
        y = TOP + sum(groups[:row]) + 16
        parts.append(_text(LEFT, y, names[figure], 14, "bold"))
        for place, (name, found) in enumerate(results.figures[figure].items()):
            value = found.value.value
            top = y + TITLE - 16 + place * (BAR + GAP)
            parts.append(_bar(LEFT, top, value * scale, COLORS[name]))
            end = LEFT + value * scale + 8
            parts.append(_text(end, top + 14, f"{value:.0f} ms", 13))
    drawing = "\n  ".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" '
        f'font-family="system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif">\n'
        f"  <title>{escape(_summary(results))}</title>\n  {drawing}\n</svg>\n"
    )


def _summary(results: Results) -> str:
    warm = results.figures["warm"]
    return "A warm directive: " + ", ".join(
        f"{what} {warm[name].value.value:.0f} ms"
        for name, what in results.contenders.items()
        if name in warm
    )


def _bar(x: float, y: float, width: float, color: str, height: float = BAR) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" '
        f'rx="3" fill="{color}"/>'
    )


def _text(x: float, y: float, text: str, size: int, weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" '
        f'fill="#1f2328">{escape(text)}</text>'
    )
