"""From an English sentence to a wish, before it is known of what."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ha_bridge_ops.endpoints.states import HUES

#: What it understands, to show to people.
EXAMPLES: Final = (
    "turn on the bed light",
    "set kitchen lights to 40 percent",
    "set the ceiling lights to blue",
    "lock the front door",
    "set the heat pump to 22 degrees",
    "what is the temperature of the heat pump",
    "close the hall window",
    "turn up the volume on walkman",
    "is the bed light on",
)


@dataclass(frozen=True)
class Wish:
    """What a sentence wants.

    Args:
        kind: The second half of a row of the grammar.
        what: What it is about, such as brightness, where that was said.
        value: How much, or which; as it was said.
        unit: Of a number, as it was said; the size of a step; how to arm.
    """

    kind: str
    what: str = ""
    value: str = ""
    unit: str = ""


_FRAME: Final = re.compile(
    r"^(?:(?:alexa|echo|computer|amazon|ziggy)\b[\s,:]*)?"
    r"(?:(?:please|can you|could you|would you|will you)\s+)*"
    r"(.*?)(?:[\s,]+please)?[\s.?!]*$",
    re.DOTALL,
)


def plain(sentence: str) -> str:
    """Return a sentence without case, politeness and the name of the speaker."""
    text = " ".join(sentence.casefold().replace("\u2019", "'").split())
    found = _FRAME.match(text.strip(" “”\"'"))
    return found[1] if found else text


# -- Numbers

_ONES: Final = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen
    fourteen fifteen sixteen seventeen eighteen nineteen
    """
_SMALL: Final = {word: number for number, word in enumerate(_ONES.split())}
_DECADES: Final = """
    twenty thirty forty fifty sixty seventy eighty ninety
    """
_TENS: Final = {word: 10 * number for number, word in enumerate(_DECADES.split(), 2)}
_SPECIAL: Final = {
    "half": 50,
    "full": 100,
    "maximum": 100,
    "max": 100,
    "minimum": 0,
    "hundred": 100,
    "a hundred": 100,
    "one hundred": 100,
}


def number_of(text: str) -> float | None:
    """Return a number that was said in digits or in words, or None.

    Up to a hundred; “half” is 50, for people mean half of a hundred percent.
    """
    if re.fullmatch(r"-?\d+(?:[.,]\d+)?", text):
        return float(text.replace(",", "."))
    said = text.removeprefix("minus ")
    first, *more = re.split(r"[ -]", said)
    number = _SPECIAL.get(said, _SMALL.get(said))
    if number is None and first in _TENS and (not more or more[0] in _SMALL):
        number = _TENS[first] + (_SMALL[more[0]] if more else 0)
    if number is None:
        return None
    return float(number if said == text else -number)


# -- Colours

#: Tones of white, in kelvin, as Alexa has them.
#: https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-colortemperaturecontroller.html
_TONES: Final = {
    "warm": 2200,
    "warm white": 2200,
    "incandescent": 2700,
    "soft white": 2700,
    "white": 4000,
    "daylight": 5500,
    "daylight white": 5500,
    "cool": 7000,
    "cool white": 7000,
}
_SYNONYMS: Final = {"violet": "purple", "teal": "turquoise"}


def tone_of(text: str) -> int | None:
    """Return the kelvin of a white, such as “warm white”, or None."""
    return _TONES.get(text)


def hue_of(text: str) -> int | None:
    """Return the hue of a colour in degrees, or None."""
    return HUES.get(_SYNONYMS.get(text, text))


# -- The grammar


def _any(texts: Iterable[str]) -> str:
    return "|".join(sorted(texts, key=len, reverse=True))


#: What stands in angle brackets in the grammar.
_PARTS: Final = {
    "name": r"(?P<name>.+?)",
    "what": r"(?P<what>[a-z]+(?: [a-z]+)?)",
    "word": r"(?P<value>.+)",
    "number": r"(?P<value>-?\d+(?:[.,]\d+)?|"
    rf"(?:minus )?(?:{_any(_SPECIAL)}|(?:{_any(_TENS)})(?:[ -](?:{_any(_SMALL)}))?|"
    rf"{_any(_SMALL)}))",
    "unit": r"\s*(?P<unit>%|percent|per cent|degrees?(?: celsius| fahrenheit)?|°c|°f|°|"
    r"celsius|fahrenheit|kelvin|k)?",
    "by": r"(?: by (?P<unit>\d+)\s*(?:%|percent|degrees?)?)?",
    "turn": r"(?:turn|switch|power)",
    "set": r"(?:set|change|turn|make|put|adjust|switch)",
    "of": r"(?:of|on|in|for|at)",
    "is": r"(?:what is|what's|whats|tell me|how is|how's)",
    "onoff": r"(?P<value>on|off)",
    "updown": r"(?P<value>up|down)",
    "more": r"(?P<value>increase|raise|decrease|lower|reduce|dim|brighten)",
    "verb": r"(?:increase|raise|decrease|lower|reduce|dim|brighten)",
    "warmer": r"(?P<value>warmer|cooler|colder|brighter|darker|dimmer|louder|quieter)",
    "play": r"(?P<value>play|pause|resume|stop|next|previous|skip)",
    "paint": r"(?P<value>(?:warm |cool |soft |sky )?[a-z]+)",
    "how": r"(?P<what>warm|hot|cold|bright|loud|humid)",
    "condition": r"(?P<what>on|off|locked|unlocked|open|closed|shut|playing|running|"
    r"muted|armed|disarmed|reachable)",
}

#: The more special first: kind of the wish, and how it is said.
_ROWS: Final = """
    power   <turn> <onoff> <name>
    power   <turn> <name> <onoff>
    act     (?P<value>unlock|lock|open|close|shut) <name>
    mute    (?P<value>mute|unmute) <name>
    arm     (?P<value>arm) <name> (?:in|to|for) (?P<unit>\\w+)(?: mode)?
    arm     (?P<value>arm|disarm) <name>
    step    <turn> <updown> (?:the )?<what> <of> <name><by>
    step    <turn> (?:the )?<what> <updown> <of> <name><by>
    step    <turn> <updown> <name><by>
    step    <turn> <name> <updown><by>
    step    make <name> <warmer>
    set     <verb> <name> to <number><unit>
    step    <more> (?:the )?<what> <of> <name><by>
    step    <more> <name><by>
    set     <set> (?:the )?<what> <of> <name> to <number><unit>
    set     <set> (?:the )?<what> <of> <name> to <word>
    set     <set> <name> (?:to|at) <number><unit>
    set     <set> <name> to <word>
    paint   <set> <name> <paint>
    play    <play>(?: on| the music on| track on| song on)? <name>
    start   (?:activate|start|run) <name>
    ask     <is> (?:the )?<what> <of> <name>
    ask     how <how> is (?:it (?:in|at) )?<name>
    ask     <is> <name>'s <what>
    ask     <is> <name> (?:set to|doing|at)
    ask     (?:is|are) <name> <condition>
    ask     <is> <name>
    """

_PART: Final = re.compile(r"(?<!\?P)<(\w+)>")


def _grammar() -> Iterator[tuple[str, re.Pattern[str]]]:
    for row in filter(None, map(str.strip, _ROWS.splitlines())):
        kind, said = row.split(None, 1)
        yield kind, re.compile(_PART.sub(lambda part: _PARTS[part[1]], said))


_GRAMMAR: Final = tuple(_grammar())

#: Longer sentences are none.
MAX_SENTENCE: Final = 300


def readings(sentence: str) -> Iterator[tuple[Wish, str]]:
    """Give the ways to read a sentence, as a wish and the name it is about.

    Several, because “set the hall fan speed to 3” may be about a hall fan or about a
    hall fan speed; which one exists in the home, decides.
    """
    said = plain(sentence[:MAX_SENTENCE])
    for kind, pattern in _GRAMMAR:
        if not (found := pattern.fullmatch(said)):
            continue
        parts = {key: (text or "").strip() for key, text in found.groupdict().items()}
        name = parts.pop("name")
        wish = Wish(kind, **parts)
        if kind == "paint" and tone_of(wish.value) is hue_of(wish.value) is None:
            continue
        yield wish, name
        heard = name.split()
        for number in (1, 2):
            if kind in ("set", "ask", "step") and len(heard) > number and not wish.what:
                what = " ".join(heard[-number:])
                front = " ".join(heard[:-number])
                yield Wish(kind, what, wish.value, wish.unit), front
