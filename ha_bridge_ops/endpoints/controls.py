"""What an endpoint can be told: one maker an interface."""

from collections.abc import Mapping
from typing import Final

from ha_bridge_ops.endpoints.capabilities import (
    Capability,
    Endpoint,
    capabilities,
    dicts,
    instance_label,
    label,
    mapping,
    number,
)
from ha_bridge_ops.endpoints.control import Choice, Control, Scale
from ha_bridge_ops.endpoints.makers import (
    Made,
    Maker,
    Properties,
    buttons,
    control_id,
    instance_of,
    named,
    percent,
    slider,
    spelled,
    texts,
    tidy,
    to_order,
)
from ha_bridge_ops.endpoints.orders import Order, activation


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


def _color(one: Capability, _state: Properties) -> Made:
    yield Control(control_id(one), "Color", "color", is_color=True)


#: Kelvin; what lamps can do, Discovery does not say.
_WARM, _COLD = 2000, 6500


def _tone(one: Capability, _state: Properties) -> Made:
    key = "colorTemperatureInKelvin"
    order = to_order(one, "SetColorTemperature", key)
    yield slider(one, key, Scale(_WARM, _COLD, 100, "K", order))


def _speaker(one: Capability, _state: Properties) -> Made:
    yield from percent("SetVolume", "volume")(one, ())
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
        number(limits.get(key)) for key in ("minimumValue", "maximumValue", "precision")
    )
    if lowest is None or highest is None:
        return
    unit = str(mapping(one, "configuration").get("unitOfMeasure", ""))
    unit = _UNITS.get(unit.removeprefix("Alexa.Unit."), "")
    # Home Assistant's numbers may have a precision of 0.01 over a range of 10000.
    step = step if step is not None and step > 0 else 1
    order = to_order(one, "SetRangeValue", "rangeValue")
    yield slider(one, "rangeValue", Scale(lowest, highest, step, unit, order))


def _mode(one: Capability, _state: Properties) -> Made:
    modes = dicts(mapping(one, "configuration").get("supportedModes"))
    yield Control(
        control_id(one),
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
                    instance_of(one),
                ),
            )
            for mode in modes
        ),
    )


#: Degrees that a slider offers; the device may take less.
_DEGREES: Final[Mapping[str, tuple[float, float, float, str]]] = {
    "CELSIUS": (5, 35, 0.5, "°C"),
    "FAHRENHEIT": (41, 95, 1, "°F"),
}


def unit_of(state: Properties) -> str:
    """Return CELSIUS or FAHRENHEIT, whichever the home speaks."""
    for one in state:
        scale = str(mapping(one, "value").get("scale"))
        if scale in _DEGREES:
            return scale
    return "CELSIUS"


def _thermostat(one: Capability, state: Properties) -> Made:
    scale = unit_of(state)
    lowest, highest, step, sign = _DEGREES[scale]
    target = [
        found
        for p in state
        if p.get("name") == "targetSetpoint"
        and (found := number(mapping(p, "value").get("value"))) is not None
    ]
    if target:
        # A water heater is hotter than any room.
        warmest = round(number(target[0] * 1.5) or 0)
        lowest, highest = min(lowest, target[0]), max(highest, warmest)

    def order(value: float) -> Order:
        wanted = {"value": tidy(value), "scale": scale}
        return Order(
            "Alexa.ThermostatController",
            "SetTargetTemperature",
            {"targetSetpoint": wanted},
        )

    yield slider(one, "targetSetpoint", Scale(lowest, highest, step, sign, order))
    modes = texts("configuration", "supportedModes")(one)
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
        control_id(one),
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
        for state in texts("configuration", "supportedArmStates")(one)
        if state != "DISARMED"
    ]
    disarm = Choice(
        "DISARMED", "Disarm", Order("Alexa.SecurityPanelController", "Disarm")
    )
    yield Control(control_id(one), "Alarm", "armState", (*arm, disarm))


_MAKERS: Final[Mapping[str, Maker]] = {
    "Alexa.PowerController": buttons(
        "powerState", ("On", "TurnOn", {}), ("Off", "TurnOff", {})
    ),
    "Alexa.ToggleController": buttons(
        "toggleState", ("On", "TurnOn", {}), ("Off", "TurnOff", {})
    ),
    "Alexa.LockController": buttons(
        "lockState", ("Lock", "Lock", {}), ("Unlock", "Unlock", {})
    ),
    "Alexa.BrightnessController": percent("SetBrightness", "brightness"),
    "Alexa.PercentageController": percent("SetPercentage", "percentage"),
    "Alexa.PowerLevelController": percent("SetPowerLevel", "powerLevel"),
    "Alexa.ColorController": _color,
    "Alexa.ColorTemperatureController": _tone,
    "Alexa.Speaker": _speaker,
    "Alexa.StepSpeaker": buttons(
        "",
        ("Quieter", "AdjustVolume", {"volumeSteps": -1}),
        ("Louder", "AdjustVolume", {"volumeSteps": 1}),
    ),
    "Alexa.RangeController": _range,
    "Alexa.ModeController": _mode,
    "Alexa.ThermostatController": _thermostat,
    "Alexa.SceneController": _scene,
    "Alexa.SecurityPanelController": _panel,
    "Alexa.PlaybackController": named(
        "",
        texts("supportedOperations"),
        lambda name: Order("Alexa.PlaybackController", name),
    ),
    "Alexa.InputController": named(
        "input",
        texts("inputs"),
        lambda name: Order("Alexa.InputController", "SelectInput", {"input": name}),
    ),
    "Alexa.EqualizerController": named(
        "mode",
        texts("configurations", "modes", "supported"),
        lambda name: Order("Alexa.EqualizerController", "SetMode", {"mode": name}),
    ),
    "Alexa.TimeHoldController": buttons(
        "", ("Pause", "Hold", {}), ("Resume", "Resume", {})
    ),
    "Alexa.ChannelController": buttons(
        "",
        ("Channel down", "SkipChannels", {"channelCount": -1}),
        ("Channel up", "SkipChannels", {"channelCount": 1}),
    ),
    "Alexa.SeekController": buttons(
        "",
        ("Back 10 s", "AdjustSeekPosition", {"deltaPositionMilliseconds": -10000}),
        ("Forward 10 s", "AdjustSeekPosition", {"deltaPositionMilliseconds": 10000}),
    ),
}
