"""What a function runs now: an old script, this already, or something else."""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Final

from ha_bridge_ops.aws.version import Version
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.package import UNREADABLE

#: Files of a zip, by name.
Files = Mapping[str, bytes]

#: Bytes of one file that is looked at; scripts and settings are small.
_MOST: Final = 1_000_000

#: The module that leads to the new code while the old is still there, and its folder.
ALIAS: Final = "ha_bridge_adopted"
FOLDER: Final = "ha_bridge_new/"


class Kind(Enum):
    """What can be told apart."""

    SCRIPT = "the script of Home Assistant's guide"
    HAASKA = "haaska"
    HA_ALEXA = "ha-alexa"
    OURS = "ha-bridge"
    HALF = "an adoption that was interrupted"
    OTHER = "something else"


class _Archive(Mapping[str, bytes]):
    """The small files of a zip, each read when it is asked for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = [
            one.filename for one in archive.infolist() if one.file_size <= _MOST
        ]

    def __getitem__(self, name: str) -> bytes:
        if name not in self._names:
            raise KeyError(name)
        try:
            with self._archive.open(name) as file:
                return file.read(_MOST)  # whatever size it is said to have
        except UNREADABLE:
            raise no_zip() from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def no_zip() -> CommandError:
    """Return what says that the code of a function is none, or broken."""
    return CommandError("The function's code is not a zip that can be read.")


def files_of(code: bytes) -> Files:
    """Return the small files of a zip.

    Raises:
        CommandError: It is none; also when a file of it is read.
    """
    try:
        return _Archive(zipfile.ZipFile(io.BytesIO(code)))
    except UNREADABLE:
        raise no_zip() from None


def recognise(version: Version) -> Kind:
    """Return what a version is."""
    files = files_of(version.code)
    for kind, is_it in _SIGNS:
        if is_it(files, version.settings.handler):
            return kind
    return Kind.OTHER


def _entry(files: Files, handler: str) -> str:
    """Return the text of the module in which the handler is."""
    module, _, _ = handler.rpartition(".")
    return files.get(f"{module.replace('.', '/')}.py", b"").decode("utf-8", "replace")


def _is_half(files: Files, _handler: str) -> bool:
    return f"{ALIAS}.py" in files


def _is_ours(files: Files, handler: str) -> bool:
    text = _entry(files, handler)
    return "ha_bridge/bridge.py" in files or (
        "ha-bridge" in text and 'getLogger("ha_bridge")' in text
    )


def _is_haaska(files: Files, handler: str) -> bool:
    return handler == "haaska.event_handler" and "config.json" in files


def _is_ha_alexa(files: Files, handler: str) -> bool:
    return handler == "alexa_smart_home_handler.lambda_handler" and (
        "parameter_store.py" in files
    )


def _is_script(files: Files, handler: str) -> bool:
    """One file that asks for the four variables and posts to Home Assistant."""
    text = _entry(files, handler)
    signs = ("BASE_URL", "/api/alexa/smart_home", "directive", "payloadVersion")
    return all(sign in text for sign in signs)


#: What each is known by; the first that fits counts.
_SIGNS: Final[tuple[tuple[Kind, Callable[[Files, str], bool]], ...]] = (
    (Kind.HALF, _is_half),
    (Kind.OURS, _is_ours),
    (Kind.HAASKA, _is_haaska),
    (Kind.HA_ALEXA, _is_ha_alexa),
    (Kind.SCRIPT, _is_script),
)
