"""The function's variables, from the environment or a file, for all commands alike."""

import os
import shlex
import stat
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Final

from dotenv.parser import parse_stream

from ha_bridge.errors import BridgeError
from ha_bridge.secrets import READERS
from ha_bridge.settings import VARIABLES, Settings
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.files import read_text
from ha_bridge_ops.outside import is_visible
from ha_bridge_ops.terminal import echo
from ha_bridge_ops.typed import no_file

DEFAULT_FILE = Path(".env")

#: Bytes of it: a function's variables have 4 KB, and a megabyte takes a minute to read.
_MOST: Final = 100_000

TOKEN = "LONG_LIVED_ACCESS_TOKEN"  # noqa: S105 - its name

#: Variables that may hold a secret, and what to call it.
_SECRETS: Final = {
    TOKEN: "token",
    "EXTRA_HEADERS": "secret",
    "CLIENT_CERTIFICATE": "key",
    "LINK_CLIENT_SECRET": "client secret",
}


def read_variables(env_file: Path, *more: str) -> dict[str, str]:
    """Return those of the function's variables that are set and not empty.

    What stands in the file is taken as it stands: `${…}` is no reference to another
    variable, because a line that somebody was told to paste could send a secret away.

    Raises:
        CommandError: The file cannot be read, or was named and is not there.
    """
    found: dict[str, str] = {}
    try:
        found = _read_file(env_file)
        _warn_of_readers(env_file, found)
    except FileNotFoundError:
        if env_file != DEFAULT_FILE:
            raise CommandError(f"{no_file(env_file)}.") from None
    values = {**found, **os.environ}
    return {name: value for name in (*VARIABLES, *more) if (value := values.get(name))}


def usable_variables(env_file: Path, otherwise: str = "") -> dict[str, str]:
    """Return the variables, with which the function can run.

    Args:
        env_file: As for `read_variables`.
        otherwise: What else one can do if they cannot be used, such as ", or …".

    Raises:
        CommandError: They cannot; it says which and why.
    """
    variables = read_variables(env_file)
    try:
        Settings.from_environ(variables)
    except BridgeError as error:
        raise CommandError(
            f"{error.detail}. Set it in the environment or in {env_file}{otherwise}."
        ) from None
    if any(character.isspace() for character in variables.get(TOKEN, "").strip()):
        raise CommandError(f"{TOKEN} has a space in it: give the token alone.")
    return variables


def _read_file(env_file: Path) -> dict[str, str]:
    found = {}
    for binding in parse_stream(StringIO(read_text(env_file, _MOST))):
        if binding.error:
            raise CommandError(
                f"{env_file}, line {binding.original.line}, is not NAME=value."
            )
        if binding.key is not None:
            found[binding.key] = binding.value or ""
    return found


def _warn_of_readers(env_file: Path, found: Mapping[str, str]) -> None:
    """Say so if a secret lies where every user of this machine may read it."""
    mode = env_file.stat().st_mode
    what = [
        called
        for name, called in _SECRETS.items()
        if (text := found.get(name, "").strip())
        and text.partition(":")[0] not in READERS
    ]
    if os.name != "posix":  # Windows keeps a home folder to its owner
        return
    if what and stat.S_ISREG(mode) and mode & (stat.S_IRGRP | stat.S_IROTH):
        # An absolute path begins with no hyphen.
        path = str(env_file.absolute())
        how = f"chmod 600 {shlex.quote(path)}" if is_visible(path) else "chmod 600"
        echo(
            f"! Other users of this machine can read the {what[0]} in {env_file}: "
            f"{how}",
            err=True,
        )
