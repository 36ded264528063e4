"""What every answer to Alexa must be: the promise, in one place.

Written from Amazon's description of the messages:
https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-errorresponse.html
"""

import json
import re
import uuid
from typing import Any

#: Amazon's names, written out: taken from the code, they would be whatever it says.
#: AcceptGrant has its own, in a namespace of its own:
#: https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-authorization.html
ACCEPT_GRANT_FAILED = "ACCEPT_GRANT_FAILED"
ERROR_TYPES = {
    ACCEPT_GRANT_FAILED,
    "BRIDGE_UNREACHABLE",
    "EXPIRED_AUTHORIZATION_CREDENTIAL",
    "INTERNAL_ERROR",
    "INVALID_AUTHORIZATION_CREDENTIAL",
    "INVALID_DIRECTIVE",
    "RATE_LIMIT_EXCEEDED",
}

HEADER_KEYS = {
    "namespace",
    "name",
    "messageId",
    "payloadVersion",
    "correlationToken",
}


def assert_error(answer: Any, error_type: str | None = None, event: Any = None) -> None:
    """Assert that an answer is a well-formed ErrorResponse, and answers the event."""
    json.dumps(answer, allow_nan=False, ensure_ascii=False).encode()
    assert set(answer) == {"event"}
    assert set(answer["event"]) <= {"header", "endpoint", "payload"}
    header, payload = answer["event"]["header"], answer["event"]["payload"]
    assert {"namespace", "name", "messageId", "payloadVersion"} <= set(header)
    assert set(header) <= HEADER_KEYS
    assert header["name"] == "ErrorResponse"
    assert header["payloadVersion"] == "3"
    assert uuid.UUID(header["messageId"]).version == 4
    assert set(payload) == {"type", "message"}
    assert payload["type"] in ERROR_TYPES
    assert re.fullmatch(r"[^\n]{20,600}", payload["message"])
    is_grant = payload["type"] == ACCEPT_GRANT_FAILED
    assert header["namespace"] == ("Alexa.Authorization" if is_grant else "Alexa")
    if error_type is not None:
        assert payload["type"] == error_type, payload
    if event is not None:
        _assert_answers(answer["event"], event)


def _assert_answers(answer: Any, event: Any) -> None:
    directive = event["directive"]
    is_grant = directive["header"]["name"] == "AcceptGrant"
    assert (answer["payload"]["type"] == ACCEPT_GRANT_FAILED) is is_grant
    token = directive["header"].get("correlationToken")
    assert answer["header"].get("correlationToken") == token
    if "endpoint" in directive:
        endpoint_id = directive["endpoint"]["endpointId"]
        assert answer["endpoint"] == {"endpointId": endpoint_id}
    else:
        assert "endpoint" not in answer


def assert_event(answer: Any) -> None:
    """Assert that an answer is an object that Alexa can read, ours or HA's."""
    json.dumps(answer, allow_nan=False, ensure_ascii=False).encode()
    assert isinstance(answer, dict)
    assert isinstance(answer["event"], dict)
    payload = answer["event"].get("payload", {})
    # Home Assistant has types of its own, such as NO_SUCH_ENDPOINT.
    if isinstance(payload, dict) and payload.get("type") in ERROR_TYPES:
        assert_error(answer)
