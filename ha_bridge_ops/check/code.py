"""Link `aws.code`: what runs in AWS is what was published."""

import _imp
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Final

from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.version import Live
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried
from ha_bridge_ops.check.search import deployed_anew, of_function
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.package import UNREADABLE
from ha_bridge_ops.local.published import Known
from ha_bridge_ops.outside import quoted

#: Where the version of the core is.
_INIT: Final = "ha_bridge/__init__.py"
_VERSION: Final = re.compile(rb'^__version__ = "([0-9][\w.+-]{0,40})"$', re.MULTILINE)

#: How ha-bridge as one file begins.
_HEAD: Final = re.compile(r'"""ha-bridge ([0-9][\w.+-]{0,40}): ')

#: Bytes of one file of a zip that are read, of all, and files that are named.
_MOST: Final = 1_000_000
_MOST_OF_ALL: Final = 30_000_000
_SHOWN: Final = 5

#: Byte code of Python 3.7 and newer begins with magic, flags, and the source's hash.
#: https://peps.python.org/pep-0552/
_MAGIC, _FLAGS, _HASH = slice(0, 4), slice(4, 8), slice(8, 16)
_BY_HASH: Final = 1


@of_function
def code(context: Context, function: Function) -> Outcome:
    """The function runs what was published."""
    if not function.code_sha256:
        return Untried("it is a container image")
    try:
        known = context.known_code()
    except (CommandError, OSError) as error:
        return Untried(
            f"the zip to compare with cannot be built here: {quoted(error, 300)}"
        )
    if said := _by_hash(function.code_sha256, known):
        return Fine(said)
    there = _files(Live(function, fetch=context.fetch).read().code)
    if len(there) == 1 and (said := _one_file(next(iter(there.values())), known)):
        return Fine(said)
    cause, saw = _by_content(there, known)
    return Problem(cause, saw, deployed_anew(context, function)) if cause else Fine(saw)


def _by_hash(sha256: str, known: Known) -> str | None:
    """Return what a zip is, if its hash is known."""
    if version := known.releases.get(sha256):
        return f"this is the published {version}"
    if sha256 not in known.installed:
        return None
    if known.is_release:
        return f"this is the published {known.version}"
    return f"built from a checkout: this one, of {known.version}"


def _by_content(there: Mapping[str, bytes], known: Known) -> tuple[str, str]:
    """Return the cause of what is wrong with a zip, or none, and what was seen."""
    content = next(iter(there.values())) if len(there) == 1 else b""
    if found := _HEAD.match(content.decode("utf-8", "replace")):
        return "changed", f"{found[1]} as one file, but not as built"
    found_version = _VERSION.search(there.get(_INIT, b""))
    if found_version is None:
        return "other", "it does not say that it is ha-bridge"
    claimed = found_version[1].decode()
    changed = set(_changed(there))
    if claimed == known.version and known.is_release:
        mine = known.sources.items()
        changed |= {name for name, text in mine if there.get(name) != text}
        if not changed:
            return "", f"the sources are those of {claimed}, packed in another way"
    if not changed:
        return "", f"built from a checkout, of {claimed}"
    named = ", ".join(map(quoted, sorted(changed)[:_SHOWN]))
    if len(changed) > _SHOWN:
        named += f" and {len(changed) - _SHOWN} more"
    return "changed", f"{claimed}, but not as built: {named}"


def _one_file(content: bytes, known: Known) -> str | None:
    """Return what ha-bridge as one file is; None if it is none, or was changed.

    AWS makes the zip of it, and so its hash says nothing.
    """
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").strip()
    found = _HEAD.match(text)
    if found is None:
        return None
    if text == known.one_file.strip():
        if known.is_release:
            return f"this is the published {known.version}, as one file"
        return f"built from a checkout, of {known.version}, as one file"
    if found[1] == known.version and known.is_release:
        return None
    return f"{found[1]} as one file; only that version can compare it"


def _files(content: bytes) -> Mapping[str, bytes]:
    """Return the files of a zip that are not too large.

    Returns:
        None of them if it is no zip, or all together are more than ours ever are.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [
                entry
                for entry in archive.infolist()
                if entry.file_size <= _MOST and not entry.is_dir()
            ]
            if sum(entry.file_size for entry in entries) > _MOST_OF_ALL:
                return {}
            return {entry.filename: archive.read(entry) for entry in entries}
    except UNREADABLE:
        return {}


def _changed(there: Mapping[str, bytes]) -> Iterator[str]:
    """Give the sources of ours that are not those their byte code was made of."""
    for name, compiled in there.items():
        folder, _, file = name.rpartition("__pycache__/")
        source = f"{folder}{file.partition('.')[0]}.py"
        if not name.endswith(".pyc") or not _is_ours(source):
            continue
        is_by_hash = int.from_bytes(compiled[_FLAGS], "little") & _BY_HASH
        if not is_by_hash:
            continue
        magic = int.from_bytes(compiled[_MAGIC], "little")
        if _imp.source_hash(magic, there.get(source, b"")) != compiled[_HASH]:
            yield source


def _is_ours(name: str) -> bool:
    return name.startswith("ha_bridge/") or "/" not in name
