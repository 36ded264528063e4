"""Changes of a function: shown first, done, and undone.

https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html and
https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.session import AwsError, call
from ha_bridge_ops.errors import RefusedError

#: Who calls for smart home skills.
#: https://docs.aws.amazon.com/lambda/latest/dg/services-alexa.html
SMART_HOME: Final = "alexa-connectedhome.amazon.com"

STATEMENT_ID: Final = "ha-bridge-alexa-smart-home"


#: Calls that are about a version or alias, if one is meant; settings are those of the
#: function, and a version never changes.
_OF_THE_QUALIFIER: Final = frozenset({"add_permission", "remove_permission"})


@dataclass(frozen=True)
class Request:
    """One call of Lambda's API, about one function."""

    method: str
    """Of boto3's Lambda client."""
    arguments: Mapping[str, Any] = field(repr=False)
    """All but the function's name; there may be a secret among them."""

    def send(self, function: Function) -> None:
        """Send it.

        Raises:
            AwsError: AWS refused.
        """
        method = getattr(function.client("lambda"), self.method)
        is_policy = self.method in _OF_THE_QUALIFIER
        named = function.named if is_policy else {"FunctionName": function.name}
        call(method, **named, **self.arguments)


@dataclass(frozen=True)
class Change:
    """A change of one function."""

    function: Function
    shown: str
    """What changes, in words."""
    request: Request
    undoing: Request
    """What makes the function what it was."""

    def do(self) -> None:
        """Change the function.

        Raises:
            RefusedError: AWS refused.
        """
        try:
            self.request.send(self.function)
        except AwsError as error:
            raise RefusedError(
                f"AWS refused: {error.code}. Nothing was changed."
            ) from None

    def undo(self) -> None:
        """Make the function what it was.

        Raises:
            RefusedError: AWS refused.
        """
        try:
            self.undoing.send(self.function)
        except AwsError as error:
            raise RefusedError(
                f"AWS refused: {error.code}. The change could not be undone: "
                f"{self.shown}."
            ) from None


def timeout(function: Function, seconds: int) -> Change:
    """Return the change of how long the function may take."""
    return _setting(
        function,
        f"Timeout: {function.timeout_s} s → {seconds} s",
        {"Timeout": seconds},
        {"Timeout": function.timeout_s},
    )


def memory(function: Function, megabytes: int) -> Change:
    """Return the change of how much memory the function has."""
    return _setting(
        function,
        f"Memory: {function.memory_mb} MB → {megabytes} MB",
        {"MemorySize": megabytes},
        {"MemorySize": function.memory_mb},
    )


def without_variable(function: Function, name: str) -> Change:
    """Return the change that deletes a variable; the others stay."""
    left = {key: value for key, value in function.variables.items() if key != name}
    return _setting(
        function,
        f"Variables: {name} is deleted; {', '.join(left)} stay",
        {"Environment": {"Variables": left}},
        {"Environment": {"Variables": dict(function.variables)}},
    )


def trigger(function: Function, skill_id: str) -> Change:
    """Return the change that lets a skill, and no other, call the function."""
    statement = f"{STATEMENT_ID}-{skill_id.rpartition('.')[2][:8]}"
    return Change(
        function,
        f"Trigger: {SMART_HOME} may invoke it, for skill {skill_id}",
        Request(
            "add_permission",
            {
                "StatementId": statement,
                "Action": "lambda:InvokeFunction",
                "Principal": SMART_HOME,
                "EventSourceToken": skill_id,
            },
        ),
        Request("remove_permission", {"StatementId": statement}),
    )


def _setting(
    function: Function, shown: str, new: Mapping[str, Any], old: Mapping[str, Any]
) -> Change:
    if function.qualifier not in ("", "$LATEST"):
        raise RefusedError(
            f"{function.qualified_name} is a version, or an alias of one, and versions "
            "never change. Change the function itself, publish a version, and point "
            "the alias to it."
        )
    # With its revision AWS refuses if somebody else has changed it meanwhile.
    known = {"RevisionId": function.revision} if function.revision else {}
    method = "update_function_configuration"
    return Change(
        function, shown, Request(method, {**new, **known}), Request(method, dict(old))
    )
