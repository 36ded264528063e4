"""What is wrong with endpoints: facts for the catalogue of `ha-bridge check`.

A trouble names a finding and a cause of that catalogue, where its meaning and its fix
stand, and the endpoints that have it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ha_bridge_ops.endpoints.limits import (
    CATEGORIES,
    ENDPOINT_ID,
    MAX_CAPABILITIES,
    MAX_NAME,
)
from ha_bridge_ops.endpoints.names import heard

Endpoint = Mapping[str, Any]


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong with one endpoint, or with several together."""

    finding: str
    cause: str
    saw: str
    endpoint_ids: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    """What the braces in the texts of the cause stand for."""


def entity_of(endpoint: Endpoint) -> str:
    """Return the id of the entity in Home Assistant, such as light.kitchen."""
    return str(endpoint.get("endpointId", "")).replace("#", ".")


def descriptions(endpoints: Sequence[Endpoint]) -> list[Trouble]:
    """Return where endpoints are not described as Alexa wants it."""
    return [*_same_ids(endpoints), *(t for one in endpoints for t in _faults(one))]


def duplicate_names(endpoints: Sequence[Endpoint]) -> list[Trouble]:
    """Return which names are there twice, to the ear."""
    named = defaultdict(list)
    for one in endpoints:
        named[heard(_name(one))].append(one)
    return [
        Trouble(
            "discovery.duplicate_names",
            "duplicates",
            " and ".join(dict.fromkeys(f"“{_name(one)}”" for one in same)),
            tuple(str(one.get("endpointId")) for one in same),
        )
        for name, same in named.items()
        if name and len(same) > 1
    ]


def _name(endpoint: Endpoint) -> str:
    return " ".join(str(endpoint.get("friendlyName") or "").split())


def _same_ids(endpoints: Sequence[Endpoint]) -> Iterator[Trouble]:
    counted: dict[str, int] = defaultdict(int)
    for one in endpoints:
        counted[str(one.get("endpointId"))] += 1
    for name, times in counted.items():
        if times > 1:
            yield Trouble(
                "discovery.endpoints",
                "same_id",
                f"{name} is there {times} times",
                (name,),
            )


def _faults(endpoint: Endpoint) -> Iterator[Trouble]:
    name = str(endpoint.get("endpointId", ""))
    shown = name[:60] or "an endpoint without id"

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
        yield trouble("category", ", ".join(unknown)[:60])
