"""`ha-bridge check`: what is wrong, why, and what to do."""

import os
from collections.abc import Callable
from pathlib import Path

import click
from dotenv import dotenv_values
from rich.console import Console

from ha_bridge import __version__
from ha_bridge.settings import VARIABLES
from ha_bridge_ops.check import report
from ha_bridge_ops.check.catalogue import CHAIN
from ha_bridge_ops.check.chain import walk
from ha_bridge_ops.check.context import Context, Options
from ha_bridge_ops.check.model import Finding, Status
from ha_bridge_ops.errors import CommandError

#: Makes the context; a test hands in its own world.
MakeContext = Callable[..., Context]


@click.command()
@click.option("--base-url", help="Address of Home Assistant, in place of BASE_URL.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--markdown", is_flag=True, help="Print a table for a forum, your address left out."
)
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    default=Path(".env"),
    show_default=True,
    help="File with settings; the environment goes before it.",
)
@click.pass_obj
def check(
    make_context: MakeContext | None,
    *,
    base_url: str | None,
    as_json: bool,
    markdown: bool,
    env_file: Path,
) -> None:
    """Say what is wrong between Alexa and your Home Assistant, and what to do.

    \b
    Examples:
      ha-bridge check
      ha-bridge check --base-url https://home.example.org
      ha-bridge check --markdown      for a forum: no token, no address

    \b
    It looks at each link of the chain in turn: settings, address, certificate, Home
    Assistant, token, devices. Put BASE_URL and LONG_LIVED_ACCESS_TOKEN into the
    environment or into .env; without a token it looks as far as it can.

    It sends few requests and no token that could count as a failed login, and it
    switches nothing.

    Exit status: 0 no failure, 1 a failure, 2 wrong usage.
    """
    if as_json and markdown:
        raise CommandError("Choose one of --json and --markdown.")
    environ = _variables(env_file)
    if base_url is not None:
        environ["BASE_URL"] = base_url
    context = (make_context or Context)(environ, Options())
    findings = _walk(context, quiet=as_json or markdown)
    clean = report.cleaner(context, for_forum=markdown)
    if as_json:
        click.echo(report.as_json(findings, clean))
    if markdown:
        click.echo(report.as_markdown(findings, __version__, clean))
    if any(finding.status is Status.FAILED for finding in findings):
        raise SystemExit(1)


def _walk(context: Context, *, quiet: bool) -> list[Finding]:
    talk = Console(stderr=True, highlight=False)
    shown = report.Report(
        Console(highlight=False, quiet=quiet), report.cleaner(context)
    )
    findings = []
    remaining = walk(context, CHAIN)
    for link in CHAIN:
        with talk.status(f"Looking whether {link.title} ..."):
            finding = next(remaining)
        shown.add(finding)
        findings.append(finding)
    remaining.close()
    shown.end(findings)
    return findings


def _variables(env_file: Path) -> dict[str, str]:
    values = {**dotenv_values(env_file), **os.environ}
    return {name: value for name in VARIABLES if (value := values.get(name))}
