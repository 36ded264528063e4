"""A Discover.Response as a table for a terminal."""

from collections.abc import Callable
from typing import Any, Final

from rich.table import Table

from ha_bridge_ops.endpoints.abilities import abilities, category
from ha_bridge_ops.endpoints.capabilities import Endpoint
from ha_bridge_ops.outside import hidden_in, visible
from ha_bridge_ops.terminal import plain_table

#: Characters of a text that are looked at; half a secret is none that could be found.
_READ: Final = 4000


def endpoint_table(endpoints: list[Any], hide: Callable[[str], str] = str) -> Table:
    """Return a table of endpoints, sorted by category and name.

    Args:
        endpoints: As Discovery lists them, or whatever came.
        hide: Takes secrets out of a text.
    """
    drawn = plain_table("Say", "It is a", "Alexa can control or ask")
    for column in drawn.columns[:2]:
        column.no_wrap = True
    rows = [
        [text[:_READ] for text in _cells(one)]
        for one in endpoints
        if isinstance(one, dict)
    ]
    shown = [tuple(map(visible, row)) for row in hidden_in(rows, hide)]
    for kind, name, words in sorted(shown):
        drawn.add_row(name, kind, words)
    return drawn


def _cells(endpoint: Endpoint) -> tuple[str, str, str]:
    name = str(endpoint.get("friendlyName"))
    return category(endpoint), name, abilities(endpoint)
