"""Running the command as a user does: another process, in another folder."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ha_bridge.settings import VARIABLES

ROOT = Path(__file__).parents[2]

#: Runs `ha-bridge` with these arguments and variables.
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command, in an empty folder."""

    def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if k not in VARIABLES}
        return subprocess.run(
            [sys.executable, "-m", "ha_bridge_ops", *arguments],
            cwd=tmp_path,
            env={**clean, "PYTHONPATH": str(ROOT), **variables},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return command
