"""The tables of `docs/troubleshooting.md`, written from the catalogue.

After a change there: `python -m ha_bridge_ops.check.guide docs/troubleshooting.md`.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ha_bridge_ops.check.catalogue import EVERY, PARTS
from ha_bridge_ops.check.model import Cause, Link, Status

#: What is written stands between these lines; the rest of the page is by hand.
BEGIN: Final = "<!-- findings: written by ha_bridge_ops/check/guide.py -->\n"
END: Final = "<!-- /findings -->\n"

_BRACES: Final = re.compile(r"\{(\w+)\}")

#: What stands for a value that only the check knows.
_EXAMPLES: Final = {
    "host": "home.example.org",
    "target": "https://the-address-it-leads-to",
    "longest": "it is named by the check",
    "entity": "light.hall",
    "region": "eu-west-1",
    "env": "eu",
    "name": "ha-bridge",
    "skill": "amzn1.ask.skill.…",
    "group": "/aws/lambda/ha-bridge",
    "base_url": "https://home.example.org",
    "theirs": "https://what-is-set-there",
    "client_id": "https://layla.amazon.com/",
    "redirect_host": "layla.amazon.com",
    "locale": "en-GB",
    "means": "The finding says which link it is.",
    "fix": "As for that link.",
    "paste": "",
    "which": "",
}


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
    lines = _filled(cause.paste).splitlines()
    # In a table only pre keeps the indentation of several lines.
    pasted = (
        f"<pre>{'<br>'.join(lines)}</pre>"
        if lines[1:]
        else "".join(f"`{line}`" for line in lines)
    )
    cells = (
        _filled(cause.symptom),
        f"`{link.id}`{sign}",
        _filled(cause.means),
        "<br>".join(part for part in (_filled(cause.fix), pasted) if part),
    )
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def _filled(text: str) -> str:
    return _BRACES.sub(lambda match: _EXAMPLES[match[1]], text)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(rewritten(path.read_text("utf-8")), "utf-8")
