"""ARNs from stacks, for which moto is AWS."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

from ha_bridge_ops.aws import stacks
from ha_bridge_ops.commands.skill import skill as skill_command
from ha_bridge_ops.regions import REGIONS
from tests.ops.conftest import Run
from tests.worlds.desk import ARNS, URL, document, is_one_line

TEMPLATE = {
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {"FunctionArn": {"Value": "to be replaced"}},
}


def stack_in(aws_region: str, template: dict[str, Any]) -> None:
    boto3.client("cloudformation", aws_region).create_stack(
        StackName="ha-bridge", TemplateBody=json.dumps(template)
    )


def with_output(arn: str) -> dict[str, Any]:
    return {**TEMPLATE, "Outputs": {"FunctionArn": {"Value": arn}}}


@pytest.fixture
def in_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """The command within this process, where moto stands for AWS."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    common = ["--base-url", URL, "--stack", "ha-bridge"]
    with mock_aws():
        yield lambda *arguments: CliRunner().invoke(
            skill_command, [*common, *arguments]
        )


def test_the_arns_are_taken_from_the_stacks(
    in_process: Callable[..., Any], tmp_path: Path
) -> None:
    """Of each region that has one; the third has none here."""
    for key, region in zip(("NA", "EU"), REGIONS[:2], strict=True):
        stack_in(region.aws_region, with_output(ARNS[key]))
    done = in_process("--locale", "de-DE")
    assert done.exit_code == 0, done.output
    api = document(tmp_path, "skill.json")["manifest"]["apis"]["smartHome"]
    assert api["endpoint"]["uri"] == ARNS["EU"]
    assert list(api["regions"]) == ["NA", "EU"]


def test_the_template_puts_out_what_is_looked_for() -> None:
    """And has the parameters that the printed command sets."""
    template = (Path(__file__).parents[3] / "template.yaml").read_text()
    _, _, outputs = template.partition("\nOutputs:\n")
    assert f"\n  {stacks.OUTPUT}:\n" in f"\n{outputs}"
    for parameter in ("BaseUrl", "SkillId"):
        assert f"\n  {parameter}:\n" in template


def test_a_stack_elsewhere_is_of_no_use(in_process: Callable[..., Any]) -> None:
    """The region of the locale must have it; the way to it is named."""
    stack_in("us-east-1", with_output(ARNS["NA"]))
    done = in_process("--locale", "de-DE")
    assert done.exit_code == 2
    assert "no stack ha-bridge in eu-west-1" in done.output
    assert "--config-env eu" in done.output


def test_a_stack_of_something_else_is_told_apart(
    in_process: Callable[..., Any],
) -> None:
    """It has no such output."""
    stack_in("eu-west-1", {"Resources": TEMPLATE["Resources"]})
    done = in_process("--locale", "de-DE")
    assert done.exit_code == 2
    assert "no output FunctionArn" in done.output


def test_without_credentials_aws_is_not_asked_in_vain(run: Run, tmp_path: Path) -> None:
    """What to do is said, in one line."""
    done = run(
        *["skill", "--base-url", URL, "--locale", "de-DE", "--stack", "ha-bridge"],
        HOME=str(tmp_path),
        AWS_ACCESS_KEY_ID="",
        AWS_SECRET_ACCESS_KEY="",
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=str(tmp_path / "none"),
        AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "none"),
    )
    assert done.returncode == 2
    assert "no credentials for AWS" in done.stderr
    assert is_one_line(done.stderr)


def test_an_installation_without_boto3(
    here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says what is missing, and how to get it."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    done = here("skill", "--base-url", URL, "--locale", "de-DE", "--stack", "x")
    assert done.returncode == 2
    assert "pip install boto3" in done.stderr
    assert is_one_line(done.stderr)
