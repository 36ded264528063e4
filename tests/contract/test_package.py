"""What is shipped to Lambda: the core and its requirements, and nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import uv

from ha_bridge_ops.local.tools import LOCKS, environment, find_interpreter

ROOT = Path(__file__).parents[2]
URLLIB3 = re.search(
    r"^urllib3==(\S+) ", (ROOT / "requirements.txt").read_text(), re.MULTILINE
)

#: What a build needs of the checkout.
SOURCES = (
    "Makefile",
    "requirements.txt",
    "lambda_function.py",
    "token_function.py",
    "ha_bridge_ops/local/build.py",
)

Environ = dict[str, str]

#: Bytes of a package with all that belongs to it, unpacked.
LIMIT = 2_000_000

#: How byte code begins that Python 3.13 takes without a look at its source:
#: https://peps.python.org/pep-0552/
MAGIC_3_13 = (3571).to_bytes(2, "little") + b"\r\n"
UNCHECKED_HASH = (1).to_bytes(4, "little")

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
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    # What lies about, and must not be shipped.
    (folder / "tests").mkdir()
    (folder / ".env").write_text("LONG_LIVED_ACCESS_TOKEN=mine")
    (folder / "ha_bridge" / "__pycache__").mkdir()
    (folder / "ha_bridge" / "__pycache__" / "bridge.cpython-311.pyc").touch()
    return folder


@pytest.fixture(scope="session")
def python_3_13() -> str:
    """Lambda's Python, with what its runtime has; fetched if it is not at hand."""
    interpreter = find_interpreter(["3.13"])
    folder = environment(
        "lambda-runtime-python3.13",
        interpreter,
        [LOCKS / "lambda-runtime.txt", ROOT / "requirements.txt"],
    )
    return str(folder / "bin" / "python")


def run(
    *command: str, cwd: Path, environ: Mapping[str, str] | None = None, limit: int = 100
) -> subprocess.CompletedProcess[str]:
    # Of the make and the virtual environment that the tests themselves may run in.
    theirs = (
        *("MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV", "AWS_PROFILE"),
        "UV_REQUIRE_BUILD_HASHES",
    )
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


def with_uv() -> Environ:
    """Return the environment of a machine that has uv."""
    folder = str(Path(uv.find_uv_bin()).parent)
    return {"PATH": os.pathsep.join([folder, os.environ["PATH"]])}


def with_program(
    folder: Path, name: str, script: str, environ: Mapping[str, str]
) -> Environ:
    """Return an environment in which a name means this shell script."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    first = [str(folder)] if str(folder) not in environ["PATH"] else []
    return {**environ, "PATH": os.pathsep.join([*first, environ["PATH"]])}


def with_python_3_13(folder: Path, python: str, environ: Mapping[str, str]) -> Environ:
    """Return the environment of a machine that has Lambda's Python too."""
    return with_program(folder, "python3.13", f'exec "{python}" "$@"', environ)


def without_uv(tmp_path: Path) -> Environ:
    """Return the environment of a machine that has pip only."""
    path = {"PATH": os.environ["PATH"]}
    environ = with_program(tmp_path / "broken", "uv", "exit 1", path)
    if run("python3", "-m", "pip", "--version", cwd=tmp_path).returncode:
        pytest.skip("python3 of this machine has no pip")
    return environ


def build(
    checkout: Path, environ: Mapping[str, str], name: str = "package"
) -> subprocess.CompletedProcess[str]:
    """Run make as SAM does: in a folder where nothing else is."""
    scratch = checkout.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    package = checkout.parent / name
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


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder, by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def cached(source: str) -> str:
    """Return where Python 3.13 looks for the byte code of a source."""
    folder, _, name = source.rpartition("/")
    start = f"{folder}/" if folder else ""
    return f"{start}__pycache__/{name.removesuffix('.py')}.cpython-313.pyc"


def assert_is_complete(package: Path, *, byte_code: bool) -> None:
    """Check that a package has all it needs, and nothing else."""
    assert URLLIB3 is not None
    shipped = contents(package)
    compiled = {path for path in shipped if path.endswith(".pyc")}
    sources = {path for path in shipped if path.endswith(".py")}
    entries = [ROOT / "lambda_function.py", ROOT / "token_function.py"]
    core = [*(ROOT / "ha_bridge").glob("*.py"), *entries]
    ours = {str(path.relative_to(ROOT)): path.read_bytes() for path in core}
    theirs = ("urllib3/", f"urllib3-{URLLIB3[1]}.dist-info/")
    assert {
        path: content
        for path, content in shipped.items()
        if path not in compiled and not path.startswith(theirs)
    } == ours
    assert "urllib3/connection.py" in sources
    assert compiled == ({cached(path) for path in sources} if byte_code else set())
    assert all(
        shipped[path].startswith(MAGIC_3_13 + UNCHECKED_HASH) for path in compiled
    )
    assert sum(map(len, shipped.values())) < LIMIT


@needs_make
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_only_the_core_and_its_requirements_are_shipped(
    checkout: Path, tmp_path: Path, python_3_13: str, installer: str
) -> None:
    """Whichever installer there is, and whatever else lies in the checkout."""
    environ = with_uv() if installer == "uv" else without_uv(tmp_path)
    environ = with_python_3_13(tmp_path / "programs", python_3_13, environ)
    result = build(checkout, environ)
    assert result.returncode == 0, result.stderr
    assert_is_complete(tmp_path / "package", byte_code=True)


@needs_make
def test_without_lambdas_python_no_byte_code_is_shipped(
    checkout: Path, tmp_path: Path
) -> None:
    """Another version's would be dead weight; the build says so."""
    environ = {**with_uv(), "PYENV_ROOT": "/nowhere", "XDG_DATA_HOME": "/nowhere"}
    other = find_interpreter(["3.11", "3.12", "3.14"]).path
    for name, script in (("python3.13", "exit 1"), ("python3", f'exec {other} "$@"')):
        environ = with_program(tmp_path / "programs", name, script, environ)
    result = build(checkout, environ)
    assert result.returncode == 0, result.stderr
    assert "No Python 3.13" in result.stderr
    assert_is_complete(tmp_path / "package", byte_code=False)


@needs_make
def test_built_twice_it_is_the_same_zip(
    checkout: Path, tmp_path: Path, python_3_13: str
) -> None:
    """At another time, in another folder, by another installer, with other rights."""
    zips = []
    for number, environ in enumerate((with_uv(), without_uv(tmp_path))):
        folder = tmp_path / f"copy {number}"
        shutil.copytree(checkout, folder)
        for path in folder.rglob("*.py"):
            path.chmod((0o644, 0o600)[number])
            os.utime(path, (1e9 + number, 1e9 + number))
        result = make_package(
            folder, with_python_3_13(tmp_path / "programs", python_3_13, environ)
        )
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith("dist/ha-bridge.zip: 0.")
        zips.append((folder / "dist" / "ha-bridge.zip").read_bytes())
        with zipfile.ZipFile(folder / "dist" / "ha-bridge.zip") as file:
            file.extractall(tmp_path / f"unpacked {number}")
    assert zips[0] == zips[1]
    assert_is_complete(tmp_path / "unpacked 0", byte_code=True)


def make_package(
    checkout: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run `make package` in a checkout where `make install` was run."""
    for name in ("pyproject.toml", "requirements-command.txt"):
        shutil.copy(ROOT / name, checkout)
    for name in ("__init__.py", "local/__init__.py", "local/package.py"):
        shutil.copy(ROOT / "ha_bridge_ops" / name, checkout / "ha_bridge_ops" / name)
    python = f'exec "{sys.executable}" "$@"'
    (checkout / ".venv").mkdir()
    with_program(checkout / ".venv" / "bin", "python", python, environ)
    # Of the uv that make would fetch otherwise.
    (checkout / ".tools" / "uv" / "bin").mkdir(parents=True)
    (checkout / ".tools" / "uv" / "bin" / "uv").touch()
    (checkout / ".venv" / ".command").touch()
    return run("make", "package", cwd=checkout, environ=environ)


@needs_make
def test_the_byte_code_is_what_runs(
    checkout: Path, tmp_path: Path, python_3_13: str
) -> None:
    """Whatever the sources' times: here the sources would not even run."""
    environ = with_python_3_13(tmp_path / "programs", python_3_13, with_uv())
    assert build(checkout, environ).returncode == 0
    package = tmp_path / "package"
    for path in package.rglob("*.py"):
        path.write_text("raise RuntimeError(__file__)\n")
    script = f"""
import sys
sys.path.insert(0, {str(package)!r})
import lambda_function
print(lambda_function.lambda_handler({{}}, None)["event"]["payload"]["message"])
"""
    result = run(
        python_3_13, "-B", "-c", script, cwd=tmp_path, environ={"BASE_URL": ""}
    )
    assert result.returncode == 0, result.stderr
    assert "not a Smart Home directive" in result.stdout


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
    assert "not a Smart Home directive" in answer["event"]["payload"]["message"]
    for name in ("lambda_function", "ha_bridge.bridge", "urllib3"):
        assert Path(files[name]).is_relative_to(package)
    assert not any("site-packages" in (path or "") for path in files.values())


@needs_make
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_one_wrong_digit_of_a_hash_and_nothing_is_packed(
    checkout: Path, tmp_path: Path, installer: str
) -> None:
    """Whatever an index gives for the name and version that are asked for."""
    requirements = checkout / "requirements.txt"
    hashes = re.compile(r"(?<=sha256:)[0-9a-f]")
    other = {digit: format(15 - int(digit, 16), "x") for digit in "0123456789abcdef"}
    text = requirements.read_text()
    assert len(hashes.findall(text)) == 2
    requirements.write_text(hashes.sub(lambda found: other[found[0]], text))
    result = build(checkout, with_uv() if installer == "uv" else without_uv(tmp_path))
    assert result.returncode != 0
    assert "hash" in result.stderr.lower()
    assert not (tmp_path / "package" / "urllib3").exists()


@pytest.mark.parametrize(
    ("variable", "settings", "says"),
    [
        ("UV_EXCLUDE", "urllib3\n", "was not installed"),
        ("UV_CONFIG_FILE", '[pip]\nno-binary = ["urllib3"]\n', "no trusted hash"),
    ],
)
def test_no_settings_of_an_installer_pack_anything_else(
    checkout: Path,
    tmp_path: Path,
    variable: str,
    settings: str,
    says: str,
) -> None:
    """Not nothing, and nothing that was built by what has no hash."""
    (file := tmp_path / "settings").write_text(settings)
    # As the command does, for make would see to some of it; and with nothing that was
    # built before.
    result = run(
        *(sys.executable, str(checkout / "ha_bridge_ops/local/build.py")),
        str(tmp_path / "package"),
        cwd=tmp_path,
        environ={
            **with_uv(),
            variable: str(file),
            "UV_CACHE_DIR": str(tmp_path / "cache"),
        },
    )
    assert result.returncode != 0
    assert says in result.stderr


def test_every_file_that_is_installed_has_its_hash() -> None:
    """What ships, what builds it, and what tests it."""
    locks = [
        ROOT / "requirements.txt",
        ROOT / "requirements-command.txt",
        ROOT / "requirements-dev.txt",
        *(ROOT / ".ci").glob("*.txt"),
        *LOCKS.glob("*.txt"),
    ]
    for lock in locks:
        text = lock.read_text()
        entries = re.split(
            r"\n(?=[^\s#])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
        )
        assert entries
        for entry in filter(str.strip, entries):
            assert re.match(r"[\w.\[\],-]+==\S+.*\\\n\s+--hash=sha256:", entry), entry
    for folder in (LOCKS / "ask-cli", ROOT / "tests/axe-core"):
        lock = json.loads((folder / "package-lock.json").read_text())
        for name, package in lock["packages"].items():
            assert package.get("integrity", "").startswith("sha512-") or not name, name


#: What installs, and what it must say there each time: that hashes are asked for and
#: nothing is built, or that what builds it was installed so before, or has hashes too.
INSTALLERS = {
    "Makefile": (
        r"pip (?:install|sync)\b|UV\) build\b",
        r"\A[^@]*(?:\$\(LOCKED\)|--no-build-isolation)",
    ),
    ".ci/python-from-debian": (
        r"pip. install\b",
        r"--require-hashes[\s\\]+--only-binary :all:",
    ),
    "ha_bridge_ops/local/build.py": (
        r"wanted = ",
        r'"--require-hashes", "--only-binary", ":all:"',
    ),
    "ha_bridge_ops/local/tools.py": (
        r'"pip",',
        r'"--require-hashes",\n +\*BUILT,',
    ),
    "ha_bridge_ops/local/ask.py": (r"\[\*npm,", '"ci", "--ignore-scripts"'),
}


@pytest.mark.parametrize("name", INSTALLERS)
def test_whatever_installs_asks_for_hashes(name: str) -> None:
    """A lock that nobody minds holds nothing; npm's `ci` minds its own."""
    install, says = INSTALLERS[name]
    text = (ROOT / name).read_text()
    begins = [found.start() for found in re.finditer(install, text)]
    assert begins
    for begin, end in zip(begins, [*begins[1:], len(text)], strict=True):
        assert re.search(says, text[begin : min(end, begin + 300)])


def test_the_locks_are_installed_without_source() -> None:
    """What builds one would come from an index, without a hash."""
    (options,) = re.findall(
        r"^LOCKED := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    assert "--require-hashes --only-binary :all:" in options


def test_what_builds_it_is_the_locks() -> None:
    """pyproject.toml names it a second time, for others who build."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (backend,) = project["build-system"]["requires"]
    assert backend in project["dependency-groups"]["build"]
    for name in ("requirements-command.txt", "requirements-dev.txt"):
        assert f"\n{backend} " in (ROOT / name).read_text()


@needs_make
def test_without_a_folder_for_it_nothing_is_built(checkout: Path) -> None:
    """Typed by hand, the target says whose it is."""
    result = run("make", "build-HaBridge", cwd=checkout)
    assert result.returncode != 0
    assert "sam build" in result.stderr
