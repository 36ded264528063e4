"""What comes from outside, before anybody sees it: the one way it goes.

Servers, certificates, AWS, `ask`, logs and files of state say what they like.  It is
only ever shown, as text: it moves no cursor, hides nothing, closes no quote, makes no
link, and takes no more room than a sentence.  `terminal` prints nothing that has not
been through here.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from http import HTTPStatus
from secrets import token_hex
from typing import Any, Final

from ha_bridge import echoes
from ha_bridge.redaction import Secret

#: Characters of one text from outside; a sentence or two.
LIMIT: Final = 300

#: Stands for what cannot be seen and has no sign of its own.
HIDDEN: Final = "\N{REPLACEMENT CHARACTER}"

#: The signs that Unicode has for the control characters of ASCII.
_SIGNS: Final = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    0x7F: "\N{SYMBOL FOR DELETE}",
}

#: What is printable to Python, and shows nothing: fillers, joiners, unwritten vowels,
#: and what chooses between two looks of a character.
#: https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
_UNSEEN: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0").union(
    map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE0E))),
    map(chr, range(0xE0100, 0xE01F0)),
)

#: What chooses between text and picture; many names of devices have it, once.
_LOOKS: Final = "\ufe0e\ufe0f"

#: Marks on one letter, in any language; more of them grow over the lines around.
_MARKS: Final = 4


def visible(value: object, limit: int = LIMIT) -> str:
    """Return a text from outside as one line in which everything can be seen.

    Control characters, those that turn the direction of writing, separators of lines,
    half surrogates, marks without a letter and what else is not seen become signs.

    Args:
        value: The text; anything else is written as Python does.
        limit: Characters; what is longer ends with an ellipsis.
    """
    text = value if isinstance(value, str) else str(value)
    cut = f"{text[: limit - 1]}…" if len(text) > limit else text
    if cut.isprintable() and (cut.isascii() or not any(map(_is_odd, set(cut)))):
        return cut
    return "".join(one if seen else _sign(one) for one, seen in _seen(cut))


@lru_cache(maxsize=1024)
def _is_odd(character: str) -> bool:
    """Return whether it is not seen everywhere, of those that Python prints."""
    is_mark = unicodedata.category(character) in ("Mn", "Me")
    return is_mark or character in _UNSEEN or character in _LOOKS


def is_visible(text: str) -> bool:
    """Return whether all of a text can be seen, and is shown as it is."""
    return visible(text, len(text)) == text


def lines(text: str, limit: int = 10_000) -> str:
    """Return a text of several lines of ours, each of them `visible`."""
    return "\n".join(visible(line, limit) for line in text[:limit].split("\n"))


def _seen(text: str) -> Iterator[tuple[str, bool]]:
    """Give each character, and whether it is seen where it stands."""
    marks, last = _MARKS, " "
    for one in text:
        is_mark = unicodedata.category(one) in ("Mn", "Me")
        marks = marks + 1 if is_mark else 0
        is_look = one in _LOOKS and not last.isspace() and last not in _LOOKS
        is_seen = one.isprintable() and one not in _UNSEEN
        yield one, is_look or (is_seen and marks <= _MARKS and one not in _LOOKS)
        last = one


def _sign(character: str) -> str:
    if unicodedata.category(character) == "Zs":  # a space of another width
        return " "
    return _SIGNS.get(ord(character), HIDDEN)


def quoted(value: object, limit: int = 80) -> str:
    """Return words from outside between quotation marks that they cannot close.

    What may name a person or a place is quoted: `strangers` leaves that out.
    """
    shown = visible(value, limit)
    for mark in "“”„‟":
        shown = shown.replace(mark, '"')
    return f"“{shown}”"


def known(value: object, limit: int = 40) -> str:
    """Return words that everybody's server says as they are; any other quoted."""
    shown = visible(value, limit)
    return shown if are_known(shown) else quoted(value, limit)


def one_of(value: object, pattern: re.Pattern[str]) -> str:
    """Return a word that must be of a kind; any other is quoted."""
    if isinstance(value, str) and pattern.fullmatch(value):
        return value
    return quoted(value)


# -- for machines ----------------------------------------------------------------------


def to_json(value: Any) -> str:
    """Return JSON that says what it said, and can be shown as it is.

    Letters of any language stand for themselves; what `visible` would replace is
    written as JSON's own escape.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return "\n".join(map(_escaped, text.split("\n")))


def shortened(value: Any, limit: int = 4000) -> Any:
    """Return JSON in which no text is longer than anybody reads.

    Args:
        value: Of no great depth.
        limit: Characters of a text; what is longer ends with an ellipsis.
    """
    if isinstance(value, str):
        return value if len(value) <= limit else f"{value[:limit]}…"
    if isinstance(value, list):
        return [shortened(one, limit) for one in value]
    if isinstance(value, dict):
        return {
            shortened(key, limit): shortened(one, limit) for key, one in value.items()
        }
    return value


def displayed(value: Any, limit: int = 4000) -> Any:
    """Return JSON for a page, in which all texts and names are `visible`.

    Args:
        value: Of no great depth.
        limit: Characters of a text.
    """
    if isinstance(value, str):
        return visible(value, limit)
    if isinstance(value, list):
        return [displayed(one, limit) for one in value]
    if isinstance(value, dict):
        return {
            visible(key, limit): displayed(one, limit) for key, one in value.items()
        }
    return value


def _escaped(line: str) -> str:
    if line.isascii() and line.isprintable():
        return line
    return "".join(one if seen else json.dumps(one)[1:-1] for one, seen in _seen(line))


# -- for a forum -----------------------------------------------------------------------

_BACKTICKS: Final = re.compile("`+")


def code_span(text: str) -> str:
    """Return a text as code in a line or a cell of Markdown, where nothing renders.

    https://spec.commonmark.org/0.31.2/#code-spans, and for the bar in a table
    https://github.github.com/gfm/#tables-extension-
    """
    shown = visible(text, 10_000).strip()
    if not shown:
        return ""
    ticks = _longer_than_any(shown, 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    escaped = shown.replace("|", "\\|")
    return f"{ticks}{pad}{escaped}{pad}{ticks}"


def prose(text: str) -> str:
    """Return a sentence of ours for Markdown, in which no bracket begins HTML."""
    return text.replace("<", "\\<")


def fenced(text: str) -> list[str]:
    """Return the lines of a block of code in Markdown that its text cannot end."""
    fence = _longer_than_any(text, 3)
    return [fence, *lines(text).split("\n"), fence]


def _longer_than_any(text: str, least: int) -> str:
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    return "`" * max(least, longest + 1)


# -- for strangers ---------------------------------------------------------------------

#: Words that servers, proxies and authorities say of themselves, and nobody at home.
_KNOWN_WORDS: Final = frozenset(
    word
    for text in (
        *(status.phrase for status in HTTPStatus),
        "Home Assistant just a moment attention required cloudflare access error code",
        "nginx apache caddy traefik haproxy openresty lighttpd iis microsoft varnish",
        "envoy awselb aiohttp python werkzeug tunnel server got itself in trouble",
        "Let s Encrypt Google Trust Services ZeroSSL DigiCert Sectigo Amazon",
        "GlobalSign Buypass Inc LLC Limited CA Corporation invalid expired message",
        "ubuntu debian unix win linux html text plain application json",
        "my page login log in sign on welcome to index of router",
    )
    for word in re.findall(r"[a-z]+", text.lower())
)

_LETTERS: Final = re.compile(r"[A-Za-z]+")

#: What is of ASCII, or of print: nothing else is looked through for words.
_PLAIN: Final = re.compile(r"[ -~’–—…]*")

#: A version behind the name of what has it; a status, or an error of Cloudflare's.
_VERSION: Final = re.compile(r"(?<=[A-Za-z]/)[0-9]{1,2}(?:\.[0-9]{1,3}){0,2}(?![\w.])")
_CODE: Final = re.compile(r"(?<![\w.,/+-])(?:[1-5][0-9]{2}|1[0-9]{3})(?![\w.,-])")


def are_known(text: str) -> bool:
    """Return whether everybody's server may say so: numbers can be an address too."""
    if not _PLAIN.fullmatch(text):
        return False
    if any(word.lower() not in _KNOWN_WORDS for word in _LETTERS.findall(text)):
        return False
    rest = _VERSION.sub("", text)
    if len(set(_CODE.findall(rest))) > 1:
        return False
    return not re.search("[0-9]", _CODE.sub("", rest))


# -- without secrets -------------------------------------------------------------------


def hidden_in(value: Any, hide: Callable[[str], str]) -> Any:
    """Return JSON without secrets in its texts, names and numbers.

    All are looked through at once, and each text once: one by one they would take a
    minute.

    Args:
        value: Of no great depth.
        hide: Takes secrets out of a text.
    """
    texts = list(dict.fromkeys(_texts_in(value)))
    # A server that could guess what is between them would make it one by one.
    between = f'"{token_hex(4)}"'
    joined = between.join(texts)
    hidden = hide(joined)
    if hidden == joined:
        return value
    shown = hidden.split(between)
    if len(shown) != len(texts):  # a secret is like it
        shown = [hide(text) for text in texts]
    return _put_back(value, dict(zip(texts, shown, strict=True)))


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_in(inner)
    elif _may_hold_one(value):
        yield str(value)


def _put_back(value: Any, shown: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {shown[key]: _put_back(inner, shown) for key, inner in value.items()}
    if isinstance(value, list):
        return [_put_back(inner, shown) for inner in value]
    if not _may_hold_one(value):
        return value
    text = shown[str(value)]
    return value if text == str(value) else text


def _may_hold_one(value: Any) -> bool:
    return value is not None and not isinstance(value, bool)


def without(secrets: Iterable[Secret], text: str) -> str:
    """Return a text without secrets, whoever has put them there, and however written.

    Args:
        secrets: Of any length.
        text: From outside, or JSON with it; of ours, it would tell by its gaps what a
            secret is.
    """
    return echoes.without(text, (one.reveal() for one in secrets))
