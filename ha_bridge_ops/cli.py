"""The command `ha-bridge`: one module a subcommand."""

import click

from ha_bridge import __version__
from ha_bridge_ops.commands.bench import bench
from ha_bridge_ops.commands.check import check
from ha_bridge_ops.commands.demo import demo
from ha_bridge_ops.commands.home_assistant_config import home_assistant_config
from ha_bridge_ops.commands.invoke import invoke
from ha_bridge_ops.commands.skill import skill
from ha_bridge_ops.local.processes import ending_on_signals


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Alexa and a self-hosted Home Assistant: see it work, and make it yours.

    \b
    Examples:
      ha-bridge demo                            see it work, without any account
      ha-bridge check                           what is wrong, why, what to do
      ha-bridge invoke events/discovery.json    ask your own home for its devices
      ha-bridge skill --locale en-GB            make the Alexa skill

    Settings come from the environment or from a file .env; no token is ever an
    argument. Exit status: 0 fine, 1 something failed, 2 wrong usage; the help
    of each command says what.
    """


cli.add_command(bench)
cli.add_command(check)
cli.add_command(demo)
cli.add_command(home_assistant_config)
cli.add_command(invoke)
cli.add_command(skill)


def main() -> None:
    """Run the command."""
    with ending_on_signals():
        cli(prog_name="ha-bridge")


if __name__ == "__main__":
    main()
