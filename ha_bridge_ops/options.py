"""Options that mean the same in every command that has them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from ha_bridge_ops import grammar
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.grammar import Grammar
from ha_bridge_ops.outside import is_visible
from ha_bridge_ops.typed import is_secret
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


def must_be(read: Grammar, like: str) -> Callable[[Any, Any, str | None], str | None]:
    """Return the callback of an option whose text has a grammar.

    What is none may be a token in the wrong place: it is not repeated, nor sent.

    Args:
        read: The grammar.
        like: What it must be, with an example.
    """

    def callback(_: Any, option: Any, text: str | None) -> str | None:
        written = None if text is None else read(text)
        if text is not None and written is None:
            raise CommandError(f"{option.opts[0]} must {like}.")
        return written

    return callback


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
    callback=must_be(
        lambda text: grammar.skill_id(text.strip()),
        "look like amzn1.ask.skill.12345678-1234-1234-1234-123456789abc: is a digit "
        "missing?",
    ),
)

#: What --function means, once or several times.
FUNCTION: Final = "Name or ARN of the Lambda function."


#: A name alone, or a whole ARN, each with or without version or alias.
a_function = must_be(
    grammar.matching(
        r"(?:arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:)?[A-Za-z0-9_-]{1,64}"
        r"(?::[A-Za-z0-9_$-]{1,128})?"
    ),
    "be a name, or a whole ARN such as arn:aws:lambda:eu-west-1:123456789012:function:"
    "ha-bridge",
)

function = click.option(
    "--function", metavar="NAME", help=FUNCTION, callback=a_function
)

region = click.option(
    "--region",
    metavar="REGION",
    help="AWS region of the function.",
    callback=must_be(grammar.aws_region, "be a region of AWS such as eu-west-1"),
)

stack = must_be(
    grammar.stack,
    "be of letters, digits and hyphens, and begin with a letter",
)

#: Of S3; https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
bucket = must_be(
    grammar.matching(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
    "be of small letters, digits, dots and hyphens",
)


def printable(_: Any, option: Any, path: Path) -> Path:
    """Check a path that stands in commands to be pasted: all of it can be seen.

    Raises:
        CommandError: It has a line break or the like in it, or is a secret.
    """
    if is_secret(str(path)):
        raise CommandError(
            f"{option.opts[0]} is no folder: it looks like a token or a password."
        )
    if not is_visible(str(path)):
        raise CommandError(
            f"{option.opts[0]} has a line break or another invisible character in its "
            "name: choose another."
        )
    return path


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
