"""Links `settings.*`: the variables themselves."""

from ha_bridge.settings import parse_address, parse_switch
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.model import Fine, Outcome, Problem


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


def why_malformed(token: str) -> str | None:
    """Return what no token can look like, or None; the token is not repeated."""
    if token[0] in "\"'“‘" or token[-1] in "\"'”’":
        return "has quotes around it"
    if token.lower().startswith("bearer "):
        return "begins with the word Bearer"
    if not token.isascii() or not token.isprintable() or " " in token:
        return "has a space, a line break or another character that no token has"
    return None
