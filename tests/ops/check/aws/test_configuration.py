"""Where the function is, and how it is set: one value is wrong in each test."""

import json
from typing import Any

import pytest

from ha_bridge_ops.check.model import Status
from tests.worlds.cloud import NAME, REGION, SKILL, Cloud
from tests.worlds.home import URL, assert_only


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


@pytest.mark.parametrize(
    ("runtime", "status", "saw"),
    [
        ("", Status.SKIPPED, "it is a container image"),
        ("python3.99", Status.OK, "python3.99"),
    ],
    ids=["a container image", "a Python to come"],
)
def test_a_runtime_without_a_known_end(
    runtime: str, status: Status, saw: str, cloud: Cloud
) -> None:
    """Nothing is said of what the table does not know."""
    cloud.deploy()
    cloud.configuration = {"Runtime": runtime}
    found = cloud.look(function=NAME, region=REGION)["aws.runtime"]
    assert (found.status, found.saw) == (status, saw)
