"""The stack of the function: is it there, is it this one, and away with it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ha_bridge_ops.aws.session import AwsError, Session, call, reads_aws
from ha_bridge_ops.aws.stacks import token_endpoint_in
from ha_bridge_ops.aws.template import Template, read_template

#: Seconds for CloudFormation to finish what it is at.
TIMEOUT_S: Final = 900

#: What template.yaml calls the function.
FUNCTION_ID: Final = "HaBridge"

#: What a stack is that nobody has created yet.
_IN_REVIEW: Final = "REVIEW_IN_PROGRESS"

#: Never created, or not wholly deleted.
_BROKEN: Final = frozenset(
    {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
)


@dataclass(frozen=True)
class Stack:
    """A stack as it is."""

    status: str
    """Such as CREATE_COMPLETE."""
    parameters: Mapping[str, str] = field(repr=False)
    token_url: str | None = None
    """Where its token endpoint is asked, if it has one."""

    @property
    def has_failed(self) -> bool:
        """Whether only deleting it helps."""
        return self.status in _BROKEN

    @property
    def is_planned(self) -> bool:
        """Whether it has nothing yet: a change set of it waits to be executed."""
        return self.status == _IN_REVIEW


@dataclass(frozen=True)
class Deployed:
    """The function that a stack has made."""

    arn: str
    code_hash: str
    """As AWS tells it."""


class Stacks:
    """The stacks of one region.

    Args:
        session: Whose.
        region: An AWS region.
        sleep: As time.sleep.
    """

    def __init__(
        self,
        session: Session,
        region: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session = session
        self._region = region
        self._sleep = sleep

    @reads_aws
    def find(self, name: str) -> Stack | None:
        """Return a stack once AWS is done with it; None if there is none.

        Raises:
            AwsError: AWS does not let us look, or is never done.
        """
        for _ in range(TIMEOUT_S // 3):
            found = self._describe(name)
            if (
                found is None
                or found.is_planned
                or not found.status.endswith("_IN_PROGRESS")
            ):
                return found
            self._sleep(3)
        raise AwsError("StillInProgress", f"after {TIMEOUT_S} s")

    @reads_aws
    def delete(self, name: str) -> None:
        """Delete a stack and wait until it is gone.

        Raises:
            AwsError: AWS refused, or something of it cannot be deleted.
        """
        client = self._session.client("cloudformation", self._region)
        call(client.delete_stack, StackName=name)
        if (left := self.find(name)) is not None:
            raise AwsError(left.status, "The CloudFormation console says why.")

    @reads_aws
    def function(self, name: str) -> Deployed | None:
        """Return the function of a stack; None if it has none of ours.

        Raises:
            AwsError: AWS does not let us look.
        """
        client = self._session.client("cloudformation", self._region)
        listed = call(client.describe_stack_resources, StackName=name)
        for one in listed["StackResources"]:
            if one["LogicalResourceId"] == FUNCTION_ID and one.get(
                "PhysicalResourceId"
            ):
                found = call(
                    self._session.client(
                        "lambda", self._region
                    ).get_function_configuration,
                    FunctionName=one["PhysicalResourceId"],
                )
                return Deployed(str(found["FunctionArn"]), str(found["CodeSha256"]))
        return None

    @reads_aws
    def template(self, name: str) -> Template | None:
        """Return the template of a stack as AWS has worked it out; None if odd.

        Raises:
            AwsError: AWS does not let us look.
        """
        client = self._session.client("cloudformation", self._region)
        answer = call(client.get_template, StackName=name, TemplateStage="Processed")
        try:
            return read_template(answer.get("TemplateBody"))
        except ValueError:
            return None

    def _describe(self, name: str) -> Stack | None:
        client = self._session.client("cloudformation", self._region)
        try:
            answer: Any = call(client.describe_stacks, StackName=name)
        except AwsError as error:
            if "does not exist" in error.words:
                return None
            raise
        found = answer["Stacks"][0]
        if found["StackStatus"] == "DELETE_COMPLETE":
            return None
        return Stack(
            status=str(found["StackStatus"]),
            parameters={
                one["ParameterKey"]: str(one["ParameterValue"])
                for one in found.get("Parameters", [])
            },
            token_url=token_endpoint_in(found),
        )
