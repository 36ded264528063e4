"""Links `discovery.*`: what Home Assistant offers Alexa."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from ha_bridge.messages import error_type
from ha_bridge_ops.check.client import Answer
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried
from ha_bridge_ops.check.token import why_no_token

#: https://developer.amazon.com/docs/device-apis/alexa-discovery.html
MAX_ENDPOINTS: Final = 300
MAX_CAPABILITIES: Final = 100
#: https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-discovery-objects.html
MAX_NAME: Final = 128
ENDPOINT_ID: Final = re.compile(r"[A-Za-z0-9 _\-=#;:?@&]{1,256}")

#: Bytes that Lambda passes on, and from where on it gets close.
#: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_SIZE: Final = 6 * 1024 * 1024
LARGE: Final = 5 * 1024 * 1024

#: Categories that Alexa or Home Assistant know.
#: https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-discovery-objects.html#display-categories
_CATEGORIES: Final = """
    ACTIVITY_TRIGGER AIR_CONDITIONER AIR_FRESHENER AIR_PURIFIER AUTO_ACCESSORY CAMERA
    CHRISTMAS_TREE COFFEE_MAKER COMPUTER CONTACT_SENSOR DOOR DOORBELL EXTERIOR_BLIND
    FAN GAME_CONSOLE GARAGE_DOOR HEADPHONES HUB INTERIOR_BLIND LAPTOP LIGHT MICROWAVE
    MOBILE_PHONE MOTION_SENSOR MUSIC_SYSTEM NETWORK_HARDWARE OTHER OVEN PHONE PRINTER
    REMOTE ROUTER SCENE_TRIGGER SCREEN SECURITY_PANEL SECURITY_SYSTEM SLOW_COOKER
    SMARTLOCK SMARTPLUG SPEAKER STREAMING_DEVICE SWITCH TABLET TEMPERATURE_SENSOR
    THERMOSTAT TV VACUUM_CLEANER WATER_HEATER WEARABLE
    """
CATEGORIES: Final = frozenset(_CATEGORIES.split())

#: How many of many are named.
_SHOWN: Final = 5

Endpoint = Mapping[str, Any]


def count(context: Context) -> Outcome:
    """There are devices, and no more than Alexa takes."""
    answer = context.asked.get("discovery")
    if isinstance(answer, Exception):
        is_late = isinstance(answer, TimeoutError)
        name = "no answer within 8 s" if is_late else type(answer).__name__
        return Problem("timeout" if is_late else "not_an_answer", name)
    if answer is None or why_no_token(context):
        return Untried(why_no_token(context) or "nothing was asked")
    endpoints = _endpoints(answer) if answer.status == HTTPStatus.OK else None
    if endpoints is None:
        return _no_list(answer)
    context.asked["endpoints"] = endpoints
    if not endpoints:
        return Problem("none", "no endpoints")
    if len(endpoints) > MAX_ENDPOINTS:
        saw = f"{len(endpoints)} endpoints; Alexa takes {MAX_ENDPOINTS}"
        return Problem("too_many", saw)
    return Fine(f"{len(endpoints)} endpoints")


def _no_list(answer: Answer) -> Outcome:
    if answer.status != HTTPStatus.OK:
        is_error = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        saw = f"HTTP {answer.status}"
        return Problem("error" if is_error else "not_an_answer", saw)
    if len(answer.body) > MAX_SIZE:
        return Untried("the list is too large to read; see discovery.size")
    body = answer.json if isinstance(answer.json, dict) else {}
    kind = error_type(body) if isinstance(body.get("event"), dict) else None
    return Problem("error" if kind else "not_an_answer", kind or "not an event")


def _endpoints(answer: Answer) -> list[Endpoint] | None:
    try:
        endpoints = answer.json["event"]["payload"]["endpoints"]
    except (KeyError, TypeError):
        return None
    is_list = isinstance(endpoints, list)
    if not is_list or not all(isinstance(one, dict) for one in endpoints):
        return None
    return list(endpoints)


def endpoints_of(context: Context) -> list[Endpoint]:
    """Return what Discovery listed; nothing if there was none."""
    return list(context.asked.get("endpoints", []))


def endpoints(context: Context) -> Outcome:
    """Each device is described as Alexa wants it."""
    found = endpoints_of(context)
    if not found:
        return Untried("there is no list of devices")
    problems = [*_same_ids(found), *(p for one in found for p in _faults(one))]
    if not problems:
        return Fine("all as Alexa wants them")
    return list(_gathered(problems))


def _same_ids(endpoints: list[Endpoint]) -> Iterator[Problem]:
    counted = Counter(str(one.get("endpointId")) for one in endpoints)
    for name, times in counted.items():
        if times > 1:
            yield Problem("same_id", f"{name} is there {times} times")


def _faults(endpoint: Endpoint) -> Iterator[Problem]:
    name = str(endpoint.get("endpointId", ""))
    shown = name[:60] or "an endpoint without id"
    values = {"entity": name.replace("#", ".")}
    if not ENDPOINT_ID.fullmatch(name):
        yield Problem("bad_id", f"{shown}: its id", values)
    for key in ("friendlyName", "description", "manufacturerName"):
        text = endpoint.get(key)
        if not isinstance(text, str) or not text.strip():
            yield Problem("bad_name", f"{shown}: no {key}", values)
        elif len(text) > MAX_NAME:
            saw = f"{shown}: {key} of {len(text)} characters"
            yield Problem("bad_name", saw, values)
    able = endpoint.get("capabilities")
    number = len(able) if isinstance(able, list) else 0
    if not 1 <= number <= MAX_CAPABILITIES:
        yield Problem("capabilities", f"{shown}: {number} capabilities", values)
    categories = endpoint.get("displayCategories")
    if not isinstance(categories, list) or not categories:
        yield Problem("category", f"{shown}: no category", values)
    elif unknown := [str(one) for one in categories if str(one) not in CATEGORIES]:
        yield Problem("category", f"{shown}: {', '.join(unknown)[:60]}", values)


def _gathered(problems: list[Problem]) -> Iterator[Problem]:
    """Give one problem a cause, with its first cases; fifty fixes help nobody."""
    for cause in dict.fromkeys(problem.cause for problem in problems):
        same = [problem for problem in problems if problem.cause == cause]
        saw = "; ".join(problem.saw for problem in same[:_SHOWN])
        if len(same) > _SHOWN:
            saw += f"; and {len(same) - _SHOWN} more"
        yield Problem(cause, saw, same[0].values)


def duplicate_names(context: Context) -> Outcome:
    """No two devices have the same name."""
    found = endpoints_of(context)
    if not found:
        return Untried("there is no list of devices")
    spoken = Counter(
        " ".join(str(one.get("friendlyName") or "").casefold().split()) for one in found
    )
    twice = [name for name, times in spoken.items() if name and times > 1]
    if not twice:
        return Fine("all different")
    saw = ", ".join(f"“{name}”" for name in twice[:_SHOWN])
    more = f" and {len(twice) - _SHOWN} more" if len(twice) > _SHOWN else ""
    return Problem("duplicates", f"{saw}{more}")


def size(context: Context) -> Outcome:
    """The list is small enough for Lambda."""
    answer = context.asked.get("discovery")
    if not isinstance(answer, Answer) or answer.status != HTTPStatus.OK:
        return Untried("there is no list of devices")
    length = len(answer.body)
    if length > MAX_SIZE:
        return Problem("too_large", f"over {MAX_SIZE} bytes")
    saw = f"{length:,} bytes".replace(",", " ")
    return Problem("large", saw) if length > LARGE else Fine(saw)
