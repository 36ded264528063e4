"""Setup for a closed home: a stack with a token endpoint keeps it in the skill."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from ha_bridge_ops.setup.desk import Desk, Wishes
from ha_bridge_ops.setup.steps import skill_with

REGION = "eu-west-1"
ARN = f"arn:aws:lambda:{REGION}:123456789012:function:ha-bridge"
HOME = "https://home.example.org"
ENDPOINT = f"https://abc123.execute-api.{REGION}.amazonaws.com/auth/token"


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def desk(folder: Path) -> Desk:
    return Desk(
        Wishes(
            base_url=HOME,
            locale="de-DE",
            name=None,
            skill_id=None,
            stack=None,
            bucket=None,
            profile=None,
            ask_profile=None,
            ask_command="ask",
            folder=folder,
            go_on=False,
            wait=0,
            dry_run=False,
            yes=True,
            env_file=Path(os.devnull),
        )
    )


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (ENDPOINT, ENDPOINT),
        (f"{HOME}/auth/token", f"{HOME}/auth/token"),
        # Whoever could write the output would get Amazon's requests.
        (f"https://evil.example/{ENDPOINT}", f"{HOME}/auth/token"),
        (f"{ENDPOINT}/../../else", f"{HOME}/auth/token"),
        ("https://x.execute-api.evil.example/auth/token", f"{HOME}/auth/token"),
        (ENDPOINT.replace(".com", ".com.evil.example"), f"{HOME}/auth/token"),
    ],
)
def test_the_token_url_is_that_of_the_stack(
    tmp_path: Path, output: str, expected: str
) -> None:
    """Else setup would lead Amazon back to a home that is closed to it."""
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"AccessTokenUri": {"Value": output}},
    }
    boto3.client("cloudformation", region_name=REGION).create_stack(
        StackName="ha-bridge", TemplateBody=json.dumps(template)
    )
    skill = skill_with(desk(tmp_path / "skill"), ARN)
    linking = skill.account_linking()["accountLinkingRequest"]
    assert linking["accessTokenUrl"] == expected
    assert linking["authorizationUrl"] == f"{HOME}/auth/authorize"


def test_without_a_stack_amazon_asks_the_home(tmp_path: Path) -> None:
    """Nothing is there yet."""
    skill = skill_with(desk(tmp_path / "skill"), ARN)
    assert skill.access_token_uri == f"{HOME}/auth/token"
