"""What Alexa may see: the `alexa:` block of Home Assistant's configuration.yaml.

The keys are those of https://www.home-assistant.io/integrations/alexa.smart_home/, as
Home Assistant 2024.3 and later accept them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from ha_bridge_ops.endpoints.limits import CATEGORIES, MAX_NAME
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.grammar import ENTITY_ID
from ha_bridge_ops.outside import is_visible
from ha_bridge_ops.regions import locale_of, region_of
from ha_bridge_ops.typed import typed

#: What a filter may name, in the order in which Home Assistant's documents have it.
_KINDS: Final = {
    "domains": re.compile(r"[a-z][a-z0-9_]{0,63}"),
    "entities": ENTITY_ID,
    "entity_globs": re.compile(r"(?=.*[*?\[])[a-z0-9_.*?\[\]!-]{1,255}"),
}


@dataclass(frozen=True)
class Entity:
    """An entity that Alexa may see, or shall know as something else.

    Args:
        id: Such as light.kitchen.
        name: What Alexa calls it; empty: as Home Assistant does.
        category: What Alexa takes it for, such as LIGHT; empty: as it is.
        is_chosen: Whether the filter names it.

    Raises:
        CommandError: One of them cannot be; the message says which.
    """

    id: str
    name: str = ""
    category: str = ""
    is_chosen: bool = True

    def __post_init__(self) -> None:
        if not ENTITY_ID.fullmatch(self.id):
            raise CommandError(
                f"{typed(self.id)} is no entity: give an id such as light.kitchen, in "
                "small letters."
            )
        if self.name and not _is_name(self.name):
            raise CommandError(
                f"The name of {self.id} must have 1 to {MAX_NAME} characters, all of "
                "them visible."
            )
        if self.category and self.category not in CATEGORIES:
            raise CommandError(
                f"{typed(self.category)} is no category of Alexa’s: take one such as "
                "LIGHT, SWITCH, SMARTPLUG, FAN, THERMOSTAT or OTHER."
            )


def _is_name(text: str) -> bool:
    return text.strip() == text and is_visible(text) and len(text) <= MAX_NAME


class _Secret:
    """A value that stands in secrets.yaml."""

    def __init__(self, name: str) -> None:
        self.name = name


class _Dumper(yaml.SafeDumper):
    """YAML as Home Assistant's documents write it: lists are indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's own signature
        super().increase_indent(flow, indentless=False)

    def choose_scalar_style(self) -> str:
        """Return how a scalar is quoted: a reference to a secret is not."""
        is_secret = getattr(self.event, "tag", None) == "!secret"
        return "" if is_secret else super().choose_scalar_style()


_Dumper.add_representer(
    _Secret, lambda dumper, value: dumper.represent_scalar("!secret", value.name)
)


def configuration(
    locale: str,
    filters: Iterable[str] = (),
    *,
    proactive: bool = False,
    entities: Sequence[Entity] = (),
) -> str:
    """Return the block as YAML.

    Args:
        locale: Of the Amazon account.
        filters: Domains, entity ids and patterns; a ! before one excludes it.
        proactive: Whether Home Assistant reports changes to Alexa's event gateway.
        entities: Chosen one by one, with names and categories.

    Raises:
        CommandError: The locale is unknown, a filter names nothing, or an entity is
            both chosen and excluded.
    """
    block: dict[str, Any] = {"locale": locale_of(locale)}
    if proactive:
        block["endpoint"] = region_of(locale).event_gateway
        block["client_id"] = _Secret("alexa_client_id")
        block["client_secret"] = _Secret("alexa_client_secret")
    if chosen := _filter(filters, entities):
        block["filter"] = chosen
    if told := _entity_config(entities):
        block["entity_config"] = told
    return yaml.dump(
        {"alexa": {"smart_home": block}},
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=1000,
    )


def _filter(filters: Iterable[str], entities: Sequence[Entity]) -> dict[str, list[str]]:
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
    chosen = [one.id for one in entities if one.is_chosen]
    for one in chosen:
        if one in wanted["exclude_entities"]:
            raise CommandError(f"{one} is both chosen and excluded: decide for one.")
    wanted["include_entities"] += chosen
    return {key: list(dict.fromkeys(names)) for key, names in wanted.items() if names}


def _kind(name: str) -> str:
    for kind, pattern in _KINDS.items():
        if pattern.fullmatch(name):
            return kind
    raise CommandError(
        f"{typed(name)} is no filter: give a domain such as light, an entity such as "
        "light.kitchen, or a pattern such as 'sensor.*_temperature', in small letters."
    )


def _entity_config(entities: Sequence[Entity]) -> dict[str, dict[str, str]]:
    """Return names and categories by entity."""
    told: dict[str, dict[str, str]] = {}
    for one in entities:
        said = {"name": one.name, "display_categories": one.category}
        for key, text in said.items():
            if text:
                told.setdefault(one.id, {})[key] = text
    return told


def in_words(seen: int, entities: Sequence[Entity]) -> str:
    """Return what a choice changes, such as "36 of 58 stay, 2 are renamed".

    Args:
        seen: How many endpoints Alexa sees now.
        entities: The chosen ones; a name or category stands there if it is another.
    """
    parts = [f"{len(entities)} of {seen} {'stays' if len(entities) == 1 else 'stay'}"]
    renamed = sum(1 for one in entities if one.name)
    moved = sum(1 for one in entities if one.category)
    if renamed:
        parts.append(f"{renamed} {'is' if renamed == 1 else 'are'} renamed")
    if moved:
        parts.append(f"{moved} {'has' if moved == 1 else 'have'} another category")
    return ", ".join(parts)
