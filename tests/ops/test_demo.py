"""`ha-bridge demo`, as somebody who types it, and as somebody who stops it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ha_bridge_ops.local import lambda_runtime, releases
from ha_bridge_ops.local.embedded import HomeAssistantServer
from ha_bridge_ops.local.releases import Release
from tests.directives import offered
from tests.ops.conftest import Run
from tests.ops.leftovers import assert_nothing_left

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.live,
    pytest.mark.runtime,
    pytest.mark.usefixtures("runtime_or_skip"),
]


def test_the_demo_shows_what_it_promises(run: Run, release: Release) -> None:
    """Discovery, five directives seen in Home Assistant, three failures."""
    done = run("demo", "--release", release.version, COLUMNS="100")
    assert done.returncode == 0, done.stderr
    for words in (
        "endpoints in",
        "Bed Light",
        "off → on",
        "unlocked → locked",
        "EXPIRED_AUTHORIZATION_CREDENTIAL",
        "BRIDGE_UNREACHABLE",
        "chmod 600 .env",
        "LONG_LIVED_ACCESS_TOKEN=…",  # as it is: a shell's history has these lines
        "In an editor",
        "ha-bridge invoke",
    ):
        assert words in done.stdout
    assert f"Installing Home Assistant {release.version}" in done.stderr


def test_the_demo_as_json(run: Run, home_assistant: HomeAssistantServer) -> None:
    """For scripts: one object, and nothing else on stdout."""
    done = run("demo", "--json", "--release", home_assistant.release.version)
    shown = json.loads(done.stdout)
    assert shown["all_well"] is True
    assert shown["endpoints"] == len(offered(home_assistant))
    assert [one["after"] for one in shown["directives"]] == [
        "on",
        "40 %",
        "22 °C",
        "locked",
        "on",
    ]
    assert [one["type"] for one in shown["failures"]] == [
        "INVALID_AUTHORIZATION_CREDENTIAL",
        "EXPIRED_AUTHORIZATION_CREDENTIAL",
        "BRIDGE_UNREACHABLE",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["^C", "TERM"])
@pytest.mark.parametrize(
    "moment", ["Starting Home Assistant", "Lambda runtime", "ends"]
)
def test_stopped_at_any_point_it_leaves_nothing(
    number: signal.Signals, moment: str, tmp_path: Path
) -> None:
    """No process and no scratch file, whenever it is stopped."""
    lambda_runtime.install()
    releases.install(releases.newest(print))
    child = subprocess.Popen(
        [sys.executable, "-m", "ha_bridge_ops", "demo"],
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stderr is not None
    lines = iter(child.stderr)
    if moment == "Starting Home Assistant":
        # Installing is done: it is starting now.
        while "Lambda runtime" not in next(lines):
            pass
        time.sleep(1)
    elif moment == "Lambda runtime":
        while "Starting the Lambda runtime" not in next(lines):
            pass
    else:
        time.sleep(0.3)  # while it imports, or looks for what is installed
    child.send_signal(number)
    child.stderr.read()
    assert child.wait(60) != 0
    child.stderr.close()
    assert_nothing_left(tmp_path)
