"""From `sam build` to an answer of Home Assistant, with the real SAM CLI.

Its AWS is moto on loopback.  Two things moto cannot do: SAM's transform, which happens
in AWS, so that here the translator does it before `sam deploy`; and the stack of the
bucket that `resolve_s3` makes, so that here there is a bucket.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uv

from ha_bridge_ops.local import lambda_runtime, sam
from ha_bridge_ops.local.embedded import HomeAssistantServer
from ha_bridge_ops.local.lambda_runtime import LambdaRuntime
from ha_bridge_ops.local.package import write_zip
from tests.aws.cloudformation import (
    BASE_URL,
    BUCKET,
    REGION,
    ROOT,
    SKILL_ID,
    STACK,
    checked,
    read_template,
    translated,
)
from tests.directives import event
from tests.fakes.aws import client_of

pytestmark = [
    pytest.mark.runtime,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning"),
]

SOURCES = (
    "Makefile",
    "template.yaml",
    "samconfig.toml",
    "requirements.txt",
    "lambda_function.py",
    "token_function.py",
    "ha_bridge_ops/local/build.py",
)


@dataclass
class Deployment:
    """What is left of a deployment."""

    checkout: Path
    aws: str
    zip: Path
    output: str

    def client(self, service: str) -> Any:
        return client_of(self.aws, service, REGION)

    def sam(self, *arguments: str) -> str:
        """Run SAM with nobody to answer its questions; return what it says."""
        tools = str(Path(uv.find_uv_bin()).parent)
        # Of the user's AWS, and of the make that the tests may run in.
        theirs = ("AWS_", "MAKE", "VIRTUAL_ENV")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(theirs)}
        result = subprocess.run(
            [str(sam.install()), *arguments],
            cwd=self.checkout,
            env={
                **inherited,
                "PATH": os.pathsep.join([tools, os.environ["PATH"]]),
                "SAM_CLI_TELEMETRY": "0",
                "__SAM_CLI_APP_DIR": str(self.checkout.parent / "sam"),
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "AWS_ENDPOINT_URL": self.aws,
                "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def function(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("lambda").get_function_configuration(
            FunctionName=STACK
        )
        return found


@pytest.fixture(scope="module")
def deployment(
    tmp_path_factory: pytest.TempPathFactory,
    aws_server: str,
    runtime_or_skip: None,  # noqa: ARG001 - a fixture for its effect
) -> Deployment:
    """The function, built, packaged and deployed with no more than its address."""
    folder = tmp_path_factory.mktemp("deployment")
    checkout = folder / "check out"
    (checkout / "ha_bridge").mkdir(parents=True)
    for path in (ROOT / "ha_bridge").glob("*.py"):
        shutil.copy(path, checkout / "ha_bridge")
    for name in SOURCES:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    made = Deployment(checkout, aws_server, folder / "deployed.zip", "")
    s3 = made.client("s3")
    s3.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    made.sam("validate", "--lint", "--config-env", "eu")
    made.sam("build", "--config-env", "eu")
    packaged = ("--s3-bucket", BUCKET, "--output-template-file", "packaged.yaml")
    made.sam("package", "--config-env", "eu", *packaged)

    template = read_template(checkout / "packaged.yaml")
    uri = template["Resources"]["HaBridge"]["Properties"]["CodeUri"]
    key = uri.removeprefix(f"s3://{BUCKET}/")
    made.zip.write_bytes(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    values = checked(template, {"BaseUrl": BASE_URL}, REGION)
    plain = translated(template, values, REGION)
    (checkout / "plain.json").write_text(json.dumps(plain))
    made.output = deploy(made, f"BaseUrl={BASE_URL}")
    return made


def deploy(made: Deployment, *parameters: str, more: Sequence[str] = ()) -> str:
    return made.sam(
        *("deploy", "--config-env", "eu", "--template-file", "plain.json"),
        *("--no-resolve-s3", *more, "--parameter-overrides", *parameters),
    )


def entries(path: Path) -> dict[str, tuple[bytes, int, tuple[int, ...]]]:
    """Return content, mode and time of what is in a zip."""
    with zipfile.ZipFile(path) as file:
        return {
            entry.filename: (file.read(entry), entry.external_attr, entry.date_time)
            for entry in file.infolist()
        }


def test_nothing_was_asked(deployment: Deployment) -> None:
    """samconfig.toml has said it all but the address."""
    assert f"Successfully created/updated stack - {STACK}" in deployment.output
    assert REGION in deployment.output
    assert deployment.function()["Environment"]["Variables"]["BASE_URL"] == BASE_URL


def test_the_skill_id_alone_is_enough_for_the_second_time(
    deployment: Deployment,
) -> None:
    """What was given once stays.  moto cannot execute this change, only show it."""
    given = (f"SkillId={SKILL_ID}", 'Debug="true"', 'LongLivedAccessToken=""')
    deploy(deployment, *given, more=["--no-execute-changeset"])
    client = deployment.client("cloudformation")
    *_, last = client.list_change_sets(StackName=STACK)["Summaries"]
    change = client.describe_change_set(ChangeSetName=last["ChangeSetId"])
    planned = {
        parameter["ParameterKey"]: parameter["ParameterValue"]
        for parameter in change["Parameters"]
    }
    assert planned["SkillId"] == SKILL_ID
    assert planned["BaseUrl"] == BASE_URL
    assert planned["MemorySize"] == "256"
    # Empty is written so, with its quotes; SAM takes no other spelling.
    assert planned["LongLivedAccessToken"] == ""
    assert planned["Debug"] == "true"


def test_the_zip_is_what_was_deployed(deployment: Deployment) -> None:
    """Lambda tells its hash."""
    digest = hashlib.sha256(deployment.zip.read_bytes()).digest()
    assert base64.b64decode(deployment.function()["CodeSha256"]) == digest


def test_make_package_writes_the_same(deployment: Deployment, tmp_path: Path) -> None:
    """Each file, its mode and its time, as SAM's own zip has them."""
    ours = tmp_path / "ha-bridge.zip"
    size = write_zip(deployment.checkout / ".aws-sam" / "build" / "HaBridge", ours)
    assert entries(ours) == entries(deployment.zip)
    assert size < 2_000_000


@pytest.mark.live
@pytest.mark.one_release
def test_what_was_deployed_answers(
    deployment: Deployment, home_assistant: HomeAssistantServer, tmp_path: Path
) -> None:
    """Unpacked as Lambda does, in AWS's runtime, with a real Home Assistant."""
    package = tmp_path / "task"
    with zipfile.ZipFile(deployment.zip) as file:
        file.extractall(package)
    variables = {
        **deployment.function()["Environment"]["Variables"],
        "BASE_URL": home_assistant.url,
        "PYTHONVERBOSE": "1",
    }
    with LambdaRuntime(variables, code=package) as function:
        discovery = function.invoke(event("discovery", home_assistant.access_token))
        turn_on = event("turn_on", home_assistant.access_token)
        answer = function.invoke(turn_on)
        log = function.log()
    endpoints = discovery["event"]["payload"]["endpoints"]
    assert len(endpoints) > 50
    assert answer["event"]["header"]["name"] == "Response"
    entity = turn_on["directive"]["endpoint"]["endpointId"].replace("#", ".")
    assert home_assistant.state(entity)["state"] == "on"
    # The byte code that was built is what has run.
    _, python = lambda_runtime.install()
    if "python3.13" in str(python):
        for name in ("lambda_function", "bridge", "connectionpool"):
            assert f"__pycache__/{name}.cpython-313.pyc'" in log
