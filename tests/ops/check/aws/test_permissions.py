"""Who may call the function, and what it may do itself."""

import json
from typing import Any

import boto3
import pytest

from ha_bridge_ops.check.model import Status
from tests.worlds.cloud import NAME, OTHER_SKILL, REGION, SKILL, Cloud, type_it
from tests.worlds.home import assert_only


@pytest.mark.parametrize(
    ("statement", "cause"),
    [
        ({"Principal": "*"}, "anybody"),
        ({"Principal": {"AWS": "*"}}, "anybody"),
        ({"Principal": {"AWS": ["arn:aws:iam::123456789012:root", "*"]}}, "anybody"),
        ({"Principal": {"Service": "*"}}, "anybody"),
        ({"Principal": {"Service": "*.amazonaws.com"}}, "anybody"),
        ({"Principal": {"AWS": "arn:aws:iam::*:root"}}, "anybody"),
        ({"NotPrincipal": {"AWS": "123456789012"}}, "anybody"),
        ({"Principal": "*", "Action": "*"}, "anybody"),
        (
            {
                "Principal": "*",
                "Action": "lambda:InvokeFunctionUrl",
                "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
            },
            "anybody",
        ),
        (
            {
                "Principal": "*",
                "Condition": {"StringNotEquals": {"aws:SourceAccount": "1"}},
            },
            "anybody",
        ),
        (
            {"Principal": "*", "Condition": {"StringLike": {"aws:SourceArn": "*"}}},
            "anybody",
        ),
        (
            {
                "Principal": "*",
                "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
            },
            None,
        ),
        (
            {
                "Principal": "*",
                "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:events:*:1:x"}},
            },
            None,
        ),
        *(
            ({"Principal": "*", "Condition": {operator: {key: value}}}, cause)
            for operator, key, value, cause in (
                ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*", "anybody"),
                ("ArnLike", "aws:SourceArn", "arn:aws:s3:::home-*", "anybody"),
                ("StringLike", "aws:PrincipalOrgID", ["o-1", "o-*"], "anybody"),
                ("StringLike", "aws:SourceAccount", "1???????????", "anybody"),
                ("StringEqualsIfExists", "aws:SourceAccount", "1", "anybody"),
                ("Null", "aws:SourceArn", "false", "anybody"),
                ("ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-1", "anybody"),
                ("StringLike", "lambda:EventSourceToken", "amzn1.*", "anybody"),
                *(
                    ("ArnLike", "aws:PrincipalArn", arn, "anybody")
                    for arn in (
                        "${aws:PrincipalArn}",
                        "arn:aws:iam::${aws:PrincipalAccount}:root",
                    )
                ),
                ("StringEquals", "lambda:EventSourceToken", SKILL, None),
                ("ForAnyValue:stringequals", "aws:SourceVpce", "vpce-1", None),
                ("ArnLike", "aws:SourceArn", "arn:aws:s3:::home", None),
                ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:1:x-*", None),
            )
        ),
        *(
            (
                {
                    "Principal": {"Service": service},
                    "Condition": {operator: {key: value}},
                },
                cause,
            )
            for service, operator, key, value, cause in (
                (
                    "events.amazonaws.com",
                    "Bool",
                    "aws:SecureTransport",
                    "true",
                    "any_account",
                ),
                (
                    "s3.amazonaws.com",
                    "ArnLike",
                    "aws:SourceArn",
                    "arn:aws:s3:::*",
                    "any_account",
                ),
                ("sns.amazonaws.com", "StringEquals", "aws:SourceAccount", "1", None),
                (
                    "events.amazonaws.com",
                    "ArnLike",
                    "aws:SourceArn",
                    "arn:aws:events:*:1:rule/x",
                    None,
                ),
                (
                    "alexa-appkit.amazon.com",
                    "StringEquals",
                    "lambda:EventSourceToken",
                    SKILL,
                    None,
                ),
            )
        ),
        ({"Principal": {"Service": "events.amazonaws.com"}}, "any_account"),
        ({"Principal": {"Service": ["alexa-appkit.amazon.com"]}}, "any_account"),
        ({"Principal": {"AWS": "123456789012"}}, None),
        ({"Effect": "Deny", "Principal": "*"}, None),
    ],
)
def test_who_else_may_call_it(
    statement: dict[str, Any], cause: str | None, cloud: Cloud
) -> None:
    """Beside a trigger that is as it should be."""
    cloud.deploy()
    usual = {"Sid": "open", "Effect": "Allow", "Action": "lambda:InvokeFunction"}
    cloud.statements = [{**usual, **statement}]
    found = cloud.look(skill_id=SKILL)
    if cause is None:
        assert found["aws.trigger"].status is Status.OK
        return
    assert_only(found, "aws.trigger", cause, fix="--statement-id open", skipped=set())


@pytest.mark.parametrize(
    ("action", "does"),
    [
        ("lambda:*", "call it"),
        ("lambda:InvokeFunctionUrl", "call it"),
        (["lambda:GetFunction"], "do “lambda:GetFunction” with it"),
    ],
)
def test_what_anybody_may_do(action: object, does: str, cloud: Cloud) -> None:
    """To read it is not to call it."""
    cloud.deploy()
    cloud.statements = [{**ANYBODY, "Action": action}]
    saw = cloud.look(skill_id=SKILL)["aws.trigger"].saw
    assert saw == f"anybody may {does}, by the statement “open”"


@pytest.mark.parametrize("kind", ["NONE", "AWS_IAM"])
def test_a_function_url(kind: str, cloud: Cloud) -> None:
    """Without a login it answers to the world."""
    cloud.deploy()
    boto3.client("lambda", region_name=REGION).create_function_url_config(
        FunctionName=NAME, AuthType=kind
    )
    found = cloud.look(skill_id=SKILL)
    if kind == "NONE":
        fix = "aws lambda delete-function-url-config"
        assert_only(found, "aws.trigger", "open_url", fix=fix, skipped=set())
    else:
        assert found["aws.trigger"].status is Status.OK


ANYBODY = {
    "Sid": "open",
    "Effect": "Allow",
    "Principal": "*",
    "Action": "lambda:InvokeFunction",
}


ANY_SKILL = {**ANYBODY, "Principal": {"Service": "alexa-connectedhome.amazon.com"}}


@pytest.mark.parametrize("name", ["live", "7"])
@pytest.mark.parametrize(
    ("meant", "statement", "cause"),
    [
        ("", ANYBODY, "anybody"),
        ("other", ANYBODY, "anybody"),
        ("", ANY_SKILL, "any_account"),
    ],
)
def test_the_policy_of_another_name(
    name: str, meant: str, statement: dict[str, Any], cause: str, cloud: Cloud
) -> None:
    """An alias and a version have their own, which nobody sees at the function."""
    cloud.deploy()
    arn = f"arn:aws:lambda:{REGION}:123456789012:function:{NAME}"
    cloud.configuration = {"FunctionArn": f"{arn}:{meant}".rstrip(":")}
    cloud.listed = {"list_aliases": ["live", "other"]}
    cloud.listed["list_versions_by_function"] = ["$LATEST", "7"]
    cloud.statements_at = {name: [statement]}
    found = cloud.look(skill_id=SKILL, function=NAME, region=REGION)
    fix = f"--qualifier {name} --statement-id open"
    assert_only(found, "aws.trigger", cause, fix=fix, skipped=set())
    assert f"“{name}”" in found["aws.trigger"].saw


def test_the_function_behind_an_alias(cloud: Cloud) -> None:
    """Its own policy and address are no better because an alias is meant."""
    cloud.deploy()
    arn = f"arn:aws:lambda:{REGION}:123456789012:function:{NAME}:live"
    cloud.configuration = {"FunctionArn": arn}
    cloud.statements_at = {"": [ANYBODY]}
    cloud.urls_at = ["live", "old"]
    found = cloud.look(skill_id=SKILL, function=NAME, region=REGION)["aws.trigger"]
    assert found.causes == ("anybody", "open_url", "open_url")
    remove, delete = "aws lambda remove-permission", "delete-function-url-config"
    assert found.paste.splitlines() == [
        f"{remove} --function-name {NAME} --region {REGION} --statement-id open",
        *(
            f"aws lambda {delete} --function-name {NAME} --region {REGION}"
            f" --qualifier {one}"
            for one in ("live", "old")
        ),
    ]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("list_aliases", "versions and aliases were not looked at"),
        ("list_versions_by_function", "versions and aliases were not looked at"),
        ("list_function_url_configs", "function URLs of aliases were not looked at"),
    ],
)
def test_names_that_may_not_be_looked_at(call: str, said: str, cloud: Cloud) -> None:
    """What is said is no more than what was seen, and its own address is seen."""
    cloud.deploy()
    cloud.refused = {call}
    found = cloud.look(skill_id=SKILL)["aws.trigger"]
    assert found.saw == f"skill {SKILL}; {said} (AccessDeniedException)"
    boto3.client("lambda", region_name=REGION).create_function_url_config(
        FunctionName=NAME, AuthType="NONE"
    )
    assert cloud.look(skill_id=SKILL)["aws.trigger"].causes == ("open_url",)


def test_versions_without_end(cloud: Cloud) -> None:
    """The newest are looked at, in a bounded number of requests."""
    cloud.deploy()
    versions = ["$LATEST", *map(str, range(1, 101))]
    cloud.listed = {"list_versions_by_function": versions}
    assert cloud.look(skill_id=SKILL)["aws.trigger"].saw.endswith(
        "; 70 versions were not looked at"
    )
    cloud.statements_at = {"99": [ANYBODY]}
    assert cloud.look(skill_id=SKILL)["aws.trigger"].causes == ("anybody",)


@pytest.mark.parametrize(
    ("policy", "is_broad"),
    [
        ({"NotAction": "iam:*", "Resource": "*"}, True),
        ({"NotAction": ["s3:*"], "Resource": "arn:aws:s3:::x"}, True),
        ({"Action": "*", "Resource": "arn:aws:s3:::x"}, True),
        ({"Action": "ssm:Get*", "Resource": "*"}, True),
        ({"Action": "ssm:*", "NotResource": "arn:aws:ssm:::x"}, True),
        ({"Action": ["logs:PutLogEvents", "s3:*"], "Resource": ["*"]}, True),
        ({"Action": "ssm:*", "Resource": "arn:aws:ssm:eu-west-1:1:parameter/*"}, True),
        ({"Action": "lambda:*", "Resource": "arn:aws:lambda:*:1:function:*"}, True),
        ({"Action": "s3:*", "Resource": "arn:aws:s3:::*/*"}, True),
        ({"Action": "s3:*", "Resource": "arn:aws:s3*"}, True),
        ({"Action": "s3:*", "Resource": "arn:*:s3:::x"}, False),
        ({"Action": "ssm:*", "Resource": "arn:aws:ssm:*:1:parameter/x/*"}, False),
        ({"Action": "ssm:GetParameter", "Resource": "*"}, True),
        ({"Action": "IAM:PassRole", "Resource": "arn:aws:iam::*:role/*"}, True),
        ({"Action": "sts:AssumeRole", "NotResource": "arn:aws:iam::1:role/x"}, True),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::*/*"}, True),
        ({"Action": "logs:*", "Resource": "arn:aws:logs:*:*:log-group:*:x:*"}, True),
        (
            {
                "Action": ["logs:PutLogEvents", "ec2:CreateNetworkInterface"],
                "Resource": "*",
            },
            False,
        ),
        ({"Action": ["xray:PutTraceSegments"], "NotResource": "arn:aws:x"}, False),
        ({"Action": "s3:*", "Resource": "arn:aws:s3:::home/*"}, False),
        ({"Action": "logs:*", "Resource": "arn:aws:logs:eu-west-1:1:x"}, False),
        ({"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}, False),
    ],
)
@pytest.mark.parametrize("is_attached", [False, True])
def test_how_much_the_role_may(
    policy: dict[str, Any],
    is_broad: bool,  # noqa: FBT001
    is_attached: bool,  # noqa: FBT001
    cloud: Cloud,
) -> None:
    """In a policy of its own, or in one that others may share."""
    cloud.deploy()
    iam = boto3.client("iam", region_name=REGION)
    statement = {"Effect": "Allow", **policy}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    if is_attached:
        arn = iam.create_policy(PolicyName="own", PolicyDocument=document)["Policy"]
        iam.attach_role_policy(RoleName="ha-bridge-role", PolicyArn=arn["Arn"])
    else:
        iam.put_role_policy(
            RoleName="ha-bridge-role", PolicyName="own", PolicyDocument=document
        )
    found = cloud.look()["aws.role"]
    assert found.status is (Status.WARNING if is_broad else Status.OK)


@pytest.mark.parametrize(
    ("principal", "skill", "wanted", "cause"),
    [
        (None, None, SKILL, "none"),
        ("alexa-appkit.amazon.com", SKILL, SKILL, "appkit"),
        ("alexa-connectedhome.amazon.com", OTHER_SKILL, SKILL, "other_skill"),
        ("alexa-connectedhome.amazon.com", SKILL[:-1], None, "malformed"),
        ("alexa-connectedhome.amazon.com", None, SKILL, "any_skill"),
    ],
)
def test_a_wrong_trigger(
    principal: str | None,
    skill: str | None,
    wanted: str | None,
    cause: str,
    cloud: Cloud,
) -> None:
    """None, the one of custom skills, another skill's, a mistyped one, anybody's."""
    cloud.deploy()
    cloud.skills = [(principal, skill)] if principal else []
    found = cloud.look(skill_id=wanted)
    which = f"--function {NAME} --region {REGION} --skill-id {wanted or 'amzn1'}"
    fix = f"ha-bridge check --fix aws.trigger {which}"
    assert_only(found, "aws.trigger", cause, fix=fix, skipped=set())


@pytest.mark.parametrize("key", ["lambda:EventSourceToken", "LAMBDA:eventsourcetoken"])
@pytest.mark.parametrize("operator", ["StringEquals", "stringequals"])
@pytest.mark.parametrize("skills", [[SKILL], [OTHER_SKILL, SKILL]])
def test_a_trigger_written_in_another_way(
    key: str, operator: str, skills: list[str], cloud: Cloud
) -> None:
    """AWS minds no capitals there, and takes lists."""
    cloud.deploy()
    cloud.statements_at = {"": [{**ANY_SKILL, "Condition": {operator: {key: skills}}}]}
    assert cloud.look(skill_id=SKILL)["aws.trigger"].status is Status.OK


@pytest.mark.parametrize(
    ("action", "is_right"),
    [
        ("lambda:invokefunction", True),
        (["lambda:GetPolicy", "lambda:Invoke*"], True),
        ("lambda:GetFunction", False),
        ("lambda:InvokeFunctionUrl", False),
    ],
)
def test_what_a_trigger_lets_alexa_do(
    action: str | list[str],
    is_right: bool,  # noqa: FBT001
    cloud: Cloud,
) -> None:
    """Only calling the function helps."""
    cloud.deploy()
    condition = {"StringEquals": {"lambda:EventSourceToken": SKILL}}
    statement = {**ANY_SKILL, "Action": action, "Condition": condition}
    cloud.statements_at = {"": [statement]}
    causes = cloud.look(skill_id=SKILL)["aws.trigger"].causes
    assert causes == (() if is_right else ("none",))


@pytest.mark.parametrize("wanted", [SKILL, None])
def test_a_trigger_for_any_skill_beside_the_right_one(
    wanted: str | None, cloud: Cloud
) -> None:
    """The right one does not hide it; adding it again would not help."""
    cloud.deploy()
    cloud.skills = [("alexa-connectedhome.amazon.com", one) for one in (SKILL, None)]
    found = cloud.look(skill_id=wanted)
    fix = "Delete that one"
    assert_only(found, "aws.trigger", "also_any_skill", fix=fix, skipped=set())
    assert found["aws.trigger"].saw == f"{SKILL} may, and every other skill too"
    done = type_it(cloud, "--fix", "aws.trigger", "--skill-id", SKILL)
    assert done.exit_code == 2
    assert fix in done.stderr


@pytest.mark.parametrize("kind", ["attached", "inline", "everything"])
def test_a_role_that_may_too_much(kind: str, cloud: Cloud) -> None:
    """A policy of AWS, or one of one's own."""
    cloud.deploy()
    iam = boto3.client("iam", region_name=REGION)
    actions = {"inline": "s3:*", "everything": "*"}
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": actions.get(kind, "*"), "Resource": "*"}
        ],
    }
    if kind == "attached":
        policy = iam.create_policy(
            PolicyName="AdministratorAccess", PolicyDocument=json.dumps(document)
        )
        arn = policy["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="ha-bridge-role", PolicyArn=arn)
    else:
        iam.put_role_policy(
            RoleName="ha-bridge-role",
            PolicyName="much",
            PolicyDocument=json.dumps(document),
        )
    found = cloud.look()
    fix = "AWSLambdaBasicExecutionRole"
    assert_only(found, "aws.role", "broad", fix=fix, skipped=set())


COGNITO = "cognito-identity.amazonaws.com"
GITHUB = "token.actions.githubusercontent.com"
OIDC = "arn:aws:iam::123456789012:oidc-provider/"


@pytest.mark.parametrize(
    ("who", "is_open"),
    [
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": ["*"]}}, True),
        ({"NotPrincipal": {"AWS": "123456789012"}}, True),
        ({"Principal": {"Service": "lambda.amazonaws.com"}}, False),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, False),
        *(
            (
                {
                    "Principal": {"Federated": f"{arn}{provider}"},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": {"StringLike": {f"{provider}:{claim}": value}},
                },
                is_open,
            )
            for arn, provider, claim, value, is_open in (
                ("", "accounts.google.com", "email", "x", True),
                ("", "accounts.google.com", "aud", "1.apps.example", False),
                ("", "www.amazon.com", "app_id", "amzn1.application.*", True),
                ("", "graph.facebook.com", "app_id", "123", False),
                ("", COGNITO, "amr", "authenticated", True),
                ("", COGNITO, "aud", "*", True),
                ("", COGNITO, "aud", "eu-west-1:1-2", False),
                (OIDC, GITHUB, "aud", "sts.amazonaws.com", True),
                *(
                    (OIDC, GITHUB, "sub", one, True)
                    for one in ("*", "repo:*", "repo:*/*")
                ),
                (OIDC, GITHUB, "sub", "repo:me*:*", True),
                (OIDC, GITHUB, "sub", ["repo:me/home:*", "repo:me/*"], False),
                (OIDC, "own.example.org/x", "aud", "x", False),
            )
        ),
    ],
)
def test_who_may_take_on_the_role(
    who: dict[str, Any],
    is_open: bool,  # noqa: FBT001
    cloud: Cloud,
) -> None:
    """Its trust policy lets in AWS's service, or one's own account, and no more."""
    cloud.deploy()
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **who}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    boto3.client("iam", region_name=REGION).update_assume_role_policy(
        RoleName="ha-bridge-role", PolicyDocument=document
    )
    found = cloud.look()
    if is_open:
        fix = "lambda.amazonaws.com"
        assert_only(found, "aws.role", "anybody", fix=fix, skipped=set())
    else:
        assert found["aws.role"].status is Status.OK


def test_a_role_whose_trust_is_not_shown(cloud: Cloud) -> None:
    """What was seen is said all the same, and what was not."""
    cloud.deploy()
    cloud.refused = {"get_role"}
    found = cloud.look()["aws.role"]
    assert found.saw.endswith(
        "who may take it on was not looked at (AccessDeniedException)"
    )
    cloud.iam = {
        "list_role_policies": {"PolicyNames": ["own"]},
        "get_role_policy": {
            "PolicyDocument": {
                "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}
            }
        },
    }
    assert cloud.look()["aws.role"].causes == ("broad",)


@pytest.mark.parametrize(
    ("name", "is_shown", "is_broad"),
    [
        ("AWSLambdaBasicExecutionRole", True, False),
        ("AmazonSSMReadOnlyAccess", True, True),
        ("AmazonSSMReadOnlyAccess", False, False),
        ("AmazonSSMFullAccess", False, True),
        ("AdministratorAccess", False, True),
    ],
)
def test_a_policy_that_aws_wrote(
    name: str,
    is_shown: bool,  # noqa: FBT001
    is_broad: bool,  # noqa: FBT001
    cloud: Cloud,
) -> None:
    """What it says is read; where AWS does not show it, its name has to do."""
    cloud.deploy()
    arn = f"arn:aws:iam::aws:policy/{name}"
    cloud.refused = set() if is_shown else {"get_policy_version"}
    actions = ["ssm:GetParameter"] if "SSM" in name else ["logs:PutLogEvents"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    cloud.iam = {
        "list_attached_role_policies": {
            "AttachedPolicies": [{"PolicyName": name, "PolicyArn": arn}]
        },
        "get_policy": {"Policy": {"DefaultVersionId": "v1"}},
        "get_policy_version": {"PolicyVersion": {"Document": {"Statement": statement}}},
    }
    found = cloud.look()["aws.role"]
    assert found.status is (Status.WARNING if is_broad else Status.OK)
    unseen = f"; “{name}” was not looked at (AccessDeniedException)"
    assert found.saw.endswith(unseen) is not (is_shown or is_broad)


def test_a_role_with_what_it_needs(cloud: Cloud) -> None:
    """A secret of its own is not too much."""
    cloud.deploy()
    allowed = {
        "Effect": "Allow",
        "Action": "ssm:GetParameter",
        "Resource": "arn:aws:ssm:*:*:parameter/x",
    }
    boto3.client("iam", region_name=REGION).put_role_policy(
        RoleName="ha-bridge-role",
        PolicyName="secret",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    assert cloud.look()["aws.role"].status is Status.OK
