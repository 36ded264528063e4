"""The functions that AWS CloudFormation has made, by the outputs of their stacks."""

import re
from collections.abc import Mapping
from typing import Any, Final

from ha_bridge_ops.aws import deploy
from ha_bridge_ops.aws.session import (
    AwsError,
    Session,
    boto3_clients,
    call,
    how_to_log_in,
    reads_aws,
)
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.outside import LIMIT, quoted
from ha_bridge_ops.regions import REGIONS, Region

#: The output of template.yaml with the ARN of the function.
OUTPUT: Final = "FunctionArn"

#: The one with the address where Amazon gets tokens, and how that of an API looks.
TOKEN_OUTPUT: Final = "AccessTokenUri"  # noqa: S105 - its name
_IS_AN_API: Final = re.compile(
    r"https://[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/auth/token"
)


def functions_of(stack: str, needed: Region) -> list[str]:
    """Return the ARNs that a stack of this name has put out, in any of the regions.

    Args:
        stack: The name of the stack; the same in each region.
        needed: The region that must have it; trouble with the others is no matter.

    Raises:
        CommandError: The needed region has no such stack, or AWS cannot be asked.
        RefusedError: AWS does not let us look.
    """
    session = Session(boto3_clients(), needed.aws_region)
    found = []
    for region in REGIONS:
        try:
            arn = _output(_described(session, stack, region))
        except AwsError as error:
            if region is needed:
                raise _why(error, stack, region) from None
            continue
        if arn:
            found.append(arn)
        elif region is needed:
            raise CommandError(
                f"The stack {stack} in {region.aws_region} has no output {OUTPUT}. "
                "Deploy it with this project's template.yaml, or give the ARN with "
                "--function."
            )
    return found


def token_endpoint_of(stack: str, region: Region) -> str | None:
    """Return where a stack's token endpoint is asked; None if it has none.

    Raises:
        CommandError: There is no such stack, or AWS cannot be asked.
        RefusedError: AWS does not let us look.
    """
    try:
        session = Session(boto3_clients(), region.aws_region)
        return token_endpoint_in(_described(session, stack, region))
    except AwsError as error:
        raise _why(error, stack, region) from None


@reads_aws
def _described(session: Session, stack: str, region: Region) -> Mapping[str, Any]:
    """Return what AWS says of a stack.

    Raises:
        AwsError: It says nothing.
    """
    client = session.client("cloudformation", region.aws_region)
    answer = call(client.describe_stacks, StackName=stack)
    found: Mapping[str, Any] = answer["Stacks"][0]
    return found


@reads_aws
def token_endpoint_in(stack: Mapping[str, Any]) -> str | None:
    """Return where the token endpoint is asked of a stack that AWS describes so."""
    found = _output(stack, TOKEN_OUTPUT) or ""
    # Without the endpoint the output is Home Assistant's own address.
    return found if _IS_AN_API.fullmatch(found) else None


@reads_aws
def _output(stack: Mapping[str, Any], key: str = OUTPUT) -> str | None:
    for output in stack.get("Outputs", []):
        if output["OutputKey"] == key:
            return str(output["OutputValue"])
    return None


def _why(error: AwsError, stack: str, region: Region) -> CommandError:
    if "does not exist" in error.words:
        return CommandError(
            f"There is no stack {stack} in {region.aws_region}: run "
            f"`{deploy.command(region.samconfig_env)}` first."
        )
    if error.is_no_login:
        return CommandError(how_to_log_in())
    said = quoted(error.words.rstrip("."), LIMIT) if error.words else error.code
    return RefusedError(
        f"AWS did not describe the stack {stack} in {region.aws_region}: {said}."
    )
