"""The function's variables, from the environment or a file, for all commands alike."""

import os
import re
import shlex
import stat
import sys
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

#: Of those who may own somebody's settings.
_ROOT: Final = "0"

#: Variables that may hold a secret, and what to call it.
_SECRETS: Final = {
    TOKEN: "token",
    "EXTRA_HEADERS": "secret",
    "CLIENT_CERTIFICATE": "key",
    "LINK_CLIENT_SECRET": "client secret",
}


#: Where one is, in whatever line: a comment too, or one that a later line overrides.
_WITH_A_SECRET: Final = re.compile(
    rf"({'|'.join(_SECRETS)})[\"']?[ \t]*=[ \t]*(?:[\"']\s*)?"
    rf"(?!(?:{'|'.join(READERS)}):|\.\.\.|…|<|\$\{{|\{{\}})[^\s\"'#]"
)

_FOR_OTHERS: Final = stat.S_IRGRP | stat.S_IROTH


def read_variables(env_file: Path, *more: str) -> dict[str, str]:
    """Return those of the function's variables that are set and not empty.

    What stands in the file is taken as it stands: `${…}` is no reference to another
    variable, because a line that somebody was told to paste could send a secret away.

    Raises:
        CommandError: The file cannot be read, was named and is not there, or has what
            no environment can hold.
    """
    found: dict[str, str] = {}
    try:
        text = read_text(env_file, _MOST)
        _warn_of_others(env_file, text)
        found = _parsed(env_file, text)
    except FileNotFoundError:
        if env_file != DEFAULT_FILE:
            raise CommandError(f"{no_file(env_file)}.") from None
    values = {**found, **os.environ}
    known = {name: value for name in (*VARIABLES, *more) if (value := values.get(name))}
    for name, value in known.items():
        if "\0" in value:  # which no environment can hold
            raise CommandError(
                f"{name} in {env_file} has a NUL character in it: write it anew."
            )
    return known


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


def _parsed(env_file: Path, text: str) -> dict[str, str]:
    found = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            raise CommandError(
                f"{env_file}, line {binding.original.line}, is not NAME=value."
            )
        if binding.key is not None:
            found[binding.key] = binding.value or ""
    return found


def _warn_of_others(env_file: Path, text: str) -> None:
    """Say so if other users of this machine may read a secret in it, or write it."""
    if sys.platform == "win32":  # which keeps a home folder to its owner
        return
    status = env_file.stat()
    # An absolute path begins with no hyphen.
    path = str(env_file.absolute())
    file = f" {shlex.quote(path)}" if is_visible(path) else ""
    # Whoever has become root reads what is his own.
    known = {_ROOT, str(os.geteuid()), os.environ.get("SUDO_UID")}
    if str(status.st_uid) not in known:
        echo(
            f"! Another user of this machine owns {env_file}, and chooses where your "
            f'token is sent. If it is yours: sudo chown "$(id -u)"{file}',
            err=True,
        )
    what = _WITH_A_SECRET.search(text)
    if what and stat.S_ISREG(status.st_mode) and status.st_mode & _FOR_OTHERS:
        echo(
            "! Other users of this machine can read the "
            f"{_SECRETS[what[1]]} in {env_file}: chmod 600{file}",
            err=True,
        )
