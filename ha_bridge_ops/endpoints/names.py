"""Names as they are heard: what sounds alike is alike."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

#: Words that listeners and Alexa skip before a name, in the languages of its skills.
#: https://developer.amazon.com/en-US/docs/alexa/smarthome/develop-smart-home-skills-in-multiple-languages.html
_ARTICLES: Final = """
    the a an my der die das den dem le la les l el los las lo il gli i o os as de het
    een
    """
ARTICLES: Final = frozenset(_ARTICLES.split())

#: Numbers are spoken as words.
_NUMBER_WORDS: Final = """
    zero one two three four five six seven eight nine ten eleven twelve
    """
_NUMBERS: Final = {
    word: str(number) for number, word in enumerate(_NUMBER_WORDS.split())
}

#: Letters that have a second spelling, or that Unicode does not take apart.
_SPELLINGS: Final = (
    ("ae", "a"),
    ("oe", "o"),
    ("ue", "u"),
    ("æ", "a"),
    ("ø", "o"),
    ("œ", "o"),
    ("ł", "l"),
    ("đ", "d"),
    ("ı", "i"),
)

_APOSTROPHES: Final = re.compile(r"['’‘`´]")
_NO_WORD: Final = re.compile(r"[\W_]+")
#: A letter beside a digit: "lamp2" is spoken as two words.
_SEAM: Final = re.compile(r"(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])")

#: Endings of a plural and what stands instead in the singular, first match taken.
_PLURALS: Final = (
    (re.compile(r"(?<=..)ies$"), "y"),
    (re.compile(r"(?<=.)(ch|sh|x|ss)es$"), r"\1"),
    (re.compile(r"(?<=..[^su])s$"), ""),
)


@lru_cache(maxsize=8192)
def words(text: str) -> tuple[str, ...]:
    """Return the words of a name as one hears them, such as ("bed", "light").

    Case, accents, punctuation, articles, plurals, and whether a number stands in digits
    or letters make no difference to the ear.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace("&", " and ")
    plain = _SEAM.sub(" ", _without_accents(_APOSTROPHES.sub("", folded)))
    heard = [word for word in _NO_WORD.split(plain) if word]
    while len(heard) > 1 and heard[0] in ARTICLES:
        heard.pop(0)
    return tuple(
        _NUMBERS.get(word) or _singular(word) for word in heard if word != "the"
    ) or tuple(heard)


@lru_cache(maxsize=8192)
def heard(text: str) -> str:
    """Return a key that is the same for names that sound the same.

    Spaces fall away too: nobody hears the one in "bed room".
    """
    key = "".join(words(text))
    for long, short in _SPELLINGS:
        key = key.replace(long, short)
    return key


def _without_accents(text: str) -> str:
    """Take the accents from Latin letters; elsewhere they make another letter."""
    kept: list[str] = []
    base = ""
    for char in unicodedata.normalize("NFD", text):
        if unicodedata.combining(char) and base.isascii():
            continue
        if not unicodedata.combining(char):
            base = char
        kept.append(char)
    visible = (char for char in kept if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFC", "".join(visible))


def _singular(word: str) -> str:
    for ending, instead in _PLURALS:
        if ending.search(word):
            return ending.sub(instead, word)
    return word


# -- Whether a name can be said

#: Abbreviations that everybody says.
_SAID: Final = """
    ac cd dj dvd hifi hvac led lcd mp3 nas pc tv usb uv vr wc wifi wlan xbox
    """
_SPOKEN_ABBREVIATIONS: Final = frozenset(_SAID.split())

#: Rooms and the words for groups: Alexa takes them for a group of that name.
_ROOM_WORDS: Final = """
    attic balcony basement bathroom bedroom cellar conservatory corridor den dining-room
    downstairs driveway entrance entry family-room foyer garage garden guest-room
    hall hallway home house kitchen landing laundry-room library living-room loft
    lounge lounge-room master-bedroom nursery office outside patio pantry playroom
    porch room stairs study terrace toilet upstairs utility-room yard
    everything group all light lamp fan plug switch thermostat tv blind curtain lock
    door speaker camera heating music volume temperature alarm timer alexa echo amazon
    computer
    kuche wohnzimmer schlafzimmer badezimmer bad flur buro keller garten kinderzimmer
    cuisine salon chambre bureau cocina salon dormitorio cucina soggiorno camera quarto
    """
_ROOMS: Final = frozenset(heard(one) for one in _ROOM_WORDS.split())

_VOWELS: Final = frozenset("aeiouy")
_SYMBOLS: Final = re.compile(r"[_/\\|#@*+=<>\[\]{}()~^$%:;\"]")
_LATIN: Final = re.compile(r"[a-z]+")
#: Letters of an abbreviation, at most.
_ABBREVIATED: Final = 4


def is_group_word(name: str) -> bool:
    """Whether a name alone means a room, or every device of a kind."""
    key = heard(name)
    return bool(key) and key in _ROOMS


def hard_to_say(name: str) -> str:
    """Return what is hard to say in a name, such as "“LR” is spelled"; or nothing."""
    if any(char.isdecimal() for char in name):
        return "it has digits"
    if found := _SYMBOLS.search(name):
        return f"it has a “{found[0]}”"
    for word in re.split(r"[\W_]+", name):
        if _is_abbreviation(word):
            return f"“{word}” is spelled"
    if name.strip() and not heard(name):
        return "it has no word"
    return ""


def _is_abbreviation(word: str) -> bool:
    plain = _without_accents(word.casefold())
    if not _LATIN.fullmatch(plain) or plain in _SPOKEN_ABBREVIATIONS:
        return False
    if len(plain) == 1:
        return plain not in ("a", "e", "i", "o", "y", "s", "d", "l")
    if not _VOWELS & set(plain):
        return True  # bdrm
    return word.isupper() and len(word) <= _ABBREVIATED - 1
