"""The state of an endpoint in words."""

import colorsys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ha_bridge_ops.endpoints.capabilities import (
    Endpoint,
    actions,
    capabilities,
    capability,
    dicts,
    instance_label,
    label,
    mapping,
    number,
)
from ha_bridge_ops.outside import visible

#: Colours by name, as hue in degrees; white and the like are tones.
HUES: Final = {
    "red": 0,
    "orange": 30,
    "gold": 45,
    "yellow": 60,
    "lime": 90,
    "green": 120,
    "turquoise": 174,
    "cyan": 180,
    "sky blue": 197,
    "blue": 240,
    "indigo": 265,
    "purple": 280,
    "magenta": 300,
    "pink": 330,
}
#: Below this nobody sees a colour.
_PALE: Final = 0.12

_SIGNS: Final = {"CELSIUS": "°C", "FAHRENHEIT": "°F", "KELVIN": "K"}


@dataclass(frozen=True)
class Reading:
    """One property of a StateReport in words.

    Args:
        key: Name of the property, and instance behind a slash.
        value: As it came, for a slider.
    """

    key: str
    label: str
    text: str
    value: Any

    def __post_init__(self) -> None:
        """Make visible what is shown: there is no reading that was not here."""
        for name in ("label", "text"):
            object.__setattr__(self, name, visible(getattr(self, name)))


def properties_of(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the properties in the context of an answer."""
    return dicts(mapping(answer, "context").get("properties"))


def readings(
    endpoint: Endpoint, properties: Sequence[Mapping[str, Any]]
) -> list[Reading]:
    """Return what the properties say, in the order in which they came."""
    found = []
    # Whether something that opens is “on”, tells nobody anything.
    opens = any("open" in actions(one) for one in capabilities(endpoint))
    for one in properties:
        if opens and one.get("name") == "powerState":
            continue
        name, instance = str(one.get("name")), one.get("instance")
        value = one.get("value")
        if instance is not None:
            key = f"{name}/{instance}"
            interface = str(one.get("namespace"))
            own = capability(endpoint, interface, str(instance)) or {}
            title, text = instance_label(own or one), _of_instance(own, value)
        else:
            key, title = name, _LABELS.get(name, name)
            text = _TEXTS.get(name, _plain)(value)
            if one.get("namespace") == "Alexa.ContactSensor":
                text = _CONTACTS.get(str(value), text)
        if text:
            found.append(Reading(key, title, text, value))
    return found


def summary(found: Sequence[Reading]) -> str:
    """Return the state in a few words, such as "on, 40 %, warm"."""
    texts = {one.key: one.text for one in found}
    if texts.get("connectivity"):
        return texts["connectivity"]
    if texts.get("powerState") == "off":
        return "off"  # how bright it would be says nothing now
    # Home Assistant gives an outlet a contact sensor that says the same once more.
    hidden = _SIDELINES | ({"detectionState"} if "powerState" in texts else set())
    shown = [
        _SHORT.get(one.key, "{}").format(one.text)
        for one in found
        if one.key not in hidden
    ]
    return ", ".join(dict.fromkeys(shown))


#: Properties that say little at a glance.
_SIDELINES: Final = frozenset({"color", "muted", "connectivity"})

#: How a temperature that is wished for is told from the one that is.
_SHORT: Final = {
    "targetSetpoint": "set to {}",
    "lowerSetpoint": "set to {}",
    "upperSetpoint": "to {}",
}

_LABELS: Final = {
    "armState": "Alarm",
    "brightness": "Brightness",
    "color": "Color",
    "colorTemperatureInKelvin": "White tone",
    "connectivity": "Connection",
    "detectionState": "Sensor",
    "input": "Input",
    "lockState": "Lock",
    "lowerSetpoint": "Heats to",
    "mode": "Mode",
    "muted": "Sound",
    "percentage": "Percentage",
    "playbackState": "Playback",
    "powerLevel": "Power level",
    "powerState": "Power",
    "relativeHumidity": "Humidity",
    "targetSetpoint": "Target",
    "temperature": "Temperature",
    "thermostatMode": "Thermostat",
    "upperSetpoint": "Cools to",
    "volume": "Volume",
}


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("value", value.get("state", value.get("name", "")))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).lower().replace("_", " ")


def _percent(value: Any) -> str:
    return f"{_plain(value)} %"


def _degrees(value: Any) -> str:
    return f"{_plain(value)} {_SIGNS.get(str(mapping(value).get('scale')), '°')}"


def color_name(value: Any) -> str:
    """Return the name of a colour, such as "red"."""
    hue, saturation, _ = _hsv(value)
    if saturation < _PALE:
        return "white"
    return min(HUES, key=lambda name: min(d := abs(HUES[name] - hue), 360 - d))


def color_code(value: Any) -> str:
    """Return a colour as a browser takes it, at full brightness, such as #ff8800."""
    hue, saturation, _ = _hsv(value)
    parts = colorsys.hsv_to_rgb(hue / 360, saturation, 1)
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _hsv(value: Any) -> tuple[float, float, float]:
    found = [mapping(value).get(key) for key in ("hue", "saturation", "brightness")]
    hue, saturation, brightness = (float(number(one) or 0.0) for one in found)
    return hue % 360, min(max(saturation, 0.0), 1.0), brightness


#: https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-contactsensor.html
_CONTACTS: Final = {"DETECTED": "open", "NOT_DETECTED": "closed"}
_DETECTED: Final = {"DETECTED": "detected", "NOT_DETECTED": "not detected"}


def _reachable(value: Any) -> str:
    return "" if _plain(value) == "ok" else "not reachable"


_TEXTS: Final[Mapping[str, Callable[[Any], str]]] = {
    "brightness": _percent,
    "color": color_name,
    "colorTemperatureInKelvin": lambda value: f"{_plain(value)} K",
    "connectivity": _reachable,
    "detectionState": lambda value: _DETECTED.get(str(value), _plain(value)),
    "lowerSetpoint": _degrees,
    "muted": lambda value: "muted" if value else "not muted",
    "percentage": _percent,
    "powerLevel": _percent,
    "relativeHumidity": _percent,
    "targetSetpoint": _degrees,
    "temperature": _degrees,
    "upperSetpoint": _degrees,
    "volume": _percent,
}


def _of_instance(own: Mapping[str, Any], value: Any) -> str:
    """Return the word for a mode, or a number with its unit."""
    for one in dicts(mapping(own, "semantics").get("stateMappings")):
        states, is_it = one.get("states"), "value" in one and one["value"] == value
        if is_it and isinstance(states, list) and states:
            return str(states[0]).rpartition(".")[2].lower()
    configuration = mapping(own, "configuration")
    for mode in dicts(configuration.get("supportedModes")):
        if mode.get("value") == value:
            return label(mode.get("modeResources"), _plain(value)).lower()
    for preset in dicts(configuration.get("presets")):
        if preset.get("rangeValue") == value:
            return label(preset.get("presetResources"), _plain(value)).lower()
    is_percent = configuration.get("unitOfMeasure") == "Alexa.Unit.Percent"
    return _percent(value) if is_percent else _plain(value).rpartition(".")[2] or "–"
