"""moto's AWS: in this process, and as a server for programs of their own."""

import copy
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from moto.awslambda.models import lambda_backends
from moto.server import ThreadedMotoServer

from tests.aws.cloudformation import ACCOUNT, BUCKET
from tests.fakes.aws import kept_client


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS account, with a zip for the function."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("lambda_function.py", "")
    with mock_aws():
        s3 = kept_client("s3", "us-east-1")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="ha-bridge.zip", Body=content.getvalue())
        yield


@pytest.fixture(scope="module")
def aws_server() -> Iterator[str]:
    """The URL of an AWS account on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def function_code(name: str, region: str) -> bytes:
    """Return the zip that a function in moto runs; its address leads nowhere."""
    code: bytes = _function(name, region).code_bytes
    return code


def function_configuration(name: str, region: str) -> dict[str, Any]:
    """Return how a function in moto is set up, much sooner than its API."""
    found: dict[str, Any] = _function(name, region).get_configuration()
    return copy.deepcopy(found)


def _function(name: str, region: str) -> Any:
    return lambda_backends[ACCOUNT][region].get_function(name)
