"""The functions that AWS CloudFormation has made, by the outputs of their stacks."""

from typing import Any

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.regions import REGIONS, Region

#: The output of template.yaml with the ARN of the function.
OUTPUT = "FunctionArn"


def functions_of(stack: str, needed: Region) -> list[str]:
    """Return the ARNs that a stack of this name has put out, in any of the regions.

    Args:
        stack: The name of the stack; the same in each region.
        needed: The region that must have it; trouble with the others is no matter.

    Raises:
        CommandError: The needed region has no such stack, or AWS cannot be asked.
    """
    try:
        import boto3  # noqa: PLC0415 - large, and only needed here
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    except ImportError:
        raise CommandError(
            "--stack needs boto3: install it (pip install boto3), or give the "
            "ARN with --arn."
        ) from None
    found = []
    for region in REGIONS:
        try:
            client = boto3.client("cloudformation", region_name=region.aws_region)
            answer = client.describe_stacks(StackName=stack)
        except (BotoCoreError, ClientError) as error:
            if region is needed:
                raise CommandError(_sentence(error, stack, region)) from None
            continue
        arn = _output(answer["Stacks"][0])
        if arn:
            found.append(arn)
        elif region is needed:
            raise CommandError(
                f"The stack {stack} in {region.aws_region} has no output {OUTPUT}. "
                "Deploy it with this project's template.yaml, or give the ARN with "
                "--arn."
            )
    return found


def _output(stack: dict[str, Any]) -> str | None:
    for output in stack.get("Outputs", []):
        if output["OutputKey"] == OUTPUT:
            return str(output["OutputValue"])
    return None


def _sentence(error: Exception, stack: str, region: Region) -> str:
    words = " ".join(str(error).split()).rstrip(".")
    if "does not exist" in words:
        return (
            f"There is no stack {stack} in {region.aws_region}: run "
            f"`sam build && sam deploy --config-env {region.samconfig_env}` first."
        )
    return f"AWS did not describe the stack {stack} in {region.aws_region}: {words}."
