"""Alexa's vocabulary: read a directive, build an ErrorResponse, read an event.

Source of the shapes:
https://developer.amazon.com/en-US/docs/alexa/device-apis/message-guide.html
"""

import json
import re
import sys
import uuid
from typing import Any, Final, NamedTuple

from ha_bridge.delivery import Kind, kind_of
from ha_bridge.errors import BridgeError, ErrorType, Failure
from ha_bridge.redaction import Secret

#: One JSON object, as json.loads gives it.
Event = dict[str, Any]

PAYLOAD_VERSION: Final = "3"

#: Bytes that a Lambda function may return, as its runtime writes the answer.
#: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ANSWER: Final = 6 * 1024 * 1024

#: Bytes that an answer may have without being measured: the runtime makes at most three
#: of one, where all is letters that it escapes.
_SURELY_FITS: Final = MAX_ANSWER // 3

#: Objects and lists in an answer that is read, for each takes some hundred bytes of
#: memory, of which the function has 128 MB; a Discovery of 300 devices has some 30 000.
MAX_OBJECTS: Final = 300_000

#: Values in one, as their commas tell: a million texts of two letters take 170 MB.
_MOST_VALUES: Final = 300_000

#: Whether Lambda's runtime escapes all but ASCII, which it did before Python 3.12.
_IS_ESCAPED: Final = sys.version_info < (3, 12)

#: Characters of an id or a token that an ErrorResponse repeats, so that it fits; those
#: of Alexa have some hundreds.
_MOST_REPEATED: Final = 100_000

#: Characters of what an ErrorResponse says that are told.
_MOST_SAID: Final = 300

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


def _refuse(name: str) -> None:
    # Python reads NaN and Infinity, but they are not JSON and would break our answer.
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (_INFINITY, -_INFINITY):  # 1e999
        raise ValueError(digits)
    return number


#: How Alexa writes error types.
_ERROR_TYPE: Final = re.compile("[A-Z_]{1,64}")

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
    def kind(self) -> Kind:
        """What it does; see the rule of `delivery`."""
        return kind_of(self.namespace, self.name)


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


def read_answer(body: bytes, event: object = None) -> Event:
    """Return Home Assistant's answer as the object it is.

    Args:
        body: The answer.
        event: The directive, if it is to be compared: an answer with another
            correlation token than it has is not for it.

    Raises:
        BridgeError: NOT_AN_EVENT or TOO_LARGE.
    """
    try:
        if len(body) > _SURELY_FITS:
            if objects_in(body) > MAX_OBJECTS:
                raise BridgeError(Failure.TOO_LARGE, f"over {MAX_OBJECTS} objects")
            if body.count(b",") > _MOST_VALUES:
                raise BridgeError(Failure.TOO_LARGE, f"over {_MOST_VALUES} values")
        text = body.decode()
        answer = _DECODER.decode(text)
        # Half a surrogate pair can be read, but not sent on in UTF-8.
        if "\\u" in text or (
            len(body) > _SURELY_FITS and _may_grow_to(text) > MAX_ANSWER
        ):
            _check_size(answer)
    # RecursionError: a body of a million brackets. UnicodeDecodeError is a ValueError.
    except (ValueError, RecursionError):
        raise BridgeError(Failure.NOT_AN_EVENT, _looks_like(body)) from None
    answered = _member(answer, "event")
    if answered is None:
        raise BridgeError(Failure.NOT_AN_EVENT, "JSON without an event")
    asked = _correlation_token(_member(event, "directive"))
    if asked and _correlation_token(answered) not in ("", asked):
        raise BridgeError(Failure.NOT_AN_EVENT, "it answers another directive")
    return answer  # type: ignore[no-any-return]  # `_member` saw an object


def _correlation_token(message: Event | None) -> str:
    return _text(_member(message, "header"), "correlationToken")


def objects_in(body: bytes) -> int:
    """Return how many objects and lists JSON has, or a few more."""
    return body.count(b"{") + body.count(b"[")


def _may_grow_to(text: str) -> int:
    """Return how many bytes of an answer the runtime may make, at the most."""
    size = len(text) + text.count(",") + text.count(":")  # a space behind each
    # len() counts characters: up to four bytes each, or six and twelve when escaped.
    return size if text.isascii() else size * (12 if _IS_ESCAPED else 4)


def _check_size(answer: object) -> None:
    """Raise what the runtime would fail with when it writes the answer.

    Raises:
        ValueError: It cannot be written.
        BridgeError: TOO_LARGE.
    """
    size = len(json.dumps(answer, ensure_ascii=False).encode())
    if _IS_ESCAPED:
        size = len(json.dumps(answer))
    if size > MAX_ANSWER:
        raise BridgeError(Failure.TOO_LARGE, f"over {MAX_ANSWER} bytes")


def error_type(answer: Event) -> str | None:
    """Return the error type if the answer is an ErrorResponse, else None.

    "unknown" for what is no such type, for it goes into the log.
    """
    kind = outcome(answer).get("errorType")
    return str(kind) if kind else None


def error_message(answer: Event) -> str:
    """Return what an ErrorResponse says, a sentence or two; it may hold anything."""
    said = _text(_member(_member(answer, "event"), "payload"), "message")
    return said if len(said) <= _MOST_SAID else f"{said[: _MOST_SAID - 1]}…"


def outcome(answer: Event) -> dict[str, str | int]:
    """Return what a log line says of an answer.

    That is the `errorType` of an ErrorResponse, how many `endpoints` a Discovery found,
    and of any other nothing.
    """
    event = _member(answer, "event")
    name = _text(_member(event, "header"), "name")
    if name == "ErrorResponse":
        kind = _text(_member(event, "payload"), "type")
        return {"errorType": kind if _ERROR_TYPE.fullmatch(kind) else "unknown"}
    if name == "Discover.Response":
        found = (_member(event, "payload") or {}).get("endpoints")
        return {"endpoints": len(found)} if isinstance(found, list) else {}
    return {}


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
    correlation_token = _correlation_token(directive)
    if 0 < len(correlation_token) <= _MOST_REPEATED:
        header["correlationToken"] = correlation_token
    answer: Event = {
        "header": header,
        "payload": {"type": str(kind), "message": error.message},
    }
    endpoint_id = _text(_member(directive, "endpoint"), "endpointId")
    if 0 < len(endpoint_id) <= _MOST_REPEATED:
        answer["endpoint"] = {"endpointId": endpoint_id}
    return {"event": answer}


#: What a log line says of a directive, as far as it has it.
DESCRIBED: Final = ("namespace", "name", "endpointId")


def describe(event: object) -> dict[str, str]:
    """Return what a log line says of a directive: those of DESCRIBED that it has.

    It works on any value, for what cannot be read as a directive is logged too.
    """
    directive = _member(event, "directive")
    header = _member(directive, "header")
    values = (
        _text(header, "namespace"),
        _text(header, "name"),
        _text(_member(directive, "endpoint"), "endpointId"),
    )
    return {
        key: _printable(value[:256])
        for key, value in zip(DESCRIBED, values, strict=True)
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
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


def _printable(value: str) -> str:
    if value.isprintable():
        return value
    return "".join(char if char.isprintable() else "?" for char in value)


def _looks_like(body: bytes) -> str:
    start = body.lstrip()[:1]
    if not start:
        return "an empty answer"
    return "a web page" if start == b"<" else "not JSON"
