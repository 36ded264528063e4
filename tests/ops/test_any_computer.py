"""Windows, macOS and Linux: what the command needs of a computer is what Python has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ha_bridge.settings import VARIABLES
from ha_bridge_ops.cli import COMMANDS
from tests.fakes.server import Server
from tests.worlds.home import TOKEN, home

ROOT = Path(__file__).parents[2]
WINDOWS = Path(__file__).with_name("windows.py")


def typed(
    folder: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the command without what only POSIX has, on a console of code page 1252.

    A file or pipe that is opened without naming its encoding is an error.
    """
    clean = {k: v for k, v in os.environ.items() if k not in VARIABLES}
    strict = ("-X", "warn_default_encoding", "-W", "error::EncodingWarning")
    return subprocess.run(
        [sys.executable, *strict, str(WINDOWS), *arguments],
        cwd=folder,
        env={
            **clean,
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "cp1252",
            "NO_COLOR": "1",
            **variables,
        },
        capture_output=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_command_starts(tmp_path: Path, name: str) -> None:
    """Also where there is no fcntl, no SIGHUP and no ✓."""
    done = typed(tmp_path, *([name] if name else []), "--help")
    assert done.returncode == 0, done.stderr
    assert b"Usage: ha-bridge" in done.stdout


def test_what_was_taken_away_is_gone() -> None:
    """Else the tests here would say nothing."""
    code = (
        f"import sys; sys.path.insert(0, {str(WINDOWS.parent)!r}); import windows;"
        "windows.take_away(); import os, signal;"
        "print(hasattr(os, 'killpg'), hasattr(signal, 'SIGHUP'));"
        "import fcntl"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["False", "False"]
    assert "fcntl" in done.stderr.splitlines()[-1]


def test_check_goes_to_the_end(tmp_path: Path) -> None:
    """Its signs become letters, and its statuses stay words."""
    with Server(home()) as server:
        url = f"http://127.0.0.1:{server.port}"
        variables = {"BASE_URL": url, "LONG_LIVED_ACCESS_TOKEN": TOKEN}
        done = typed(tmp_path, "check", **variables)
    shown = done.stdout.decode("cp1252")
    assert done.stderr == b""
    assert "+ ok        ha.reachable" in shown
    assert "->" in shown
    assert "directive.report_state" in shown


def test_json_is_json_there_too(tmp_path: Path) -> None:
    """Whatever signs are in it."""
    with Server(home()) as server:
        url = f"http://127.0.0.1:{server.port}"
        variables = {"BASE_URL": url, "LONG_LIVED_ACCESS_TOKEN": TOKEN}
        done = typed(tmp_path, "check", "--json", **variables)
    assert json.loads(done.stdout.decode("cp1252"))["findings"]


def test_a_skill_is_written(tmp_path: Path) -> None:
    """As UTF-8, though the console is not."""
    url = "https://home.example.org"
    options = ("--base-url", url, "--locale", "de-DE", "--name", "Zuhaus\N{SNOWMAN}")
    done = typed(tmp_path, "skill", *options)
    assert done.returncode == 0, done.stderr
    assert b"Zuhaus?" in done.stdout
    written = (tmp_path / "skill-package/skill.json").read_text("utf-8")
    assert "Zuhaus\N{SNOWMAN}" in written
