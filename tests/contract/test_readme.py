"""The documents say what the code does.

`python tests/contract/test_readme.py --write` writes the table of failures anew.
"""

import re
import sys
from itertools import groupby
from pathlib import Path

from ha_bridge.errors import Failure
from ha_bridge.settings import VARIABLES

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
MARKED = re.compile(r"(?<=-->\n)[^<]*(?=<!-- /failures -->)")


def table() -> str:
    """Return the table of failures in Markdown, a row a cause."""
    lines = ["| what is wrong | what Alexa is told |", "|---|---|"]
    for kind, rows in groupby(Failure, key=lambda row: row.error_type):
        lines += [f"| {row.cause} | {kind} |" for row in rows]
    return "\n".join(lines) + "\n"


def test_the_table_of_failures_is_the_codes() -> None:
    """Every row, in the order of the code."""
    found = MARKED.search(README.read_text())
    assert found is not None
    assert found.group() == table()


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
    for document in (README, ROOT / "CONTRIBUTING.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (ROOT / link).exists(), link


if __name__ == "__main__" and "--write" in sys.argv:
    README.write_text(MARKED.sub(table(), README.read_text()))
