"""docs/troubleshooting.md has the catalogue as it is."""

import re
from pathlib import Path

from ha_bridge_ops.check.catalogue import EVERY
from ha_bridge_ops.check.reference import rewritten

PAGE = Path(__file__).parents[3] / "docs/troubleshooting.md"


def test_the_page_is_what_the_catalogue_says() -> None:
    """After a change the page is written anew: see `ha_bridge_ops.check.reference`."""
    text = PAGE.read_text("utf-8")
    assert text == rewritten(text)


def test_every_cause_has_a_row() -> None:
    """With its symptom first."""
    text = PAGE.read_text("utf-8")
    for link in EVERY:
        rows = re.findall(rf"^\|.*\| `{re.escape(link.id)}`.*\|$", text, re.MULTILINE)
        assert len(rows) == len(link.causes), link.id
    assert "{" not in text
