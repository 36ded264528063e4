"""Links `settings.*`: the variables themselves."""

import time
from collections.abc import Mapping
from typing import Any, Final

from ha_bridge.errors import BridgeError
from ha_bridge.redaction import Secret
from ha_bridge.secrets import is_reference
from ha_bridge.settings import parse_address, parse_switch
from ha_bridge_ops.check.context import Context, gate_complaints
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried
from ha_bridge_ops.outside import quoted

#: Seconds to read what is kept in AWS.
READ_S: Final = 8.0

DAY_S: Final = 86_400

#: Days before its end from which on a certificate is warned of.
SOON_DAYS: Final = 30


def base_url(context: Context) -> Outcome:
    """BASE_URL can be read."""
    text = context.value("BASE_URL")
    if not text:
        return Problem("missing", "BASE_URL is not set")
    try:
        address = parse_address(text)
    except ValueError as error:
        return Problem("malformed", f"BASE_URL {error}")
    return Fine(str(address))


def not_verify_ssl(context: Context) -> Outcome:
    """NOT_VERIFY_SSL is off."""
    return _switch(context, "NOT_VERIFY_SSL")


def debug(context: Context) -> Outcome:
    """DEBUG is off."""
    return _switch(context, "DEBUG")


def _switch(context: Context, name: str) -> Outcome:
    try:
        is_on = parse_switch(context.value(name))
    except ValueError as error:
        return Problem("malformed", f"{name} {error}")
    return Problem("on", f"{name} is on") if is_on else Fine("off")


def long_lived_access_token(context: Context) -> Outcome:
    """LONG_LIVED_ACCESS_TOKEN is only for tests."""
    text = context.value("LONG_LIVED_ACCESS_TOKEN")
    if not text:
        return Fine("not set")
    if complaint := why_malformed(text):
        return Problem("malformed", f"LONG_LIVED_ACCESS_TOKEN {complaint}")
    return Problem("set", "it is set here")


def extra_headers(context: Context) -> Outcome:
    """EXTRA_HEADERS can be sent."""
    return _of_the_gate(context, "EXTRA_HEADERS")


def client_certificate(context: Context) -> Outcome:
    """CLIENT_CERTIFICATE can be shown."""
    return _of_the_gate(context, "CLIENT_CERTIFICATE")


def ca_certificate(context: Context) -> Outcome:
    """CA_CERTIFICATE can be trusted."""
    return _of_the_gate(context, "CA_CERTIFICATE")


def _of_the_gate(context: Context, name: str) -> Outcome:
    if not context.value(name):
        return Fine("not set")
    if complaint := gate_complaints(context)[name]:
        return Problem("malformed", complaint)
    if context.gate is None:
        is_kept = is_reference(Secret(context.value(name)))
        return Untried(
            "it is kept in AWS: add --aws to look further"
            if is_kept and context.aws is None
            else "another of the three settings must be corrected first"
        )
    try:
        told = context.gate.describe(time.monotonic() + READ_S)
    except BridgeError as error:
        return Problem("unreadable", error.detail)
    if name == "EXTRA_HEADERS":
        return Fine(f"headers: {', '.join(told['headers'])}")
    return _lasting(context, told.get(name.lower()))


def _lasting(context: Context, known: Mapping[str, Any] | None) -> Outcome:
    """Judge a certificate by its end."""
    if known is None:
        return Fine("set")
    days = (known["not_after"] - context.now()) / DAY_S
    shown = f"{quoted(known['subject'], 60)}, {abs(days):.0f} days"
    if days < 0:
        return Problem("expired", f"{shown} over its end")
    if days < SOON_DAYS:
        return Problem("expires_soon", f"{shown} left")
    return Fine(f"{shown} left")


def why_malformed(token: str) -> str | None:
    """Return what no token can look like, or None; the token is not repeated."""
    if token[0] in "\"'“‘" or token[-1] in "\"'”’":
        return "has quotes around it"
    if token.lower().startswith("bearer "):
        return "begins with the word Bearer"
    if not token.isascii() or not token.isprintable() or " " in token:
        return "has a space, a line break or another character that no token has"
    return None
