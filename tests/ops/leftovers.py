"""What a command that was stopped must not leave behind."""

import time
from pathlib import Path


def assert_nothing_left(folder: Path) -> None:
    """Assert that no process knows of a scratch folder, and that it is empty.

    A process may need a moment to end, such as a shim that was asked for its version.
    """
    give_up = time.monotonic() + 60
    while left := processes_of(folder):
        assert time.monotonic() < give_up, left
        time.sleep(0.1)
    assert list(folder.iterdir()) == []


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of processes that were told of a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            environ, line = path.read_bytes(), path.with_name("cmdline").read_bytes()
        except OSError:
            continue  # it has just ended, or is not ours
        if str(folder).encode() in environ + line:
            found.append(line.replace(b"\0", b" ").decode())
    return found
