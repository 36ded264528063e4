"""The terminal: the only module that prints.

Colour and weight are ours: `Text.assemble(("…", "bold"))`.  A str is a text and nothing
else, whatever brackets stand in it, and no control character comes through.
"""

import logging
from collections.abc import Iterable
from typing import Any

import click
import rich.console
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.status import Status
from rich.text import Text

from ha_bridge_ops.outside import lines


class Console(rich.console.Console):
    """rich's, for which a str has no markup.

    Args:
        options: As rich's own.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            **{"highlight": False, "emoji": False, **options}, markup=False
        )

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Give what is written; all that is printed comes by here."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else _harmless(segment)

    def status(self, status: RenderableType, **options: Any) -> Status:
        """Return rich's turning sign, with a text beside it."""
        shown = Text(status) if isinstance(status, str) else status
        return super().status(shown, **options)


def _harmless(segment: Segment) -> Segment:
    style = segment.style
    if style is not None and style.link:
        style = style.update_link(None)
    return Segment(lines(segment.text), style)


def echo(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a text of ours, in which there may be words from outside.

    Args:
        text: In lines.
        err: On stderr.
        nl: End it with a line break.
    """
    click.echo(lines(text, len(text) + 1), err=err, nl=nl)


class LogFormatter(logging.Formatter):
    """Writes a line of the log as the terminal may have it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return lines(super().format(record))
