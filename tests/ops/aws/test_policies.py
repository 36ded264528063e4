"""What policies let in, and what they allow, one statement at a time."""

from typing import Any

import pytest

from ha_bridge_ops.aws.policies import callers, is_broad

SKILL = "amzn1.ask.skill.12345678-1234-1234-1234-123456789012"


@pytest.mark.parametrize(
    "action",
    [
        *("*:*", "logs:GetLogEvents", "xray:GetTraceSummaries"),
        *("cloudwatch:DeleteAlarms", "ec2:TerminateInstances"),
        # It lets another account in.
        "ec2:CreateNetworkInterfacePermission",
    ],
)
def test_what_is_too_much_everywhere(action: str) -> None:
    """Each begins as something that a function may do everywhere."""
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    assert is_broad({"Statement": statement})


def test_every_action_is_too_much_anywhere() -> None:
    """However it is written."""
    statement = {"Effect": "Allow", "Action": "*:*", "Resource": "arn:aws:s3:::x"}
    assert is_broad({"Statement": statement})


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceAccount": []}},
        {"StringEquals": {"aws:SourceAccount": ""}},
        {"StringNotEquals": {"lambda:EventSourceToken": SKILL}},
        {"ForAllValues:StringEquals": {"lambda:EventSourceToken": SKILL}},
    ],
)
def test_a_condition_that_names_nobody(condition: dict[str, Any]) -> None:
    """What it names is not who may call."""
    statement = {"Effect": "Allow", "Principal": "*", "Condition": condition}
    (found,) = callers({"Statement": statement})
    assert found.is_anybody
    assert found.skill_id is None


def test_what_is_not_forbidden_is_allowed() -> None:
    """With NotAction a statement allows all the others."""
    statement = {"Effect": "Allow", "Principal": "*", "NotAction": "lambda:GetPolicy"}
    (found,) = callers({"Statement": statement})
    assert found.may_invoke
