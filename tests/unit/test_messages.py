"""Reading directives and answers, and building ErrorResponses."""

import json

import pytest

from ha_bridge.errors import BridgeError, ErrorType, Failure
from ha_bridge.messages import (
    MAX_ANSWER,
    Directive,
    describe,
    error_message,
    error_response,
    error_type,
    read_answer,
)
from ha_bridge.redaction import Secret
from tests.directives import TOKEN, changed, event, without
from tests.oracle import assert_error

TURN_ON = event("turn_on")
DISCOVERY = event("discovery")
GRANT = event("accept_grant")


@pytest.mark.parametrize(
    ("directive", "namespace", "name"),
    [
        (TURN_ON, "Alexa.PowerController", "TurnOn"),
        (DISCOVERY, "Alexa.Discovery", "Discover"),
        (GRANT, "Alexa.Authorization", "AcceptGrant"),
    ],
    ids=["endpoint.scope", "payload.scope", "payload.grantee"],
)
def test_token_is_found_wherever_alexa_puts_it(
    directive: object, namespace: str, name: str
) -> None:
    """The three kinds of directive carry their scope in three places."""
    assert Directive.from_event(directive) == (namespace, name, Secret(TOKEN))


def test_endpoint_scope_goes_before_payload_scope() -> None:
    """A directive with two scopes is the endpoint's."""
    both = changed(
        TURN_ON, "directive.payload.scope", {"type": "BearerToken", "token": "other"}
    )
    assert Directive.from_event(both).token == Secret(TOKEN)


def test_partition_scope_carries_a_token() -> None:
    """BearerTokenWithPartition is used with Alexa Smart Properties."""
    event = changed(
        TURN_ON, "directive.endpoint.scope.type", "BearerTokenWithPartition"
    )
    assert Directive.from_event(event).token == Secret(TOKEN)


@pytest.mark.parametrize("token", [None, ""])
def test_a_scope_without_token_is_read_as_such(token: object) -> None:
    """The console's Discovery test has a scope without a token."""
    assert Directive.from_event(event("discovery", token=None)).token is None
    empty = changed(DISCOVERY, "directive.payload.scope.token", token)
    assert Directive.from_event(empty).token is None


UNREADABLE = {
    "null": (None, Failure.NOT_A_DIRECTIVE),
    "text": ("TurnOn", Failure.NOT_A_DIRECTIVE),
    "list": ([TURN_ON], Failure.NOT_A_DIRECTIVE),
    "empty": ({}, Failure.NOT_A_DIRECTIVE),
    "directive is a list": ({"directive": [1]}, Failure.NOT_A_DIRECTIVE),
    "no header": (without(TURN_ON, "directive.header"), Failure.NOT_A_DIRECTIVE),
    "no payload": (without(TURN_ON, "directive.payload"), Failure.NOT_A_DIRECTIVE),
    "no name": (without(TURN_ON, "directive.header.name"), Failure.NOT_A_DIRECTIVE),
    "namespace is a number": (
        changed(TURN_ON, "directive.header.namespace", 3),
        Failure.NOT_A_DIRECTIVE,
    ),
    "no version": (
        without(TURN_ON, "directive.header.payloadVersion"),
        Failure.WRONG_PAYLOAD_VERSION,
    ),
    "version 2": (
        changed(TURN_ON, "directive.header.payloadVersion", "2"),
        Failure.WRONG_PAYLOAD_VERSION,
    ),
    "version is a number": (
        changed(TURN_ON, "directive.header.payloadVersion", 3),
        Failure.WRONG_PAYLOAD_VERSION,
    ),
    "no scope": (without(TURN_ON, "directive.endpoint.scope"), Failure.NO_SCOPE),
    "no endpoint": (without(TURN_ON, "directive.endpoint"), Failure.NO_SCOPE),
    "scope is a text": (
        changed(TURN_ON, "directive.endpoint.scope", TOKEN),
        Failure.NO_SCOPE,
    ),
    "scope without type": (
        without(TURN_ON, "directive.endpoint.scope.type"),
        Failure.WRONG_SCOPE_TYPE,
    ),
    "video skill's scope": (
        changed(
            TURN_ON,
            "directive.endpoint.scope",
            {"type": "DirectedUserId", "directedUserId": "x"},
        ),
        Failure.WRONG_SCOPE_TYPE,
    ),
    "scope type is a list": (
        changed(TURN_ON, "directive.endpoint.scope.type", ["BearerToken"]),
        Failure.WRONG_SCOPE_TYPE,
    ),
    "token is a number": (
        changed(TURN_ON, "directive.endpoint.scope.token", 7),
        Failure.UNSENDABLE_TOKEN,
    ),
    "custom skill": (
        {"version": "1.0", "session": {}, "request": {"type": "LaunchRequest"}},
        Failure.NOT_A_DIRECTIVE,
    ),
    "function URL": (
        {"version": "2.0", "rawPath": "/", "body": json.dumps(TURN_ON)},
        Failure.NOT_A_DIRECTIVE,
    ),
    "payload version 2 discovery": (
        {
            "header": {
                "namespace": "Alexa.ConnectedHome.Discovery",
                "name": "DiscoverAppliancesRequest",
                "payloadVersion": "2",
            },
            "payload": {"accessToken": TOKEN},
        },
        Failure.NOT_A_DIRECTIVE,
    ),
}


@pytest.mark.parametrize(
    ("event", "failure"), UNREADABLE.values(), ids=list(UNREADABLE)
)
def test_what_is_no_directive_is_refused_with_its_reason(
    event: object, failure: Failure
) -> None:
    """Each malformed event has a row of the table, and a well-formed answer."""
    with pytest.raises(BridgeError) as caught:
        Directive.from_event(event)
    assert caught.value.failure is failure
    assert_error(error_response(event, caught.value), failure.error_type)


@pytest.mark.parametrize("name", ["turn_on", "discovery"])
def test_error_response_answers_its_directive(name: str) -> None:
    """It echoes correlationToken and endpointId, each only where there was one."""
    error = BridgeError(Failure.GATEWAY)
    answer = error_response(event(name), error)
    assert_error(answer, ErrorType.BRIDGE_UNREACHABLE, event(name))


def test_every_message_id_is_fresh() -> None:
    """Two answers never have the same messageId."""
    error = BridgeError(Failure.GATEWAY)
    first, second = (error_response(TURN_ON, error) for _ in range(2))
    assert first["event"]["header"] != second["event"]["header"]


@pytest.mark.parametrize("failure", Failure)
def test_accept_grant_fails_in_its_own_namespace(failure: Failure) -> None:
    """Whatever the cause, Alexa knows only ACCEPT_GRANT_FAILED there."""
    answer = error_response(GRANT, BridgeError(failure))
    assert_error(answer, ErrorType.ACCEPT_GRANT_FAILED, GRANT)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"7",
        b'"event"',
        b"{}",
        b'{"event": null}',
        b'{"event": []}',
        b'{"event": {"a": NaN}}',
        b'{"event": {"a": -Infinity}}',
        b'{"event": {"a": "\\ud800"}}',
        b'{"event": {"a": "\xed\xa0\x80"}}',
        '{"event": {}}'.encode("utf-16"),
        b'{"event": {"a": 1e999}}',
        b'{"event": {"a": -1e999}}',
        b'{"event": {"a": "\xff"}}',
        b'{"event": {}',
        b"<html>Just a moment</html>",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_an_answer_that_is_no_event_is_refused(body: bytes) -> None:
    """What could not be handed to Alexa as JSON never is."""
    with pytest.raises(BridgeError) as caught:
        read_answer(body)
    assert caught.value.failure is Failure.NOT_AN_EVENT


def test_an_answer_comes_back_as_it_was() -> None:
    """Unknown fields, unicode and numbers survive."""
    answer = {"event": {"x": [1, 2.5, None, True], "ü": "\U0001f4a1"}, "new": {"y": {}}}
    assert read_answer(json.dumps(answer).encode()) == answer
    assert read_answer(json.dumps(answer, ensure_ascii=False).encode()) == answer


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"header": {"name": "Response"}, "payload": {}}, None),
        ({"header": {"name": "ErrorResponse"}, "payload": {"type": "X"}}, "X"),
        ({"header": {"name": "ErrorResponse"}}, "unknown"),
        *(
            (
                {"header": {"name": "ErrorResponse"}, "payload": {"type": kind}},
                "unknown",
            )
            for kind in ("X\n", "X\nERROR: forged", "X\x1b[2J", "X" * 65, "x", ["X"])
        ),
        (
            {"header": {"name": "ErrorResponse"}, "payload": {"type": "X" * 64}},
            "X" * 64,
        ),
        ({}, None),
    ],
)
def test_error_type_tells_errors_from_answers(
    event: dict[str, object], expected: str | None
) -> None:
    """Home Assistant's own errors come with HTTP 200."""
    assert error_type({"event": event}) == expected


def test_describe_says_little_and_nothing_that_breaks_a_log() -> None:
    """Line breaks of a directive do not become lines of the log."""
    forged = changed(TURN_ON, "directive.header.name", "TurnOn\n2026 ERROR forged")
    assert "\n" not in describe(forged)["name"]
    long = changed(TURN_ON, "directive.endpoint.endpointId", "x" * 10_000)
    assert len(describe(long)["endpointId"]) == 256
    assert describe(None) == {}


def test_broken_unicode_is_not_echoed() -> None:
    """Half a surrogate pair could not be sent back in UTF-8."""
    broken = changed(TURN_ON, "directive.header.correlationToken", "\ud800")
    answer = error_response(broken, BridgeError(Failure.GATEWAY))
    assert_error(answer)
    assert "correlationToken" not in answer["event"]["header"]


@pytest.mark.parametrize("place", ["endpointId", "correlationToken"])
def test_what_is_repeated_fits(place: str) -> None:
    """An error goes out, even if an id of megabytes could not go with it."""
    directive = event("turn_on")
    part = "endpoint" if place == "endpointId" else "header"
    directive["directive"][part][place] = "\xe9" * 3_000_000
    answer = error_response(directive, BridgeError(Failure.NOT_FOUND))
    assert len(json.dumps(answer)) < MAX_ANSWER
    assert answer["event"]["payload"]["type"] == "INTERNAL_ERROR"


def test_of_a_message_a_sentence_or_two_are_told() -> None:
    """It goes into one line of the log."""
    said = {"event": {"payload": {"type": "INTERNAL_ERROR", "message": "x" * 1_000}}}
    assert error_message(said) == f"{'x' * 299}…"
    assert error_message({"event": {"payload": {"message": 1}}}) == ""
