"""The CPU share of a small Lambda function, by Linux's control groups."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: Memory that comes with one whole CPU, in MB.
#: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MB_PER_CPU = 1769

#: Microseconds after which the share is granted anew.  Lambda's is as short; with the
#: kernel's own 100 ms a whole directive would slip through before the first pause.
PERIOD_US = 20_000


@dataclass(frozen=True)
class Group:
    """A control group: file and text to join it, and to limit it later."""

    join: tuple[str, str]
    limit: tuple[str, str]


@dataclass
class Share:
    """A share of one CPU, that processes can be held to.

    Args:
        memory_mb: The function's memory, which decides.
    """

    memory_mb: int
    why_off: str | None = None
    """Why nothing is limited; None if it is."""
    _made: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.fraction >= 1:
            self.why_off = "so much memory comes with a whole CPU"
            return
        try:
            with self.group():
                pass
        except OSError as error:
            self.why_off = f"control groups are not ours to use ({error.strerror})"

    @property
    def fraction(self) -> float:
        """How much of a CPU it is, at most 1."""
        return min(1.0, self.memory_mb / MB_PER_CPU)

    @contextlib.contextmanager
    def group(self) -> Iterator[Group | None]:
        """Yield a new group, which is removed at the end; None if it is off."""
        if self.why_off is not None:
            yield None
            return
        parent, is_v2 = _hierarchy()
        self._made += 1
        folder = parent / f"ha-bridge-bench-{os.getpid()}-{self._made}"
        folder.mkdir()
        quota_us = round(self.fraction * PERIOD_US)
        try:
            if is_v2:
                limit = "cpu.max", f"{quota_us} {PERIOD_US}"
            else:
                (folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
                limit = "cpu.cfs_quota_us", str(quota_us)
            (folder / limit[0]).read_text()
            yield Group(
                join=(str(folder / "cgroup.procs"), "0"),
                limit=(str(folder / limit[0]), limit[1]),
            )
        finally:
            _remove(folder)


def _hierarchy() -> tuple[Path, bool]:
    """Return where groups for CPU time are made, and whether it is version 2.

    Raises:
        OSError: There is no such place.
    """
    mounts = Path("/proc/mounts").read_text("utf-8").splitlines()
    for _, folder, kind, options, *_ in (line.split() for line in mounts):
        if kind == "cgroup" and "cpu" in options.split(","):
            return Path(folder), False
    for _, folder, kind, *_ in (line.split() for line in mounts):
        parent = Path(folder)
        if kind == "cgroup2":
            (parent / "cgroup.subtree_control").write_text("+cpu")
            return parent, True
    raise FileNotFoundError(0, "there are none")


def _remove(folder: Path) -> None:
    for _ in range(50):
        try:
            folder.rmdir()
        except OSError:  # its last process is still being buried
            time.sleep(0.02)
        else:
            return
