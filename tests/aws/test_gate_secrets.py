"""What opens a closed home, kept in moto's AWS and read inside the emulator."""

import ipaddress
import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ha_bridge.errors import ErrorType
from ha_bridge_ops.local.lambda_runtime import LambdaRuntime
from tests.aws.cloudformation import REGION
from tests.directives import event
from tests.fakes import access, pem
from tests.fakes.aws import client_of
from tests.fakes.server import Server
from tests.oracle import assert_error

pytestmark = [pytest.mark.runtime, pytest.mark.usefixtures("runtime_or_skip")]

TURN_ON = event("turn_on")
HERE = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
CA = pem.authority(bare=True)
CLIENT = pem.issued(CA, "the bridge")
EXPIRED = pem.issued(CA, "the bridge", not_after=pem.NOW - pem.DAY)

#: The settings, and what they are at first.
VALUES = {
    "EXTRA_HEADERS": json.dumps(access.HEADERS),
    "CLIENT_CERTIFICATE": CLIENT.pem,
    "CA_CERTIFICATE": CA.certificate_pem,
}

#: Keeps a value in AWS under a name, and returns the reference to it.
Keep = Callable[[str, str], str]


@pytest.fixture(params=["ssm", "secretsmanager"])
def keep(request: pytest.FixtureRequest, aws_server: str) -> Keep:
    """Each test with either service."""
    service: str = request.param
    client: Any = client_of(aws_server, service, REGION)

    def in_ssm(name: str, value: str) -> str:
        client.put_parameter(
            Name=f"/{name}", Value=value, Type="SecureString", Overwrite=True
        )
        return f"ssm:/{name}"

    def in_secretsmanager(name: str, value: str) -> str:
        try:
            client.create_secret(Name=name, SecretString=value)
        except client.exceptions.ResourceExistsException:
            client.put_secret_value(SecretId=name, SecretString=value)
        return f"secretsmanager:{name}"

    return in_ssm if service == "ssm" else in_secretsmanager


@pytest.fixture
def gate() -> access.Access:
    return access.Access()


@pytest.fixture
def home(tmp_path: Path, gate: access.Access) -> Iterator[Server]:
    """It wants all three: a private authority, a certificate, a service token."""
    own = pem.issued(CA, "127.0.0.1", names=HERE)
    tls = pem.server_context(tmp_path, own, CA, asks=ssl.CERT_REQUIRED)
    with Server((gate.behave,), tls=tls) as server:
        yield server


def variables(home: Server, aws: str, kept: dict[str, str]) -> dict[str, str]:
    return {
        "BASE_URL": home.url,
        "DEBUG": "true",
        **kept,
        "AWS_ENDPOINT_URL": aws,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }


def assert_refused(function: LambdaRuntime, word: str) -> None:
    answer = function.invoke(TURN_ON)
    assert_error(answer, ErrorType.BRIDGE_UNREACHABLE, TURN_ON)
    assert word in answer["event"]["payload"]["message"]


def assert_open(function: LambdaRuntime) -> None:
    assert function.invoke(TURN_ON)["event"]["header"]["name"] == "Response"


def test_what_is_kept_opens_and_is_read_anew_when_it_was_refused(
    aws_server: str, keep: Keep, home: Server, gate: access.Access
) -> None:
    """A certificate that was renewed, a token that was rotated: no deployment."""
    kept = {name: keep(name, value) for name, value in VALUES.items()}
    keep("CLIENT_CERTIFICATE", EXPIRED.pem)

    with LambdaRuntime(variables(home, aws_server, kept)) as function:
        assert_refused(function, "CLIENT_CERTIFICATE has expired on")
        keep("CLIENT_CERTIFICATE", CLIENT.pem)
        assert_open(function)
        opened = home.connections
        assert_open(function)
        assert home.connections == opened, "while all is well nothing is made anew"
        rotated = {**access.HEADERS, "CF-Access-Client-Secret": "rotated-secret-88"}
        gate.tokens = {access.ID: "rotated-secret-88"}
        assert_refused(function, "EXTRA_HEADERS is refused")
        keep("EXTRA_HEADERS", json.dumps(rotated))
        assert_open(function)
        log = function.log()
    for secret in (
        *(*access.HEADERS.values(), *rotated.values()),
        *(part for part in CLIENT.key_pem().split("\n") if len(part) > 40),
    ):
        assert secret not in log


def test_what_cannot_be_used_is_named(
    aws_server: str, keep: Keep, home: Server
) -> None:
    """One after the other; and it works once the last is mended there."""
    kept = {name: keep(name, "hunter2") for name in VALUES}
    with LambdaRuntime(variables(home, aws_server, kept)) as function:
        for _ in VALUES:
            answer = function.invoke(TURN_ON)
            assert_error(answer, ErrorType.INTERNAL_ERROR, TURN_ON)
            message = answer["event"]["payload"]["message"]
            (named,) = [name for name in kept if f"{name} " in message]
            keep(named, VALUES[named])
            del kept[named]
        assert kept == {}
        assert function.invoke(TURN_ON)["event"]["header"]["name"] == "Response"
        assert "hunter2" not in function.log()
