"""`ha-bridge home-assistant-config`: the block for Home Assistant's configuration."""

from dataclasses import replace

import click

from ha_bridge_ops import options
from ha_bridge_ops.endpoints.exposure import Entity, configuration
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.regions import LOCALES, locale_of
from ha_bridge_ops.terminal import echo
from ha_bridge_ops.typed import typed


@options.command("home-assistant-config")
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
    "one that it may not. May be repeated, or given with commas.",
)
@click.option(
    "--entity",
    "named",
    multiple=True,
    metavar="ID[=NAME]",
    help="An entity that Alexa may see, and what it is called there. May be repeated.",
)
@click.option(
    "--category",
    "categories",
    multiple=True,
    metavar="ID=CATEGORY",
    help="What kind of device Alexa shows, such as LIGHT. May be repeated.",
)
@click.option(
    "--proactive", is_flag=True, help="Let Home Assistant report changes to Alexa."
)
def home_assistant_config(
    *,
    locale: str,
    filters: tuple[str, ...],
    named: tuple[str, ...],
    categories: tuple[str, ...],
    proactive: bool,
) -> None:
    """Print the `alexa:` block for your Home Assistant's configuration.yaml.

    \b
    Examples:
      ha-bridge home-assistant-config --locale de-DE
      ha-bridge home-assistant-config --locale en-US \\
        --filter light --filter climate.bedroom --filter 'sensor.*_temperature'
      ha-bridge home-assistant-config --locale fr-FR --filter 'light,!light.hall'
      ha-bridge home-assistant-config --locale en-GB \\
        --entity light.kitchen="Kitchen light" --category light.kitchen=SMARTPLUG
      ha-bridge home-assistant-config --locale ja-JP --proactive

    Put it into configuration.yaml, in place of an `alexa:` that is there already, and
    restart Home Assistant. Without a filter or an entity, Alexa sees everything that
    Home Assistant can offer; with them, only those. To rename something and keep
    everything else, add --filter '*'. `ha-bridge page` writes the block for you.

    With --proactive, Home Assistant tells Alexa of changes by itself. It needs the
    client id and secret of the skill in its secrets.yaml, as alexa_client_id and
    alexa_client_secret: `ha-bridge skill --proactive --apply` fetches them.

    Exit status: 0 fine, 2 it could not run.
    """
    entities = _entities(named, categories)
    text = configuration(locale, filters, proactive=proactive, entities=entities)
    echo(text, nl=False)
    if proactive:
        echo(
            "! It needs alexa_client_id and alexa_client_secret in secrets.yaml.",
            err=True,
        )
    if locale_of(locale) == "nl-NL":
        echo("! Home Assistant knows nl-NL from 2025.1 on.", err=True)


def _entities(named: tuple[str, ...], categories: tuple[str, ...]) -> list[Entity]:
    """Return the entities that were named, each once.

    Raises:
        CommandError: A text is none of ID, ID=NAME and ID=CATEGORY.
    """
    found: dict[str, Entity] = {}
    for text in named:
        entity_id, _, name = text.partition("=")
        found[entity_id.strip()] = Entity(entity_id.strip(), name.strip())
    for text in categories:
        entity_id, _, category = (part.strip() for part in text.partition("="))
        if not category:
            raise CommandError(
                f"{typed(text)} is no category: say it as light.kitchen=LIGHT."
            )
        known = found.get(entity_id, Entity(entity_id, is_chosen=False))
        category = category.upper().replace(" ", "_")
        found[entity_id] = replace(known, category=category)
    return list(found.values())
