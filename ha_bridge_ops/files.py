"""Files read or written as a whole, or one sentence why not."""

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ha_bridge_ops.errors import CommandError

#: Bytes of a file that is written by hand; an event of Lambda's has up to 6 MB.
#: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
BY_HAND: Final = 6_291_456

#: Seconds that what is no file, such as a pipe, may take to say something.
WAIT_S: Final = 30.0


def read_text(path: Path, limit: int = BY_HAND) -> str:
    """Return what a file says; a mark of its byte order is left out.

    Args:
        path: As for `read_bytes`.
        limit: Bytes.

    Raises:
        FileNotFoundError: There is none.
        CommandError: It cannot be read, is too long, or is not UTF-8.
    """
    try:
        return read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(f"{path} cannot be read: save it as UTF-8.") from None


def read_bytes(path: Path, limit: int = BY_HAND) -> bytes:
    """Return what is in a file.

    Args:
        path: Of a file, or of a pipe that somebody writes into.
        limit: Bytes.

    Raises:
        FileNotFoundError: There is none.
        CommandError: It cannot be read, or is too long.
    """
    found: list[bytes | OSError] = []

    def read() -> None:
        try:
            with path.open("rb") as file:
                found.append(file.read(limit + 1))
        except OSError as error:
            found.append(error)

    try:
        is_file = path.is_file()
    except OSError as error:  # such as a name that is too long
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    if is_file:
        read()
    else:  # nobody may ever write into a pipe: then it cannot even be opened
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        reader.join(WAIT_S)
    if not found:
        raise CommandError(f"{path} cannot be read: nobody writes into it.")
    (data,) = found
    if isinstance(data, FileNotFoundError):
        raise data
    if isinstance(data, OSError):
        raise CommandError(f"{path} cannot be read: {data.strerror}.")
    if len(data) > limit:
        raise CommandError(
            f"{path} is too long: it has over {round(limit / 1e6, 1):g} MB."
        )
    return data


def beside(path: Path) -> Path:
    """Return where a file is while it is written, and stays if that is killed."""
    return path.with_name(f"{path.name}.new")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file beside another, which takes its place once it is written.

    If that fails, as on a disk that is full, what was there before is still there.

    Args:
        path: Of a file; what is none, such as a pipe, is written itself.

    Raises:
        CommandError: It cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            yield path
            return
        target = Path(os.path.realpath(path))  # a link stays one
        new = beside(target)
        try:
            yield new
            new.replace(target)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from None


def write_text(path: Path, text: str) -> None:
    """Write a file as a whole, with the ends of lines that the text has.

    Raises:
        CommandError: As `replacing`.
    """
    with replacing(path) as file:
        file.write_text(text, "utf-8", newline="\n")
