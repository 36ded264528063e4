"""What is typed of a skill, right and wrong."""

import json
from pathlib import Path

import pytest

from tests.hostile import TEXTS
from tests.ops.conftest import Run
from tests.worlds.desk import ARNS, SKILL_ID, URL, document, is_one_line


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
            "not the ARN of a Lambda function",
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
        (["--base-url", URL, "--locale", "de-DE", "--skill-id", "x"], "must look like"),
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
    assert "create.json cannot be written: Is a directory" in done.stderr
    assert is_one_line(done.stderr)


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
