"""What somebody typed, in a message about it: never what may be a secret.

A token is pasted into the wrong option, or an address with a password in it.  Who typed
it can see it; a log, a screenshot and a forum need not.
"""

import re
from collections.abc import Iterable
from typing import Final

from ha_bridge.redaction import REDACTED

#: What is mistyped and no secret: some words, an entity, a version, a small number.
_PLAIN: Final = re.compile(
    r"[A-Za-z]{1,20}(?:[ ._*?!-][A-Za-z]{1,20}){0,4}"
    r"|[a-z_]{1,30}\.[a-z0-9_*?]{1,60}"
    r"|-?[0-9]{1,6}(?:\.[0-9]{1,6}){0,2}"
)

#: What no name, id or path has: a JSON Web Token, the userinfo or the query of an
#: address, and long runs of letters and digits, in which there may be no word.
_LIKE_A_SECRET: Final = re.compile(
    r"eyJ[\w-]{8}"
    r"|://[^/]*@|://.*[?#]"
    r"|(?=[\w+=-]*[a-z])(?=[\w+=-]*[A-Z])(?=[\w+=-]*[0-9])[\w+=-]{20}"
    r"|(?=[A-Za-z0-9+/=]*[0-9])[A-Za-z0-9+/=]{32}",
    re.ASCII,
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
        is_like = len(part) > _LONGEST or _LIKE_A_SECRET.search(part)
        if is_like or (strictly and not is_plain):
            for form in (part, repr(part)[1:-1]):
                message = message.replace(form, REDACTED)
    return message
