"""The exchange, in steps of which each leaves a function that works.

AWS exchanges code and settings one after the other, and a directive may come between.
So each step changes one of them, to something that fits what was there and what comes:

    code                           settings
 0  old                            old
 1  old, and the new in a folder   old
 2  old, and the new in a folder   new, by way of the alias
 3  new, and the alias             new, by way of the alias
 4  new, and the alias             new
 5  new                            new

The way back is the same one.
"""

import io
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

from ha_bridge.redaction import Secret
from ha_bridge.settings import parse_switch
from ha_bridge_ops.adopt.recognise import (
    ALIAS,
    FOLDER,
    files_of,
    no_zip,
)
from ha_bridge_ops.aws.session import AwsError
from ha_bridge_ops.aws.version import Live, Settings, Version
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.events import EVENTS, load, with_token
from ha_bridge_ops.local.package import MODE, UNREADABLE
from ha_bridge_ops.outside import quoted, without

#: Told of each step, before it.
Tell = Callable[[str], None]

#: Of this project's function.
_HANDLER: Final = "lambda_function.lambda_handler"

#: Bytes of all files of a function, unpacked; AWS takes no more.
#: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_MOST: Final = 262_144_000

#: How often a step back is tried.
_TRIES: Final = 5

#: The step after which the new code is asked for the first time.
_NEW_ANSWERS: Final = 2

_ALIAS_CODE: Final = f'''\
"""The way in while `ha-bridge adopt` exchanges the code."""

import os
import sys

_new = os.path.join(os.path.dirname(os.path.abspath(__file__)), "{FOLDER.strip("/")}")
if os.path.isdir(_new):
    sys.path.insert(0, _new)

from lambda_function import lambda_handler
'''.encode()

_WHAT: Final = (
    "Adding the new code to the old",
    "Switching to the new code and its settings",
    "Removing the old code",
    "Naming the new handler",
    "Removing the alias",
)


class ProofError(Exception):
    """The new code is there, but does not do what it should."""


def steps(old: Version, new: Version) -> tuple[Version, ...]:
    """Return what the function is at each step, the first and the last included.

    Raises:
        CommandError: The code of one cannot be unpacked.
    """
    alias = replace(new.settings, handler=f"{ALIAS}.lambda_handler")
    both = _joined((old.code, ""), (new.code, FOLDER))
    aliased = _joined((new.code, ""))
    return (
        old,
        Version(both, old.settings),
        Version(both, alias),
        Version(aliased, alias),
        Version(aliased, new.settings),
        new,
    )


def _joined(*parts: tuple[bytes, str]) -> bytes:
    """Return a zip of several, each below a folder, and of the alias.

    Raises:
        CommandError: One is none that AWS would take.
    """
    try:
        return _packed(*parts)
    except UNREADABLE:
        raise no_zip() from None


def _packed(*parts: tuple[bytes, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as joined:
        for code, folder in parts:
            with zipfile.ZipFile(io.BytesIO(code)) as archive:
                # Of two files of one name the last counts.
                entries = {entry.filename: entry for entry in archive.infolist()}
                if sum(entry.file_size for entry in entries.values()) > _MOST:
                    raise zipfile.BadZipFile
                for entry in entries.values():
                    copied = zipfile.ZipInfo(folder + entry.filename, entry.date_time)
                    copied.external_attr = entry.external_attr
                    copied.create_system = entry.create_system
                    copied.compress_type = zipfile.ZIP_DEFLATED
                    copied.file_size = entry.file_size
                    with archive.open(entry) as file, joined.open(copied, "w") as copy:
                        shutil.copyfileobj(file, copy)
        alias = zipfile.ZipInfo(f"{ALIAS}.py")
        alias.create_system = 3
        alias.external_attr = MODE << 16
        joined.writestr(alias, _ALIAS_CODE, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def exchange(
    live: Live, old: Version, new: Version, prove: Callable[[], None], tell: Tell
) -> None:
    """Make the function the new version, or leave it as it was.

    Args:
        live: The function, which is the old version.
        old: What it is.
        new: What it shall be.
        prove: Asks the function; raises ProofError if it is not well.
        tell: Hears of each step.

    Raises:
        RefusedError: It is the old version again; with the reason.
        CommandError: It could not be put back.
    """
    path = steps(old, new)
    begun = 0
    try:
        for number, (before, after) in enumerate(pairwise(path), 1):
            tell(_WHAT[number - 1])
            begun = number
            _move(live, before, after)
            if number in (_NEW_ANSWERS, len(path) - 1):
                tell("Asking the new code")
                prove()
    except BaseException as error:
        tell("That failed. Restoring everything")
        _back(live, path[: begun + 1], tell)
        if isinstance(error, (AwsError, ProofError)):
            raise RefusedError(
                f"{_why(error)} The function is as it was before."
            ) from None
        raise


def restore(live: Live, now: Version, old: Version, new: bytes, tell: Tell) -> None:
    """Make a function that is the new version, or on the way to it, the old one.

    Args:
        live: The function.
        now: What it is; perhaps another release of the new code.
        old: What it was, and shall be.
        new: Code of this project.
        tell: Hears of each step.

    Raises:
        CommandError: AWS does not let us; every step that was made leaves it working.
    """
    settings = replace(now.settings, handler=_HANDLER)
    path = steps(old, Version(new, settings))
    _back(live, path[: _reached(now) + 1], tell)


def _reached(now: Version) -> int:
    """Return the number of the step that a version is, the first one apart."""
    files = files_of(now.code)
    if f"{ALIAS}.py" not in files:
        return 5
    is_by_alias = now.settings.handler.startswith(f"{ALIAS}.")
    if any(name.startswith(FOLDER) for name in files):
        return 2 if is_by_alias else 1
    return 3 if is_by_alias else 4


def _move(live: Live, before: Version, after: Version) -> None:
    if after.code != before.code:
        live.put_code(after.code)
    if after.settings != before.settings:
        live.put_settings(after.settings)


def _back(live: Live, path: tuple[Version, ...], tell: Tell) -> None:
    """Go back along steps; the last of them need not have been reached."""
    for after, before in pairwise(reversed(path)):
        _move_surely(live, after, before, tell)


def _move_surely(live: Live, before: Version, after: Version, tell: Tell) -> None:
    """Make a step, again and again if AWS has a bad moment."""
    for tries in range(_TRIES):
        try:
            if not live.is_at(after):
                _move(live, before, after)
        except AwsError as error:
            if tries == _TRIES - 1:
                raise CommandError(
                    f"It could not be put back: {_why(error)} The function works, with "
                    "code and settings that fit; to continue the way back, run "
                    "`ha-bridge adopt --undo` with the file that was kept."
                ) from None
            tell("Once more")
        else:
            return


def _why(error: AwsError | ProofError) -> str:
    if isinstance(error, ProofError):
        return str(error)
    if error.code == "PreconditionFailedException":
        return "Someone else is changing the function at this moment."
    words = f", {quoted(error.words)}" if error.words else ""
    return f"AWS did not do it: {error.code}{words}."


def prove(live: Live, token: str, hide: Callable[[str], str] = str) -> None:
    """Ask the function for its way home, and for a Discovery.

    Args:
        live: The function.
        token: Of Home Assistant; empty if there is none at hand.
        hide: Takes out of a text what the function sends to open a closed home.

    Raises:
        ProofError: One of them failed.
        AwsError: AWS did not let us ask.
    """
    answer = live.function.invoke({"ha_bridge": {"probe": {}}})
    report = _inner(answer, "ha_bridge", "probe")
    if report is None:
        shown = quoted(hide(str(answer)))
        raise ProofError(f"The new code does not answer its probe: {shown}.")
    http = report.get("http")
    if not isinstance(http, dict) or "error" in http:
        part = next(
            (
                name
                for name in ("http", "tls", "connect", "resolve")
                if report.get(name)
            ),
            "resolve",
        )
        raise ProofError(
            f"The new code does not reach Home Assistant ({part}: "
            f"{quoted(hide(str(report.get(part))))}); `ha-bridge check` says why."
        )
    discovery = load(EVENTS / "discovery.json")
    if token:
        discovery = with_token(discovery, token)
    found = live.function.invoke(discovery)
    header = _inner(found, "event", "header") or {}
    payload = _inner(found, "event", "payload") or {}
    fine = (
        isinstance(payload.get("endpoints"), list)
        if header.get("name") == "Discover.Response"
        else not token and payload.get("type") == "INVALID_AUTHORIZATION_CREDENTIAL"
    )
    if not fine:
        said = str(payload.get("type") or payload.get("message") or found)
        # Whoever answers at the address has been sent both.
        shown = quoted(hide(without([Secret(token)], said)))
        raise ProofError(f"The new code does not answer a Discovery: {shown}.")


def _inner(value: Any, *keys: str) -> Mapping[str, Any] | None:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else None


def with_settings(old: Settings, variables: Mapping[str, str]) -> Settings:
    """Return the settings for the new code; what is generous already stays."""
    return Settings(
        runtime="python3.13",
        handler=_HANDLER,
        timeout_s=max(old.timeout_s, 9),
        memory_mb=max(old.memory_mb, 256),
        variables=dict(variables),
        logging=_as_json(old.logging, variables),
    )


def _as_json(old: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """Return how the new code logs: what `check` and `report` read is JSON.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
    """
    try:
        is_debug = parse_switch(variables.get("DEBUG", "").strip())
    except ValueError:
        is_debug = False
    return {
        "SystemLogLevel": "INFO",
        **old,
        "LogFormat": "JSON",
        "ApplicationLogLevel": "DEBUG" if is_debug else "INFO",
    }
