"""A report of `ha_bridge.probe` that came from elsewhere: read, whatever it is.

The function in AWS may be any script, and what it found on its way is what a stranger
said.  After this a report has the shape that the probe gives it here.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any, Final

from ha_bridge.network_errors import NETWORK_ERRORS
from ha_bridge.settings import GATE_VARIABLES
from ha_bridge_ops.outside import quoted

#: Characters of a text, and entries of a list, that are kept.
_TEXT: Final = 300
_ENTRIES: Final = 16

#: Seconds since the epoch up to which Python knows dates.
_LAST_DATE: Final = 253_402_300_799

#: What an address is made of; IPv6 may say by which network card it is reached.
_ADDRESS: Final = re.compile(r"[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9_.-]{1,15})?")

#: Takes a value of a report; None if it is none.
_Read = Callable[[Any], Any]


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    # JSON may hold half a character, which no other text can.
    return value[:_TEXT].encode("utf-8", "replace").decode()


def _reason(value: Any) -> str | None:
    # The function may be any script: its words are not those of its system.
    found = _text(value)
    return quoted(found) if found else found


def _number(value: Any) -> float | None:
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_one and 0 <= value <= _LAST_DATE else None


def _whole(value: Any) -> int | None:
    found = _number(value)
    return int(found) if found is not None else None


def _status(value: Any) -> int | None:
    found = _whole(value)
    return found if found is not None and 100 <= found <= 599 else None  # noqa: PLR2004


def _address(value: Any) -> str | None:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        return None
    try:
        ip_address(value)
    except ValueError:
        return None
    return value


def _one_of(*words: str) -> _Read:
    """Return what takes these words, and the last of them for any other."""
    return lambda value: (
        None if value is None else value if value in words else words[-1]
    )


def _list_of(read: _Read) -> _Read:
    def read_all(value: Any) -> list[Any]:
        found = value[:_ENTRIES] if isinstance(value, list) else []
        return [one for one in map(read, found) if one is not None]

    return read_all


#: What goes wrong with a connection; any other is the last.
_NETWORK: Final = ("timeout", "refused", "reset", "unreachable")


#: What goes wrong beyond that, in the words of the core.
_ERRORS: Final = tuple(row.name for row in NETWORK_ERRORS)


def _marks(value: Any) -> list[str] | None:
    # None from an older probe: then they are found anew.
    return _list_of(_text)(value) if isinstance(value, list) else None


def _failed(value: Any) -> dict[str, str] | None:
    address = _address(value.get("address")) if isinstance(value, dict) else None
    if address is None:
        return None
    error = _one_of(*_NETWORK)(value.get("error")) or "unreachable"
    return {
        "address": address,
        "error": error,
        "reason": _reason(value.get("reason")) or "",
    }


#: What is kept of an answer.
_ANSWER: Final[Mapping[str, _Read]] = {
    "status": _status,
    "error": _one_of(*_ERRORS, "not_http"),
    "marks": _marks,
    "reason": lambda value: _reason(value) or "",
    **dict.fromkeys(
        (
            *("title", "begins", "server", "location", "content_type"),
            *("www_authenticate", "cf_mitigated", "target"),
        ),
        lambda value: _text(value) or "",
    ),
}

#: What each part of a report may hold, and milliseconds; what is not listed is kept if
#: it is a text, a yes or a no.
PARTS: Final[Mapping[str, Mapping[str, _Read]]] = {
    "resolve": {
        "addresses": _list_of(_address),
        "error": _one_of("timeout", "name_server", "unknown_name"),
        "reason": _reason,
    },
    "connect": {"address": _address, "failed": _list_of(_failed)},
    "tls": {
        "names": _list_of(_text),
        "not_before": _whole,
        "not_after": _whole,
        "speaks_12": lambda value: value if isinstance(value, bool) else None,
        "error": _one_of(*_ERRORS, "incomplete", "plain_http", "failed", "tls_failed"),
        "reason": _reason,
    },
    "http": _ANSWER,
    "bare": _ANSWER,
    "gate": {
        "given": _list_of(lambda value: value if value in GATE_VARIABLES else None),
        "headers": _list_of(_text),
    },
}


def read(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a report as the probe would have given it; None if it makes no sense."""
    report: dict[str, Any] = {}
    for name, readers in PARTS.items():
        part = found.get(name)
        if isinstance(part, dict):
            report[name] = _part(part, readers)
    resolved = report.get("resolve", {}).get("addresses")
    if not resolved and "error" not in report.get("resolve", {}):
        return None
    connect = report.setdefault("connect", {"failed": []})
    if resolved and not connect.get("address") and not connect["failed"]:
        return None
    tls = report.get("tls")
    # A certificate that cannot be read has no end; a version of TLS is there then.
    if tls is not None and not {"error", "not_after", "version"} & set(tls):
        return None
    for name in ("http", "bare"):
        answer = report.get(name)
        if answer is not None and ("status" in answer) == ("error" in answer):
            return None
    return report


def _part(part: Mapping[str, Any], own: Mapping[str, _Read]) -> dict[str, Any]:
    readers = {"ms": _number, **own}
    kept: dict[str, Any] = {
        str(key)[:_TEXT]: value[:_TEXT] if isinstance(value, str) else value
        for key, value in part.items()
        if key not in readers and isinstance(value, str | bool)
    }
    for key, reads in readers.items():
        value = reads(part.get(key))
        if value is not None:
            kept[key] = value
    return kept
