"""Which icon of templates/icons.html an endpoint has."""

from collections.abc import Mapping
from typing import Final

from ha_bridge_ops.endpoints.capabilities import Endpoint, categories_of

#: Icons by display category; what is not here is “other”.
_OF: Final[Mapping[str, str]] = {
    "ACTIVITY_TRIGGER": "scene",
    "AIR_CONDITIONER": "air",
    "AIR_FRESHENER": "air",
    "AIR_PURIFIER": "air",
    "CAMERA": "camera",
    "CHRISTMAS_TREE": "light",
    "COFFEE_MAKER": "plug",
    "CONTACT_SENSOR": "contact",
    "DOOR": "door",
    "DOORBELL": "door",
    "EXTERIOR_BLIND": "blind",
    "FAN": "fan",
    "GARAGE_DOOR": "garage",
    "INTERIOR_BLIND": "blind",
    "LIGHT": "light",
    "MOTION_SENSOR": "motion",
    "MUSIC_SYSTEM": "speaker",
    "SCENE_TRIGGER": "scene",
    "SCREEN": "tv",
    "SECURITY_PANEL": "shield",
    "SECURITY_SYSTEM": "shield",
    "SMARTLOCK": "lock",
    "SMARTPLUG": "plug",
    "SPEAKER": "speaker",
    "STREAMING_DEVICE": "tv",
    "SWITCH": "switch",
    "TEMPERATURE_SENSOR": "temperature",
    "THERMOSTAT": "thermostat",
    "TV": "tv",
    "VACUUM_CLEANER": "vacuum",
    "WATER_HEATER": "water",
}

#: Icons by domain, where the category says nothing.
_OF_DOMAIN: Final[Mapping[str, str]] = {
    "binary_sensor": "motion",
    "cover": "blind",
    "event": "scene",
    "humidifier": "air",
    "number": "thermostat",
    "input_number": "thermostat",
    "sensor": "temperature",
    "valve": "water",
}


def icon_of(endpoint: Endpoint) -> str:
    """Return the name of an endpoint's icon."""
    kinds = categories_of(endpoint)
    known = _OF.get(kinds[0]) if kinds else None
    domain = str(endpoint.get("endpointId", "")).partition("#")[0]
    return known or _OF_DOMAIN.get(domain, "other")
