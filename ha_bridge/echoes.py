"""A secret that was sent, found in what is said back, however it is written there.

Whoever is sent a secret may repeat it: as it is, cut, or written in another way.  What
is looked for is every part of `_PART` letters of each of its usual forms.  A secret of
fewer than `SHORT` letters is hidden where it is a word of its own only, for it could
be a part of any.  What is written letter by letter, or has signs between that nobody
sees, is read first, in a copy of the text that knows where each letter came from.  So
is what is packed, in base64 or hexadecimal, one within the other.
"""

import contextlib
import json
import re
import sys
import zlib
from array import array
from binascii import a2b_base64, b2a_base64
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from io import StringIO
from typing import Final
from urllib.parse import quote, quote_plus

from ha_bridge.redaction import REDACTED, SHORT

#: Characters of a secret that nobody meets by chance.
_PART: Final = 12

#: Characters of a secret with which a text is cut, or ends.
_BEGINNING: Final = 8

#: What stands where a text was cut.
_CUT: Final = "\N{HORIZONTAL ELLIPSIS}"

#: Characters of a secret that are looked for; Home Assistant's tokens have 200.
LOOKED_FOR: Final = 4096

#: Characters of a secret above which nobody writes it in another way: it is a key, and
#: to look for all of its forms would take long.
_A_KEY: Final = 1000

#: Letters that are the same in an address, a page and JSON (RFC 3986, 2.3).
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]+")

#: How often a text may have been written into JSON, one within the other.
_JSON_IN_JSON: Final = 3

#: What may be base64.
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{2,}")

#: What may be base64 or hexadecimal with a short secret in it, packed once more.
_WORD: Final = re.compile(r"[A-Za-z0-9+/_-]{11,}")
_HEXADECIMAL: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){4,}")

#: How often something is unpacked; letters of base64 and digits that make a byte or
#: three, the first of which may be any.
_LAYERS: Final = 2
_SHIFTS: Final = 4
_DIGITS: Final = 2

#: How gzip begins, and what tells zlib to find out by itself.
_GZIP: Final = b"\x1f\x8b"
_ANY_ZIP: Final = zlib.MAX_WBITS | 32

#: Characters of a text that is unpacked, and of what comes out of one word of gzip.
_NOT_LARGE: Final = 100_000
_UNZIPPED: Final = 65_536

#: Signs that nobody sees, and what `ha_bridge_ops.outside` shows in their place.
_UNSEEN: Final = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2400-\u2421\ufe00-\ufe0f\ufeff\ufffd"
)

#: How JSON, programs, addresses, pages and mail write one letter, and what they put
#: between two: nothing that is seen, or the end of a line.
_LETTER: Final = re.compile(
    r"(?:\\{1,8}u|%u|[Uu]\+)(?P<json>[0-9A-Fa-f]{4})"
    r"|\\{1,8}U00(?P<program>[0-9A-Fa-f]{6})"
    r"|\\{1,8}u\{0{0,8}(?P<brace>[0-9A-Fa-f]{1,6})\}"
    r"|\\{1,8}x(?P<byte>[0-9A-Fa-f]{2})|\\{1,8}(?P<octal>[0-3]?[0-7]{2})"
    r"|\b0x(?P<number>[0-9A-Fa-f]{2})\b"
    r"|%(?:25){0,4}(?P<address>[0-9A-Fa-f]{2})|=(?P<mail>[0-9A-F]{2})"
    r"|&(?:amp;){0,4}#"
    r"(?:0{0,8}(?P<page>[0-9]{1,7})|[xX]0{0,8}(?P<hex>[0-9A-Fa-f]{1,6}));?"
    r"|&(?:amp;){0,4}(?P<name>[A-Za-z][A-Za-z0-9]{1,30};)"
    rf"|=?[{_UNSEEN}]*[\r\n\u240a\u240d][{_UNSEEN} ]*|[{_UNSEEN}]+|\\{{1,8}}[nrt]"
)

#: In which numbers a letter is written, where they are not hexadecimal.
_BASES: Final = {"page": 10, "octal": 8}

#: What may be between two letters, but for what ends a text in JSON or in a sentence;
#: and of how many letters a secret is that nobody meets so by chance.
_LONG_APART: Final = 8
_BETWEEN: Final = (
    (re.compile(r"\\+"), SHORT),
    (re.compile(r"""[^A-Za-z0-9"“”{}]+"""), _LONG_APART),
)

#: What may be between each two letters of a shorter one.
_GAP: Final = "[^a-z0-9]{1,4}"

#: How often a letter may have been written so, one way within the other.
_LETTER_IN_LETTER: Final = 3

#: Characters of a text that is looked through for a key in all of its forms.
_SMALL: Final = 20_000

#: What a web page writes in place of a letter.
_IN_PAGES: Final = (
    ("&", "amp"),
    ("<", "lt"),
    (">", "gt"),
    ('"', "quot"),
    ("'", "#x27"),
)


def without(text: str, secrets: Iterable[str]) -> str:
    """Return a text without secrets, and without parts of them.

    Args:
        text: From outside; of ours, it would tell by its gaps what a secret is.
        secrets: Of any length.
    """
    known = {one: _forms(one, text) for one in secrets}
    hidden = bytearray(len(text))  # of parts there may be half a million
    for start, stop in _spans(known, text):
        hidden[start:stop] = b"\1" * (stop - start)
    spans = (one.span() for one in re.finditer(b"\1+", hidden))
    return _replaced(text, spans, lambda _length: REDACTED)


def _spans(known: Mapping[str, set[str]], text: str) -> Iterator[tuple[int, int]]:
    """Give where secrets are in a text, read in each way."""
    yield from _hidden(known, text)
    views: list[_View] = []
    for _ in range(_LETTER_IN_LETTER):
        view = _View(views[-1].text if views else text, _LETTER)
        if view.is_same:
            break
        views.append(view)
        yield from _behind(views, _hidden(known, view.text))
    for behind in ([], views) if views else ([],):
        source = behind[-1].text if behind else text
        yield from _behind(behind, _apart(known, source))
        for pattern, least in _BETWEEN:
            bare = {
                one: {pattern.sub("", form) for form in forms}
                for one, forms in known.items()
            }
            view = _View(source, pattern)
            yield from _behind([*behind, view], _hidden(bare, view.text, least))
        yield from _behind(behind, _packed(known, source, _LAYERS))


class _View:
    """A copy of a text in which what stands for a letter is that letter.

    Args:
        source: The text.
        pattern: What is replaced: by what its group stands for, or by nothing.
    """

    def __init__(self, source: str, pattern: re.Pattern[str]) -> None:
        self._source, self._pattern = source, pattern
        self.text, replaced = pattern.subn(_letter, source)
        self.is_same = not replaced

    @cached_property
    def _replaced(self) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        """Where here each letter ends, and where in the source it began and ended."""
        here, starts, ends = array("I", [0]), array("I", [0]), array("I", [0])
        for found in self._pattern.finditer(self._source):
            kept = found.start() - ends[-1]
            here.append(here[-1] + kept + len(_letter(found)))
            starts.append(found.start())
            ends.append(found.end())
        return here, starts, ends

    def source_of(self, start: int, stop: int) -> tuple[int, int]:
        """Return what a part of it was made of."""
        return self._place(start)[0], self._place(stop - 1)[1]

    def _place(self, place: int) -> tuple[int, int]:
        here, starts, ends = self._replaced
        last = bisect_right(here, place) - 1
        source = ends[last] + place - here[last]
        if last + 1 < len(starts) and starts[last + 1] <= source:  # it may be two
            return starts[last + 1], ends[last + 1]
        return source, source + 1


def _letter(found: re.Match[str]) -> str:
    """Return the letter that stands there by number or name; nothing if none does."""
    name = found.lastgroup
    if name == "name":
        from html.entities import html5  # noqa: PLC0415 - two thousand, seldom met

        return html5.get(found[name], found[0])
    number = int(found[name], _BASES.get(name, 16)) if name else 0
    return chr(number) if 0 < number <= sys.maxunicode else ""


def _behind(
    views: list[_View], spans: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Give what spans of the last of the views were made of in the text itself."""
    for span in spans:
        place = span
        for view in reversed(views):
            place = view.source_of(*place)
        yield place


def _packed(
    known: Mapping[str, set[str]], text: str, layers: int
) -> Iterator[tuple[int, int]]:
    """Give which words of a text have secrets in what they stand for.

    Args:
        known: Secrets and their forms; those below `SHORT` are left out, for three
            letters are by chance in what any word stands for.
        layers: How often it is unpacked.
    """
    known = {one: forms for one, forms in known.items() if len(one) >= SHORT}
    if not layers or not known or len(text) > _NOT_LARGE:
        return
    words = [*_WORD.finditer(text)]
    for shift in range(_SHIFTS if words else 0):
        ends, pieces = array("q"), []
        for word in words:
            pieces.append("".join(_unpacked(word[0][shift:], shift)))
            ends.append((ends[-1] if ends else 0) + len(pieces[-1]) + 1)
        inner = _CUT.join(pieces)  # each may have been cut off
        found = [*_hidden(known, inner), *_packed(known, inner, layers - 1)]
        for start, stop in found:
            first, last = bisect_right(ends, start), bisect_right(ends, stop - 1)
            for word in words[first : last + 1]:
                yield word.span()


def _unpacked(word: str, shift: int) -> Iterator[str]:
    """Give what a word may stand for, a letter for each of its bytes but the empty."""
    coded = word.replace("-", "+").replace("_", "/")
    coded = coded[: len(coded) - (len(coded) % 4 == 1)]
    data = [a2b_base64(coded + "=" * (-len(coded) % 4))]
    if data[0][:2] == _GZIP:
        with contextlib.suppress(zlib.error):
            data.append(zlib.decompressobj(_ANY_ZIP).decompress(data[0], _UNZIPPED))
    if shift < _DIGITS:
        data += map(bytes.fromhex, _HEXADECIMAL.findall(word))
    for one in data:
        yield one.replace(b"\0", b"").decode("latin-1")


def _apart(known: Iterable[str], text: str) -> Iterator[tuple[int, int]]:
    """Give where short secrets stand with something between each two letters."""
    for secret in known:
        plain = _lowered(secret.strip())
        if SHORT <= len(plain) < _LONG_APART:
            letters = _GAP.join(map(re.escape, plain))
            pattern = re.compile(rf"(?<![a-z0-9]){letters}(?![a-z0-9])")
            yield from (found.span() for found in pattern.finditer(_lowered(text)))


def _hidden(
    known: Mapping[str, set[str]], text: str, least: int = 1
) -> Iterator[tuple[int, int]]:
    """Give where secrets are in a text, each with its forms, of so many letters."""
    lowered = _lowered(text)
    for secret, forms in known.items():
        for form in forms:
            if len(form) >= least:
                yield from _where(form, len(secret), lowered)
        if 0 < len(secret) < SHORT and least < SHORT:
            yield from _short_in_base64(secret, text)


def _forms(secret: str, text: str) -> set[str]:
    """Return the forms to look for in a text; of a key, all in a small one only."""
    forms = _usual_forms(secret)
    plain = secret[:LOOKED_FOR].strip()
    data = plain.encode("utf-8", "surrogatepass")
    if not plain.isascii():  # as bytes, and in halves as JSON writes them
        halves = plain.encode("utf-16-be", "surrogatepass")
        numbers = (halves[n : n + 2] for n in range(0, len(halves), 2))
        units = "".join(chr(int.from_bytes(one, "big")) for one in numbers)
        forms |= {_lowered(data.decode("latin-1")), _lowered(units)}
    if len(plain) > _A_KEY and len(text) <= _SMALL:
        forms |= {*map(_lowered, _as_numbers(data))}
    return forms


def _usual_forms(secret: str) -> set[str]:
    """Return how a secret may be written, in small letters.

    As it is; as in an address, a page or JSON; in hexadecimal; in base64, behind and
    before whatever else.
    """
    plain = secret[:LOOKED_FOR].strip()
    if not plain:
        return set()
    if len(plain) > _A_KEY:
        return {_lowered(plain)}
    if _UNRESERVED.fullmatch(plain):  # as nearly all are: nothing else changes it
        return {_lowered(form) for form in (plain, *_as_numbers(plain.encode()))}
    as_text, as_bytes = _as_text(plain), _as_bytes(plain)
    if not plain.isascii():  # capitals are small ones again once they are escaped
        for other in (plain.upper(), plain.lower()):
            as_text |= _as_text(other)
            as_bytes |= _as_bytes(other)
    for _ in range(_JSON_IN_JSON):
        as_text |= {json.dumps(form)[1:-1] for form in as_text}
        as_text |= {json.dumps(form, ensure_ascii=False)[1:-1] for form in as_text}
    return {_lowered(form) for form in as_text | as_bytes}


def _as_text(plain: str) -> set[str]:
    page = plain
    for letter, name in _IN_PAGES:
        page = page.replace(letter, f"&{name};")
    doubled = (plain.replace(mark, 2 * mark) for mark in "'\"")  # YAML, CSV, SQL
    return {plain, page, repr(plain)[1:-1], *doubled}


def _as_bytes(plain: str) -> set[str]:
    data = plain.encode("utf-8", "surrogatepass")
    return {quote(data), quote(data, safe=""), quote_plus(data), *_as_numbers(data)}


def _as_numbers(data: bytes) -> Iterator[str]:
    yield data.hex()
    yield ",".join(map(str, data))
    yield "%" + data.hex("%")
    yield from _in_base64(data)
    yield from _in_base64(b2a_base64(data, newline=False).rstrip(b"="))


def _lowered(text: str) -> str:
    """Return a text in small letters, for a host loses its capitals; none is added."""
    return text.replace("\u0130", "i").lower()  # the only one that becomes two


def _in_base64(data: bytes) -> Iterator[str]:
    for before in range(3):  # bytes of another text, which shift it
        coded = b2a_base64(b"\0" * before + data, newline=False).decode()
        # Its first and last letters hold bits of what is around it.
        inner = coded[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]
        if len(inner) >= SHORT:
            yield from (inner, inner.replace("+", "-").replace("/", "_"))


def _short_in_base64(secret: str, text: str) -> Iterator[tuple[int, int]]:
    """Give where a short secret is a word of what a word says in base64."""
    pattern = re.compile(
        rb"(?<!\w)" + re.escape(secret.encode("utf-8", "surrogatepass")) + rb"(?!\w)"
    )
    for word in _BASE64.finditer(text):
        coded = word[0].replace("-", "+").replace("_", "/")
        with contextlib.suppress(ValueError):
            if pattern.search(a2b_base64(coded + "=" * (-len(coded) % 4))):
                yield word.span()


def _where(form: str, length: int, text: str) -> Iterator[tuple[int, int]]:
    """Give where a form of a secret, or a part of it, begins and ends in a text.

    Args:
        form: In small letters.
        length: Of the secret itself.
        text: Likewise.
    """
    if len(form) < SHORT:
        for word in re.finditer(rf"(?<!\w){re.escape(form)}(?!\w)", text):
            yield word.span()
        return
    least = min(len(form), max(_PART, _PART * len(form) // length))
    yield from _cut_off(form, max(_BEGINNING, _BEGINNING * len(form) // length), text)
    size = (least + 1) // 2  # so that every part has one of these pieces in it
    for place in range(0, len(form) - size + 1, size):
        spans = array("I")
        piece = form[place : place + size]
        found = text.find(piece)
        while found >= 0:
            start, stop = _whole(form, place, text, found, size)
            is_one = stop - start >= least
            if is_one:
                spans.extend((start, stop))
            # Else it may begin within what was the same so far: "coco1" in "cococo1".
            found = text.find(piece, stop if is_one else found + 1)
        if spans:
            pairs = [spans[::2], spans[1::2]]
            yield from zip(*pairs, strict=True)
            # So that a text full of secrets is looked at once.
            text = _replaced(text, zip(*pairs, strict=True), "\0".__mul__)


def _cut_off(form: str, least: int, text: str) -> Iterator[tuple[int, int]]:
    """Give where a text ends, or was cut, after so many letters of a form."""
    found = text.find(form[:least]) if least < len(form) else -1
    while found >= 0:
        start, stop = _whole(form, 0, text, found, least)
        if stop == len(text) or text.startswith(_CUT, stop):
            yield start, stop
        found = text.find(form[:least], stop)


def _replaced(
    text: str, spans: Iterable[tuple[int, int]], instead: Callable[[int], str]
) -> str:
    """Return a text in which there is something else in place of parts of it.

    Args:
        text: The text.
        spans: Of its parts, in their order; the next may begin in the one before.
        instead: Makes it, of the number of letters.
    """
    written, end = StringIO(), 0  # a list of all pieces would take ten times as much
    for start, stop in spans:
        written.write(text[end:start])
        written.write(instead(stop - max(start, end)))
        end = stop
    written.write(text[end:])
    return written.getvalue()


def _whole(form: str, place: int, text: str, found: int, size: int) -> tuple[int, int]:
    """Return how far a form and a text are the same around a piece of both."""
    first, last = found, found + size
    before, after = place, place + size
    while first and before and text[first - 1] == form[before - 1]:
        first, before = first - 1, before - 1
    while last < len(text) and after < len(form) and text[last] == form[after]:
        last, after = last + 1, after + 1
    return first, last
