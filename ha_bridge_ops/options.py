"""Options that mean the same in every command that has them."""

from pathlib import Path

import click

from ha_bridge_ops.variables import DEFAULT_FILE

base_url = click.option(
    "--base-url", metavar="URL", help="Address of Home Assistant, in place of BASE_URL."
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

function = click.option(
    "--function",
    metavar="NAME",
    help="Name or ARN of the Lambda function, if there are several.",
)

region = click.option(
    "--region",
    metavar="REGION",
    help="AWS region of the function, if not one of Alexa’s.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")

yes = click.option("--yes", is_flag=True, help="Change it without asking.")
