"""`ha-bridge skill --apply`: each step once, and again after each refusal."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from ha_bridge.redaction import Secret
from ha_bridge.settings import parse_address
from ha_bridge_ops.skill.apply import State, apply
from ha_bridge_ops.skill.ask_cli import AskCli, Refused
from ha_bridge_ops.skill.documents import Folder, Skill
from tests.fakes.smapi import (
    ACCESS_TOKEN,
    CLIENT_SECRET,
    REFRESH_TOKEN,
    Refusal,
    Smapi,
)
from tests.ops.conftest import Run
from tests.worlds.desk import (
    ARNS,
    FAKE,
    SKILL_ID,
    URL,
    Desk,
    client_secret,
    desk_at,
    document,
    is_one_line,
    real_ask,
)


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


@pytest.mark.parametrize("step", ["update", "link", "enable"])
def test_what_amazon_was_sent_is_not_in_its_words(quick_desk: Desk, step: str) -> None:
    """The secret of account linking, and what `ask` logs in with; in any escape."""
    quick_desk.apply()
    quick_desk.permit()
    secret = client_secret(quick_desk.folder)
    bearers = f"Bearer {ACCESS_TOKEN}, {REFRESH_TOKEN.replace('|', '%7C')}"
    message = f"clientSecret '{secret}', {secret.encode().hex()} is none. {bearers} no."
    quick_desk.smapi.refusals[step] = Refusal(400, {"message": message})
    done = quick_desk.apply("--arn", ARNS["EU"])
    said = " ".join((done.stdout + done.stderr).split())
    hidden = "clientSecret '?', ? is none. Bearer ?, ? no."
    assert hidden.replace("?", "<redacted>") in said


def test_long_words_cut_no_command_short(quick_desk: Desk) -> None:
    """Without its end, the last one would let every skill in."""
    quick_desk.apply()
    kinds = {
        kind: [{"message": f"trigger {kind} {one} {'y' * 290}"} for one in range(8)]
        for kind in ("violations", "errors")
    }
    quick_desk.smapi.refusals["update"] = Refusal(400, kinds)
    done = quick_desk.apply("--arn", ARNS["EU"])
    (skill_id,) = quick_desk.smapi.skills
    assert done.stderr.endswith(f" --event-source-token {skill_id}\n"), done.stderr


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
    assert f"--function-name {ARNS['EU']}" in refused.stderr
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
    assert "credentials" not in quick_desk.smapi.calls, "only for proactive mode"


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
    here: Run, tmp_path: Path, count: int
) -> None:
    """Others, and of other kinds, are no hindrance; the last page counts too."""
    with Smapi(page=2) as smapi:
        desk = desk_at(tmp_path, smapi, here, FAKE)
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
            "PYTHONPATH": str(Path(__file__).parents[3]),
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


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"default": 1}', '{"default": {"client_secret": "x; id"}}']
)
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


def test_a_manifest_that_is_not_built_in_time_is_told(
    quick_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says how long it has waited, and that one can try again."""
    for name, value in quick_desk.variables.items():
        monkeypatch.setenv(name, value)
    skill_id = quick_desk.smapi.add("Home Assistant").skill_id
    quick_desk.smapi.permitted.add(skill_id)
    folder = Folder(quick_desk.folder / "skill-package")
    folder.make()
    state = State(folder.state, None)
    state.skill_id = skill_id
    secret = Secret(state.client_secret)
    functions = {"EU": ARNS["EU"]}
    wanted = Skill("Home Assistant", parse_address(URL), ("de-DE",), functions, secret)
    folder.write(wanted)
    impatient = AskCli(FAKE, build_timeout_s=0)
    with pytest.raises(Refused, match="not done with the manifest after 0 s"):
        apply(wanted, folder, impatient, state)
    assert "link" not in quick_desk.smapi.calls
