"""Directives for the tests, made from the project's own event files."""

import copy
import json
from pathlib import Path
from typing import Any

from ha_bridge_ops.local.embedded import HomeAssistantServer

EVENTS = Path(__file__).parent.parent / "events"

#: Stands in no other text, so that a search finds every place it leaks to.
TOKEN = "secret-bearer-token-7f3a"
CORRELATION_TOKEN = "secret-correlation-token-91bc"
GRANT_CODE = "secret-grant-code-55d0"
SECRETS = (TOKEN, CORRELATION_TOKEN, GRANT_CODE)


def event(name: str, token: str | None = TOKEN) -> dict[str, Any]:
    """Return an event file as Alexa would send it, with secrets that can be found."""
    read: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    directive = read["directive"]
    if "correlationToken" in directive["header"]:
        directive["header"]["correlationToken"] = CORRELATION_TOKEN
    if "grant" in directive["payload"]:
        directive["payload"]["grant"]["code"] = GRANT_CODE
    scope = scope_of(directive)
    scope.pop("token", None)
    if token is not None:
        scope["token"] = token
    return read


def offered(home: HomeAssistantServer) -> list[dict[str, Any]]:
    """Return the endpoints that a Home Assistant offers Alexa, asked itself."""
    answer = home.answer(event("discovery", home.access_token))
    found: list[dict[str, Any]] = answer["event"]["payload"]["endpoints"]
    return found


def scope_of(directive: dict[str, Any]) -> dict[str, Any]:
    """Return the scope of a directive, wherever it stands."""
    payload = directive["payload"]
    scope: dict[str, Any] = (
        directive.get("endpoint", {}).get("scope")
        or payload.get("grantee")
        or payload["scope"]
    )
    return scope


def changed(value: dict[str, Any], path: str, new: object) -> dict[str, Any]:
    """Return a copy in which the value at a dotted path is another one."""
    value = copy.deepcopy(value)
    *parents, last = path.split(".")
    parent = value
    for key in parents:
        parent = parent[key]
    parent[last] = new
    return value


def without(value: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a copy that lacks what stands at a dotted path."""
    value = copy.deepcopy(value)
    *parents, last = path.split(".")
    parent = value
    for key in parents:
        parent = parent[key]
    del parent[last]
    return value
