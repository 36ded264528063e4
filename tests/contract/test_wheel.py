"""Installed as a wheel, far from the checkout, the command has all that it needs."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import uv

from ha_bridge.settings import VARIABLES
from tests.fakes.server import Server
from tests.ops.check.world import TOKEN, home

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel holds."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [uv.find_uv_bin(), "build", "--quiet", "--wheel", "--out-dir", folder, ROOT],
        check=True,
        timeout=300,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(
    site: Path, cwd: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the command of the wheel, and nothing of the checkout."""
    clean = {k: v for k, v in os.environ.items() if k not in VARIABLES}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**clean, "PYTHONPATH": str(site), **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_check_goes_to_the_end(site: Path, tmp_path: Path) -> None:
    """Findings' texts and events come with it: devices are found, and asked."""
    with Server(home()) as server:
        url = f"http://127.0.0.1:{server.port}"
        typed = ("-m", "ha_bridge_ops", "check", "--json")
        settings = {"BASE_URL": url, "LONG_LIVED_ACCESS_TOKEN": TOKEN}
        done = run(site, tmp_path, *typed, **settings)
    assert done.stderr == ""
    found = {one["id"]: one["status"] for one in json.loads(done.stdout)["findings"]}
    assert found["discovery.count"] == "ok"
    assert found["directive.report_state"] == "ok"


def test_it_is_the_wheels_own_code(site: Path, tmp_path: Path) -> None:
    """Else the test before would say nothing of the wheel."""
    code = "import ha_bridge_ops.events as e; print(e.__file__, e.EVENTS)"
    shown = run(site, tmp_path, "-c", code).stdout.split()
    assert all(Path(one).is_relative_to(site) for one in shown)


def test_every_data_file_comes_with_it(site: Path) -> None:
    """Texts, locks and events; a folder that is forgotten is missed late."""
    for path in (ROOT / "ha_bridge_ops").rglob("*.*"):
        if "__pycache__" not in path.parts and path.is_file():
            assert (site / path.relative_to(ROOT)).is_file(), path
    for event in (ROOT / "events").glob("*.json"):
        assert (site / "ha_bridge_ops/event_files" / event.name).is_file()
