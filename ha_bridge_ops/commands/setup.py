"""`ha-bridge setup`: from nothing to Alexa, step by step, and all of it back."""

from pathlib import Path
from typing import Any

import click

from ha_bridge_ops import options
from ha_bridge_ops.regions import LOCALES
from ha_bridge_ops.setup.desk import Desk, Wishes
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
@click.option(
    "--stack", metavar="NAME", help="Name of the stack.  [default: ha-bridge]"
)
@click.option(
    "--bucket", metavar="NAME", help="S3 bucket for the package.  [default: SAM’s]"
)
@options.profile
@click.option("--ask-profile", metavar="NAME", help="Profile of the ASK CLI.")
@click.option(
    "--ask-command",
    "--ask",
    "ask_command",
    metavar="COMMAND",
    help="How to call the ASK CLI.",
)
@click.option(
    "--folder",
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
@click.option("--dry-run", is_flag=True, help="Show what would be done, and end.")
@click.option("--remove", is_flag=True, help="Remove everything that setup has made.")
@options.yes
@options.env_file
def setup(*, dry_run: bool, remove: bool, **given: Any) -> None:
    """Set up function and skill, and wait until Alexa has found your devices.

    \b
    Examples:
      ha-bridge setup                        it asks for what it needs
      ha-bridge setup --base-url https://home.example.org --locale de-DE
      ha-bridge setup --dry-run              what it would do
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
    desk = Desk(Wishes(**given))
    if remove:
        take_away(desk, dry_run=dry_run)
        return
    desk.folder.path.mkdir(parents=True, exist_ok=True)
    with alone_in(desk.folder.path):
        set_up(desk, dry_run=dry_run)
