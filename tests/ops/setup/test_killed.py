"""Killed after any call to AWS or Amazon, setup goes on; and so does taking it away.

Here it runs in this process: the stack is created in moto without the SAM CLI, and the
ASK CLI is a rebuilt one.  test_setup.py has the real ones, and the kernel's own kill.
"""

import json

import pytest

from tests.ops.setup.conftest import CHANGING, REMOVING, USUAL, World
from tests.ops.setup.world import REGION, STACK, real_client, stacks

#: What a first run asks AWS and Amazon, until all of it is there.
SET_UP = (
    "sts.get_caller_identity",
    "ask list-skills-for-vendor",
    "ask list-skills-for-vendor",
    "ask create-skill-for-vendor",
    "ask get-skill-status",
    "ask get-skill-status",
    "sam deploy",
    "cloudformation.describe_stack_resources",
    "lambda.get_function_configuration",
    "cloudformation.describe_stacks",
    "ask update-skill-manifest",
    "ask get-skill-status",
    "ask get-skill-status",
    "ask update-account-linking-info",
    "ask set-skill-enablement",
)

#: And what a removal asks.
REMOVE = (
    "sts.get_caller_identity",
    "cloudformation.describe_stacks",
    "cloudformation.describe_stack_resources",
    "lambda.get_function_configuration",
    "ask list-skills-for-vendor",
    "ask delete-skill",
    "cloudformation.delete_stack",
)


def test_once_twice_and_away(world: World) -> None:
    """No check fails, so nobody has to say --go-on; the second time nothing is done.

    And the tables here leave out no call that changes anything.
    """
    said = world.fine(*USUAL)
    world.assert_set_up()
    assert tuple(world.calls[: len(SET_UP)]) == SET_UP
    assert not CHANGING & set(world.calls[len(SET_UP) :])
    assert "FAILED" not in said
    said = world.fine(*USUAL)
    assert not CHANGING & set(world.calls)
    assert said.count("nothing: the s") == 2
    world.fine(*REMOVING)
    assert tuple(world.calls) == REMOVE
    world.assert_nothing_left()


@pytest.mark.parametrize("number", range(1, len(SET_UP) + 1), ids="{}".format)
def test_killed_after_a_call_it_goes_on(world: World, number: int) -> None:
    """AWS or Amazon has done it, but we are gone: one skill, one stack in the end."""
    assert world.typed(*USUAL, kill=number) is None
    world.fine(*USUAL)
    world.assert_set_up()


@pytest.mark.parametrize("number", range(1, len(REMOVE) + 1), ids="{}".format)
def test_killed_while_it_takes_away_it_goes_on(world: World, number: int) -> None:
    """Nothing is left; and what is half away is not set up over."""
    world.fine(*USUAL)
    assert world.typed(*REMOVING, kill=number) is None
    if number > REMOVE.index("ask delete-skill"):
        done = world.typed(*USUAL)
        assert done is not None
        assert "--remove` was interrupted" in done.output
        assert not CHANGING & set(world.calls)
    world.fine(*REMOVING)
    world.assert_nothing_left()


@pytest.mark.parametrize("number", [4, 7], ids=["skill", "stack"])
def test_what_was_begun_can_be_taken_away(world: World, number: int) -> None:
    """The id of the skill never came back; it is found by its name."""
    assert world.typed(*USUAL, kill=number) is None
    # What was being written at that moment.
    for name in ("client-secret.txt", "state.json", "accountLinking.json"):
        (world.folder / f"skill-package/{name}.new").touch()
    world.fine(*REMOVING)
    world.assert_nothing_left()


def test_a_stack_that_was_only_planned_is_taken_away(world: World) -> None:
    """SAM was ended between the plan and the deed; it is no stack to set up over."""
    assert world.typed(*USUAL, kill=SET_UP.index("sam deploy")) is None
    real_client("cloudformation", REGION).create_change_set(
        StackName=STACK,
        ChangeSetName="one",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": {"X": {"Type": "AWS::SNS::Topic"}}}),
    )
    assert stacks()[0]["StackStatus"] == "REVIEW_IN_PROGRESS"
    world.fine(*REMOVING)
    world.assert_nothing_left()
