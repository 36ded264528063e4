"""What somebody typed, in a message about it: never what may be a secret.

A token is pasted into the wrong option, or an address with a password in it.  Who typed
it can see it; a log, a screenshot and a forum need not.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ha_bridge.redaction import REDACTED

#: What is mistyped and no secret: a few words, an entity, a version, a small number.
#: More words are a passphrase.
_PLAIN: Final = re.compile(
    r"(?=.{1,20}\Z)[A-Za-z]+(?:[ ._*?!-][A-Za-z]+){0,4}"
    r"|[a-z_]{1,30}\.[a-z0-9_*?]{1,60}"
    r"|-?[0-9]{1,6}(?:\.[0-9]{1,6}){0,2}"
)

#: What nothing else is: a JSON Web Token, or the userinfo of an address.
_SURELY: Final = r"eyJ[\w-]{8}|:(?://?)?[^/\\]*@"

#: What no name, id or path has either: the query of an address, and long runs of
#: letters and digits, in which there may be no word.
_LIKE_A_SECRET: Final = re.compile(
    rf"{_SURELY}|https?:/.*[?#]"
    r"|(?=[\w+=-]*[a-z])(?=[\w+=-]*[A-Z])(?=[\w+=-]*[0-9])[\w+=-]{20}"
    r"|(?=[A-Za-z0-9+/=]*[0-9])[A-Za-z0-9+/=]{32}",
    re.ASCII,
)

#: What is the name of a file: it begins as a path does, or ends as a file does.
_LIKE_A_PATH: Final = re.compile(
    r"(?:[.~]{1,2}|[A-Za-z]:)?[/\\].*|\.[A-Za-z._-]*|[\w .,/\\-]*\.[a-z]{2,5}",
    re.DOTALL,
)

#: Characters of a path; what is longer is none.
_LONGEST: Final = 1000


def typed(text: str, otherwise: str = "That") -> str:
    """Return what somebody typed in quotes, if it may be repeated.

    Args:
        text: What an option or an argument was.
        otherwise: What stands in its place.
    """
    return f"{text!r}" if _PLAIN.fullmatch(text) else otherwise


def no_file(path: Path) -> str:
    """Return the sentence that there is no such file, up to its full stop.

    Args:
        path: As somebody typed it, who may have mistaken what is asked for.
    """
    text = str(path)
    is_path = _LIKE_A_PATH.fullmatch(text) and not is_like_a_secret(text)
    name = text if is_path or _PLAIN.fullmatch(text) else "of that name"
    return f"There is no file {name}"


def is_secret(text: str) -> bool:
    """Return whether a text has in it what is nothing else than a secret."""
    return re.search(_SURELY, text, re.ASCII) is not None


def is_like_a_secret(text: str) -> bool:
    """Return whether a text has in it what no name, id or path has."""
    return len(text) > _LONGEST or _LIKE_A_SECRET.search(text) is not None


def without_typed(message: str, words: Iterable[str], *, strictly: bool) -> str:
    """Return a message without those of the words typed that may be secrets.

    Args:
        message: About what was typed.
        words: The command line.
        strictly: Take out all that is not plain, and not only what is like a secret.
    """
    parts = {part for word in words for part in (word, *word.split("=", 1)) if part}
    for part in sorted(parts, key=len, reverse=True):
        is_plain = _PLAIN.fullmatch(part.lstrip("-"))
        if is_like_a_secret(part) or (strictly and not is_plain):
            # As it is, in quotes, as a path, and as a number.
            forms = (part, repr(part)[1:-1], str(Path(part)), part.lstrip("+0"))
            for form in filter(None, forms):
                message = message.replace(form, REDACTED)
    return message
