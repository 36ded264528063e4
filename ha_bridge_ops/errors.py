"""What stops a command: one sentence for people, and an exit status.

Of every command: 0 fine, 1 something was found or refused, 2 it could not run.
"""

import click

from ha_bridge_ops.outside import lines


class CommandError(click.ClickException):
    """The command cannot go on; the message says why and what to do. Exit status 2."""

    exit_code = 2

    def format_message(self) -> str:
        """Return the message as the terminal may have it."""
        return lines(self.message, 4000)


class RefusedError(CommandError):
    """Amazon or AWS said no to what the command asked for. Exit status 1."""

    exit_code = 1
