"""What the ASK CLI prints, and what of it reaches the user; it is text only."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from ha_bridge.redaction import Secret
from ha_bridge_ops.skill.ask_cli import (
    MAX_OUTPUT,
    AskCli,
    Refused,
    answered,
    refusal,
)
from tests.fakes.smapi import ACCESS_TOKEN
from tests.hostile import TEXTS, assert_harmless
from tests.ops.conftest import Run
from tests.worlds.desk import SKILL_ID, document


@pytest.mark.parametrize(
    ("stdout", "expected"),
    [
        ("Command executed successfully!\n", {}),
        ('{"skillId": "x"}\n', {"skillId": "x"}),
        ('Operation\nPayload:\n{"a": 1}\n\nResponse:\n{"body": {"b": 2}}\n', {"b": 2}),
        ('Response:\n{"body": "{\\"b\\": 2}", "statusCode": 200}\n', {"b": 2}),
        ('Response:\n{"body": "", "statusCode": 204}\n', {}),
        ("Response:\n" + '{"body": ' * 100_000, {}),
        ("Response:\n" + json.dumps({"body": '{"a": ' * 100_000}), {}),
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
        (
            "(node:7) [DEP0066] Warning\n/x.js:59\n  throw new Error(`No ${file}`);\n"
            "  ^\n\nError: No JSON file /h/.ask/cli_config.",
            "Error: No JSON file /h/.ask/cli_config. Log in with `ask configure`.",
        ),
        ("[Error]: " + '{"message": ' * 100_000, '{"message": {"mess'),
    ],
)
def test_a_failure_of_ask_itself_is_one_sentence(stderr: str, words: str) -> None:
    """Without the stack, and without what debug mode shows."""
    debug = f"\n---- Debug Mode ----\nerror: {{'Authorization': '{ACCESS_TOKEN}'}}"
    refused = refusal(stderr + debug)
    assert refused.words.startswith(words)
    assert ACCESS_TOKEN not in refused.words
    assert not refused.is_final


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
        {"skills": [], "nextToken": "\ud800"},
        {"skills": [], "nextToken": "a\0b"},
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


def test_the_last_status_counts() -> None:
    """The ASK CLI gets a token first, and that answer is in its debug output too."""
    first = 'status code: 200\nResponse body: {"message": "a token"}\n'
    last = 'status code: 403\nResponse body: {"message": "Not yours."}\n'
    refused = refusal(first + last)
    assert (refused.status, refused.words) == (403, "Not yours.")
    assert refused.is_final


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (f"#!/bin/sh\nhead -c {MAX_OUTPUT + 1} /dev/zero\n", "wrote over"),
        ("#!/bin/sh\nsleep 60\n", "gave no answer within 0.5 s"),
        ("#!/no/such/shell\n", "could not be started: No such file or directory"),
    ],
    ids=["too much", "too late", "no program"],
)
def test_an_ask_that_does_not_work_is_one_sentence(
    tmp_path: Path, script: str, words: str
) -> None:
    """It writes without end, hangs, or is no program; each is a refusal."""
    program = tmp_path / "ask"
    program.write_text(script)
    program.chmod(0o755)
    timeout_s = 0.5 if "sleep" in script else 60
    with pytest.raises(Refused) as raised:
        AskCli(str(program), timeout_s=timeout_s).build(SKILL_ID)
    assert words in raised.value.words
    assert not raised.value.is_final


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"skillMessagingCredentials": "x"},
        {"skillMessagingCredentials": {"clientId": "x"}},
        {"skillMessagingCredentials": {"clientId": "x", "clientSecret": "a b"}},
    ],
    ids=["none", "a text", "half of them", "with a space"],
)
def test_credentials_that_are_none_are_refused(tmp_path: Path, given: object) -> None:
    """Nothing goes into secrets.yaml that Home Assistant could not use."""
    with pytest.raises(Refused, match="no credentials for proactive mode"):
        AskCli(answering(tmp_path, given)).credentials(SKILL_ID)


@pytest.mark.parametrize("status", [0, 1])
def test_ask_repeats_nothing_that_it_was_given(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its environment, or to be sent to Amazon; whether it refuses or answers."""
    monkeypatch.setenv("ASK_REFRESH_TOKEN", "of-ask-51ab")
    body = {"message": "of-ask-51ab, sent-51ab"}
    said = CompletedProcess([], status, json.dumps(body), f"[Error]: {body}")
    ask = AskCli(sys.executable, run=lambda *_, **__: said)
    ask.hide(Secret("sent-51ab"))
    try:
        told = str(ask._run("any"))
    except Refused as error:
        told = str(error)
    assert "51ab" not in told
    assert told.count("<redacted>") == 2
