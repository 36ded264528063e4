"""Links `discovery.*`: what Home Assistant offers Alexa."""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Final

from ha_bridge.messages import MAX_OBJECTS, error_type
from ha_bridge_ops.check.context import Context, Fact
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried
from ha_bridge_ops.check.token import discovery_of, why_no_token
from ha_bridge_ops.endpoints import troubles
from ha_bridge_ops.endpoints.capabilities import Endpoint
from ha_bridge_ops.endpoints.limits import LOOKED_AT, MAX_ENDPOINTS
from ha_bridge_ops.endpoints.troubles import Trouble
from ha_bridge_ops.grammar import ERROR_TYPE
from ha_bridge_ops.home_client import Answer
from ha_bridge_ops.outside import one_of

#: Bytes that Lambda passes on, and from where on it gets close.
#: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_SIZE: Final = 6 * 1024 * 1024
LARGE: Final = 5 * 1024 * 1024

#: How many of many are named.
_SHOWN: Final = 5


def count(context: Context) -> Outcome:
    """There are devices, and no more than Alexa takes."""
    answer = discovery_of(context)
    if isinstance(answer, Exception):
        is_late = isinstance(answer, TimeoutError)
        name = "no answer within 8 s" if is_late else type(answer).__name__
        return Problem("timeout" if is_late else "not_an_answer", name)
    if answer is None or why_no_token(context):
        return Untried(why_no_token(context) or "nothing was asked")
    endpoints = _endpoints(context)
    if endpoints is None:
        return _no_list(answer)
    if not endpoints:
        return Problem("none", "no endpoints")
    if len(endpoints) > MAX_ENDPOINTS:
        saw = f"{len(endpoints)} endpoints; Alexa accepts {MAX_ENDPOINTS}"
        return Problem("too_many", saw)
    return Fine(f"{len(endpoints)} endpoints")


def _no_list(answer: Answer) -> Outcome:
    if answer.status != HTTPStatus.OK:
        is_error = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        saw = f"HTTP {answer.status}"
        return Problem("error" if is_error else "not_an_answer", saw)
    if len(answer.body) > MAX_SIZE:
        return Untried("the list is too large to read; see discovery.size")
    if answer.is_dense:
        return Problem("not_an_answer", f"over {MAX_OBJECTS} objects in one answer")
    found = answer.json
    body = found if isinstance(found, dict) else {}
    kind = error_type(body) if isinstance(body.get("event"), dict) else None
    if kind is None:
        return Problem("not_an_answer", "not an event")
    return Problem("error", one_of(kind, ERROR_TYPE))


@Fact
def _endpoints(context: Context) -> list[Endpoint] | None:
    """What Discovery listed; None if it did not."""
    answer = discovery_of(context)
    if not isinstance(answer, Answer) or answer.status != HTTPStatus.OK:
        return None
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
    return (_endpoints(context) or [])[:LOOKED_AT]


def endpoints(context: Context) -> Outcome:
    """Each device is described as Alexa wants it."""
    return _troubles(context, troubles.descriptions, "all as Alexa requires")


def duplicate_names(context: Context) -> Outcome:
    """No two devices have the same name."""
    return _troubles(context, troubles.duplicate_names, "all different")


def names(context: Context) -> Outcome:
    """Names can be said, and mean one device."""
    return _troubles(context, troubles.names, "all easy to say")


def use(context: Context) -> Outcome:
    """Alexa can do something with each device."""
    return _troubles(context, troubles.use, "with each")


def _troubles(
    context: Context, look: Callable[[list[Endpoint]], list[Trouble]], otherwise: str
) -> Outcome:
    """Tell what is wrong with the endpoints, or that nothing is."""
    found = endpoints_of(context)
    if not found:
        return Untried("there is no list of devices")
    return list(_gathered(look(found))) or Fine(otherwise)


def _gathered(found: list[Trouble]) -> Iterator[Problem]:
    """Give one problem a cause, with its first cases; fifty fixes help nobody."""
    for cause in dict.fromkeys(trouble.cause for trouble in found):
        same = [trouble for trouble in found if trouble.cause == cause]
        saw = "; ".join(trouble.saw for trouble in same[:_SHOWN])
        if len(same) > _SHOWN:
            saw += f"; and {len(same) - _SHOWN} more, which ha-bridge page shows"
        yield Problem(cause, saw, same[0].values)


def size(context: Context) -> Outcome:
    """The list is small enough for Lambda."""
    answer = discovery_of(context)
    if not isinstance(answer, Answer) or answer.status != HTTPStatus.OK:
        return Untried("there is no list of devices")
    length = len(answer.body)
    if length > MAX_SIZE:
        return Problem("too_large", f"over {MAX_SIZE} bytes")
    saw = f"{length:,} bytes".replace(",", " ")
    return Problem("large", saw) if length > LARGE else Fine(saw)
