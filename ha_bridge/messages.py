"""Alexa's vocabulary: read a directive, build an ErrorResponse, read an event.

Source of the shapes:
https://developer.amazon.com/en-US/docs/alexa/device-apis/message-guide.html
"""

import json
import uuid
from typing import Any, Final, NamedTuple

from ha_bridge.errors import BridgeError, ErrorType, Failure
from ha_bridge.redaction import Secret

#: One JSON object, as json.loads gives it.
Event = dict[str, Any]

PAYLOAD_VERSION: Final = "3"

_INFINITY: Final = float("inf")

#: Where a scope can stand in a directive, first found first taken: every directive to
#: an endpoint; AcceptGrant; Discover.
SCOPE_LOCATIONS: Final = (
    ("endpoint", "scope"),
    ("payload", "grantee"),
    ("payload", "scope"),
)

#: Types of scope that carry a token for Home Assistant.
SCOPE_TYPES: Final = frozenset({"BearerToken", "BearerTokenWithPartition"})

#: Names of directives that may reach Home Assistant twice without harm: they only ask,
#: or they name the state to reach. What is relative (Adjust, Skip, Next, Previous) or
#: starts something (Activate, AcceptGrant) is left out on purpose, as is the unknown,
#: and what must never come late: Unlock, Disarm.
REPEATABLE: Final = frozenset(
    {
        "Arm",
        "Deactivate",
        "Discover",
        "Lock",
        "Mute",
        "Pause",
        "Play",
        "ReportState",
        "SelectInput",
        "SetBrightness",
        "SetColor",
        "SetColorTemperature",
        "SetMode",
        "SetMute",
        "SetPercentage",
        "SetPowerLevel",
        "SetRangeValue",
        "SetTargetTemperature",
        "SetThermostatMode",
        "SetVolume",
        "Stop",
        "TurnOff",
        "TurnOn",
    }
)


def _refuse(name: str) -> None:
    # Python reads NaN and Infinity, but they are not JSON and would break our answer.
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (_INFINITY, -_INFINITY):  # 1e999
        raise ValueError(digits)
    return number


#: Made once: to set one up for each answer costs more than to read it.
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)


class Directive(NamedTuple):
    """A reading of a directive: the few fields the bridge needs.

    The event itself is forwarded as it came, so that directives the bridge has never
    heard of work too.
    """

    namespace: str
    name: str
    token: Secret | None
    """None where the scope holds no token at all."""

    @classmethod
    def from_event(cls, event: object) -> "Directive":
        """Read a directive.

        Raises:
            BridgeError: What Alexa sent is no directive that can be forwarded.
        """
        directive = _member(event, "directive") or {}
        header = _member(directive, "header") or {}
        namespace = _text(header, "namespace")
        name = _text(header, "name")
        if not namespace or not name or "payload" not in directive:
            raise BridgeError(Failure.NOT_A_DIRECTIVE)
        if header.get("payloadVersion") != PAYLOAD_VERSION:
            raise BridgeError(Failure.WRONG_PAYLOAD_VERSION)
        return cls(namespace, name, _token(directive))

    @property
    def is_repeatable(self) -> bool:
        """Whether Home Assistant may receive the directive twice."""
        return self.name in REPEATABLE


def _token(directive: Event) -> Secret | None:
    for parent, key in SCOPE_LOCATIONS:
        if scope := _member(_member(directive, parent), key):
            break
    else:
        raise BridgeError(Failure.NO_SCOPE)
    if _text(scope, "type") not in SCOPE_TYPES:
        raise BridgeError(Failure.WRONG_SCOPE_TYPE)
    token = scope.get("token")
    if token is None or token == "":
        return None
    if not isinstance(token, str):
        raise BridgeError(Failure.UNSENDABLE_TOKEN, "it is not a text")
    return Secret(token)


def read_answer(body: bytes) -> Event:
    """Return Home Assistant's answer as the object it is.

    Raises:
        BridgeError: NOT_AN_EVENT.
    """
    try:
        text = body.decode()
        answer = _DECODER.decode(text)
    # RecursionError: a body of a million brackets. UnicodeDecodeError is a ValueError.
    except (ValueError, RecursionError):
        raise BridgeError(Failure.NOT_AN_EVENT, _looks_like(body)) from None
    if not isinstance(answer, dict) or _member(answer, "event") is None:
        raise BridgeError(Failure.NOT_AN_EVENT, "JSON without an event")
    # Half a surrogate pair can be written in JSON but not sent on in UTF-8.
    if "\\u" in text and not _is_text(json.dumps(answer, ensure_ascii=False)):
        raise BridgeError(Failure.NOT_AN_EVENT, "broken characters")
    return answer


def error_type(answer: Event) -> str | None:
    """Return the error type if the answer is an ErrorResponse, else None."""
    event = _member(answer, "event")
    if _text(_member(event, "header"), "name") != "ErrorResponse":
        return None
    return _text(_member(event, "payload"), "type") or "unknown"


def error_response(event: object, error: BridgeError) -> Event:
    """Return the ErrorResponse for a directive that failed.

    Only what Amazon's message schema allows stands in it: no scope, no empty fields.

    Source: https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-errorresponse.html
    """
    directive = _member(event, "directive")
    request = _member(directive, "header")
    namespace, kind = "Alexa", error.failure.error_type
    if _text(request, "name") == "AcceptGrant":
        # https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-authorization.html
        namespace, kind = "Alexa.Authorization", ErrorType.ACCEPT_GRANT_FAILED
    header = {
        "namespace": namespace,
        "name": "ErrorResponse",
        "messageId": str(uuid.uuid4()),
        "payloadVersion": PAYLOAD_VERSION,
    }
    if correlation_token := _text(request, "correlationToken"):
        header["correlationToken"] = correlation_token
    answer: Event = {
        "header": header,
        "payload": {"type": str(kind), "message": error.message},
    }
    if endpoint_id := _text(_member(directive, "endpoint"), "endpointId"):
        answer["endpoint"] = {"endpointId": endpoint_id}
    return {"event": answer}


def describe(event: object) -> dict[str, str]:
    """Return what a log line says of a directive: namespace, name and endpointId.

    It works on any value, for what cannot be read as a directive is logged too.
    """
    directive = _member(event, "directive")
    header = _member(directive, "header")
    fields = {
        "namespace": _text(header, "namespace"),
        "name": _text(header, "name"),
        "endpointId": _text(_member(directive, "endpoint"), "endpointId"),
    }
    return {
        key: "".join(char if char.isprintable() else "?" for char in value[:256])
        for key, value in fields.items()
        if value
    }


def _member(parent: object, key: str) -> Event | None:
    """Return the object that an object holds under a key, or None."""
    value = parent.get(key) if isinstance(parent, dict) else None
    return value if isinstance(value, dict) else None


def _text(parent: object, key: str) -> str:
    """Return the text that an object holds under a key, or an empty one."""
    value = parent.get(key) if isinstance(parent, dict) else None
    return value if isinstance(value, str) and _is_text(value) else ""


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _looks_like(body: bytes) -> str:
    start = body.lstrip()[:1]
    if not start:
        return "an empty answer"
    return "a web page" if start == b"<" else "not JSON"
