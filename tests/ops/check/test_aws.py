"""The function in AWS, as moto has it: one thing is broken in each test."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from ha_bridge.bridge import Bridge
from ha_bridge.settings import Settings
from ha_bridge_ops.check.catalogue import AWS, CHAIN
from ha_bridge_ops.check.context import Context, Options
from ha_bridge_ops.check.model import Status
from ha_bridge_ops.commands.check import check
from tests.fakes.transport import StubTransport
from tests.ops.check.conftest import Serve
from tests.ops.check.world import (
    PUBLIC,
    TOKEN,
    URL,
    assert_only,
    dialler,
    findings,
    home,
    ids,
    plain,
    resolver,
)
from tests.worlds.cloud import (
    GROUP,
    NAME,
    NOW,
    OTHER_SKILL,
    REGION,
    SKILL,
    Cloud,
    Refusal,
    line,
)


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield


@pytest.fixture
def cloud(serve: Serve) -> Cloud:
    return Cloud(serve(home()).port)


def after(link: str) -> set[str]:
    names = [one.id for one in AWS]
    return set(names[names.index(link) + 1 :])


def test_all_is_well(cloud: Cloud) -> None:
    """Nothing fails, nothing is changed, and both ways stand side by side."""
    cloud.deploy()
    found = cloud.look(locale="en-GB", skill_id=SKILL)
    assert ids(found, Status.FAILED) | ids(found, Status.SKIPPED) == set()
    assert ids(found, Status.WARNING) == {"settings.long_lived_access_token"}
    assert SKILL in found["aws.trigger"].saw
    assert ("ha.smart_home", "✓ ok", "✓ ok") in found["aws.probe"].rows
    assert any(row[0] == "TLS" and "ms" in row[2] for row in found["aws.probe"].rows)
    writing = ("add", "create", "delete", "put", "remove", "update")
    assert not [one for one in cloud.calls if one.split(".")[1].startswith(writing)]


@pytest.mark.parametrize(
    ("statement", "cause"),
    [
        ({"Principal": "*"}, "anybody"),
        ({"Principal": {"AWS": "*"}}, "anybody"),
        ({"Principal": {"AWS": ["arn:aws:iam::123456789012:root", "*"]}}, "anybody"),
        ({"Principal": {"Service": "*"}}, "anybody"),
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
        ({"Principal": {"Service": "events.amazonaws.com"}}, None),
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


@pytest.mark.parametrize(
    ("policy", "is_broad"),
    [
        ({"NotAction": "iam:*", "Resource": "*"}, True),
        ({"NotAction": ["s3:*"], "Resource": "arn:aws:s3:::x"}, True),
        ({"Action": "*", "Resource": "arn:aws:s3:::x"}, True),
        ({"Action": "ssm:Get*", "Resource": "*"}, True),
        ({"Action": "ssm:*", "NotResource": "arn:aws:ssm:::x"}, True),
        ({"Action": ["logs:PutLogEvents", "s3:*"], "Resource": ["*"]}, True),
        ({"Action": "ssm:GetParameter", "Resource": "*"}, False),
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


def test_without_boto3(serve: Serve) -> None:
    """It is an extra; the rest is looked at."""
    context = Context(
        {"BASE_URL": URL},
        resolve=resolver(PUBLIC),
        dial=dialler(serve(home()).port),
        aws=None,
    )
    found = findings(context, (*CHAIN, *AWS))
    assert_only(found, "aws.credentials", "boto3", fix="make install")
    assert after("aws.credentials") <= ids(found, Status.SKIPPED)


@pytest.mark.parametrize(
    ("error", "cause", "fix"),
    [
        (type("NoCredentialsError", (Exception,), {})(), "none", "aws configure"),
        (Refusal("ExpiredToken"), "refused", "aws sso login"),
    ],
)
def test_no_credentials(error: Exception, cause: str, fix: str, cloud: Cloud) -> None:
    """None at all, or some that AWS knows no longer."""

    class Nobody:
        def get_caller_identity(self) -> Any:
            raise error

    context = Context(
        {"BASE_URL": URL},
        resolve=resolver(PUBLIC),
        dial=dialler(cloud.port),
        aws=lambda _service, _region: Nobody(),
    )
    found = findings(context, (*CHAIN, *AWS))
    assert_only(found, "aws.credentials", cause, fix=fix)
    assert after("aws.credentials") <= ids(found, Status.SKIPPED)


def test_no_function(cloud: Cloud) -> None:
    """All three regions were looked at."""
    found = cloud.look()
    skipped = after("aws.function")
    assert_only(found, "aws.function", "missing", fix="sam deploy", skipped=skipped)
    for region in ("us-east-1", "eu-west-1", "us-west-2"):
        assert region in found["aws.function"].saw


def test_no_function_of_that_name(cloud: Cloud) -> None:
    """Another name is not taken for it."""
    cloud.deploy()
    found = cloud.look(function="other", locale="en-GB")
    skipped = after("aws.function")
    fix = f"--config-env eu --parameter-overrides BaseUrl={URL}"
    assert_only(found, "aws.function", "missing", fix=fix, skipped=skipped)


@pytest.mark.parametrize(
    "name", [NAME, f"arn:aws:lambda:{REGION}:123456789012:function:{NAME}"]
)
def test_a_function_by_its_name(name: str, cloud: Cloud) -> None:
    """It is found in whichever region it is."""
    cloud.deploy()
    assert cloud.look(function=name)["aws.function"].status is Status.OK


def test_several_functions(cloud: Cloud) -> None:
    """One has to be named."""
    cloud.deploy()
    cloud.deploy(name="ha-bridge-test")
    found = cloud.look()
    fix = "--region eu-west-1 --function"
    skipped = after("aws.function")
    assert_only(found, "aws.function", "several", fix=fix, skipped=skipped)


def test_not_allowed_to_look_at_functions(cloud: Cloud) -> None:
    """Said as such, and not as a missing function."""
    cloud.deploy()
    cloud.refused = {"lambda"}
    found = cloud.look(function=NAME)
    fix = "AWSLambda_ReadOnlyAccess"
    skipped = after("aws.function")
    assert_only(found, "aws.function", "refused", fix=fix, skipped=skipped)


def test_not_allowed_to_look_in_a_region(cloud: Cloud) -> None:
    """The function may be there: nobody is told to deploy another."""
    cloud.deploy("us-west-2")
    cloud.refused_in = {"us-west-2"}
    found = cloud.look(function=NAME)
    skipped = after("aws.function")
    fix = "AWSLambda_ReadOnlyAccess"
    assert_only(found, "aws.function", "refused", fix=fix, skipped=skipped)
    assert "us-west-2" in found["aws.function"].saw


def test_not_allowed_to_decrypt_the_variables(cloud: Cloud) -> None:
    """They are there, and not for us."""
    cloud.deploy()
    error = {"ErrorCode": "AccessDeniedException", "Message": "kms:Decrypt"}
    cloud.configuration = {"Environment": {"Error": error}}
    found = cloud.look(function=NAME)
    assert ids(found, Status.SKIPPED) == {"aws.environment"}
    assert ids(found, Status.FAILED) == set()
    assert "AccessDenied" in found["aws.environment"].saw


def test_a_region_of_another_marketplace(cloud: Cloud) -> None:
    """Alexa never calls it, and nothing says so."""
    cloud.deploy("us-east-1")
    found = cloud.look(locale="de-DE", skill_id=SKILL)
    fix = "--config-env eu"
    assert_only(found, "aws.region", "other", fix=fix, skipped=set())


def test_a_region_that_alexa_does_not_know(cloud: Cloud) -> None:
    """There is no Alexa trigger at all."""
    cloud.deploy("eu-central-1")
    found = cloud.look(region="eu-central-1", locale="de-DE", skill_id=SKILL)
    fix = "--config-env eu"
    assert_only(found, "aws.region", "not_alexas", fix=fix, skipped=set())


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
    done = type_it(cloud, "--fix", "aws.trigger", "--skill-id", SKILL)
    assert done.exit_code == 2
    assert fix in done.stderr


@pytest.mark.parametrize(
    ("changes", "link", "cause", "fix"),
    [
        ({"Timeout": 3}, "aws.timeout", "short", "--fix aws.timeout"),
        ({"MemorySize": 128}, "aws.memory", "small", "--fix aws.memory"),
        ({"Runtime": "python3.10"}, "aws.runtime", "ended", "--config-env eu"),
        ({"Runtime": "python3.11"}, "aws.runtime", None, ""),
        ({"Runtime": "nodejs22.x"}, "aws.runtime", "not_python", "--config-env eu"),
        (
            {"variables": {"BASE_URL": ""}},
            "aws.environment",
            "missing",
            f"BASE_URL = {URL}",
        ),
        ({"variables": {"BASE_URL": "x"}}, "aws.environment", "malformed", "Correct"),
        (
            {"variables": {"BASE_URL": "https://old.example.org"}},
            "aws.environment",
            "differs",
            "--base-url https://old.example.org",
        ),
        (
            {"variables": {"NOT_VERIFY_SSL": "true"}},
            "aws.environment",
            "not_verify_ssl",
            "NOT_VERIFY_SSL",
        ),
        ({"variables": {"DEBUG": "1"}}, "aws.environment", "debug", "DEBUG"),
        ({"variables": {"DEBUG": "?"}}, "aws.environment", "malformed", "Correct"),
        (
            {"variables": {"LONG_LIVED_ACCESS_TOKEN": "hunter2-hunter2"}},
            "aws.environment",
            "token_left",
            "--fix aws.environment",
        ),
    ],
)
def test_a_wrong_configuration(
    changes: dict[str, Any], link: str, cause: str | None, fix: str, cloud: Cloud
) -> None:
    """One value that is not as it should be."""
    cloud.deploy(**changes)
    found = cloud.look(function=NAME, region=REGION)
    if cause is None:
        assert found[link].status is Status.OK
        return
    assert_only(found, link, cause, fix=fix, skipped=set())
    assert "hunter2" not in json.dumps([one.as_json() for one in found.values()])


@pytest.mark.parametrize(
    "options", [{}, {"locale": "en-GB"}, {"function": NAME, "region": REGION}]
)
def test_the_command_to_repair_finds_the_same_function(
    options: dict[str, Any], cloud: Cloud
) -> None:
    """There may be several, or one in another region."""
    cloud.deploy(Timeout=3)
    found = cloud.look(**options)
    command = f"ha-bridge check --fix aws.timeout --function {NAME} --region {REGION}"
    assert found["aws.timeout"].paste == command


def test_a_python_that_ends_soon(cloud: Cloud) -> None:
    """Half a year before, it is a warning."""
    cloud.now = 1_801_000_000.0  # 2027-01-26
    cloud.deploy(Runtime="python3.11")
    found = cloud.look()
    assert_only(found, "aws.runtime", "ends", fix="sam deploy", skipped=set())


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


@pytest.mark.parametrize(
    ("service", "link"),
    [
        ("get_policy", "aws.trigger"),
        ("iam", "aws.role"),
        ("logs", "aws.logs"),
        ("invoke", "aws.probe"),
    ],
)
def test_what_aws_does_not_let_us_see(service: str, link: str, cloud: Cloud) -> None:
    """It is skipped and said, and no fault is made of it."""
    cloud.deploy()
    cloud.refused = {service}
    found = cloud.look(function=NAME)
    assert ids(found, Status.FAILED) == set()
    assert ids(found, Status.SKIPPED) == {link}
    assert "AccessDenied" in found[link].saw


@pytest.mark.parametrize(
    ("lines", "cause", "fix"),
    [
        ([], "no_calls", "--link"),
        (
            [line("TurnOn", "BRIDGE_UNREACHABLE", "the cause. The fix.")] * 3,
            "errors",
            GROUP,
        ),
        (["2026 x Task timed out after 3.00 seconds"], "timed_out", "aws.timeout"),
        (
            ['{"type":"platform.report","record":{"status":"timeout"}}'],
            "timed_out",
            "aws.timeout",
        ),
        (
            ["Runtime.ImportModuleError: No module named 'urllib3'"],
            "cannot_load",
            "--config-env eu",
        ),
        (
            ['DEBUG Event: {"scope": {"token": "eyJhbGci.x.y"}}'],
            "tokens",
            f"delete-log-stream --log-group-name {GROUP}",
        ),
        (
            ['{"type":"platform.start","record":{}}', '{"type":"platform.report"}'],
            "no_calls",
            "--link",
        ),
    ],
)
def test_what_the_log_tells(
    lines: list[str], cause: str, fix: str, cloud: Cloud
) -> None:
    """The last day, in numbers."""
    cloud.deploy()
    cloud.log = lines
    found = cloud.look()
    assert_only(found, "aws.logs", cause, fix=fix, skipped=set())
    if cause == "errors":
        saw = found["aws.logs"].saw
        assert "BRIDGE_UNREACHABLE 3 of 3 directives" in saw
        assert "the cause. The fix." in saw


@pytest.mark.parametrize(
    ("lines", "empty_pages", "causes"),
    [
        ([line("Discover")], 7, ()),
        ([], 7, ("no_calls",)),
        ([], 10_000, ()),
        (["START RequestId: 1 Version: $LATEST"], 0, ()),
    ],
    ids=["found later", "nothing to the end", "not read to the end", "no JSON"],
)
def test_a_log_that_takes_several_requests(
    lines: list[str], empty_pages: int, causes: tuple[str, ...], cloud: Cloud
) -> None:
    """An empty page is not the end, and only at the end nothing was there."""
    cloud.deploy()
    cloud.log, cloud.empty_pages = lines, empty_pages
    found = cloud.look()["aws.logs"]
    assert found.causes == causes
    assert ("part of the log" in found.saw) == (empty_pages > 1000)


def test_calls_that_aws_turned_away(cloud: Cloud) -> None:
    """Too many at once."""
    cloud.deploy()
    cloud.throttles = 7
    found = cloud.look()
    assert_only(found, "aws.logs", "throttled", fix="quota", skipped=set())


# -- the probe -------------------------------------------------------------------------


def test_works_from_home_and_fails_from_aws(cloud: Cloud, serve: Serve) -> None:
    """Only the function can see it; both stand side by side."""
    cloud.deploy()
    challenge = serve(home(get=plain(403, "error code: 1020")))
    cloud.answer = cloud.seen_by(challenge.port)
    found = cloud.look()
    assert_only(found, "aws.probe", "only_from_aws", fix="AS16509", skipped=set())
    assert ("ha.is_home_assistant", "✓ ok", "✗ FAILED") in found["aws.probe"].rows


def test_only_a_warning_from_aws(cloud: Cloud) -> None:
    """Such as a certificate that ends soon at one of two servers."""
    cloud.deploy()
    seen = cloud.answer({"ha_bridge": {"probe": {}}})
    seen["ha_bridge"]["probe"]["tls"]["not_after"] = int(NOW) + 5 * 86400
    cloud.answer = lambda _event: seen
    found = cloud.look()
    assert_only(found, "aws.probe", "warned", fix="certbot renew", skipped=set())
    assert found["aws.probe"].status is Status.WARNING


def test_fails_from_both(serve: Serve) -> None:
    """Told as such; the cause is the same."""
    cloud = Cloud(serve(home(get=plain(404, "404: Not Found"))).port)
    cloud.deploy()
    found = cloud.look()
    assert ids(found, Status.FAILED) == {"ha.smart_home", "aws.probe"}
    assert found["aws.probe"].causes == ("from_both",)
    assert "smart_home:" in found["aws.probe"].paste


def test_a_name_that_leads_elsewhere_at_home(cloud: Cloud) -> None:
    """The home's own router answers with the home's address; AWS sees another."""
    cloud.deploy()
    context = Context(
        {"BASE_URL": URL, "LONG_LIVED_ACCESS_TOKEN": TOKEN},
        now=lambda: NOW,
        resolve=resolver("192.168.1.4"),
        dial=dialler(cloud.port),
        aws=cloud.client,
    )
    found = findings(context, (*CHAIN, *AWS))
    assert ids(found, Status.FAILED) == {"address.public"}
    assert ("address.public", "✗ FAILED", "✓ ok") in found["aws.probe"].rows


def test_an_arn_says_where_to_look_first(cloud: Cloud) -> None:
    """Its own region; real AWS knows no other by that name."""
    cloud.deploy(region="us-west-2")
    regions: list[str | None] = []

    def client(service: str, region: str | None) -> Any:
        if service == "lambda":
            regions.append(region)
        return cloud.client(service, region)

    context = Context(
        {"BASE_URL": URL, "LONG_LIVED_ACCESS_TOKEN": TOKEN},
        Options(function=f"arn:aws:lambda:us-west-2:123456789012:function:{NAME}"),
        now=lambda: NOW,
        resolve=resolver(PUBLIC),
        dial=dialler(cloud.port),
        aws=client,
    )
    found = findings(context, (*CHAIN, *AWS))
    assert "us-west-2" in found["aws.function"].saw
    assert set(regions) == {"us-west-2"}


# -- what stands between ---------------------------------------------------------------

LIVE = f"arn:aws:lambda:{REGION}:123456789012:function:{NAME}:live"


def test_an_alias_is_asked_for_as_one(cloud: Cloud) -> None:
    """Its policy, the probe and the repair are all about the same alias."""
    cloud.deploy()
    cloud.configuration = {"FunctionArn": LIVE}
    found = cloud.look(function=NAME, region=REGION, skill_id=SKILL)
    assert found["aws.trigger"].status is Status.OK
    assert cloud.qualifiers == {"get_policy": "live", "invoke": "live"}
    cloud.skills = []
    found = cloud.look(function=NAME, region=REGION, skill_id=SKILL)
    assert f"--function {NAME}:live " in found["aws.trigger"].paste
    arguments = ("--function", NAME, "--region", REGION, "--skill-id", SKILL)
    done = type_it(cloud, "--fix", "aws.trigger", "--yes", *arguments)
    assert done.exit_code == 0, done.output
    assert cloud.qualifiers["add_permission"] == "live"


def test_settings_of_a_version_cannot_be_changed(cloud: Cloud) -> None:
    """AWS would change the function, and the alias would stay as it was."""
    cloud.deploy(Timeout=3)
    cloud.configuration = {"FunctionArn": LIVE}
    arguments = ("--function", NAME, "--region", REGION)
    done = type_it(cloud, "--fix", "aws.timeout", "--yes", *arguments)
    assert done.exit_code != 0
    assert "versions never change" in done.output


def test_a_vpc_without_a_way_out(cloud: Cloud) -> None:
    """From here all is well, and the function reaches nobody."""
    cloud.deploy()
    cloud.configuration = {"VpcConfig": {"VpcId": "vpc-0123456789"}}
    failed = [{"address": PUBLIC, "error": "timeout", "reason": "timed out"}]
    report = {
        "base_url": URL,
        "resolve": {"addresses": [PUBLIC], "ms": 1.0},
        "connect": {"failed": failed},
    }
    cloud.answer = lambda _event: {"ha_bridge": {"probe": report}}
    finding = cloud.look(function=NAME, region=REGION)["aws.probe"]
    assert finding.causes[0] == "vpc"
    assert "NAT gateway" in finding.fix


def test_few_calls_at_once(cloud: Cloud) -> None:
    """Fewer than devices: “turn everything off” leaves some on."""
    cloud.deploy()
    assert cloud.look()["aws.logs"].status is Status.OK
    cloud.at_once = 0
    finding = cloud.look()["aws.logs"]
    assert finding.causes == ("concurrency",)
    assert "Concurrent executions" in finding.fix


def test_devices_that_are_asked_for_in_vain_are_named(cloud: Cloud) -> None:
    """They are no failures of the function."""
    cloud.deploy()
    gone = {"name": "TurnOn", "errorType": "NO_SUCH_ENDPOINT", "endpointId": "light#x"}
    written = json.dumps({"level": "WARNING", "message": "x", "directive": gone})
    cloud.log = [line("TurnOn"), written, written]
    finding = cloud.look()["aws.logs"]
    assert finding.causes == ("gone",)
    assert "light#x” 2 times" in finding.saw
    assert "Delete these devices" in finding.fix


@pytest.mark.parametrize(
    ("code", "cause", "words"),
    [
        ("MissingDependencyException", "crt", "botocore[crt]"),
        ("ProfileNotFound", "profile", "list-profiles"),
        ("EndpointConnectionError", "offline", "network"),
        ("NoCredentialsError", "none", "aws configure"),
        ("ExpiredToken", "refused", "aws sso login"),
    ],
)
def test_why_aws_cannot_be_asked(
    code: str, cause: str, words: str, cloud: Cloud
) -> None:
    """What is missing here is no fault of the credentials."""

    def make(_service: str, _region: str | None) -> Any:
        raise type(code, (Exception,), {})("not signed")

    context = Context({"BASE_URL": URL}, aws=make)
    finding = findings(context, [one for one in AWS if one.id == "aws.credentials"])[
        "aws.credentials"
    ]
    assert finding.causes == (cause,)
    assert words in f"{finding.fix} {finding.paste}"
    del cloud


def test_aws_decides_where_the_home_cannot_be_seen_from_here(cloud: Cloud) -> None:
    """A router that does not lead its own address back inside is no failure."""
    cloud.deploy()

    def refused(*_arguments: object) -> Any:
        raise ConnectionRefusedError(111, "Connection refused")

    context = Context(
        {"BASE_URL": URL},
        now=lambda: NOW,
        resolve=resolver(PUBLIC),
        dial=refused,
        aws=cloud.client,
    )
    found = findings(context, (*CHAIN, *AWS))
    assert ids(found, Status.FAILED) == {"ha.reachable"}
    assert found["aws.probe"].causes == ("only_from_here",)
    assert context.findings["ha.reachable"].status is Status.WARNING
    assert "From AWS it is fine" in context.findings["ha.reachable"].means


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ({"event": {"payload": {"type": "INVALID_DIRECTIVE"}}}, "outdated"),
        (None, "outdated"),
        *(
            ({"errorType": f"{kind}Error", "errorMessage": "'directive'"}, "outdated")
            for kind in ("Assertion", "Attribute", "Key", "Type")
        ),
        ({"ha_bridge": {"error": "an ha_bridge event has one of: warm"}}, "outdated"),
        ({"ha_bridge": {"probe": {}}}, "outdated"),
        ({"errorType": "Runtime.ImportModuleError"}, "failed"),
        ({"ha_bridge": {"error": "BASE_URL is not set"}}, "failed"),
    ],
)
def test_a_function_that_does_not_answer(answer: Any, cause: str, cloud: Cloud) -> None:
    """An older version, another script, or one that is broken."""
    cloud.deploy()
    cloud.answer = lambda _event: answer
    found = cloud.look()
    fix = "--config-env eu" if cause == "outdated" else "aws logs tail"
    assert_only(found, "aws.probe", cause, fix=fix, skipped=set())


def test_the_bridge_answers_a_probe() -> None:
    """With what `examine` saw; no token is used."""
    settings = Settings.from_environ({"BASE_URL": "http://127.0.0.1:1"})
    transport = StubTransport(address=settings.address)
    answer = Bridge(settings, transport).answer({"ha_bridge": {"probe": {}}})
    report = answer["ha_bridge"]["probe"]
    assert report["resolve"]["addresses"] == ["127.0.0.1"]
    assert report["connect"]["failed"][0]["error"] == "refused"
    assert transport.posted == []


# -- the command -----------------------------------------------------------------------


def type_it(cloud: Cloud, *arguments: str, **more: Any) -> Result:
    def make(
        environ: Mapping[str, str], options: Options, *, needs_aws: bool
    ) -> Context:
        assert needs_aws
        return Context(
            {**environ, "BASE_URL": URL},
            options,
            now=lambda: NOW,
            resolve=resolver(PUBLIC),
            dial=dialler(cloud.port),
            aws=cloud.client,
        )

    return CliRunner(env={"COLUMNS": "80"}).invoke(check, arguments, obj=make, **more)


def test_the_table_fits_eighty_columns(cloud: Cloud) -> None:
    """From here and from AWS, side by side."""
    cloud.deploy()
    done = type_it(cloud, "--aws", "--locale", "en_gb")
    assert done.exit_code == 0, done.output
    assert "from here" in done.stdout
    assert max(len(one) for one in done.stdout.splitlines()) <= 80
    assert "123456789012" not in type_it(cloud, "--aws", "--markdown").stdout


@pytest.mark.parametrize(
    ("link", "changes", "shown", "key", "value"),
    [
        ("aws.timeout", {"Timeout": 3}, "3 s → 9 s", "Timeout", 9),
        ("aws.memory", {"MemorySize": 128}, "128 MB → 256 MB", "MemorySize", 256),
        (
            "aws.environment",
            {"variables": {"LONG_LIVED_ACCESS_TOKEN": "hunter2-hunter2"}},
            "LONG_LIVED_ACCESS_TOKEN is deleted",
            "Environment",
            {
                "Variables": {
                    "BASE_URL": URL,
                    "NOT_VERIFY_SSL": "false",
                    "DEBUG": "false",
                }
            },
        ),
    ],
)
def test_a_repair(  # noqa: PLR0913, PLR0917 - a row of the table
    link: str,
    changes: dict[str, Any],
    shown: str,
    key: str,
    value: Any,
    cloud: Cloud,
) -> None:
    """Shown first; done if one says yes; then there is nothing left to repair."""
    cloud.deploy(**changes)
    lambda_ = boto3.client("lambda", region_name=REGION)
    before = lambda_.get_function_configuration(FunctionName=NAME)

    refused = type_it(cloud, "--fix", link, input="n\n")
    assert refused.exit_code == 1
    assert shown in refused.stdout
    assert "Nothing was changed" in refused.stdout
    assert lambda_.get_function_configuration(FunctionName=NAME)[key] == before[key]

    done = type_it(cloud, "--fix", link, "--yes")
    assert done.exit_code == 0, done.output
    assert lambda_.get_function_configuration(FunctionName=NAME)[key] == value
    assert "hunter2" not in refused.output + done.output

    again = type_it(cloud, "--fix", link)
    assert "Nothing to repair" in again.stdout
    assert again.exit_code == 0, again.output


def test_a_trigger_is_added(cloud: Cloud) -> None:
    """For this skill and no other."""
    cloud.deploy()
    cloud.skills = []
    assert "--skill-id" in type_it(cloud, "--fix", "aws.trigger").stderr
    done = type_it(cloud, "--fix", "aws.trigger", "--skill-id", SKILL, input="y\n")
    assert done.exit_code == 0, done.output
    assert SKILL in done.stdout
    assert cloud.skills == [("alexa-connectedhome.amazon.com", SKILL)]


def test_why_there_is_nothing_that_can_be_repaired(cloud: Cloud) -> None:
    """The first reason, where others follow from it; and never that all is well."""
    cloud.refused = {"lambda"}
    done = type_it(cloud, "--fix", "aws.timeout", "--function", NAME)
    assert done.exit_code == 2
    assert "AccessDenied" in done.stderr

    cloud.deploy()
    cloud.refused = {"get_policy"}
    done = type_it(cloud, "--fix", "aws.trigger", "--skill-id", SKILL)
    assert done.exit_code == 2
    assert "AccessDenied" in done.stderr
    assert "Nothing to repair" not in done.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["--skill-id", SKILL[:-1]],
        ["--function", "arn:aws:lambda"],
        ["--fix", "aws.timeout", "--json"],
        ["--fix", "aws.timeout", "--markdown"],
        ["--locale", "xx-XX"],
        ["--fix", "ha.reachable"],
        ["--fix", "aws.timeout"],
    ],
    ids=[
        "a digit is missing",
        "half an ARN",
        "a repair as JSON",
        "a repair as a table",
        "no such locale",
        "not ours to repair",
        "no function",
    ],
)
def test_wrong_usage(arguments: list[str], cloud: Cloud) -> None:
    """Said in a sentence; nothing is looked at."""
    done = type_it(cloud, *arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr
    assert isinstance(done.exception, SystemExit)
