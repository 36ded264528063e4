"""What makers of controls are built from: buttons, sliders, names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ha_bridge_ops.endpoints.abilities import ABILITIES
from ha_bridge_ops.endpoints.capabilities import Capability, instance_label, mapping
from ha_bridge_ops.endpoints.control import Choice, Control, Scale
from ha_bridge_ops.endpoints.orders import Order

#: The state of an endpoint, as a StateReport tells it.
Properties = Sequence[Mapping[str, Any]]

Made = Iterator[Control]
Maker = Callable[[Capability, Properties], Made]
"""Gives the controls of a capability; the state says Celsius or Fahrenheit."""


def control_id(one: Capability) -> str:
    """Return interface, and instance behind a slash."""
    instance = one.get("instance")
    return f"{one['interface']}/{instance}" if instance else str(one["interface"])


def instance_of(one: Capability) -> str | None:
    """Return the instance, for a directive."""
    instance = one.get("instance")
    return str(instance) if instance else None


def title_of(one: Capability) -> str:
    """Return what the interface is called."""
    word = ABILITIES.get(str(one["interface"]), "control")
    return word[:1].upper() + word[1:]


def buttons(shows: str, *buttons: tuple[str, str, Mapping[str, Any]]) -> Maker:
    """Make buttons that are the same for every endpoint: label, directive, payload."""

    def make(one: Capability, _state: Properties) -> Made:
        title = instance_label(one) if one.get("instance") else title_of(one)
        yield Control(
            control_id(one),
            title,
            shows,
            tuple(
                Choice(
                    text.lower(),
                    text,
                    Order(str(one["interface"]), name, payload, instance_of(one)),
                )
                for text, name, payload in buttons
            ),
        )

    return make


def percent(name: str, key: str) -> Maker:
    """Make a slider from 0 to 100 %."""

    def make(one: Capability, _state: Properties) -> Made:
        yield slider(one, key, Scale(0, 100, 1, "%", to_order(one, name, key)))

    return make


def to_order(one: Capability, name: str, key: str) -> Callable[[float], Order]:
    """Return what makes the directive of a number, which the payload has as `key`."""
    interface, instance = str(one["interface"]), instance_of(one)
    return lambda value: Order(interface, name, {key: tidy(value)}, instance)


def tidy(value: float) -> float:
    """Return a whole number as one."""
    return int(value) if float(value).is_integer() else value


def slider(one: Capability, shows: str, scale: Scale) -> Control:
    """Return a slider."""
    title = instance_label(one) if one.get("instance") else title_of(one)
    return Control(control_id(one), title, shows, scale=scale)


def named(
    shows: str,
    values: Callable[[Capability], Sequence[str]],
    order: Callable[[str], Order],
) -> Maker:
    """Make a choice of names that the capability lists."""

    def make(one: Capability, _state: Properties) -> Made:
        yield Control(
            control_id(one),
            title_of(one),
            shows,
            tuple(Choice(value, spelled(value), order(value)) for value in values(one)),
        )

    return make


def texts(*path: str) -> Callable[[Capability], Sequence[str]]:
    """Return the texts in a list, or the names of the objects in it."""

    def read(one: Capability) -> Sequence[str]:
        found = mapping(one, *path[:-1]).get(path[-1])
        items = found if isinstance(found, list) else []
        named = (
            mapping(item).get("name", mapping(item).get("value"))
            if isinstance(item, Mapping)
            else item
            for item in items
        )
        return list(dict.fromkeys(text for text in named if isinstance(text, str)))

    return read


def spelled(name: str) -> str:
    """Return a name of Alexa's for people: HEAT as Heat, DVD as it is."""
    words = name.replace("_", " ")
    is_short = name.isupper() and not set(name) & set("AEIOU")
    return words if is_short else words.capitalize()
