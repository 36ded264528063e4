"""Reading an endpoint's capabilities, whatever it is that came."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ha_bridge_ops.endpoints.limits import MAX_NAME

Endpoint = Mapping[str, Any]
Capability = Mapping[str, Any]


def capabilities(endpoint: Endpoint) -> Iterator[Capability]:
    """Give the capabilities of an endpoint that are objects."""
    yield from dicts(endpoint.get("capabilities"))


def interface_of(one: Capability) -> str:
    """Return the interface of a capability, such as Alexa.PowerController."""
    return str(one.get("interface", ""))


def capability(
    endpoint: Endpoint, interface: str, instance: str | None = None
) -> Capability | None:
    """Return the capability of an interface (and instance), if there is one."""
    for one in capabilities(endpoint):
        if one.get("interface") == interface and instance in (
            None,
            one.get("instance"),
        ):
            return one
    return None


def name_of(endpoint: Endpoint) -> str:
    """Return the name, without spaces that nobody sees."""
    # A longer one is a trouble of its own.
    return " ".join(str(endpoint.get("friendlyName") or "")[: 2 * MAX_NAME].split())


def id_of(endpoint: Endpoint) -> str:
    """Return the endpointId, such as light#kitchen."""
    return str(endpoint.get("endpointId", ""))


def entity_of(endpoint: Endpoint) -> str:
    """Return the id of the entity in Home Assistant, such as light.kitchen."""
    return id_of(endpoint).replace("#", ".")


def categories_of(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the display categories, such as ("LIGHT",)."""
    found = endpoint.get("displayCategories")
    return tuple(str(one) for one in found) if isinstance(found, list) else ()


def mapping(value: object, *keys: str) -> Mapping[str, Any]:
    """Return the object that lies below these keys; an empty one if there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def dicts(value: object) -> list[Mapping[str, Any]]:
    """Return the objects in a list."""
    found = value if isinstance(value, list) else []
    return [one for one in found if isinstance(one, Mapping)]


def number(value: object) -> float | None:
    """Return a number as one that can be reckoned with; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # JSON has numbers of hundreds of digits
        return None


def spoken_labels(resources: object) -> list[str]:
    """Return the friendly names of a capability, a mode or a preset.

    Assets stand for a word in each language; theirs is read from the id.
    https://developer.amazon.com/en-US/docs/alexa/device-apis/resources-and-assets.html
    """
    labels = []
    for one in dicts(mapping(resources).get("friendlyNames")):
        value = mapping(one, "value")
        asset = str(value.get("assetId", ""))
        text = str(value.get("text") or asset.rpartition(".")[2])
        if words := _words(text):
            labels.append(words)
    return labels


def label(resources: object, otherwise: str) -> str:
    """Return one friendly name, such as "Fan speed"."""
    return (spoken_labels(resources) or [_words(otherwise)])[0]


def instance_label(one: Capability) -> str:
    """Return what a mode, range or switch is about, such as "Tilt"."""
    instance = str(one.get("instance", "")).partition(".")[2]
    return label(one.get("capabilityResources"), instance or "value")


def _words(text: str) -> str:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).replace("_", " ").strip()
    return apart[:1].upper() + (apart[1:] if apart.isupper() else apart[1:].lower())


def actions(one: Capability) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return directive and payload for each action that has a word of its own.

    The words are open, close, raise and lower.
    https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-discovery-objects.html#semantics-object
    """
    found = {}
    for entry in dicts(mapping(one, "semantics").get("actionMappings")):
        directive = mapping(entry, "directive")
        wanted = entry.get("actions")
        for action in wanted if isinstance(wanted, list) else []:
            word = str(action).rpartition(".")[2].lower()
            found[word] = (str(directive.get("name")), mapping(directive, "payload"))
    return found
