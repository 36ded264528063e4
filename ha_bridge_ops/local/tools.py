"""Virtual environments that the demo and the tests need, made once and kept.

Home Assistant pins hundreds of packages and the Lambda runtime must hold nothing but
its own, so each lives in an environment of its own in the project's `.tools` folder.
"""

import functools
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import uv
from filelock import FileLock

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.build import TOP, from_here
from ha_bridge_ops.local.processes import PROXIES, FailedError, inherited, run

#: Where `lambda_function.py` lies: the checkout, or site-packages.
ROOT = Path(__file__).resolve().parents[2]
LOCKS = Path(__file__).parent / "locks"

#: With this uv builds what has no wheel by what that lock has, and by nothing else.
BUILT = (
    *("--preview-features", "build-dependency-hashes", "--require-build-hashes"),
    *("--build-constraints", str(LOCKS / "builders.txt")),
)

#: Seconds for an installation; on a slow line Home Assistant takes minutes.
INSTALL_TIMEOUT_S = 1800


def tools_folder() -> Path:
    """Return the folder for what is installed: in the checkout, else in the cache."""
    if (ROOT / "pyproject.toml").is_file():
        return ROOT / ".tools"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache).absolute() / "ha-bridge"


def pythons_folder() -> Path:
    """Return the folder for the Pythons that are fetched."""
    return tools_folder() / "python"


@dataclass(frozen=True)
class Interpreter:
    """A Python that is at hand, or that uv will fetch."""

    version: str
    """Major and minor, such as 3.13."""
    path: str


def find_interpreter(versions: Sequence[str]) -> Interpreter:
    """Return the first of these versions that this machine has.

    If none is there, uv fetches the first when it is used.

    Args:
        versions: Best first, such as 3.13; see `at_hand`.
    """
    for version in versions:
        if interpreter := at_hand(version):
            return interpreter
    return Interpreter(_minor(versions[0]), versions[0])


def at_hand(version: str) -> Interpreter | None:
    """Return a Python of this machine, or None.

    Looks at the one that runs, on PATH, among pyenv's, and among those that uv or
    `.ci/python` brought.

    Args:
        version: Major and minor, or the least patch of these too: 3.14.2 means
            3.14.2 or a later 3.14.
    """
    for path in _candidates(_minor(version)):
        # PATH may lead to one from where we are; it is asked where uv runs.
        absolute = str(Path(path).absolute())
        if _fits(_reported(absolute), version):
            return Interpreter(_minor(version), absolute)
    return None


@functools.cache
def fetched(version: str) -> Interpreter | None:
    """Return a Python that uv brings from the Internet, or None if it cannot.

    Args:
        version: As for `at_hand`.
    """
    major, minor = _minor(version).split(".")
    wanted = f">={version},<{major}.{int(minor) + 1}"
    try:
        # Whether it can is known at once; a line that is slow is another matter.
        run_uv("python", "install", "--no-bin", wanted, UV_HTTP_RETRIES="1")
    except CommandError:
        return None
    return at_hand(version)


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _candidates(minor: str) -> Iterator[str]:
    if sys.version_info[:2] == tuple(int(part) for part in minor.split(".")):
        yield sys.executable
    name = f"python{minor}" if os.name == "posix" else "python"
    for folder in os.get_exec_path():
        # The first need not be the one: pyenv has a shim for what is not switched on.
        if found := shutil.which(name, path=folder):
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for parent, pattern in (
        (pyenv / "versions", f"{minor}.*/bin/{name}"),
        (pythons_folder(), f"*/bin/{name}"),
        (pythons_folder(), f"*/usr/bin/{name}"),
        (pythons_folder(), "*/python.exe"),
    ):
        yield from map(str, sorted(parent.glob(pattern)))


def _fits(reported: str, wanted: str) -> bool:
    """Whether a full version is of a wanted minor, and not older than its patch."""
    try:
        numbers = [int(part) for part in reported.split(".")]
    except ValueError:
        return False
    least = [int(part) for part in wanted.split(".")]
    return numbers[:2] == least[:2] and numbers >= least


def _reported(path: str) -> str:
    """Return what a Python says of itself, such as 3.14.10; nothing if it is none."""
    question = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    environ = inherited("PYENV_ROOT", "PYENV_VERSION", "HOME")
    try:
        asked = [path, "-c", question]
        return run(asked, environ=environ, timeout=30, cwd=Path(TOP)).strip()
    except FailedError:
        return ""


def environment(
    name: str,
    interpreter: Interpreter,
    requirements: Sequence[Path],
    *,
    no_deps: bool = False,
) -> Path:
    """Return the folder of a virtual environment, which is made if it is not whole.

    Args:
        name: The folder's name.
        interpreter: The Python for it.
        requirements: Locked requirement files; a change in one makes it anew.
        no_deps: Install just what the files name.

    Raises:
        CommandError: The installation failed, with the installer's last words.
    """
    folder = tools_folder() / name
    stamp = folder / ".installed"
    wanted = _fingerprint(interpreter, requirements)
    with locked(folder):
        # Its Python is a link, to one that may have been updated or removed since.
        is_whole = program(folder, "python").exists() and stamp.is_file()
        if is_whole and stamp.read_text("utf-8") == wanted:
            return folder
        run_uv("venv", "--clear", "--python", interpreter.path, str(folder))
        files = [part for path in requirements for part in ("--requirement", str(path))]
        run_uv(
            "pip",
            "install",
            "--python",
            str(program(folder, "python")),
            # A file that is another than when it was locked is not installed.
            "--require-hashes",
            *BUILT,
            *(["--no-deps"] if no_deps else []),
            *files,
        )
        stamp.write_text(wanted, "utf-8")
    return folder


def _fingerprint(interpreter: Interpreter, requirements: Sequence[Path]) -> str:
    texts = [interpreter.version, *(path.read_text("utf-8") for path in requirements)]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def program(folder: Path, name: str) -> Path:
    """Return a program of a virtual environment."""
    if os.name == "nt":
        return folder / "Scripts" / f"{name}.exe"
    return folder / "bin" / name


def locked(folder: Path) -> FileLock:
    """Let one process at a time make a folder; the others wait and find it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(folder.with_name(f"{folder.name}.lock"))


#: What uv needs of our environment: its settings, proxies, folders, and a compiler's.
_FOR_UV = (
    *("UV_", "HOME", "XDG_", "NETRC", "CC", "CXX", "CFLAGS", "CPPFLAGS", "LDFLAGS"),
    *PROXIES,
)


def run_uv(*arguments: str, **variables: str) -> str:
    """Run uv, and return what it wrote to stdout.

    Args:
        arguments: Of its command line.
        variables: For its environment.

    Raises:
        CommandError: It failed or took too long; with its last words.
    """
    # A virtual environment that happens to be active is none of our business.
    environ = {
        **from_here(inherited(*_FOR_UV)),
        "UV_PYTHON_INSTALL_DIR": str(pythons_folder()),
        **variables,
    }
    try:
        return run(
            [uv.find_uv_bin(), "--no-progress", *arguments],
            environ=environ,
            timeout=INSTALL_TIMEOUT_S,
            cwd=Path(TOP),
        )
    except FailedError as error:
        raise CommandError(
            f"`uv {arguments[0]}` failed; is PyPI reachable? {error}"
        ) from None
