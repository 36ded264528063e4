"""Tokens: what is never sent, and what a refusal of one means."""

import base64
import json
import time
from typing import Any

import pytest

from ha_bridge.bridge import Bridge
from ha_bridge.connection import Connector
from ha_bridge.errors import ErrorType
from ha_bridge.home_assistant import HomeAssistant, has_expired
from ha_bridge.redaction import Secret
from ha_bridge.secrets import SecretReader
from ha_bridge.settings import Settings
from tests.directives import event
from tests.fakes.behaviours import answer_directive, reply
from tests.fakes.server import Server
from tests.oracle import assert_error
from tests.wire.conftest import MakeBridge

REFUSAL = reply(401, b"401: Unauthorized", {"Content-Type": "text/plain"})


def jwt(claims: object) -> str:
    """Return a token in the form of Home Assistant's; nobody checks its signature."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims, "signature")
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts)
    return ".".join(part.rstrip(b"=").decode() for part in encoded)


@pytest.mark.parametrize(
    "token",
    [
        "line\nbreak",
        "header\r\nX-Injected: yes",
        "nul\x00",
        "tab\t",
        "del\x7f",
        "c1\x85",
        "snowman \u2603",
        "\U0001f511",
        "\ud800",
    ],
    ids=ascii,
)
def test_a_token_that_cannot_be_a_header_is_never_sent(
    token: str, make_bridge: MakeBridge, caplog: pytest.LogCaptureFixture
) -> None:
    """Refused here, by name, and not repeated anywhere."""
    directive = event("turn_on", token)
    with Server((answer_directive,)) as server:
        answer = make_bridge(server.url).answer(directive)
        assert server.requests == []
    assert_error(answer, ErrorType.INVALID_AUTHORIZATION_CREDENTIAL, directive)
    assert token not in caplog.text
    assert token not in answer["event"]["payload"]["message"]


@pytest.mark.parametrize("token", ["x", "å latin-1 ÿ", "a b", "x" * 4000])
def test_any_other_token_is_home_assistants_business(
    token: str, make_bridge: MakeBridge
) -> None:
    """The bridge knows no format of tokens."""
    with Server((answer_directive,)) as server:
        make_bridge(server.url).answer(event("turn_on", token))
        assert server.requests[0].headers["authorization"] == f"Bearer {token}"


@pytest.mark.parametrize(
    ("token", "error_type"),
    [
        (
            jwt({"iss": "x", "exp": time.time() - 60}),
            ErrorType.EXPIRED_AUTHORIZATION_CREDENTIAL,
        ),
        (jwt({"exp": 1}), ErrorType.EXPIRED_AUTHORIZATION_CREDENTIAL),
        (
            jwt({"iss": "x", "exp": time.time() + 3600}),
            ErrorType.INVALID_AUTHORIZATION_CREDENTIAL,
        ),
        ("no-jwt", ErrorType.INVALID_AUTHORIZATION_CREDENTIAL),
    ],
)
def test_a_refused_token_is_expired_or_invalid(
    token: str, error_type: ErrorType, make_bridge: MakeBridge
) -> None:
    """Home Assistant says 401 for both; the date in the token tells them apart."""
    directive = event("turn_on", token)
    with Server((REFUSAL,)) as server:
        answer = make_bridge(server.url).answer(directive)
        assert len(server.requests) == 1, "a 401 is never tried again"
    assert_error(answer, error_type, directive)


@pytest.mark.parametrize("old", [jwt({"exp": 1}), "old"], ids=["expired", "refused"])
def test_a_secret_that_home_assistant_refuses_is_read_anew(old: str) -> None:
    """It was replaced; the next directive takes the new one, whatever was wrong."""
    values = [old, "new"]

    class Store:
        def get_parameter(self, **_arguments: object) -> Any:
            return {"Parameter": {"Value": values.pop(0)}}

    with Server((REFUSAL, answer_directive)) as server:
        environ = {"BASE_URL": server.url, "LONG_LIVED_ACCESS_TOKEN": "ssm:/token"}
        settings = Settings.from_environ(environ)
        home_assistant = HomeAssistant(Connector(settings.address))
        secrets = SecretReader(lambda _service: Store())
        bridge = Bridge(settings, home_assistant, secrets=secrets)
        asked = event("discovery", token=None)
        assert_error(bridge.answer(asked), event=asked)
        assert bridge.answer(asked)["event"]["header"]["name"] == "Response"
        home_assistant.close()
    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == [f"Bearer {old}", "Bearer new"]


def test_an_expired_token_is_still_sent(make_bridge: MakeBridge) -> None:
    """The clocks may differ; Home Assistant decides."""
    with Server((answer_directive,)) as server:
        answer = make_bridge(server.url).answer(event("turn_on", jwt({"exp": 1})))
    assert answer["event"]["header"]["name"] == "Response"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "..",
        "a.b",
        "a.b.c",
        "a.\xff.c",
        jwt([]),
        jwt(None),
        jwt({"exp": "soon"}),
        jwt({"exp": None}),
        jwt({"exp": {}}),
        f"x.{base64.urlsafe_b64encode(b'[' * 9000).decode()}.x",
        "a.b.c.d",
    ],
    ids=lambda token: token[:16],
)
def test_what_is_no_dated_jwt_has_not_expired(token: str) -> None:
    """Reading a foreign token never fails."""
    assert has_expired(Secret(token), time.time()) is False
