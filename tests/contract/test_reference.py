"""The generated pages are what the code says; `make docs` writes them."""

import re
from pathlib import Path

import pytest

from ha_bridge.errors import Failure
from ha_bridge_ops.check.catalogue import EVERY
from ha_bridge_ops.cli import COMMANDS
from ha_bridge_ops.reference import PAGES, main, rewritten

ROOT = Path(__file__).parents[2]

#: How a cause begins.
CAUSE = r"^\*\*(\w+)\*\* \((?:failure|warning)\)$"


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    """After a change of the code: make docs."""
    assert text(name) == rewritten(text(name), PAGES[name])


def test_every_finding_has_a_heading_that_can_be_linked_to() -> None:
    """Its causes stand below it, each with what to do, and no name in braces."""
    page = text("docs/findings.md")
    for link in EVERY:
        _, _, section = page.partition(f'<a id="{link.id}"></a>\n\n### `{link.id}`\n')
        section, _, _ = section.partition("\n<a id=")
        named = re.findall(
            r"^\*\*(\w+)\*\* \((?:failure|warning)\)$", section, re.MULTILINE
        )
        assert named == [cause.name for cause in link.causes], link.id
        assert section.count("*What to do:*") == len(named), link.id
    assert not re.search(r"\{\w+\}", page)


def test_every_symptom_leads_to_a_finding() -> None:
    """Each cause has a row, and each link an end."""
    page, ends = text("docs/troubleshooting.md"), text("docs/findings.md")
    for link in EVERY:
        rows = re.findall(rf"^\|.*\| `{re.escape(link.id)}`.*\|$", page, re.MULTILINE)
        assert len(rows) == len(link.causes), link.id
    for anchor in re.findall(r"findings\.md#([\w.]+)", page):
        assert f'<a id="{anchor}"></a>' in ends


def test_every_failure_has_a_row_with_what_to_do() -> None:
    """In the table of its type."""
    page = text("docs/errors.md")
    for failure in Failure:
        _, _, section = page.partition(f"## {failure.error_type}\n")
        section, _, _ = section.partition("\n## ")
        assert failure.cause in section, failure.name


def test_every_command_has_its_help() -> None:
    """In 80 columns, as a terminal shows it."""
    page = text("docs/commands.md")
    for name in COMMANDS:
        assert f"## ha-bridge {name}\n" in page
        assert f"Usage: ha-bridge {name} " in page
    blocks = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    assert max(len(line) for block in blocks for line in block.splitlines()) <= 80


def test_make_docs_mends_a_page(tmp_path: Path) -> None:
    """What is between the marks is written anew, and the rest stays."""
    for name in PAGES:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(name), "utf-8")
    page = tmp_path / "docs/errors.md"
    whole = page.read_text("utf-8")
    page.write_text(whole.replace("## INTERNAL_ERROR", "## SOMETHING_OLD"), "utf-8")
    main(tmp_path)
    assert page.read_text("utf-8") == whole


def test_a_page_without_its_marks_is_refused() -> None:
    """Else a section would be lost in silence."""
    with pytest.raises(ValueError, match="errors: written by make docs"):
        rewritten("# Errors\n", PAGES["docs/errors.md"])
