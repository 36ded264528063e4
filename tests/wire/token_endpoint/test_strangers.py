"""What strangers ask the token endpoint: nothing of it reaches the home."""

import base64
import hmac
import json
import logging
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ha_bridge import token_endpoint
from tests.directives import changed, without
from tests.fakes.server import Server
from tests.wire.token_endpoint.amazon import (
    BY_CODE,
    BY_REFRESH,
    CLIENT_ID,
    LINK,
    REFRESH,
    SECRET,
    event,
    form_at,
    give,
    lacking,
    refresh,
)
from tests.wire.token_endpoint.conftest import Make

GOOD = event(BY_REFRESH)
FORM = urlencode(BY_REFRESH)


def with_header(name: str, value: object) -> Any:
    asked = event(BY_REFRESH)
    asked["headers"][name] = value
    return asked


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
