"""A Discover.Response as a table for a terminal."""

from typing import Any

from rich.table import Table

from ha_bridge_ops.endpoints.abilities import abilities, category
from ha_bridge_ops.outside import visible


def endpoint_table(endpoints: list[Any]) -> Table:
    """Return a table of endpoints, sorted by category and name."""
    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    drawn.add_column("Say", no_wrap=True)
    drawn.add_column("It is a", no_wrap=True)
    drawn.add_column("Alexa can control or ask")
    rows = [
        tuple(map(visible, (category(one), one.get("friendlyName"), abilities(one))))
        for one in endpoints
        if isinstance(one, dict)
    ]
    for kind, name, words in sorted(rows):
        drawn.add_row(name, kind, words)
    return drawn
