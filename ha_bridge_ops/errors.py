"""What stops a command: one sentence for people, and an exit status."""

import click

from ha_bridge_ops.outside import lines


class CommandError(click.ClickException):
    """The command cannot go on; the message says why and what to do. Exit status 2."""

    exit_code = 2

    def format_message(self) -> str:
        """Return the message as the terminal may have it."""
        return lines(self.message, 4000)
