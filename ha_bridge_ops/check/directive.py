"""Links `directive.*`: a few devices are asked how they are; nothing is switched."""

import re
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final, NamedTuple

from ha_bridge.bridge import BUDGET_S
from ha_bridge.messages import error_type
from ha_bridge.redaction import Secret
from ha_bridge_ops.check.context import Context, Fact
from ha_bridge_ops.check.discovery import endpoints_of
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried
from ha_bridge_ops.check.token import accepted_token
from ha_bridge_ops.endpoints.capabilities import Endpoint
from ha_bridge_ops.events import EVENTS, load, with_token
from ha_bridge_ops.grammar import ERROR_TYPE
from ha_bridge_ops.home_client import Answer
from ha_bridge_ops.outside import one_of, quoted

#: How many devices are asked: of as many kinds as there are.
SAMPLE: Final = 4

#: Milliseconds after which the function gives up, and from which people notice.
LIMIT_MS: Final = BUDGET_S * 1000
SLOW_MS: Final = 3000.0

#: What to look at, by the part that takes longest.
ADVICE: Final = {
    "resolving the name": "use a name server that answers faster",
    "connecting": "the line, the router or the tunnel is slow",
    "TLS": "the proxy is slow, or far away",
    "the first byte": "Home Assistant is busy; look at the load of its machine",
}


_EVENT: Final = re.compile(r"[A-Za-z.]{1,40}")


def report_state(context: Context) -> Outcome:
    """Devices report their state."""
    if not endpoints_of(context) or accepted_token(context) is None:
        return Untried("there is no list of devices")
    reports = _reports(context)
    if not reports:
        return Untried("no device has a state that can be asked")
    failed = [one for one in reports if one.complaint]
    if failed:
        saw = "; ".join(f"{quoted(one.entity, 60)}: {one.complaint}" for one in failed)
        return Problem("failed", saw, {"entity": failed[0].entity})
    return Fine(f"{len(reports)} of {len(reports)} asked")


class _Report(NamedTuple):
    """How a device was, or why it did not say."""

    entity: str
    complaint: str | None = None
    first_byte_ms: float | None = None


@Fact
def _reports(context: Context) -> list[_Report]:
    """The reports of a few devices, each asked once."""
    token = accepted_token(context)
    if token is None:
        return []
    return [_report(context, one, token) for one in _sample(endpoints_of(context))]


def _sample(endpoints: list[Endpoint]) -> list[Endpoint]:
    kinds: dict[str, Endpoint] = {}
    for endpoint in endpoints:
        if _is_retrievable(endpoint) and isinstance(endpoint.get("endpointId"), str):
            kinds.setdefault(str(endpoint.get("displayCategories")), endpoint)
    return list(kinds.values())[:SAMPLE]


def _is_retrievable(endpoint: Endpoint) -> bool:
    able = endpoint.get("capabilities")
    return isinstance(able, list) and any(
        isinstance(one, dict) and _properties(one).get("retrievable") for one in able
    )


def _properties(capability: dict[str, Any]) -> dict[str, Any]:
    found = capability.get("properties")
    return found if isinstance(found, dict) else {}


def _report(context: Context, endpoint: Endpoint, token: Secret) -> _Report:
    event = with_token(load(EVENTS / "report_state.json"), token.reveal())
    event["directive"]["endpoint"]["endpointId"] = endpoint["endpointId"]
    entity = str(endpoint["endpointId"]).replace("#", ".")
    try:
        answer = context.directive(event, token)
    except TimeoutError:
        return _Report(entity, "no answer within 8 s")
    except (OSError, HTTPException) as error:
        return _Report(entity, type(error).__name__)
    return _Report(entity, _why_no_report(answer), answer.first_byte_ms)


def _why_no_report(answer: Answer) -> str | None:
    if answer.status != HTTPStatus.OK:
        return f"HTTP {answer.status}"
    try:
        if kind := error_type(answer.json):
            return one_of(kind, ERROR_TYPE)
        name = answer.json["event"]["header"]["name"]
    except (KeyError, TypeError):
        return "not an event"
    return None if name == "StateReport" else f"a {one_of(name, _EVENT)}"


def time(context: Context) -> Outcome:
    """The answer comes long before Alexa hangs up."""
    measured = (one.first_byte_ms for one in _reports(context))
    times = [ms for ms in measured if ms is not None]
    if not times or context.evidence is None:
        return Untried("no device was asked")
    parts = {
        "resolving the name": context.evidence.milliseconds("resolve"),
        "connecting": context.evidence.milliseconds("connect"),
        "TLS": context.evidence.milliseconds("tls"),
        "the first byte": max(times),
    }
    known = {name: ms for name, ms in parts.items() if ms is not None}
    total = sum(known.values())
    shown = ", ".join(f"{name} {ms:.0f}" for name, ms in known.items())
    saw = f"{total:.0f} ms: {shown}"
    if total <= SLOW_MS:
        return Fine(saw)
    longest = max(known, key=lambda name: known[name])
    values = {"longest": f"{longest} ({ADVICE[longest]})"}
    return Problem("too_slow" if total > LIMIT_MS else "slow", saw, values)
