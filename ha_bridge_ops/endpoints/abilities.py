"""What Alexa can do with an endpoint, in words that a person reads."""

import re
from collections.abc import Mapping

from ha_bridge_ops.endpoints.capabilities import (
    Endpoint,
    capabilities,
    categories_of,
    interface_of,
)

#: What Alexa can do through an interface.
#: https://developer.amazon.com/en-US/docs/alexa/device-apis/list-of-interfaces.html
ABILITIES: Mapping[str, str] = {
    "Alexa.BrightnessController": "brightness",
    "Alexa.CameraStreamController": "camera picture",
    "Alexa.ChannelController": "channel",
    "Alexa.ColorController": "color",
    "Alexa.ColorTemperatureController": "white tone",
    "Alexa.ContactSensor": "open or closed",
    "Alexa.DoorbellEventSource": "doorbell",
    "Alexa.EqualizerController": "sound mode",
    "Alexa.EventDetectionSensor": "detects events",
    "Alexa.HumiditySensor": "humidity",
    "Alexa.InputController": "input",
    "Alexa.LockController": "lock",
    "Alexa.ModeController": "mode",
    "Alexa.MotionSensor": "motion",
    "Alexa.PercentageController": "percentage",
    "Alexa.PlaybackController": "play and stop",
    "Alexa.PowerController": "on and off",
    "Alexa.PowerLevelController": "power level",
    "Alexa.RTCSessionController": "live picture",
    "Alexa.RangeController": "range",
    "Alexa.SceneController": "start",
    "Alexa.SecurityPanelController": "arm and disarm",
    "Alexa.SeekController": "seek",
    "Alexa.Speaker": "volume",
    "Alexa.StepSpeaker": "volume",
    "Alexa.TemperatureSensor": "temperature",
    "Alexa.ThermostatController": "target temperature",
    "Alexa.TimeHoldController": "pause and resume",
    "Alexa.ToggleController": "switch",
}

#: What an endpoint can do that can do none of it.
NOTHING = "nothing"

#: Interfaces that every endpoint has, or that say nothing to a person.
_SILENT = frozenset({"Alexa", "Alexa.EndpointHealth", "Alexa.PlaybackStateReporter"})

#: How Amazon writes a display category.
_CATEGORY = re.compile("[A-Z_]{1,40}")


def abilities(endpoint: Endpoint) -> str:
    """Return what Alexa can do with an endpoint, such as "on and off, brightness"."""
    words: dict[str, None] = {}
    for capability in capabilities(endpoint):
        interface = interface_of(capability)
        if interface in _SILENT:
            continue
        word = ABILITIES.get(interface, interface.removeprefix("Alexa."))
        # fan.oscillating: what the mode, range or switch is about.
        if instance := str(capability.get("instance", "")):
            word = instance.partition(".")[2].replace("_", " ") or word
        words[word] = None
    return ", ".join(words) or NOTHING


def category(endpoint: Endpoint) -> str:
    """Return an endpoint's display categories, such as "light"."""
    found = categories_of(endpoint) or ("none",)
    return ", ".join(
        # What Amazon would not write stays: small letters would hide a secret in it.
        name.lower().replace("_", " ") if _CATEGORY.fullmatch(name) else name
        for name in found
    )
