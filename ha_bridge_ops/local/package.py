"""The zip for people who upload it in the Lambda console: `make package`.

    python -m ha_bridge_ops.local.package FOLDER ZIP

The entries are those that the SAM CLI makes of the same folder, in the order of their
names: the same folder gives the same bytes, at any time and on any machine.
"""

import stat
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Final

#: Of a plain file that everybody may read; Lambda's user is not the one who built.
MODE = stat.S_IFREG | 0o644

try:
    from lzma import LZMAError
except ImportError:  # a Python without it raises NotImplementedError
    LZMAError = zlib.error  # type: ignore[misc,assignment] # any exception will do

#: What reading a zip raises that is broken, encrypted or of another kind.
UNREADABLE: Final = (
    *(EOFError, OSError, ValueError, NotImplementedError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, LZMAError),
)


def write_zip(folder: Path, target: Path) -> int:
    """Write all files of a folder into a zip; return their size in bytes."""
    size = 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as file:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            # Without a time it is that of the first day of all zips.
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            entry.create_system = 3  # Unix: the mode counts
            entry.external_attr = MODE << 16
            file.writestr(entry, content, zipfile.ZIP_DEFLATED)
            size += len(content)
    return size


def main() -> None:
    """Write the zip and say how large it is."""
    folder, target = (Path(name) for name in sys.argv[1:])
    size = write_zip(folder, target)
    print(  # noqa: T201 - what `make package` says
        f"{target}: {target.stat().st_size / 1e6:.2f} MB, unpacked {size / 1e6:.2f} MB"
    )


if __name__ == "__main__":
    main()
