"""What a sentence means in a home: a name, an endpoint, a directive.

It is not Alexa, but small and honest: it says which endpoint a name hits, which others
it might be, and what it does not understand.
"""

import difflib
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from ha_bridge_ops.endpoints.abilities import category
from ha_bridge_ops.endpoints.capabilities import (
    Endpoint,
    capability,
    id_of,
    name_of,
)
from ha_bridge_ops.endpoints.grammar import EXAMPLES, Wish, plain, readings
from ha_bridge_ops.endpoints.limits import MAX_NAME
from ha_bridge_ops.endpoints.names import heard, words
from ha_bridge_ops.endpoints.orders import Order
from ha_bridge_ops.endpoints.wishes import StateOf, order_of
from ha_bridge_ops.outside import quoted, visible


@dataclass(frozen=True)
class Understood:
    """What became of a sentence."""

    wish: Wish | None
    name: str
    """The name that was heard; empty if there was none."""
    endpoint: Endpoint | None = None
    """What the name hits."""
    order: Order | None = None
    """What is sent; None where it is not clear what."""
    others: tuple[Endpoint, ...] = ()
    """What the name might mean too."""
    problem: str = ""
    """Why nothing is sent, in a sentence."""


def understand(
    sentence: str,
    endpoints: Sequence[Endpoint],
    *,
    chosen: str | None = None,
    state_of: StateOf = lambda _: (),
) -> Understood:
    """Return what a sentence means in this home.

    Args:
        sentence: In English; “Alexa,” and “please” may stand around it.
        endpoints: The home.
        chosen: The endpointId that is meant, where somebody was asked.
        state_of: Gives the state of an endpoint, for steps and scales.
    """
    for wish, name in readings(sentence):
        found = _Search(endpoints, name, wish, state_of)
        if chosen is not None and found.might_mean(chosen):
            return found.of(chosen)
        if chosen is None and found.names_something:
            return found.best()
    first = next(readings(sentence), None)
    if first is None:
        return Understood(None, "", problem=_not_understood(sentence))
    wish, name = first
    search = _Search(endpoints, name, wish, state_of)
    return search.best() if chosen is None else search.of(chosen)


#: Sentences for a home that has nothing of `EXAMPLES`: what must be able to, and how.
_FOR_ANY_HOME: Final = (
    ("Alexa.PowerController", "turn on the {}"),
    ("Alexa.BrightnessController", "set the {} to 40 percent"),
    ("Alexa.ColorController", "set the {} to blue"),
    ("Alexa.LockController", "lock the {}"),
    ("Alexa.ThermostatController", "set the {} to 22 degrees"),
    ("Alexa.TemperatureSensor", "what is the temperature of the {}"),
    ("Alexa.PowerController", "is the {} on"),
)
#: Names that are tried for each of them.
_TRIED: Final = 5


def examples_for(endpoints: Sequence[Endpoint]) -> list[str]:
    """Return sentences that mean something in this home; none if nothing can be said.

    They are those of the grammar, if they fit, and others with the home's own names.
    """
    names = Counter(heard(name_of(one)) for one in endpoints)
    if all(_is_about(sentence, names) for sentence in EXAMPLES):
        return list(EXAMPLES)
    found = []
    for interface, template in _FOR_ANY_HOME:
        able = (one for one in endpoints if capability(one, interface))
        for endpoint in islice(able, _TRIED):
            name = name_of(endpoint)
            sentence = template.format(visible(name, MAX_NAME).lower())
            is_clear = names[heard(name)] == 1 and bool(name.strip())
            if is_clear and _is_about(sentence, {heard(name)}):
                found.append(sentence)
                break
    return found


def _is_about(sentence: str, names: Container[str]) -> bool:
    return any(heard(name) in names for _, name in readings(sentence))


def _not_understood(sentence: str) -> str:
    if not plain(sentence):
        return "Say something, such as “turn on the bed light”."
    return (
        "This page does not understand that; it knows sentences like "
        f"“{EXAMPLES[0]}” or “{EXAMPLES[1]}”. Alexa may."
    )


#: Below this a name is another one.
_NEAR: Final = 0.75
#: How many of the others are told.
_OTHERS: Final = 6

#: What people add to a name: Alexa takes “bed light” for a light that is called Bed.
_KINDS: Final = """
    light lamp switch plug fan lock door blind thermostat tv
    """
_KIND_WORDS: Final = frozenset(word for one in _KINDS.split() for word in words(one))


class _Search:
    """The endpoints that a name may mean, for a wish."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        name: str,
        wish: Wish,
        state_of: StateOf,
    ) -> None:
        self._endpoints = endpoints
        self._name = name
        self._wish = wish
        self._state_of = state_of
        key = heard(name)
        self._hits = [one for one in endpoints if key and heard(name_of(one)) == key]

    @property
    def names_something(self) -> bool:
        return bool(self._hits)

    def might_mean(self, endpoint_id: str) -> bool:
        return any(id_of(one) == endpoint_id for one in (*self._hits, *self._near()))

    def of(self, endpoint_id: str) -> Understood:
        """Return what the wish means for the endpoint that was chosen."""
        for one in self._endpoints:
            if id_of(one) == endpoint_id:
                return self._told(one, ())
        return Understood(
            self._wish, self._name, problem="There is no such device any more."
        )

    def best(self) -> Understood:
        able = [one for one in self._hits if self._can(one)]
        if not self._hits and heard(self._name) in _GROUPS:
            return self._open(_GROUP.format(name=quoted(self._name)), ())
        near = self._near()
        if len(able) == 1:
            others = [one for one in self._hits if one is not able[0]]
            return self._told(able[0], (*others, *near))
        if len(self._hits) == 1:
            return self._told(self._hits[0], tuple(near))
        if self._hits:
            several = able or self._hits
            name = quoted(name_of(several[0]), MAX_NAME)
            problem = (
                f"{len(several)} devices sound like {name}. Alexa asks which one, or "
                "chooses one of them."
            )
            return self._open(problem, several)
        if near:
            return self._open(
                f"No device is called {quoted(self._name)}. Alexa may guess, or ask.",
                near,
            )
        problem = f"No device is called {quoted(self._name)}, nor anything like it."
        return self._open(problem, ())

    def _open(self, problem: str, others: Sequence[Endpoint]) -> Understood:
        return Understood(
            self._wish, self._name, others=tuple(others[:_OTHERS]), problem=problem
        )

    def _told(self, endpoint: Endpoint, others: Sequence[Endpoint]) -> Understood:
        problem = ""
        try:
            order = order_of(self._wish, endpoint, self._state_of)
        except ValueError as error:
            order, problem = None, str(error)
        if order is None and not problem:
            kind = visible(category(endpoint))
            article = "an" if kind[:1] in "aeiou" else "a"
            name = quoted(name_of(endpoint), MAX_NAME)
            problem = f"{name} is {article} {kind}, and Alexa cannot do that with it."
        return Understood(
            self._wish,
            self._name,
            endpoint,
            order,
            tuple(others[:_OTHERS]),
            problem,
        )

    def _can(self, endpoint: Endpoint) -> bool:
        try:
            return order_of(self._wish, endpoint, self._state_of) is not None
        except ValueError:
            return True  # it can, only not that much

    def _near(self) -> list[Endpoint]:
        """Return what it might be too, the nearest first."""
        spoken, key = set(words(self._name)), heard(self._name)
        hits = {id(one) for one in self._hits}
        scored = [
            (_likeness(spoken, key, one), one)
            for one in self._endpoints
            if id(one) not in hits
        ]
        near = [pair for pair in scored if pair[0] >= _NEAR]
        near.sort(key=lambda pair: (-pair[0], name_of(pair[1])))
        return [one for _, one in near]


def _likeness(spoken: set[str], key: str, endpoint: Endpoint) -> float:
    name = name_of(endpoint)
    own = set(words(name))
    if not own or not spoken:
        return 0.0
    if spoken - own <= _KIND_WORDS and spoken & own and own <= spoken | _KIND_WORDS:
        return 0.99  # "bed light" for Bed, or the other way round
    if spoken <= own or own <= spoken:
        return 0.9
    matcher = difflib.SequenceMatcher(None, key, heard(name))
    return matcher.ratio() if matcher.real_quick_ratio() >= _NEAR else 0.0


#: Words that mean a group, which lives in Alexa and not in Discovery.
_GROUPS: Final = frozenset(
    heard(text)
    for text in ("lights", "all lights", "everything", "all", "all the lights")
)


_GROUP: Final = (
    "{name} means a group. Groups are made in the Alexa app, which this page cannot "
    "see."
)
