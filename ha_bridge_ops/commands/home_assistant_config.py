"""`ha-bridge home-assistant-config`: the block for Home Assistant's configuration.

The keys are those of https://www.home-assistant.io/integrations/alexa.smart_home/, as
Home Assistant 2024.3 to 2025.4 accept them.
"""

import json
import re
from collections.abc import Iterable

import click

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.regions import LOCALES, locale_of, region_of

#: What a filter may name, in the order in which Home Assistant's documents have it.
_KINDS = {
    "domains": re.compile(r"[a-z][a-z0-9_]*"),
    "entities": re.compile(r"[a-z][a-z0-9_]*\.[a-z0-9_]+"),
    "entity_globs": re.compile(r"(?=.*[*?\[])[a-z0-9_.*?\[\]!-]+"),
}


@click.command(
    "home-assistant-config", short_help="The alexa: block for Home Assistant."
)
@click.option(
    "--locale",
    required=True,
    metavar="LOCALE",
    help=f"Language of your Alexa: {', '.join(LOCALES)}.",
)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="WHAT",
    help="A domain, an entity or a pattern that Alexa may see; with ! before it, "
    "one that she may not. May be repeated, or given with commas.",
)
@click.option(
    "--proactive", is_flag=True, help="Let Home Assistant report changes to Alexa."
)
def home_assistant_config(
    *, locale: str, filters: tuple[str, ...], proactive: bool
) -> None:
    """Print the `alexa:` block for your Home Assistant's configuration.yaml.

    \b
    Examples:
      ha-bridge home-assistant-config --locale de-DE
      ha-bridge home-assistant-config --locale en-US \\
        --filter light --filter climate.bedroom --filter 'sensor.*_temperature'
      ha-bridge home-assistant-config --locale fr-FR --filter 'light,!light.hall'
      ha-bridge home-assistant-config --locale ja-JP --proactive

    Put it into configuration.yaml, in place of an `alexa:` that is there already, and
    restart Home Assistant. Without a filter Alexa sees whatever Home Assistant can
    offer her.

    With --proactive, Home Assistant tells Alexa of changes by itself. It needs the
    client id and secret of the skill in its secrets.yaml, as alexa_client_id and
    alexa_client_secret: `ha-bridge skill --proactive --apply` fetches them.

    Exit status: 0 fine, 2 wrong usage.
    """
    text = configuration(locale, filters, proactive=proactive)
    click.echo(text, nl=False)
    if proactive:
        click.echo(
            "! It needs alexa_client_id and alexa_client_secret in secrets.yaml.",
            err=True,
        )
    if locale_of(locale) == "nl-NL":
        click.echo("! Home Assistant knows nl-NL from 2025.1 on.", err=True)


def configuration(
    locale: str, filters: Iterable[str] = (), *, proactive: bool = False
) -> str:
    """Return the block as YAML.

    Args:
        locale: Of the Amazon account.
        filters: Domains, entity ids and patterns; a ! before one excludes it.
        proactive: Whether Home Assistant reports changes to Alexa's event gateway.

    Raises:
        CommandError: The locale is unknown, or a filter names nothing.
    """
    lines = ["alexa:", "  smart_home:", f"    locale: {locale_of(locale)}"]
    if proactive:
        lines += [
            f"    endpoint: {region_of(locale).event_gateway}",
            "    client_id: !secret alexa_client_id",
            "    client_secret: !secret alexa_client_secret",
        ]
    chosen = _sorted(filters)
    if chosen:
        lines.append("    filter:")
        for key, names in chosen.items():
            lines.append(f"      {key}:")
            lines += [f"        - {_scalar(name)}" for name in names]
    return "\n".join(lines) + "\n"


def _sorted(filters: Iterable[str]) -> dict[str, list[str]]:
    """Return what is included and excluded, by Home Assistant's keys."""
    wanted: dict[str, list[str]] = {
        f"{way}_{kind}": [] for way in ("include", "exclude") for kind in _KINDS
    }
    for text in filters:
        for part in text.split(","):
            name = part.strip()
            way = "exclude" if name.startswith("!") else "include"
            name = name.removeprefix("!").strip()
            wanted[f"{way}_{_kind(name)}"].append(name)
    return {key: list(dict.fromkeys(names)) for key, names in wanted.items() if names}


def _kind(name: str) -> str:
    for kind, pattern in _KINDS.items():
        if pattern.fullmatch(name):
            return kind
    raise CommandError(
        f"{name!r} is no filter: give a domain such as light, an entity such as "
        "light.kitchen, or a pattern such as 'sensor.*_temperature', in small letters."
    )


def _scalar(name: str) -> str:
    """Return it as YAML reads it as a text: a * would begin an alias."""
    return (
        name if re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)?", name) else json.dumps(name)
    )
