"""`ha-bridge setup`: the real SAM CLI against moto, the ASK CLI against our Amazon."""

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from ha_bridge.settings import VARIABLES
from ha_bridge_ops.local import ask as ask_tool
from ha_bridge_ops.local import sam
from ha_bridge_ops.local.processes import Process, free_port, inherited
from tests.fakes.smapi import Smapi, cli_config
from tests.worlds.desk import FAKE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
URL = "https://home.example.org"
REGION = "eu-west-1"
STACK = "ha-bridge"
BUCKET = "packages"


class _Permitted(set[str]):
    """The skills that may call the function: those that a stack was told."""

    def __init__(self, house: "House") -> None:
        super().__init__()
        self._house = house

    def __contains__(self, skill_id: object) -> bool:
        return any(
            one["ParameterValue"] == skill_id
            for stack in self._house.stacks()
            for one in stack.get("Parameters", [])
        )


@dataclass
class House:
    """A user's machine, AWS and Amazon."""

    folder: Path
    aws: str
    smapi: Smapi
    ask: str = FAKE

    @property
    def environ(self) -> dict[str, str]:
        clean = {
            k: v
            for k, v in os.environ.items()
            if k not in VARIABLES and not k.startswith("AWS_")
        }
        return {
            **clean,
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.folder / "home"),
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "__SAM_CLI_APP_DIR": str(self.folder / "sam"),
            "ASK_SMAPI_SERVER_BASE_URL": self.smapi.url,
            "ASK_LWA_TOKEN_HOST": self.smapi.url,
            "ASK_FAKE_LOG": str(self.folder / "ask.log"),
        }

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Begin to set up."""
        return subprocess.Popen(
            [sys.executable, "-u", "-m", "ha_bridge_ops", "setup", *arguments],
            cwd=self.folder,
            env={**self.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def typed(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Return exit status and what was said."""
        with self.start(*arguments, **variables) as child:
            said, _ = child.communicate(timeout=600)
        return child.returncode, said

    def all_of_it(self, *more: str, **variables: str) -> tuple[int, str]:
        return self.typed(*self.usual(), *more, **variables)

    def usual(self) -> tuple[str, ...]:
        """Return what is typed: no home can be reached from here, so it goes on."""
        return (
            *("--base-url", URL, "--locale", "de-DE", "--ask", self.ask),
            *("--bucket", BUCKET, "--yes", "--go-on"),
        )

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.aws,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def stacks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client("cloudformation").describe_stacks()[
            "Stacks"
        ]
        return found

    def assert_set_up(self) -> None:
        """One skill, one stack, joined."""
        (skill_id,) = self.smapi.skills
        skill = self.smapi.skills[skill_id]
        (stack,) = self.stacks()
        assert stack["StackName"] == STACK
        function = self.client("lambda").get_function_configuration(FunctionName=STACK)
        parameters = {
            one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]
        }
        assert parameters["SkillId"] == skill_id
        assert parameters["BaseUrl"] == URL
        api = skill.manifest["apis"]["smartHome"]
        assert api["endpoint"]["uri"] == function["FunctionArn"]
        assert skill.account_linking is not None
        assert skill.enabled


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Everything empty, and logged in."""
    (tmp_path / "home/.ask").mkdir(parents=True)
    (tmp_path / "home/.ask/cli_config").write_text(cli_config())
    port = free_port()
    log = tmp_path / "moto.log"
    aws = Process(
        "moto",
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        environ=inherited("HOME"),
        log=log,
    )
    try:
        aws.wait_until(lambda: _listens(port), 60)
        with Smapi() as smapi:
            # By this name moto knows its own buckets in an address.
            made = House(tmp_path, f"http://localhost:{port}", smapi)
            smapi.permitted = _Permitted(made)
            made.client("s3").create_bucket(
                Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
            sam.install()
            yield made
    finally:
        aws.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def lines_of_log(house: House, *directives: dict[str, Any]) -> None:
    """Write what the function would have logged."""
    logs = house.client("logs")
    group = f"/aws/lambda/{STACK}"
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=group)
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=group, logStreamName="one")
    logs.put_log_events(
        logGroupName=group,
        logStreamName="one",
        logEvents=[
            {"timestamp": int(time.time() * 1000), "message": json.dumps(one)}
            for one in directives
        ],
    )


REFUSED = {
    "level": "ERROR",
    "message": "Discover failed: Home Assistant refused the token. Link anew.",
    "directive": {
        "namespace": "Alexa.Discovery",
        "name": "Discover",
        "errorType": "INVALID_AUTHORIZATION_CREDENTIAL",
    },
}
FOUND = {
    "level": "INFO",
    "message": "Discover",
    "directive": {"namespace": "Alexa.Discovery", "name": "Discover", "status": 200},
}


@pytest.mark.parametrize("tool", ["fake", pytest.param("real", marks=pytest.mark.live)])
def test_from_nothing_to_alexa_and_back(house: House, tool: str) -> None:
    """Once; twice without a change; then Alexa comes; and all is taken away again."""
    if tool == "real":
        house.ask = shlex.join(ask_tool.install())
    status, said = house.all_of_it("--wait", "0")
    assert status == 0, said
    house.assert_set_up()
    assert "Enable to use" in said

    house.smapi.calls.clear()
    status, said = house.all_of_it("--wait", "0")
    assert status == 0, said
    assert "The function is as it should be." in said
    assert "The skill is as it should be." in said
    assert not set(house.smapi.calls) & {"create", "update", "link", "enable"}

    with house.start(*house.usual(), "--wait", "120") as child:
        assert child.stdout is not None
        heard = []
        for line in child.stdout:
            heard.append(line)
            if "Enable to use" in line:
                lines_of_log(house, REFUSED)
            if "it failed" in line:
                lines_of_log(house, FOUND)
    said = "".join(heard)
    assert child.returncode == 0, said
    assert "refused the token" in said
    assert "Alexa is linked" in said
    assert "Alexa found your devices" in said

    status, said = house.typed("--remove", "--yes", "--ask", house.ask)
    assert status == 0, said
    assert house.smapi.skills == {}
    assert house.stacks() == []
    assert not (house.folder / "skill-package").exists()
    assert "Left are" in said


def test_a_dry_run_changes_nothing(house: House) -> None:
    """And shows what would."""
    status, said = house.all_of_it("--dry-run")
    assert status == 0, said
    assert "stack ha-bridge in eu-west-1" in said
    assert house.smapi.calls == []
    assert house.stacks() == []


def test_nothing_is_done_without_a_yes(house: House) -> None:
    """Nobody is there to answer."""
    arguments = [one for one in house.usual() if one != "--yes"]
    status, said = house.typed(*arguments)
    assert status == 1
    assert "Nothing was changed." in said
    assert house.smapi.calls == []
    assert house.stacks() == []


@pytest.mark.parametrize(
    "operation", ["list", "create", "status", "update", "link", "enable"]
)
def test_killed_at_amazon_it_goes_on(house: House, operation: str) -> None:
    """Wherever the plug is pulled: one skill, one stack."""
    house.smapi.pause = operation
    with house.start(*house.usual(), "--wait", "0") as child:
        assert house.smapi.paused.wait(300)
        os.killpg(child.pid, signal.SIGKILL)
    house.smapi.pause = None
    house.smapi.resumed.set()
    status, said = house.all_of_it("--wait", "0")
    assert status == 0, said
    house.assert_set_up()


@pytest.mark.parametrize(
    "line", ["Making the package", "Deploying the stack", "4. All of it", "5. Yours"]
)
def test_killed_after_a_step_it_goes_on(house: House, line: str) -> None:
    """Before SAM, after it, and at the end."""
    with house.start(*house.usual(), "--wait", "60") as child:
        assert child.stdout is not None
        for said in child.stdout:
            if line in said:
                os.killpg(child.pid, signal.SIGKILL)
                break
    status, text = house.all_of_it("--wait", "0")
    assert status == 0, text
    house.assert_set_up()


def test_killed_in_the_middle_of_sam_it_goes_on(house: House) -> None:
    """AWS has the stack, or not yet; either way there is one in the end."""
    with house.start(*house.usual(), "--wait", "0") as child:
        give_up = time.monotonic() + 300
        while time.monotonic() < give_up and not _uploaded(house):
            time.sleep(0.05)
        os.killpg(child.pid, signal.SIGKILL)
    status, said = house.all_of_it("--wait", "0")
    assert status == 0, said
    house.assert_set_up()


def _uploaded(house: House) -> bool:
    return bool(house.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents"))


def test_what_is_missing_is_said(house: House) -> None:
    """Credentials, and answers: which option, what to type."""
    status, said = house.typed("--yes")
    assert (status, "--base-url" in said) == (2, True)
    status, said = house.typed("--yes", "--base-url", URL)
    assert (status, "--locale" in said) == (2, True)
    none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    status, said = house.all_of_it(AWS_EC2_METADATA_DISABLED="true", **none)
    assert status == 2
    assert "aws configure" in said


def test_a_failed_check_stops_it(house: House) -> None:
    """Before anything is done at AWS or Amazon."""
    arguments = [one for one in house.usual() if one != "--go-on"]
    status, said = house.typed(*arguments)
    assert status == 1
    assert "--go-on" in said
    assert house.stacks() == []
    assert house.smapi.calls == []
