"""What policies let in, and what they allow, one statement at a time."""

from typing import Any

import pytest

from ha_bridge_ops.aws.policies import callers, is_broad
from ha_bridge_ops.aws.session import AwsError, listed

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


@pytest.mark.parametrize(
    "action",
    [
        # SAM's SSMParameterReadPolicy and VPCAccessPolicy.
        *("ssm:DescribeParameters", "ec2:DetachNetworkInterface"),
        *("sts:GetCallerIdentity", "logs:TagResource", "ec2:DescribeSubnets"),
    ],
)
def test_what_is_fine_everywhere(action: str) -> None:
    """Functions of honest people have it, and it gives nothing away."""
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    assert not is_broad({"Statement": statement})


@pytest.mark.parametrize(
    "resource", ["parameter/*", "parameter/?*", "table/*/index/*", "*"]
)
def test_all_of_a_kind_is_everywhere(resource: str) -> None:
    """However many kinds are in one another."""
    arn = f"arn:aws:ssm:eu-west-1:123456789012:{resource}"
    statement = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": arn}
    assert is_broad({"Statement": statement})


def test_a_list_of_several_pages_is_read_to_its_end() -> None:
    """IAM says Marker where Lambda says NextMarker."""
    pages = {
        None: {"Names": ["a"], "IsTruncated": True, "Marker": "m"},
        "m": {"Names": ["b"], "NextMarker": "n"},
        "n": {"Names": ["c"], "IsTruncated": False},
    }

    def ask(RoleName: str, Marker: str | None = None) -> Any:  # noqa: N803 - AWS's
        assert RoleName == "home"
        return pages[Marker]

    assert list(listed(ask, "Names", RoleName="home")) == ["a", "b", "c"]
    with pytest.raises(AwsError, match="TooManyPages"):
        list(listed(lambda **_: {"Names": [], "Marker": "m"}, "Names"))


@pytest.mark.parametrize(
    ("key", "is_too_much"),
    [("kms:ViaService", False), ("KMS:viaservice", False), ("aws:SourceIp", True)],
)
def test_a_key_that_a_service_alone_may_use(key: str, is_too_much: bool) -> None:  # noqa: FBT001
    """To read a secret one needs the key, for that service only."""
    statement = {
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"StringEquals": {key: "ssm.eu-west-1.amazonaws.com"}},
    }
    assert is_broad({"Statement": statement}) is is_too_much


@pytest.mark.parametrize(
    ("operator", "value", "skill_id"),
    [
        ("StringEquals", SKILL, SKILL),
        ("StringLike", SKILL, SKILL),
        ("ForAnyValue:StringEquals", [SKILL], SKILL),
        ("StringLike", "amzn1.ask.skill.*", None),
    ],
)
def test_the_skill_that_may_call(
    operator: str, value: object, skill_id: str | None
) -> None:
    """Whichever way it is named; a pattern names none."""
    condition = {operator: {"lambda:EventSourceToken": value}}
    principal = {"Service": "alexa-connectedhome.amazon.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Condition": condition}
    (found,) = callers({"Statement": statement})
    assert found.skill_id == skill_id


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
