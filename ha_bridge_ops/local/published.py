"""What the zip of the installed version is, and those of releases: by their hashes.

The zip is the same for everybody who builds it, and so its hash says what it is.
"""

import base64
import hashlib
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ha_bridge import __version__
from ha_bridge_ops.local import build, one_file
from ha_bridge_ops.local.made import make
from ha_bridge_ops.local.package import write_zip

#: The checksums of releases, as `sha256sum` writes them: hash and ha-bridge-1.0.0.zip.
RELEASES: Final = Path(__file__).with_name("published.txt")


@dataclass(frozen=True)
class Known:
    """What code can be told by its hash.

    Hashes are as AWS says them: SHA-256 in base64.
    """

    version: str
    """The installed one."""
    is_release: bool
    """Whether it was installed from a package, and not from a checkout."""
    installed: frozenset[str]
    """Its zip, with byte code and without."""
    releases: Mapping[str, str]
    """The version of each zip that was published."""
    sources: Mapping[str, bytes]
    """The files of ours in the zip, by their names in it."""
    one_file: str
    """All of it as one file."""


def known() -> Known:
    """Return what is known, by building the zip.

    Raises:
        CommandError: It cannot be built here.
    """
    with tempfile.TemporaryDirectory(prefix="ha-bridge-") as scratch:
        folder, target = Path(scratch) / "package", Path(scratch) / "package.zip"
        hashes = set()
        if make(folder):
            write_zip(folder, target)
            hashes.add(_hash(target.read_bytes()))
            for path in folder.rglob("*.pyc"):
                path.unlink()
        write_zip(folder, target)
        hashes.add(_hash(target.read_bytes()))
        ours = [folder / name for name in build.ENTRIES]
        ours += sorted((folder / "ha_bridge").glob("*.py"))
        sources = {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in ours
        }
    return Known(
        version=__version__,
        is_release=build.SOURCES.name == "project",
        installed=frozenset(hashes),
        releases=releases(RELEASES.read_text("utf-8")),
        sources=sources,
        one_file=one_file.lambda_function(),
    )


def releases(text: str) -> dict[str, str]:
    """Return the version of each zip by its hash, of what `sha256sum` has written."""
    found = {}
    for line in text.splitlines():
        digest, _, name = line.partition("  ")
        if name.startswith("ha-bridge-") and name.endswith(".zip"):
            version = name.removeprefix("ha-bridge-").removesuffix(".zip")
            found[base64.b64encode(bytes.fromhex(digest)).decode()] = version
    return found


def record(code: bytes, file: Path = RELEASES, version: str = __version__) -> None:
    """Write the line of a release's zip, in place of one of the same version."""
    name = f"ha-bridge-{version}.zip"
    lines = [
        line
        for line in file.read_text("utf-8").splitlines()
        if not line.endswith(f"  {name}")
    ]
    lines.append(f"{hashlib.sha256(code).hexdigest()}  {name}")
    file.write_text("".join(f"{line}\n" for line in lines), "utf-8", newline="\n")


def _hash(code: bytes) -> str:
    return base64.b64encode(hashlib.sha256(code).digest()).decode()


if __name__ == "__main__":  # `make release`
    record(Path(sys.argv[1]).read_bytes())
