"""`ha-bridge check --aws` and `--fix`, as they are typed."""

from typing import Any

import boto3
import pytest

from ha_bridge_ops.check.model import Status
from tests.worlds.cloud import NAME, REGION, SKILL, Cloud, type_it
from tests.worlds.home import URL

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


def test_a_repair_that_did_not_help_is_exit_status_1(cloud: Cloud) -> None:
    """AWS accepts the change, and shows what it showed before."""
    cloud.deploy(Timeout=3)
    cloud.configuration = {"Timeout": 3}
    arguments = ("--function", NAME, "--region", REGION)
    done = type_it(cloud, "--fix", "aws.timeout", "--yes", *arguments)
    assert done.exit_code == 1
    assert "aws.timeout is failed, 3 s" in done.stdout
