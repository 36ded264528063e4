"""A function in moto's AWS."""

import io
import zipfile
from collections.abc import Callable, Iterator

import pytest
from moto import mock_aws

from ha_bridge_ops.aws.function import Function, functions_in
from ha_bridge_ops.aws.session import Session
from tests.fakes.aws import kept_client

REGION = "eu-west-1"
SECRET = "a-token-that-nobody-may-see"

Look = Callable[[], Function]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Iterator[Look]:
    """Return what describes the one function as it is now."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws(config={"lambda": {"use_docker": False}}):
        role = kept_client("iam", REGION).create_role(
            RoleName="ha-bridge-role", AssumeRolePolicyDocument="{}"
        )
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("lambda_function.py", "")
        kept_client("lambda", REGION).create_function(
            FunctionName="ha-bridge",
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="lambda_function.lambda_handler",
            Timeout=3,
            MemorySize=128,
            Code={"ZipFile": code.getvalue()},
            Environment={
                "Variables": {
                    "BASE_URL": "https://home.example.org",
                    "LONG_LIVED_ACCESS_TOKEN": SECRET,
                }
            },
        )
        session = Session(
            lambda service, region: kept_client(service, region or REGION), REGION
        )
        yield lambda: functions_in(session, REGION, None)[0]
