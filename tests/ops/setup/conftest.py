"""Setup in this process: a canned home, moto without the SAM CLI, a rebuilt ASK CLI."""

import io
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from ha_bridge.settings import VARIABLES
from ha_bridge_ops.aws.version import sha256
from ha_bridge_ops.commands.setup import setup
from ha_bridge_ops.local import build, one_file
from ha_bridge_ops.local.published import Known
from ha_bridge_ops.setup.deployment import Package
from ha_bridge_ops.setup.desk import Outside
from ha_bridge_ops.skill.ask_cli import AskCli
from tests.fakes import ask as fake_ask
from tests.fakes.server import Server
from tests.fakes.smapi import Smapi, cli_config
from tests.fakes.tls import Authority
from tests.ops.setup.world import (
    REGION,
    STACK,
    Aws,
    Permitted,
    context_of,
    nobody,
    real_client,
    skill_of,
    stacks,
)
from tests.worlds.home import HOST, TOKEN, URL, home

USUAL = (
    *("--base-url", URL, "--locale", "de-DE", "--yes", "--wait", "0"),
    *("--ask", sys.executable),
)
REMOVING = ("--remove", "--yes", "--ask", sys.executable)
BUCKET, KEY = "packages", "ha-bridge.zip"


#: Calls that change something.
CHANGING = {
    *("sam deploy", "cloudformation.delete_stack", "ask create-skill-for-vendor"),
    *("ask update-skill-manifest", "ask update-account-linking-info"),
    *("ask set-skill-enablement", "ask delete-skill"),
}


class Killed(BaseException):
    """As if the plug was pulled: nothing of ours catches it."""


@cache
def code() -> bytes:
    """Return what ships, without urllib3: moto does not run it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in build.ENTRIES:
            archive.write(build.SOURCES / name, name)
    return target.getvalue()


class SmallPackage(Package):
    """Nothing is installed into it."""

    @property
    def template(self) -> str:
        lines = f"      Code:\n        S3Bucket: {BUCKET}\n        S3Key: {KEY}\n"
        return one_file.plain_template(lambda _entry: lines)

    def make(self) -> None:
        (self.folder / "ha-bridge.zip").write_bytes(code())


@dataclass
class World:
    """A user's machine, AWS and Amazon; `told` hears of every call."""

    folder: Path
    smapi: Smapi
    aws: Aws
    calls: list[str] = field(default_factory=list)
    profiles: list[str | None] = field(default_factory=list)
    """Those that functions were deployed with."""

    def typed(
        self, *arguments: str, kill: int | None = None, answers: str = ""
    ) -> Result | None:
        """Run the command; None if it was killed, after so many calls."""
        self.calls.clear()

        def told(call: str) -> None:
            self.calls.append(call)
            if len(self.calls) == kill:
                raise Killed

        self.aws.told = told
        known = Known("1.0.0", True, frozenset({sha256(code())}), {}, {}, "")  # noqa: FBT003
        outside = Outside(
            clients=self.aws.clients,
            context=context_of(self.aws.home, known_code=lambda: known),
            ask=self._ask,
            package=SmallPackage,
            deploy=self._deploy,
        )
        try:
            return CliRunner().invoke(setup, arguments, obj=outside, input=answers)
        except Killed:
            return None
        finally:
            self.aws.told = nobody

    def fine(self, *arguments: str) -> str:
        done = self.typed(*arguments)
        assert done is not None
        assert done.exit_code == 0, done.output
        return done.output

    def _ask(self, command: Any, profile: str | None) -> AskCli:
        def run(command: Any, **more: Any) -> Any:
            done = fake_ask.here(command, **more)
            self.aws.heard(f"ask {command[command.index('smapi') + 1]}")
            return done

        return AskCli(command, profile, run=run)

    def _deploy(
        self,
        package: Package,
        *,
        stack: str,
        region: str,
        parameters: Mapping[str, str],
        **more: str | None,
    ) -> None:
        self.profiles.append(more["profile"])
        client = real_client("cloudformation", region)
        there = [one["StackName"] for one in stacks()]
        do = client.update_stack if stack in there else client.create_stack
        do(
            StackName=stack,
            TemplateBody=package.template,
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        self.aws.heard("sam deploy")

    def assert_set_up(self) -> None:
        """One skill, one stack, joined."""
        (skill_id,) = self.smapi.skills
        skill = self.smapi.skills[skill_id]
        (stack,) = stacks()
        assert (stack["StackName"], skill_of(stack)) == (STACK, skill_id)
        function = real_client("lambda", REGION).get_function_configuration(
            FunctionName=STACK
        )
        api = skill.manifest["apis"]["smartHome"]
        assert api["endpoint"]["uri"] == function["FunctionArn"]
        assert skill.account_linking is not None
        assert skill.enabled

    def assert_nothing_left(self) -> None:
        assert self.smapi.skills == {}
        assert stacks() == []
        assert not (self.folder / "skill-package").exists()


@pytest.fixture(scope="module")
def the_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A home that answers, and the authority that vouches for it."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with Server(home(), tls=authority.server(HOST)) as server:
        yield server, authority.bundle


@pytest.fixture
def world(
    the_home: tuple[Server, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Everything empty, and logged in."""
    server, bundle = the_home
    (tmp_path / "home/.ask").mkdir(parents=True)
    (tmp_path / "home/.ask/cli_config").write_text(cli_config())
    for name in ("AWS_PROFILE", *VARIABLES):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "HOME": str(tmp_path / "home"),
        "SSL_CERT_FILE": str(bundle),
        "LONG_LIVED_ACCESS_TOKEN": TOKEN,
        "ASK_FAKE_LOG": str(tmp_path / "ask.log"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with mock_aws(config={"lambda": {"use_docker": False}}), Smapi() as smapi:
        monkeypatch.setenv("ASK_SMAPI_SERVER_BASE_URL", smapi.url)
        smapi.permitted = Permitted()
        store = real_client("s3", REGION)
        store.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        store.put_object(Bucket=BUCKET, Key=KEY, Body=code())
        yield World(tmp_path, smapi, Aws(server.port))
