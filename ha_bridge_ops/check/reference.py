"""The tables of `docs/troubleshooting.md`, written from the catalogue.

After a change there: `python -m ha_bridge_ops.check.reference docs/troubleshooting.md`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ha_bridge_ops.check.catalogue import EVERY, PARTS, TEXTS
from ha_bridge_ops.check.model import Cause, Link, Status

#: What is written stands between these lines; the rest of the page is by hand.
BEGIN: Final = "<!-- findings: written by ha_bridge_ops/check/reference.py -->\n"
END: Final = "<!-- /findings -->\n"


def tables() -> str:
    """Return the tables, a part of the chain each."""
    parts = []
    for prefix, title in PARTS.items():
        own = [link for link in EVERY if link.id.partition(".")[0] == prefix]
        parts.append("\n".join(_part(title, own)))
    return "\n".join(parts)


def rewritten(page: str) -> str:
    """Return a page with the tables as they are now."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{tables()}{END}{tail}"


def _part(title: str, links: list[Link]) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    yield "| symptom | finding | what it means | what to do |"
    yield "|---|---|---|---|"
    for link in links:
        for cause in link.causes:
            yield _row(link, cause)
    yield ""


def _row(link: Link, cause: Cause) -> str:
    sign = " (warning)" if cause.status is Status.WARNING else ""
    lines = TEXTS.with_examples(cause.paste).splitlines()
    # In a table only pre keeps the indentation of several lines.
    pasted = (
        f"<pre>{'<br>'.join(lines)}</pre>"
        if lines[1:]
        else "".join(f"`{line}`" for line in lines)
    )
    cells = (
        TEXTS.with_examples(cause.symptom),
        f"`{link.id}`{sign}",
        TEXTS.with_examples(cause.means),
        "<br>".join(part for part in (TEXTS.with_examples(cause.fix), pasted) if part),
    )
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(rewritten(path.read_text("utf-8")), "utf-8")
