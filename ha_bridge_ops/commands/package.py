"""`ha-bridge package`: what Lambda runs, as a file to upload."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

from ha_bridge_ops import options
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.files import replacing
from ha_bridge_ops.local import build, one_file
from ha_bridge_ops.local.made import make
from ha_bridge_ops.local.package import write_zip
from ha_bridge_ops.terminal import Console, echo


@options.command()
@click.argument(
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("ha-bridge.zip"),
)
def package(file: Path) -> None:
    """Write what Lambda runs to FILE, for those who upload it themselves.

    \b
    Examples:
      ha-bridge package                      ha-bridge.zip, for the Lambda console
      ha-bridge package lambda_function.py   one file, to paste into its editor
      ha-bridge package ha-bridge.yaml       one template, for CloudFormation

    The zip contains the function and urllib3. If this machine has the Python of
    Lambda, it contains byte code too, and starts fastest. The other two use the
    urllib3 of Lambda's runtime. The same release always gives the same bytes.

    Exit status: 0 fine, 2 it could not run.
    """
    write = _KINDS.get(file.suffix.lower())
    if write is None:
        raise CommandError(f"FILE must end in one of {', '.join(_KINDS)}.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with Console(stderr=True).status(f"Writing {file} ..."), replacing(file) as new:
            about = write(new)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
    echo(f"{file}: {about}")


def _zip(file: Path) -> str:
    with tempfile.TemporaryDirectory(prefix="ha-bridge-") as scratch:
        folder = Path(scratch) / "package"
        if not make(folder):
            echo(build.WITHOUT_BYTE_CODE, err=True)
        size = write_zip(folder, file)
    return f"{file.stat().st_size / 1e6:.2f} MB, unpacked {size / 1e6:.2f} MB"


def _one_file(file: Path) -> str:
    return _text(file, one_file.lambda_function())


def _template(file: Path) -> str:
    return _text(file, one_file.cloudformation())


def _text(file: Path, text: str) -> str:
    file.write_text(text, "ascii", newline="\n")
    return f"{len(text) / 1e3:.0f} kB"


#: How each kind of file is written, by the end of its name.
_KINDS: Final[Mapping[str, Callable[[Path], str]]] = MappingProxyType(
    {".zip": _zip, ".py": _one_file, ".yaml": _template}
)
