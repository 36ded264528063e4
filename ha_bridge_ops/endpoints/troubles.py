"""What is wrong with endpoints: facts for the catalogue of `ha-bridge check`.

A trouble names a finding and a cause of that catalogue, where its meaning and its fix
stand, and the endpoints that have it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ha_bridge_ops.endpoints.abilities import NOTHING, abilities
from ha_bridge_ops.endpoints.capabilities import (
    Endpoint,
    capabilities,
    capability,
    categories_of,
    entity_of,
    id_of,
    interface_of,
    mapping,
    name_of,
)
from ha_bridge_ops.endpoints.limits import (
    CATEGORIES,
    ENDPOINT_ID,
    MAX_CAPABILITIES,
    MAX_NAME,
)
from ha_bridge_ops.endpoints.names import hard_to_say, heard, is_group_word
from ha_bridge_ops.outside import quoted


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong with one endpoint, or with several together."""

    finding: str
    cause: str
    saw: str
    endpoint_ids: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    """What the braces in the texts of the cause stand for."""


def descriptions(endpoints: Sequence[Endpoint]) -> list[Trouble]:
    """Return where endpoints are not described as Alexa wants it."""
    return [*_same_ids(endpoints), *(t for one in endpoints for t in _faults(one))]


def names(endpoints: Sequence[Endpoint]) -> list[Trouble]:
    """Return which names are hard to say, or mean something else to Alexa."""
    found = []
    for one in endpoints:
        name = name_of(one)
        if is_group_word(name):
            saw = f"{quoted(name)}: a room or a group"
            found.append(_about(one, "discovery.names", "group_word", saw))
        if why := hard_to_say(name):
            found.append(
                _about(one, "discovery.names", "hard", f"{quoted(name)}: {why}")
            )
    return found


#: Interfaces that have no state: a picture is shown, a scene started.
_STATELESS: Final = frozenset(
    {"Alexa.CameraStreamController", "Alexa.RTCSessionController"}
    | {"Alexa.DoorbellEventSource", "Alexa.SceneController"}
)


def use(endpoints: Sequence[Endpoint]) -> list[Trouble]:
    """Return which endpoints Alexa can do little with."""
    found = []
    for one in endpoints:
        name = quoted(name_of(one))
        if "CAMERA" in categories_of(one) and not _shows(one):
            found.append(
                _about(one, "discovery.use", "no_stream", f"{name}: no stream")
            )
        elif abilities(one) == NOTHING:
            found.append(
                _about(
                    one,
                    "discovery.use",
                    "nothing",
                    f"{name}: nothing to control or to ask",
                )
            )
        elif not _can_be_read(one):
            found.append(_about(one, "discovery.use", "no_state", f"{name}: no state"))
    return found


def _shows(endpoint: Endpoint) -> bool:
    """Whether a camera has a picture, or something else that it sees."""
    return any(
        capability(endpoint, interface)
        for interface in ("Alexa.CameraStreamController", "Alexa.RTCSessionController")
    ) or (abilities(endpoint) != NOTHING)


def _can_be_read(endpoint: Endpoint) -> bool:
    able = [
        one
        for one in capabilities(endpoint)
        if interface_of(one) not in ("Alexa", "Alexa.EndpointHealth")
    ]
    return any(
        interface_of(one) in _STATELESS or mapping(one, "properties").get("retrievable")
        for one in able
    )


def _about(one: Endpoint, finding: str, cause: str, saw: str) -> Trouble:
    return Trouble(finding, cause, saw, (id_of(one),), {"entity": entity_of(one)})


def every(endpoints: Sequence[Endpoint]) -> list[Trouble]:
    """Return all that is wrong, the worst kind first."""
    looks = (descriptions, duplicate_names, names, use)
    return [trouble for look in looks for trouble in look(endpoints)]


def duplicate_names(endpoints: Sequence[Endpoint]) -> list[Trouble]:
    """Return which names are there twice, to the ear."""
    named = defaultdict(list)
    for one in endpoints:
        named[heard(name_of(one))].append(one)
    return [
        Trouble(
            "discovery.duplicate_names",
            "duplicates",
            " and ".join(dict.fromkeys(quoted(name_of(one)) for one in same)),
            tuple(str(one.get("endpointId")) for one in same),
        )
        for name, same in named.items()
        if name and len(same) > 1
    ]


def _same_ids(endpoints: Sequence[Endpoint]) -> Iterator[Trouble]:
    counted: dict[str, int] = defaultdict(int)
    for one in endpoints:
        counted[str(one.get("endpointId"))] += 1
    for name, times in counted.items():
        if times > 1:
            yield Trouble(
                "discovery.endpoints",
                "same_id",
                f"{quoted(name, 60)} is there {times} times",
                (name,),
            )


def _faults(endpoint: Endpoint) -> Iterator[Trouble]:
    name = str(endpoint.get("endpointId", ""))
    shown = quoted(name, 60) if name else "an endpoint without id"

    def trouble(cause: str, saw: str) -> Trouble:
        values = {"entity": entity_of(endpoint)}
        return Trouble("discovery.endpoints", cause, f"{shown}: {saw}", (name,), values)

    if not ENDPOINT_ID.fullmatch(name):
        yield trouble("bad_id", "its id")
    for key in ("friendlyName", "description", "manufacturerName"):
        text = endpoint.get(key)
        if not isinstance(text, str) or not text.strip():
            yield trouble("bad_name", f"no {key}")
        elif len(text) > MAX_NAME:
            yield trouble("bad_name", f"{key} of {len(text)} characters")
    able = endpoint.get("capabilities")
    number = len(able) if isinstance(able, list) else 0
    if not 1 <= number <= MAX_CAPABILITIES:
        yield trouble("capabilities", f"{number} capabilities")
    categories = endpoint.get("displayCategories")
    if not isinstance(categories, list) or not categories:
        yield trouble("category", "no category")
    elif unknown := [str(one) for one in categories if str(one) not in CATEGORIES]:
        yield trouble("category", quoted(", ".join(unknown), 60))
