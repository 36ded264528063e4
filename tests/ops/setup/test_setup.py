"""`ha-bridge setup` with the real SAM CLI, in a process that is killed by the kernel.

Twice: with a canned home and a rebuilt ASK CLI; and with a real Home Assistant, the
real ASK CLI, and the function in AWS's own runtime, whose lines are what Alexa leaves.
"""

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from ha_bridge.settings import VARIABLES
from ha_bridge_ops.events import EVENTS, load, with_token
from ha_bridge_ops.local import ask as ask_tool
from ha_bridge_ops.local import sam
from ha_bridge_ops.local.embedded import HomeAssistantServer
from ha_bridge_ops.local.lambda_runtime import LambdaRuntime
from tests.fakes.aws import client_of, moto_server
from tests.fakes.server import Behaviour, Server
from tests.fakes.smapi import Smapi, cli_config
from tests.fakes.tls import Authority, system_authorities
from tests.ops.setup.world import REGION, STACK, skill_of
from tests.worlds.desk import FAKE
from tests.worlds.home import HOST, TOKEN, URL, forward, home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[3]
WORLD = Path(__file__).with_name("world.py")
BUCKET = "packages"


@dataclass
class House:
    """A user's machine, AWS and Amazon."""

    folder: Path
    aws: str
    smapi: Smapi
    home: Server
    bundle: Path
    token: str
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
            "WORLD_HOME": str(self.home.port),
            "SSL_CERT_FILE": str(self.bundle),
            "LONG_LIVED_ACCESS_TOKEN": self.token,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin to set up."""
        return subprocess.Popen(
            [sys.executable, "-u", str(WORLD), *arguments],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def fine(self, *arguments: str) -> str:
        """Return what was said."""
        with self.start(*arguments) as child:
            said, _ = child.communicate(timeout=600)
        assert child.returncode == 0, said
        return said

    @property
    def usual(self) -> tuple[str, ...]:
        """What is typed; nothing of --go-on: all checks are fine."""
        return (
            *("--base-url", URL, "--locale", "de-DE", "--ask", self.ask),
            *("--bucket", BUCKET, "--yes"),
        )

    def killed_at(self, step: str) -> None:
        """Set up, and pull the plug at a line of the output."""
        with self.start(*self.usual, "--wait", "60") as child:
            assert child.stdout is not None
            said = []
            for line in child.stdout:
                said.append(line)
                if step in line:
                    os.killpg(child.pid, signal.SIGKILL)
                    return
        pytest.fail("".join(said))

    def killed_in_sam(self) -> None:
        """Set up, and pull the plug as soon as SAM has sent the package."""
        with self.start(*self.usual, "--wait", "60") as child:
            store = self.client("s3")
            while child.poll() is None:
                if store.list_objects_v2(Bucket=BUCKET).get("Contents"):
                    os.killpg(child.pid, signal.SIGKILL)
                    return
                time.sleep(0.05)
            assert child.stdout is not None
            pytest.fail(child.stdout.read())

    def client(self, service: str) -> Any:
        return client_of(self.aws, service, REGION)

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
        assert (stack["StackName"], skill_of(stack)) == (STACK, skill_id)
        function = self.client("lambda").get_function_configuration(FunctionName=STACK)
        api = skill.manifest["apis"]["smartHome"]
        assert api["endpoint"]["uri"] == function["FunctionArn"]
        assert skill.account_linking is not None
        assert skill.enabled

    def log(self, *lines: dict[str, Any]) -> None:
        """Put lines of the function into its log."""
        logs, group = self.client("logs"), f"/aws/lambda/{STACK}"
        there = logs.exceptions.ResourceAlreadyExistsException
        with contextlib.suppress(there):
            logs.create_log_group(logGroupName=group)
        with contextlib.suppress(there):
            logs.create_log_stream(logGroupName=group, logStreamName="one")
        events = [
            {"timestamp": int(time.time() * 1000), "message": json.dumps(one)}
            for one in lines
        ]
        logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)

    def until_alexa(self, refused: dict[str, Any], found: dict[str, Any]) -> str:
        """Return what is said if Alexa comes in vain, and then with success."""
        heard = []
        with self.start(*self.usual, "--wait", "120") as child:
            assert child.stdout is not None
            for line in child.stdout:
                heard.append(line)
                if "Enable to use" in line:
                    self.log(refused)
                if "it failed" in line:
                    self.log(found)
        said = "".join(heard)
        assert child.returncode == 0, said
        return said


class _Permitted(set[str]):
    """The skills that may call the function: those that a stack was told."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house

    def __contains__(self, skill_id: object) -> bool:
        return any(skill_of(stack) == skill_id for stack in self._house.stacks())


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of moto's AWS."""
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as address:
        yield address


@pytest.fixture
def make_house(
    moto: str, tmp_path: Path
) -> Iterator[Callable[[tuple[Behaviour, ...], str], House]]:
    """Makes a house before a home, with everything else empty, and logged in."""
    urllib3.request("POST", f"{moto}/moto-api/reset", timeout=60)
    (tmp_path / "home/.ask").mkdir(parents=True)
    (tmp_path / "home/.ask/cli_config").write_text(cli_config())
    authority = Authority(tmp_path)
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(f"{system_authorities()}\n{authority.bundle.read_text()}")
    with contextlib.ExitStack() as stack:

        def make(behaviours: tuple[Behaviour, ...], token: str) -> House:
            server = stack.enter_context(Server(behaviours, tls=authority.server(HOST)))
            smapi = stack.enter_context(Smapi())
            house = House(tmp_path, moto, smapi, server, bundle, token)
            smapi.permitted = _Permitted(house)
            house.client("s3").create_bucket(
                Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
            sam.install()
            return house

        yield make


MakeHouse = Callable[[tuple[Behaviour, ...], str], House]


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
    "directive": {"name": "Discover", "status": 200, "endpoints": 1},
}


def test_from_nothing_to_alexa_and_back(make_house: MakeHouse) -> None:
    """Ended in the middle of SAM; then Alexa comes; then nothing is left to do."""
    house = make_house(home(), TOKEN)
    house.killed_in_sam()
    said = house.until_alexa(REFUSED, FOUND)
    house.assert_set_up()
    assert "refused the token" in said
    assert "Alexa found one device." in said

    house.smapi.calls.clear()
    said = house.fine(*house.usual, "--wait", "0")
    assert "The function is as it should be." in said
    assert "The skill is as it should be." in said
    assert house.smapi.calls == []
    _take_away(house)


#: What is on the terminal when a step that changes something is over.
STEPS = (
    "Creating the skill",
    "ing the stack ha-bridge",
    "Naming the function to the skill",
    "Setting up account linking",
    "Switching the skill on",
    "4. Check everything",
)


@pytest.mark.live
@pytest.mark.runtime
@pytest.mark.one_release
@pytest.mark.usefixtures("runtime_or_skip")
def test_with_the_real_ones_killed_after_each_change(
    make_house: MakeHouse, home_assistant: HomeAssistantServer
) -> None:
    """One run after the other, each ended a change later; one skill and one stack.

    Alexa comes with a token that Home Assistant refuses, and then with a good one: it
    says how many devices she got.
    """
    token = home_assistant.access_token
    house = make_house(forward(home_assistant.port), token)
    house.ask = shlex.join(ask_tool.install())
    for step in STEPS:
        house.killed_at(step)
    discover = load(EVENTS / "discovery.json")
    with LambdaRuntime({"BASE_URL": home_assistant.url}) as function:
        function.invoke(with_token(discover, "no-token-of-its"))
        answer = function.invoke(with_token(discover, token))
        refused, found = (one for one in function.log_lines() if "directive" in one)
    count = len(answer["event"]["payload"]["endpoints"])
    assert count > 50
    said = house.until_alexa(refused, found)
    house.assert_set_up()
    assert "Alexa came with Discover, and it failed" in said
    assert f"Alexa found {count} devices." in said
    _take_away(house)


def _take_away(house: House) -> None:
    said = house.fine("--remove", "--yes", "--ask", house.ask)
    assert house.smapi.skills == {}
    assert house.stacks() == []
    assert not (house.folder / "skill-package").exists()
    assert "Left are" in said
