"""`ha-bridge check --fix ID`: what AWS's API can repair, shown before it is done."""

from collections.abc import Callable, Mapping
from typing import Final

from ha_bridge_ops.aws import changes
from ha_bridge_ops.aws.changes import Change
from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.model import Status
from ha_bridge_ops.check.search import function_of
from ha_bridge_ops.errors import CommandError

#: As in template.yaml.
TIMEOUT_S: Final = 9
MEMORY_MB: Final = 256


def _timeout(_context: Context, function: Function) -> Change:
    return changes.timeout(function, TIMEOUT_S)


def _memory(_context: Context, function: Function) -> Change:
    return changes.memory(function, MEMORY_MB)


def _environment(_context: Context, function: Function) -> Change:
    return changes.without_variable(function, "LONG_LIVED_ACCESS_TOKEN")


def _trigger(context: Context, function: Function) -> Change:
    skill_id = context.options.skill_id
    if skill_id is None:
        raise CommandError(
            "Which skill may call the function? Give its id, from the Alexa developer "
            "console: --skill-id amzn1.ask.skill.…"
        )
    return changes.trigger(function, skill_id)


#: Findings that can be repaired: the causes, and how.
REPAIRS: Final[
    Mapping[str, tuple[frozenset[str], Callable[[Context, Function], Change]]]
] = {
    "aws.trigger": (
        frozenset({"none", "appkit", "other_skill", "malformed", "any_skill"}),
        _trigger,
    ),
    "aws.timeout": (frozenset({"short"}), _timeout),
    "aws.memory": (frozenset({"small"}), _memory),
    "aws.environment": (frozenset({"token_left"}), _environment),
}


def change_for(context: Context, link: str) -> Change | None:
    """Return what would repair a finding; None if there is nothing to repair.

    Args:
        context: In which the link has been looked at.
        link: A key of `REPAIRS`.

    Raises:
        CommandError: The function was not found or could not be looked at, the skill
            id is missing, or it takes more than this.
    """
    function = function_of(context)
    if function is None:
        # The first to fail is why the others were skipped.
        failed = (f for f in context.findings.values() if f.status is Status.FAILED)
        raise CommandError(f"There is no function to repair: {next(failed).saw}.")
    causes, repair = REPAIRS[link]
    finding = context.findings[link]
    if causes & set(finding.causes):
        return repair(context, function)
    if finding.status is Status.SKIPPED:
        raise CommandError(f"{link} could not be looked at: {finding.saw}.")
    if finding.status is not Status.OK:
        raise CommandError(
            f"This --fix cannot repair: {finding.saw}. {finding.fix} {finding.paste}"
        )
    return None
