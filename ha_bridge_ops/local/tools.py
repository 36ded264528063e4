"""Virtual environments that the demo and the tests need, made once and kept.

Home Assistant pins hundreds of packages and the Lambda runtime must hold nothing but
its own, so each lives in an environment of its own in the project's `.tools` folder.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uv

from ha_bridge_ops.errors import CommandError

#: Where `lambda_function.py` lies: the checkout, or site-packages.
ROOT = Path(__file__).resolve().parents[2]
LOCKS = Path(__file__).parent / "locks"

#: Seconds for an installation; on a slow line Home Assistant takes minutes.
INSTALL_TIMEOUT_S = 1800


def tools_folder() -> Path:
    """Return the folder for what is installed: in the checkout, else in the cache."""
    if (ROOT / "pyproject.toml").is_file():
        return ROOT / ".tools"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "ha-bridge"


@dataclass(frozen=True)
class Interpreter:
    """A Python that is at hand, or that uv will fetch."""

    version: str
    """Major and minor, such as 3.13."""
    path: str


def find_interpreter(versions: Sequence[str]) -> Interpreter:
    """Return the first of these versions that this machine has.

    Looks on PATH and among pyenv's; if none is there, uv fetches the first.

    Args:
        versions: Major and minor, best first.
    """
    for version in versions:
        for path in _candidates(version):
            if _reports(path, version):
                return Interpreter(version, path)
    return Interpreter(versions[0], versions[0])


def _candidates(version: str) -> Iterator[str]:
    if sys.version_info[:2] == tuple(int(part) for part in version.split(".")):
        yield sys.executable
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}")):
        yield str(path)


def _reports(path: str, version: str) -> bool:
    # pyenv's shims are on PATH for versions that are not switched on; they fail.
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [path, "-c", question],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.stdout.strip() == version


def environment(
    name: str,
    interpreter: Interpreter,
    requirements: Sequence[Path],
    *,
    no_deps: bool = False,
) -> Path:
    """Return the folder of a virtual environment, which is made if it is not there.

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
    with _locked(folder):
        if stamp.is_file() and stamp.read_text() == wanted:
            return folder
        _uv("venv", "--clear", "--python", interpreter.path, str(folder))
        files = [part for path in requirements for part in ("--requirement", str(path))]
        _uv(
            "pip",
            "install",
            "--python",
            str(folder / "bin/python"),
            *(["--no-deps"] if no_deps else []),
            *files,
        )
        stamp.write_text(wanted)
    return folder


def _fingerprint(interpreter: Interpreter, requirements: Sequence[Path]) -> str:
    texts = [interpreter.version, *(path.read_text() for path in requirements)]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time make an environment; the others wait and find it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _uv(*arguments: str) -> None:
    # A virtual environment that happens to be active is none of our business.
    environ = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    environ["UV_PYTHON_INSTALL_DIR"] = str(tools_folder() / "python")
    try:
        result = subprocess.run(
            [uv.find_uv_bin(), "--no-progress", *arguments],
            env=environ,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CommandError(
            f"An installation took over {INSTALL_TIMEOUT_S} s; is PyPI reachable?"
        ) from None
    if result.returncode:
        last = " ".join(result.stderr.split())[-400:]
        raise CommandError(
            f"`uv {arguments[0]}` failed; is PyPI reachable? It said: {last}"
        )
