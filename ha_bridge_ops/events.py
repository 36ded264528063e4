"""Event files: one directive each, as Alexa sends it."""

import copy
import json
from pathlib import Path
from typing import Any

from ha_bridge.messages import SCOPE_LOCATIONS
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.files import read_text
from ha_bridge_ops.local.build import SOURCES
from ha_bridge_ops.typed import no_file

#: The events that come with the project.
EVENTS = SOURCES / "events"


def load(path: Path) -> Any:
    """Return the event in a file, or the project's own of that name.

    Args:
        path: Such as `mine.json`, or `turn_on`.

    Raises:
        CommandError: There is no such file, or it is not JSON.
    """
    try:
        return json.loads(read_text(_found(path)))
    except FileNotFoundError:
        raise CommandError(
            f"{no_file(path)}, and no event of that name. The project's are "
            f"{', '.join(names())}."
        ) from None
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is not JSON: {error}.") from None


def names() -> list[str]:
    """Return the names of the project's events."""
    return sorted(path.stem for path in EVENTS.glob("*.json"))


def _found(path: Path) -> Path:
    named = EVENTS / f"{path}.json"
    return named if str(path) in names() and not path.exists() else path


def with_token(event: dict[str, Any], token: str) -> dict[str, Any]:
    """Return a copy of an event in which the scope carries this token."""
    event = copy.deepcopy(event)
    directive = event["directive"]
    for parent, key in SCOPE_LOCATIONS:
        if key in directive.get(parent, {}):
            directive[parent][key]["token"] = token
            break
    return event
