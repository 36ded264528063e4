"""What a function was, in a file that only its owner may read."""

import base64
import binascii
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ha_bridge_ops.aws.version import PLAIN_LOG, Settings, Version
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.files import read_bytes
from ha_bridge_ops.typed import no_file

_FORMAT: Final = 1

#: Bytes of such a file: a zip of Lambda's has up to 50 MB, and a third more here.
#: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_MOST: Final = 70_000_000

#: Commas in it; there are as many as there are variables.
_DENSE: Final = 10_000

#: What reading a file raises that is none of ours.
_NOT_OURS: Final = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError, TypeError),
    *(ValueError, binascii.Error),
)


def write(folder: Path, arn: str, old: Version) -> Path:
    """Write a file that is new, and return where; it is on the disk then.

    Raises:
        CommandError: It cannot be written.
    """
    now = datetime.now(UTC)
    name = arn.rpartition(":")[2]
    path = folder / f"ha-bridge-adopt-{name}-{now:%Y%m%d-%H%M%S}.json"
    document = {
        "format": _FORMAT,
        "function": arn,
        "saved": now.isoformat(timespec="seconds"),
        "settings": {
            "runtime": old.settings.runtime,
            "handler": old.settings.handler,
            "timeout_s": old.settings.timeout_s,
            "memory_mb": old.settings.memory_mb,
            "variables": dict(old.settings.variables),
            "logging": dict(old.settings.logging),
        },
        "code": base64.b64encode(old.code).decode(),
    }
    try:
        # New, so that no other file is lost and nobody else's mode is taken over.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise CommandError(
            f"The old code cannot be saved in {path}: {error.strerror}. "
            "Nothing was changed."
        ) from None
    return path


def read(path: Path) -> tuple[str, Version]:
    """Return the ARN of the function, and what it was.

    Raises:
        CommandError: There is no such file, or it is none of ours.
    """
    try:
        data = read_bytes(path, _MOST)
        # What has more would eat the memory.
        found: Any = json.loads(data) if data.count(b",") <= _DENSE else None
        if found["format"] != _FORMAT:
            raise CommandError(f"{path} was written by another release of ha-bridge.")
        settings = found["settings"]
        return str(found["function"]), Version(
            base64.b64decode(found["code"], validate=True),
            Settings(
                runtime=str(settings["runtime"]),
                handler=str(settings["handler"]),
                timeout_s=int(settings["timeout_s"]),
                memory_mb=int(settings["memory_mb"]),
                variables=_texts(settings["variables"]),
                logging=_texts(settings.get("logging", PLAIN_LOG)),
            ),
        )
    except FileNotFoundError:
        raise CommandError(f"{no_file(path)}.") from None
    except _NOT_OURS:
        raise CommandError(
            f"{path} is not a file that `ha-bridge adopt` has written."
        ) from None


def _texts(found: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in found.items()}
