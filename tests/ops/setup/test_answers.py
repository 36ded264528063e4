"""What setup says and shows, what it asks for, and what it refuses."""

import json
from pathlib import Path

import pytest

from ha_bridge_ops.setup import deployment, steps
from tests.fakes.smapi import Refusal
from tests.ops.setup.conftest import CHANGING, REMOVING, USUAL, World
from tests.ops.setup.world import REGION, STACK, real_client
from tests.worlds.home import URL

OTHER_SKILL = "amzn1.ask.skill.11111111-1111-1111-1111-111111111111"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--locale", "en-US"), "us-east-1"),
        (("--stack", "other"), "leave --stack out"),
        (
            (
                "--skill-id",
                OTHER_SKILL,
            ),
            "another skill",
        ),
    ],
    ids=["region", "stack", "skill"],
)
def test_other_answers_make_no_second_one(
    world: World, options: tuple[str, str], said: str
) -> None:
    """It says where the first one is, and how to have two."""
    world.fine(*USUAL)
    done = world.typed(*USUAL, *options)
    assert done is not None
    assert done.exit_code == 2
    assert said in done.output
    assert not CHANGING & set(world.calls)


def test_a_skill_that_is_there_is_gone_on_with(world: World) -> None:
    """By its id; without it, it is named and left alone."""
    theirs = world.smapi.add("Home Assistant", "de-DE").skill_id
    done = world.typed(*USUAL)
    assert done is not None
    assert (done.exit_code, theirs in done.output) == (2, True)
    assert not CHANGING & set(world.calls)
    world.fine(*USUAL, "--skill-id", theirs)
    world.assert_set_up()


def test_that_the_skill_is_not_switched_on_is_told(world: World) -> None:
    """It is a click by hand, and no reason to stop."""
    no = Refusal(403, {"message": "Not for \x1b[2Jthis kind."})
    world.smapi.refusals["enable"] = no
    output = world.fine(*USUAL)
    said = " ".join(output.split())
    assert "did not switch the skill on for your own account: " in said
    assert "Skill testing is enabled in" in said
    assert "\x1b[2J" not in output
    (skill,) = world.smapi.skills.values()
    assert skill.account_linking is not None


@pytest.mark.parametrize("stack", ["x; touch pwned", "\x1b[2J", "-x", "x" * 5000])
def test_a_stack_that_is_none_is_not_gone_on_with(world: World, stack: str) -> None:
    """Whoever has edited what it remembers: the name stands in commands."""
    folder = world.folder / "skill-package"
    folder.mkdir()
    remembered = {"setup": {"stack": stack, "locale": "de-DE"}}
    (folder / "setup.json").write_text(json.dumps(remembered))
    for options in (USUAL, REMOVING):
        done = world.typed(*options)
        assert done is not None
        assert done.exit_code == 2
        assert "setup.json cannot be read" in " ".join(done.output.split())
        assert stack not in done.output
    assert not CHANGING & set(world.calls)


def test_a_function_that_somebody_deletes_meanwhile_is_missed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than waited for."""
    monkeypatch.setattr(steps, "functions_in", lambda *_: [])
    done = world.typed(*USUAL, "--wait", "1")
    assert done is not None
    assert done.exit_code == 1
    assert "is gone again" in done.output


def test_the_profile_is_sams_too(world: World) -> None:
    """Otherwise the function would be made in another account than was looked at."""
    world.fine(*USUAL, "--profile", "home")
    assert world.profiles == ["home"]


@pytest.mark.parametrize("profile", ["home", None])
def test_sam_is_told_the_profile(
    profile: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If there is one."""
    told: list[str] = []
    monkeypatch.setattr(deployment, "_run", lambda _folder, *words: told.extend(words))
    deployment.deploy(
        deployment.Package(tmp_path),
        stack=STACK,
        region=REGION,
        parameters={},
        bucket=None,
        profile=profile,
    )
    assert ("--profile" in told) is (profile is not None)
    assert profile is None or told[told.index("--profile") + 1] == profile


def test_a_folder_that_cannot_be_is_refused(world: World) -> None:
    """As one whose name is longer than any."""
    done = world.typed(*USUAL, "--folder", "x" * 300)
    assert done is not None
    assert done.exit_code == 2
    assert "File name too long" in done.output


def test_a_dry_run_shows_each_value_and_writes_nothing(world: World) -> None:
    """Manifest, linking, parameters, resources and the trigger; no secret is made."""
    said = world.fine(*USUAL, "--dry-run")
    assert not CHANGING & set(world.calls)
    assert not (world.folder / "skill-package").exists()
    for part in (
        '"protocolVersion": "3"',
        '"uri": "the function\'s ARN"',
        f'"authorizationUrl": "{URL}/auth/authorize"',
        '"clientId": "https://layla.amazon.com/"',
        f"BaseUrl: {URL}",
        "MemorySize: 256",
        "AWS: create HaBridge, AWS::Lambda::Function",
        f"BASE_URL: {URL}",
        "Principal: alexa-connectedhome.amazon.com",
        "EventSourceToken: the skill's id",
        "sha256",
    ):
        assert part in said, part


@pytest.mark.parametrize("options", [USUAL, REMOVING])
def test_amazon_repeats_no_secret_of_an_earlier_run(
    world: World, options: tuple[str, ...]
) -> None:
    """Nor does the first thing that is asked in a later one."""
    world.fine(*USUAL)
    secret = (world.folder / "skill-package/client-secret.txt").read_text()
    refusal = Refusal(400, {"message": f"What is {secret}?"})
    world.smapi.refusals = {"list": refusal, "delete": refusal}
    done = world.typed(*options, "--name", "Another")
    assert done is not None
    assert "What is <redacted>?" in done.output
    assert secret not in done.output


def test_a_dry_run_shows_what_differs(world: World) -> None:
    """Of what is there: old and new, and nothing of what stays."""
    world.fine(*USUAL)
    other = URL.replace("home.", "new.")
    said = world.fine(*USUAL, "--base-url", other, "--go-on", "--dry-run")
    assert not CHANGING & set(world.calls)
    assert f"parameter BaseUrl: {URL} → {other}" in said
    assert f"BaseUrl: {URL} → {other}" in said
    assert f"-       BASE_URL: {URL}" in said
    assert f"+       BASE_URL: {other}" in said
    assert "create HaBridge" not in said
    assert "AlexaTrigger" not in said
    secret = (world.folder / "skill-package/client-secret.txt").read_text()
    assert secret not in said
    said = world.fine(*USUAL, "--dry-run")
    assert said.count("nothing: the s") == 2
    assert "AWS: " not in said


def test_another_release_of_the_template_is_deployed(world: World) -> None:
    """Though code and parameters are the same: what AWS has is compared."""
    world.fine(*USUAL)
    client = real_client("cloudformation", REGION)
    template = client.get_template(StackName=STACK)["TemplateBody"]
    client.update_stack(
        StackName=STACK,
        TemplateBody=str(template).replace("Timeout: 9", "Timeout: 3"),
        Parameters=[
            {"ParameterKey": name, "UsePreviousValue": True}
            for name in ("BaseUrl", "SkillId")
        ],
        Capabilities=["CAPABILITY_IAM"],
    )
    said = world.fine(*USUAL)
    assert "change HaBridge" in said
    assert "sam deploy" in world.calls


def without(*names: str) -> tuple[str, ...]:
    """Return what is usually typed, without some options and their values."""
    words, found = iter(USUAL), []
    for word in words:
        if word in names:
            if word != "--yes":
                next(words)
            continue
        found.append(word)
    return tuple(found)


def test_nothing_is_done_without_a_yes(world: World) -> None:
    """Nobody is there to answer."""
    done = world.typed(*without("--yes"))
    assert done is not None
    assert done.exit_code == 1
    assert "Nothing was changed." in done.output
    assert not CHANGING & set(world.calls)


@pytest.mark.parametrize("option", ["--base-url", "--locale"])
def test_an_answer_that_is_missing_is_asked_for(world: World, option: str) -> None:
    """With --yes nobody is asked, and the option is named."""
    done = world.typed(*without(option))
    assert done is not None
    assert (done.exit_code, option in done.output) == (2, True)


def test_a_wrong_answer_is_asked_for_again(world: World) -> None:
    """What was right need not be typed twice; then it shows, and asks whether to."""
    answers = f"home\n{URL}\nde\nde-DE\nn\n"
    options = without("--yes", "--base-url", "--locale")
    done = world.typed(*options, answers=answers)
    assert done is not None
    assert done.output.count("Address of Home Assistant") == 2
    assert done.output.count("Language of your Alexa") == 2
    assert "They are de-DE, en-AU" in " ".join(done.output.split())
    assert done.exit_code == 1
    assert "Nothing was changed." in done.output


def test_a_failed_check_stops_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is asked of AWS or Amazon."""
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    done = world.typed(*USUAL)
    assert done is not None
    assert done.exit_code == 1
    assert "tls.certificate failed" in " ".join(done.output.split())
    assert "--go-on" in done.output
    assert world.calls == []


@pytest.mark.parametrize("has_aws", [True, False], ids=["aws", "no aws"])
def test_without_a_login_at_aws_it_says_what_to_type(
    world: World, monkeypatch: pytest.MonkeyPatch, *, has_aws: bool
) -> None:
    """Where there is no AWS command line, nothing need be installed for it."""
    folder = world.folder / "bin"
    folder.mkdir()
    if has_aws:
        (folder / "aws").touch(0o755)
    monkeypatch.setenv("PATH", str(folder))
    world.aws.is_logged_in = False
    done = world.typed(*USUAL)
    assert done is not None
    assert done.exit_code == 2
    assert ("aws configure" in done.output) == has_aws
    assert (str(world.folder / "home/.aws/credentials") in done.output) != has_aws
