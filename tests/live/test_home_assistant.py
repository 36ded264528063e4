"""Directives through the real runtime to a real Home Assistant, seen in its states."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from ha_bridge.errors import ErrorType
from ha_bridge_ops.events import with_token
from ha_bridge_ops.local.embedded import HomeAssistantServer
from ha_bridge_ops.local.lambda_runtime import LambdaRuntime
from tests.directives import EVENTS, offered, without
from tests.oracle import assert_error, assert_event

pytestmark = [pytest.mark.live, pytest.mark.runtime]

#: Seconds for a device to act; the demo's locks take two.
SETTLE_S = 30

#: The name of Home Assistant's answer to each event of the project.
ANSWERS = {
    "accept_grant": "AcceptGrant.Response",
    "activate_scene": "ActivationStarted",
    "discovery": "Discover.Response",
    "discovery_with_token": "Discover.Response",
    "report_state": "StateReport",
    "unknown_endpoint": "ErrorResponse",
}

State = dict[str, Any]


def attribute(name: str) -> Callable[[State], Any]:
    return lambda state: state["attributes"].get(name)


def brightness(state: State) -> Any:
    return round((state["attributes"].get("brightness") or 0) / 2.55)


def plain(state: State) -> Any:
    return state["state"]


#: Event, entity, what to read of its state, what to set before, and what comes of it.
EFFECTS: dict[str, tuple[str, Callable[[State], Any], tuple[str, str, Any], Any]] = {
    "turn_on": ("light.bed_light", plain, ("light", "turn_off", {}), "on"),
    "turn_off": ("light.ceiling_lights", plain, ("light", "turn_on", {}), "off"),
    "set_brightness": (
        "light.kitchen_lights",
        brightness,
        ("light", "turn_on", {"brightness": 255}),
        40,
    ),
    "adjust_brightness": (
        "light.kitchen_lights",
        brightness,
        ("light", "turn_on", {"brightness": 255}),
        90,
    ),
    "set_color": (
        "light.bed_light",
        attribute("hs_color"),
        ("light", "turn_on", {"hs_color": [10, 10]}),
        [240.0, 100.0],
    ),
    "set_color_temperature": (
        "light.ceiling_lights",
        attribute("color_temp_kelvin"),
        ("light", "turn_on", {"color_temp_kelvin": 2500}),
        4000,
    ),
    "set_target_temperature": (
        "climate.heatpump",
        attribute("temperature"),
        ("climate", "set_temperature", {"temperature": 18}),
        22,
    ),
    "set_thermostat_mode": (
        "climate.hvac",
        plain,
        ("climate", "set_hvac_mode", {"hvac_mode": "cool"}),
        "heat",
    ),
    "lock": ("lock.kitchen_door", plain, ("lock", "unlock", {}), "locked"),
    "unlock": ("lock.front_door", plain, ("lock", "lock", {}), "unlocked"),
    "set_mode": (
        "fan.living_room_fan",
        attribute("direction"),
        ("fan", "set_direction", {"direction": "forward"}),
        "reverse",
    ),
    "set_range": (
        "fan.ceiling_fan",
        attribute("percentage"),
        ("fan", "set_percentage", {"percentage": 33}),
        66,
    ),
    "toggle": (
        "fan.living_room_fan",
        attribute("oscillating"),
        ("fan", "oscillate", {"oscillating": False}),
        True,
    ),
    "set_volume": (
        "media_player.walkman",
        attribute("volume_level"),
        ("media_player", "volume_set", {"volume_level": 0.9}),
        0.35,
    ),
    "play": (
        "media_player.bedroom",
        plain,
        ("media_player", "media_pause", {}),
        "playing",
    ),
}


def load(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def ask(
    function: LambdaRuntime, home_assistant: HomeAssistantServer, name: str
) -> dict[str, Any]:
    return function.invoke(with_token(load(name), home_assistant.access_token))


def wait_for(read: Callable[[], object], expected: object) -> None:
    give_up = time.monotonic() + SETTLE_S
    while (seen := read()) != expected:
        assert time.monotonic() < give_up, f"{seen!r} is not {expected!r}"
        time.sleep(0.05)


@pytest.mark.parametrize("name", sorted(path.stem for path in EVENTS.glob("*.json")))
def test_every_event_file_is_answered(
    name: str, function: LambdaRuntime, home_assistant: HomeAssistantServer
) -> None:
    """By Home Assistant itself, with the answer that belongs to it."""
    answer = ask(function, home_assistant, name)
    assert_event(answer)
    header = answer["event"]["header"]
    assert header["name"] == ANSWERS.get(name, "Response"), answer
    sent = load(name)["directive"]["header"].get("correlationToken")
    assert header.get("correlationToken") == sent


@pytest.mark.parametrize("name", EFFECTS)
def test_a_control_directive_changes_the_state(
    name: str, function: LambdaRuntime, home_assistant: HomeAssistantServer
) -> None:
    """Seen in Home Assistant's own REST API, before and after."""
    entity_id, read, (domain, service, data), expected = EFFECTS[name]
    # A fan or lamp that is off has no attributes to read.
    if domain in {"fan", "light"} and service != "turn_off":
        home_assistant.call_service(domain, "turn_on", entity_id=entity_id)
    home_assistant.call_service(domain, service, entity_id=entity_id, **data)

    def now() -> object:
        return read(home_assistant.state(entity_id))

    give_up = time.monotonic() + SETTLE_S
    while (before := now()) in (expected, "locking", "unlocking"):
        assert time.monotonic() < give_up
        time.sleep(0.05)
    assert before != expected
    answer = ask(function, home_assistant, name)
    assert answer["event"]["header"]["name"] == "Response"
    wait_for(now, expected)


def test_a_scene_is_started(
    function: LambdaRuntime, home_assistant: HomeAssistantServer
) -> None:
    """A button's state is the time of its last press."""
    before = home_assistant.state("button.push")["state"]
    ask(function, home_assistant, "activate_scene")
    wait_for(
        lambda: home_assistant.state("button.push")["state"] == before, expected=False
    )


def test_discovery_is_what_home_assistant_has(
    function: LambdaRuntime, home_assistant: HomeAssistantServer
) -> None:
    """Each endpoint is an entity, and every lamp, lock and fan is an endpoint."""
    answer = ask(function, home_assistant, "discovery")
    endpoints = answer["event"]["payload"]["endpoints"]
    assert endpoints == offered(home_assistant)
    found = {one["endpointId"].replace("#", ".") for one in endpoints}
    states = home_assistant.states()
    assert found <= set(states)
    control = {"light", "lock", "fan", "climate", "cover", "media_player", "switch"}
    assert {one for one in states if one.partition(".")[0] in control} <= found
    names = {one["endpointId"]: one["friendlyName"] for one in endpoints}
    light = states["light.bed_light"]["attributes"]["friendly_name"]
    assert names["light#bed_light"] == light


def test_a_state_report_says_what_is(
    function: LambdaRuntime, home_assistant: HomeAssistantServer
) -> None:
    """Power state as in Home Assistant."""
    light = "light.ceiling_lights"
    for service, expected in (("turn_off", "OFF"), ("turn_on", "ON")):
        home_assistant.call_service("light", service, entity_id=light)
        answer = ask(function, home_assistant, "report_state")
        properties = {one["name"]: one for one in answer["context"]["properties"]}
        assert properties["powerState"]["value"] == expected


def test_an_unknown_endpoint_is_home_assistants_own_error(
    function: LambdaRuntime, home_assistant: HomeAssistantServer
) -> None:
    """Passed on as it came, with HTTP 200."""
    answer = ask(function, home_assistant, "unknown_endpoint")
    assert answer["event"]["payload"]["type"] == "NO_SUCH_ENDPOINT"


def test_a_wrong_token_is_invalid(function: LambdaRuntime) -> None:
    """Home Assistant says 401."""
    event = with_token(load("turn_on"), "wrong")
    answer = function.invoke(event)
    assert_error(answer, ErrorType.INVALID_AUTHORIZATION_CREDENTIAL, event)


def test_an_expired_token_is_expired(
    function: LambdaRuntime, home_assistant: HomeAssistantServer
) -> None:
    """Home Assistant says 401 to that too; Alexa renews the token if told so."""
    event = with_token(load("turn_on"), home_assistant.expired_token())
    answer = function.invoke(event)
    assert_error(answer, ErrorType.EXPIRED_AUTHORIZATION_CREDENTIAL, event)


def test_a_directive_that_home_assistant_fails_on_is_answered(
    function: LambdaRuntime, home_assistant: HomeAssistantServer
) -> None:
    """An endpoint without endpointId makes it answer 500."""
    event = with_token(load("turn_on"), home_assistant.access_token)
    broken = without(event, "directive.endpoint.endpointId")
    assert_error(function.invoke(broken), ErrorType.INTERNAL_ERROR)


def test_no_secret_is_in_the_functions_log(
    function: LambdaRuntime, home_assistant: HomeAssistantServer
) -> None:
    """DEBUG is on, and Home Assistant echoes the token in every answer."""
    ask(function, home_assistant, "turn_on")
    assert "Answer: " in function.log()
    assert home_assistant.access_token not in function.log()


def test_home_assistant_restarts_under_it(
    function: LambdaRuntime, home_assistant: HomeAssistantServer
) -> None:
    """Unreachable while it is down, and as before when it is back."""
    ask(function, home_assistant, "turn_on")
    event = with_token(load("turn_off"), home_assistant.access_token)
    home_assistant.stop()
    try:
        assert_error(function.invoke(event), ErrorType.BRIDGE_UNREACHABLE, event)
    finally:
        home_assistant.start()
    answer = ask(function, home_assistant, "turn_off")
    assert answer["event"]["header"]["name"] == "Response"


def test_a_home_without_the_alexa_integration_is_named(
    home_assistant: HomeAssistantServer,
) -> None:
    """The commonest mistake: 404, with the two lines that are missing."""
    with (
        HomeAssistantServer(home_assistant.release, "config:\n") as bare,
        LambdaRuntime({"BASE_URL": bare.url}) as function,
    ):
        event = with_token(load("turn_on"), bare.access_token)
        answer = function.invoke(event)
    assert_error(answer, ErrorType.INTERNAL_ERROR, event)
    assert "smart_home:" in answer["event"]["payload"]["message"]
