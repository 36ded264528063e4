"""What the page is told of endpoints, their states and what was done: JSON's values."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ha_bridge.redaction import redacted
from ha_bridge_ops.check.model import Finding
from ha_bridge_ops.endpoints.abilities import abilities, category
from ha_bridge_ops.endpoints.capabilities import (
    Endpoint,
    categories_of,
    entity_of,
    id_of,
    name_of,
)
from ha_bridge_ops.endpoints.control import Control
from ha_bridge_ops.endpoints.controls import controls
from ha_bridge_ops.endpoints.limits import MAX_NAME
from ha_bridge_ops.endpoints.states import Reading, color_code, readings, summary
from ha_bridge_ops.home_client import TOO_DENSE, is_dense
from ha_bridge_ops.outside import displayed, quoted, visible
from ha_bridge_ops.page.home import Exchange, Home, MayOpenError, shown_event
from ha_bridge_ops.page.icons import icon_of

#: Characters of a line of the log; the function's have some hundreds.
_LINE: Final = 10_000


def brief(endpoint: Endpoint) -> dict[str, str]:
    """Return which endpoint it is."""
    return {
        "id": id_of(endpoint),
        "name": visible(name_of(endpoint), MAX_NAME) or "(no name)",
        "kind": visible(category(endpoint)),
        "icon": icon_of(endpoint),
    }


def card(endpoint: Endpoint, wrong: Iterable[Finding]) -> dict[str, Any]:
    """Return what the card of an endpoint shows, except its state."""
    return {
        **brief(endpoint),
        "entity": visible(entity_of(endpoint), 256),
        "category": visible((categories_of(endpoint) or ("",))[0]),
        "abilities": visible(abilities(endpoint)),
        "troubles": [trouble(one) for one in wrong],
    }


def trouble(finding: Finding) -> dict[str, Any]:
    """Return what is wrong with an endpoint."""
    return {
        "id": finding.id,
        "cause": finding.causes[0] if finding.causes else "",
        "status": finding.status,
        "saw": finding.saw,
        "means": finding.means,
        "fix": finding.fix,
        "paste": finding.paste,
    }


def finding(found: Finding) -> dict[str, Any]:
    """Return what check has found; what it is about, and each problem by itself."""
    return {**trouble(found), "told": [one.as_json() for one in found.told]}


def exchange(done: Exchange) -> dict[str, Any]:
    """Return what was sent, what came back, and what is different now."""
    return {
        "endpoint": brief(done.endpoint),
        "name": done.event["directive"]["header"]["name"],
        "error": visible(done.error),
        "says": visible(done.says),
        "milliseconds": round(done.milliseconds, 1),
        "settled": done.is_settled,
        "changes": _changes(done),
        "state": _readings(done.after),
        "directive": displayed(shown_event(done)),
        "answer": _answer(done),
        "log": visible(done.log, _LINE),
        "file": done.event_file,
    }


def _answer(done: Exchange) -> Any:
    return TOO_DENSE if is_dense(done.answer) else displayed(redacted(done.answer))


def _changes(done: Exchange) -> list[dict[str, str]]:
    before = {one.key: one.text for one in done.before}
    return [
        {"label": one.label, "before": before.get(one.key, ""), "after": one.text}
        for one in done.after
        if before.get(one.key) != one.text
    ]


def state(endpoint: Endpoint, home: Home) -> dict[str, Any]:
    """Ask how an endpoint is; return that, and what it can be told."""
    properties = home.state(endpoint)
    found = readings(endpoint, properties)
    known = {one.key: one for one in found}
    return {
        **_readings(found),
        "controls": [
            _control(one, endpoint, known) for one in controls(endpoint, properties)
        ],
    }


def _readings(found: Sequence[Reading]) -> dict[str, Any]:
    power = next((one.text for one in found if one.key == "powerState"), "")
    return {
        "summary": summary(found),
        "power": power,
        "readings": [{"label": one.label, "text": one.text} for one in found],
    }


def _control(
    control: Control, endpoint: Endpoint, known: Mapping[str, Reading]
) -> dict[str, Any]:
    instance = control.id.partition("/")[2]
    reading = known.get(f"{control.shows}/{instance}") or known.get(control.shows)
    value: Any = reading.value if reading else None
    if isinstance(value, Mapping):
        value = color_code(value) if control.is_color else value.get("value")
    if not isinstance(value, str | int | float):
        value = None  # of any other shape there is nothing to show
    described: dict[str, Any] = {
        "id": control.id,
        "label": visible(control.label),
        "kind": control.kind,
        "value": value,
        "choices": [
            {
                "value": one.value,
                "label": visible(one.label),
                "opens": one.order.opens(endpoint),
                "on": _is_on(one.value, one.label, reading),
            }
            for one in control.choices
        ],
    }
    if (scale := control.scale) is not None:
        described |= {
            "minimum": scale.minimum,
            "maximum": scale.maximum,
            "step": scale.step,
            "unit": scale.unit,
        }
    return described


#: What a state is called, of which a button only says how to get there.
_RESULTS: Final = {"lock": "locked", "unlock": "unlocked", "mute": "muted"}


def _is_on(value: str, label: str, reading: Reading | None) -> bool:
    if reading is None:
        return False
    meant = {value.lower(), label.lower(), _RESULTS.get(value, "")}
    raw = reading.value if isinstance(reading.value, str) else ""
    if isinstance(reading.value, Mapping):
        raw = str(reading.value.get("value", ""))
    return reading.text in meant or raw.lower() in meant


#: By the name of the directive.
_QUESTIONS: Final = {
    "Unlock": "Unlock {name}?",
    "Disarm": "Disarm {name}?",
}


def question(held: MayOpenError) -> str:
    """Return what is asked before something is done that lets somebody in."""
    asked = _QUESTIONS.get(held.order.name, "Open {name}?")
    return asked.format(name=quoted(name_of(held.endpoint), MAX_NAME))
