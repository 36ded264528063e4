"""`ha-bridge package`: what Lambda runs, as a file to upload."""

import tempfile
from pathlib import Path

import click

from ha_bridge_ops import options
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local import build
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
      ha-bridge package                   ha-bridge.zip, for the Lambda console

    The zip has the function, urllib3, and byte code if there is a Python as Lambda's on
    this machine. The same release gives the same bytes.

    Exit status: 0 fine, 2 it could not run.
    """
    with Console(stderr=True).status(f"Writing {file} ..."):
        size = _zip(file)
    echo(f"{file}: {file.stat().st_size / 1e6:.2f} MB, unpacked {size / 1e6:.2f} MB")


def _zip(file: Path) -> int:
    import uv  # noqa: PLC0415 - only a zip needs it

    with tempfile.TemporaryDirectory(prefix="ha-bridge-") as scratch:
        folder = Path(scratch) / "package"
        try:
            if not build.build(folder, uvs=[uv.find_uv_bin()]):
                echo(build.WITHOUT_BYTE_CODE, err=True)
        except build.BuildError as error:
            raise CommandError(str(error)) from None
        try:
            return write_zip(folder, file)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
