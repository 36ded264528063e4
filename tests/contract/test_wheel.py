"""The wheel, in a bare environment and an empty folder, is all that a user needs."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest
import uv

from ha_bridge.settings import VARIABLES
from ha_bridge_ops.cli import COMMANDS
from ha_bridge_ops.local.embedded import HomeAssistantServer
from tests.fakes.server import Server
from tests.worlds.home import TOKEN, home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]

LOCK = ("--constraint", str(ROOT / "requirements-command.txt"))

#: Packages that a user gets beside ours.
MOST = 25


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file to install."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            *(uv.find_uv_bin(), "build", "--quiet", "--wheel", "--out-dir", folder),
            # By the hatchling that is here.
            *("--no-build-isolation", "--python", sys.executable, ROOT),
        ],
        check=True,
        timeout=300,
    )
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def site(wheel: Path) -> Path:
    """An environment with the wheel and what it needs, and no more; all by hash."""
    folder = wheel.parent / "environment"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (wanted := wheel.parent / "wanted.txt").write_text(
        f"ha-bridge @ {wheel.as_uri()} --hash=sha256:{digest}\n"
    )
    hashed = ("--require-hashes", "--only-binary", ":all:", "--requirement", wanted)
    for arguments in (
        ("venv", "--quiet", "--python", sys.executable, folder),
        ("pip", "install", "--quiet", "--python", folder, *hashed, *LOCK),
    ):
        subprocess.run([uv.find_uv_bin(), *arguments], check=True, timeout=300)
    return folder


def run(
    site: Path, cwd: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the command of the wheel, and nothing of the checkout."""
    theirs = (*VARIABLES, "PYTHONPATH", "VIRTUAL_ENV")
    clean = {k: v for k, v in os.environ.items() if k not in theirs}
    return subprocess.run(
        [str(site / "bin/ha-bridge"), *arguments],
        cwd=cwd,
        env={**clean, **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_help(site: Path, tmp_path: Path, name: str) -> None:
    """What it needs to start is among the wheel's own dependencies."""
    done = run(site, tmp_path, name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"ha-bridge {name}" in done.stdout


def test_a_user_installs_little(site: Path) -> None:
    """No developer's tool among it."""
    listed = subprocess.run(
        [uv.find_uv_bin(), "pip", "list", "--format", "json", "--python", str(site)],
        check=True,
        capture_output=True,
    )
    names = {one["name"] for one in json.loads(listed.stdout)}
    assert "ha-bridge" in names
    assert len(names) - 1 <= MOST
    assert not names & {"pytest", "mypy", "moto", "ruff", "trustme"}


def test_check_goes_to_the_end(site: Path, tmp_path: Path) -> None:
    """Findings' texts and events come with it: devices are found, and asked."""
    with Server(home()) as server:
        url = f"http://127.0.0.1:{server.port}"
        settings = {"BASE_URL": url, "LONG_LIVED_ACCESS_TOKEN": TOKEN}
        done = run(site, tmp_path, "check", "--json", **settings)
    assert done.stderr == ""
    found = {one["id"]: one["status"] for one in json.loads(done.stdout)["findings"]}
    assert found["discovery.count"] == "ok"
    assert found["directive.report_state"] == "ok"


@pytest.mark.live
def test_it_knows_a_real_home(
    site: Path, tmp_path: Path, home_assistant: HomeAssistantServer
) -> None:
    """`check`, and an event by its name."""
    settings = {
        "BASE_URL": home_assistant.url,
        "LONG_LIVED_ACCESS_TOKEN": home_assistant.access_token,
    }
    done = run(site, tmp_path, "check", **settings)
    assert "directive.report_state" in done.stdout
    assert done.stderr == ""
    done = run(site, tmp_path, "invoke", "discovery", "--json", **settings)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["event"]["payload"]["endpoints"]) > 50


@pytest.mark.skipif(shutil.which("make") is None, reason="this machine has no make")
def test_its_package_is_that_of_make(site: Path, tmp_path: Path) -> None:
    """Byte for byte."""
    done = run(site, tmp_path, "package")
    assert done.returncode == 0, done.stderr
    checkout = tmp_path / "checkout"
    made = ("Makefile", "requirements.txt", "lambda_function.py", "token_function.py")
    for name in (*made, "ha_bridge_ops/local/build.py"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    shutil.copytree(ROOT / "ha_bridge", checkout / "ha_bridge")
    with_uv = os.pathsep.join([str(Path(uv.find_uv_bin()).parent), os.environ["PATH"]])
    subprocess.run(
        [
            str(shutil.which("make")),
            "build-HaBridge",
            f"ARTIFACTS_DIR={checkout / 'dist'}",
        ],
        cwd=checkout,
        env={**os.environ, "PATH": with_uv},
        check=True,
    )
    subprocess.run(
        [sys.executable, "-m", "ha_bridge_ops.local.package", "dist", "made.zip"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    made_zip = (checkout / "made.zip").read_bytes()
    assert (tmp_path / "ha-bridge.zip").read_bytes() == made_zip


@pytest.mark.usefixtures("site")
def test_uvx_runs_it(wheel: Path, tmp_path: Path) -> None:
    """Without an installation of one's own; here of what `site` has fetched."""
    clean = {k: v for k, v in os.environ.items() if k not in VARIABLES}
    done = subprocess.run(
        [
            *(uv.find_uv_bin(), "tool", "run", "--python", sys.executable),
            *("--offline", *LOCK, "--from", str(wheel), "ha-bridge", "check"),
        ],
        cwd=tmp_path,
        env={**clean, "BASE_URL": "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    assert "ha.reachable" in done.stdout


def test_only_its_own_names_are_installed(wheel: Path) -> None:
    """The entry for Lambda is a file of the project's, not a module of everybody's."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "ha_bridge",
        "ha_bridge_ops",
    }
    assert "ha_bridge_ops/project/lambda_function.py" in names
    assert not any("__pycache__" in name for name in names)


def test_its_metadata_is_whole(wheel: Path) -> None:
    """As PyPI shows it."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith("/METADATA"))
        text = archive.read(name).decode()
    found = HeaderParser().parsestr(text)
    assert found["Description-Content-Type"] == "text/markdown"
    assert str(found.get_payload()).startswith("# ha-bridge")
    assert found.get_all("Project-URL")
    assert found["License-Expression"] == "Apache-2.0"
    # The command's own, a dozen at most; MOST has those that they need in turn.
    assert len(found.get_all("Requires-Dist") or []) <= 12
    minors = {f"Programming Language :: Python :: 3.{minor}" for minor in range(11, 15)}
    assert minors <= set(found.get_all("Classifier") or [])


def test_every_data_file_comes_with_it(wheel: Path) -> None:
    """Texts, locks and events; a folder that is forgotten is missed late."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for path in (ROOT / "ha_bridge_ops").rglob("*.*"):
        if "__pycache__" not in path.parts and path.is_file():
            assert path.relative_to(ROOT).as_posix() in names, path
    for event in (ROOT / "events").glob("*.json"):
        assert f"ha_bridge_ops/project/events/{event.name}" in names
    for name in ("template.yaml", "samconfig.toml", "requirements.txt"):
        assert f"ha_bridge_ops/project/{name}" in names
