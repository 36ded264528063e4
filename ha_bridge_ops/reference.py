"""The pages of docs/ that say what the code says: `make docs` writes them.

What is generated lies between two marks of a page; the rest of it is by hand.  One test
compares.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Final

import click
import yaml

from ha_bridge.errors import Failure
from ha_bridge_ops.check.catalogue import EVERY, PARTS, TEXTS
from ha_bridge_ops.check.model import Cause, Check, Status
from ha_bridge_ops.cli import COMMANDS, cli
from ha_bridge_ops.local.tools import ROOT
from ha_bridge_ops.regions import CONSOLE, REGIONS
from ha_bridge_ops.terminal import echo

#: Columns of a help text.
_WIDTH: Final = 80


def rewritten(page: str, sections: Mapping[str, Callable[[], str]]) -> str:
    """Return a page with its sections as they are now.

    Raises:
        ValueError: The page has no marks for a section.
    """
    for name, section in sections.items():
        begin = f"<!-- {name}: written by make docs -->\n"
        head, begun, rest = page.partition(begin)
        _, ended, tail = rest.partition(f"<!-- /{name} -->")
        if not (begun and ended):
            raise ValueError(f"{begin.strip()} or its end is missing.")
        page = f"{head}{begin}{section()}{ended}{tail}"
    return page


# -- findings --------------------------------------------------------------------------


def symptoms() -> str:
    """Return what one sees and the finding that it is, a table for each part."""
    return _by_part(_symptoms)


def _symptoms(checks: list[Check]) -> Iterator[str]:
    yield "| symptom | finding | |"
    yield "|---|---|---|"
    for check in checks:
        for cause in check.causes:
            where = f"findings.md#{check.id}"
            yield _row(
                _plain(cause.symptom), f"`{check.id}`", f"[{cause.name}]({where})"
            )
    yield ""


#: Pages of a Home Assistant that a link leads to, whatever its address is.
#: https://www.home-assistant.io/integrations/my/
MY_HOME_ASSISTANT: Final = {
    "Settings → System → Logs": "logs",
    "Settings → System → Network": "network",
    "Settings → People": "people",
    "Settings → Voice assistants": "voice_assistants",
}


def findings() -> str:
    """Return every finding with its causes, under a heading of its id."""
    return _by_part(_findings)


def _findings(checks: list[Check]) -> Iterator[str]:
    for check in checks:
        # GitHub would leave the dot out of a heading's own anchor.
        yield f'<a id="{check.id}"></a>'
        yield ""
        yield f"### `{check.id}`"
        yield ""
        yield f"Whether {check.title}."
        yield ""
        for cause in check.causes:
            yield from _cause(cause)


def _cause(cause: Cause) -> Iterator[str]:
    kind = "warning" if cause.status is Status.WARNING else "failure"
    yield f"**{cause.name}** ({kind})"
    yield ""
    yield f"- *What you see:* {_plain(cause.symptom)}"
    yield f"- *What it means:* {_plain(cause.means)}"
    yield f"- *What to do:* {_linked(_plain(cause.fix))}"
    yield ""
    if pasted := TEXTS.with_examples(cause.paste):
        yield f"```text\n{pasted}\n```"
        yield ""


def _linked(text: str) -> str:
    """Return a text in which Home Assistant's own pages can be clicked."""
    for page, name in MY_HOME_ASSISTANT.items():
        link = f"https://my.home-assistant.io/redirect/{name}/"
        text = text.replace(page, f"[{page}]({link})")
    return text


def _by_part(write: Callable[[list[Check]], Iterator[str]]) -> str:
    lines: list[str] = []
    for prefix, title in PARTS.items():
        own = [check for check in EVERY if check.id.partition(".")[0] == prefix]
        lines += [f"## {title}", "", *write(own)]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Return a text of the catalogue as Markdown shows it word for word."""
    return re.sub(r"([*<>])", r"\\\1", TEXTS.with_examples(text))


def _row(*cells: str) -> str:
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


# -- failures --------------------------------------------------------------------------


def failures() -> str:
    """Return what Alexa is told of each failure, in the order of the code."""
    lines = ["| what is wrong | what Alexa is told |", "|---|---|"]
    lines += [_row(row.cause, row.error_type) for row in Failure]
    return "\n".join([*lines, ""])


def errors() -> str:
    """Return every failure with what to do about it, a table for each type."""
    lines: list[str] = []
    by_type = sorted(Failure, key=lambda row: row.error_type)
    for kind, rows in groupby(by_type, key=lambda row: row.error_type):
        lines += [f"## {kind}", "", "| what is wrong | what to do |", "|---|---|"]
        lines += [_row(row.cause, row.fix) for row in rows]
        lines.append("")
    return "\n".join(lines)


# -- the template and the events -------------------------------------------------------


class _Plain(yaml.SafeLoader):
    """Reads a template of CloudFormation; what its tags mean is not asked."""


_Plain.add_multi_constructor("!", lambda _loader, _tag, _node: None)


def parameters() -> str:
    """Return the parameters of the template, with what they are if nothing is given."""
    text = (ROOT / "template.yaml").read_text("utf-8")
    template = yaml.load(text, _Plain)  # noqa: S506 - a SafeLoader
    lines = ["| parameter | default | meaning |", "|---|---|---|"]
    for name, found in template["Parameters"].items():
        default = str(found["Default"]) or "empty"
        about = " ".join(found["Description"].split())
        lines.append(_row(f"`{name}`", default, f"{_plain(about.rstrip('.'))}."))
    return "\n".join([*lines, ""])


def events() -> str:
    """Return the events of the project, with the directive that each is."""
    lines = ["| name | directive |", "|---|---|"]
    for path in sorted((ROOT / "events").glob("*.json")):
        found = json.loads(path.read_text("utf-8"))
        header = found.get("directive", {}).get("header")
        what = f"{header['namespace']} {header['name']}" if header else "one of our own"
        lines.append(_row(f"`{path.stem}`", what))
    return "\n".join([*lines, ""])


# -- commands --------------------------------------------------------------------------


def commands() -> str:
    """Return the help of every command, as it is printed."""
    lines: list[str] = []
    top = click.Context(
        cli, info_name="ha-bridge", terminal_width=_WIDTH, **cli.context_settings
    )
    subcommands = (
        click.Context(command, info_name=name, parent=top)
        for name in COMMANDS
        if (command := cli.get_command(top, name))
    )
    for context in (top, *subcommands):
        shown = context.command.get_help(context)
        lines += [f"## {context.command_path}", "", "```text", shown, "```", ""]
    return "\n".join(lines)


def consoles() -> str:
    """Return where AWS's console has what, region by region."""
    lines = [f"| {' | '.join(['Amazon account of', *CONSOLE])} |"]
    lines.append("|---" * (len(CONSOLE) + 1) + "|")
    for region in REGIONS:
        links = [f"[{page}]({region.console(page)})" for page in CONSOLE]
        lines.append(f"| {' | '.join([region.title, *links])} |")
    return "\n".join([*lines, ""])


#: What is written into which page.
PAGES: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "docs/commands.md": {"commands": commands},
    "docs/errors.md": {"errors": errors},
    "docs/findings.md": {"findings": findings},
    "docs/reference.md": {
        "parameters": parameters,
        "failures": failures,
        "events": events,
    },
    "docs/setup.md": {"consoles": consoles},
    "docs/troubleshooting.md": {"symptoms": symptoms},
}


def main(root: Path = ROOT) -> None:
    """Write all of them."""
    for name, sections in PAGES.items():
        path = root / name
        page = path.read_text("utf-8")
        new = rewritten(page, sections)
        if new != page:
            path.write_text(new, "utf-8")
            echo(f"Written: {name}", err=True)


if __name__ == "__main__":
    main()
