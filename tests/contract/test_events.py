"""The event files: usable as they are, and without a secret."""

import json

import pytest

from ha_bridge.messages import Directive
from tests.directives import EVENTS, scope_of

FILES = sorted(EVENTS.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_event_is_a_directive(path: object) -> None:
    """It can be read, and carries no token but a placeholder."""
    event = json.loads((EVENTS / str(path)).read_text())
    directive = Directive.from_event(event)
    assert directive.namespace.startswith("Alexa")
    token = scope_of(event["directive"]).get("token")
    assert token in (None, "access-token-from-skill")
    assert event["directive"]["header"]["messageId"]


def test_discovery_is_the_guides() -> None:
    """The very event that the Home Assistant guide has people paste."""
    assert json.loads((EVENTS / "discovery.json").read_text()) == {
        "directive": {
            "header": {
                "namespace": "Alexa.Discovery",
                "name": "Discover",
                "payloadVersion": "3",
                "messageId": "1bd5d003-31b9-476f-ad03-71d471922820",
            },
            "payload": {"scope": {"type": "BearerToken"}},
        }
    }


def test_message_ids_differ() -> None:
    """Each event is a message of its own."""
    ids = [
        json.loads(path.read_text())["directive"]["header"]["messageId"]
        for path in FILES
    ]
    assert len(set(ids)) == len(ids)
