"""Events of our own: objects with the single key `ha_bridge`.

Alexa sends none of them; only principals of the AWS account itself can.

    {"ha_bridge": {"warm": {}}}     keep this environment and its connection ready
    {"ha_bridge": {"probe": {}}}    say what the way to Home Assistant looks like
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from ha_bridge.errors import BridgeError
from ha_bridge.settings import Settings

Answer = dict[str, Any]


class Warmable(Protocol):
    """The way to Home Assistant; see `HomeAssistant.warm`."""

    def warm(self, deadline: float) -> bool:
        """Have a connection ready; return whether there was one."""


def warm(_settings: Settings, transport: Warmable, deadline: float) -> Answer:
    """Have a connection to Home Assistant ready; nothing is sent over it."""
    return {"connection": "kept" if transport.warm(deadline) else "new"}


def probe(settings: Settings, _transport: Warmable, deadline: float) -> Answer:
    """Say what the way to Home Assistant looks like; see `probe.examine`."""
    from ha_bridge.probe import examine  # noqa: PLC0415 - few ask, and it is not small

    return examine(settings.address, deadline)


#: Name of the request: what answers it.
REQUESTS: Final[Mapping[str, Callable[[Settings, Warmable, float], Answer]]] = {
    "warm": warm,
    "probe": probe,
}


def answer(
    request: object,
    settings: Settings | BridgeError,
    transport: Warmable | None,
    deadline: float,
) -> Answer:
    """Return the answer to a request, or what is wrong with it; never raises.

    Args:
        request: What stands under `ha_bridge`: an object with one name of `REQUESTS`.
        settings: The settings, or what is wrong with them.
        transport: The way to Home Assistant; None only where the settings are wrong.
        deadline: When to give up, in seconds of time.monotonic.
    """
    names = list(request) if isinstance(request, dict) else []
    if len(names) != 1 or names[0] not in REQUESTS:
        return _failed(f"an ha_bridge event has one of: {', '.join(REQUESTS)}")
    if isinstance(settings, BridgeError) or transport is None:
        return _failed(str(settings))
    try:
        result = REQUESTS[names[0]](settings, transport, deadline)
    except BridgeError as error:
        return _failed(error.message)
    except Exception as error:  # noqa: BLE001 - its text could hold anything
        return _failed(type(error).__name__)
    return {"ha_bridge": {names[0]: result}}


def _failed(why: str) -> Answer:
    return {"ha_bridge": {"error": why}}
