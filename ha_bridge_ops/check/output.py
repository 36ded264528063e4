"""Findings for people, for machines and for a forum."""

import contextlib
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from rich.text import Text

from ha_bridge_ops.check.catalogue import PARTS
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.function import known_function
from ha_bridge_ops.check.model import Finding, Status
from ha_bridge_ops.outside import (
    code_span,
    fenced,
    for_strangers,
    is_public,
    to_json,
)
from ha_bridge_ops.terminal import Console

#: A sign and a word for each status; colour only repeats what they say.
SIGNS = {
    Status.OK: ("✓", "ok", "green"),
    Status.WARNING: ("!", "warning", "yellow"),
    Status.FAILED: ("✗", "FAILED", "bold red"),
    Status.SKIPPED: ("–", "skipped", "dim"),
}

#: Columns before an id, and before what was seen where nothing else is said.
_INDENT = 12
_SEEN = 46

#: Changes a text before it is shown.
Clean = Callable[[str], str]


def anonymous(context: Context) -> Clean:
    """Return what takes out of a text where the home is, and whose account it is."""

    def clean(text: str) -> str:
        if context.address is not None:
            text = _without(text, context.address.host, "home.example.org")
        for host in _other_hosts(context):
            text = _without(text, host, "other.example.org")
        return for_strangers(text)

    return clean


def _without(text: str, host: str, instead: str) -> str:
    return re.sub(re.escape(host), instead, text, flags=re.IGNORECASE)


def _other_hosts(context: Context) -> set[str]:
    """Return the names of one's own that a redirect or a certificate gave away."""
    evidence = context.evidence
    found = {str(name) for name in evidence.tls.get("names", [])} if evidence else set()
    addresses = [str(evidence.http.get("location", ""))] if evidence else []
    if (function := known_function(context)) is not None:
        addresses.append(function.variables.get("BASE_URL", ""))
    for address in addresses:
        with contextlib.suppress(ValueError):
            found.add(urlsplit(address).hostname or "")
    return {name for name in found if len(name) > _LABEL and not is_public(name)}


#: A name this short could stand in any text.
_LABEL = 3


class Report:
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
        sign, word, style = SIGNS[finding.status]
        line = Text(f"{sign} {word}".ljust(_INDENT), style=style)
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
        failed = [one.id for one in findings if one.status is Status.FAILED]
        if failed:
            self._console.print(f"Begin with {failed[0]}.")


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


def as_json(findings: Sequence[Finding]) -> str:
    """Return one JSON object."""
    return to_json({"findings": [finding.as_json() for finding in findings]})


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
        sign, word, _ = SIGNS[finding.status]
        saw = code_span(clean(finding.saw))
        rows.append(f"| {sign} {word} | `{finding.id}` | {saw} |")
        for what, here, there in finding.rows:
            beside = f"from here {code_span(here)}, from AWS {code_span(there)}"
            rows.append(f"| | {code_span(what)} | {beside} |")
    for finding in findings:
        if finding.fix:
            rows += ["", f"**{finding.id}** {clean(finding.means)}", ""]
            rows.append(f"→ {clean(finding.fix)}")
            if finding.paste:
                rows += ["", *fenced(clean(finding.paste))]
    return "\n".join(rows)
