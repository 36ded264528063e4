"""Consoles that cannot show every sign, such as one of Windows with code page 1252."""

import codecs
import io
import os
from pathlib import Path
from typing import Final, TextIO

#: What stands for a sign that a terminal does not have, as with code page 1252.
_PLAIN: Final = str.maketrans(
    {
        "✓": "+",
        "✗": "x",
        "→": "->",
        "←": "<-",
        "…": "...",
        "·": ".",
        # Single ones: a double one would end a text in JSON.
        "“": "'",
        "”": "'",
        "„": "'",
        "‘": "'",
        "’": "'",
        "–": "-",
        "—": "-",
        "─": "-",
        "━": "=",
        "│": "|",
        "≤": "<=",
        "≥": ">=",
    }
)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Return what is written for characters that an encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode("ascii", "replace").decode(), error.end


codecs.register_error("ha_bridge_ops.plain", _plain)


def forget_what_it_cannot(stream: TextIO) -> None:
    """Let go of what a stream could not write, as on a disk that is full.

    Python would try again when it ends, and end with a status and words of its own.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return
    try:
        stream.flush()
    except OSError:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())


def write_what_it_can(stream: TextIO) -> None:
    """Let a stream write something simpler for signs that its encoding does not have.

    Code page 1252, for one, has no ✓; Python would end with an error at the first.
    """
    if isinstance(stream, io.TextIOWrapper):  # and no notebook's or test's
        stream.reconfigure(errors="ha_bridge_ops.plain")
