"""The documents say what the code does."""

import re
from pathlib import Path

from ha_bridge.settings import VARIABLES

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def test_every_variable_is_explained() -> None:
    """A variable arrives with its row."""
    rows = re.findall(r"^\| `([A-Z_]+)` \|", README.read_text(), re.MULTILINE)
    assert rows == list(VARIABLES)


def test_every_make_target_of_the_documents_exists() -> None:
    """What is to be typed can be typed."""
    text = README.read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert named
    assert named <= set(targets)


def test_every_file_of_the_documents_exists() -> None:
    """Links lead somewhere."""
    for document in (README, ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#:]+)[)#]", document.read_text()):
            assert (document.parent / link).exists(), link
