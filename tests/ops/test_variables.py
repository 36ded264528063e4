"""The file with settings: taken as it stands, and not for everybody's eyes."""

import contextlib
import os
import shlex
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from ha_bridge_ops import files
from ha_bridge_ops.commands.demo import WRITE_ENV_FILE
from ha_bridge_ops.errors import CommandError
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
        (0o604, "LONG_LIVED_ACCESS_TOKEN=eyJ", True),
        (0o600, "LONG_LIVED_ACCESS_TOKEN=eyJ", False),
        (0o644, "BASE_URL=https://home.example.org", False),
        (0o644, "LONG_LIVED_ACCESS_TOKEN=ssm:/home/token", False),
        (0o644, "LONG_LIVED_ACCESS_TOKEN = ' secretsmanager:home' # x", False),
        (0o644, "LONG_LIVED_ACCESS_TOKEN=\nDEBUG='on'", False),
        (0o644, "LONG_LIVED_ACCESS_TOKEN='' # none\nDEBUG=on", False),
        (0o644, "LONG_LIVED_ACCESS_TOKEN=eyJ\nLONG_LIVED_ACCESS_TOKEN=ssm:/x", True),
        (0o644, "LONG_LIVED_ACCESS_TOKEN=eyJ\nLONG_LIVED_ACCESS_TOKEN=", True),
        (0o644, "# export LONG_LIVED_ACCESS_TOKEN = 'eyJ'", True),
        (0o644, "'LONG_LIVED_ACCESS_TOKEN'=\"\neyJ\"", True),
        (0o644, "a b c\nLONG_LIVED_ACCESS_TOKEN=eyJ", True),
        (0o644, "# LONG_LIVED_ACCESS_TOKEN=...\nEXTRA_HEADERS={}", False),
        (0o644, "# LONG_LIVED_ACCESS_TOKEN=<yours>", False),
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
    """With the command that ends it; a reference is no secret.

    In a comment, too, before another line of that name, or beside a broken one.
    """
    env_file.write_text(text)
    env_file.chmod(mode)
    with contextlib.suppress(CommandError):
        read_variables(env_file)
    shown = capsys.readouterr()
    assert ("chmod 600" in shown.err) is is_warned
    assert "eyJ" not in shown.err
    assert shown.out == ""


@pytest.mark.skipif(os.name == "nt", reason="it has no such owners")
@pytest.mark.parametrize(
    ("owner_and_me", "is_warned"),
    [
        ((11, 12), True),
        ((11, 0), True),
        ((11, 11), False),
        ((0, 11), False),
        ((13, 0), False),  # by sudo
    ],
)
def test_a_file_of_somebody_else_is_told_of(
    env_file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    owner_and_me: tuple[int, int],
    is_warned: bool,
) -> None:
    """Its BASE_URL would send him a token from the environment; root's is root's."""
    env_file.write_text("BASE_URL=https://home.example.org")
    status = list(env_file.stat())
    status[stat.ST_UID], me = owner_and_me
    monkeypatch.setattr(Path, "stat", lambda *_, **__: os.stat_result(status))
    monkeypatch.setattr(os, "geteuid", lambda: me)
    monkeypatch.setenv("SUDO_UID", "13")
    read_variables(env_file)
    assert ("Another user" in capsys.readouterr().err) is is_warned


@pytest.mark.parametrize("name", ["BASE_URL", "LONG_LIVED_ACCESS_TOKEN", "MINE"])
def test_what_no_environment_can_hold_is_one_sentence(
    env_file: Path, name: str
) -> None:
    """With the variable's name, and nothing of its text."""
    env_file.write_text(f"{name}=eyJ\0eyJ\n")
    with pytest.raises(CommandError) as raised:
        read_variables(env_file, "MINE")
    assert raised.value.message.startswith(f"{name} in ")
    assert "NUL" in raised.value.message
    assert "eyJ" not in raised.value.message


@pytest.mark.parametrize("folder", ["a b; id", "-rf", "x\x1b[2J\ny"])
def test_what_makes_it_ones_own_is_one_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    """Whatever its folder is called; where that cannot be typed, it is left out."""
    file = tmp_path / folder / ".env"
    file.parent.mkdir()
    file.write_text("LONG_LIVED_ACCESS_TOKEN=eyJ")
    file.chmod(0o644)
    read_variables(file)
    shown = capsys.readouterr().err.rstrip().rpartition(": ")[2]
    named = [str(file)] if folder.isprintable() else []
    assert shlex.split(shown) == ["chmod", "600", *named]


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
        input=WRITE_ENV_FILE.replace("=…", "=a$HOME`id`").encode(),
        check=True,
        umask=mask,
    )
    assert file.stat().st_mode & 0o777 == 0o600
    lines = file.read_text("utf-8").splitlines()
    # What is typed in place of the dots is no command and no variable.
    assert lines[1:] == [f"{TOKEN}=a$HOME`id`"]


@pytest.mark.parametrize(
    "text",
    [
        'EXTRA_HEADERS=\'{"X": "y"}\'',
        "CLIENT_CERTIFICATE=-----BEGIN",
        "LINK_CLIENT_SECRET=abc",
    ],
)
def test_other_secrets_are_warned_of_too(
    env_file: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """Not the token alone opens a home."""
    env_file.write_text(text)
    env_file.chmod(0o644)
    read_variables(env_file)
    assert "chmod 600" in capsys.readouterr().err


def test_a_mark_of_the_byte_order_is_no_part_of_a_name(env_file: Path) -> None:
    """Editors of Windows begin a file with it."""
    env_file.write_text("\ufeffBASE_URL=https://x\r\nDEBUG=on\r\n")
    assert read_variables(env_file) == {"BASE_URL": "https://x", "DEBUG": "on"}


def test_a_pipe_is_read_if_somebody_writes_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password manager may; if nobody does, it does not hang."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("DEBUG=on\n",))
    writer.start()
    assert read_variables(pipe)["DEBUG"] == "on"
    writer.join()
    monkeypatch.setattr(files, "WAIT_S", 0.1)
    with pytest.raises(CommandError, match="nobody writes into it"):
        read_variables(pipe)
    pipe.open("w").close()  # ends who still waits


def test_a_file_without_end_is_refused() -> None:
    """Nobody has so many settings."""
    with pytest.raises(CommandError, match=r"too long: it has over 0\.1 MB"):
        read_variables(Path("/dev/zero"))
