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
from ha_bridge_ops.project import WITHOUT_A_COPY, addresses, is_a_copy, located
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
        has_copy: Whether a copy of the project is around the command.
        known: Addresses of the project, as its package has them.
    """

    def __init__(
        self,
        console: Console,
        *,
        has_copy: bool | None = None,
        known: Iterable[str] | None = None,
    ) -> None:
        self._console = console
        self._part = ""
        self._has_copy = is_a_copy() if has_copy is None else has_copy
        self._known = list(addresses() if known is None else known)

    def add(self, finding: Finding) -> None:
        """Show one finding."""
        part = PARTS[finding.id.partition(".")[0]]
        if part != self._part:
            self._console.print(Text.assemble("\n", (part, "bold")))
            self._part = part
        line = Text(finding.status.mark.ljust(_INDENT), style=_COLOURS[finding.status])
        told = finding.told
        saw = told[0].saw if told else finding.saw
        if not told and len(saw) <= self._console.width - _SEEN:
            line.append(finding.id.ljust(_SEEN - _INDENT))
            line.append(saw)
            saw = ""
        else:
            line.append(finding.id, style="bold")
        self._console.print(line)
        self.say(saw)
        for row in _table(finding):
            self._console.print(Text(row), soft_wrap=True)
        for place, one in enumerate(told):
            self.say(one.saw if place else "")
            self.say(one.means)
            self.say(one.fix, "→ ")
            self.paste(one.paste)

    def heading(self, title: str, text: str) -> None:
        """Print a title, and what it is about."""
        self._console.print(Text.assemble("\n", (title, "bold")))
        self.say(text)

    def say(self, text: str, label: str = "") -> None:
        """Print a text below the id, in lines of its own; an arrow makes it bold."""
        is_bold = label == "→ "
        lines = textwrap.wrap(
            f"{label}{self._located(text)}" if text else "",
            self._console.width,
            initial_indent=" " * _INDENT,
            subsequent_indent=" " * (_INDENT + (len(label) if is_bold else 0)),
            break_on_hyphens=False,
            break_long_words=False,
        )
        for line in lines:
            shown = Text(line, style="bold" if is_bold else "")
            self._console.print(shown, soft_wrap=True)

    def paste(self, text: str) -> None:
        """Print lines to paste; they are never broken."""
        for pasted in text.splitlines():
            shown = Text(" " * (_INDENT + 4) + pasted, style="cyan")
            self._console.print(shown, soft_wrap=True)
        if "sam build" in text and not self._has_copy:
            self.say(WITHOUT_A_COPY)

    def end(self, findings: Sequence[Finding]) -> None:
        """Show how it went in all."""
        self._console.print(f"\n{summary(findings)}")
        if first := first_failed(findings):
            self._console.print(f"Begin with {first.id}. All that it can be:")
            self._console.print(f"  ha-bridge check --explain {first.id}")

    def _located(self, text: str) -> str:
        return located(text, has_copy=self._has_copy, known=self._known)


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
