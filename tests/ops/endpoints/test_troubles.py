"""What is wrong with endpoints."""

from typing import Any

import pytest

from ha_bridge_ops.check.catalogue import CHAIN
from ha_bridge_ops.endpoints import troubles
from ha_bridge_ops.endpoints.names import hard_to_say, is_group_word
from tests.ops.endpoints.test_orders import find

Home = list[dict[str, Any]]


@pytest.mark.parametrize(
    "name",
    [
        "Lamp 2",
        "PWM",
        "LR lamp",
        "bdrm lamp",
        "0_Ground_floor",
        "Lamp/left",
        "🛋️",
        "Office RGBW Lights",
        "Lamp (old)",
        "x lamp",
    ],
)
def test_what_is_hard_to_say(name: str) -> None:
    """Digits, symbols, abbreviations and single letters."""
    assert hard_to_say(name)


@pytest.mark.parametrize(
    "name",
    [
        "Bed Light",
        "Kitchen TV",
        "AC",
        "Küche",
        "Tom's lamp",
        "ガレージ",
        "LED strip",
        "Floor-Lamp",
        "Лампа",
        "Tea & Coffee",
        "",
    ],
)
def test_what_can_be_said(name: str) -> None:
    """Words, in any script, and the abbreviations that everybody says."""
    assert not hard_to_say(name)


@pytest.mark.parametrize(
    "name", ["Kitchen", "the kitchen", "Living Room", "Lights", "Küche", "Everything"]
)
def test_a_room_or_a_group(name: str) -> None:
    """Alexa takes it for the group of that name."""
    assert is_group_word(name)


@pytest.mark.parametrize("name", ["Kitchen TV", "Bed Light", "", "Roomba"])
def test_no_room(name: str) -> None:
    """A name of its own."""
    assert not is_group_word(name)


@pytest.mark.parametrize(
    ("endpoint_id", "cause"),
    [
        ("camera#demo_camera", "no_stream"),
        ("vacuum#2_second_floor", "nothing"),
        ("image_processing#demo_face", "no_state"),
        ("light#bed_light", None),
        ("button#push", None),
        ("sensor#outside_temperature", None),
    ],
)
def test_of_little_use(endpoint_id: str, cause: str | None, home: Home) -> None:
    """A camera without stream, nothing to control, nothing to read."""
    found = troubles.use([find(home, endpoint_id)])
    assert [one.cause for one in found] == ([cause] if cause else [])
    assert {one.finding for one in found} <= {"discovery.use"}


def test_each_trouble_is_one_of_the_catalogue(home: Home) -> None:
    """Its meaning and its fix stand there, and it names who has it."""
    links = {link.id: link for link in CHAIN}
    twin = {**home[0], "friendlyName": "Bed Lights"}
    found = troubles.every([*home, twin])
    assert len({(one.finding, one.cause) for one in found}) > 5
    for one in found:
        assert links[one.finding].cause(one.cause).fix
        assert one.endpoint_ids
