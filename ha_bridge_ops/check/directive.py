"""Links `directive.*`: a few devices are asked how they are; nothing is switched."""

from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final

from ha_bridge.bridge import BUDGET_S
from ha_bridge.messages import error_type
from ha_bridge.redaction import Secret
from ha_bridge_ops.check.client import Answer
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.discovery import endpoints_of
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried
from ha_bridge_ops.endpoints.troubles import Endpoint
from ha_bridge_ops.events import EVENTS, load, with_token

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


def report_state(context: Context) -> Outcome:
    """Devices report their state."""
    found = endpoints_of(context)
    token = context.asked.get("token")
    if not found or not isinstance(token, Secret):
        return Untried("there is no list of devices")
    sample = _sample(found)
    if not sample:
        return Untried("no device has a state that can be asked")
    failed = []
    for endpoint in sample:
        entity = str(endpoint["endpointId"]).replace("#", ".")
        if complaint := _complaint(context, endpoint, token):
            failed.append(Problem("failed", f"{entity}: {complaint}"))
    if failed:
        first = failed[0].saw.partition(":")[0]
        saw = "; ".join(problem.saw for problem in failed)
        return Problem("failed", saw, {"entity": first})
    return Fine(f"{len(sample)} of {len(sample)} asked")


def _sample(endpoints: list[Endpoint]) -> list[Endpoint]:
    kinds: dict[str, Endpoint] = {}
    for endpoint in endpoints:
        if _is_retrievable(endpoint):
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


def _complaint(context: Context, endpoint: Endpoint, token: Secret) -> str | None:
    event = with_token(load(EVENTS / "report_state.json"), token.reveal())
    event["directive"]["endpoint"]["endpointId"] = endpoint["endpointId"]
    try:
        answer = context.directive(event, token)
    except TimeoutError:
        return "no answer within 8 s"
    except (OSError, HTTPException) as error:
        return type(error).__name__
    times = context.asked.setdefault("first_byte_ms", [])
    times.append(answer.first_byte_ms)
    return _why_no_report(answer)


def _why_no_report(answer: Answer) -> str | None:
    if answer.status != HTTPStatus.OK:
        return f"HTTP {answer.status}"
    try:
        if kind := error_type(answer.json):
            return kind
        name = answer.json["event"]["header"]["name"]
    except (KeyError, TypeError):
        return "not an event"
    return None if name == "StateReport" else f"a {str(name)[:40]}"


def time(context: Context) -> Outcome:
    """The answer comes long before Alexa hangs up."""
    times = context.asked.get("first_byte_ms")
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
