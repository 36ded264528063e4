"""The documents say what the code does."""

import re
from pathlib import Path

from ha_bridge.settings import VARIABLES
from ha_bridge_ops.check.catalogue import EVERY, TEXTS

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def test_every_variable_is_explained() -> None:
    """A variable arrives with its row."""
    page = (ROOT / "docs/reference.md").read_text("utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE)
    assert rows == list(VARIABLES)


def test_every_make_target_of_the_documents_exists() -> None:
    """What is to be typed can be typed."""
    text = README.read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert named
    assert named <= set(targets)


def test_the_readme_is_short_and_begins_with_what_to_type() -> None:
    """One screen says what it is and what to type; all of it is read in minutes."""
    lines = README.read_text("utf-8").splitlines()
    assert len(lines) <= 120
    first = "\n".join(lines[:25])
    for needed in ("make demo", "make test", "docs/page-light.png", "Home Assistant"):
        assert needed in first


def test_the_sample_of_a_check_is_what_it_says() -> None:
    """Meaning, fix and what to type, as the catalogue has them."""
    (sample,) = re.findall(
        r"```text\n✗ FAILED    (\S+)\n(.+?)```", README.read_text("utf-8"), re.DOTALL
    )
    name, shown = sample[0], " ".join(sample[1].split())
    (check,) = [one for one in EVERY if one.id == name]
    (cause,) = [one for one in check.causes if one.means in shown]
    assert f"→ {cause.fix}" in shown
    assert TEXTS.with_examples(cause.paste) in shown
