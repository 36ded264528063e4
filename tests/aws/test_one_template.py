"""The one template with the code in it, as the CloudFormation console takes it."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from ha_bridge_ops.local import one_file
from tests.aws.cloudformation import BASE_URL, REGION, SKILL_ID, STACK
from tests.aws.conftest import function_code

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")


def test_cfn_lint_has_nothing_to_say(tmp_path: Path) -> None:
    """In each region of Alexa's."""
    file = tmp_path / "ha-bridge.yaml"
    file.write_text(one_file.cloudformation(), "ascii")
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    regions = ("us-east-1", "eu-west-1", "us-west-2")
    done = subprocess.run(
        [str(cfn_lint), "--regions", *regions, "--", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout == ""


def test_two_fields_and_it_is_deployed() -> None:
    """Function, role, trigger and log group, with the outputs of the SAM template."""
    with mock_aws():
        client = boto3.client("cloudformation", region_name=REGION)
        client.create_stack(
            StackName=STACK,
            TemplateBody=one_file.cloudformation(),
            Parameters=[
                {"ParameterKey": "BaseUrl", "ParameterValue": BASE_URL},
                {"ParameterKey": "SkillId", "ParameterValue": SKILL_ID},
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        (stack,) = client.describe_stacks(StackName=STACK)["Stacks"]
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        functions = boto3.client("lambda", region_name=REGION)
        function = functions.get_function_configuration(FunctionName=STACK)
        policy = functions.get_policy(FunctionName=STACK)["Policy"]
        code = function_code(STACK, REGION)
    assert outputs["FunctionArn"] == function["FunctionArn"]
    assert outputs["ClientId"] == "https://layla.amazon.com/"
    assert function["Environment"]["Variables"]["BASE_URL"] == BASE_URL
    assert function["Handler"] == "index.lambda_handler"
    # moto keeps no event source token; cfn-lint and test_stack look at it.
    assert "alexa-connectedhome.amazon.com" in policy
    with zipfile.ZipFile(io.BytesIO(code)) as file:
        assert file.read("index.py").decode() == one_file.lambda_function()
