"""An environment for each of Alexa's regions, so that nothing needs to be typed."""

import tomllib
from typing import Any

import pytest

from ha_bridge_ops.regions import REGIONS
from tests.aws.cloudformation import ROOT, STACK, read_template

CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text())


def test_there_is_one_for_each_region() -> None:
    """And each has all that `sam deploy` would ask for."""
    environments: dict[str, Any] = dict(CONFIG)
    assert environments.pop("version") == 0.1
    assert {
        name: environment["global"]["parameters"]["region"]
        for name, environment in environments.items()
    } == {region.samconfig_env: region.aws_region for region in REGIONS}


def test_the_template_knows_the_same_regions() -> None:
    """And gives out the same client ids."""
    assert read_template()["Mappings"]["Regions"] == {
        region.aws_region: {"ClientId": region.client_id} for region in REGIONS
    }


@pytest.mark.parametrize("name", [region.samconfig_env for region in REGIONS])
def test_it_answers_sams_questions(name: str) -> None:
    """Stack, bucket, permission to make a role, and no last question."""
    assert CONFIG[name]["global"]["parameters"]["stack_name"] == STACK
    assert CONFIG[name]["deploy"]["parameters"] == {
        "capabilities": "CAPABILITY_IAM",
        "confirm_changeset": False,
        "fail_on_empty_changeset": False,
        "resolve_s3": True,
        "s3_prefix": STACK,
    }
