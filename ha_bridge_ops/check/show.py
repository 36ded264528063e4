"""Findings on the terminal while they are found, for all commands that look."""

from collections.abc import Sequence

from rich.status import Status as Turning

from ha_bridge_ops.check import output
from ha_bridge_ops.check.chain import walk
from ha_bridge_ops.check.context import Context, Prompt
from ha_bridge_ops.check.model import Check, Finding, Question
from ha_bridge_ops.terminal import Console


def _paused(prompt: Prompt, turning: Turning) -> Prompt:
    """Return what prompts likewise, while nothing turns beside what is typed."""

    def put(question: Question, expected: str) -> str:
        turning.stop()
        try:
            return prompt(question, expected)
        finally:
            turning.start()

    return put


def shown(context: Context, checks: Sequence[Check], *, quiet: bool) -> list[Finding]:
    """Return what is found, and print it unless it is to be quiet.

    Args:
        context: What the checks see.
        checks: Of the catalogue.
        quiet: Print nothing on stdout.
    """
    talk = Console(stderr=True)
    screen = output.Screen(Console(quiet=quiet))
    findings, prompt = [], context.prompt
    remaining = walk(context, checks)
    for check in checks:
        with talk.status(f"Looking whether {check.title} ...") as turning:
            context.prompt = _paused(prompt, turning) if prompt else None
            finding = next(remaining)
        screen.add(finding)
        findings.append(finding)
    remaining.close()
    # What was said first may have been overruled: AWS sees what this network does not.
    findings = [context.findings[one.id] for one in findings]
    screen.end(findings)
    return findings
