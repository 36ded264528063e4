"""Finds and locks every package that a release of Home Assistant needs for the demo.

Home Assistant installs what an integration needs when it loads it.  Here it must not,
so that a start needs no network and is the same each time.  What its integrations ask
for stands in the release itself: in their manifests, and in the modules for two-factor
login.

    python -m ha_bridge_ops.local.home_assistant_lock 2026.11.0 --until 2026-11-10

writes the two files for a release that is to be supported.
"""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.tools import BUILT, LOCKS, run_uv
from ha_bridge_ops.terminal import echo
from ha_bridge_ops.typed import typed

#: The integrations of the demo's configuration.  `demo` has one for each of its
#: platforms beside what its manifest names, and Home Assistant sets some up unasked.
INTEGRATIONS = ("alexa", "demo", "ffmpeg", "frontend", "logger", "stream")

#: What it sets up unasked, and where its kinds of entities are named.  Its web
#: interface waits for all of them.
_UNASKED = re.compile(r"^DEFAULT_INTEGRATIONS = \{(.*?)^\}", re.MULTILINE | re.DOTALL)
_KINDS = "homeassistant/generated/entity_platforms.py"

#: A Python that satisfies every `>=`, to unpack a release before it is known which
#: Python it needs.  Home Assistant's own wheel is the same for all.
ANY_PYTHON = "3.99"

#: A release, or a preview of one.
_VERSION = re.compile(r"\d{4}\.\d{1,2}\.\d{1,2}(?:(?:b|rc|\.dev)\d+)?")
_REQUIREMENTS = re.compile(r"^REQUIREMENTS = \[(.*?)\]", re.MULTILINE | re.DOTALL)

#: Where a lock says which Python it is for.
_NEEDS = re.compile(r"^#.*It needs Python ([\d.]+) ", re.MULTILINE)


@click.command()
@click.argument("version")
@click.option("--until", metavar="DATE", help="Take nothing that is newer than this.")
def main(version: str, until: str | None) -> None:
    """Write the lock of a release, for the project to support it."""
    python, lock = write(version, LOCKS, until=until)
    echo(f'{lock}\nHome Assistant {version} needs Python "{python}".')


def newest() -> str:
    """Return the number of the newest release that PyPI has.

    Raises:
        CommandError: PyPI cannot be reached.
    """
    with tempfile.TemporaryDirectory(prefix="ha-bridge-lock-") as scratch:
        source = Path(scratch) / "newest.in"
        source.write_text("homeassistant\n")
        found = run_uv(
            *("pip", "compile", "--quiet", "--no-deps", "--no-annotate"),
            *("--no-header", "--python-version", ANY_PYTHON, str(source)),
        )
    return found.strip().removeprefix("homeassistant==")


def find(version: str, folder: Path) -> tuple[str, Path]:
    """Return the Python that a release needs at least, and its lock.

    A lock that was written before is taken as it is, so that all processes of a run
    have the same.

    Raises:
        CommandError: There is no such release, or it cannot be resolved.
    """
    _refuse_malformed(version)
    lock = folder / f"home-assistant-{version}.txt"
    if lock.is_file() and (known := _NEEDS.search(lock.read_text())):
        return known[1], lock
    return write(version, folder)


def _refuse_malformed(version: str) -> None:
    if not _VERSION.fullmatch(version):
        raise CommandError(
            f"{typed(version)} is no release of Home Assistant: give one such as "
            "2026.11.0, or newest."
        )


def write(version: str, folder: Path, *, until: str | None = None) -> tuple[str, Path]:
    """Write `home-assistant-VERSION.in` and `.txt`.

    A file `home-assistant-VERSION-overrides.in` that is there already is minded: it
    names packages whose pinned version has no wheel.

    Args:
        version: Of Home Assistant.
        folder: For the files.
        until: Date; what is newer is not taken.

    Returns:
        The Python that it needs at least, and the lock.

    Raises:
        CommandError: There is no such release, or it cannot be resolved.
    """
    _refuse_malformed(version)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ha-bridge-lock-") as scratch:
        code = Path(scratch)
        run_uv(
            *("pip", "install", "--no-deps", "--python-version", ANY_PYTHON),
            *("--only-binary", ":all:", "--target", scratch),
            f"homeassistant=={version}",
        )
        python = _python_of(code)
        name = f"home-assistant-{version}"
        source, lock = folder / f"{name}.in", folder / f"{name}.txt"
        minor = ".".join(python.split(".")[:2])
        source.write_text(
            f"# Home Assistant {version} (Python {minor}) for the demo: itself and "
            "what its integrations there ask for.\n"
            "# Written by ha_bridge_ops/local/home_assistant_lock.py.\n"
            + "".join(f"{line}\n" for line in requirements(code, version))
        )
        overrides = folder / f"{name}-overrides.in"
        overridden = overrides.read_text() if overrides.is_file() else ""
        constraints = code / "constraints.txt"
        constraints.write_text(_constraints(code, without=overridden))
        packages = run_uv(
            *("pip", "compile", "--quiet", "--python-version", python),
            *("--no-annotate", "--no-header", "--generate-hashes", *BUILT),
            *(("--exclude-newer", until) if until else ()),
            *(("--override", str(overrides)) if overridden else ()),
            *("--constraint", str(constraints)),
            str(source),
        )
    options = f" --until {until}" if until else ""
    lock.write_text(
        f"# Home Assistant {version} for the demo: every package. "
        "Install with `uv pip sync` (or, the list being\n"
        "# complete, `pip install --no-deps -r`). "
        f"It needs Python {python} or a later patch of it. Made by:\n"
        f"#   python -m ha_bridge_ops.local.home_assistant_lock {version}{options}\n"
        + packages
    )
    return python, lock


def requirements(code: Path, version: str) -> list[str]:
    """Return what Home Assistant and its integrations ask for, without their own needs.

    Args:
        code: The folder in which the package `homeassistant` lies.
        version: Of it.
    """
    found = {f"homeassistant=={version}", *_of_login(code)}
    components = code / "homeassistant/components"
    waiting = [
        *INTEGRATIONS,
        *(path.stem for path in (components / "demo").glob("*.py")),
        *_set_up_unasked(code),
    ]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        manifest = components / name / "manifest.json"
        if name in seen or not manifest.is_file():
            continue
        seen.add(name)
        said = json.loads(manifest.read_text("utf-8"))
        found.update(said.get("requirements", ()))
        # Some import what they only ask to be set up after.
        waiting += [
            *said.get("dependencies", ()),
            *said.get("after_dependencies", ()),
        ]
    return sorted(found, key=str.lower)


def _set_up_unasked(code: Path) -> Iterator[str]:
    """Yield the integrations that need no line in the configuration."""
    bootstrap = (code / "homeassistant/bootstrap.py").read_text("utf-8")
    for listed in _UNASKED.findall(bootstrap):
        yield from re.findall(r'^ +"(\w+)",', listed, re.MULTILINE)
    kinds = code / _KINDS
    if kinds.is_file():  # since 2025.7
        yield from re.findall(
            r'^ +[A-Z_]+ = "(\w+)"', kinds.read_text("utf-8"), re.MULTILINE
        )


def _of_login(code: Path) -> Iterator[str]:
    """Yield what the modules for two-factor login ask for: `REQUIREMENTS = [...]`.

    By pattern, for a newer Home Assistant is written in a newer Python than ours.
    """
    for path in sorted((code / "homeassistant/auth/mfa_modules").glob("*.py")):
        for listed in _REQUIREMENTS.findall(path.read_text("utf-8")):
            yield from re.findall(r"""["']([^"']+)["']""", listed)


def _constraints(code: Path, *, without: str) -> str:
    """Return Home Assistant's own constraints, but for the packages of a file."""
    text = (code / "homeassistant/package_constraints.txt").read_text("utf-8")
    left_out = set(_names(without))
    return "".join(
        f"{line}\n" for line in text.splitlines() if left_out.isdisjoint(_names(line))
    )


def _names(text: str) -> Iterator[str]:
    """Yield the packages that a requirements file names."""
    for name in re.findall(r"^([\w.-]+)", text, re.MULTILINE):
        yield re.sub(r"[-_.]+", "-", name).lower()


def _python_of(code: Path) -> str:
    """Return the Python that a release needs at least, such as 3.14.2."""
    metadata = next(code.glob("homeassistant-*.dist-info/METADATA"))
    found = re.search(
        r"^Requires-Python: *>= *([\d.]+)$", metadata.read_text("utf-8"), re.MULTILINE
    )
    if found is None:
        raise CommandError("This release does not say which Python it needs.")
    return found[1]


if __name__ == "__main__":
    main()
