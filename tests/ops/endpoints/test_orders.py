"""Controls, and what of it lets somebody in."""

from typing import Any

import pytest

from ha_bridge_ops.endpoints.abilities import abilities, category
from ha_bridge_ops.endpoints.capabilities import id_of
from ha_bridge_ops.endpoints.control import Control
from ha_bridge_ops.endpoints.controls import controls
from ha_bridge_ops.endpoints.orders import Order
from ha_bridge_ops.endpoints.states import properties_of, readings, summary

Home = list[dict[str, Any]]


def find(home: Home, endpoint_id: str) -> dict[str, Any]:
    return next(one for one in home if id_of(one) == endpoint_id)


def control(endpoint: dict[str, Any], name: str) -> Control:
    return next(one for one in controls(endpoint) if one.id == f"Alexa.{name}")


#: endpointId, control, value, and whether it opens.
OPENS = [
    ("lock#front_door", "LockController", "unlock", True),
    ("lock#front_door", "LockController", "lock", False),
    ("cover#garage_door", "ModeController/cover.position", "position.open", True),
    ("cover#garage_door", "ModeController/cover.position", "position.custom", True),
    ("cover#garage_door", "ModeController/cover.position", "position.closed", False),
    ("cover#hall_window", "RangeController/cover.position", 1, True),
    ("cover#hall_window", "RangeController/cover.position", 0, False),
    ("cover#hall_window", "PowerController", "on", True),
    ("cover#hall_window", "PowerController", "off", False),
    ("cover#hall_window", "PlaybackController/cover.stop", "Stop", False),
    # Its tilt is what opens; raising it opens all the same.
    ("cover#living_room_window", "RangeController/cover.position", 20, True),
    ("cover#living_room_window", "RangeController/cover.position", 0, False),
    ("valve#orchard", "ModeController/valve.state", "state.open", True),
    ("light#bed_light", "PowerController", "on", False),
    ("fan#living_room_fan", "RangeController/fan.percentage", 100, False),
    ("button#push", "SceneController", "activate", False),
    ("switch#ac", "PowerController", "on", False),
]


@pytest.mark.parametrize(("endpoint_id", "name", "value", "opens"), OPENS)
def test_what_opens(
    *, endpoint_id: str, name: str, value: str | float, opens: bool, home: Home
) -> None:
    """What unlocks or opens is known as such, what closes is not held up."""
    endpoint = find(home, endpoint_id)
    assert control(endpoint, name).order(value).opens(endpoint) is opens


@pytest.mark.parametrize(
    ("name", "category", "opens"),
    [
        ("Garage Door", "SWITCH", True),
        ("Garagentoröffner", "SWITCH", True),
        ("Tür", "SCENE_TRIGGER", True),
        ("Open the gate", "SCENE_TRIGGER", True),
        ("Anything", "GARAGE_DOOR", True),
        ("Anything", "DOOR", True),
        ("Motor", "SWITCH", False),
        ("Front door light", "LIGHT", False),
        ("Movie night", "SCENE_TRIGGER", False),
    ],
)
@pytest.mark.parametrize(
    "interface", ["Alexa.PowerController", "Alexa.SceneController"]
)
def test_switches_and_scenes_that_open(
    *, name: str, category: str, opens: bool, interface: str
) -> None:
    """They have no word for it; name and category tell."""
    endpoint = {
        "endpointId": "x#y",
        "friendlyName": name,
        "displayCategories": [category],
        "capabilities": [{"interface": interface}],
    }
    assert Order(interface, "TurnOn").opens(endpoint) is opens


def test_disarming_opens_and_arming_does_not() -> None:
    """With the modes that the panel has."""
    panel = {
        "endpointId": "alarm#home",
        "friendlyName": "Alarm",
        "displayCategories": ["SECURITY_PANEL"],
        "capabilities": [
            {
                "interface": "Alexa.SecurityPanelController",
                "configuration": {
                    "supportedArmStates": [
                        {"value": "ARMED_AWAY"},
                        {"value": "DISARMED"},
                    ]
                },
            }
        ],
    }
    (alarm,) = controls(panel)
    assert [one.label for one in alarm.choices] == ["Arm away", "Disarm"]
    assert [one.order.opens(panel) for one in alarm.choices] == [False, True]


@pytest.mark.parametrize("value", [-1, 101, "40", None, True, [], {}])
def test_a_slider_takes_its_numbers_only(value: object, home: Home) -> None:
    """The message says which."""
    slider = control(find(home, "light#bed_light"), "BrightnessController")
    with pytest.raises(ValueError, match=r"number|from 0 to 100"):
        slider.order(value)


@pytest.mark.parametrize("value", ["red", "#12", "#1234567", 5, None, "#gggggg"])
def test_a_colour_is_a_colour(value: object, home: Home) -> None:
    """As a browser's colour field gives it."""
    with pytest.raises(ValueError, match="#ff8800"):
        control(find(home, "light#bed_light"), "ColorController").order(value)


def test_a_colour_as_alexa_sends_it(home: Home) -> None:
    """Hue in degrees, the other two from 0 to 1."""
    order = control(find(home, "light#bed_light"), "ColorController").order("#0000ff")
    assert order.payload == {
        "color": {"hue": 240.0, "saturation": 1.0, "brightness": 1.0}
    }


STRANGE: list[Any] = [
    {},
    {"capabilities": None},
    {"capabilities": "x"},
    {"capabilities": [None, 5, "x", {}]},
    {"capabilities": [{"interface": "Alexa.RangeController", "configuration": 5}]},
    {
        "capabilities": [
            {
                "interface": "Alexa.ModeController",
                "instance": 7,
                "capabilityResources": [],
                "configuration": {"supportedModes": [{"value": None}, 3]},
                "semantics": {"actionMappings": [{"actions": 5}, None]},
            }
        ]
    },
    {"displayCategories": "LIGHT", "friendlyName": None, "endpointId": 5},
]


@pytest.mark.parametrize("endpoint", STRANGE, ids=str)
def test_strange_endpoints_break_nothing(endpoint: dict[str, Any]) -> None:
    """What Home Assistant or a proxy sends is not ours to choose."""
    for one in controls(endpoint):
        for choice in one.choices:
            choice.order.opens(endpoint)
    assert isinstance(abilities(endpoint) + category(endpoint), str)
    answer = {"context": {"properties": [None, {"name": 5, "value": []}]}}
    assert isinstance(summary(readings(endpoint, properties_of(answer))), str)


def test_a_category_that_amazon_would_not_write_stays_as_it_is() -> None:
    """In small letters nobody would find a secret in it that somebody has packed."""
    found = {"displayCategories": ["SMARTPLUG", "AIR_PURIFIER", "NzE2NTQz_Nw"]}
    assert category(found) == "smartplug, air purifier, NzE2NTQz_Nw"


def prop(interface: str, name: str, value: object, **more: str) -> dict[str, Any]:
    return {"namespace": f"Alexa.{interface}", "name": name, "value": value, **more}


ON = prop("PowerController", "powerState", "ON")
HEALTHY = prop("EndpointHealth", "connectivity", {"value": "OK"})


@pytest.mark.parametrize(
    ("endpoint_id", "properties", "words"),
    [
        (
            "light#bed_light",
            [ON, prop("BrightnessController", "brightness", 40), HEALTHY],
            "on, 40 %",
        ),
        (
            "light#bed_light",
            [prop("PowerController", "powerState", "OFF"), HEALTHY],
            "off",
        ),
        (
            "light#bed_light",
            [prop("EndpointHealth", "connectivity", {"value": "UNREACHABLE"})],
            "not reachable",
        ),
        ("lock#front_door", [prop("LockController", "lockState", "JAMMED")], "jammed"),
        (
            "cover#garage_door",
            [
                prop(
                    "ModeController",
                    "mode",
                    "position.closed",
                    instance="cover.position",
                )
            ],
            "closed",
        ),
        (
            "sensor#outside_temperature",
            [
                prop(
                    "TemperatureSensor",
                    "temperature",
                    {"value": 60.5, "scale": "FAHRENHEIT"},
                )
            ],
            "60.5 °F",
        ),
        (
            "vacuum#0_ground_floor",
            [prop("RangeController", "rangeValue", 3, instance="vacuum.fan_speed")],
            "max",
        ),
        (
            "switch#ac",
            [prop("ContactSensor", "detectionState", "DETECTED")],
            "open",
        ),
    ],
)
def test_a_state_in_words(
    endpoint_id: str, properties: list[dict[str, Any]], words: str, home: Home
) -> None:
    """What one would say of it at a glance."""
    assert summary(readings(find(home, endpoint_id), properties)) == words


#: A number of a JSON that no float can hold.
HUGE = 10**400

#: What a server may put where a text or a number belongs.
ODD: list[Any] = [
    None,
    True,
    7,
    HUGE,
    -1e308,
    "x",
    [],
    ["x"],
    {},
    {"value": [], "scale": []},
]


@pytest.mark.parametrize("odd", ODD, ids=lambda one: repr(one)[:20])
def test_odd_values_are_shown_as_they_are(odd: object) -> None:
    """Names, scales, limits and states of any shape end neither words nor controls."""
    resources = {"friendlyNames": [{"value": {"assetId": odd}}]}
    endpoint = {
        "endpointId": "climate#hall",
        "capabilities": [
            {"interface": "Alexa.ThermostatController"},
            {"interface": "Alexa.ColorController"},
            {
                "interface": "Alexa.RangeController",
                "instance": "fan.speed",
                "capabilityResources": resources,
                "semantics": {"stateMappings": [{"value": odd, "states": odd}]},
                "configuration": {
                    "supportedRange": {"minimumValue": odd, "maximumValue": HUGE}
                },
            },
        ],
    }
    for value in (odd, {"value": odd, "scale": odd}, {"hue": odd, "saturation": odd}):
        state = [
            {"name": "targetSetpoint", "value": value},
            {"name": "color", "value": value},
            {
                "namespace": "Alexa.RangeController",
                "instance": "fan.speed",
                "name": "rangeValue",
                "value": value,
            },
        ]
        assert len(readings(endpoint, state)) == len(state)
        found = {one.id: one for one in controls(endpoint, state)}
        assert set(found) == {
            "Alexa.ThermostatController",
            "Alexa.ColorController",
        }
        order = found["Alexa.ThermostatController"].order(21.0)
        assert order.is_reached(state) in (True, False)
