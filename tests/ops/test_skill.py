"""`ha-bridge skill`: documents, commands, fields, and Amazon's own command at work."""

import json
import os
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from filelock import FileLock
from moto import mock_aws

from ha_bridge_ops.aws import stacks
from ha_bridge_ops.cli import cli
from ha_bridge_ops.commands.skill import skill as skill_command
from ha_bridge_ops.local import ask
from ha_bridge_ops.regions import LOCALES, REGIONS
from ha_bridge_ops.skill.apply import State
from ha_bridge_ops.skill.ask_cli import answered, refusal
from tests.fakes.smapi import (
    ACCESS_TOKEN,
    CLIENT_SECRET,
    REFRESH_TOKEN,
    Refusal,
    Smapi,
    cli_config,
)
from tests.hostile import TEXTS, assert_harmless
from tests.ops.conftest import Run

URL = "https://home.example.org"
ARNS = {
    region.key: f"arn:aws:lambda:{region.aws_region}:123456789012:function:ha-bridge"
    for region in REGIONS
}
SKILL_ID = "amzn1.ask.skill.12345678-1234-1234-1234-123456789012"


def document(folder: Path, name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "skill-package" / name).read_text())
    return read


def client_secret(folder: Path) -> str:
    """Return the secret that a run has made, and kept."""
    return (folder / "skill-package" / "client-secret.txt").read_text()


def is_one_line(text: str) -> bool:
    return text.count("\n") == 1 and "Traceback" not in text


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in this process, in an empty folder: much sooner than another's."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environ = {"BASE_URL": None, **variables}
        done = CliRunner().invoke(cli, arguments, env=environ, prog_name="ha-bridge")
        return subprocess.CompletedProcess(
            arguments, done.exit_code, done.stdout, done.stderr
        )

    return command


# -- The documents


@pytest.mark.parametrize("locale", LOCALES)
def test_the_documents_of_each_locale(here: Run, tmp_path: Path, locale: str) -> None:
    """Endpoint and client id of its region, and nothing of another's."""
    region = LOCALES[locale]
    done = here(
        "skill", "--base-url", URL, "--locale", locale, "--arn", ARNS[region.key]
    )
    assert done.returncode == 0, done.stderr
    manifest = document(tmp_path, "skill.json")["manifest"]
    endpoint = {"uri": ARNS[region.key]}
    assert manifest["apis"] == {
        "smartHome": {
            "protocolVersion": "3",
            "endpoint": endpoint,
            "regions": {region.key: {"endpoint": endpoint}},
        }
    }
    about = manifest["publishingInformation"]
    assert about["category"] == "SMART_HOME"
    assert list(about["locales"]) == [locale]
    assert manifest["permissions"] == []
    linking = document(tmp_path, "accountLinking.json")["accountLinkingRequest"]
    assert linking == {
        "type": "AUTH_CODE",
        "skipOnEnablement": "false",
        "authorizationUrl": f"{URL}/auth/authorize",
        "accessTokenUrl": f"{URL}/auth/token",
        "clientId": region.client_id,
        "clientSecret": client_secret(tmp_path),
        "accessTokenScheme": "REQUEST_BODY_CREDENTIALS",
        "scopes": ["smart_home"],
        "domains": [],
    }


# -- Account linking of a closed home


def linking_of(folder: Path) -> dict[str, Any]:
    linking: dict[str, Any] = document(folder, "accountLinking.json")
    return dict(linking["accountLinkingRequest"])


def test_the_client_secret_is_made_once_and_only_its_owner_reads_it(
    here: Run, tmp_path: Path
) -> None:
    """The token endpoint knows Amazon by it; no terminal and no JSON shows it."""
    words = ("skill", "--base-url", URL, "--locale", "de-DE")
    first = here(*words)
    secret = linking_of(tmp_path)["clientSecret"]
    assert len(secret) >= 40
    again = here(*words, "--proactive", "--json")
    assert linking_of(tmp_path)["clientSecret"] == client_secret(tmp_path) == secret
    assert secret not in first.stdout + first.stderr + again.stdout + again.stderr
    folder = tmp_path / "skill-package"
    for name in ("accountLinking.json", "client-secret.txt", "state.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    other = here(*words, "--folder", "other")
    assert other.returncode == 0
    assert (tmp_path / "other" / "client-secret.txt").read_text() != secret


def test_addresses_of_account_linking_may_differ(here: Run, tmp_path: Path) -> None:
    """A page in the LAN, a token endpoint in AWS."""
    page = "https://ha.lan.example.org/auth/authorize"
    api = "https://abc.execute-api.eu-west-1.amazonaws.com/auth/token"
    words = ("skill", "--base-url", f"{URL}:8443", "--locale", "de-DE")
    done = here(*words, "--authorize-url", page, "--token-url", api)
    assert done.returncode == 0, done.stderr
    assert linking_of(tmp_path)["authorizationUrl"] == page
    assert linking_of(tmp_path)["accessTokenUrl"] == api
    assert "port" not in done.stderr, "neither has another"
    assert "--authorize-url" in done.stdout, "the command to run again has them"


@pytest.mark.parametrize("option", ["--authorize-url", "--token-url"])
@pytest.mark.parametrize(
    "url",
    ["home.example.org/auth/token", "http://home.example.org/a", URL, f"{URL}/a?b=c"],
)
def test_an_address_that_amazon_cannot_take_is_refused(
    here: Run, option: str, url: str
) -> None:
    """In one line that names the option."""
    done = here("skill", "--base-url", URL, "--locale", "de-DE", option, url)
    assert done.returncode == 2
    assert option in done.stderr
    assert is_one_line(done.stderr)


def test_a_token_endpoint_is_deployed_with_its_secret(
    here: Run, tmp_path: Path
) -> None:
    """Which goes by way of a file: no command and no history has it."""
    words = ("skill", "--base-url", URL, "--locale", "de-DE", "--token-endpoint")
    done = here(*words, "--json")
    assert done.returncode == 0, done.stderr
    (line,) = (
        one["command"]
        for one in json.loads(done.stdout)["commands"]
        if "sam deploy" in one["command"]
    )
    assert "TokenEndpoint=true LinkClientSecret=ssm:/ha-bridge/" in line
    assert "--value file://skill-package/client-secret.txt" in line
    assert client_secret(tmp_path) not in done.stdout


def test_what_amazon_limits_is_within_the_limits(here: Run, tmp_path: Path) -> None:
    """https://developer.amazon.com/en-US/docs/alexa/smapi/skill-manifest.html."""
    here("skill", "--base-url", URL, "--locale", "en-US")
    manifest = document(tmp_path, "create.json")["manifest"]
    about = manifest["publishingInformation"]["locales"]["en-US"]
    assert 2 <= len(about["name"]) <= 50
    assert len(about["summary"]) <= 160
    assert len(about["description"]) <= 4000
    assert len(about["examplePhrases"]) <= 3
    assert all(len(phrase) <= 200 for phrase in about["examplePhrases"])
    assert manifest["privacyAndCompliance"]["isExportCompliant"] is True


def test_all_three_regions(here: Run, tmp_path: Path) -> None:
    """One skill may have a function in each; the locale's is the default."""
    arns = [part for arn in ARNS.values() for part in ("--arn", arn)]
    here("skill", "--base-url", URL, "--locale", "ja-JP", *arns)
    api = document(tmp_path, "skill.json")["manifest"]["apis"]["smartHome"]
    assert api["endpoint"] == {"uri": ARNS["FE"]}
    assert api["regions"] == {key: {"endpoint": {"uri": ARNS[key]}} for key in ARNS}


def test_the_first_manifest_names_no_function(here: Run, tmp_path: Path) -> None:
    """Amazon tries the function out, which does not know the skill yet."""
    arn = ARNS["EU"]
    here("skill", "--base-url", URL, "--locale", "de-DE", "--arn", arn, "--proactive")
    manifest = document(tmp_path, "create.json")["manifest"]
    assert manifest["apis"] == {"smartHome": {"protocolVersion": "3"}}
    assert "arn:" not in json.dumps(manifest)


def test_proactive_mode_asks_for_the_permission(here: Run, tmp_path: Path) -> None:
    """Without it Alexa sends no AcceptGrant, and Home Assistant may send no event."""
    here("skill", "--base-url", URL, "--locale", "de-DE", "--proactive")
    manifest = document(tmp_path, "skill.json")["manifest"]
    assert manifest["permissions"] == [{"name": "alexa::async_event:write"}]


def test_several_locales_of_a_region(here: Run, tmp_path: Path) -> None:
    """The languages of one household; the first is the default."""
    done = here(
        "skill", "--base-url", URL, "--locale", "en_gb", "--locale", "hi-IN", "--json"
    )
    about = document(tmp_path, "skill.json")["manifest"]["publishingInformation"]
    assert list(about["locales"]) == ["en-GB", "hi-IN"]
    assert json.loads(done.stdout)["region"] == "EU"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{URL}/", URL),
        (f" {URL}/api ", URL),
        (f"{URL}/ha/", f"{URL}/ha"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_a_base_url_is_read_as_the_function_reads_it(
    here: Run, tmp_path: Path, text: str, expected: str
) -> None:
    """The same forgiveness, and a path is kept."""
    here("skill", "--locale", "de-DE", BASE_URL=text)
    linking = document(tmp_path, "accountLinking.json")["accountLinkingRequest"]
    assert linking["authorizationUrl"] == f"{expected}/auth/authorize"


def test_the_base_url_may_be_in_a_file(here: Run, tmp_path: Path) -> None:
    """The environment goes before the file, and the option before both."""
    (tmp_path / ".env").write_text("BASE_URL=https://file.example\n")
    done = here("skill", "--locale", "de-DE", "--json")
    assert "https://file.example/auth/token" in done.stdout
    done = here("skill", "--locale", "de-DE", "--json", BASE_URL="https://env.example")
    assert "https://env.example/auth/token" in done.stdout
    done = here(
        "skill", "--locale", "de-DE", "--json", "--base-url", URL, BASE_URL="http://x"
    )
    assert f"{URL}/auth/token" in done.stdout


def test_another_port_is_warned_of(here: Run) -> None:
    """Amazon links over 443 only, but the function may use another."""
    done = here("skill", "--base-url", f"{URL}:8123", "--locale", "de-DE")
    assert done.returncode == 0
    assert "443" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--base-url", "http://x.example", "--locale", "de-DE"], "https://"),
        (["--base-url", "x", "--locale", "de-DE"], "must start with https://"),
        (["--locale", "de-DE"], "is not set"),
        (["--base-url", URL, "--locale", "ar-SA"], "ar-SA"),
        (
            ["--base-url", URL, "--locale", "de-DE", "--locale", "en-US"],
            "Europe and India and en-US to the Americas",
        ),
        (
            ["--base-url", URL, "--locale", "de-DE", "--arn", "arn:aws:iam::1:role/x"],
            "no ARN of a Lambda function",
        ),
        (
            ["--base-url", URL, "--locale", "de-DE", "--arn", ARNS["NA"]],
            "in eu-west-1, and none",
        ),
        (
            [
                *["--base-url", URL, "--locale", "de-DE", "--arn"],
                "arn:aws:lambda:eu-central-1:123456789012:function:x",
            ],
            "never calls functions in eu-central-1",
        ),
        (
            [
                *["--base-url", URL, "--locale", "de-DE"],
                *["--arn", ARNS["EU"], "--arn", f"{ARNS['EU']}-2"],
            ],
            "Two functions in eu-west-1",
        ),
        (["--base-url", URL, "--locale", "de-DE", "--name", "x"], "2 to 50"),
        (["--base-url", URL, "--locale", "de-DE", "--skill-id", "x"], "no skill id"),
        (
            ["--base-url", URL, "--locale", "de-DE", "--apply", "--ask", "no-such-ask"],
            "npm install -g ask-cli",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_exit_status_2(
    here: Run, tmp_path: Path, arguments: list[str], words: str
) -> None:
    """It says what is wrong, and writes nothing."""
    done = here("skill", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert is_one_line(done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(here: Run, tmp_path: Path) -> None:
    """Here a file stands in the way."""
    (tmp_path / "file").write_text("")
    done = here("skill", "--base-url", URL, "--locale", "de-DE", "--folder", "file/x")
    assert done.returncode == 2
    assert "file/x: Not a directory" in done.stderr
    assert is_one_line(done.stderr)


def test_a_document_that_cannot_be_written_is_named(here: Run, tmp_path: Path) -> None:
    """Here a folder has its name."""
    (tmp_path / "skill-package/create.json").mkdir(parents=True)
    done = here("skill", "--base-url", URL, "--locale", "de-DE")
    assert done.returncode == 2
    assert "create.json: Is a directory" in done.stderr
    assert is_one_line(done.stderr)


# -- The commands and fields that are printed


def test_the_commands_are_in_the_order_that_works(here: Run) -> None:
    """Permission before endpoint, linking after the manifest, enabling last."""
    done = here("skill", "--base-url", URL, "--locale", "fr-FR", "--json")
    lines = "\n".join(one["command"] for one in json.loads(done.stdout)["commands"])
    places = [
        lines.index(words)
        for words in (
            "create-skill-for-vendor --manifest file:skill-package/create.json",
            "sam deploy --config-env eu",
            "ha-bridge skill",
            "update-skill-manifest",
            "update-account-linking-info",
            "set-skill-enablement",
        )
    ]
    assert places == sorted(places)
    assert "ask smapi get-skill-credentials" not in lines


@pytest.mark.parametrize("region", REGIONS, ids=lambda one: one.key)
def test_every_field_of_the_consoles_has_its_value(here: Run, region: Any) -> None:
    """Whoever types gets what the files have."""
    locale = next(name for name, its in LOCALES.items() if its is region)
    arn = ARNS[region.key]
    done = here(
        "skill", "--base-url", URL, "--locale", locale, "--arn", arn, "--proactive"
    )
    for value in (
        region.aws_region,
        arn,
        region.client_id,
        f"{URL}/auth/authorize",
        f"{URL}/auth/token",
        "Credentials in request body",
        "smart_home",
        "Send Alexa Events",
        f"--config-env {region.samconfig_env}",
    ):
        assert value in done.stdout
    assert "\x1b" not in done.stdout


def test_a_command_can_be_pasted_as_it_is_printed(here: Run, tmp_path: Path) -> None:
    """Folded with backslashes, and a folder with a space is quoted."""
    done = here(
        *["skill", "--base-url", URL, "--locale", "de-DE", "--folder", "my skill"],
        COLUMNS="80",
    )
    _, _, rest = done.stdout.partition("# 1.")
    command = rest.split("\n", 1)[1].split("\n\n")[0]
    assert max(len(line) for line in command.splitlines()) <= 80
    words = subprocess.run(
        ["/bin/sh", "-c", f'ask() {{ printf "%s\\n" "$@"; }}; {command}'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert words[-1] == "file:my skill/create.json"
    assert (tmp_path / "my skill/create.json").is_file()


# -- ARNs from stacks

TEMPLATE = {
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {"FunctionArn": {"Value": "to be replaced"}},
}


def stack_in(aws_region: str, template: dict[str, Any]) -> None:
    boto3.client("cloudformation", aws_region).create_stack(
        StackName="ha-bridge", TemplateBody=json.dumps(template)
    )


def with_output(arn: str) -> dict[str, Any]:
    return {**TEMPLATE, "Outputs": {"FunctionArn": {"Value": arn}}}


@pytest.fixture
def in_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """The command within this process, where moto stands for AWS."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    common = ["--base-url", URL, "--stack", "ha-bridge"]
    with mock_aws():
        yield lambda *arguments: CliRunner().invoke(
            skill_command, [*common, *arguments]
        )


def test_the_arns_are_taken_from_the_stacks(
    in_process: Callable[..., Any], tmp_path: Path
) -> None:
    """Of each region that has one; the third has none here."""
    for key, region in zip(("NA", "EU"), REGIONS[:2], strict=True):
        stack_in(region.aws_region, with_output(ARNS[key]))
    done = in_process("--locale", "de-DE")
    assert done.exit_code == 0, done.output
    api = document(tmp_path, "skill.json")["manifest"]["apis"]["smartHome"]
    assert api["endpoint"]["uri"] == ARNS["EU"]
    assert list(api["regions"]) == ["NA", "EU"]


def test_the_template_puts_out_what_is_looked_for() -> None:
    """And has the parameters that the printed command sets."""
    template = (Path(__file__).parents[2] / "template.yaml").read_text()
    _, _, outputs = template.partition("\nOutputs:\n")
    assert f"\n  {stacks.OUTPUT}:\n" in f"\n{outputs}"
    for parameter in ("BaseUrl", "SkillId"):
        assert f"\n  {parameter}:\n" in template


def test_a_stack_elsewhere_is_of_no_use(in_process: Callable[..., Any]) -> None:
    """The region of the locale must have it; the way to it is named."""
    stack_in("us-east-1", with_output(ARNS["NA"]))
    done = in_process("--locale", "de-DE")
    assert done.exit_code == 2
    assert "no stack ha-bridge in eu-west-1" in done.output
    assert "--config-env eu" in done.output


def test_a_stack_of_something_else_is_told_apart(
    in_process: Callable[..., Any],
) -> None:
    """It has no such output."""
    stack_in("eu-west-1", {"Resources": TEMPLATE["Resources"]})
    done = in_process("--locale", "de-DE")
    assert done.exit_code == 2
    assert "no output FunctionArn" in done.output


def test_without_credentials_aws_is_not_asked_in_vain(run: Run, tmp_path: Path) -> None:
    """In its own words, in one line."""
    done = run(
        *["skill", "--base-url", URL, "--locale", "de-DE", "--stack", "ha-bridge"],
        HOME=str(tmp_path),
        AWS_ACCESS_KEY_ID="",
        AWS_SECRET_ACCESS_KEY="",
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=str(tmp_path / "none"),
        AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "none"),
    )
    assert done.returncode == 2
    assert "eu-west-1: Unable to locate credentials" in done.stderr
    assert is_one_line(done.stderr)


# -- With the ASK CLI


def real_ask() -> str:
    """Return Amazon's own command, installed once into the project's tools."""
    return shlex.join(ask.install())


#: The stand-in for it.
FAKE = shlex.join([sys.executable, str(Path(__file__).parents[1] / "fakes/ask.py")])


@dataclass
class Desk:
    """A developer's machine, with the ASK CLI logged in, and Amazon on loopback."""

    smapi: Smapi
    run: Run
    folder: Path
    ask: str
    is_real: bool
    variables: dict[str, str] = field(default_factory=dict)

    def apply(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        common = ["--base-url", URL, "--locale", "de-DE", "--apply", "--ask", self.ask]
        return self.run("skill", *common, *arguments, **self.variables)

    def permit(self) -> str:
        """Let the only skill call the function, as the deployment does."""
        (skill_id,) = self.smapi.skills
        self.smapi.permitted.add(skill_id)
        return skill_id

    def asked(self) -> list[list[str]]:
        """Return the arguments of each call of the fake."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    @property
    def log(self) -> Path:
        return self.folder / "ask.log"


@pytest.fixture
def smapi() -> Iterator[Smapi]:
    with Smapi() as server:
        yield server


def desk_at(folder: Path, smapi: Smapi, run: Run, ask: str) -> Desk:
    home = folder / "home"
    (home / ".ask").mkdir(parents=True)
    (home / ".ask/cli_config").write_text(cli_config())
    variables = {
        "HOME": str(home),
        "ASK_SMAPI_SERVER_BASE_URL": smapi.url,
        "ASK_LWA_TOKEN_HOST": smapi.url,
        "ASK_FAKE_LOG": str(folder / "ask.log"),
    }
    return Desk(smapi, run, folder, ask, ask != FAKE, variables)


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.live)])
def desk(
    request: pytest.FixtureRequest, smapi: Smapi, run: Run, tmp_path: Path
) -> Desk:
    """Each test twice: with a stand-in that records, and with Amazon's own ASK CLI."""
    ask = real_ask() if request.param == "real" else FAKE
    return desk_at(tmp_path, smapi, run, ask)


@pytest.fixture
def quick_desk(smapi: Smapi, run: Run, tmp_path: Path) -> Desk:
    """The stand-in only, for what does not depend on Amazon's command."""
    return desk_at(tmp_path, smapi, run, FAKE)


def test_from_nothing_to_a_skill_that_works(desk: Desk) -> None:
    """Create, permit, name the function, link, enable: each once and in this order."""
    first = desk.apply()
    assert first.returncode == 0, first.stderr
    skill_id = desk.permit()
    assert f"SkillId={skill_id}" in first.stdout
    assert "sam deploy --config-env eu" in first.stdout
    second = desk.apply("--arn", ARNS["EU"], "--proactive")
    assert second.returncode == 0, second.stderr
    (skill,) = desk.smapi.skills.values()
    assert skill.enabled
    assert skill.manifest == document(desk.folder, "skill.json")["manifest"]
    assert skill.manifest["apis"]["smartHome"]["endpoint"]["uri"] == ARNS["EU"]
    assert (
        skill.account_linking
        == document(desk.folder, "accountLinking.json")["accountLinkingRequest"]
    )
    changes = [one for one in desk.smapi.calls if one not in {"token", "status"}]
    assert changes == ["list", "create", "update", "link", "enable", "credentials"]
    assert "Your Skills" in second.stdout


def test_no_secret_is_an_argument_or_in_an_open_file(desk: Desk) -> None:
    """Nor on the screen: the one secret goes into a file of the user's own."""
    first = desk.apply()
    desk.permit()
    second = desk.apply("--arn", ARNS["EU"], "--proactive")
    secrets = desk.folder / "skill-package/secrets.yaml"
    assert CLIENT_SECRET in secrets.read_text()
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    said = first.stdout + first.stderr + second.stdout + second.stderr
    if not desk.is_real:
        said += desk.log.read_text()
    for path in (desk.folder / "skill-package").glob("*.json"):
        said += path.read_text()
    for secret in (CLIENT_SECRET, ACCESS_TOKEN, REFRESH_TOKEN):
        assert secret not in said


STEPS = {
    "list": [],
    "create": [],
    "status": [],
    "update": ["--arn", ARNS["EU"]],
    "link": ["--arn", ARNS["EU"]],
    "credentials": ["--arn", ARNS["EU"]],
}


@pytest.mark.parametrize("step", STEPS)
def test_refused_anywhere_it_stops_and_can_be_run_again(
    quick_desk: Desk, step: str
) -> None:
    """With Amazon's words; and there is never a second skill."""
    refuse_and_run_again(quick_desk, step)


def test_that_the_skill_is_not_switched_on_is_no_failure(quick_desk: Desk) -> None:
    """It is a comfort: what to click is said, and the credentials still come."""
    quick_desk.apply("--proactive")
    quick_desk.permit()
    quick_desk.smapi.refusals["enable"] = Refusal(
        403, {"message": "Not for this kind."}
    )
    done = quick_desk.apply("--arn", ARNS["EU"], "--proactive")
    assert done.returncode == 0, done.stderr
    assert "Not for this kind." in done.stdout
    assert "Skill testing is enabled in" in " ".join(done.stdout.split())
    assert quick_desk.smapi.calls[-1] == "credentials"


@pytest.mark.live
@pytest.mark.parametrize("step", ["create", "link"])
def test_refusals_come_through_the_real_ask(
    smapi: Smapi, run: Run, tmp_path: Path, step: str
) -> None:
    """Its own error has no word of Amazon's."""
    refuse_and_run_again(desk_at(tmp_path, smapi, run, real_ask()), step)


def refuse_and_run_again(desk: Desk, step: str) -> None:
    if STEPS[step]:
        desk.apply("--proactive")
        desk.permit()
    body = {
        "message": "Request is not valid.",
        "violations": [{"code": "X1", "message": "Instance at property is not nice."}],
    }
    desk.smapi.refusals[step] = Refusal(400, body)
    refused = desk.apply(*STEPS[step], "--proactive")
    assert refused.returncode == 1, refused.stderr
    assert "Request is not valid. Instance at property is not nice." in refused.stderr
    assert "Traceback" not in refused.stderr
    assert ACCESS_TOKEN not in refused.stderr
    assert desk.smapi.calls[-1] == step, "nothing is done after it"
    again = desk.apply("--proactive")
    assert again.returncode == 0, again.stderr
    desk.permit()
    last = desk.apply("--arn", ARNS["EU"], "--proactive")
    assert last.returncode == 0, last.stderr
    (skill,) = desk.smapi.skills.values()
    assert skill.enabled


def test_a_creation_whose_answer_is_lost_is_found_again(desk: Desk) -> None:
    """Amazon has made the skill; the next run finds it by its name."""
    desk.smapi.lost.add("create")
    lost = desk.apply()
    assert lost.returncode == 1
    assert len(desk.smapi.skills) == 1
    found = desk.apply()
    assert found.returncode == 0, found.stderr
    assert desk.permit() in found.stdout


def test_amazon_tells_what_a_build_lacks(desk: Desk) -> None:
    """The commonest: the function does not let the skill call it."""
    desk.apply()
    refused = desk.apply("--arn", ARNS["EU"])
    assert refused.returncode == 1
    assert '"Alexa Smart Home" is selected' in refused.stderr
    assert "SkillId=amzn1.ask.skill." in refused.stderr
    assert "alexa-connectedhome.amazon.com" in refused.stderr
    desk.permit()
    assert desk.apply("--arn", ARNS["EU"]).returncode == 0


def test_not_logged_in_is_said_by_ask_itself(desk: Desk) -> None:
    """Its words without its stack trace; no skill is made."""
    (desk.folder / "home/.ask/cli_config").unlink()
    done = desk.apply()
    assert done.returncode == 1
    assert "cli_config not exists" in done.stderr
    assert "ask configure" in done.stderr
    assert " at " not in done.stderr


def test_a_skill_of_that_name_is_never_taken_over(quick_desk: Desk) -> None:
    """It may be the one that works today; the user says what is meant."""
    theirs = quick_desk.smapi.add("Home Assistant").skill_id
    refused = quick_desk.apply()
    assert refused.returncode == 2
    assert theirs in refused.stderr
    assert "--skill-id" in refused.stderr
    assert len(quick_desk.smapi.skills) == 1
    assert quick_desk.apply("--name", "Another").returncode == 0
    assert len(quick_desk.smapi.skills) == 2


def test_a_skill_that_exists_may_be_named(quick_desk: Desk) -> None:
    """Made by hand in the console, say; it is remembered from then on."""
    theirs = quick_desk.smapi.add("Home Assistant").skill_id
    first = quick_desk.apply("--skill-id", theirs)
    assert first.returncode == 0, first.stderr
    quick_desk.permit()
    assert quick_desk.apply("--arn", ARNS["EU"]).returncode == 0
    assert "create" not in quick_desk.smapi.calls
    assert quick_desk.smapi.skills[theirs].enabled


def test_what_has_a_function_does_not_lose_it(quick_desk: Desk) -> None:
    """A run without --arn changes nothing of a skill that is there."""
    quick_desk.apply()
    skill_id = quick_desk.permit()
    quick_desk.apply("--arn", ARNS["EU"])
    assert quick_desk.apply().returncode == 0
    skill = quick_desk.smapi.skills[skill_id]
    assert "endpoint" in skill.manifest["apis"]["smartHome"]
    assert skill.account_linking is not None


@pytest.mark.parametrize("count", [2, 5])
def test_a_long_list_of_skills_is_read_to_its_end(
    run: Run, tmp_path: Path, count: int
) -> None:
    """Others, and of other kinds, are no hindrance; the last page counts too."""
    with Smapi(page=2) as smapi:
        desk = desk_at(tmp_path, smapi, run, FAKE)
        for number in range(count):
            smapi.add(f"Skill {number}")
        smapi.add("Home Assistant", api="custom")
        theirs = smapi.add("Home Assistant", "en-GB").skill_id
        refused = desk.apply()
    assert refused.returncode == 2
    assert theirs in refused.stderr


def test_a_skill_deleted_at_amazon_is_told(quick_desk: Desk) -> None:
    """The remembered id leads nowhere: the file to delete is named."""
    quick_desk.apply()
    quick_desk.smapi.skills.clear()
    refused = quick_desk.apply("--arn", ARNS["EU"])
    assert refused.returncode == 1
    assert "state.json" in refused.stderr
    (quick_desk.folder / "skill-package/state.json").unlink()
    assert quick_desk.apply().returncode == 0


def test_stopped_while_it_creates_it_makes_no_second_one(quick_desk: Desk) -> None:
    """The intention is written down before Amazon is asked."""
    quick_desk.smapi.pause = "create"
    child = subprocess.Popen(
        [
            *[sys.executable, "-m", "ha_bridge_ops", "skill", "--base-url", URL],
            *["--locale", "de-DE", "--apply", "--ask", FAKE],
        ],
        cwd=quick_desk.folder,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            **quick_desk.variables,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert quick_desk.smapi.paused.wait(60)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait(60)
    quick_desk.smapi.resumed.set()
    again = quick_desk.apply()
    assert again.returncode == 0, again.stderr
    assert len(quick_desk.smapi.skills) == 1
    assert quick_desk.permit() in again.stdout


def test_two_at_once_make_one_skill(quick_desk: Desk) -> None:
    """The second says that it is the second."""
    folder = quick_desk.folder / "skill-package"
    folder.mkdir()
    with FileLock(folder / ".lock"):
        done = quick_desk.apply()
    assert done.returncode == 2
    assert "Another" in done.stderr
    assert quick_desk.smapi.calls == []


@pytest.mark.parametrize("text", ["{", "[]", '{"default": 1}'])
def test_a_broken_memory_is_no_reason_for_a_second_skill(
    quick_desk: Desk, text: str
) -> None:
    """It says what to do."""
    folder = quick_desk.folder / "skill-package"
    folder.mkdir()
    (folder / "state.json").write_text(text)
    done = quick_desk.apply()
    assert done.returncode == 2
    assert "state.json" in done.stderr
    assert is_one_line(done.stderr)
    assert quick_desk.smapi.calls == []


def test_each_profile_has_a_skill_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are different accounts at Amazon."""
    path = tmp_path / "state.json"
    State(path, None).skill_id = SKILL_ID
    State(path, "work").creating = "x"
    assert State(path, "default").skill_id == SKILL_ID
    assert State(path, "work").skill_id is None
    monkeypatch.setenv("ASK_DEFAULT_PROFILE", "work")
    assert State(path, None).creating == "x"


def test_the_json_says_how_far_it_got(quick_desk: Desk) -> None:
    """For scripts; the progress stays on stderr."""
    shown = json.loads(quick_desk.apply("--json").stdout)
    assert shown["done"] == ["Looking for the skill", "Creating the skill"]
    assert "sam deploy" in shown["next"]
    quick_desk.permit()
    shown = json.loads(quick_desk.apply("--json", "--arn", ARNS["EU"]).stdout)
    assert shown["next"] is None


# -- What `ask` prints


@pytest.mark.parametrize(
    ("stdout", "expected"),
    [
        ("Command executed successfully!\n", {}),
        ('{"skillId": "x"}\n', {"skillId": "x"}),
        ('Operation\nPayload:\n{"a": 1}\n\nResponse:\n{"body": {"b": 2}}\n', {"b": 2}),
        ('Response:\n{"body": "{\\"b\\": 2}", "statusCode": 200}\n', {"b": 2}),
        ('Response:\n{"body": "", "statusCode": 204}\n', {}),
    ],
)
def test_answers_are_found_in_what_ask_prints(
    stdout: str, expected: dict[str, Any]
) -> None:
    """With and without debug mode."""
    assert answered(stdout) == expected


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        ("", "`ask` ended without a word."),
        (
            "/x/XPathLexer.ts:18\nTypeError: Class extends\n at y",
            "TypeError: Class ext",
        ),
        ("[Error]: Can't resolve profile [x].", "Can't resolve profile [x]."),
        ('[Error]: {"errorMessage": "No way"}', "No way"),
    ],
)
def test_a_failure_of_ask_itself_is_one_sentence(stderr: str, words: str) -> None:
    """Without the stack, and without what debug mode shows."""
    debug = f"\n---- Debug Mode ----\nerror: {{'Authorization': '{ACCESS_TOKEN}'}}"
    refused = refusal(stderr + debug)
    assert refused.words.startswith(words)
    assert ACCESS_TOKEN not in refused.words
    assert not refused.is_final


# -- What Amazon and the folder say is no more than text


@pytest.mark.parametrize("skill_id", [*TEXTS[:-1], f"{SKILL_ID}; id", f"{SKILL_ID}\n"])
def test_a_skill_id_that_is_none_is_never_printed_to_be_pasted(
    here: Run, tmp_path: Path, skill_id: str
) -> None:
    """Whoever wrote it into the state."""
    (tmp_path / "skill-package").mkdir()
    state = {"default": {"skill_id": skill_id}}
    (tmp_path / "skill-package" / "state.json").write_text(json.dumps(state))
    done = here("skill", "--locale", "en-GB", "--base-url", "https://home.example.org")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "state.json cannot be read" in done.stderr


def test_what_is_written_does_not_leave_the_folder(here: Run, tmp_path: Path) -> None:
    """A link that lies there is replaced, not followed."""
    mine = tmp_path / "mine"
    mine.write_text("untouched")
    folder = tmp_path / "skill-package"
    folder.mkdir()
    (folder / "create.json").symlink_to(mine)
    done = here("skill", "--locale", "en-GB", "--base-url", "https://home.example.org")
    assert done.returncode == 0, done.stderr
    assert mine.read_text() == "untouched"
    assert document(tmp_path, "create.json")


def answering(folder: Path, answer: object, status: int = 0) -> str:
    """Return a command that answers whatever it is asked."""
    script = folder / "ask"
    (folder / "answer").write_text(json.dumps(answer))
    stream = ">&2" if status else ""
    script.write_text(f"#!/bin/sh\ncat '{folder}/answer' {stream}\nexit {status}\n")
    script.chmod(0o755)
    return str(script)


@pytest.mark.parametrize(
    "answer",
    [
        {"skills": [], "nextToken": "again"},
        {"skills": "many"},
        {"skills": [1, None, {"apis": "smartHome"}, {"apis": 3, "nameByLocale": []}]},
        {"skills": [], "skillId": "amzn1.ask.skill.x; touch pwned"},
        {"skillId": ["x"]},
        {},
        *({"skills": [], "skillId": text} for text in TEXTS),
    ],
    ids=lambda answer: str(answer)[:40],
)
def test_odd_answers_are_refusals(here: Run, tmp_path: Path, answer: object) -> None:
    """Soon, in words, and with nothing in them that a terminal obeys."""
    arguments = ("skill", "--locale", "en-GB", "--apply", "--ask")
    url = ("--base-url", "https://home.example.org")
    done = here(*arguments, answering(tmp_path, answer), *url)
    assert done.returncode in (1, 2), done.stdout
    assert "Error: " in done.stderr
    assert_harmless(done.stdout + done.stderr)
    assert len(done.stderr) < 5000


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    "shaped",
    [
        lambda text: text,
        lambda text: {"message": text},
        lambda text: {"message": {"a": text}},
        lambda text: {"violations": [{"message": text}, 3, {"code": text}]},
        lambda text: {"errors": {"a": text}, "message": [text]},
    ],
)
def test_amazons_words_are_text(text: str, shaped: Callable[[str], object]) -> None:
    """Of any shape and length."""
    shown = json.dumps(shaped(text))
    stderr = f"status code: 400\nResponse body: {shown}\n"
    for error in (refusal(stderr), refusal(text), refusal(f"[Error]: {shown}")):
        assert_harmless(error.format_message())
        assert "\n" not in error.words
        assert len(error.words) < 3000


def test_ask_gets_no_secret_of_the_home(
    here: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor AWS's: only what it needs to run."""
    script = tmp_path / "ask"
    script.write_text(f"#!/bin/sh\nenv > '{tmp_path}/seen'\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setenv("LONG_LIVED_ACCESS_TOKEN", "token-of-this-test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key-of-this-test")
    url = ("--base-url", "https://home.example.org")
    here("skill", "--locale", "en-GB", "--apply", "--ask", str(script), *url)
    seen = (tmp_path / "seen").read_text()
    assert "of-this-test" not in seen
    assert "HOME=" in seen
