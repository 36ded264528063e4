"""The command in this process, and desks of a developer."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from ha_bridge_ops.cli import cli
from tests.fakes.smapi import Smapi
from tests.ops.conftest import Run
from tests.worlds.desk import FAKE, Desk, desk_at, real_ask


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


@pytest.fixture
def smapi() -> Iterator[Smapi]:
    with Smapi() as server:
        yield server


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.live)])
def desk(
    request: pytest.FixtureRequest, smapi: Smapi, run: Run, tmp_path: Path
) -> Desk:
    """Each test twice: with a stand-in that records, and with Amazon's own ASK CLI."""
    ask = real_ask() if request.param == "real" else FAKE
    return desk_at(tmp_path, smapi, run, ask)


@pytest.fixture
def quick_desk(smapi: Smapi, here: Run, tmp_path: Path) -> Desk:
    """In this process, with the stand-in: where Amazon's command is not needed."""
    return desk_at(tmp_path, smapi, here, FAKE)
