"""What `sam build` and `make package` ship: the core, urllib3, and their byte code.

    python3 build.py FOLDER

Nothing here needs more than Python 3.9, because SAM runs it with any `python3`.  A
wheel has the same file, so that both make the same bytes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Lambda's Python, as in template.yaml.
VERSION = "3.13"

#: As old as Lambda's own C library.
PLATFORM = ("x86_64-manylinux_2_28", "manylinux_2_28_x86_64", "manylinux2014_x86_64")

#: Where a checkout or a wheel has what ships.
_ABOVE = Path(__file__).resolve().parents[1]
SOURCES = _ABOVE / "project" if (_ABOVE / "project").is_dir() else _ABOVE.parent

#: Where installers and Pythons run: elsewhere there may be somebody's uv.toml, which
#: names other files and their hashes, or a py_compile.py of his.
TOP = SOURCES.anchor

#: The modules that Lambda is told of; see template.yaml.
ENTRIES = ("lambda_function.py", "token_function.py")

#: Byte code spares a cold start the compilation.  Unchecked, because neither a zip nor
#: Lambda keeps the times of files; the same bytes each time, whatever the folder.
#: https://docs.python.org/3/library/py_compile.html#py_compile.PycInvalidationMode
_COMPILE = """
import pathlib, py_compile, sys
folder = pathlib.Path(sys.argv[1])
for path in sorted(folder.rglob("*.py")):
    py_compile.compile(
        str(path),
        dfile="/var/task/" + path.relative_to(folder).as_posix(),
        doraise=True,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
"""


#: What is to be said if the byte code is not in it.
WITHOUT_BYTE_CODE = (
    f"No Python {VERSION} here: the package goes without byte code, and starts slower."
)

#: How a variable is named that holds a path, which may be meant from where we are.
_OF_A_PATH = re.compile(r"(?:_DIR|_FILE|_CERT|_BUNDLE|_FIND_LINKS|NETRC)\Z")

#: How a variable is named that holds a secret, and not where one is.
_OF_A_SECRET = re.compile(
    r"(?:TOKEN|SECRET|PASSWORD|PASSWD|ACCESS_KEY|API_KEY|_AUTH|AUTH_CONFIG"
    r"|BEARER_TOKEN_[A-Z]+|CLIENT_CONFIRMATION)\Z",
    re.IGNORECASE,
)

#: What such a variable may be, and is no secret.
_SWITCHES = frozenset({"0", "1", "false", "no", "none", "off", "on", "true", "yes"})

#: The login in an address, such as an index's or a proxy's: as it should be written,
#: and with a password that has a slash, or without https:// before it.
_USERINFO = (
    re.compile(r"://([^/?#\s]*)@"),
    re.compile(r"(?:\A(?!.*://)|://)([^/?#\s:@]*:\S*)@"),
)

#: Characters of a name that may be a token, where a word stands for the password.
_OF_A_TOKEN = 20

#: Characters at the end of what a program has written, in which its last words are.
END = 10_000

#: A package and its version, in a file of requirements.
_PINNED = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)

#: What installers write for themselves, each in its own way.
_NOTES = ("INSTALLER", "RECORD", "REQUESTED")

#: What installers and Pythons need of our environment, tokens of the home not among it;
#: a name that ends in _ stands for all that begin so.
_NEEDED = (
    *("PATH", "HOME", "USER", "LANG", "LC_", "TMPDIR", "TZ", "XDG_", "NETRC"),
    *("UV_", "PIP_", "PYENV_", "VIRTUAL_ENV", "SSL_CERT_"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SYSTEMROOT", "COMSPEC", "PATHEXT", "TEMP", "TMP"),
    *("USERPROFILE", "APPDATA", "LOCALAPPDATA"),
)


class BuildError(Exception):
    """The package could not be made; the message says why.

    Args:
        message: In words of ours.
        words: What the installer said, and whoever it asked.
    """

    def __init__(self, message: str, words: str = "") -> None:
        super().__init__(message)
        self.words = words


def build(
    folder: Path, *, uvs: Iterable[str] = (), pythons: Iterable[str] | None = None
) -> bool:
    """Put what ships into a folder; return whether its byte code is there too.

    Args:
        folder: Which may be there already.
        uvs: Programs to install with, first of all.
        pythons: Those that may be Lambda's; None for all that are usual.

    Raises:
        BuildError: Nothing here installs packages, or it failed.
    """
    folder = folder.absolute()
    core = folder / "ha_bridge"
    core.mkdir(parents=True, exist_ok=True)
    for name in ENTRIES:
        shutil.copyfile(SOURCES / name, folder / name)
    for path in sorted((SOURCES / "ha_bridge").glob("*.py")):
        shutil.copyfile(path, core / path.name)
    _install(folder, [*uvs, "uv", str(SOURCES / ".venv" / "bin" / "uv")])
    is_compiled = _compile(folder, _pythons() if pythons is None else pythons)
    # Lambda is another user.
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return is_compiled


def _install(folder: Path, uvs: Iterable[str]) -> None:
    """Install what the core needs, for Lambda's Python, by uv or else by pip."""
    requirements = SOURCES / "requirements.txt"
    wanted = ["--quiet", "--no-compile", "--require-hashes", "--only-binary", ":all:"]
    wanted += ["--python-version", VERSION, "--target", str(folder)]
    wanted += ["--requirement", str(requirements)]
    python = sys.executable or "python3"
    for uv in uvs:
        if _works([uv, "--version"]):
            command = [uv, "pip", "install", "--link-mode", "copy"]
            command += ["--python-platform", PLATFORM[0]]
            break
    else:
        if not _works([python, "-m", "pip", "--version"]):
            raise BuildError(
                "Nothing here installs packages: install uv, or pip for python3."
            )
        command = [python, "-m", "pip", "install", "--disable-pip-version-check"]
        command += ["--ignore-requires-python", "--platform", PLATFORM[1]]
        command += ["--platform", PLATFORM[2]]
    done = subprocess.run(
        [*command, *wanted],
        env=_environ(),
        cwd=TOP,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise BuildError(
            "urllib3 could not be installed: is PyPI reachable?",
            done.stdout.decode("utf-8", "replace"),
        )
    for name, version in _PINNED.findall(requirements.read_text("utf-8")):
        if not (folder / f"{name}-{version}.dist-info").is_dir():
            raise BuildError(
                f"{name} {version} was not installed: your installer's own settings "
                "leave it out or replace it, such as UV_EXCLUDE or UV_OVERRIDE."
            )
    for name in (".lock", *(f"*.dist-info/{one}" for one in _NOTES)):
        for path in folder.glob(name):
            path.unlink()


def _compile(folder: Path, pythons: Iterable[str]) -> bool:
    """Compile with the first of these that is as Lambda's; return whether one was."""
    major, minor = VERSION.split(".")
    is_it = f"import sys; sys.exit(sys.version_info[:2] != ({major}, {minor}))"
    for python in pythons:
        if _works([python, "-c", is_it]):
            # Sets of texts are written in an order that the seed decides.
            environ = {"PATH": os.environ.get("PATH", ""), "PYTHONHASHSEED": "0"}
            if os.name == "nt":
                environ["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
            command = [python, "-B", "-s", "-c", _COMPILE, str(folder)]
            subprocess.run(command, env=environ, cwd=TOP, check=True)
            return True
    return False


def _pythons() -> Iterator[str]:
    """Give what may be a Python as Lambda's, the likeliest first."""
    yield from (f"python{VERSION}", sys.executable, "python3")
    yield str(SOURCES / ".venv" / "bin" / "python")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    for folder, pattern in (
        (pyenv / "versions", f"{VERSION}.*/bin/python{VERSION}"),
        (data / "uv" / "python", f"cpython-{VERSION}.*/bin/python{VERSION}"),
        (data / "uv" / "python", f"cpython-{VERSION}.*/python.exe"),
    ):
        yield from map(str, sorted(folder.glob(pattern)))


def _environ() -> dict[str, str]:
    begins = tuple(name for name in _NEEDED if name.endswith("_"))
    given = os.environ.items()
    kept = {k: v for k, v in given if k in _NEEDED or k.startswith(begins)}
    # Whoever's uv.toml asks for source: what builds one has no hash here.
    return {**from_here(kept), "UV_REQUIRE_BUILD_HASHES": "1"}


def from_here(environ: Mapping[str, str]) -> dict[str, str]:
    """Return variables with the paths that they mean, for what runs in `TOP`."""
    return {
        name: str(Path(value).absolute())
        if value and _OF_A_PATH.search(name) and "://" not in value
        else value
        for name, value in environ.items()
    }


def secrets_of(environ: Mapping[str, str]) -> Iterator[str]:
    """Give what of an environment opens something: tokens, passwords of addresses."""
    for name, value in environ.items():
        if _OF_A_SECRET.search(name) and value.lower() not in _SWITCHES:
            yield value
        logins = (one for kind in _USERINFO for one in kind.findall(value))
        for user, _, password in (login.partition(":") for login in logins):
            secrets = [password or user, *([user] if user[_OF_A_TOKEN:] else ())]
            yield from (*secrets, *map(unquote, secrets))


def _shown(words: str) -> list[str]:
    """Return the last lines of an installer, without what it sent to an index.

    With a Python before 3.10, none where there are secrets: what hides them is written
    for later ones.
    """
    told = words[-END:]
    if known := [*secrets_of(os.environ)]:
        sys.path.insert(0, str(SOURCES))
        try:
            from ha_bridge.echoes import without  # noqa: PLC0415 - see above
        except TypeError:
            return []
        told = without(told, known)
    # As `ascii` writes it, for an index can say what a terminal obeys.
    return [ascii(line)[1:-1] for line in told.splitlines()]


def _works(command: list[str]) -> bool:
    """Return whether a command can be run and ends well."""
    try:
        done = subprocess.run(
            command,
            env=_environ(),
            cwd=TOP,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return False
    return done.returncode == 0


def main() -> None:
    """Build into the folder that is named."""
    try:
        is_compiled = build(Path(sys.argv[1]))
    except BuildError as error:
        sys.exit("\n".join([*_shown(error.words), str(error)]))
    if not is_compiled:
        sys.stderr.write(f"{WITHOUT_BYTE_CODE}\n")


if __name__ == "__main__":
    main()
