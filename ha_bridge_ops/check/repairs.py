"""`ha-bridge check --fix ID`: what AWS's API can repair, shown before it is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.session import AwsError, call
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.function import SMART_HOME, function_of
from ha_bridge_ops.check.model import Status
from ha_bridge_ops.errors import CommandError

#: As in template.yaml.
TIMEOUT_S: Final = 9
MEMORY_MB: Final = 256

STATEMENT_ID: Final = "ha-bridge-alexa-smart-home"


@dataclass(frozen=True)
class Change:
    """One call of AWS's API."""

    shown: str
    """What changes, in words."""
    call: str
    """Method of the Lambda client."""
    request: Mapping[str, Any]


def _timeout(_context: Context, function: Function) -> Change:
    return Change(
        f"Timeout: {function.timeout_s} s → {TIMEOUT_S} s",
        "update_function_configuration",
        {"Timeout": TIMEOUT_S, **_revision(function)},
    )


def _memory(_context: Context, function: Function) -> Change:
    return Change(
        f"Memory: {function.memory_mb} MB → {MEMORY_MB} MB",
        "update_function_configuration",
        {"MemorySize": MEMORY_MB, **_revision(function)},
    )


def _environment(_context: Context, function: Function) -> Change:
    left = dict(function.variables)
    left.pop("LONG_LIVED_ACCESS_TOKEN", None)
    return Change(
        f"Variables: LONG_LIVED_ACCESS_TOKEN is deleted; {', '.join(left)} stay",
        "update_function_configuration",
        {"Environment": {"Variables": left}, **_revision(function)},
    )


def _trigger(context: Context, _function: Function) -> Change:
    skill_id = context.options.skill_id
    if skill_id is None:
        raise CommandError(
            "Which skill may call the function? Give its id, from the Alexa developer "
            "console: --skill-id amzn1.ask.skill.…"
        )
    return Change(
        f"Trigger: {SMART_HOME} may invoke it, for skill {skill_id}",
        "add_permission",
        {
            "StatementId": f"{STATEMENT_ID}-{skill_id.rpartition('.')[2][:8]}",
            "Action": "lambda:InvokeFunction",
            "Principal": SMART_HOME,
            "EventSourceToken": skill_id,
        },
    )


def _revision(function: Function) -> dict[str, Any]:
    # AWS then refuses if somebody else has changed the function meanwhile.
    return {"RevisionId": function.revision} if function.revision else {}


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


def carry_out(function: Function, change: Change) -> None:
    """Change the function.

    Raises:
        CommandError: AWS refused.
    """
    service = function.client("lambda")
    try:
        call(
            getattr(service, change.call), FunctionName=function.name, **change.request
        )
    except AwsError as error:
        raise CommandError(f"AWS refused: {error.code}. Nothing was changed.") from None
