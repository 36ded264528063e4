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
from ha_bridge_ops.local.tools import LOCKS, run_uv
from ha_bridge_ops.terminal import echo

#: The integrations of the demo's configuration.  `demo` has one for each of its
#: platforms beside what its manifest names.
INTEGRATIONS = ("alexa", "demo", "ffmpeg", "frontend", "logger", "stream")

#: A Python that satisfies every `>=`, to unpack a release before it is known which
#: Python it needs.  Home Assistant's own wheel is the same for all.
ANY_PYTHON = "3.99"

_VERSION = re.compile(r"\d{4}\.\d{1,2}\.\d{1,2}(?:(?:b|rc|\.dev)\d+)?")
_REQUIREMENTS = re.compile(r"^REQUIREMENTS = \[(.*?)\]", re.MULTILINE | re.DOTALL)


@click.command()
@click.argument("version")
@click.option("--until", metavar="DATE", help="Take nothing that is newer than this.")
def main(version: str, until: str | None) -> None:
    """Write the lock of a release, for the project to support it."""
    version, python, lock = write(version, LOCKS, until=until)
    echo(f'{lock}\nHome Assistant {version} needs Python "{python}".')


def write(
    version: str, folder: Path, *, until: str | None = None
) -> tuple[str, str, Path]:
    """Write `home-assistant-VERSION.in` and `.txt`.

    A file `home-assistant-VERSION-overrides.in` that is there already is minded: it
    names packages whose pinned version has no wheel.

    Args:
        version: Of Home Assistant; `newest` is the newest that PyPI has.
        folder: For the files.
        until: Date; what is newer is not taken.

    Returns:
        The version, the Python that it needs at least, and the lock.

    Raises:
        CommandError: There is no such release, or it cannot be resolved.
    """
    if version != "newest" and not _VERSION.fullmatch(version):
        raise CommandError(
            f"{version!r} is no release of Home Assistant: give one such as "
            "2026.11.0, or newest."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ha-bridge-lock-") as scratch:
        code = Path(scratch)
        wanted = "homeassistant" + ("" if version == "newest" else f"=={version}")
        run_uv(
            *("pip", "install", "--no-deps", "--python-version", ANY_PYTHON),
            *("--only-binary", ":all:", "--target", scratch, wanted),
        )
        version, python = _of_metadata(code)
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
            *("--no-annotate", "--no-header", "--generate-hashes"),
            *(("--exclude-newer", until) if until else ()),
            *(("--override", str(overrides)) if overridden else ()),
            *("--constraint", str(constraints)),
            str(source),
        )
    options = f" --until {until}" if until else ""
    lock.write_text(
        f"# Home Assistant {version} for the demo, on Python {minor}: every package. "
        "Install with `uv pip sync` (or, the\n"
        f"# list being complete, `pip install --no-deps -r`). Made by:\n"
        f"#   python -m ha_bridge_ops.local.home_assistant_lock {version}{options}\n"
        + packages
    )
    return version, python, lock


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
        waiting += said.get("dependencies", ())
    return sorted(found, key=str.lower)


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


def _of_metadata(code: Path) -> tuple[str, str]:
    """Return the version, and the Python that it needs at least."""
    text = next(code.glob("homeassistant-*.dist-info/METADATA")).read_text("utf-8")
    found = {
        name: re.search(rf"^{name}: *(?:>=)?(\S+)$", text, re.MULTILINE)
        for name in ("Version", "Requires-Python")
    }
    version, python = found["Version"], found["Requires-Python"]
    if version is None or python is None or not re.fullmatch(r"[\d.]+", python[1]):
        raise CommandError("This release does not say which Python it needs.")
    return version[1], python[1]


if __name__ == "__main__":
    main()
