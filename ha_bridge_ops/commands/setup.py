"""`ha-bridge setup`: from nothing to Alexa, step by step, and all of it back."""

import contextlib
import os
from pathlib import Path
from typing import Any

import click

from ha_bridge_ops import options
from ha_bridge_ops.regions import LOCALES
from ha_bridge_ops.setup.desk import Desk, Outside, Wishes
from ha_bridge_ops.setup.removal import remove as take_away
from ha_bridge_ops.setup.steps import set_up
from ha_bridge_ops.skill import consoles
from ha_bridge_ops.state import alone_in


@options.command()
@options.base_url
@click.option(
    "--locale",
    metavar="LOCALE",
    help=f"Language of your Alexa; the region follows: {', '.join(LOCALES)}.",
)
@click.option("--name", help=f"Name of the skill.  [default: {consoles.NAME}]")
@options.skill_id
@click.option(
    "--stack",
    metavar="NAME",
    help="Name of the stack.  [default: ha-bridge]",
    callback=options.stack,
)
@click.option(
    "--bucket",
    metavar="NAME",
    help="S3 bucket for the package.  [default: SAM’s]",
    callback=options.bucket,
)
@options.profile
@options.ask_profile
@options.ask_command
@click.option(
    "--folder",
    callback=options.printable,
    type=click.Path(path_type=Path, file_okay=False),
    default=consoles.FOLDER,
    show_default=True,
    help="Where it remembers how far it got.",
)
@click.option("--go-on", is_flag=True, help="Continue even if a check has failed.")
@click.option(
    "--wait",
    type=click.IntRange(0),
    default=900,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for Alexa at the end.",
)
@click.option(
    "--dry-run", is_flag=True, help="Show what would be done, each value, and end."
)
@click.option("--remove", is_flag=True, help="Remove everything that setup has made.")
@options.yes
@options.env_file
@click.pass_obj
def setup(outside: Outside | None, /, *, remove: bool, **given: Any) -> None:
    """Set up function and skill, and wait until Alexa has found your devices.

    \b
    Examples:
      ha-bridge setup                        it asks for what it needs
      ha-bridge setup --base-url https://home.example.org --locale de-DE
      ha-bridge setup --dry-run              what it would do, with each value
      ha-bridge setup --remove               remove everything that it made

    It checks that Home Assistant can be reached, logs in at AWS and Amazon (or says
    what to type), creates the skill, deploys the function, connects the two, sets up
    account linking, and checks everything. Then it says which button in the Alexa app
    you have to press, and watches the function's log until Alexa calls it.

    It shows what it is going to change at AWS and Amazon, and asks first. You can stop
    it at any point and run it again: it continues where it stopped, and changes only
    what is not yet as it should be. It installs the SAM CLI and the ASK CLI if needed.

    Exit status: 0 fine, 1 a check failed or something was refused, 2 it could not run.
    """
    desk = Desk(Wishes(**given), outside or Outside())
    do = take_away if remove else set_up
    if desk.wishes.dry_run:
        do(desk)  # nothing is written, not even here
        return
    folder = desk.folder.path
    was_there = os.path.isdir(folder)  # noqa: PTH112 - Path's raises at a long name
    desk.folder.make()
    try:
        with alone_in(folder):
            do(desk)
    finally:
        if remove or not was_there:
            _tidy(folder)


def _tidy(folder: Path) -> None:
    """Take the lock away, and the folder, where nothing else is left of them."""
    if [path.name for path in folder.iterdir()] in ([".lock"], []):
        # On Windows another may hold it; then it stays.
        with contextlib.suppress(OSError):
            (folder / ".lock").unlink(missing_ok=True)
            folder.rmdir()
