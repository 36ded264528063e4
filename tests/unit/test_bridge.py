"""One directive in, one answer out, whatever the event and the transport do."""

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ha_bridge.bridge import BUDGET_S, RESERVE_S, Bridge
from ha_bridge.errors import BridgeError, ErrorType, Failure
from ha_bridge.home_assistant import Unconfigured
from ha_bridge.redaction import Secret
from ha_bridge.secrets import SecretReader
from ha_bridge.settings import Settings
from tests.directives import EVENTS, SECRETS, TOKEN, changed, event
from tests.fakes.transport import StubContext, StubTransport
from tests.oracle import assert_error, assert_event

SETTINGS = Settings.from_environ({"BASE_URL": "https://home.example.org"})
TURN_ON = event("turn_on")


def bridge(
    transport: StubTransport, settings: Settings = SETTINGS, **more: Any
) -> Bridge:
    return Bridge(settings, transport, clock=lambda: 1000.0, **more)


@pytest.mark.parametrize("name", sorted(path.stem for path in EVENTS.glob("*.json")))
def test_every_event_is_forwarded_as_it_came(name: str) -> None:
    """Unknown fields included; the token goes beside it."""
    directive = changed(event(name), "directive.header.news", {"of": [2027]})
    transport = StubTransport()
    answer = bridge(transport).answer(directive)
    assert answer == json.loads(transport.outcome)  # type: ignore[arg-type]
    [posted] = transport.posted
    assert json.loads(posted.body) == directive
    assert posted.token == Secret(TOKEN)


@pytest.mark.parametrize(
    ("context", "seconds"),
    [
        (None, BUDGET_S),
        (object(), BUDGET_S),
        (StubContext(60_000), BUDGET_S),
        (StubContext(3_000), 3 - RESERVE_S),
        (StubContext(100), 0.1 - RESERVE_S),
    ],
)
def test_the_deadline_is_the_nearer_of_alexas_and_lambdas(
    context: object, seconds: float
) -> None:
    """Alexa's budget, or what the Lambda context has left less a reserve."""
    transport = StubTransport()
    bridge(transport).answer(TURN_ON, context)
    assert transport.posted[0].deadline == pytest.approx(1000 + seconds)


def test_the_first_directive_pays_for_the_import() -> None:
    """It waited for the init phase; the second did not."""
    transport = StubTransport()
    cold = bridge(transport, init_s=2.0)
    cold.answer(TURN_ON)
    cold.answer(TURN_ON)
    assert [posted.deadline for posted in transport.posted] == [1005.0, 1007.0]


def test_budget_ends_before_alexa_hangs_up() -> None:
    """Alexa waits eight seconds."""
    assert BUDGET_S < 8


@pytest.mark.parametrize(
    "failure", [row for row in Failure if row is not Failure.WRONG_SETTING]
)
def test_every_failure_becomes_its_answer(failure: Failure) -> None:
    """The row of the table is what Alexa gets, with cause, detail and fix."""
    transport = StubTransport(BridgeError(failure, "some detail", status=418))
    answer = bridge(transport).answer(TURN_ON)
    assert_error(answer, failure.error_type, TURN_ON)
    message = answer["event"]["payload"]["message"]
    assert failure.cause in message
    assert "some detail" in message
    assert failure.fix in message


def test_an_unknown_exception_is_answered_and_does_not_leak(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its text may hold a token; its type and place are enough to report it."""
    answer = bridge(StubTransport(RuntimeError(f"x {TOKEN}"))).answer(TURN_ON)
    assert_error(answer, ErrorType.INTERNAL_ERROR, TURN_ON)
    assert "RuntimeError in post" in answer["event"]["payload"]["message"]
    assert TOKEN not in caplog.text + json.dumps(answer)


def test_wrong_settings_are_answered_and_nothing_is_sent() -> None:
    """The message names the variable."""
    with pytest.raises(BridgeError) as caught:
        Settings.from_environ({"BASE_URL": "home"})
    ours = Bridge(None, Unconfigured(caught.value))
    for directive in (TURN_ON, event("discovery", token=None)):
        answer = ours.answer(directive)
        assert_error(answer, ErrorType.INTERNAL_ERROR, directive)
        assert "BASE_URL" in answer["event"]["payload"]["message"]


def test_no_token_and_no_fallback_is_an_invalid_credential() -> None:
    """As the console's Discovery test of the Home Assistant guide expects."""
    transport = StubTransport()
    directive = event("discovery", token=None)
    answer = bridge(transport).answer(directive)
    assert_error(answer, ErrorType.INVALID_AUTHORIZATION_CREDENTIAL, directive)
    assert transport.posted == []


def with_fallback(token: str) -> Settings:
    environ = {"BASE_URL": "https://home.example.org", "LONG_LIVED_ACCESS_TOKEN": token}
    return Settings.from_environ(environ)


def test_long_lived_token_serves_directives_without_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With a warning each time, for it belongs to tests."""
    transport = StubTransport()
    ours = bridge(transport, with_fallback("fallback"))
    ours.answer(event("discovery", token=None))
    ours.answer(event("discovery", token=None))
    assert [one.token for one in transport.posted] == [Secret("fallback")] * 2
    warnings = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 2
    assert "LONG_LIVED_ACCESS_TOKEN" in warnings[0].getMessage()
    assert "fallback" not in caplog.text


def test_a_token_of_the_directive_goes_before_the_fallback() -> None:
    """A linked user is never served with somebody else's token."""
    transport = StubTransport()
    bridge(transport, with_fallback("fallback")).answer(TURN_ON)
    assert transport.posted[0].token == Secret(TOKEN)


def test_a_secret_that_cannot_be_read_is_named_and_tried_again() -> None:
    """The answer has the parameter's name, never a value."""

    def no_client(_service: str) -> Any:
        raise PermissionError

    transport = StubTransport()
    secrets = SecretReader(no_client)
    ours = bridge(transport, with_fallback("ssm:/home/token"), secrets=secrets)
    directive = event("discovery", token=None)
    answer = ours.answer(directive)
    assert_error(answer, ErrorType.INTERNAL_ERROR, directive)
    assert "ssm:/home/token" in answer["event"]["payload"]["message"]
    assert transport.posted == []


def test_a_refused_secret_is_read_anew() -> None:
    """It was replaced; the next directive finds the new one."""
    values = ["old", "new"]

    class Store:
        def get_parameter(self, **_arguments: object) -> Any:
            return {"Parameter": {"Value": values.pop(0)}}

    transport = StubTransport(BridgeError(Failure.REFUSED_TOKEN, status=401))
    secrets = SecretReader(lambda _service: Store())
    ours = Bridge(with_fallback("ssm:/home/token"), transport, secrets=secrets)
    ours.answer(event("discovery", token=None))
    ours.answer(event("discovery", token=None))
    assert [one.token for one in transport.posted] == [Secret("old"), Secret("new")]


def test_one_line_a_directive(caplog: pytest.LogCaptureFixture) -> None:
    """Namespace, name, endpoint, status, connection and time, ready for a filter."""
    caplog.set_level(logging.INFO)
    bridge(StubTransport()).answer(TURN_ON)
    [record] = caplog.records
    assert record.__dict__["directive"] == {
        "namespace": "Alexa.PowerController",
        "name": "TurnOn",
        "endpointId": "light#bed_light",
        "status": 200,
        "connection": "new",
        "duration_ms": 0,
    }
    assert record.getMessage() == (
        "Alexa.PowerController TurnOn light#bed_light: answered in 0 ms"
    )


@pytest.mark.parametrize(
    ("name", "payload", "expected"),
    [
        ("Discover.Response", {"endpoints": [{}, {}]}, 2),
        ("Discover.Response", {"endpoints": []}, 0),
        ("Discover.Response", {"endpoints": "none"}, None),
        ("Discover.Response", {}, None),
        ("Response", {"endpoints": [{}]}, None),
    ],
)
def test_the_line_of_a_discovery_has_its_count(
    caplog: pytest.LogCaptureFixture, name: str, payload: object, expected: int | None
) -> None:
    """So `ha-bridge setup` can say how many devices Alexa has found."""
    caplog.set_level(logging.INFO)
    answer = {"event": {"header": {"name": name}, "payload": payload}}
    bridge(StubTransport(json.dumps(answer).encode())).answer(event("discovery"))
    [record] = caplog.records
    assert record.__dict__["directive"].get("endpoints") == expected


def test_a_failed_directive_has_its_line_too(caplog: pytest.LogCaptureFixture) -> None:
    """At ERROR, with type, status, cause and fix."""
    bridge(StubTransport(BridgeError(Failure.GATEWAY, status=502))).answer(TURN_ON)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.__dict__["directive"]["errorType"] == "BRIDGE_UNREACHABLE"
    assert record.__dict__["directive"]["status"] == 502
    assert Failure.GATEWAY.fix in record.getMessage()


def test_home_assistants_own_error_passes_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """HTTP 200 does not mean success."""
    caplog.set_level(logging.INFO)
    own = {
        "event": {
            "header": {"name": "ErrorResponse"},
            "payload": {"type": "NO_SUCH_ENDPOINT"},
        }
    }
    assert bridge(StubTransport(json.dumps(own).encode())).answer(TURN_ON) == own
    assert caplog.records[0].__dict__["directive"]["errorType"] == "NO_SUCH_ENDPOINT"


@pytest.mark.parametrize("name", ["turn_on", "discovery", "accept_grant"])
def test_debug_shows_both_messages_without_secrets(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Home Assistant echoes the token in its answer; the log has neither."""
    environ = {"BASE_URL": "https://home.example.org", "DEBUG": "true"}
    caplog.set_level(logging.DEBUG)
    directive = event(name)
    echo = json.dumps({"event": directive["directive"]}).encode()
    bridge(StubTransport(echo), Settings.from_environ(environ)).answer(directive)
    assert "Event: {" in caplog.text
    assert "Answer: {" in caplog.text
    assert not [secret for secret in SECRETS if secret in caplog.text]


@pytest.mark.parametrize("levels", [600, 2_000, 100_000])
def test_debug_survives_any_depth(levels: int) -> None:
    """What is too deep to show must not be too deep to answer."""
    environ = {"BASE_URL": "https://home.example.org", "DEBUG": "true"}
    body = b'{"event": {"x": ' + b"[" * levels + b"]" * levels + b"}}"
    ours = bridge(StubTransport(body), Settings.from_environ(environ))
    assert "event" in ours.answer(TURN_ON)


def test_what_nobody_could_look_into_is_told_without_detail() -> None:
    """An event can be too deep to find its secrets, and not too deep to be sent."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    directive = changed(TURN_ON, "directive.payload", {"deep": deep})
    error = BridgeError(Failure.GATEWAY, "by 'x'", status=502)
    assert bridge(StubTransport(error))._hiding(error, directive).message == (
        BridgeError(Failure.GATEWAY).message
    )
    answer = bridge(StubTransport()).answer(directive)
    assert_error(answer)
    assert answer["event"]["payload"]["type"] == "INVALID_DIRECTIVE"


@pytest.mark.parametrize("remaining", [None, "soon"])
def test_a_strange_context_is_survived(remaining: object) -> None:
    """It is not ours; an answer comes all the same."""
    assert_error(bridge(StubTransport()).answer(TURN_ON, StubContext(remaining)))


@pytest.mark.parametrize(("reused", "word"), [(True, "reused"), (False, "new")])
def test_a_failed_line_tells_which_connection(
    reused: object, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Stale or fresh is the first question then."""
    error = BridgeError(Failure.CONNECTION_LOST, reused=bool(reused))
    bridge(StubTransport(error)).answer(TURN_ON)
    assert caplog.records[0].__dict__["directive"]["connection"] == word


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
#: Values where a directive has something, so that more than the first check is met.
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "directive": JSON
        | st.fixed_dictionaries(
            {},
            optional={
                "header": JSON
                | st.fixed_dictionaries(
                    {},
                    optional={
                        "namespace": JSON | st.just("Alexa"),
                        "name": JSON | st.sampled_from(["AcceptGrant", "TurnOn"]),
                        "payloadVersion": JSON | st.just("3"),
                        "correlationToken": JSON,
                        "messageId": JSON,
                    },
                ),
                "endpoint": JSON
                | st.fixed_dictionaries(
                    {},
                    optional={
                        "endpointId": JSON,
                        "scope": JSON
                        | st.fixed_dictionaries(
                            {"type": st.just("BearerToken")}, optional={"token": JSON}
                        ),
                    },
                ),
                "payload": JSON,
            },
        )
    },
)


@given(JSON | NEARLY)
def test_any_event_yields_one_well_formed_answer(directive: Any) -> None:
    """Alexa always gets an answer, and the log one line."""
    assert_event(bridge(StubTransport()).answer(directive, StubContext(5000)))


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_answer_yields_one_well_formed_answer(body: bytes) -> None:
    """Whatever Home Assistant sends."""
    assert_event(bridge(StubTransport(body)).answer(TURN_ON))


def test_the_bridge_answers_a_probe() -> None:
    """With what `examine` saw; no token is used."""
    settings = Settings.from_environ({"BASE_URL": "http://127.0.0.1:1"})
    transport = StubTransport(address=settings.address)
    answer = Bridge(settings, transport).answer({"ha_bridge": {"probe": {}}})
    report = answer["ha_bridge"]["probe"]
    assert report["resolve"]["addresses"] == ["127.0.0.1"]
    assert report["connect"]["failed"][0]["error"] == "refused"
    assert transport.posted == []
