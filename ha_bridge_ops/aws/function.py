"""The function in AWS: found, and as a typed value."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Self

from ha_bridge.messages import MAX_OBJECTS, objects_in
from ha_bridge_ops import grammar
from ha_bridge_ops.aws.policies import Caller, callers
from ha_bridge_ops.aws.session import (
    ODD_SHAPE,
    AwsError,
    Session,
    boto3_clients,
    call,
    reads_aws,
)
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.regions import Region

#: What the ARN of a function looks like; its region is the first group.
FUNCTION_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:lambda:([a-z0-9-]+):\d{12}:function:[\w-]{1,64}(?::[\w$-]{1,128})?",
    re.ASCII,
)


#: What the token endpoint calls, which is a second function with the same variables.
TOKEN_HANDLER: Final = "token_function.lambda_handler"  # noqa: S105 - no secret

#: A name alone; other texts are ARNs, or mistyped.
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

#: In an ARN without version or alias.
_COLONS: Final = 6


@dataclass(frozen=True)
class Function:
    """A function, as far as the bridge is concerned with it.

    The names of AWS's API are in `described`, and nowhere else.
    """

    session: Session = field(repr=False)
    arn: str
    name: str
    timeout_s: int
    memory_mb: int
    runtime: str
    """Such as python3.13; empty for a container image."""
    role: str
    """The name of its role in IAM."""
    log_group: str
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    variables_error: str | None = None
    """Why AWS does not show the variables, such as a key that we may not use."""
    logs_json: bool = False
    """Whether each line of its log is a JSON object."""
    revision: str | None = None
    """Changes with each change of the function."""
    vpc: str | None = None
    """The network of one's own that it is attached to, such as vpc-0123."""
    modified_ms: int | None = None
    """When it was last changed, in milliseconds since the epoch."""
    code_sha256: str = ""
    """Of its zip, in base64, as AWS says it; empty for a container image."""

    @classmethod
    @reads_aws
    def described(cls, session: Session, found: Mapping[str, Any]) -> Self:
        """Return the function that AWS describes so.

        https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html

        Raises:
            AwsError: It describes none.
        """
        arn = str(found["FunctionArn"])
        if not FUNCTION_ARN.fullmatch(arn):
            raise ValueError
        name = arn.split(":")[_COLONS]
        environment = found.get("Environment", {})
        logging = found.get("LoggingConfig", {})
        error = environment.get("Error")
        group = logging.get("LogGroup") or f"/aws/lambda/{name}"
        if grammar.log_group(group) is None:
            raise ValueError
        return cls(
            session=session,
            arn=arn,
            name=name,
            timeout_s=int(found["Timeout"]),
            memory_mb=int(found["MemorySize"]),
            runtime=str(found.get("Runtime") or ""),
            role=str(found["Role"]).rpartition("/")[2],
            log_group=group,
            variables={
                str(key): str(value)
                for key, value in environment.get("Variables", {}).items()
            },
            variables_error=str(error.get("ErrorCode")) if error else None,
            logs_json=logging.get("LogFormat") == "JSON",
            revision=found.get("RevisionId"),
            vpc=str(found.get("VpcConfig", {}).get("VpcId") or "") or None,
            modified_ms=_milliseconds(found.get("LastModified")),
            code_sha256=str(found.get("CodeSha256") or ""),
        )

    @property
    def region(self) -> str:
        """The AWS region in which it is."""
        return self.arn.split(":")[3]

    @property
    def qualifier(self) -> str:
        """The version or alias that is meant, as the ARN ends; empty for none.

        Each has a policy of its own, and a call of it is another.
        https://docs.aws.amazon.com/lambda/latest/dg/versioning-aliases.html
        """
        return qualifier_of(self.arn)

    def at(self, qualifier: str) -> Self:
        """Return the function as this version or alias; empty for none."""
        arn = ":".join(self.arn.split(":")[: _COLONS + 1])
        return replace(self, arn=f"{arn}:{qualifier}" if qualifier else arn)

    @property
    def qualified_name(self) -> str:
        """The name as a command takes it, with version or alias."""
        return f"{self.name}:{self.qualifier}" if self.qualifier else self.name

    @property
    def named(self) -> dict[str, str]:
        """How a call of AWS's API names it, with version or alias."""
        qualifier = {"Qualifier": self.qualifier} if self.qualifier else {}
        return {"FunctionName": self.name, **qualifier}

    def concurrency(self) -> int | None:
        """Return how many calls may run at once; None where AWS does not say.

        https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
        """
        client = self.client("lambda")
        try:
            own = call(client.get_function_concurrency, FunctionName=self.name)
            if (reserved := own.get("ReservedConcurrentExecutions")) is not None:
                return int(reserved)
            account = call(client.get_account_settings)["AccountLimit"]
            return int(account["ConcurrentExecutions"])
        except (AwsError, *ODD_SHAPE):
            return None

    def client(self, service: str) -> Any:
        """Return the client of a service in the function's region.

        Raises:
            AwsError: boto3 refuses to make one.
        """
        return self.session.client(service, self.region)

    @reads_aws
    def callers(self) -> list[Caller]:
        """Return who may call the function, as its policy says it.

        Raises:
            AwsError: AWS does not say.
        """
        try:
            answer = call(self.client("lambda").get_policy, **self.named)
        except AwsError as error:
            if error.is_not_there:
                return []
            raise
        return list(callers(answer["Policy"]))

    @reads_aws
    def open_url(self) -> str | None:
        """Return its address that asks for no login, with a slash at its end.

        https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html

        Raises:
            AwsError: AWS does not say.
        """
        client = self.client("lambda")
        try:
            found = call(client.get_function_url_config, **self.named)
        except AwsError as error:
            if error.is_not_there:
                return None
            raise
        return str(found["FunctionUrl"]) if found.get("AuthType") == "NONE" else None

    @reads_aws
    def invoke(self, event: object) -> Any:
        """Return the function's answer to an event; None if it is no JSON.

        Raises:
            AwsError: AWS did not let us.
        """
        answer = call(
            self.client("lambda").invoke,
            **self.named,
            Payload=json.dumps(event).encode(),
        )
        try:
            said = answer["Payload"].read()
            return None if objects_in(said) > MAX_OBJECTS else json.loads(said)
        except (RecursionError, ValueError):
            return None


def qualifier_of(arn: str) -> str:
    """Return the version or alias that an ARN of a function names; empty for none."""
    return arn.split(":", _COLONS + 1)[-1] if arn.count(":") > _COLONS else ""


def _milliseconds(text: object) -> int | None:
    """Return a time as AWS writes it, such as 2026-11-25T10:00:00.000+0000."""
    try:
        return int(datetime.fromisoformat(str(text)).timestamp() * 1000)
    except ValueError:
        return None


def arn_of(name: str, region: Region) -> str:
    """Return the ARN of a function that is named in any way.

    Args:
        name: Name or ARN; only for a name is AWS asked.
        region: Where it must be.

    Raises:
        CommandError: There is no such function, or AWS cannot be asked.
        RefusedError: AWS does not let us look.
    """
    if name.startswith("arn:") or not _NAME.fullmatch(name):
        return name  # what is no ARN is refused by who reads it
    where = region.aws_region
    try:
        found = functions_in(Session(boto3_clients(), where), where, name)
    except AwsError as error:
        kind = CommandError if error.is_no_login else RefusedError
        raise kind(f"AWS did not say where {name} is: {error.code}.") from None
    if not found:
        raise CommandError(f"There is no function {name} in {where}.")
    return found[0].arn


@reads_aws
def functions_in(
    session: Session,
    region: str,
    name: str | None,
    *,
    handlers: Collection[str] = (),
) -> list[Function]:
    """Return the functions of a region that may be the bridge.

    Args:
        session: Whose functions.
        region: An AWS region.
        name: Name or ARN; None for those that have a variable BASE_URL.
        handlers: Others that may be it, by their handlers.

    Raises:
        AwsError: AWS does not let us look.
    """
    client = session.client("lambda", region)
    if name:
        try:
            found = [call(client.get_function_configuration, FunctionName=name)]
        except AwsError as error:
            if error.is_not_there:
                return []
            raise
        return [Function.described(session, one) for one in found]
    pages = call(client.get_paginator("list_functions").paginate)
    listed = call(lambda: [one for page in pages for one in page["Functions"]])
    return [
        one
        for found in listed
        if found.get("Handler") != TOKEN_HANDLER
        and (
            "BASE_URL" in (one := Function.described(session, found)).variables
            or found.get("Handler") in handlers
        )
    ]
