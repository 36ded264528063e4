"""A Discover.Response as a table for a terminal."""

from typing import Any

from rich.table import Table

from ha_bridge_ops.endpoints.abilities import abilities, category
from ha_bridge_ops.outside import visible
from ha_bridge_ops.terminal import plain_table


def endpoint_table(endpoints: list[Any]) -> Table:
    """Return a table of endpoints, sorted by category and name."""
    drawn = plain_table("Say", "It is a", "Alexa can control or ask")
    for column in drawn.columns[:2]:
        column.no_wrap = True
    rows = [
        tuple(map(visible, (category(one), one.get("friendlyName"), abilities(one))))
        for one in endpoints
        if isinstance(one, dict)
    ]
    for kind, name, words in sorted(rows):
        drawn.add_row(name, kind, words)
    return drawn
