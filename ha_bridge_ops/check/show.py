"""Findings on the terminal while they are found, for all commands that look."""

from collections.abc import Sequence

from rich.status import Status as Turning

from ha_bridge_ops.check import output
from ha_bridge_ops.check.chain import walk
from ha_bridge_ops.check.context import Ask, Context
from ha_bridge_ops.check.model import Finding, Link, Question
from ha_bridge_ops.terminal import Console


def _paused(ask: Ask, turning: Turning) -> Ask:
    """Return what asks likewise, while nothing turns beside what is typed."""

    def put(question: Question, expected: str) -> str:
        turning.stop()
        try:
            return ask(question, expected)
        finally:
            turning.start()

    return put


def shown(context: Context, links: Sequence[Link], *, quiet: bool) -> list[Finding]:
    """Return what is found, and print it unless it is to be quiet.

    Args:
        context: What the checks see.
        links: Of the catalogue.
        quiet: Print nothing on stdout.
    """
    talk = Console(stderr=True)
    report = output.Report(Console(quiet=quiet))
    findings, ask = [], context.ask
    remaining = walk(context, links)
    for link in links:
        with talk.status(f"Looking whether {link.title} ...") as turning:
            context.ask = _paused(ask, turning) if ask else None
            finding = next(remaining)
        report.add(finding)
        findings.append(finding)
    remaining.close()
    # What was said first may have been overruled: AWS sees what this network does not.
    findings = [context.findings[one.id] for one in findings]
    report.end(findings)
    return findings
