"""Findings for people, for machines and for a forum."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from rich.text import Text

from ha_bridge_ops.check.catalogue import PARTS
from ha_bridge_ops.check.model import Finding, Status
from ha_bridge_ops.check.privacy import Clean
from ha_bridge_ops.outside import (
    code_span,
    fenced,
    prose,
    to_json,
)
from ha_bridge_ops.terminal import Console

#: Colours only repeat what sign and word of a status say.
_COLOURS: Final = {
    Status.OK: "green",
    Status.WARNING: "yellow",
    Status.FAILED: "bold red",
    Status.SKIPPED: "dim",
}

#: Of the JSON: a key that goes or changes its meaning makes it 2; new ones may come.
JSON_VERSION: Final = 1

#: Columns before an id, and before what was seen where nothing else is said.
_INDENT = 12
_SEEN = 46


class Screen:
    """Findings on stdout as they come.

    Args:
        console: Where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._part = ""

    def add(self, finding: Finding) -> None:
        """Show one finding."""
        part = PARTS[finding.id.partition(".")[0]]
        if part != self._part:
            self._console.print(Text.assemble("\n", (part, "bold")))
            self._part = part
        line = Text(finding.status.mark.ljust(_INDENT), style=_COLOURS[finding.status])
        saw = finding.saw
        if not finding.means and len(saw) <= self._console.width - _SEEN:
            line.append(finding.id.ljust(_SEEN - _INDENT))
            line.append(saw)
            saw = ""
        else:
            line.append(finding.id, style="bold")
        self._console.print(line)
        self._say(saw)
        for row in _table(finding):
            self._console.print(Text(row), soft_wrap=True)
        self._say(finding.means)
        self._say(finding.fix, arrow="→ ")
        for pasted in finding.paste.splitlines():
            shown = Text(" " * (_INDENT + 4) + pasted, style="cyan")
            # Never broken: it is there to be copied.
            self._console.print(shown, soft_wrap=True)

    def _say(self, text: str, *, arrow: str = "") -> None:
        """Print a text below the id, in lines of its own."""
        lines = textwrap.wrap(
            text,
            self._console.width,
            initial_indent=" " * _INDENT + arrow,
            subsequent_indent=" " * (_INDENT + len(arrow)),
            break_on_hyphens=False,
        )
        for line in lines:
            shown = Text(line, style="bold" if arrow else "")
            self._console.print(shown, soft_wrap=True)

    def end(self, findings: Sequence[Finding]) -> None:
        """Show how it went in all."""
        self._console.print(f"\n{summary(findings)}")
        if first := first_failed(findings):
            self._console.print(f"Begin with {first.id}.")
            self._console.print(f"It is described in {first.page}", soft_wrap=True)


def first_failed(findings: Iterable[Finding]) -> Finding | None:
    """Return the first failure: the others may come of it."""
    failed = (one for one in findings if one.status is Status.FAILED)
    return next(failed, None)


def _table(finding: Finding) -> list[str]:
    """Return the lines of what is seen from here and from AWS, side by side."""
    if not finding.rows:
        return []
    rows = [("", "from here", "from AWS"), *finding.rows]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return [
        f"{' ' * _INDENT}{what:{widths[0]}}  {here:{widths[1]}}  {there}"
        for what, here, there in rows
    ]


def summary(findings: Iterable[Finding]) -> str:
    """Return the numbers in a sentence."""
    statuses = [finding.status for finding in findings]
    parts = []
    for status, one, many in (
        (Status.FAILED, "failure", "failures"),
        (Status.WARNING, "warning", "warnings"),
        (Status.SKIPPED, "link skipped", "links skipped"),
        (Status.OK, "link fine", "links fine"),
    ):
        if number := statuses.count(status):
            parts.append(f"{number} {one if number == 1 else many}")
    return f"{', '.join(parts)}."


def as_json(findings: Sequence[Finding], version: str) -> str:
    """Return one JSON object, as docs/check-json.md describes it.

    Args:
        findings: What was found.
        version: Of this command.
    """
    first = first_failed(findings)
    statuses = Counter(finding.status for finding in findings)
    return to_json(
        {
            "version": JSON_VERSION,
            "ha_bridge": version,
            "summary": {
                "text": summary(findings),
                "begin_with": first.id if first else None,
                **{status.value: statuses[status] for status in Status},
            },
            "findings": [finding.as_json() for finding in findings],
        }
    )


def as_markdown(findings: Sequence[Finding], version: str, clean: Clean) -> str:
    """Return a table for a forum, and the fixes below it.

    Args:
        findings: What was found.
        version: Of this command.
        clean: Takes out what is nobody else's business.
    """
    rows = [
        f"**ha-bridge check** {version}: {summary(findings)}",
        "",
        "| | finding | seen |",
        "|---|---|---|",
    ]
    for finding in findings:
        saw = code_span(clean(finding.saw))
        rows.append(f"| {finding.status.mark} | `{finding.id}` | {saw} |")
        for row in finding.rows:
            what, here, there = (code_span(clean(one)) for one in row)
            rows.append(f"| | {what} | from here {here}, from AWS {there} |")
    for finding in findings:
        for problem in finding.problems:
            means = prose(clean(problem.means))
            rows += ["", f"**{finding.id}** ({problem.cause}): {means}", ""]
            rows.append(f"→ {prose(clean(problem.fix))}")
            if problem.paste:
                rows += ["", *fenced(clean(problem.paste))]
    return "\n".join(rows)
