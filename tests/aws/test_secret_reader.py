"""References to secrets, against moto's SSM and Secrets Manager."""

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from ha_bridge.errors import BridgeError, Failure
from ha_bridge.redaction import Secret
from ha_bridge.secrets import SecretReader
from tests.hostile import SECRETS, TEXTS, assert_harmless

VALUE = "hunter2"


def client(service: str) -> Any:
    return boto3.client(
        service,
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        client("ssm").put_parameter(
            Name="/home/token", Value=VALUE, Type="SecureString"
        )
        client("secretsmanager").create_secret(Name="home", SecretString=VALUE)
        yield


def resolve(reader: SecretReader, text: str) -> str:
    return reader.resolve(Secret(text), time.monotonic() + 60).reveal()


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("reference", ["ssm:/home/token", "secretsmanager:home"])
def test_a_reference_is_resolved(reference: str) -> None:
    """Both services, decrypted."""
    assert resolve(SecretReader(client), reference) == VALUE


@pytest.mark.usefixtures("aws")
def test_an_arn_is_a_name_too() -> None:
    """It has colons of its own."""
    arn = client("secretsmanager").describe_secret(SecretId="home")["ARN"]
    assert resolve(SecretReader(client), f"secretsmanager:{arn}") == VALUE


@pytest.mark.parametrize("text", ["plain", "eyJhbGciOi.J9.x", "https://x", "s3:x"])
def test_a_plain_value_asks_nobody(text: str) -> None:
    """Most people keep the token in the variable for the minute of a test."""

    def no_client(service: str) -> Any:
        raise AssertionError(service)

    assert resolve(SecretReader(no_client), text) == text


@pytest.mark.usefixtures("aws")
def test_a_secret_is_asked_for_once() -> None:
    """An execution environment lives for hours; a directive has no time."""
    asked: list[str] = []

    def counting(service: str) -> Any:
        asked.append(service)
        return client(service)

    reader = SecretReader(counting)
    assert [resolve(reader, "ssm:/home/token") for _ in range(3)] == [VALUE] * 3
    assert asked == ["ssm"]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("ssm:/not/there", "ParameterNotFound"),
        ("secretsmanager:not-there", "ResourceNotFoundException"),
    ],
)
def test_a_missing_secret_is_named(reference: str, code: str) -> None:
    """With AWS's own code for it."""
    with pytest.raises(BridgeError) as caught:
        resolve(SecretReader(client), reference)
    assert caught.value.failure is Failure.SECRET_UNAVAILABLE
    assert reference in caught.value.message
    assert code in caught.value.message


class _Failing:
    """AWS, which says an error of some code to everything."""

    def __init__(self, code: object) -> None:
        self.response = {"Error": {"Code": code}}

    def get_parameter(self, **_asked: object) -> None:
        error = RuntimeError("hunter2")
        error.response = self.response  # type: ignore[attr-defined]  # as botocore's
        raise error

    get_secret_value = get_parameter


@pytest.mark.parametrize("service", ["ssm", "secretsmanager"])
@pytest.mark.parametrize(
    "name",
    [
        *SECRETS[-3:],
        f'{{"CF-Access-Client-Secret": "{"5e" * 32}"}}',
        "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG\n-----END",
        *TEXTS,
    ],
    ids=range(len(TEXTS) + 5),
)
def test_what_is_no_name_is_not_told(service: str, name: str) -> None:
    """Somebody has put the secret itself behind the colon, or anything else."""
    reader = SecretReader(lambda _service: _Failing("AccessDenied"))
    with pytest.raises(BridgeError) as caught:
        resolve(reader, f"{service}:{name}")
    message = caught.value.message
    assert service in message
    assert ": AccessDenied)" in message
    assert_harmless(message)
    assert len(message) < 1200
    if not name.isascii() or len(name) > 30:
        assert name not in message


@pytest.mark.parametrize("code", [*TEXTS[:14], TEXTS[-1], 7, None, {}])
def test_a_code_that_aws_has_not_is_not_told(code: object) -> None:
    """The kind of the exception stands for it."""
    with pytest.raises(BridgeError) as caught:
        resolve(SecretReader(lambda _service: _Failing(code)), "ssm:/home/token")
    assert ": RuntimeError)" in caught.value.message


@pytest.mark.usefixtures("aws")
def test_what_failed_is_tried_again() -> None:
    """A parameter made after the first directive works for the next."""
    reader = SecretReader(client)
    with pytest.raises(BridgeError):
        resolve(reader, "ssm:/later")
    client("ssm").put_parameter(Name="/later", Value=VALUE, Type="SecureString")
    assert resolve(reader, "ssm:/later") == VALUE


@pytest.mark.usefixtures("aws")
def test_a_rotated_secret_comes_with_the_next_environment() -> None:
    """This one keeps what it has: to ask each time would cost each directive."""
    reader = SecretReader(client)
    assert resolve(reader, "ssm:/home/token") == VALUE
    client("ssm").put_parameter(
        Name="/home/token", Value="new", Type="SecureString", Overwrite=True
    )
    assert resolve(reader, "ssm:/home/token") == VALUE
    assert resolve(SecretReader(client), "ssm:/home/token") == "new"


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("reference", ["ssm:/home/token", "secretsmanager:home"])
def test_denied_access_is_named(reference: str) -> None:
    """By a user of moto's IAM who may do nothing at all."""
    iam = client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]

    def as_nobody(service: str) -> Any:
        return boto3.client(
            service,
            region_name="eu-west-1",
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )

    @set_initial_no_auth_action_count(0)
    def resolve_with_permissions() -> None:
        resolve(SecretReader(as_nobody), reference)

    with pytest.raises(BridgeError) as caught:
        resolve_with_permissions()
    assert reference in caught.value.message
    # moto refuses in XML, which JSON clients know the status of only; AWS's own words
    # are in tests/aws/test_secrets.py.
    assert ": 403)" in caught.value.message
    assert VALUE not in caught.value.message


@pytest.mark.parametrize(
    ("service", "operation"),
    [("ssm", "get_parameter"), ("secretsmanager", "get_secret_value")],
)
def test_a_throttled_request_is_named_and_tried_again(
    service: str, operation: str
) -> None:
    """By the next directive; moto never throttles, so botocore's stub does."""
    stubbed = client(service)
    stubber = Stubber(stubbed)
    stubber.add_client_error(operation, "ThrottlingException", f"not {VALUE}")
    answers = {
        "ssm": {"Parameter": {"Value": VALUE}},
        "secretsmanager": {"SecretString": VALUE},
    }
    stubber.add_response(operation, answers[service])
    reader = SecretReader(lambda _service: stubbed)
    with stubber:
        with pytest.raises(BridgeError) as caught:
            resolve(reader, f"{service}:/busy")
        assert "ThrottlingException" in caught.value.message
        assert VALUE not in caught.value.message
        assert resolve(reader, f"{service}:/busy") == VALUE


@pytest.mark.usefixtures("aws")
def test_an_empty_secret_is_refused() -> None:
    """It would be sent as a token and refused by Home Assistant, less clearly."""
    client("ssm").put_parameter(Name="/blank", Value=" ", Type="String")
    with pytest.raises(BridgeError, match="empty"):
        resolve(SecretReader(client), "ssm:/blank")


def test_a_slow_service_does_not_eat_the_time_of_the_directive() -> None:
    """The directive has a deadline; what comes late serves the next one."""
    gate = threading.Event()

    class Slow:
        def get_parameter(self, **_arguments: object) -> Any:
            gate.wait(30)
            return {"Parameter": {"Value": VALUE}}

    reader = SecretReader(lambda _service: Slow())
    with pytest.raises(BridgeError, match="TimeoutError"):
        reader.resolve(Secret("ssm:/slow"), time.monotonic() - 1)
    gate.set()
    assert resolve(reader, "ssm:/slow") == VALUE


def test_no_credentials_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Botocore's own errors have no code; their name says it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with pytest.raises(BridgeError, match="NoCredentialsError"):
        resolve(SecretReader(), "ssm:/home/token")


@pytest.mark.usefixtures("aws")
def test_the_value_is_not_logged_even_at_debug(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Botocore logs whole answers at DEBUG, which Lambda's setting switches on."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    caplog.set_level(logging.DEBUG)
    assert resolve(SecretReader(), "ssm:/home/token") == VALUE
    assert VALUE not in caplog.text
