"""Links `token.*`: what it is, before anything is sent, and whether it is accepted."""

import base64
import json
import re
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
from ha_bridge_ops.check.context import Context, Fact
from ha_bridge_ops.check.evidence import named
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Status, Untried
from ha_bridge_ops.check.settings import why_malformed
from ha_bridge_ops.events import EVENTS, load, with_token
from ha_bridge_ops.home_client import Answer
from ha_bridge_ops.outside import known, one_of

_WORD = re.compile(r"[A-Za-z0-9-]{1,20}")


class _Malformed(Untried):
    """What is kept in AWS cannot be a token."""


def kind(context: Context) -> Outcome:
    """The token is one of Home Assistant's."""
    token = _token(context)
    if isinstance(token, Untried):
        if isinstance(token, _Malformed):
            return Problem("not_a_token", token.why)
        return token
    text = token.reveal()
    values = named(context.address)
    if text.startswith(("Atza|", "Atzr|", "Atc|")):
        return Problem("amazon", "it begins as Amazon’s tokens do", values)
    header, claims = _part(text, 0), _part(text, 1)
    if text.count(".") != 2 or header is None or claims is None:  # noqa: PLR2004 - JWT
        return Problem("not_a_token", f"a text of {len(text)} characters", values)
    if header.get("alg") != "HS256" or not {"iss", "iat", "exp"} <= set(claims):
        return Problem(
            "foreign", f"signed with {one_of(header.get('alg'), _WORD)}", values
        )
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
    tried = _tried(context)
    if isinstance(tried, Untried):
        return tried
    if isinstance(tried, Exception):
        return Untried("no answer came; see discovery.count")
    if tried.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        if tried.is_own("Unauthorized"):
            return Problem("refused", f"HTTP {tried.status}: {tried.text[:60]}")
        server = context.hide(tried.server)
        who = known(server) if server else "another server"
        return Problem("blocked", f"HTTP {tried.status} from {who}")
    return Fine("accepted")


@Fact
def _tried(context: Context) -> Answer | OSError | HTTPException | Untried:
    """What came of sending the token, once: a Discovery where Alexa's part is there."""
    token = _token(context)
    if isinstance(token, Untried):
        return token
    if why := _why_not_sent(context):
        return Untried(why)
    try:
        if context.is_fine("ha.smart_home"):
            found = load(EVENTS / "discovery_with_token.json")
            return context.directive(with_token(found, token.reveal()), token)
        # Anything may answer 404 in these words: the token goes to nobody else.
        providers = context.home.request("GET", "/auth/providers")
        if "homeassistant" not in providers.text:
            return Untried("Home Assistant was not seen at this address")
        return context.home.request("GET", "/api/", token=token)
    except (OSError, HTTPException) as error:
        return error


def _why_not_sent(context: Context) -> str | None:
    if not (context.is_fine("token.kind") and context.is_fine("token.expired")):
        return "the token is not fit to be sent"
    return context.why_no_secret_may_be_sent()


def discovery_of(context: Context) -> Answer | OSError | HTTPException | None:
    """Return what came of a Discovery; None if none was sent."""
    tried = _tried(context)
    if isinstance(tried, Untried):
        return None
    if isinstance(tried, Answer) and not context.is_fine("ha.smart_home"):
        return None
    return tried


def accepted_token(context: Context) -> Secret | None:
    """Return the token, if Home Assistant accepts it."""
    token = _token(context)
    if isinstance(token, Untried) or not context.is_fine("token.accepted"):
        return None
    return token


@Fact
def _token(context: Context) -> Secret | Untried:
    """The token, and if it is kept in AWS, what is read there."""
    text = context.value("LONG_LIVED_ACCESS_TOKEN")
    if not text:
        return Untried("LONG_LIVED_ACCESS_TOKEN is not set")
    if text.partition(":")[0] not in READERS:
        if why_malformed(text):
            return Untried("LONG_LIVED_ACCESS_TOKEN is malformed")
        return Secret(text)
    return _resolved(context, text)


def _resolved(context: Context, reference: str) -> Secret | Untried:
    if context.aws is None:
        return Untried("the token is kept in AWS: add --aws to look further")
    aws, region = context.aws, context.options.region
    reader = SecretReader(lambda service: aws(service, region))
    try:
        found = reader.resolve(Secret(reference), time.monotonic() + 8)
    except BridgeError as error:
        return Untried(f"it cannot be read: {error.detail}")
    context.secrets.append(found)
    if complaint := why_malformed(found.reveal()):
        return _Malformed(f"what {reference} holds {complaint}")
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
