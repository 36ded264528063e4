"""The terminal: the only module that prints.

Colour and weight are ours: `Text.assemble(("…", "bold"))`.  A str is a text and nothing
else, whatever brackets stand in it, and no control character comes through.
"""

import contextlib
import logging
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import click
import rich.console
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.status import Status
from rich.table import Table
from rich.text import Text

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.outside import lines

#: Columns or lines of a terminal.
_SIZE: Final = re.compile(r"[1-9][0-9]{0,4}")


class Console(rich.console.Console):
    """rich's, for which a str has no markup.

    Args:
        options: As rich's own.
    """

    def __init__(self, **options: Any) -> None:
        ours = {"highlight": False, "emoji": False, "_environ": _environ()}
        super().__init__(**{**ours, **options}, markup=False)

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


def _environ() -> dict[str, str]:
    """Return the environment; a size in it that is none, such as ², is left out."""
    return {
        name: text
        for name, text in os.environ.items()
        if name not in ("COLUMNS", "LINES") or _SIZE.fullmatch(text)
    }


def _harmless(segment: Segment) -> Segment:
    style = segment.style
    if style is not None and style.link:
        style = style.update_link(None)
    return Segment(lines(segment.text), style)


class Steps:
    """What a command is doing, on stderr: each step while it runs, and afterwards."""

    def __init__(self) -> None:
        self.progress = Console(stderr=True)
        self.done: list[str] = []
        """The steps that went well."""

    @contextlib.contextmanager
    def step(self, what: str, *, kept: bool = True) -> Iterator[None]:
        """Show a step, and how long it took; one that failed stays to be seen too.

        Args:
            what: In a few words.
            kept: Whether it stays to be seen when it is done.
        """
        started = time.monotonic()
        try:
            with self.progress.status(f"{what} ..."):
                yield
        except CommandError:
            self.progress.print(Text.assemble(("✗ ", "red"), what))
            raise
        self.done.append(what)
        if kept:
            took = (f" {time.monotonic() - started:.1f} s", "dim")
            self.progress.print(Text.assemble(("✓ ", "green"), what, took))


def plain_table(*columns: str) -> Table:
    """Return a table without lines, with these headings."""
    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        drawn.add_column(column)
    return drawn


def echo(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a text of ours, in which there may be words from outside.

    Args:
        text: In lines.
        err: On stderr.
        nl: End it with a line break.
    """
    click.echo(lines(text, len(text) + 1), err=err, nl=nl)


def agreed(question: str) -> bool:
    """Return whether the user says yes; nobody there is a no."""
    return decision_on(question) is True


def decision_on(question: str) -> bool | None:
    """Return whether the user says yes or no; None if nobody is there.

    Args:
        question: In which there may be words from outside.
    """
    try:
        return click.confirm(lines(question), err=True)
    except click.Abort:
        return None


def answer_to(
    question: str, *, is_secret: bool = False, empty: str | None = None
) -> str | None:
    """Return what the user types; None if nobody is there.

    Args:
        question: In which there may be words from outside.
        is_secret: Whether it is not to be seen while it is typed.
        empty: What is returned if nothing is typed; None asks again.
    """
    try:
        answer: str = click.prompt(
            lines(question),
            default=empty,
            hide_input=is_secret,
            show_default=False,
            err=True,
        )
    except click.Abort:
        return None
    return answer


class LogFormatter(logging.Formatter):
    """Writes a line of the log as the terminal may have it.

    Args:
        form: As logging's own.
        hide: Takes secrets out of it.
    """

    def __init__(
        self, form: str | None = None, hide: Callable[[str], str] = str
    ) -> None:
        super().__init__(form)
        self._hide = hide

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return lines(self._hide(super().format(record)))
