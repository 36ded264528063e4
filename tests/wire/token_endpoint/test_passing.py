"""What Amazon asks the token endpoint passes, and comes to an end in any case."""

import json
import logging
import time
from collections.abc import Callable, Iterator

import pytest

from ha_bridge.connection import Connector
from ha_bridge.errors import BridgeError
from ha_bridge.home_assistant import HomeAssistant, Unconfigured
from ha_bridge.redaction import Secret
from ha_bridge.secrets import SecretReader
from ha_bridge.settings import Settings
from ha_bridge.token_endpoint import BUDGET_S, SECRET_AGE_S, TokenEndpoint
from tests.directives import changed
from tests.fakes import access
from tests.fakes.behaviours import after, hang_up, raw, reply, reset, response, silence
from tests.fakes.server import Behaviour, Server
from tests.wire.token_endpoint.amazon import (
    ACCESS,
    BY_CODE,
    BY_REFRESH,
    CODE,
    INVALID,
    LINK,
    REFRESH,
    SECRET,
    TOKENS,
    event,
    form_at,
    give,
    lacking,
    refresh,
)
from tests.wire.token_endpoint.conftest import Make

#: Seconds that a busy machine may take longer than told.
BUSY_S = 1.0

# -- what passes -----------------------------------------------------------------------


@pytest.mark.parametrize("as_base64", [True, False])
@pytest.mark.parametrize("given", [BY_CODE, BY_REFRESH], ids=["code", "refresh"])
def test_amazons_request_passes(
    make: Make, given: dict[str, str], *, as_base64: bool
) -> None:
    """A new form of what Home Assistant needs; its own JSON comes back as it came."""
    with Server((give,)) as server:
        answer = make(server.url).answer(event(given, as_base64=as_base64))
        assert answer["statusCode"] == 200
        assert answer["body"] == TOKENS
        assert answer["headers"]["cache-control"] == "no-store"
        assert answer["headers"]["content-type"] == "application/json"
        (request,) = server.requests
        assert (request.method, request.target) == ("POST", "/auth/token")
        assert "authorization" not in request.headers
        assert "x-forwarded-for" not in request.headers
        dropped = {"client_secret", "redirect_uri"}
        kept = {name: text for name, text in given.items() if name not in dropped}
        assert form_at(server) == kept


def test_a_code_verifier_passes_with_a_code_only(make: Make) -> None:
    """PKCE, if it is switched on in the skill."""
    with Server((give,)) as server:
        endpoint = make(server.url)
        endpoint.answer(event({**BY_CODE, "code_verifier": "v" * 43}))
        assert form_at(server)["code_verifier"] == "v" * 43
        endpoint.answer(event({**BY_REFRESH, "code_verifier": "v" * 43}))
        assert "code_verifier" not in form_at(server)


def test_it_goes_through_the_gate_and_over_one_connection(make: Make) -> None:
    """With the same code and settings as a directive."""
    gate = access.Access(behind=give)
    with Server((gate.behave,)) as server:
        endpoint = make(f"{server.url}/ha", EXTRA_HEADERS=json.dumps(access.HEADERS))
        for _ in range(2):
            assert endpoint.answer(event(BY_REFRESH))["statusCode"] == 200
        assert {request.target for request in server.requests} == {"/ha/auth/token"}
        assert server.connections == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, INVALID),
        (400, '{"error": "invalid_grant"}'),
        (403, '{"error":"access_denied","error_description":"User is not active"}'),
    ],
)
def test_home_assistants_own_no_is_passed_on(
    make: Make, status: int, body: str
) -> None:
    """It is about this link, and Amazon must hear it."""
    with Server((reply(status, body.encode()),)) as server:
        answer = make(server.url).answer(event(BY_CODE))
        assert (answer["statusCode"], answer["body"]) == (status, body)


def test_a_function_url_is_as_good(make: Make) -> None:
    """The same format, with another name and no route of its own."""
    asked = changed(event(BY_REFRESH), "routeKey", "$default")
    asked = changed(asked, "requestContext.domainName", "abc.lambda-url.on.aws")
    with Server((give,)) as server:
        assert make(server.url).answer(asked)["statusCode"] == 200


# -- when the home cannot answer -------------------------------------------------------

PAGE = b"<html><title>Sign in</title></html>"
HTML = {"Content-Type": "text/html"}
NOT_ITS_OWN: dict[str, Behaviour] = {
    "a ban": reply(403, b"403: Forbidden", {"Content-Type": "text/plain"}),
    "a proxy's 403": reply(403, PAGE, HTML),
    "an API's 403": reply(403, b'{"message":"Forbidden"}'),
    "Access": access.Access().behave,
    "Access, as a login": access.Access(has_allow=True).behave,
    "Access, as JSON": reply(
        403, b'{"error":"access_denied"}', {"CF-Access-Domain": "home"}
    ),
    "nginx wants a certificate": reply(
        400, b"<title>400 No required SSL certificate was sent</title>", HTML
    ),
    "a redirect": reply(302, b"", {"Location": "https://sso.example.org/login"}),
    "a login page": reply(200, PAGE, HTML),
    "JSON of somebody": reply(200, b'{"status":"ok"}'),
    "no JSON": reply(200, b"access_token"),
    "JSON in UTF-16": reply(200, '{"access_token":"x"}'.encode("utf-16")),
    "the words of a 400, as a page": reply(400, INVALID.encode(), HTML),
    "a 400 of somebody": reply(400, b'{"error":"plain http sent to https"}'),
    "an odd error": reply(400, b'{"error":[]}'),
    "too many": reply(429, b'{"error":"invalid_grant"}'),
    "in trouble": reply(500, b'{"error":"invalid_grant"}'),
    "a gateway": reply(502, PAGE, HTML),
    "starting": reply(503, PAGE, HTML),
    "cut off": raw(response(200, b'{"access', length=900)),
    "hung up": hang_up,
    "reset": reset,
    "no HTTP": raw(b"SSH-2.0-OpenSSH\r\n"),
}


@pytest.mark.parametrize("name", NOT_ITS_OWN)
@pytest.mark.parametrize("form", [BY_CODE, BY_REFRESH], ids=["code", "refresh"])
def test_what_is_not_home_assistants_word_ends_no_link(
    make: Make, caplog: pytest.LogCaptureFixture, name: str, form: dict[str, str]
) -> None:
    """Amazon shall ask again: 503, and the log says what it was."""
    caplog.set_level(logging.DEBUG)
    with Server((NOT_ITS_OWN[name],)) as server:
        answer = make(server.url).answer(event(form))
    assert answer["statusCode"] == 503
    assert json.loads(answer["body"]) == {"error": "temporarily_unavailable"}
    (record,) = caplog.records
    assert record.__dict__["token"]["failure"]
    for secret in (SECRET, CODE, REFRESH, ACCESS):
        assert secret not in caplog.text


def test_a_code_reaches_the_home_once_and_a_refresh_may_twice(make: Make) -> None:
    """By the rule of delivery: a code is refused the second time, which ends a link."""
    for form, times, status in ((BY_CODE, 1, 503), (BY_REFRESH, 2, 200)):
        with Server((reset, give)) as server:
            assert make(server.url).answer(event(form))["statusCode"] == status
            assert len(server.requests) == times


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "status"), [(BY_CODE, 503), (BY_REFRESH, 200)], ids=["code", "refresh"]
)
def test_a_refresh_that_is_not_answered_is_asked_again(
    make: Make, form: dict[str, str], status: int
) -> None:
    """Within Amazon's 4.5 s; a code is waited for."""
    with Server((silence, give)) as server:
        endpoint = make(server.url)
        started = time.monotonic()
        answer = endpoint.answer(event(form))
        took = time.monotonic() - started
    assert answer["statusCode"] == status
    assert took < BUDGET_S + BUSY_S


@pytest.mark.slow
def test_the_import_takes_of_the_first_requests_time_only(make: Make) -> None:
    """Amazon's clock went on meanwhile."""
    with Server((after(1.0, give), after(1.0, give))) as server:
        endpoint = make(server.url, init_s=BUDGET_S - 0.3)
        answers = [endpoint.answer(event(BY_CODE))["statusCode"] for _ in range(2)]
    assert answers == [503, 200]


class Context:
    """Lambda's, of a function whose time is nearly over."""

    def get_remaining_time_in_millis(self) -> int:
        return 900


def test_what_lambda_leaves_is_enough_to_answer(make: Make) -> None:
    """Whatever the time that Amazon would wait."""
    with Server((silence,)) as server:
        endpoint = make(server.url)
        started = time.monotonic()
        assert endpoint.answer(event(BY_CODE), Context())["statusCode"] == 503
        took = time.monotonic() - started
    assert took < 0.9 + BUSY_S


def test_its_line_is_logged_under_lambdas_own_level(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Lambda's root logger lets warnings through only."""
    logging.getLogger("ha_bridge").setLevel(logging.NOTSET)
    with Server((give,)) as server:
        make(server.url).answer(event(BY_CODE))
    assert [line.levelname for line in caplog.records] == ["INFO"]


@pytest.mark.slow
def test_a_slow_home_has_its_time(make: Make) -> None:
    """A Raspberry Pi under load."""
    with Server((after(1.5, give),)) as server:
        assert make(server.url).answer(event(BY_CODE))["statusCode"] == 200
        assert len(server.requests) == 1


def test_a_wrong_setting_is_no_reason_to_end_a_link(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log names it."""
    with pytest.raises(BridgeError) as caught:
        Settings.from_environ({"BASE_URL": ""})
    endpoint = TokenEndpoint(LINK, Unconfigured(caught.value))
    assert endpoint.answer(event(BY_REFRESH))["statusCode"] == 503
    assert "BASE_URL" in caplog.text


# -- the secret, kept elsewhere --------------------------------------------------------


class Store:
    """Secrets Manager, counting."""

    def __init__(self, value: str | None) -> None:
        self.value = value
        self.asked = 0

    def get_secret_value(self, **_query: object) -> dict[str, str]:
        self.asked += 1
        if self.value is None:
            raise LookupError
        return {"SecretString": self.value}


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return time.monotonic() + self.now


@pytest.fixture
def from_store() -> Iterator["FromStore"]:
    open_ones: list[HomeAssistant] = []

    def endpoint(store: Store, url: str, clock: Clock) -> TokenEndpoint:
        read = Settings.from_environ({"BASE_URL": url})
        open_ones.append(HomeAssistant(Connector.for_settings(read)))
        return TokenEndpoint(
            {**LINK, "LINK_CLIENT_SECRET": "secretsmanager:link"},
            open_ones[-1],
            secrets=SecretReader(lambda _service: store),
            clock=clock,
        )

    yield endpoint
    for one in open_ones:
        one.close()


FromStore = Callable[[Store, str, Clock], TokenEndpoint]


def test_a_new_secret_is_found_and_strangers_do_not_ask_for_it(
    from_store: FromStore,
) -> None:
    """Read again at most once a minute, however many try."""
    store, clock = Store(json.dumps({"secret": SECRET})), Clock()
    with Server((give,)) as server:
        endpoint = from_store(store, server.url, clock)
        assert endpoint.answer(lacking("client_secret"))["statusCode"] == 401
        assert store.asked == 0
        assert endpoint.answer(event(BY_REFRESH))["statusCode"] == 200
        for _ in range(5):
            answer = endpoint.answer(refresh(client_secret="x" * 30))
            assert answer["statusCode"] == 401
        assert store.asked == 1
        clock.now += SECRET_AGE_S + 1
        store.value = "a-new-secret-of-the-skill"
        answer = endpoint.answer(refresh(client_secret=store.value))
        assert answer["statusCode"] == 200
        assert store.asked == 2


def test_a_secret_that_cannot_be_read_ends_no_link(
    from_store: FromStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Amazon is told to come again."""
    store = Store(None)
    endpoint = from_store(store, "http://127.0.0.1:1", Clock())
    assert endpoint.answer(event(BY_REFRESH))["statusCode"] == 503
    assert "LINK_CLIENT_SECRET, secretsmanager:link" in caplog.text
    assert Secret(SECRET).reveal() not in caplog.text
