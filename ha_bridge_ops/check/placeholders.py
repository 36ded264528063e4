"""What checks fill into the texts of the catalogue: each value by its grammar."""

import re
import shlex
from collections.abc import Mapping
from typing import Final, NamedTuple

from ha_bridge_ops import grammar
from ha_bridge_ops.grammar import Grammar, matching
from ha_bridge_ops.outside import lines


class Placeholder(NamedTuple):
    """A name in braces."""

    read: Grammar
    """What may stand in its place, written anew."""
    instead: str = "what is named above"
    """What a sentence has where nothing may; lines to paste are left out then."""
    is_word: bool = True
    """Whether it is one word of a command, to be quoted for the shell."""


def _ours(text: str) -> str | None:
    # Written by us, and made of values that have been through here.
    return lines(text)


def _skill_id(text: str) -> str | None:
    return text if text == NO_SKILL_ID else grammar.skill_id(text)


#: Stands in the texts where the skill id is not known.
NO_SKILL_ID: Final = "amzn1.ask.skill.…"

_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,139}"

#: By the names of `placeholders.toml`; one that is missing here is never filled in.
PLACEHOLDERS: Final[Mapping[str, Placeholder]] = {
    "host": Placeholder(grammar.host, "your address"),
    "inside": Placeholder(_ours, "", is_word=False),
    "home": Placeholder(grammar.base_url, "your address"),
    "at_443": Placeholder(grammar.base_url, "your address"),
    "by_https": Placeholder(grammar.base_url, "your address"),
    "base_url": Placeholder(grammar.base_url, "your address"),
    "target": Placeholder(grammar.base_url, "the address it leads to"),
    "theirs": Placeholder(grammar.base_url, "the address set there"),
    "entity": Placeholder(grammar.entity_id, "the entity named above"),
    "longest": Placeholder(matching(r"[A-Za-z ,;()-]{1,200}")),
    "locale": Placeholder(matching(r"[a-z]{2}-[A-Z]{2}"), "your language"),
    "client_id": Placeholder(matching(r"https://[a-z.]{1,60}/")),
    "redirect_host": Placeholder(matching(r"[a-z.]{1,60}")),
    "skill": Placeholder(_skill_id, is_word=False),
    "region": Placeholder(grammar.aws_region),
    "env": Placeholder(matching(r"na|eu|fe")),
    "name": Placeholder(grammar.function_name, "the function"),
    "which": Placeholder(
        matching(
            rf"| --function {_NAME}(?::[A-Za-z0-9_-]{{1,129}})? "
            r"--region [a-z0-9-]{1,30}"
        ),
        is_word=False,
    ),
    "at": Placeholder(
        matching(r"| --qualifier [A-Za-z0-9_][A-Za-z0-9_-]{0,127}"), "", is_word=False
    ),
    "group": Placeholder(grammar.log_group, "the log group"),
    "statement": Placeholder(grammar.statement_id, "that statement"),
    "means": Placeholder(_ours, ""),
    "fix": Placeholder(_ours, ""),
    "paste": Placeholder(_ours, "", is_word=False),
}

#: Those that are texts of ours, without secrets already.
OURS: Final = frozenset(name for name, one in PLACEHOLDERS.items() if one.read is _ours)

#: What is said in place of lines that would hold what is none of ours.
LEFT_OUT: Final = (
    "(Lines to paste are left out, because what was seen cannot be in them.)"
)

_BRACES: Final = re.compile(r"\{(\w+)\}")

#: How a line begins that a shell reads.
_COMMAND: Final = re.compile(r"(?:ha-bridge|sam|aws|nslookup) ")


def sentence(text: str, values: Mapping[str, str]) -> str:
    """Return a text of the catalogue with what was seen filled in."""

    def fill(found: re.Match[str]) -> str:
        placeholder, value = PLACEHOLDERS.get(found[1]), values.get(found[1])
        if placeholder is None:
            return found[0]
        written = placeholder.read(value) if value is not None else None
        return placeholder.instead if written is None else written

    return _BRACES.sub(fill, text)


def to_paste(text: str, values: Mapping[str, str]) -> str | None:
    """Return lines of the catalogue with what was seen filled in.

    Returns:
        None where a value is not what may stand there.
    """
    is_whole = True

    def fill_in(line: str) -> str:
        is_command = bool(_COMMAND.match(line))

        def fill(found: re.Match[str]) -> str:
            nonlocal is_whole
            placeholder = PLACEHOLDERS.get(found[1])
            if placeholder is None:
                return found[0]  # such as ${…} of a shell
            written = placeholder.read(values.get(found[1], ""))
            if written is None:
                is_whole = False
                return ""
            is_quoted = is_command and placeholder.is_word
            return shlex.quote(written) if is_quoted else written

        return _BRACES.sub(fill, line)

    filled = "\n".join(map(fill_in, text.split("\n")))
    return filled if is_whole else None
