"""The releases of Home Assistant that the demo, the measurements and the tests run."""

import platform
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local import home_assistant_lock
from ha_bridge_ops.local.lambda_runtime import PYTHON_VERSIONS
from ha_bridge_ops.local.tools import (
    LOCKS,
    ROOT,
    Interpreter,
    at_hand,
    environment,
    fetched,
    tools_folder,
)
from ha_bridge_ops.terminal import Steps, echo

#: Each with the Python that it needs at least, newest first: its Requires-Python, such
#: as https://pypi.org/project/homeassistant/2026.11.0/ has it.  It runs on any later
#: patch, and not on the next minor, for which its packages have no wheels.
SUPPORTED: Mapping[str, str] = {
    "2026.11.0": "3.14.2",
    "2026.2.3": "3.13.2",
    "2025.4.4": "3.13.0",
    "2025.1.4": "3.12.0",
    "2024.3.3": "3.11.0",
}

#: Says something to whoever waits, in one line.
Say = Callable[[str], object]


@dataclass(frozen=True)
class Release:
    """A Home Assistant and the Python it runs on."""

    version: str
    interpreter: Interpreter
    lock: Path
    """The file with every package it needs."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version to compare: texts would put 2026.11 before 2026.2."""
        return tuple(int(part) for part in re.findall(r"\d+", self.version))


def newest(say: Say) -> Release:
    """Return the newest supported release that this machine can run.

    Args:
        say: Is told if it is not the newest of all.

    Raises:
        CommandError: There is no Python for any of them.
    """
    return _first(SUPPORTED, say)


def oldest(say: Say) -> Release:
    """Return the oldest supported release that this machine can run.

    Args:
        say: Is told if it is not the oldest of all.

    Raises:
        CommandError: There is no Python for any of them.
    """
    return _first(reversed(list(SUPPORTED)), say)


def named(version: str) -> Release:
    """Return a release by its number, or `newest` for the newest that PyPI has.

    One that is not among the supported ones is locked first, which takes some seconds.

    Raises:
        CommandError: There is no such release, or no Python for it.
    """
    _look_at_this_computer()
    if version == "newest":
        version = home_assistant_lock.newest()
    if version in SUPPORTED:
        python, lock = SUPPORTED[version], LOCKS / f"home-assistant-{version}.txt"
    else:
        python, lock = home_assistant_lock.find(version, tools_folder() / "locks")
    if interpreter := at_hand(python) or fetched(python):
        return Release(version, interpreter, lock)
    raise CommandError(
        f"Home Assistant {version} needs Python {python} or a later patch of it, which "
        "is neither on this machine nor can be fetched: install it, or choose another "
        f"release.{_also(python)}"
    )


def _also(python: str, program: Path = ROOT / ".ci/python-from-debian") -> str:
    """Return how else a Python may be had: in a copy of the project, on Debian."""
    if not program.is_file() or not shutil.which("apt-get"):
        return ""
    minor = ".".join(python.split(".")[:2])
    return f" Here, .ci/{program.name} {minor} may bring it."


def install(release: Release) -> Path:
    """Return the folder of Home Assistant's own virtual environment."""
    name = f"home-assistant-{release.version}"
    return environment(name, release.interpreter, [release.lock], no_deps=True)


def brought(steps: Steps, wanted: str | None = None) -> Release:
    """Return a release that is installed now, and show what is done for it.

    Args:
        steps: Where it is shown.
        wanted: As for `named`; None for the newest that this machine can run.

    Raises:
        CommandError: There is no such release, no Python for it, or the like.
    """
    with steps.step("Looking for a Home Assistant and a Python for it", kept=False):
        release = named(wanted) if wanted else newest(steps.progress.print)
    python = release.interpreter.version
    what = f"Home Assistant {release.version}, Python {python} (minutes at first)"
    with steps.step(f"Installing {what}"):
        install(release)
    return release


def _look_at_this_computer() -> None:
    """See whether Home Assistant runs here at all.

    https://www.home-assistant.io/installation/

    Raises:
        CommandError: It does not.
    """
    if platform.system() == "Windows":
        raise CommandError(
            "Home Assistant itself does not run on Windows, and so neither does what "
            "starts one: `demo`, `bench` and `page --demo` need Linux or macOS. "
            "The Windows Subsystem for Linux works too."
        )


def _first(versions: Iterable[str], say: Say) -> Release:
    """Return the first that runs here; only for the very first is a Python fetched."""
    _look_at_this_computer()
    best, *others = versions
    for version in (best, *others):
        python = SUPPORTED[version]
        found = at_hand(python) or (fetched(python) if version == best else None)
        if found is None:
            continue
        if version != best:
            say(
                f"Home Assistant {best} needs Python {SUPPORTED[best]}, which is not "
                f"here and cannot be fetched, so {version} is used."
                f"{_also(SUPPORTED[best])}"
            )
        return Release(version, found, LOCKS / f"home-assistant-{version}.txt")
    wanted = ", ".join(_minors())
    raise CommandError(
        f"Home Assistant needs one of the Pythons {wanted}. This machine has none of "
        "them, and none can be fetched: install one."
    )


@click.command()
@click.option("--newest", "of_pypi", is_flag=True, help="Print PyPI's newest release.")
def main(*, of_pypi: bool) -> None:
    """Print the Pythons that the tests need and this machine does not have.

    Those of the newest and the oldest release, and Lambda's; each on a line, as major
    and minor. uv fetches what it can. What is printed is for .ci/python-from-debian.
    """
    if of_pypi:
        echo(home_assistant_lock.newest())
        return
    versions = list(SUPPORTED.values())
    for python in dict.fromkeys([versions[0], versions[-1], PYTHON_VERSIONS[0]]):
        if not (at_hand(python) or fetched(python)):
            echo(".".join(python.split(".")[:2]))


def _minors() -> list[str]:
    return sorted({".".join(python.split(".")[:2]) for python in SUPPORTED.values()})


if __name__ == "__main__":
    main()
