"""What stops a command: one sentence for people, and an exit status."""

import click


class CommandError(click.ClickException):
    """The command cannot go on; the message says why and what to do. Exit status 2."""

    exit_code = 2
