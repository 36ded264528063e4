"""From a wish and an endpoint to a directive."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from ha_bridge_ops.endpoints.capabilities import (
    Endpoint,
    actions,
    capabilities,
    capability,
    mapping,
    spoken_labels,
)
from ha_bridge_ops.endpoints.control import Control, color
from ha_bridge_ops.endpoints.controls import controls, unit_of
from ha_bridge_ops.endpoints.grammar import Wish, hue_of, number_of, tone_of
from ha_bridge_ops.endpoints.makers import Properties
from ha_bridge_ops.endpoints.names import heard, words
from ha_bridge_ops.endpoints.orders import REPORT_STATE, Order

#: Gives the state of an endpoint, for steps and scales.
StateOf = Callable[[Endpoint], Properties]


def order_of(
    wish: Wish,
    endpoint: Endpoint,
    state_of: Callable[[Endpoint], Properties] = lambda _: (),
) -> Order | None:
    """Return the directive for a wish, or None if the endpoint cannot do that.

    Raises:
        ValueError: It can, but not that much; the message is a sentence.
    """
    return _RESOLVERS[wish.kind](wish, endpoint, state_of)


def _choice(endpoint: Endpoint, interface: str, value: str) -> Order | None:
    """Return the order of a choice by its value or its label."""
    for control in controls(endpoint):
        if control.id.partition("/")[0] == interface:
            for one in control.choices:
                if heard(value) in (heard(one.value), heard(one.label)):
                    return one.order
    return None


def _power(wish: Wish, endpoint: Endpoint, _state: StateOf) -> Order | None:
    order = _choice(endpoint, "Alexa.PowerController", wish.value)
    if order is None and wish.value == "on":
        return _start(wish, endpoint, _state)
    return order or (
        _choice(endpoint, "Alexa.SceneController", "deactivate")
        if wish.value == "off"
        else None
    )


def _start(_wish: Wish, endpoint: Endpoint, _state: StateOf) -> Order | None:
    return _choice(endpoint, "Alexa.SceneController", "activate") or _choice(
        endpoint, "Alexa.PowerController", "on"
    )


def _act(wish: Wish, endpoint: Endpoint, _state: StateOf) -> Order | None:
    if wish.value in ("lock", "unlock"):
        return _choice(endpoint, "Alexa.LockController", wish.value)
    word = "close" if wish.value == "shut" else wish.value
    return _semantic(endpoint, word)


def _semantic(endpoint: Endpoint, word: str) -> Order | None:
    """Return the directive that an endpoint gave for open, close, raise or lower."""
    for one in capabilities(endpoint):
        if word in (found := actions(one)):
            name, payload = found[word]
            instance = one.get("instance")
            return Order(
                str(one.get("interface")),
                name,
                payload,
                str(instance) if instance else None,
            )
    return None


def _mute(wish: Wish, endpoint: Endpoint, _state: StateOf) -> Order | None:
    return _choice(endpoint, "Alexa.Speaker", wish.value)


def _arm(wish: Wish, endpoint: Endpoint, _state: StateOf) -> Order | None:
    if wish.value == "disarm":
        return _choice(endpoint, "Alexa.SecurityPanelController", "DISARMED")
    state = {"home": "STAY", "": "AWAY"}.get(wish.unit, wish.unit.upper())
    return _choice(endpoint, "Alexa.SecurityPanelController", f"ARMED_{state}")


_PLAY: Final = {"resume": "play", "skip": "next"}


def _play(wish: Wish, endpoint: Endpoint, _state: StateOf) -> Order | None:
    word = _PLAY.get(wish.value, wish.value)
    hold = {"pause": "pause", "play": "resume", "stop": "pause"}.get(word, "")
    return _choice(endpoint, "Alexa.PlaybackController", word) or _choice(
        endpoint, "Alexa.TimeHoldController", hold
    )


def _ask(_wish: Wish, _endpoint: Endpoint, _state: StateOf) -> Order | None:
    return REPORT_STATE


def _paint(wish: Wish, endpoint: Endpoint, _state: StateOf) -> Order | None:
    if capability(endpoint, "Alexa.ColorController"):
        hue = hue_of(wish.value)
        if hue is not None:
            return color(hue / 360, 1.0, 1.0)
    kelvin = tone_of(wish.value)
    if kelvin is not None and capability(endpoint, "Alexa.ColorTemperatureController"):
        return Order(
            "Alexa.ColorTemperatureController",
            "SetColorTemperature",
            {"colorTemperatureInKelvin": kelvin},
        )
    return None


#: Which sliders a unit or a word means; an empty word: what is left.
_SLIDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "brightness": ("Alexa.BrightnessController",),
    "temperature": ("Alexa.ThermostatController",),
    "target temperature": ("Alexa.ThermostatController",),
    "color temperature": ("Alexa.ColorTemperatureController",),
    "colour temperature": ("Alexa.ColorTemperatureController",),
    "tone": ("Alexa.ColorTemperatureController",),
    "volume": ("Alexa.Speaker",),
    "level": ("Alexa.BrightnessController", "Alexa.PowerLevelController"),
    "power level": ("Alexa.PowerLevelController",),
}
_BY_UNIT: Final[Mapping[str, tuple[str, ...]]] = {
    "percent": (
        "Alexa.BrightnessController",
        "Alexa.RangeController",
        "Alexa.PercentageController",
        "Alexa.PowerLevelController",
        "Alexa.Speaker",
    ),
    "degrees": ("Alexa.ThermostatController", "Alexa.RangeController"),
    "kelvin": ("Alexa.ColorTemperatureController",),
    "": (
        "Alexa.BrightnessController",
        "Alexa.ThermostatController",
        "Alexa.RangeController",
        "Alexa.PercentageController",
        "Alexa.PowerLevelController",
        "Alexa.Speaker",
    ),
}


def _unit(text: str) -> str:
    if text in ("%", "percent", "per cent"):
        return "percent"
    if text.endswith(("k", "kelvin")):
        return "kelvin"
    return "degrees" if text else ""


def _set(wish: Wish, endpoint: Endpoint, state: StateOf) -> Order | None:
    number = number_of(wish.value)
    if number is None:
        return _set_word(wish, endpoint)
    unit = _unit(wish.unit)
    available = [one for one in _controls(endpoint, unit, state) if one.scale]
    problem: ValueError | None = None
    for control in _about(wish.what, unit, available, endpoint):
        try:
            return control.order(_in_scale(number, wish.unit, control))
        except ValueError as error:
            problem = problem or error
    if problem is not None:
        raise problem
    return None


def _controls(endpoint: Endpoint, unit: str, state: StateOf) -> list[Control]:
    thermostat = capability(endpoint, "Alexa.ThermostatController")
    known = state(endpoint) if thermostat and unit != "percent" else ()
    return controls(endpoint, known)


def _in_scale(number: float, unit: str, control: Control) -> float:
    """Return degrees in those that the device speaks."""
    sign = control.scale.unit if control.scale else ""
    if "fahrenheit" in unit or unit == "°f":
        return number if sign != "°C" else round((number - 32) / 1.8, 1)
    if "celsius" in unit or unit == "°c":
        return number if sign != "°F" else round(number * 1.8 + 32)
    return number


def _about(
    what: str, unit: str, available: list[Control], endpoint: Endpoint
) -> Iterator[Control]:
    """Give the controls that are meant, the likeliest first."""
    if not what:
        order = _BY_UNIT[unit]
        kinds = [one.id.partition("/")[0] for one in available]
        for interface in order:
            for control, kind in zip(available, kinds, strict=True):
                if kind == interface:
                    yield control
        return
    for control in available:
        interface, _, instance = control.id.partition("/")
        own = capability(endpoint, interface, instance or None) or {}
        labels = spoken_labels(own.get("capabilityResources"))
        if _names(what, (control.label, *labels)) or interface in _SLIDERS.get(
            what, ()
        ):
            yield control


def _names(what: str, labels: Iterable[str]) -> bool:
    """Whether a word is one of the labels, or the end of one: speed for fan speed."""
    said = words(what)
    return any(words(one)[-len(said) :] == said for one in labels if said)


def _set_word(wish: Wish, endpoint: Endpoint) -> Order | None:
    """Return the order for a word: on, a colour, a mode, an input, open."""
    if wish.value in ("on", "off") and not wish.what:
        return _choice(endpoint, "Alexa.PowerController", wish.value)
    painted = _paint(wish, endpoint, lambda _: ())
    value = wish.value.removesuffix(" mode")
    for control in controls(endpoint):
        interface = control.id.partition("/")[0]
        if painted is None and interface in _WORDS:
            for one in control.choices:
                if heard(value) in (heard(one.label), heard(one.value)):
                    return one.order
    return painted or _semantic(endpoint, {"closed": "close"}.get(value, value))


_WORDS: Final = frozenset(
    {
        "Alexa.EqualizerController",
        "Alexa.InputController",
        "Alexa.ModeController",
        "Alexa.ThermostatController",
    }
)

#: Words for a step upwards; the others go down.
_UP: Final = frozenset(
    {"brighten", "brighter", "increase", "louder", "raise", "up", "warmer"}
)

#: Directive, payload key and size of a step, by interface, in the order of the guess.
_STEPS: Final = (
    ("Alexa.BrightnessController", "AdjustBrightness", "brightnessDelta", 25),
    ("Alexa.ThermostatController", "AdjustTargetTemperature", "targetSetpointDelta", 1),
    ("Alexa.Speaker", "AdjustVolume", "volume", 10),
    ("Alexa.StepSpeaker", "AdjustVolume", "volumeSteps", 1),
    ("Alexa.RangeController", "AdjustRangeValue", "rangeValueDelta", 10),
    ("Alexa.PercentageController", "AdjustPercentage", "percentageDelta", 10),
    ("Alexa.PowerLevelController", "AdjustPowerLevel", "powerLevelDelta", 10),
)
#: What else Alexa sends with a step.
_DEFAULTS: Final = {
    "Alexa.RangeController": "rangeValueDeltaDefault",
    "Alexa.Speaker": "volumeDefault",
}


def _step(wish: Wish, endpoint: Endpoint, state: StateOf) -> Order | None:
    is_up = wish.value in _UP
    if wish.value in ("raise", "lower") and not wish.unit and not wish.what:
        moved = _semantic(endpoint, wish.value)
        if moved is not None and "close" in _all_actions(endpoint):
            return moved
    for interface, name, key, usual in _STEPS:
        own = capability(endpoint, interface)
        if own is None or not _means(wish.what, interface, own):
            continue
        size = float(wish.unit) if wish.unit else float(usual)
        delta: Any = int(size) if is_up else -int(size)
        if interface == "Alexa.ThermostatController":
            delta = {"value": float(delta), "scale": unit_of(state(endpoint))}
        payload = {key: delta}
        if interface in _DEFAULTS:
            payload[_DEFAULTS[interface]] = not wish.unit
        instance = own.get("instance")
        return Order(interface, name, payload, str(instance) if instance else None)
    return None


def _all_actions(endpoint: Endpoint) -> set[str]:
    return {word for one in capabilities(endpoint) for word in actions(one)}


def _means(what: str, interface: str, own: Mapping[str, Any]) -> bool:
    if not what:
        return True
    labels = spoken_labels(mapping(own, "capabilityResources"))
    known = _SLIDERS.get(what)
    return interface in known if known else _names(what, labels)


_RESOLVERS: Final[Mapping[str, Callable[[Wish, Endpoint, StateOf], Order | None]]] = {
    "act": _act,
    "arm": _arm,
    "ask": _ask,
    "mute": _mute,
    "paint": _paint,
    "play": _play,
    "power": _power,
    "set": _set,
    "start": _start,
    "step": _step,
}
