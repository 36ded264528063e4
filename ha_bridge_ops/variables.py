"""The function's variables, from the environment or a file, for all commands alike."""

import os
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from ha_bridge.settings import VARIABLES
from ha_bridge_ops.errors import CommandError

DEFAULT_FILE = Path(".env")


def read_variables(env_file: Path) -> dict[str, str]:
    """Return those of the function's variables that are set and not empty.

    Raises:
        CommandError: The file cannot be read, or was named and is not there.
    """
    if env_file.exists() or env_file != DEFAULT_FILE:
        _check_file(env_file)
    values = {**dotenv_values(env_file), **os.environ}
    return {name: value for name in VARIABLES if (value := values.get(name))}


def _check_file(env_file: Path) -> None:
    try:
        with env_file.open(encoding="utf-8") as lines:
            for binding in parse_stream(lines):
                if binding.error:
                    raise CommandError(
                        f"{env_file}, line {binding.original.line}, is not NAME=value."
                    )
    except FileNotFoundError:
        raise CommandError(f"There is no file {env_file}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"{env_file} cannot be read: save it as UTF-8.") from None
    except OSError as error:
        raise CommandError(f"{env_file} cannot be read: {error.strerror}.") from None
