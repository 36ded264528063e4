"""Findings for people, for machines and for a forum."""

import contextlib
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from rich.console import Console
from rich.text import Text

from ha_bridge.redaction import REDACTED
from ha_bridge_ops.check.catalogue import PARTS
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.function import known_function
from ha_bridge_ops.check.model import Finding, Status

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


def cleaner(context: Context, *, for_forum: bool = False) -> Clean:
    """Return what takes secrets out of a text, whoever may have put them in.

    Args:
        context: Knows them.
        for_forum: Also take out where the home is, and whose AWS account it is.
    """

    def clean(text: str) -> str:
        known = [secret.reveal() for secret in context.secrets]
        for secret in (context.value("LONG_LIVED_ACCESS_TOKEN"), *known):
            if len(secret) > _SHORT:
                text = text.replace(secret, REDACTED)
        return _anonymous(context, text) if for_forum else text

    return clean


#: A token this short is none, and could stand in any text.
_SHORT = 8


def _anonymous(context: Context, text: str) -> str:
    if context.address is not None:
        text = _without(text, context.address.host, "home.example.org")
    for host in _other_hosts(context):
        text = _without(text, host, "other.example.org")
    addresses = context.evidence.addresses if context.evidence else []
    # What the function saw may be another address than what is seen from here.
    for ip in {*addresses, *_IPV4.findall(text)} - _NAME_SERVERS:
        with contextlib.suppress(ValueError):
            if ip_address(ip.partition("%")[0]).is_global:
                text = text.replace(ip, "<public address>")
    return _ACCOUNT.sub("<account>", _IDENTITY.sub(r"\1<account>", text))


def _without(text: str, host: str, instead: str) -> str:
    return re.sub(re.escape(host), instead, text, flags=re.IGNORECASE)


def _other_hosts(context: Context) -> set[str]:
    """Return the names of one's own that a redirect or a certificate gave away."""
    evidence = context.evidence
    found = set(evidence.tls.get("names", [])) if evidence else set()
    addresses = [str(evidence.http.get("location", ""))] if evidence else []
    if (function := known_function(context)) is not None:
        addresses.append(function.variables.get("BASE_URL", ""))
    for address in addresses:
        with contextlib.suppress(ValueError):
            found.add(urlsplit(address).hostname or "")
    return {name for name in found if name and not name.endswith(_NOT_OWN)}


#: Names that say nothing of whose home it is.
_NOT_OWN = ("cloudflareaccess.com", "home.example.org")

_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")

#: In commands that we print ourselves.
_NAME_SERVERS = {"1.1.1.1"}

#: Who is logged in to AWS; with single sign-on an e-mail address stands in it.
_IDENTITY = re.compile(r"(arn:aws[\w-]*:(?:iam|sts)::)\S+")

#: The number of an AWS account.
_ACCOUNT = re.compile(r"\b\d{12}\b")


class Report:
    """Findings on stdout as they come.

    Args:
        console: Where to.
        clean: Takes out what must not be shown.
    """

    def __init__(self, console: Console, clean: Clean) -> None:
        self._console = console
        self._clean = clean
        self._part = ""

    def add(self, finding: Finding) -> None:
        """Show one finding."""
        part = PARTS[finding.id.partition(".")[0]]
        if part != self._part:
            self._console.print(f"\n[bold]{part}[/bold]")
            self._part = part
        sign, word, style = SIGNS[finding.status]
        line = Text(f"{sign} {word}".ljust(_INDENT), style=style)
        saw = self._clean(finding.saw)
        if not finding.means and len(saw) <= self._console.width - _SEEN:
            line.append(finding.id.ljust(_SEEN - _INDENT))
            line.append(saw)
            saw = ""
        else:
            line.append(finding.id, style="bold")
        self._console.print(line)
        self._say(saw)
        for row in _table(finding):
            self._console.print(Text(self._clean(row)), soft_wrap=True)
        self._say(finding.means)
        self._say(finding.fix, arrow="→ ")
        for pasted in finding.paste.splitlines():
            shown = Text(" " * (_INDENT + 4) + self._clean(pasted), style="cyan")
            # Never broken: it is there to be copied.
            self._console.print(shown, soft_wrap=True)

    def _say(self, text: str, *, arrow: str = "") -> None:
        """Print a text below the id, in lines of its own."""
        lines = textwrap.wrap(
            self._clean(text),
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


def as_json(findings: Sequence[Finding], clean: Clean) -> str:
    """Return one JSON object."""
    cleaned = [
        {key: clean(value) for key, value in finding.as_json().items()}
        for finding in findings
    ]
    return json.dumps({"findings": cleaned}, indent=2, ensure_ascii=False)


def as_markdown(findings: Sequence[Finding], version: str, clean: Clean) -> str:
    """Return a table for a forum, and the fixes below it."""
    lines = [
        f"**ha-bridge check** {version}: {summary(findings)}",
        "",
        "| | finding | seen |",
        "|---|---|---|",
    ]
    for finding in findings:
        sign, word, _ = SIGNS[finding.status]
        saw = clean(finding.saw).replace("|", "\\|").replace("\n", " ")
        lines.append(f"| {sign} {word} | `{finding.id}` | {saw} |")
        for what, here, there in finding.rows:
            lines.append(f"| | {what} | from here {here}, from AWS {there} |")
    for finding in findings:
        if finding.fix:
            lines += ["", f"**{finding.id}** {clean(finding.means)}", ""]
            lines.append(f"→ {clean(finding.fix)}")
            if finding.paste:
                lines += ["", "```", clean(finding.paste), "```"]
    return "\n".join(lines)
