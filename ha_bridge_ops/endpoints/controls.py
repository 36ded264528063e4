"""What an endpoint can be told, and the directive for each of it."""

import colorsys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from ha_bridge_ops.endpoints.abilities import ABILITIES
from ha_bridge_ops.endpoints.capabilities import (
    Capability,
    Endpoint,
    capabilities,
    dicts,
    instance_label,
    label,
    mapping,
)
from ha_bridge_ops.endpoints.orders import Order, activation

#: The state of an endpoint, as a StateReport tells it.
Properties = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Choice:
    """One of the things that can be told, such as On."""

    value: str
    label: str
    order: Order


@dataclass(frozen=True)
class Scale:
    """Numbers that can be told.

    Args:
        unit: Shown behind the number, such as %.
        order: Makes the directive of a number.
    """

    minimum: float
    maximum: float
    step: float
    unit: str
    order: Callable[[float], Order]


@dataclass(frozen=True)
class Control:
    """Something that one controls: a row of buttons, a slider or a colour.

    Args:
        id: Interface, and instance behind a slash.
        shows: Name of the property that holds its state; empty if there is none.
    """

    id: str
    label: str
    shows: str = ""
    choices: tuple[Choice, ...] = ()
    scale: Scale | None = None
    is_color: bool = False

    @property
    def kind(self) -> str:
        """How it looks: color, scale or choices."""
        return "color" if self.is_color else "scale" if self.scale else "choices"

    def order(self, value: object) -> Order:
        """Return the directive for a value.

        Raises:
            ValueError: There is no such value; the message is a sentence.
        """
        if self.is_color:
            return _color_order(value)
        if self.scale is not None:
            return _scale_order(self.scale, value)
        for one in self.choices:
            if one.value == value:
                return one.order
        raise ValueError(f"“{self.label}” has no such choice.")


def _scale_order(scale: Scale, value: object) -> Order:
    number = float(value) if _is_number(value) else None
    if number is None:
        raise ValueError("A number is needed.")
    if not scale.minimum <= number <= scale.maximum:
        limits = f"{scale.minimum:g} to {scale.maximum:g} {scale.unit}".rstrip()
        raise ValueError(f"It goes from {limits}.")
    return scale.order(number)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _color_order(value: object) -> Order:
    text = value.removeprefix("#") if isinstance(value, str) else ""
    try:
        red, green, blue = bytes.fromhex(text)
    except ValueError:
        raise ValueError("A colour looks like #ff8800.") from None
    return color(*colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255))


def color(hue: float, saturation: float, brightness: float) -> Order:
    """Return a SetColor; all three from 0 to 1."""
    value = {
        "hue": round(hue * 360, 1),
        "saturation": round(saturation, 3),
        "brightness": round(brightness, 3),
    }
    return Order("Alexa.ColorController", "SetColor", {"color": value})


def controls(endpoint: Endpoint, state: Properties = ()) -> list[Control]:
    """Return what an endpoint can be told.

    Args:
        endpoint: As Discovery gave it.
        state: Its properties, if known: they say Celsius or Fahrenheit.
    """
    found: dict[str, Control] = {}
    for one in capabilities(endpoint):
        make = _MAKERS.get(str(one.get("interface")))
        for control in make(one, state) if make else ():
            found.setdefault(control.id, control)
    return list(found.values())


# -- One maker an interface.
# https://developer.amazon.com/en-US/docs/alexa/device-apis/list-of-interfaces.html

Made = Iterator[Control]
Maker = Callable[[Capability, Properties], Made]


def _id(one: Capability) -> str:
    instance = one.get("instance")
    return f"{one['interface']}/{instance}" if instance else str(one["interface"])


def _instance(one: Capability) -> str | None:
    instance = one.get("instance")
    return str(instance) if instance else None


def _title(one: Capability) -> str:
    word = ABILITIES.get(str(one["interface"]), "control")
    return word[:1].upper() + word[1:]


def _buttons(shows: str, *buttons: tuple[str, str, Mapping[str, Any]]) -> Maker:
    """Make buttons that are the same for every endpoint: label, directive, payload."""

    def make(one: Capability, _state: Properties) -> Made:
        title = instance_label(one) if one.get("instance") else _title(one)
        yield Control(
            _id(one),
            title,
            shows,
            tuple(
                Choice(
                    text.lower(),
                    text,
                    Order(str(one["interface"]), name, payload, _instance(one)),
                )
                for text, name, payload in buttons
            ),
        )

    return make


def _percent(name: str, key: str) -> Maker:
    """Make a slider from 0 to 100 %."""

    def make(one: Capability, _state: Properties) -> Made:
        yield _slider(one, key, Scale(0, 100, 1, "%", _to_order(one, name, key)))

    return make


def _to_order(one: Capability, name: str, key: str) -> Callable[[float], Order]:
    interface, instance = str(one["interface"]), _instance(one)
    return lambda value: Order(interface, name, {key: _tidy(value)}, instance)


def _tidy(value: float) -> float:
    return int(value) if float(value).is_integer() else value


def _slider(one: Capability, shows: str, scale: Scale) -> Control:
    title = instance_label(one) if one.get("instance") else _title(one)
    return Control(_id(one), title, shows, scale=scale)


def _color(one: Capability, _state: Properties) -> Made:
    yield Control(_id(one), "Color", "color", is_color=True)


#: Kelvin; what lamps can do, Discovery does not say.
_WARM, _COLD = 2000, 6500


def _tone(one: Capability, _state: Properties) -> Made:
    key = "colorTemperatureInKelvin"
    order = _to_order(one, "SetColorTemperature", key)
    yield _slider(one, key, Scale(_WARM, _COLD, 100, "K", order))


def _speaker(one: Capability, _state: Properties) -> Made:
    yield from _percent("SetVolume", "volume")(one, ())
    yield Control(
        f"{one['interface']}/mute",
        "Sound",
        "muted",
        (
            Choice("mute", "Mute", Order("Alexa.Speaker", "SetMute", {"mute": True})),
            Choice(
                "unmute", "Unmute", Order("Alexa.Speaker", "SetMute", {"mute": False})
            ),
        ),
    )


#: Units by what stands behind Alexa.Unit.
_UNITS: Final = {
    "Percent": "%",
    "Temperature.Celsius": "°C",
    "Temperature.Fahrenheit": "°F",
    "Temperature.Kelvin": "K",
    "Angle.Degrees": "°",
}


def _range(one: Capability, _state: Properties) -> Made:
    limits = mapping(one, "configuration", "supportedRange")
    lowest, highest, step = (
        limits.get(key) for key in ("minimumValue", "maximumValue", "precision")
    )
    if not (isinstance(lowest, int | float) and isinstance(highest, int | float)):
        return
    unit = str(mapping(one, "configuration").get("unitOfMeasure", ""))
    unit = _UNITS.get(unit.removeprefix("Alexa.Unit."), "")
    # Home Assistant's numbers may have a precision of 0.01 over a range of 10000.
    step = step if isinstance(step, int | float) and step > 0 else 1
    order = _to_order(one, "SetRangeValue", "rangeValue")
    yield _slider(one, "rangeValue", Scale(lowest, highest, step, unit, order))


def _mode(one: Capability, _state: Properties) -> Made:
    modes = dicts(mapping(one, "configuration").get("supportedModes"))
    yield Control(
        _id(one),
        instance_label(one),
        "mode",
        tuple(
            Choice(
                str(mode.get("value")),
                label(
                    mode.get("modeResources"),
                    str(mode.get("value", "")).partition(".")[2],
                ),
                Order(
                    "Alexa.ModeController",
                    "SetMode",
                    {"mode": mode.get("value")},
                    _instance(one),
                ),
            )
            for mode in modes
        ),
    )


def _named(
    shows: str,
    values: Callable[[Capability], Sequence[str]],
    order: Callable[[str], Order],
) -> Maker:
    """Make a choice of names that the capability lists."""

    def make(one: Capability, _state: Properties) -> Made:
        yield Control(
            _id(one),
            _title(one),
            shows,
            tuple(Choice(value, spelled(value), order(value)) for value in values(one)),
        )

    return make


def _texts(*path: str) -> Callable[[Capability], Sequence[str]]:
    """Return the texts in a list, or the names of the objects in it."""

    def read(one: Capability) -> Sequence[str]:
        found = mapping(one, *path[:-1]).get(path[-1])
        items = found if isinstance(found, list) else []
        named = (
            mapping(item).get("name", mapping(item).get("value"))
            if isinstance(item, Mapping)
            else item
            for item in items
        )
        return list(dict.fromkeys(text for text in named if isinstance(text, str)))

    return read


def spelled(name: str) -> str:
    """Return a name of Alexa's for people: HEAT as Heat, DVD as it is."""
    words = name.replace("_", " ")
    is_short = name.isupper() and not set(name) & set("AEIOU")
    return words if is_short else words.capitalize()


#: Degrees that a slider offers; the device may take less.
_DEGREES: Final[Mapping[str, tuple[float, float, float, str]]] = {
    "CELSIUS": (5, 35, 0.5, "°C"),
    "FAHRENHEIT": (41, 95, 1, "°F"),
}


def unit_of(state: Properties) -> str:
    """Return CELSIUS or FAHRENHEIT, whichever the home speaks."""
    for one in state:
        scale = mapping(one, "value").get("scale")
        if scale in _DEGREES:
            return str(scale)
    return "CELSIUS"


def _thermostat(one: Capability, state: Properties) -> Made:
    scale = unit_of(state)
    lowest, highest, step, sign = _DEGREES[scale]
    target = [
        p["value"].get("value")
        for p in state
        if p.get("name") == "targetSetpoint" and isinstance(p.get("value"), Mapping)
    ]
    if target and isinstance(target[0], int | float):
        # A water heater is hotter than any room.
        lowest, highest = min(lowest, target[0]), max(highest, round(target[0] * 1.5))

    def order(value: float) -> Order:
        wanted = {"value": _tidy(value), "scale": scale}
        return Order(
            "Alexa.ThermostatController",
            "SetTargetTemperature",
            {"targetSetpoint": wanted},
        )

    yield _slider(one, "targetSetpoint", Scale(lowest, highest, step, sign, order))
    modes = _texts("configuration", "supportedModes")(one)
    if modes:
        yield Control(
            f"{one['interface']}/mode",
            "Mode",
            "thermostatMode",
            tuple(Choice(mode, spelled(mode), thermostat_mode(mode)) for mode in modes),
        )


def thermostat_mode(mode: str) -> Order:
    """Return a SetThermostatMode, such as of HEAT."""
    return Order(
        "Alexa.ThermostatController",
        "SetThermostatMode",
        {"thermostatMode": {"value": mode}},
    )


def _scene(one: Capability, _state: Properties) -> Made:
    names = ["Activate"] + ["Deactivate"] * bool(one.get("supportsDeactivation"))
    yield Control(
        _id(one),
        "Scene",
        "",
        tuple(
            Choice(
                name.lower(),
                name,
                Order("Alexa.SceneController", name, activation()),
            )
            for name in names
        ),
    )


def _panel(one: Capability, _state: Properties) -> Made:
    arm = [
        Choice(
            state,
            state.replace("ARMED_", "Arm ").capitalize(),
            Order("Alexa.SecurityPanelController", "Arm", {"armState": state}),
        )
        for state in _texts("configuration", "supportedArmStates")(one)
        if state != "DISARMED"
    ]
    disarm = Choice(
        "DISARMED", "Disarm", Order("Alexa.SecurityPanelController", "Disarm")
    )
    yield Control(_id(one), "Alarm", "armState", (*arm, disarm))


_MAKERS: Final[Mapping[str, Maker]] = {
    "Alexa.PowerController": _buttons(
        "powerState", ("On", "TurnOn", {}), ("Off", "TurnOff", {})
    ),
    "Alexa.ToggleController": _buttons(
        "toggleState", ("On", "TurnOn", {}), ("Off", "TurnOff", {})
    ),
    "Alexa.LockController": _buttons(
        "lockState", ("Lock", "Lock", {}), ("Unlock", "Unlock", {})
    ),
    "Alexa.BrightnessController": _percent("SetBrightness", "brightness"),
    "Alexa.PercentageController": _percent("SetPercentage", "percentage"),
    "Alexa.PowerLevelController": _percent("SetPowerLevel", "powerLevel"),
    "Alexa.ColorController": _color,
    "Alexa.ColorTemperatureController": _tone,
    "Alexa.Speaker": _speaker,
    "Alexa.StepSpeaker": _buttons(
        "",
        ("Quieter", "AdjustVolume", {"volumeSteps": -1}),
        ("Louder", "AdjustVolume", {"volumeSteps": 1}),
    ),
    "Alexa.RangeController": _range,
    "Alexa.ModeController": _mode,
    "Alexa.ThermostatController": _thermostat,
    "Alexa.SceneController": _scene,
    "Alexa.SecurityPanelController": _panel,
    "Alexa.PlaybackController": _named(
        "",
        _texts("supportedOperations"),
        lambda name: Order("Alexa.PlaybackController", name),
    ),
    "Alexa.InputController": _named(
        "input",
        _texts("inputs"),
        lambda name: Order("Alexa.InputController", "SelectInput", {"input": name}),
    ),
    "Alexa.EqualizerController": _named(
        "mode",
        _texts("configurations", "modes", "supported"),
        lambda name: Order("Alexa.EqualizerController", "SetMode", {"mode": name}),
    ),
    "Alexa.TimeHoldController": _buttons(
        "", ("Pause", "Hold", {}), ("Resume", "Resume", {})
    ),
    "Alexa.ChannelController": _buttons(
        "",
        ("Channel down", "SkipChannels", {"channelCount": -1}),
        ("Channel up", "SkipChannels", {"channelCount": 1}),
    ),
    "Alexa.SeekController": _buttons(
        "",
        ("Back 10 s", "AdjustSeekPosition", {"deltaPositionMilliseconds": -10000}),
        ("Forward 10 s", "AdjustSeekPosition", {"deltaPositionMilliseconds": 10000}),
    ),
}
