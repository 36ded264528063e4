"""Links lead somewhere, and what is promised has its test or its measurement."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from ha_bridge import __version__

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")], key=lambda path: path.name
)
PROMISES = ROOT / "docs/how-it-works.md"
THREATS = ROOT / "docs/threat-model.md"


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return what can be linked to in a page, as GitHub names it."""
    text = path.read_text("utf-8")
    found = set(re.findall(r'<a id="([^"]+)"></a>', text))
    tokens = MarkdownIt().parse(text)
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            slug = re.sub(r"[^\w\- ]", "", token.content.lower()).replace(" ", "-")
            found.add(slug)
    return frozenset(found)


def links(path: Path) -> list[str]:
    """Return where a page leads to, pictures included; what is code is no link."""
    parser = MarkdownIt().enable("table")
    found = []
    for token in parser.parse(path.read_text("utf-8")):
        for child in token.children or ():
            target = child.attrs.get("href") or child.attrs.get("src")
            if target:
                found.append(str(target))
        if token.type in ("html_block", "html_inline"):
            found += re.findall(r'(?:src|srcset|href)="([^"]+)"', token.content)
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    """To a file of the project and a heading in it, or to https."""
    for link in links(path):
        if re.match(r"https://[\w.-]+(/|$)", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_document_is_in_the_index() -> None:
    """Nobody has to guess that there is one."""
    index = ROOT / "docs/README.md"
    named = {link.partition("#")[0] for link in links(index)}
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages <= named


@pytest.mark.parametrize("path", [PROMISES, THREATS], ids=lambda path: path.name)
def test_every_test_that_is_named_exists(path: Path) -> None:
    """A promise whose test is gone is none."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", path.read_text("utf-8"))
    assert len(named) > 10
    for file, name in named:
        source = (ROOT / file).read_text("utf-8")
        assert re.search(rf"^def {name}\(", source, re.MULTILINE), f"{file}::{name}"


def test_every_promise_and_threat_has_what_holds_it() -> None:
    """A row of the bench, or a test; no row of a table goes without."""
    text = PROMISES.read_text("utf-8")
    _, _, rest = text.partition("<!-- promises")
    table, _, _ = rest.partition("<!-- /promises -->")
    rows = re.findall(r"^\| (?!promise|-)(.+) \|$", table, re.MULTILINE)
    assert len(rows) > 10
    for row in rows:
        assert "::test_" in row or "[bench]" in row, row
    bench = (ROOT / "docs/performance.md").read_text("utf-8")
    for name in re.findall(r"\[bench\]\(performance\.md\): \*([^*]+)\*", table):
        assert f"| {name} |" in bench, name
    for row in re.findall(r"^\| (.+) \|$", THREATS.read_text("utf-8"), re.MULTILINE):
        if not row.startswith(("who |", "what |", "---")) and "-|-" not in row:
            assert "::test_" in row, row


def test_the_numbers_of_the_promises_are_those_of_the_bench() -> None:
    """Rounded, and from the one run that docs/performance.md shows."""
    bench = (ROOT / "docs/performance.md").read_text("utf-8")
    page = PROMISES.read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")

    def cells(name: str) -> list[float]:
        row = re.search(rf"^\| {re.escape(name)} \| (.+) \|$", bench, re.MULTILINE)
        assert row, name
        return [float(cell.split()[0]) for cell in row[1].split(" | ")]

    ours, script, limit, ratio = cells("Warm directive, ms")
    assert f"{ratio:.2f} times a bare TLS socket" in page
    assert f"{script / limit:.1f} times a bare TLS socket" in page
    assert f"{ratio:.2f} times as long as a bare TLS socket" in readme
    assert f"the script of the guide {script / limit:.1f} times" in readme
    cold, *_ = cells("Cold start: import and first directive, ms")
    assert f"{cold:.0f} ms, import and first directive" in page
    received, *_ = cells("Discovery, received, kB")
    assert f"{received:.1f} kB for 64 devices" in page
    assert ours < script


def test_the_version_is_in_the_changelog() -> None:
    """The newest that has a date, with its notes for those who upgrade."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    (newest, *_) = re.findall(
        r"^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", text, re.MULTILINE
    )
    assert newest == __version__
    _, _, notes = text.partition(f"## [{newest}]")
    assert "### Upgrade notes" in notes
