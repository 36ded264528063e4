"""Event files: one directive each, as Alexa sends it."""

import copy
import json
from pathlib import Path
from typing import Any

from ha_bridge.messages import SCOPE_LOCATIONS
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.tools import ROOT

#: Where a wheel has them; site-packages/events could be anybody's.
_IN_WHEEL = Path(__file__).parent / "event_files"

#: The events that come with the project.
EVENTS = _IN_WHEEL if _IN_WHEEL.is_dir() else ROOT / "events"


def load(path: Path) -> Any:
    """Return the event in a file.

    Raises:
        CommandError: There is no such file, or it is not JSON.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise CommandError(
            f"There is no file {path}; the project's events are in {EVENTS}."
        ) from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise CommandError(f"{path} is not JSON: {error}.") from None


def with_token(event: dict[str, Any], token: str) -> dict[str, Any]:
    """Return a copy of an event in which the scope carries this token."""
    event = copy.deepcopy(event)
    directive = event["directive"]
    for parent, key in SCOPE_LOCATIONS:
        if key in directive.get(parent, {}):
            directive[parent][key]["token"] = token
            break
    return event
