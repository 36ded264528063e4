"""Events of our own: objects with the single key `ha_bridge`.

Alexa sends none of them; only principals of the AWS account itself can.

    {"ha_bridge": {"warm": {}}}     keep this environment and a connection ready
    {"ha_bridge": {"probe": {}}}    say what the way to Home Assistant looks like
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from ha_bridge.errors import BridgeError
from ha_bridge.settings import Address

Answer = dict[str, Any]


class Way(Protocol):
    """The way to Home Assistant; see `bridge.Transport`."""

    @property
    def address(self) -> Address:
        """Where it leads."""

    def warm(self, deadline: float) -> bool:
        """Open a connection for the next directive; return whether there was one."""


def warm(way: Way, deadline: float) -> Answer:
    """Open a connection that is fit until the next such event; nothing is sent."""
    return {"connection": "kept" if way.warm(deadline) else "new"}


def probe(way: Way, deadline: float) -> Answer:
    """Say what the way to Home Assistant looks like; see `probe.examine`."""
    from ha_bridge.probe import examine  # noqa: PLC0415 - few ask, and it is not small

    return examine(way.address, deadline, gate=getattr(way, "gate", None))


#: Name of the request: what answers it.
REQUESTS: Final[Mapping[str, Callable[[Way, float], Answer]]] = {
    "warm": warm,
    "probe": probe,
}


def answer(request: object, way: Way, deadline: float) -> Answer:
    """Return the answer to a request, or what is wrong with it; never raises.

    Args:
        request: What stands under `ha_bridge`: an object with one name of `REQUESTS`.
        way: The way to Home Assistant.
        deadline: When to give up, in seconds of time.monotonic.
    """
    names = list(request) if isinstance(request, dict) else []
    if len(names) != 1 or names[0] not in REQUESTS:
        return _failed(f"an ha_bridge event has one of: {', '.join(REQUESTS)}")
    try:
        result = REQUESTS[names[0]](way, deadline)
    except BridgeError as error:
        return _failed(error.message)
    except Exception as error:  # noqa: BLE001 - its text could hold anything
        return _failed(type(error).__name__)
    return {"ha_bridge": {names[0]: result}}


def _failed(why: str) -> Answer:
    return {"ha_bridge": {"error": why}}
