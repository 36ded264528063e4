"""Options that mean the same in every command that has them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from ha_bridge_ops.variables import DEFAULT_FILE

#: How every command is asked for its help.
HELP: Final = {"help_option_names": ["-h", "--help"]}


def command(
    name: str | None = None,
) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command; in place of click.command.

    An option of every command goes around `run` here, with `expose_value=False` and
    a callback, because no command has an argument for it.
    """

    def make(run: Callable[..., Any]) -> click.Command:
        return click.command(name, context_settings=HELP)(run)

    return make


base_url = click.option(
    "--base-url", metavar="URL", help="Address of Home Assistant. Overrides BASE_URL."
)

env_file = click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    default=DEFAULT_FILE,
    show_default=True,
    help="File with settings; environment variables override it.",
)

skill_id = click.option(
    "--skill-id",
    metavar="ID",
    help="Id of the skill, from the Alexa developer console.",
)

#: What --function means, once or several times.
FUNCTION: Final = "Name or ARN of the Lambda function."

function = click.option("--function", metavar="NAME", help=FUNCTION)

region = click.option(
    "--region",
    metavar="REGION",
    help="AWS region of the function.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")

profile = click.option(
    "--profile", metavar="NAME", help="AWS profile, as for the AWS command line."
)

yes = click.option("--yes", is_flag=True, help="Change it without asking.")

ask_profile = click.option(
    "--ask-profile", metavar="NAME", help="Profile of the ASK CLI."
)

ask_command = click.option(
    "--ask-command",
    "--ask",
    "ask_command",
    metavar="COMMAND",
    help="How to call the ASK CLI, such as 'npx ask-cli'.",
)
