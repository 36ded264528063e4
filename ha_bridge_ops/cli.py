"""The command `ha-bridge`: a subcommand's module is loaded when it is typed."""

import errno
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Final, NoReturn

import click

from ha_bridge import __version__
from ha_bridge_ops.code_page import forget_what_it_cannot, write_what_it_can
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.processes import ending_on_signals
from ha_bridge_ops.outside import lines
from ha_bridge_ops.typed import without_typed

#: What each subcommand is for.  Its module in `commands/` has its name, with _ for -.
COMMANDS: Final = MappingProxyType(
    {
        "adopt": "Replace an old script with this function.",
        "bench": "Measure the latency, and the least that is possible.",
        "check": "Find out what is wrong, why, and what to do.",
        "demo": "See it work, without any account.",
        "home-assistant-config": "Print the alexa: block for Home Assistant.",
        "invoke": "Send one event through the handler.",
        "package": "Write what Lambda runs, to upload it yourself.",
        "page": "Show your home as Alexa sees it, in a browser.",
        "report": "Say how good your home was, from the function's log.",
        "setup": "Set up function and skill, step by step.",
        "skill": "Make the Alexa skill.",
    }
)


#: The disk, or one's part of it, is full.
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class LazyGroup(click.Group):
    """A group that knows its commands' names and imports only the one that is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in alphabetical order."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, whose module is imported now; None if there is none."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(
            import_module(f"ha_bridge_ops.commands.{name}"), name
        )
        command.short_help = COMMANDS[cmd_name]
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; what click repeats of its arguments is visible."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise _shown(error) from None

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the list of commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Alexa and a self-hosted Home Assistant: see it work, and make it yours.

    \b
    Examples:
      ha-bridge demo                            see it work, without any account
      ha-bridge page --demo                     a home as Alexa sees it
      ha-bridge setup                           skill and function, step by step
      ha-bridge adopt                           in place of a script you have
      ha-bridge check --aws                     what is wrong, why, what to do
      ha-bridge report                          how good was my home?

    Settings come from the environment or from the file .env. A token is never an
    argument. Exit status: 0 fine, 1 something was found or refused, 2 it could
    not run.
    """


def main() -> None:
    """Run the command."""
    streams = (sys.stdout, sys.stderr)
    for stream in streams:
        write_what_it_can(stream)
    with ending_on_signals():
        try:
            # What ends well otherwise, as --help does, gives its status.
            status = cli.main(prog_name="ha-bridge", standalone_mode=False)
            sys.exit(status if isinstance(status, int) else 0)
        except click.Abort:
            _end(click.ClickException("Aborted!"), 1)
        except click.ClickException as error:
            shown = error if isinstance(error, _ShownError) else _shown(error)
            _end(shown, error.exit_code)
        except Exception as error:  # noqa: BLE001 - the text of any may hold a secret
            _end(CommandError(_unexpected(error)), CommandError.exit_code)
        finally:
            for stream in streams:
                forget_what_it_cannot(stream)


def _end(error: click.ClickException, status: int) -> NoReturn:
    with suppress(OSError):  # the disk may be full that it is written to
        error.show()
    sys.exit(status)


class _ShownError(click.UsageError):
    """One that has been through `_shown`."""


def _shown(error: click.ClickException) -> click.ClickException:
    """Return an error in whose words there is no secret that somebody typed."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error
    # A path is worth more than a word: it is taken out only if it is like a secret.
    is_path = isinstance(
        getattr(getattr(error, "param", None), "type", None), click.Path
    )
    is_usage = isinstance(error, click.UsageError)
    message = lines(
        without_typed(
            error.format_message(), sys.argv[1:], strictly=is_usage and not is_path
        ),
        4000,
    )
    if isinstance(error, click.UsageError):
        return _ShownError(message, error.ctx)
    return click.ClickException(message)


def _unexpected(error: Exception) -> str:
    """Return where it failed, and not with which words: they could hold anything."""
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return f"The output cannot be written: {error.strerror}."
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if "ha_bridge" in one.filename] or frames
    place = f"{Path(ours[-1].filename).name}, line {ours[-1].lineno}"
    return (
        f"ha-bridge failed in a way it does not know ({type(error).__name__} in "
        f"{place}). Please report it, with this line."
    )


if __name__ == "__main__":
    main()
