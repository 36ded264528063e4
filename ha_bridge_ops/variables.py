"""The function's variables, from the environment or a file, for all commands alike."""

import os
from pathlib import Path

import click
from dotenv import dotenv_values

from ha_bridge.settings import VARIABLES

#: The option of every command that reads them.
env_file_option = click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    default=Path(".env"),
    show_default=True,
    help="File with settings; the environment goes before it.",
)


def read_variables(env_file: Path) -> dict[str, str]:
    """Return those of the function's variables that are set and not empty."""
    values = {**dotenv_values(env_file), **os.environ}
    return {name: value for name in VARIABLES if (value := values.get(name))}
