"""What is shipped to Lambda: the core and its requirements, and nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import uv

from ha_bridge_ops.lambda_runtime import (
    PYTHON_VERSIONS,
    LambdaRuntime,
    why_unavailable,
)
from ha_bridge_ops.tools import LOCKS, environment, find_interpreter

ROOT = Path(__file__).parents[2]
URLLIB3 = re.search(
    r"^urllib3==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE
)

#: What SAM needs of the checkout.
SOURCES = ("Makefile", "template.yaml", "requirements.txt", "lambda_function.py")

needs_make = pytest.mark.skipif(
    shutil.which("make") is None, reason="this machine has no make"
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh copy of the tree, in a folder with a space, and nothing installed."""
    folder = tmp_path / "check out"
    shutil.copytree(
        ROOT / "ha_bridge",
        folder / "ha_bridge",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in SOURCES:
        shutil.copy(ROOT / name, folder)
    # What lies about, and must not be shipped.
    (folder / "tests").mkdir()
    (folder / ".env").write_text("LONG_LIVED_ACCESS_TOKEN=mine")
    (folder / "ha_bridge" / "__pycache__").mkdir()
    (folder / "ha_bridge" / "__pycache__" / "bridge.cpython-311.pyc").touch()
    return folder


def run(
    *command: str, cwd: Path, environ: Mapping[str, str] | None = None, limit: int = 100
) -> subprocess.CompletedProcess[str]:
    # Of the make and the virtual environment that the tests themselves may run in.
    theirs = ("MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV", "AWS_PROFILE")
    inherited = {k: v for k, v in os.environ.items() if k not in theirs}
    return subprocess.run(
        command,
        cwd=cwd,
        env={**inherited, **(environ or {})},
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )


def with_uv() -> dict[str, str]:
    """Return the environment of a machine that has uv."""
    folder = str(Path(uv.find_uv_bin()).parent)
    return {"PATH": os.pathsep.join([folder, os.environ["PATH"]])}


def without_uv(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a machine that has pip only."""
    broken = tmp_path / "broken" / "uv"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    environ = {"PATH": os.pathsep.join([str(broken.parent), os.environ["PATH"]])}
    if run("python3", "-m", "pip", "--version", cwd=tmp_path).returncode:
        pytest.skip("python3 of this machine has no pip")
    return environ


def build(
    checkout: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run make as SAM does: in a folder where nothing else is."""
    scratch = checkout.parent / "scratch"
    scratch.mkdir()
    package = checkout.parent / "package"
    result = run(
        "make",
        "--makefile",
        str(checkout / "Makefile"),
        "build-HaBridge",
        cwd=scratch,
        environ={**environ, "ARTIFACTS_DIR": str(package)},
    )
    assert not list(scratch.iterdir())
    return result


def assert_is_complete(package: Path) -> None:
    """Check that a package has all it needs, and nothing else."""
    assert URLLIB3 is not None
    assert {path.name for path in package.iterdir()} == {
        "lambda_function.py",
        "ha_bridge",
        "urllib3",
        f"urllib3-{URLLIB3[1]}.dist-info",
    }
    core = [*(ROOT / "ha_bridge").glob("*.py"), ROOT / "lambda_function.py"]
    ours = {str(path.relative_to(ROOT)): path.read_bytes() for path in core}
    shipped = {
        str(path.relative_to(package)): path.read_bytes()
        for path in [*(package / "ha_bridge").rglob("*"), *package.glob("*.py")]
        if path.is_file()
    }
    assert shipped == ours
    assert not list(package.rglob("*.pyc"))


@needs_make
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_only_the_core_and_its_requirements_are_shipped(
    checkout: Path, tmp_path: Path, installer: str
) -> None:
    """Whichever installer there is, and whatever else lies in the checkout."""
    environ = with_uv() if installer == "uv" else without_uv(tmp_path)
    result = build(checkout, environ)
    assert result.returncode == 0, result.stderr
    package = tmp_path / "package"
    assert_is_complete(package)
    (by,) = package.glob("*.dist-info/INSTALLER")
    assert by.read_text().strip() == installer


@needs_make
def test_lambda_may_read_the_package(checkout: Path, tmp_path: Path) -> None:
    """It is another user, which matters where people keep their files to themselves."""
    for path in [*checkout.rglob("*.py"), checkout / "requirements.txt"]:
        path.chmod(0o600)
    old = os.umask(0o077)
    try:
        result = build(checkout, with_uv())
    finally:
        os.umask(old)
    assert result.returncode == 0, result.stderr
    files = [path for path in (tmp_path / "package").rglob("*") if path.is_file()]
    assert files
    assert all(path.stat().st_mode & 0o004 for path in files)
    assert all(path.parent.stat().st_mode & 0o005 == 0o005 for path in files)
    # Not by way of the installer's cache.
    assert all(path.stat().st_nlink == 1 for path in files)


@needs_make
def test_the_package_needs_nothing_but_python(checkout: Path, tmp_path: Path) -> None:
    """It answers with no other package in sight."""
    assert build(checkout, with_uv()).returncode == 0
    package = tmp_path / "package"
    script = """
import json, sys
sys.path.insert(0, sys.argv[1])
import lambda_function
answer = lambda_function.lambda_handler({}, None)
files = {name: m.__file__ for name, m in sys.modules.items() if hasattr(m, "__file__")}
print(json.dumps([answer, files]))
"""
    isolated = ("-I", "-S", "-B")  # no site-packages, no folder of the checkout
    result = run(
        sys.executable,
        *isolated,
        "-c",
        script,
        str(package),
        cwd=tmp_path,
        environ={"BASE_URL": ""},
    )
    assert result.returncode == 0, result.stderr
    answer, files = json.loads(result.stdout)
    assert "BASE_URL is not set" in answer["event"]["payload"]["message"]
    for name in ("lambda_function", "ha_bridge.bridge", "urllib3"):
        assert Path(files[name]).is_relative_to(package)
    assert not any("site-packages" in (path or "") for path in files.values())


@needs_make
def test_without_a_folder_for_it_nothing_is_built(checkout: Path) -> None:
    """Typed by hand, the target says whose it is."""
    result = run("make", "build-HaBridge", cwd=checkout)
    assert result.returncode != 0
    assert "sam build" in result.stderr


@needs_make
@pytest.mark.runtime
@pytest.mark.timeout(900)
@pytest.mark.skipif(why_unavailable() is not None, reason=str(why_unavailable()))
def test_sam_builds_what_runs_on_lambda(checkout: Path, tmp_path: Path) -> None:
    """The SAM CLI finds no fault in the template, and its build answers a directive."""
    tool = environment(
        "sam", find_interpreter(PYTHON_VERSIONS), [LOCKS / "sam.txt"], no_deps=True
    )
    sam = str(tool / "bin" / "sam")
    environ = {
        **with_uv(),
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(tmp_path / "sam"),
    }

    valid = run(sam, "validate", "--lint", cwd=checkout, environ=environ)
    assert valid.returncode == 0, valid.stdout + valid.stderr

    built = run(sam, "build", cwd=checkout, environ=environ)
    assert built.returncode == 0, built.stdout + built.stderr
    package = checkout / ".aws-sam" / "build" / "HaBridge"
    assert_is_complete(package)
    with LambdaRuntime({"BASE_URL": ""}, code=package) as function:
        answer = function.invoke({})
    assert "BASE_URL is not set" in answer["event"]["payload"]["message"]
