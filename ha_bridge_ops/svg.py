"""Pictures as SVG: small enough to be written by hand."""

from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape

INK: Final = "#1f2328"


def document(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    """Return a picture, on a ground of its own for pages that are dark.

    Args:
        width: In pixels.
        height: In pixels.
        title: What is told to those who do not see it.
        parts: What is drawn, as `bar` and `text` return it.
    """
    drawing = "\n  ".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" '
        'font-family="system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif">\n'
        f"  <title>{escape(title)}</title>\n"
        f'  <rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>\n'
        f"  {drawing}\n</svg>\n"
    )


def bar(  # noqa: PLR0913 - where, how large and how
    x: float, y: float, width: float, height: float, color: str, *, rx: int = 0
) -> str:
    """Return a rectangle; nothing if it has no size.

    Args:
        x: Of its upper left corner.
        y: Likewise.
        width: In pixels.
        height: In pixels.
        color: Such as #1769aa.
        rx: Radius of its corners.
    """
    if width <= 0 or height <= 0:
        return ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{rx}" fill="{color}"/>'
    )


def text(  # noqa: PLR0913 - where, what and how
    x: float, y: float, said: str, size: int, color: str = INK, *, bold: bool = False
) -> str:
    """Return a text that begins at a place."""
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}"{weight} fill="{color}">'
        f"{escape(said)}</text>"
    )
