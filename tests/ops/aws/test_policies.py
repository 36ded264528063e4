"""What policies let in, and what they allow, one statement at a time."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

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
        *("logs:*", "logs:Create*", "xray:*", "secretsmanager:List*"),
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
        *("logs:CreateLog*", "logs:PutLog*", "xray:Put*"),
        *("secretsmanager:ListSecrets", "secretsmanager:GetRandomPassword"),
    ],
)
def test_what_is_fine_everywhere(action: str) -> None:
    """Functions of honest people have it, and it gives nothing away."""
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    assert not is_broad({"Statement": statement})


@pytest.mark.parametrize(
    ("resource", "is_everywhere"),
    [
        *(("ssm::parameter/*", True), ("ssm::parameter/?*", True), ("ssm::*", True)),
        *(("dynamodb::table/*/index/*", True), ("secretsmanager::secret:*-*", True)),
        *(("secretsmanager::secret:*-??????", True), ("states::stateMachine:*", True)),
        *(("iotevents::detectorModel/*", True), ("lambda::function:*:$LATEST", True)),
        ("autoscaling::autoScalingGroup:*:autoScalingGroupName/*", True),
        *(("s3:1:accesspoint/*", True), ("s3:1:accesspoint/*/object/*", True)),
        *(("s3::home/*", False), ("sqs:1:Home:*", False), ("ssm::Home/x/*", False)),
        *(
            ("secretsmanager::secret:home-??????", False),
            ("lambda::function:a*", False),
        ),
    ],
)
def test_all_of_a_kind_is_everywhere(
    resource: str,
    is_everywhere: bool,  # noqa: FBT001
) -> None:
    """However many kinds are in one another, and however they are written."""
    service, account, name = resource.split(":", 2)
    arn = f"arn:aws:{service}:eu-west-1:{account}:{name}"
    statement = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": arn}
    assert is_broad({"Statement": statement}) is is_everywhere


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
    ("operator", "key", "value", "is_too_much"),
    [
        ("StringEquals", "kms:ViaService", "ssm.eu-west-1.amazonaws.com", False),
        ("StringLike", "KMS:viaservice", "ssm.*.amazonaws.com", False),
        ("ForAnyValue:StringEquals", "kms:ResourceAliases", "alias/home", False),
        ("StringEquals", "aws:ResourceTag/app", "home", False),
        ("StringEquals", "ssm:resourceTag/app", ["home"], False),
        ("StringLike", "secretsmanager:SecretId", "arn:a:b:c:1:secret:home-*", False),
        ("StringEquals", "kms:EncryptionContext:PARAMETER_ARN", "arn:a:x", False),
        ("StringEquals", "aws:SourceIp", "ssm.eu-west-1.amazonaws.com", True),
        ("StringLike", "aws:ResourceTag/app", "*", True),
        ("StringLike", "secretsmanager:SecretId", "arn:a:b:c:1:secret:*", True),
        *(
            (operator, "kms:ViaService", "ssm.eu-west-1.amazonaws.com", True)
            for operator in (
                *("StringNotEquals", "StringNotLike", "StringEqualsIfExists"),
                *("ForAllValues:StringEquals", "Null"),
            )
        ),
    ],
)
def test_a_condition_in_place_of_a_resource(
    operator: str,
    key: str,
    value: object,
    is_too_much: bool,  # noqa: FBT001
) -> None:
    """It names what may be read, or the service that may, and nothing passes else."""
    statement = {
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "secretsmanager:GetSecretValue"],
        "Resource": "*",
        "Condition": {operator: {key: value}},
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
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-1/*"}},
        {"StringLike": {"aws:userid": "AROA*:home"}},
        {"IpAddress": {"aws:SourceIp": ["203.0.113.7", "0.0.0.0/1"]}},
        {"IpAddress": {"aws:SourceIp": "::/0"}},
        {"NotIpAddress": {"aws:SourceIp": "203.0.113.7"}},
        # A role's path may hold colons, and all that a star skips.
        {"StringLike": {"aws:PrincipalArn": "arn:*:iam::123456789012:role/x"}},
        {"StringLike": {"aws:SourceArn": "arn:aws:s3:*:1:x"}},
        {"StringLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/home"}},
        {"StringLike": {"aws:SourceArn": "arn:aws:*:*:1:rule/home"}},
    ],
)
def test_a_condition_that_names_nobody(condition: dict[str, Any]) -> None:
    """What it names is not who may call."""
    statement = {"Effect": "Allow", "Principal": "*", "Condition": condition}
    (found,) = callers({"Statement": statement})
    assert found.is_anybody
    assert found.skill_id is None


@pytest.mark.parametrize(
    "condition",
    [
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a/r-1/ou-1/*"}},
        {"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "o-a/r-1/ou-1/"}},
        {"ForAnyValue:StringLike": {"aws:SourceOrgPaths": ["o-a/r-1/*"]}},
        {"StringLike": {"aws:userid": "AROAEXAMPLEID:*"}},
        {"StringEquals": {"aws:userid": "AIDAEXAMPLEID"}},
        {"StringEquals": {"aws:VpceAccount": "123456789012"}},
        {"StringEquals": {"aws:VpceOrgID": "o-a"}},
        {"ArnLike": {"aws:SourceVpcArn": "arn:aws:ec2:*:1:vpc/vpc-1"}},
        {"ArnEquals": {"lambda:SourceFunctionArn": "arn:aws:lambda:a:1:function:g"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:*:iam::1:role/x"}},
        {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::1:role/*"}},
        # No topic and no rule has a name with a colon.
        {"ForAnyValue:StringLike": {"aws:SourceArn": "arn:aws:sns:*:1:x"}},
        {"StringLike": {"aws:SourceArn": "arn:aws:events:*:1:rule/home-*"}},
        {"IpAddress": {"aws:SourceIp": ["203.0.113.7", "198.51.100.0/24"]}},
        {"IpAddress": {"aws:SourceIp": "2001:db8::/48"}},
    ],
)
@pytest.mark.parametrize("principal", ["*", {"Service": "events.amazonaws.com"}])
def test_a_condition_that_names_somebody(
    condition: dict[str, Any], principal: object
) -> None:
    """Then nobody else may call, whoever the principal is."""
    statement = {"Effect": "Allow", "Principal": principal, "Condition": condition}
    (found,) = callers({"Statement": statement})
    assert not found.is_anybody
    assert not found.is_for_all_accounts


ALLOWS_ALL = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


@pytest.mark.parametrize("write", [json.dumps, lambda one: quote(json.dumps(one))])
def test_a_policy_as_text(write: Callable[[object], str]) -> None:
    """IAM percent-encodes it, and not every client decodes it."""
    assert is_broad(write(ALLOWS_ALL))


@pytest.mark.parametrize(
    "document",
    [
        *(None, [ALLOWS_ALL], json.dumps(ALLOWS_ALL).encode(), '"x"', "x", {}),
        *({"Statement": None}, {"Statement": ["x"]}, {"statement": [], "Version": "x"}),
    ],
)
def test_what_is_no_policy_is_not_judged(document: object) -> None:
    """That nothing was found in it would be taken for that all is well."""
    with pytest.raises(ValueError):  # noqa: PT011 - any
        is_broad(document)
    with pytest.raises(ValueError):  # noqa: PT011 - any
        list(callers(document))


def test_what_is_not_forbidden_is_allowed() -> None:
    """With NotAction a statement allows all the others."""
    statement = {"Effect": "Allow", "Principal": "*", "NotAction": "lambda:GetPolicy"}
    (found,) = callers({"Statement": statement})
    assert found.may("lambda:InvokeFunction")
