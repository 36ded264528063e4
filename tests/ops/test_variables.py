"""The file with settings: taken as it stands, and not for everybody's eyes."""

import os
import subprocess
from pathlib import Path

import pytest

from ha_bridge_ops.commands.demo import WRITE_ENV_FILE
from ha_bridge_ops.variables import TOKEN, read_variables

SECRET = "wJalrXUtnFEMI"


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("BASE_URL", "DEBUG", "LONG_LIVED_ACCESS_TOKEN", "NOT_VERIFY_SSL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    path = tmp_path / ".env"
    path.touch(0o600)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example/${LONG_LIVED_ACCESS_TOKEN}/${AWS_SECRET_ACCESS_KEY}",
        '"https://evil.example/${AWS_SECRET_ACCESS_KEY:-x}"',
        "https://evil.example/$AWS_SECRET_ACCESS_KEY",
    ],
)
def test_nothing_is_filled_in(env_file: Path, text: str) -> None:
    """A line that somebody was told to paste sends no secret away."""
    env_file.write_text(f"LONG_LIVED_ACCESS_TOKEN=eyJ\nBASE_URL={text}\n")
    found = read_variables(env_file)
    assert found["BASE_URL"] == text.strip('"')
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    ("mode", "text", "is_warned"),
    [
        (0o644, "LONG_LIVED_ACCESS_TOKEN=eyJ", True),
        (0o640, "LONG_LIVED_ACCESS_TOKEN=eyJ", True),
        (0o600, "LONG_LIVED_ACCESS_TOKEN=eyJ", False),
        (0o644, "BASE_URL=https://home.example.org", False),
        (0o644, "LONG_LIVED_ACCESS_TOKEN=ssm:/home/token", False),
    ],
)
def test_others_who_can_read_a_token_are_told_of(
    env_file: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    mode: int,
    text: str,
    is_warned: bool,
) -> None:
    """With the command that ends it; a reference is no secret."""
    env_file.write_text(text)
    env_file.chmod(mode)
    read_variables(env_file)
    shown = capsys.readouterr()
    assert ("chmod 600" in shown.err) is is_warned
    assert "eyJ" not in shown.err
    assert shown.out == ""


def test_quotes_comments_and_export_are_read_as_a_shell_does(env_file: Path) -> None:
    """As before."""
    env_file.write_text("# mine\nexport DEBUG='on'\nBASE_URL=\"https://x\" # here\n")
    assert read_variables(env_file) == {"BASE_URL": "https://x", "DEBUG": "on"}


@pytest.mark.skipif(os.name == "nt", reason="there is neither sh nor a mode")
@pytest.mark.parametrize("mask", [0o022, 0o077])
@pytest.mark.parametrize("before", [None, 0o644, 0o600])
def test_the_demo_tells_how_to_write_a_file_of_ones_own(
    mask: int, before: int | None, tmp_path: Path
) -> None:
    """Only its owner can read the token, whatever mask and file there were."""
    file = tmp_path / ".env"
    if before is not None:
        file.write_text("OLD=1")
        file.chmod(before)
    subprocess.run(
        ["/bin/sh", "-e"],
        cwd=tmp_path,
        input=WRITE_ENV_FILE.encode(),
        check=True,
        umask=mask,
    )
    assert file.stat().st_mode & 0o777 == 0o600
    lines = file.read_text("utf-8").splitlines()
    assert [line.partition("=")[0] for line in lines] == ["BASE_URL", TOKEN]
