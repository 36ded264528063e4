"""A change of the function is shown, done and undone, in moto's AWS."""

from collections.abc import Callable

import pytest

from ha_bridge_ops.aws import changes
from ha_bridge_ops.aws.changes import Change
from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.errors import RefusedError
from tests.ops.aws.conftest import SECRET, Look

SKILL = "amzn1.ask.skill.12345678-1234-1234-1234-123456789abc"


def seen(function: Function) -> object:
    """Return all that the changes may change."""
    return (
        function.timeout_s,
        function.memory_mb,
        function.variables,
        [one.principal for one in function.callers()],
    )


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (lambda it: changes.timeout(it, 9), "Timeout: 3 s → 9 s"),
        (lambda it: changes.memory(it, 256), "Memory: 128 MB → 256 MB"),
        (
            lambda it: changes.without_variable(it, "LONG_LIVED_ACCESS_TOKEN"),
            "Variables: LONG_LIVED_ACCESS_TOKEN is deleted; BASE_URL stay",
        ),
        (
            lambda it: changes.trigger(it, SKILL),
            f"Trigger: {changes.SMART_HOME} may invoke it, for skill {SKILL}",
        ),
    ],
    ids=["timeout", "memory", "variable", "trigger"],
)
def test_what_is_done_can_be_undone(
    look: Look, change: Callable[[Function], Change], shown: str
) -> None:
    """Afterwards the function is what it was; no secret is in what is shown."""
    before = seen(look())
    made = change(look())
    assert made.shown == shown
    assert SECRET not in repr(made)
    made.do()
    assert seen(look()) != before
    made.undo()
    assert seen(look()) == before


def test_a_trigger_is_for_one_skill(look: Look) -> None:
    """The request names it: any other that knows the function's ARN is refused."""
    function = look()
    change = changes.trigger(function, SKILL)
    assert change.request.arguments["EventSourceToken"] == SKILL
    change.do()
    # moto keeps no EventSourceToken.
    (permission,) = function.callers()
    assert permission.principal == changes.SMART_HOME
    assert permission.statement_id == "ha-bridge-alexa-smart-home-12345678"


@pytest.mark.parametrize("step", ["do", "undo"])
def test_a_refusal_is_one_sentence(look: Look, step: str) -> None:
    """AWS's code is named, and what the function is now."""
    change = changes.timeout(look(), 9)
    look().client("lambda").delete_function(FunctionName="ha-bridge")
    with pytest.raises(RefusedError) as raised:
        getattr(change, step)()
    assert "ResourceNotFoundException" in raised.value.message
    assert raised.value.exit_code == 1
    expected = {"do": "Nothing was changed", "undo": "could not be undone: Timeout"}
    assert expected[step] in raised.value.message
