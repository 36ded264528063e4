"""References to secrets, read with the runtime's own boto3 inside the emulator.

The services are moto on loopback.  Where moto cannot refuse, a server does that answers
as AWS does: https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ha_bridge.errors import ErrorType
from ha_bridge_ops.local.lambda_runtime import LambdaRuntime
from tests.aws.cloudformation import REGION
from tests.directives import event
from tests.fakes.aws import client_of
from tests.fakes.behaviours import answer_directive, reply
from tests.fakes.server import Behaviour, Server
from tests.oracle import assert_error

pytestmark = [pytest.mark.runtime, pytest.mark.usefixtures("runtime_or_skip")]

VALUE = "hunter2"

#: The console's test: the only directive that comes without a token.
DISCOVERY = event("discovery", None)


def refuse(code: str) -> Behaviour:
    """Answer as AWS does when it refuses."""
    body = json.dumps({"__type": code, "Message": f"no, not {VALUE}"}).encode()
    return reply(400, body, {"Content-Type": "application/x-amz-json-1.1"})


@pytest.fixture
def home() -> Iterator[Server]:
    with Server((answer_directive,)) as server:
        yield server


def function(home: Server, aws: str, reference: str) -> LambdaRuntime:
    return LambdaRuntime(
        {
            "BASE_URL": home.url,
            "DEBUG": "true",
            "LONG_LIVED_ACCESS_TOKEN": reference,
            "AWS_ENDPOINT_URL": aws,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }
    )


def client(service: str, aws: str) -> Any:
    return client_of(aws, service, REGION)


def put(aws: str, name: str, value: str) -> None:
    client("ssm", aws).put_parameter(
        Name=name, Value=value, Type="SecureString", Overwrite=True
    )


def tokens(home: Server) -> list[str]:
    """Return the tokens that reached Home Assistant."""
    return [request.headers["authorization"] for request in home.requests]


def assert_unavailable(answer: dict[str, Any], reference: str, code: str) -> None:
    """Check that the answer names the secret and AWS's reason, and nothing of it."""
    assert_error(answer, ErrorType.INTERNAL_ERROR, DISCOVERY)
    message = answer["event"]["payload"]["message"]
    assert reference in message
    assert code in message
    assert VALUE not in message


@pytest.mark.parametrize("service", ["ssm", "secretsmanager"])
def test_a_reference_is_found(aws_server: str, home: Server, service: str) -> None:
    """Once for all directives, and the log does not tell it."""
    put(aws_server, "/found", VALUE)
    name = f"found-{service}"
    client("secretsmanager", aws_server).create_secret(Name=name, SecretString=VALUE)
    reference = "ssm:/found" if service == "ssm" else f"secretsmanager:{name}"
    with function(home, aws_server, reference) as running:
        for _ in range(2):
            assert running.invoke(DISCOVERY)["event"]["header"]["name"] == "Response"
        log = running.log()
    assert tokens(home) == [f"Bearer {VALUE}"] * 2
    assert VALUE not in log


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("ssm:/missing", "ParameterNotFound"),
        ("secretsmanager:missing", "ResourceNotFoundException"),
    ],
)
def test_a_missing_one_is_named(
    aws_server: str, home: Server, reference: str, code: str
) -> None:
    """Nothing goes to Home Assistant."""
    with function(home, aws_server, reference) as running:
        assert_unavailable(running.invoke(DISCOVERY), reference, code)
    assert home.requests == []


def test_the_next_directive_tries_again(aws_server: str, home: Server) -> None:
    """A parameter that was made in between works without a new deployment."""
    with function(home, aws_server, "ssm:/later") as running:
        assert_unavailable(running.invoke(DISCOVERY), "ssm:/later", "ParameterNotFound")
        put(aws_server, "/later", VALUE)
        assert running.invoke(DISCOVERY)["event"]["header"]["name"] == "Response"
    assert tokens(home) == [f"Bearer {VALUE}"]


def test_a_rotated_one_comes_with_the_next_environment(
    aws_server: str, home: Server
) -> None:
    """One resolves once; a deployment or an hour's rest makes a new one."""
    put(aws_server, "/rotated", "old")
    with function(home, aws_server, "ssm:/rotated") as running:
        running.invoke(DISCOVERY)
        put(aws_server, "/rotated", "new")
        running.invoke(DISCOVERY)
    with function(home, aws_server, "ssm:/rotated") as running:
        running.invoke(DISCOVERY)
    assert tokens(home) == ["Bearer old", "Bearer old", "Bearer new"]


@pytest.mark.parametrize("reference", ["ssm:/denied", "secretsmanager:denied"])
def test_denied_access_is_named(home: Server, reference: str) -> None:
    """SecretParameter was forgotten; AWS's sentence is not passed on."""
    with (
        Server((refuse("AccessDeniedException"),)) as aws,
        function(home, aws.url, reference) as running,
    ):
        answer = running.invoke(DISCOVERY)
        log = running.log()
    assert_unavailable(answer, reference, "AccessDeniedException")
    assert VALUE not in log
    assert home.requests == []


def test_throttled_once_it_is_asked_again(home: Server) -> None:
    """A burst of environments at the same moment."""
    found = json.dumps({"Parameter": {"Name": "/busy", "Value": VALUE}}).encode()
    json_type = {"Content-Type": "application/x-amz-json-1.1"}
    behaviours = (refuse("ThrottlingException"), reply(200, found, json_type))
    with (
        Server(behaviours) as aws,
        function(home, aws.url, "ssm:/busy") as running,
    ):
        assert running.invoke(DISCOVERY)["event"]["header"]["name"] == "Response"
    assert tokens(home) == [f"Bearer {VALUE}"]


def test_throttled_for_longer_it_is_named(home: Server) -> None:
    """Alexa does not wait."""
    with (
        Server((refuse("ThrottlingException"),)) as aws,
        function(home, aws.url, "ssm:/busy") as running,
    ):
        answer = running.invoke(DISCOVERY)
        assert len(aws.requests) == 2
    assert_unavailable(answer, "ssm:/busy", "ThrottlingException")
