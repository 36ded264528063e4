"""What Alexa would likely say to an answer; it is a guess."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ha_bridge.messages import error_type
from ha_bridge_ops.endpoints.capabilities import Endpoint, name_of
from ha_bridge_ops.endpoints.grammar import Wish
from ha_bridge_ops.endpoints.names import words
from ha_bridge_ops.endpoints.orders import Order
from ha_bridge_ops.endpoints.states import Reading, summary

#: What users report that they hear, by error type.
#: https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-errorresponse.html
_ERRORS: Final[Mapping[str, str]] = {
    "BRIDGE_UNREACHABLE": "The hub that {name} is connected to is not responding.",
    "ENDPOINT_UNREACHABLE": "{name} is not responding.",
    "EXPIRED_AUTHORIZATION_CREDENTIAL": "{name} is not responding.",
    "FIRMWARE_OUT_OF_DATE": "{name} needs an update first.",
    "INTERNAL_ERROR": "Sorry, something went wrong with {name}.",
    "INVALID_AUTHORIZATION_CREDENTIAL": "{name} is not responding. You may need to "
    "link the skill again.",
    "INVALID_VALUE": "I can’t set {name} to that.",
    "NO_SUCH_ENDPOINT": "I couldn’t find a device called {name}.",
    "NOT_IN_OPERATION": "{name} can’t do that right now.",
    "NOT_SUPPORTED_IN_CURRENT_MODE": "{name} can’t do that in its current mode.",
    "RATE_LIMIT_EXCEEDED": "{name} is not responding.",
    "TEMPERATURE_VALUE_OUT_OF_RANGE": "I can’t set {name} to that temperature.",
    "VALUE_OUT_OF_RANGE": "I can’t set {name} to that.",
}
_OTHERWISE: Final = "{name} is not responding."

#: What a question is about, by the name of the property that answers it.
_ANSWERS: Final[Mapping[str, tuple[str, ...]]] = {
    "brightness": ("brightness",),
    "bright": ("brightness",),
    "cold": ("temperature",),
    "color": ("color",),
    "colour": ("color",),
    "hot": ("temperature",),
    "humid": ("relativeHumidity",),
    "humidity": ("relativeHumidity",),
    "loud": ("volume",),
    "mode": ("thermostatMode", "mode"),
    "target temperature": ("targetSetpoint",),
    "temperature": ("temperature", "targetSetpoint"),
    "volume": ("volume",),
    "warm": ("temperature",),
}

#: Conditions that people ask for, and the words of the state that mean them too.
_CONDITIONS: Final[Mapping[str, frozenset[str]]] = {
    "shut": frozenset({"closed"}),
    "running": frozenset({"on", "playing"}),
    "armed": frozenset({"armed away", "armed stay", "armed night"}),
}


def likely_words(
    answer: Mapping[str, Any],
    endpoint: Endpoint,
    order: Order,
    *,
    wish: Wish | None = None,
    readings: Sequence[Reading] = (),
) -> str:
    """Return what Alexa would likely say.

    Args:
        answer: To the directive.
        endpoint: What it was sent to.
        order: The directive.
        wish: What was asked, if it was said in a sentence.
        readings: The state afterwards.
    """
    name = name_of(endpoint)
    if kind := error_type(dict(answer)):
        return _ERRORS.get(kind, _OTHERWISE).format(name=name)
    if order.name == "ReportState":
        return _report(name, wish, readings)
    if order.name in ("Lock", "Unlock"):
        state = next((one.text for one in readings if one.key == "lockState"), "")
        return f"{name} is {state}." if state else "OK."
    return "OK."


def _report(name: str, wish: Wish | None, readings: Sequence[Reading]) -> str:
    what = wish.what if wish else ""
    plain = [one for one in readings if one.text]
    is_condition = wish is not None and not (
        _ANSWERS.get(what) or _labelled(what, plain)
    )
    texts = {one.text for one in plain}
    if what and is_condition and _is_said(what, texts):
        return f"Yes, {name} is {what}."
    for key in _ANSWERS.get(what, ()):
        for one in plain:
            if one.key.partition("/")[0] == key:
                return f"{name}: {one.label.lower()} {one.text}."
    for one in _labelled(what, plain):
        return f"{name}: {one.label.lower()} {one.text}."
    if not plain:
        return f"I don’t know how {name} is."
    if what in _ANSWERS:
        return f"{name} does not report that."
    return f"{name} is {summary(plain)}." if summary(plain) else f"{name} is there."


def _labelled(what: str, readings: Sequence[Reading]) -> list[Reading]:
    said = words(what)
    return [one for one in readings if said and words(one.label)[-len(said) :] == said]


def _is_said(what: str, texts: set[str]) -> bool:
    return what in texts or bool(_CONDITIONS.get(what, frozenset()) & texts)
