"""What a command that can be run again remembers, and a lock on a folder."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from filelock import FileLock, Timeout

from ha_bridge.messages import objects_in
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.files import beside, read_bytes


def private(path: Path) -> TextIO:
    """Open a file that is not there yet for writing; nobody else may read it.

    Raises:
        OSError: It cannot be made, or is there.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8")


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else may read; it is on the disk then.

    A link that lies there is replaced, and what was there stays if it cannot be.

    Raises:
        CommandError: It cannot be written.
    """
    new = beside(path)
    try:
        new.unlink(missing_ok=True)  # which may lead elsewhere
        with private(new) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from None


#: Objects and lists of a journal; one that was written here has some dozens.
_MOST: Final = 10_000


class Journal:
    """What is known from one run to the next: a JSON file with an entry for each key.

    Write the intention before the act, and the result after it: a run that is
    interrupted between them leaves a mark that the next one finds.  An entry is
    replaced as a whole, and what is written is on the disk.

    Args:
        path: The file.
        key: Whose entry it is, such as a profile; those of others stay.
    """

    cure = "Delete it."
    """What to do about a file that is broken."""

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._key = key

    def read(self) -> dict[str, Any]:
        """Return the entry; it is empty if there is none.

        Raises:
            CommandError: The file cannot be read.
        """
        found: dict[str, Any] = self._all().get(self._key, {})
        return found

    def write(self, entry: Mapping[str, Any]) -> None:
        """Replace the entry.

        Raises:
            CommandError: The file cannot be written.
        """
        known = {**self._all(), self._key: dict(entry)}
        write_private(self._path, json.dumps(known, indent=2))

    def is_broken(self) -> CommandError:
        """Return what says that the file is not what was written."""
        return CommandError(f"{self._path} cannot be read. {self.cure}")

    def _all(self) -> dict[str, Any]:
        try:
            written = read_bytes(self._path)
            if objects_in(written) > _MOST:
                raise self.is_broken()
            known = json.loads(written)
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError):
            raise self.is_broken() from None
        if not isinstance(known, dict) or not all(
            isinstance(one, dict) for one in known.values()
        ):
            raise self.is_broken()
        return known


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep a second run from doing the same in a folder at the same time.

    Raises:
        CommandError: There is one, or nobody can tell.
    """
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise CommandError(f"Another `ha-bridge` is at work in {folder}.") from None
    except (OSError, NotImplementedError) as error:
        why = (
            error.strerror if isinstance(error, OSError) else None
        ) or "no locks here"
        raise CommandError(f"{folder / '.lock'} cannot be locked: {why}.") from None
    try:
        yield
    finally:
        lock.release()
