"""Whether AWS can be asked, and which function is meant."""

from typing import Any

import pytest

from ha_bridge_ops.check.catalogue import AWS, CHAIN
from ha_bridge_ops.check.context import Context, Options
from ha_bridge_ops.check.model import Status
from tests.ops.check.conftest import Serve
from tests.worlds.cloud import NAME, NOW, REGION, SKILL, Cloud, Refusal
from tests.worlds.home import (
    PUBLIC,
    TOKEN,
    URL,
    assert_only,
    dialler,
    findings,
    home,
    ids,
    resolver,
)


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


def test_aws_that_is_not_to_be_asked(serve: Serve) -> None:
    """Its links are skipped; the rest is looked at."""
    context = Context(
        {"BASE_URL": URL},
        resolve=resolver(PUBLIC),
        dial=dialler(serve(home()).port),
        aws=None,
    )
    found = findings(context, (*CHAIN, *AWS))
    assert ids(found, Status.FAILED) == set()
    assert {one.id for one in AWS} <= ids(found, Status.SKIPPED)


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
    assert found["aws.function"].saw.startswith("no function with BASE_URL in ")


def test_no_function_of_that_name(cloud: Cloud) -> None:
    """Another name is not taken for it."""
    cloud.deploy()
    found = cloud.look(function="other", locale="en-GB")
    skipped = after("aws.function")
    fix = f"--config-env eu --parameter-overrides BaseUrl={URL}"
    assert_only(found, "aws.function", "missing", fix=fix, skipped=skipped)
    assert found["aws.function"].saw.startswith("no “other” in ")


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


@pytest.mark.parametrize(
    ("code", "cause", "words"),
    [
        ("MissingDependencyException", "crt", "botocore[crt]"),
        ("ProfileNotFound", "profile", "list-profiles"),
        # What a broken profile comes out as: of its file, or of its program.
        ("InfiniteLoopConfigError", "profile", "~/.aws/config"),
        ("FileNotFoundError", "profile", "~/.aws/config"),
        ("CredentialRetrievalError", "profile", "~/.aws/config"),
        ("SSOTokenLoadError", "refused", "aws sso login"),
        ("EndpointConnectionError", "offline", "network"),
        ("NoCredentialsError", "none", "aws configure"),
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
