"""What people say, and what it means in a home."""

from typing import Any

import pytest

from ha_bridge_ops.endpoints.capabilities import id_of, name_of
from ha_bridge_ops.endpoints.grammar import EXAMPLES, number_of
from ha_bridge_ops.endpoints.sentences import examples_for, understand

Home = list[dict[str, Any]]


@pytest.mark.parametrize(
    ("sentence", "endpoint", "directive", "payload"),
    [
        ("turn on the bed light", "Bed Light", "TurnOn", {}),
        ("Alexa, please turn the bed light off.", "Bed Light", "TurnOff", {}),
        ("could you switch off bed light", "Bed Light", "TurnOff", {}),
        (
            "set kitchen lights to 40 percent",
            "Kitchen Lights",
            "SetBrightness",
            {"brightness": 40},
        ),
        ("dim the bed light to 20%", "Bed Light", "SetBrightness", {"brightness": 20}),
        (
            "set the brightness of the bed light to forty-five percent",
            "Bed Light",
            "SetBrightness",
            {"brightness": 45},
        ),
        (
            "set the bed light brightness to half",
            "Bed Light",
            "SetBrightness",
            {"brightness": 50},
        ),
        (
            "set bed light to warm white",
            "Bed Light",
            "SetColorTemperature",
            {"colorTemperatureInKelvin": 2200},
        ),
        (
            "turn the bed light red",
            "Bed Light",
            "SetColor",
            {"color": {"hue": 0.0, "saturation": 1.0, "brightness": 1.0}},
        ),
        (
            "brighten the bed light by 10",
            "Bed Light",
            "AdjustBrightness",
            {"brightnessDelta": 10},
        ),
        ("lock the front door", "Front Door", "Lock", {}),
        ("unlock the front door", "Front Door", "Unlock", {}),
        ("open the garage door", "Garage Door", "SetMode", {"mode": "position.open"}),
        ("shut the garage door", "Garage Door", "SetMode", {"mode": "position.closed"}),
        ("open the hall window", "Hall Window", "SetRangeValue", {"rangeValue": 100}),
        ("lower the hall window", "Hall Window", "SetRangeValue", {"rangeValue": 0}),
        (
            "set the living room window tilt to 20",
            "Living Room Window",
            "SetRangeValue",
            {"rangeValue": 20},
        ),
        (
            "set the heat pump to 22 degrees",
            "HeatPump",
            "SetTargetTemperature",
            {"targetSetpoint": {"value": 22, "scale": "CELSIUS"}},
        ),
        (
            "set the heat pump to 70 degrees fahrenheit",
            "HeatPump",
            "SetTargetTemperature",
            {"targetSetpoint": {"value": 21.1, "scale": "CELSIUS"}},
        ),
        (
            "make the heat pump warmer",
            "HeatPump",
            "AdjustTargetTemperature",
            {"targetSetpointDelta": {"value": 1.0, "scale": "CELSIUS"}},
        ),
        (
            "set hvac to heat",
            "Hvac",
            "SetThermostatMode",
            {"thermostatMode": {"value": "HEAT"}},
        ),
        (
            "set living room fan speed to 30",
            "Living Room Fan",
            "SetRangeValue",
            {"rangeValue": 30},
        ),
        (
            "turn up the volume on walkman",
            "Walkman",
            "AdjustVolume",
            {"volume": 10, "volumeDefault": True},
        ),
        ("set walkman volume to 30", "Walkman", "SetVolume", {"volume": 30}),
        ("mute walkman", "Walkman", "SetMute", {"mute": True}),
        ("next on walkman", "Walkman", "Next", {}),
        ("set lounge room to dvd", "Lounge room", "SelectInput", {"input": "DVD"}),
        ("stop the hall window", "Hall Window", "Stop", {}),
        ("pause 0 ground floor", "0_Ground_floor", "Hold", {}),
        ("is the front door locked", "Front Door", "ReportState", {}),
        ("what is the temperature of the heat pump?", "HeatPump", "ReportState", {}),
        ("what's the outside temperature", "Outside Temperature", "ReportState", {}),
    ],
)
def test_what_a_sentence_sends(
    sentence: str, endpoint: str, directive: str, payload: dict[str, Any], home: Home
) -> None:
    """The one endpoint that is called so, and the directive that Alexa would send."""
    found = understand(sentence, home)
    assert found.problem == ""
    assert found.endpoint is not None
    assert found.order is not None
    assert name_of(found.endpoint) == endpoint
    assert (found.order.name, dict(found.order.payload)) == (directive, payload)


@pytest.mark.parametrize("sentence", EXAMPLES)
def test_the_examples_are_understood(sentence: str, home: Home) -> None:
    """They are what people try first."""
    assert understand(sentence, home).order is not None


@pytest.mark.parametrize(
    ("sentence", "others", "words"),
    [
        ("turn on bed lamp", ["Bed Light"], "No device is called “bed lamp”"),
        ("turn on bedd light", ["Bed Light"], "No device is called"),
        ("turn on the ground floor", ["0_Ground_floor"], "No device is called"),
        ("turn off everything", [], "group"),
        ("turn on the lights", [], "group"),
        ("turn on the spaceship", [], "nor anything like it"),
        ("make me a coffee", [], "does not understand"),
        ("alexa", [], "Say something"),
        ("", [], "Say something"),
        ("turn on", [], "does not understand"),
        ("\x00<img src=x onerror=alert(1)>", [], "does not understand"),
        ("x" * 5000, [], "does not understand"),
    ],
)
def test_what_is_not_clear_sends_nothing(
    sentence: str, others: list[str], words: str, home: Home
) -> None:
    """It says why, and what was perhaps meant."""
    found = understand(sentence, home)
    assert found.order is None
    assert words in found.problem
    assert [name_of(one) for one in found.others] == others


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("dim the front door", "smartlock"),
        ("unlock the bed light", "light"),
        ("set the bed light to 300 percent", "from 0 to 100 %"),
        ("set the heat pump to blue", "thermostat"),
    ],
)
def test_what_an_endpoint_cannot_do(sentence: str, words: str, home: Home) -> None:
    """The name hits, and the reason is said."""
    found = understand(sentence, home)
    assert found.endpoint is not None
    assert found.order is None
    assert words in found.problem


def test_a_name_that_two_have(home: Home) -> None:
    """Nothing is sent until one is chosen."""
    bed = next(one for one in home if name_of(one) == "Bed Light")
    twin = {**bed, "endpointId": "light#twin", "friendlyName": "the bed lights"}
    both = [*home, twin]
    found = understand("turn on the bed light", both)
    assert found.order is None
    assert [id_of(one) for one in found.others] == ["light#bed_light", "light#twin"]
    chosen = understand("turn on the bed light", both, chosen="light#twin")
    assert chosen.endpoint is twin
    assert chosen.order is not None


def test_the_one_of_two_that_can_do_it_is_meant(home: Home) -> None:
    """A lock and a contact sensor on one door: only one of them locks."""
    sensor = {
        "endpointId": "binary_sensor#door",
        "friendlyName": "Front Door",
        "displayCategories": ["CONTACT_SENSOR"],
        "capabilities": [{"interface": "Alexa.ContactSensor"}],
    }
    found = understand("lock the front door", [sensor, *home])
    assert found.endpoint is not None
    assert id_of(found.endpoint) == "lock#front_door"
    assert found.others[0] is sensor


def test_what_a_hit_might_mean_too_is_told(home: Home) -> None:
    """“Kitchen” is the television here, and much else has the word."""
    found = understand("turn on the kitchen", home)
    assert found.order is not None
    assert "Kitchen Lights" in [name_of(one) for one in found.others]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("40", 40),
        ("21,5", 21.5),
        ("forty", 40),
        ("forty two", 42),
        ("ninety-nine", 99),
        ("seventeen", 17),
        ("minus five", -5),
        ("a hundred", 100),
        ("half", 50),
        ("blue", None),
        ("forty blue", None),
        ("", None),
    ],
)
def test_numbers(text: str, number: float | None) -> None:
    """In digits and in words."""
    assert number_of(text) == number


@pytest.mark.parametrize(
    ("lamps", "expected"),
    [
        (["Stehlampe"], ["turn on the stehlampe", "is the stehlampe on"]),
        (["  ", "台所", "Desk lamp"], ["turn on the 台所", "is the 台所 on"]),
        (["Lamp", "lamp"], []),
        ([], []),
    ],
)
def test_the_examples_are_about_what_is_there(
    lamps: list[str], expected: list[str]
) -> None:
    """Those of the demo say nothing to a home without its devices."""
    power = {"interface": "Alexa.PowerController"}
    home = [
        {"endpointId": f"light#{n}", "friendlyName": name, "capabilities": [power]}
        for n, name in enumerate(lamps)
    ]
    assert examples_for(home) == expected


def test_the_demo_has_the_examples_of_the_grammar(home: Home) -> None:
    """They show more than one kind of sentence."""
    assert examples_for(home) == list(EXAMPLES)
