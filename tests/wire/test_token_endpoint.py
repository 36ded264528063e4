"""The token endpoint: what Amazon asks passes, and nothing else reaches the home."""

import base64
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ha_bridge import token_endpoint
from ha_bridge.connection import Connector
from ha_bridge.errors import BridgeError
from ha_bridge.home_assistant import HomeAssistant, Unconfigured
from ha_bridge.redaction import Secret
from ha_bridge.secrets import SecretReader
from ha_bridge.settings import Settings
from ha_bridge.token_endpoint import BUDGET_S, SECRET_AGE_S, TokenEndpoint
from tests.directives import changed, without
from tests.fakes import access
from tests.fakes.behaviours import after, hang_up, raw, reply, reset, response, silence
from tests.fakes.server import Behaviour, Server

#: Seconds that a busy machine may take longer than told.
BUSY_S = 1.0

CLIENT_ID = "https://layla.amazon.com/"
SECRET = "secret-of-the-skill-0123456789"
CODE = "secret-code-aa11"
REFRESH = "secret-refresh-token-bb22"
ACCESS = "secret-access-token-cc33"
LINK = {"LINK_CLIENT_ID": CLIENT_ID, "LINK_CLIENT_SECRET": SECRET}

BY_CODE = {
    "grant_type": "authorization_code",
    "code": CODE,
    "client_id": CLIENT_ID,
    "client_secret": SECRET,
    "redirect_uri": "https://layla.amazon.com/api/skill/link/M1234567890",
}
BY_REFRESH = {
    "grant_type": "refresh_token",
    "refresh_token": REFRESH,
    "client_id": CLIENT_ID,
    "client_secret": SECRET,
}

#: As Home Assistant writes it.
TOKENS = json.dumps(
    {"access_token": ACCESS, "token_type": "Bearer", "expires_in": 1800}
)
INVALID = '{"error":"invalid_request","error_description":"Invalid code"}'
give = reply(200, TOKENS.encode())


def event(form: dict[str, str] | str | bytes, *, as_base64: bool = True) -> Any:
    """Return what an HTTP API hands over, as AWS documents it."""
    text = urlencode(form) if isinstance(form, dict) else form
    data = text.encode() if isinstance(text, str) else text
    body = base64.b64encode(data).decode() if as_base64 else data.decode("latin-1")
    return {
        "version": "2.0",
        "routeKey": "POST /auth/token",
        "rawPath": "/auth/token",
        "rawQueryString": "",
        "headers": {
            "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
            "content-length": str(len(data)),
            "host": "abc.execute-api.eu-west-1.amazonaws.com",
            "user-agent": "Apache-HttpClient",
        },
        "requestContext": {
            "domainName": "abc.execute-api.eu-west-1.amazonaws.com",
            "http": {
                "method": "POST",
                "path": "/auth/token",
                "protocol": "HTTP/1.1",
                "sourceIp": "72.21.217.157",
                "userAgent": "Apache-HttpClient",
            },
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": as_base64,
    }


Make = Callable[..., TokenEndpoint]


@pytest.fixture
def make() -> Iterator[Make]:
    open_ones: list[HomeAssistant] = []

    def endpoint(
        url: str,
        link: dict[str, str] | None = None,
        *,
        init_s: float = 0.0,
        **environ: str,
    ) -> TokenEndpoint:
        read = Settings.from_environ({"BASE_URL": url, **environ})
        home = HomeAssistant(Connector.for_settings(read))
        open_ones.append(home)
        return TokenEndpoint(LINK if link is None else link, home, init_s=init_s)

    yield endpoint
    for one in open_ones:
        one.close()


def form_at(server: Server) -> dict[str, str]:
    """Return the form that reached Home Assistant."""
    return dict(parse_qsl(server.requests[-1].body.decode(), strict_parsing=True))


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


# -- what does not ---------------------------------------------------------------------

GOOD = event(BY_REFRESH)
FORM = urlencode(BY_REFRESH)


def with_header(name: str, value: object) -> Any:
    asked = event(BY_REFRESH)
    asked["headers"][name] = value
    return asked


def refresh(**fields: str) -> Any:
    return event({**BY_REFRESH, **fields})


def lacking(name: str, form: dict[str, str] = BY_REFRESH) -> Any:
    return event({key: value for key, value in form.items() if key != name})


#: Name: the request, and the status it gets.
HOSTILE: dict[str, tuple[Any, int]] = {
    # -- without the secret
    "no secret": (lacking("client_secret"), 401),
    "an empty secret": (refresh(client_secret=""), 401),
    "a wrong secret": (refresh(client_secret="x" * 30), 401),
    "a secret with one letter less": (refresh(client_secret=SECRET[:-1]), 401),
    "a secret with one letter more": (refresh(client_secret=SECRET + "0"), 401),
    "a secret in capitals": (refresh(client_secret=SECRET.upper()), 401),
    "a secret with a space": (refresh(client_secret=f" {SECRET}"), 401),
    "the constant of old": (refresh(client_secret="home-assistant-ignores-this"), 401),
    "the secret as a header": (
        changed(lacking("client_secret"), "headers.client_secret", SECRET),
        401,
    ),
    "the secret by Basic": (
        changed(
            lacking("client_secret"),
            "headers.authorization",
            "Basic " + base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode(),
        ),
        401,
    ),
    "the secret in the query": (
        changed(lacking("client_secret"), "rawQueryString", f"client_secret={SECRET}"),
        404,
    ),
    "another region's client": (refresh(client_id="https://pitangui.amazon.com/"), 401),
    "the client without its slash": (refresh(client_id=CLIENT_ID[:-1]), 401),
    "no client": (lacking("client_id"), 401),
    "a client of one's own": (refresh(client_id="https://evil.example/"), 401),
    # -- with it, but other grants
    "another grant": (refresh(grant_type="password"), 400),
    "client credentials": (refresh(grant_type="client_credentials"), 400),
    "no grant": (lacking("grant_type"), 400),
    "a grant in capitals": (refresh(grant_type="REFRESH_TOKEN"), 400),
    "no refresh token": (lacking("refresh_token"), 400),
    "an empty refresh token": (refresh(refresh_token=""), 400),
    "no code": (lacking("code", BY_CODE), 400),
    # -- doubled fields, and what is no form
    "the client twice": (event(f"{FORM}&client_id=https%3A%2F%2Fevil.example%2F"), 404),
    "the secret twice": (event(f"client_secret=x&{FORM}"), 404),
    "the grant twice": (event(f"{FORM}&grant_type=authorization_code"), 404),
    "a field twice, once encoded": (event(f"{FORM}&%63lient_id=x"), 404),
    "no equals sign": (event(f"{FORM}&action"), 404),
    "an empty field": (event(f"{FORM}&"), 404),
    "a semicolon for an ampersand": (event(FORM.replace("&", ";")), 404),
    "a broken percent": (event(f"{FORM}&x=%zz"), 404),
    "a bare newline": (event(f"{FORM}&x=a\nb"), 404),
    "a NUL": (event(f"{FORM}&x=\x00"), 404),
    "an umlaut": (event(f"{FORM}&x=ä"), 404),
    "half of UTF-8": (event(FORM.encode() + b"&x=\xff\xfe"), 404),
    "too many fields": (event(FORM + "".join(f"&x{n}=1" for n in range(9))), 404),
    "an empty body": (event(""), 404),
    # -- injection
    "a line break in a field": (refresh(refresh_token="a\r\nX-Admin: 1"), 404),
    "a header after the token": (
        refresh(refresh_token="a\r\n\r\nPOST / HTTP/1.1"),
        404,
    ),
    "a NUL in a field": (refresh(refresh_token="a\x00b"), 404),
    "letters that are not ASCII": (refresh(refresh_token="ä"), 404),
    "a field of 3 kB": (refresh(refresh_token="a" * 3000), 404),
    # -- other content types
    "JSON": (with_header("content-type", "application/json"), 404),
    "multipart": (with_header("content-type", "multipart/form-data; boundary=x"), 404),
    "plain text": (with_header("content-type", "text/plain"), 404),
    "two content types": (
        with_header("content-type", "application/x-www-form-urlencoded,text/plain"),
        404,
    ),
    "UTF-16": (
        with_header("content-type", "application/x-www-form-urlencoded;charset=utf-16"),
        404,
    ),
    "no content type": (without(GOOD, "headers.content-type"), 404),
    "a content type that is no text": (with_header("content-type", ["a"]), 404),
    "compressed": (with_header("content-encoding", "gzip"), 404),
    # -- broken and oversized
    "broken base64": (changed(GOOD, "body", "%%%not-base64%%%"), 404),
    "half of base64": (changed(GOOD, "body", GOOD["body"][:-3]), 404),
    "base64 with spaces": (changed(GOOD, "body", " " + GOOD["body"]), 404),
    "base64 that says it is none": (changed(GOOD, "isBase64Encoded", new=False), 404),
    "over 4 kB": (event(f"{FORM}&x={'a' * 2000}&y={'a' * 2000}"), 404),
    "a megabyte": (changed(GOOD, "body", "A" * 1_000_000), 404),
    "no body": (without(GOOD, "body"), 404),
    "a body that is null": (changed(GOOD, "body", None), 404),
    "a body that is an object": (changed(GOOD, "body", BY_REFRESH), 404),
    # -- other paths and methods
    "another path": (changed(GOOD, "rawPath", "/api/alexa/smart_home"), 404),
    "revoke": (changed(GOOD, "rawPath", "/auth/revoke"), 404),
    "a path below": (changed(GOOD, "rawPath", "/auth/token/"), 404),
    "a path above": (changed(GOOD, "rawPath", "/auth/token/../../api/"), 404),
    "an encoded path": (changed(GOOD, "rawPath", "/auth%2Ftoken"), 404),
    "a stage before it": (changed(GOOD, "rawPath", "/prod/auth/token"), 404),
    "a query": (changed(GOOD, "rawQueryString", "action=revoke"), 404),
    "GET": (changed(GOOD, "requestContext.http.method", "GET"), 404),
    "DELETE": (changed(GOOD, "requestContext.http.method", "DELETE"), 404),
    "post in small letters": (changed(GOOD, "requestContext.http.method", "post"), 404),
    # -- no request of this kind at all
    "format 1.0": (changed(GOOD, "version", "1.0"), 404),
    "no version": (without(GOOD, "version"), 404),
    "a directive": (json.loads('{"directive": {"header": {}, "payload": {}}}'), 404),
    "an event of our own": ({"ha_bridge": {"probe": {}}}, 404),
    "nothing": (None, 404),
    "a list": ([GOOD], 404),
    "headers that are a list": (changed(GOOD, "headers", []), 404),
    "no context": (without(GOOD, "requestContext"), 404),
    # -- the same request, spelled otherwise
    "the secret under another case": (
        event(FORM.replace("client_secret", "Client_Secret")),
        401,
    ),
    "the secret as a list": (
        event(FORM.replace("client_secret", "client_secret%5B%5D")),
        401,
    ),
    "the secret with a homoglyph": (
        event(FORM.replace("client_secret", "client_%D1%95ecret")),
        404,
    ),
    "the secret in overlong UTF-8": (
        event(FORM.replace("client_secret", "client_%C1%B3ecret")),
        404,
    ),
    "the secret encoded twice": (
        event(FORM.replace(SECRET, SECRET.replace("-", "%252D"))),
        401,
    ),
    "an encoded name twice over": (event(f"{FORM}&%67rant_type=password"), 404),
    "a name with a NUL": (event(f"{FORM}&client_id%00=x"), 404),
    "a name without letters": (event(f"{FORM}&=x&=y"), 404),
    "a value with an equals sign": (event(f"{FORM}&x=a=b"), 404),
    "%u escapes": (event(f"{FORM}&x=%u0061"), 404),
    "a byte order mark": (event(b"\xef\xbb\xbf" + FORM.encode()), 404),
    "UTF-16 in fact": (event(FORM.encode("utf-16")), 404),
    "a newline at the end": (event(f"{FORM}\n"), 404),
    "half a surrogate pair": (
        changed(
            changed(GOOD, "isBase64Encoded", new=False), "body", f"{FORM}&x=\ud800"
        ),
        404,
    ),
    "a multipart body under a form's type": (
        event('--x\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nx'),
        404,
    ),
    # -- more injection
    "a header in the client id": (
        refresh(client_id=f"{CLIENT_ID}\r\nX-Forwarded-For: 127.0.0.1"),
        404,
    ),
    "a second request in the client id": (
        refresh(client_id=f"{CLIENT_ID} HTTP/1.1\r\nHost: x\r\n\r\nGET /api/"),
        404,
    ),
    "a client id with a user": (
        refresh(client_id="https://layla.amazon.com@evil.example/"),
        401,
    ),
    "a client id that goes on": (refresh(client_id=f"{CLIENT_ID}#"), 401),
    "a line break in a name": (event(f"{FORM}&x%0D%0AX-Admin=1"), 404),
    "a tab in a field": (refresh(refresh_token="a\tb"), 404),
    "a DEL in a field": (refresh(refresh_token="a\x7fb"), 404),
    "a C1 control in a field": (refresh(refresh_token="a\x85b"), 404),
    # -- charsets and types, the fine points
    "UTF-7": (
        with_header("content-type", "application/x-www-form-urlencoded;charset=utf-7"),
        404,
    ),
    "EBCDIC": (
        with_header("content-type", "application/x-www-form-urlencoded;charset=cp037"),
        404,
    ),
    "two charsets": (
        with_header(
            "content-type",
            "application/x-www-form-urlencoded;charset=utf-8;charset=utf-16",
        ),
        404,
    ),
    "a boundary": (
        with_header("content-type", "application/x-www-form-urlencoded; boundary=x"),
        404,
    ),
    "a type in a comment": (
        with_header("content-type", "text/html;application/x-www-form-urlencoded"),
        404,
    ),
    "a line break in the type": (
        with_header("content-type", "application/x-www-form-urlencoded\r\nX: 1"),
        404,
    ),
    "the type under two names": (with_header("Content-Type", "application/json"), 404),
    "a header under two names": (with_header("Host", "evil.example"), 404),
    "compressed, by a name of any case": (with_header("Content-Encoding", "br"), 404),
    # -- lies about base64
    "a plain body that says it is base64": (
        changed(event(BY_REFRESH, as_base64=False), "isBase64Encoded", new=True),
        404,
    ),
    "base64 of base64": (event(base64.b64encode(FORM.encode())), 404),
    "base64 that says yes in words": (changed(GOOD, "isBase64Encoded", "true"), 404),
    "base64 in the alphabet of URLs": (
        changed(
            GOOD,
            "body",
            base64.urlsafe_b64encode(f"{FORM}&x=~~~???".encode()).decode(),
        ),
        404,
    ),
    "base64 with a tail": (changed(GOOD, "body", GOOD["body"] + "===="), 404),
    "base64 that ends early": (changed(GOOD, "body", "Zw==" + GOOD["body"]), 404),
    "base64 in a line": (changed(GOOD, "body", GOOD["body"][:76] + "\n"), 404),
    # -- paths, the fine points
    "a path in capitals": (changed(GOOD, "rawPath", "/AUTH/TOKEN"), 404),
    "two slashes": (changed(GOOD, "rawPath", "//auth/token"), 404),
    "a slash more": (changed(GOOD, "rawPath", "/auth//token"), 404),
    "a dot": (changed(GOOD, "rawPath", "/./auth/token"), 404),
    "a path parameter": (changed(GOOD, "rawPath", "/auth/token;action=revoke"), 404),
    "a NUL in the path": (changed(GOOD, "rawPath", "/auth/token\x00"), 404),
    "an encoded NUL": (changed(GOOD, "rawPath", "/auth/token%00"), 404),
    "a backslash": (changed(GOOD, "rawPath", "/auth\\token"), 404),
    "a path with a host": (
        changed(GOOD, "rawPath", "https://evil.example/auth/token"),
        404,
    ),
    "a path with a query": (changed(GOOD, "rawPath", "/auth/token?x=1"), 404),
    "no path": (changed(GOOD, "rawPath", ""), 404),
    "a path that is a list": (changed(GOOD, "rawPath", ["/auth/token"]), 404),
    "HEAD": (changed(GOOD, "requestContext.http.method", "HEAD"), 404),
    "OPTIONS": (changed(GOOD, "requestContext.http.method", "OPTIONS"), 404),
    "a method of many lines": (
        changed(GOOD, "requestContext.http.method", "POST\r\n"),
        404,
    ),
    # -- the events of others
    "format 1.0 of an HTTP API": (
        {
            "version": "1.0",
            "path": "/auth/token",
            "httpMethod": "POST",
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
            "multiValueHeaders": {
                "Content-Type": ["application/x-www-form-urlencoded", "text/plain"]
            },
            "requestContext": {"httpMethod": "POST", "path": "/auth/token"},
            "body": FORM,
            "isBase64Encoded": False,
        },
        404,
    ),
    "a load balancer": (
        {
            "requestContext": {"elb": {"targetGroupArn": "arn:aws:x"}},
            "httpMethod": "POST",
            "path": "/auth/token",
            "headers": {"content-type": "application/x-www-form-urlencoded"},
            "body": FORM,
            "isBase64Encoded": False,
        },
        404,
    ),
    "a WebSocket": (
        {"requestContext": {"eventType": "MESSAGE", "routeKey": "x"}, "body": FORM},
        404,
    ),
    "a version that is a number": (changed(GOOD, "version", 2.0), 404),
    "format 2.0 with the method of 1.0": (
        {**changed(GOOD, "requestContext", {"httpMethod": "POST"})},
        404,
    ),
}


@pytest.fixture(scope="module")
def closed() -> Iterator[Server]:
    with Server((give,)) as server:
        yield server


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_hostile_reaches_the_home(
    make: Make, closed: Server, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Neither asked nor banned; and the answer tells a stranger nothing."""
    caplog.set_level(logging.DEBUG)
    asked, status = HOSTILE[name]
    before = len(closed.requests), closed.connections
    answer = make(closed.url).answer(asked)
    assert answer["statusCode"] == status
    assert (len(closed.requests), closed.connections) == before
    assert SECRET not in json.dumps(answer) + caplog.text
    assert REFRESH not in json.dumps(answer) + caplog.text
    assert len(caplog.records) == 1


def test_a_smuggled_revoke_stays_outside(make: Make) -> None:
    """Home Assistant would revoke the token upon it."""
    with Server((give,)) as server:
        endpoint = make(server.url)
        answer = endpoint.answer(refresh(action="revoke", token=REFRESH))
        assert answer["statusCode"] == 200
        assert set(form_at(server)) == {"grant_type", "client_id", "refresh_token"}


#: What somebody may send along, hoping that it is passed on.
BURDEN = {
    "transfer-encoding": "chunked",
    "content-length": "7",
    "expect": "100-continue",
    "host": "evil.example",
    "authorization": "Bearer of-somebody",
    "cookie": "session=1",
    "forwarded": "for=127.0.0.1",
    "x-forwarded-for": "127.0.0.1",
    "x-http-method-override": "DELETE",
    "x-original-url": "/api/",
    "origin": "https://evil.example",
    "connection": "upgrade",
    "upgrade": "websocket",
}


def test_no_header_of_a_request_reaches_the_home(make: Make) -> None:
    """The request is made anew, its length and host with it."""
    asked = event(BY_REFRESH)
    asked["headers"] |= BURDEN
    asked["cookies"] = ["session=1"]
    with Server((give,)) as server:
        answer = make(server.url).answer(asked)
        assert answer["statusCode"] == 200
        assert set(answer["headers"]) == {"content-type", "cache-control"}
        (request,) = server.requests
    assert set(request.headers) == {
        *("accept-encoding", "content-length", "content-type"),
        *("host", "user-agent"),
    }
    assert int(request.headers["content-length"]) == len(request.body)
    assert not set(BURDEN.values()) & set(request.headers.values())


@pytest.mark.parametrize(
    "token",
    [
        "a&action=revoke",
        "a%26action%3Drevoke",
        "a=b;c",
        "a+b c%20d",
        "../../api/",
        '"}{"',
        "<script>",
    ],
)
def test_a_field_stays_one_field(make: Make, token: str) -> None:
    """Home Assistant gets it as Amazon meant it, and nothing beside it."""
    with Server((give,)) as server:
        assert make(server.url).answer(refresh(refresh_token=token))["statusCode"]
        expected = {"grant_type": "refresh_token", "client_id": CLIENT_ID}
        assert form_at(server) == {**expected, "refresh_token": token}


@pytest.mark.parametrize(
    "fields",
    [
        {"client_secret": "x" * len(SECRET)},
        {"client_secret": SECRET[:-1] + "x"},
        {"client_secret": "x"},
        {"client_id": "https://pitangui.amazon.com/"},
        {"client_id": "x", "client_secret": "x"},
        {},
    ],
    ids=str,
)
def test_no_answer_comes_sooner_than_another(
    make: Make,
    closed: Server,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, str],
) -> None:
    """Secret and client id are both compared in constant time, whatever is wrong.

    To measure it would be to measure the machine: that no other comparison is made is
    what counts.
    """
    compared = []

    def compare(given: bytes, true: bytes) -> bool:
        compared.append(true)
        return hmac.compare_digest(given, true)

    monkeypatch.setattr(token_endpoint, "hmac", SimpleNamespace(compare_digest=compare))
    answer = make(closed.url).answer(refresh(**fields))
    assert answer["statusCode"] == (401 if fields else 200)
    assert compared == [SECRET.encode(), CLIENT_ID.encode()]


def test_all_refusals_look_alike(make: Make, closed: Server) -> None:
    """Which of the two was wrong, and whether the path is one, is not told."""
    answers: dict[int, set[str]] = {}
    endpoint = make(closed.url)
    for asked, status in HOSTILE.values():
        answer = endpoint.answer(asked)
        answers.setdefault(status, set()).add(json.dumps(answer, sort_keys=True))
    assert len(answers[401]) == len(answers[404]) == 1


#: Parts of names and values that a parser may stumble over.
_BITS = st.sampled_from(
    [
        *("client_id", "client_secret", "grant_type", "refresh_token", "code"),
        *("action", "revoke", "token", "authorization_code", "password", SECRET),
        *("%00", "%0d%0a", "%26", "%3D", "%25", "%", "+", "&", "=", ";", "[]", "a"),
        *("\r\n", "\x00", " ", "ä", "%C3%A4", "%ff"),
    ]
)


_PAIRS = st.lists(_BITS, max_size=3).map("".join)


@given(extra=st.lists(st.tuples(_PAIRS, _PAIRS), max_size=4), at=st.integers(0, 4))
@settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_is_added_the_home_gets_the_same_or_nothing(
    make: Make, closed: Server, extra: list[tuple[str, str]], at: int
) -> None:
    """Amazon's request among pairs of anybody's: its own three fields pass, or none."""
    own = list(BY_REFRESH.items())
    raw = [f"{name}={value}" for name, value in extra]
    whole = [urlencode([pair]) for pair in own]
    form = "&".join([*whole[:at], *raw, *whole[at:]])
    before = len(closed.requests)
    answer = make(closed.url).answer(event(form))
    sent = closed.requests[before:]
    assert (answer["statusCode"] == 200) == (len(sent) == 1)
    for request in sent:
        assert dict(parse_qsl(request.body.decode(), strict_parsing=True)) == {
            name: value for name, value in own if name != "client_secret"
        }


@pytest.mark.parametrize(
    "link",
    [
        {},
        {"LINK_CLIENT_ID": CLIENT_ID},
        {"LINK_CLIENT_SECRET": SECRET},
        {**LINK, "LINK_CLIENT_SECRET": ""},
        {**LINK, "LINK_CLIENT_SECRET": "short"},
    ],
    ids=str,
)
def test_without_a_secret_it_is_closed(
    make: Make, closed: Server, link: dict[str, str]
) -> None:
    """Also to those who send none, or the short one."""
    before = len(closed.requests)
    secret = link.get("LINK_CLIENT_SECRET", "")
    for fields in (BY_REFRESH, {**BY_REFRESH, "client_secret": secret}):
        answer = make(closed.url, link).answer(event(fields))
        assert answer["statusCode"] == 401
        assert json.loads(answer["body"]) == {"error": "invalid_client"}
    assert len(closed.requests) == before


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*GOOD, "http", "method", "content-type"]), inner
            )
        ),
        max_leaves=20,
    )
)
@settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_event_is_answered(make: Make, closed: Server, asked: Any) -> None:
    """It never raises, and sends nothing without the secret."""
    before = len(closed.requests)
    if isinstance(asked, dict):
        asked = {**GOOD, "body": "", **asked}
    assert make(closed.url).answer(asked)["statusCode"] in {401, 404}
    assert len(closed.requests) == before


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
    "the words of a 400, as a page": reply(400, INVALID.encode(), HTML),
    "a 400 of somebody": reply(400, b'{"error":"plain http sent to https"}'),
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
