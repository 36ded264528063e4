"""What ships, built for a command: the installer's words come with ours, or not."""

import os
from pathlib import Path

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local import build
from ha_bridge_ops.local.processes import said


def make(folder: Path) -> bool:
    """Put what ships into a folder; return whether its byte code is there too.

    Raises:
        CommandError: It cannot be built here; with the installer's last words.
    """
    import uv  # noqa: PLC0415 - only what is built needs it

    try:
        return build.build(folder, uvs=[uv.find_uv_bin()])
    except build.BuildError as error:
        words = f" {said(error.words, os.environ)}" if error.words else ""
        raise CommandError(f"{error}{words}") from None
