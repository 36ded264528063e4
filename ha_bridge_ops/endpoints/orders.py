"""Directives to an endpoint, and which of them let somebody in."""

import math
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ha_bridge_ops.endpoints.capabilities import (
    Endpoint,
    actions,
    capabilities,
    capability,
    categories_of,
    id_of,
    name_of,
    number,
)
from ha_bridge_ops.endpoints.names import words

#: What guards a way into the house.
_OPENINGS: Final = frozenset(
    {"DOOR", "GARAGE_DOOR", "SECURITY_PANEL", "SECURITY_SYSTEM", "SMARTLOCK"}
)

#: Directives that open, and such as never do.
_OPEN: Final = frozenset({"Disarm", "Unlock"})
_HARMLESS: Final = frozenset(
    {"Arm", "Hold", "Lock", "Pause", "ReportState", "SetMute", "SetVolume", "Stop"}
)

#: What may be anything: of these the name tells whether something opens.
_ANYTHING: Final = frozenset(
    {"ACTIVITY_TRIGGER", "OTHER", "SCENE_TRIGGER", "SMARTPLUG", "SWITCH"}
)

#: Parts of such names, as heard, in the languages of Alexa.
_WORDS: Final = """
    open unlock disarm door gate garage offnen offner aufschliessen entsperren tor tur
    entscharfen ouvrir ouverture portail porte garagentor deverrouiller desarmer abrir
    puerta desbloquear desarmar aprire apri cancello porta sbloccare portao destrancar
    """
_OPENING_WORDS: Final = tuple(_WORDS.split())
#: Words shorter than this stand in other words: tor in motor.
_SHORT: Final = 5


@dataclass(frozen=True)
class Order:
    """A directive to an endpoint, as yet without header and token."""

    namespace: str
    name: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    instance: str | None = None

    def event(self, endpoint: Endpoint) -> dict[str, Any]:
        """Return the event as Alexa sends it, but with an empty scope."""
        header: dict[str, Any] = {
            "namespace": self.namespace,
            "name": self.name,
            "payloadVersion": "3",
            "messageId": str(uuid.uuid4()),
            "correlationToken": f"ha-bridge-{uuid.uuid4()}",
        }
        if self.instance is not None:
            header["instance"] = self.instance
        return {
            "directive": {
                "header": header,
                "endpoint": {
                    "scope": {"type": "BearerToken"},
                    "endpointId": id_of(endpoint),
                    "cookie": {},
                },
                "payload": dict(self.payload),
            }
        }

    def is_reached(self, properties: Sequence[Mapping[str, Any]]) -> bool | None:
        """Return whether a state is the one asked for; None where that is not known.

        Args:
            properties: Of a StateReport.
        """
        wanted = _REACHED.get((self.namespace, self.name))
        name, value = wanted or next(iter(self.payload.items()), ("", None))
        if wanted is None and not self.name.startswith("Set"):
            return None
        for one in properties:
            same = one.get("instance") == self.instance
            if same and one.get("name") == _PROPERTIES.get(name, name):
                return _is_near(_bare(one.get("value")), _bare(value))
        return None

    def opens(self, endpoint: Endpoint) -> bool:
        """Whether it may unlock, open or disarm something.

        In doubt it does: what guards a door is asked about once too often rather than
        once too rarely.
        """
        if self.name in _HARMLESS:
            return False
        if self.name in _OPEN:
            return True
        own = capability(endpoint, self.namespace, self.instance)
        words_of_own = actions(own) if own else {}
        moves = any("open" in actions(one) for one in capabilities(endpoint))
        if moves and words_of_own.keys() & {"open", "raise"}:
            return not self._closes(words_of_own)
        if moves and self.namespace == "Alexa.PowerController":
            return self.name == "TurnOn"  # Home Assistant opens a cover by this
        categories = set(categories_of(endpoint))
        if categories & _OPENINGS:
            return True
        return categories <= _ANYTHING and _sounds_like_a_door(name_of(endpoint))

    def _closes(self, of: Mapping[str, tuple[str, Mapping[str, Any]]]) -> bool:
        if self.name == "AdjustRangeValue":
            return _number(self.payload.get("rangeValueDelta")) < 0
        told = (self.name, dict(self.payload))
        return told in (of.get("close"), of.get("lower"))


def _sounds_like_a_door(name: str) -> bool:
    return any(
        part == word or (len(part) >= _SHORT and part in word)
        for part in _OPENING_WORDS
        for word in words(name)
    )


#: Property and value that a directive without a value leads to.
_REACHED: Final[Mapping[tuple[str, str], tuple[str, Any]]] = {
    ("Alexa.PowerController", "TurnOn"): ("powerState", "ON"),
    ("Alexa.PowerController", "TurnOff"): ("powerState", "OFF"),
    ("Alexa.ToggleController", "TurnOn"): ("toggleState", "ON"),
    ("Alexa.ToggleController", "TurnOff"): ("toggleState", "OFF"),
    ("Alexa.LockController", "Lock"): ("lockState", "LOCKED"),
    ("Alexa.LockController", "Unlock"): ("lockState", "UNLOCKED"),
    ("Alexa.SecurityPanelController", "Disarm"): ("armState", "DISARMED"),
}
#: Where the property is called otherwise than the key of the payload.
_PROPERTIES: Final = {"mute": "muted"}


def _is_near(found: object, wanted: object) -> bool:
    """Compare values; devices round numbers, and a colour's brightness is another."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        return all(
            _is_near(found.get(key), wanted.get(key)) for key in ("hue", "saturation")
        )
    seen, meant = number(found), number(wanted)
    if seen is not None and meant is not None:
        return math.isclose(seen, meant, rel_tol=0.01, abs_tol=0.02)
    return found == wanted


def _bare(value: object) -> object:
    """Return the value in {"value": 21.0, "scale": …}, and any other as it is."""
    if isinstance(value, Mapping) and "value" in value:
        return value["value"]
    return value


REPORT_STATE: Final = Order("Alexa", "ReportState")


def activation() -> dict[str, Any]:
    """Return the payload of Activate and Deactivate.

    https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-scenecontroller.html
    """
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"cause": {"type": "VOICE_INTERACTION"}, "timestamp": now}


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0.0
