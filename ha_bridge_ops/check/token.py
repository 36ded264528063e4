"""Links `token.*`: what it is, before anything is sent, and whether it is accepted."""

import base64
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from ha_bridge.errors import BridgeError
from ha_bridge.home_assistant import has_expired
from ha_bridge.redaction import Secret
from ha_bridge.secrets import READERS, SecretReader
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Status, Untried
from ha_bridge_ops.check.settings import why_malformed
from ha_bridge_ops.events import EVENTS, load, with_token


def kind(context: Context) -> Outcome:
    """The token is one of Home Assistant's."""
    token = _token(context)
    if isinstance(token, Untried):
        return token
    text = token.reveal()
    values = {"host": context.evidence.name if context.evidence else "home.example.org"}
    if text.startswith(("Atza|", "Atzr|", "Atc|")):
        return Problem("amazon", "it begins as Amazon’s tokens do", values)
    header, claims = _part(text, 0), _part(text, 1)
    if text.count(".") != 2 or header is None or claims is None:  # noqa: PLR2004 - JWT
        return Problem("not_a_token", f"a text of {len(text)} characters", values)
    if header.get("alg") != "HS256" or not {"iss", "iat", "exp"} <= set(claims):
        return Problem("foreign", f"signed with {header.get('alg')}", values)
    return Fine("a token as Home Assistant makes them")


def expired(context: Context) -> Outcome:
    """The token has not expired."""
    token = _token(context)
    if isinstance(token, Untried):
        return token
    if not context.is_fine("token.kind"):
        return Untried("it is no token of Home Assistant’s")
    claims = _part(token.reveal(), 1) or {}
    try:
        end = f"{datetime.fromtimestamp(float(claims['exp']), UTC):%Y-%m-%d %H:%M} UTC"
    except (TypeError, ValueError, OverflowError, OSError):
        return Untried("its end cannot be read")
    if has_expired(token, context.now()):
        return Problem("expired", f"it ended {end}")
    return Fine(f"valid until {end}")


def accepted(context: Context) -> Outcome:
    """Home Assistant accepts the token; a Discovery shows it, so that one is enough."""
    token = _token(context)
    if isinstance(token, Untried):
        return token
    for link in ("token.kind", "token.expired"):
        if not context.is_fine(link):
            return Untried("the token is not fit to be sent")
    if why := context.why_no_secret_may_be_sent():
        return Untried(why)
    try:
        return _ask(context, token)
    except (OSError, HTTPException) as error:
        context.asked["discovery"] = error
        return Untried("no answer came; see discovery.count")


def _ask(context: Context, token: Secret) -> Outcome:
    if context.is_fine("ha.smart_home"):
        event = with_token(load(EVENTS / "discovery_with_token.json"), token.reveal())
        answer = context.directive(event, token)
        context.asked["discovery"] = answer
    else:
        # Anything may answer 404 in these words: the token goes to nobody else.
        providers = context.client.request("GET", "/auth/providers")
        if "homeassistant" not in providers.text:
            return Untried("Home Assistant was not seen at this address")
        answer = context.client.request("GET", "/api/", token=token)
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        is_own = answer.is_own("Unauthorized")
        saw = f"HTTP {answer.status}: {answer.text[:60]}" if is_own else ""
        saw = saw or f"HTTP {answer.status} from {answer.server or 'another server'}"
        return Problem("refused" if is_own else "blocked", saw)
    context.asked["token"] = token
    return Fine("accepted")


def _token(context: Context) -> Secret | Untried:
    text = context.value("LONG_LIVED_ACCESS_TOKEN")
    if not text:
        return Untried("LONG_LIVED_ACCESS_TOKEN is not set")
    if text.partition(":")[0] not in READERS:
        if why_malformed(text):
            return Untried("LONG_LIVED_ACCESS_TOKEN is malformed")
        return Secret(text)
    if context.aws is None or "resolved" in context.asked:
        resolved: Secret | Untried = context.asked.get(
            "resolved", Untried("the token is kept in AWS: add --aws to look further")
        )
        return resolved
    aws, region = context.aws, context.options.region
    try:
        found: Secret | Untried = SecretReader(
            lambda service: aws(service, region)
        ).resolve(Secret(text), time.monotonic() + 8)
    except BridgeError as error:
        found = Untried(f"it cannot be read: {error.detail}")
    if isinstance(found, Secret):
        context.secrets.append(found)
    context.asked["resolved"] = found
    return found


def _part(token: str, number: int) -> Mapping[str, Any] | None:
    """Return a part of a JWT: 0 its header, 1 its claims; None if it is none."""
    parts = token.split(".")
    try:
        value = json.loads(base64.urlsafe_b64decode(parts[number] + "=="))
    except (ValueError, IndexError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def why_no_token(context: Context) -> str | None:
    """Return why no directive can be sent, or None."""
    if not context.is_fine("token.accepted"):
        found = context.findings.get("token.accepted")
        if found is not None and found.status is Status.FAILED:
            return "no token was accepted"
        return found.saw if found is not None else "no token was accepted"
    if not context.is_fine("ha.smart_home"):
        return "Home Assistant has no Alexa endpoint"
    return None
