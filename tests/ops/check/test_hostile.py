"""Hostile texts in every field that is printed, in every output.

A new field is covered by being listed once, in `FIELDS` or `REPORTED`.
"""

import functools
import io
import json
import os
import re
import socket
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ha_bridge.network_errors import NETWORK_ERRORS
from ha_bridge_ops.check import output, reports
from ha_bridge_ops.check.catalogue import CHAIN, LINKING
from ha_bridge_ops.check.chain import WAY, walk
from ha_bridge_ops.check.context import Context, Options
from ha_bridge_ops.check.evidence import Evidence
from ha_bridge_ops.check.model import Finding, Question, Status, Told, judge
from ha_bridge_ops.check.privacy import anonymous
from ha_bridge_ops.terminal import Console
from tests.fakes.behaviours import endless, raw, reply, reply_json
from tests.fakes.server import Behaviour, Exchange, Hangup, Server
from tests.hostile import MARK, TEXTS, assert_harmless, places
from tests.ops.check.test_link import HTML, PASSWORD, form, home_that_links
from tests.worlds.devices import ENDPOINT
from tests.worlds.home import (
    HOST,
    NOT_ALLOWED,
    TOKEN,
    dialler,
    endpoint,
    event,
    home,
    listing,
    plain,
    resolver,
)

#: In the home, where a first try may be made over plain http.
NEAR = "192.168.1.4"


def headed(name: str, status: int = 405) -> Callable[[str], tuple[Behaviour, ...]]:
    """Return a home that says a text in a header of its answer to a GET."""

    def make(text: str) -> tuple[Behaviour, ...]:
        value = re.sub("[\r\n]", "\x0b", text).encode("utf-8", "surrogatepass")
        body = b"405: Method Not Allowed"
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{name}: "
        return home(get=raw(head.encode() + value + b"\r\n\r\n" + body))

    return make


def headed_at(location: str) -> Callable[[str], tuple[Behaviour, ...]]:
    """Return a home that leads to a place that is too long for one, TEXT in it."""

    def make(text: str) -> tuple[Behaviour, ...]:
        where = location.replace("{}", "a" * 300).replace("TEXT", text)
        return headed("Location", 301)(where)

    return make


def paged(page: str, status: int = 404) -> Callable[[str], tuple[Behaviour, ...]]:
    """Return a home that says a text in a page."""

    def make(text: str) -> tuple[Behaviour, ...]:
        body = page.replace("TEXT", text).encode("utf-8", "surrogatepass")
        return home(get=reply(status, body, {"Content-Type": "text/html"}))

    return make


def listed(**changes: Any) -> Callable[[str], tuple[Behaviour, ...]]:
    """Return a home with an endpoint in which TEXT is a text."""
    return lambda text: home(discover=listing(endpoint(**put(changes, text))))


def put(value: Any, text: str) -> Any:
    """Return JSON with a text in place of each TEXT."""
    if isinstance(value, dict):
        return {key: put(one, text) for key, one in value.items()}
    if isinstance(value, list):
        return [put(one, text) for one in value]
    return text if value == "TEXT" else value


def refused(kind: str) -> Callable[[str], tuple[Behaviour, ...]]:
    """Return a home whose answer to one kind of directive is an error."""

    def make(text: str) -> tuple[Behaviour, ...]:
        error = reply_json(event("ErrorResponse", {"type": text, "message": text}))
        if kind == "discover":
            return home(discover=error)
        return home(report=error)

    return make


def linking(name: str, answer: Any, status: int = 200) -> Any:
    """Return a home that links accounts, and says a text at one of the steps."""
    return lambda text: home_that_links(**{name: reply_json(put(answer, text), status)})


def told(name: str, status: int = 403) -> Any:
    """Return a home that says a text in plain words at one of the steps."""
    return lambda text: home_that_links(
        **{
            name: reply(
                status,
                text.encode("utf-8", "surrogatepass"),
                {"Content-Type": "text/plain"},
            )
        }
    )


#: Headers that may come to be read one day, beside those that are.
HEADERS: Final = """
    Age Alt-Svc CF-Cache-Status CF-Connecting-IP CF-Ray Cache-Control
    Clear-Site-Data Content-Disposition Content-Language Content-Location
    Content-Security-Policy Date ETag Expires Last-Modified Link NEL P3P Pragma
    Proxy-Authenticate Refresh Report-To Retry-After Set-Cookie Server-Timing Status
    Strict-Transport-Security Title Upgrade Vary Via Warning X-Amz-Cf-Id
    X-AspNet-Version X-Cache X-Error X-Forwarded-For X-Frame-Options X-Generator
    X-Powered-By X-Redirect-By X-Runtime X-Served-By X-Server
    """


def in_every_place(value: Any, text: str) -> list[Any]:
    """Return JSON with a text at each place of it, once at each."""
    return [put_(text) for _, put_ in places(value)]


def crowded(text: str) -> tuple[Behaviour, ...]:
    """Return a home that says a text in each header that it does not need."""
    value = re.sub("[\r\n]", "\x0b", text)[:900]
    head = "".join(f"{name}: {value}\r\n" for name in HEADERS.split())
    answer = f"HTTP/1.1 404 X\r\nContent-Length: 0\r\n{head}\r\n"
    return home(get=raw(answer.encode("utf-8", "surrogatepass")))


#: Where a server can say something: how to make a home that says a text there.
FIELDS: Mapping[str, Callable[[str], tuple[Behaviour, ...]]] = {
    "Server": headed("Server", 404),
    "Content-Type": headed("Content-Type", 404),
    "Location": headed("Location", 301),
    "Location, cut within its host": headed_at("https://[fe80::1%25{}TEXT]/"),
    "Location, cut within its scheme": headed_at("{}TEXT://x/"),
    "WWW-Authenticate": headed("WWW-Authenticate", 401),
    "cf-mitigated": headed("cf-mitigated", 403),
    "title": paged("<title>TEXT</title>"),
    "begins": paged("TEXT"),
    "reason of HTTP": lambda text: home(
        get=raw(f"HTTP/1.1 500 {text}\r\n\r\n".encode("utf-8", "surrogatepass"))
    ),
    "no HTTP": lambda text: home(get=raw(text.encode("utf-8", "surrogatepass"))),
    "any header": crowded,
    "any place of an endpoint": lambda text: home(
        discover=listing(*in_every_place(ENDPOINT, text))
    ),
    "endpointId": listed(endpointId="TEXT"),
    "endpointId, no name": listed(endpointId="TEXT", friendlyName="", capabilities=[]),
    "friendlyName": listed(friendlyName="TEXT"),
    "friendlyName twice": lambda text: home(
        discover=listing(
            endpoint(friendlyName=text), endpoint("b", friendlyName=f"{text} ")
        )
    ),
    "description": listed(description="TEXT", manufacturerName="TEXT"),
    "category": listed(displayCategories=["TEXT", {"a": "TEXT"}]),
    "category, a text": listed(displayCategories="TEXT"),
    "interface": listed(capabilities=[{"interface": "TEXT", "instance": "TEXT"}]),
    "capability": listed(capabilities=["TEXT", None, ["TEXT"]]),
    "all odd": listed(
        endpointId={"TEXT": "TEXT"}, friendlyName=["TEXT"], description={"a": "TEXT"}
    ),
    "error of Discovery": refused("discover"),
    "error of ReportState": refused("report"),
    "name of an event": lambda text: home(report=reply_json(event(text, {}))),
    "refusal of the token": lambda text: home(
        discover=plain(401, text.encode("utf-8", "replace").decode())
    ),
    "provider": linking("providers", {"providers": [{"type": "TEXT"}] * 3}),
    "provider, refused": told("providers"),
    "page to log in": told("authorize", 200),
    "flow": told("flow"),
    "flow_id": linking("flow", {**form(), "flow_id": "TEXT"}),
    "login": told("login"),
    "login, message": linking("login", {"message": "TEXT"}, 400),
    "login, error": linking("login", form("init", base="TEXT")),
    "login, errors": linking("login", {**form(), "errors": "TEXT"}),
    "login, reason": linking("login", {"type": "abort", "reason": "TEXT"}),
    "login, type": linking("login", {"type": "TEXT"}),
    "login, code": linking("login", {"type": "create_entry", "result": "TEXT"}),
    "second factor": linking(
        "login",
        {
            **form("select_mfa_module"),
            "data_schema": [{"options": [["TEXT", "TEXT"]]}],
        },
    ),
    "second factor, odd": linking(
        "login", {**form("select_mfa_module"), "data_schema": {"options": "TEXT"}}
    ),
    "token, error": linking("authorization_code", {"error": "TEXT"}, 400),
    "token, description": linking(
        "authorization_code", {"error_description": {"a": ["TEXT"]}}, 400
    ),
    "token": linking("authorization_code", {"access_token": "TEXT"}),
    "token, expires_in": linking(
        "authorization_code",
        {"access_token": "a-token", "refresh_token": "r-token", "expires_in": "TEXT"},
    ),
    "token, renewed": linking("refresh_token", {"access_token": "TEXT"}),
    "token, not renewed": told("refresh_token"),
    "API": told("api"),
}


def context_of(port: int) -> Context:
    """Return a context in which somebody links an account to a home nearby."""
    answers = {
        Question.USER: "demo",
        Question.PASSWORD: PASSWORD,
        Question.SECOND_FACTOR: "123456",
    }
    return Context(
        {"BASE_URL": f"http://{HOST}:8123", "LONG_LIVED_ACCESS_TOKEN": TOKEN},
        Options(locale="en-GB", client_id="https://layla.amazon.com/"),
        resolve=resolver(NEAR),
        dial=dialler(port),
        prompt=lambda question, _expected: answers.get(question, ""),
    )


def assert_all_outputs_are_harmless(
    context: Context, findings: Sequence[Finding], text: str
) -> None:
    """Nothing of a text does anything, wherever it is printed."""
    assert sum(harmless_on_screen(finding) for finding in findings) < 100_000
    screen, file = a_screen()
    screen.end(findings)
    assert_harmless(file.getvalue())

    as_json = output.as_json(findings, "1")
    json.loads(as_json)
    assert_harmless(as_json)
    assert len(as_json) < 100_000

    markdown = output.as_markdown(findings, "1", anonymous(context))
    assert_harmless(markdown)
    assert_renders_as_text(markdown)
    for mark in (MARK, "810d", "93.184.216.34", "smith"):
        if mark in text:
            assert mark not in markdown

    for finding in findings:
        for pasted in finding.paste.split("\n"):
            assert MARK not in pasted
            assert "evil" not in pasted


def a_screen() -> tuple[output.Screen, io.StringIO]:
    """Return a terminal of 80 columns, and what is written to it."""
    file = io.StringIO()
    # If it lacked a height, the size of ours would be looked up for each line.
    console = Console(file=file, force_terminal=True, width=80, height=25)
    return output.Screen(console), file


@functools.cache  # most findings of a home are those of the one before
def harmless_on_screen(finding: Finding) -> int:
    """Return how many characters a finding is, nothing of which does anything."""
    screen, file = a_screen()
    screen.add(finding)
    assert_harmless(file.getvalue())
    return len(file.getvalue())


RENDERER = MarkdownIt("commonmark", {"html": True}).enable("table")


def assert_renders_as_text(markdown: str) -> None:
    """There is no link, no image and no HTML in it."""
    for token in RENDERER.parse(markdown):
        for one in (token, *(token.children or ())):
            assert one.type not in ("image", "link_open", "html_inline", "html_block")


@pytest.mark.parametrize("field", FIELDS)
def test_a_server_says_what_it_likes(field: str) -> None:
    """It is only shown: on the terminal, in JSON, in Markdown, in lines to paste."""
    for text in TEXTS:
        with Server(FIELDS[field](text)) as server:
            context = context_of(server.port)
            found = list(walk(context, (*CHAIN, *LINKING)))
        assert_all_outputs_are_harmless(context, found, text)


# -- what the function in AWS reports --------------------------------------------------

SEEN: Mapping[str, Any] = {
    "base_url": f"https://{HOST}",
    "resolve": {"addresses": ["93.184.216.34"], "ms": 1.0},
    "connect": {"address": "93.184.216.34", "ms": 1.0, "failed": []},
    "tls": {"ms": 1.0, "version": "TLSv1.3", "issuer": "R3", "names": [HOST]}
    | {"not_after": 4_000_000_000},
    "http": {"status": 404, "ms": 1.0, "title": "", "begins": "404: Not Found"},
}

#: Where a report can say something: what is read, and what is kept beside it.
REPORTED = tuple(
    (part, key)
    for part, readers in reports.PARTS.items()
    for key in (
        *(*readers, "ms"),
        *(("version", "issuer", "missing", "imperfect") if part == "tls" else ()),
        *(("error",) if part == "gate" else ()),
    )
)

#: All that a report can say of what went wrong.
ERRORS = (*(row.name for row in NETWORK_ERRORS), "incomplete", "plain_http", "other")


@pytest.mark.parametrize("text", TEXTS)
def test_a_finding_is_text_whatever_it_is_made_of(text: str) -> None:
    """The type itself sees to it, before any output does."""
    told_ = Told("x", Status.FAILED, text, text, text, text)
    found = Finding("x", Status.FAILED, text, (told_,), ((text, text, text),))
    cells = (cell for row in found.rows for cell in row)
    for one in (found.saw, *cells, told_.saw, told_.means, told_.fix):
        assert_harmless(one)
        assert "\n" not in one
        assert len(one) <= 2000
    assert_harmless(told_.paste)
    assert len(told_.paste) <= 10_000


def judged(report: Mapping[str, Any]) -> list[Finding]:
    """Return what is found in a report that came from elsewhere."""
    context = context_of(1)
    shaped = reports.read(report)
    if shaped is None:
        return []
    assert context.address is not None
    evidence = Evidence(context.address, shaped, time.time())
    links = {link.id: link for link in CHAIN}
    found = [judge(links[name], look(evidence)) for name, look in WAY.items()]
    context.evidence = evidence
    assert_all_outputs_are_harmless(context, found, str(report))
    return found


@pytest.mark.parametrize("where", REPORTED, ids=".".join)
def test_a_report_says_what_it_likes(where: tuple[str, str]) -> None:
    """Whatever shape it has; the function may be any script."""
    part, key = where
    for text in TEXTS:
        for value in (text, [{"address": text, "error": text}]):
            judged({**SEEN, part: {**SEEN.get(part, {}), key: value}})
    odd: Any
    for odd in (None, [], {}, [TEXTS[0]], {TEXTS[0]: TEXTS[1]}, -1, 1e300, True):
        judged({**SEEN, part: {**SEEN.get(part, {}), key: odd}})
        judged({**SEEN, part: {key: odd}})
        judged({**SEEN, part: odd})


@pytest.mark.parametrize("part", ["resolve", "connect", "tls", "http", "bare"])
@pytest.mark.parametrize("error", ERRORS)
def test_any_error_of_a_report_is_a_finding(part: str, error: str) -> None:
    """At any part of the way, and its reason is quoted."""
    for text in TEXTS[:12]:
        wrong: dict[str, Any] = {"error": error, "reason": text}
        if part == "connect":
            wrong = {"failed": [{"address": "93.184.216.34", **wrong}]}
        judged({**SEEN, part: wrong})
        judged({**SEEN, part: {**wrong, "speaks_12": False}})
        judged({**SEEN, part: {**SEEN.get(part, {}), **wrong, "speaks_12": False}})


def test_a_version_of_tls_need_not_be_told() -> None:
    """A report may say that there is only one, and not which."""
    tls = {key: value for key, value in SEEN["tls"].items() if key != "version"}
    assert judged({**SEEN, "tls": {**tls, "speaks_12": False}})


def test_a_certificate_of_many_names() -> None:
    """They are left out for a forum, and a text is no work of hours."""
    context = context_of(1)
    assert context.address is not None
    names = [f"{MARK}{number}" for number in range(50_000)]
    report = {**SEEN, "tls": {**SEEN["tls"], "names": names}}
    context.evidence = Evidence(context.address, report, time.time())
    clean = anonymous(context)
    gone = "other.example.org"
    for one in names[:300]:
        assert clean(f"{one}, x.{one.upper()} or x{one}") == f"{gone}, {gone} or x{one}"


@pytest.mark.parametrize("other", ["84-12-33-7", "123456789012", "aa-bb-cc-dd-ee-ff"])
def test_a_certificate_for_all_below_a_name(other: str) -> None:
    """Beside what looks like an address, a card or an account is still a name."""
    context = context_of(1)
    assert context.address is not None
    names = [f"*.{other}.{MARK}", f"*.{MARK}.{other}"]
    report = {**SEEN, "tls": {**SEEN["tls"], "names": names}}
    context.evidence = Evidence(context.address, report, time.time())
    assert MARK not in anonymous(context)(f"it is for {' and '.join(names)}")


#: What a server may send once TLS has begun.
IN_CLEAR = (b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"\xff" * 999, b"\x17\x03")


@pytest.mark.parametrize("sent", IN_CLEAR, ids=repr)
def test_a_server_that_leaves_tls_again(sent: bytes, authority: Any) -> None:
    """After a handshake that was well, what comes is none of TLS."""

    def leave(exchange: Exchange) -> None:
        with socket.socket(fileno=os.dup(exchange.sock.fileno())) as bare:
            bare.setblocking(True)  # noqa: FBT003 - the standard library's
            bare.sendall(sent)
        raise Hangup

    with Server((leave,), tls=authority.server(HOST)) as server:
        context = context_of(server.port)
        context.environ = {"BASE_URL": f"https://{HOST}"}
        found = {one.id: one for one in walk(context, CHAIN)}
    assert found["ha.reachable"].status is Status.FAILED
    assert found["tls.certificate"].status is Status.OK


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([k for _, k in REPORTED]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(list(SEEN)), JSON))
@settings(max_examples=100, deadline=None)
def test_any_report_is_read(report: dict[str, Any]) -> None:
    """Or told to be none."""
    judged({**SEEN, **report})
    judged(report)


# -- any bytes, any JSON ---------------------------------------------------------------


@given(
    answer=st.binary(max_size=300), status=st.sampled_from([200, 301, 401, 404, 405])
)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_any_bytes(answer: bytes, status: int) -> None:
    """A server may answer each request with them, as a body or as they are."""
    for behave in (reply(status, answer), raw(answer)):
        with Server((behave,)) as server:
            context = context_of(server.port)
            found = list(walk(context, (*CHAIN, *LINKING)))
        assert_all_outputs_are_harmless(context, found, "")


#: Names of what is read of answers.
_KEYS = """
    event payload endpoints header name type endpointId friendlyName errors capabilities
    properties interface displayCategories providers flow_id step_id data_schema
    access_token refresh_token expires_in result
    """

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_KEYS.split()), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(answer=ANYTHING)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_any_json(answer: Any) -> None:
    """At every step, one after the other."""
    said = reply_json(answer)
    worlds = [
        home(discover=said),
        home(report=said),
        home(discover=reply_json(event("Discover.Response", {"endpoints": [answer]}))),
        *(
            home_that_links(**{name: said})
            for name in ("providers", "flow", "login", "authorization_code")
        ),
    ]
    for behaviours in worlds:
        with Server(behaviours) as server:
            context = context_of(server.port)
            found = list(walk(context, (*CHAIN, *LINKING)))
        assert_all_outputs_are_harmless(context, found, "")


# -- bounds ----------------------------------------------------------------------------

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

HUGE: Mapping[str, tuple[Behaviour, ...]] = {
    "a million endpoints": home(
        discover=reply(
            200,
            b'{"event":{"header":{"name":"Discover.Response"},"payload":{"endpoints":['
            + b",".join([b"{}"] * 1_500_000)
            + b"]}}}",
        )
    ),
    "endpoints without end": home(
        discover=reply(
            200,
            b'{"event":{"payload":{"endpoints":['
            + b",".join([b'{"friendlyName":"x"}'] * 250_000)
            + b"]}}}",
        )
    ),
    "an error type of megabytes": home(
        discover=reply_json(event("ErrorResponse", {"type": "A" * 3_000_000}))
    ),
    "a name of megabytes": home(
        discover=listing(endpoint(friendlyName="é" * 1_000_000, endpointId="é" * 10**6))
    ),
    "second factors without end": home_that_links(login=reply_json(form("mfa"))),
    "modules without end": home_that_links(
        login=reply_json(
            {**form("select_mfa_module"), "data_schema": [{"options": [["totp", "x"]]}]}
        )
    ),
    "a million brackets": home(discover=reply(200, b"[" * 1_000_000)),
    "a chunk of less than nothing": home(get=raw(CHUNKED + b"-5\r\n" + b"A" * 9999)),
    "a chunk without end": home(discover=endless(CHUNKED + b"-1\r\n", b"A" * 65536)),
    "nested five hundred deep": home(
        discover=reply(
            200,
            b'{"event":{"header":{"name":"Discover.Response"},"payload":{"endpoints":['
            b'{"friendlyName":' + b"[" * 500 + b"]" * 500 + b"}]}}}",
        )
    ),
    "a number of megabytes": home_that_links(
        authorization_code=reply(200, b'{"expires_in":' + b"9" * 1_000_000 + b"}")
    ),
}


@pytest.mark.parametrize("what", HUGE)
def test_what_is_huge_is_a_finding(what: str) -> None:
    """In little memory, and few words."""
    with Server(HUGE[what]) as server:
        context = context_of(server.port)
        tracemalloc.start()
        try:
            found = list(walk(context, (*CHAIN, *LINKING)))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 150_000_000
    assert len(server.requests) < 40
    assert any(one.status is Status.FAILED for one in found)
    assert_all_outputs_are_harmless(context, found, "")


# -- secrets ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["flow", "login", "authorization_code", "api"])
@pytest.mark.parametrize("password", ["abcd", "hunter22", "p+s /w?", PASSWORD * 3])
def test_a_password_that_is_echoed_is_not_shown(name: str, password: str) -> None:
    """Plain or encoded, whole or cut."""
    kind = {"Content-Type": "text/plain"}
    said = reply(400, f"no {password} here".encode(), kind)
    behaviours = home_that_links(**{name: said})
    with Server(behaviours) as server:
        context = context_of(server.port)
        answers = {Question.USER: "demo", Question.PASSWORD: password}
        context.prompt = lambda question, _expected: answers.get(question, "")
        found = list(walk(context, (*CHAIN, *LINKING)))
    asked = name != "flow"
    shown = output.as_json(found, "1")
    assert (password not in shown) or not asked
    assert "Traceback" not in shown


def test_a_secret_that_is_an_entity_is_not_shown(authority: Any) -> None:
    """Nor in a fix, nor in lines to paste: it reads as an entity of the home."""
    secret = "0123456789abcdef" * 4
    odd = endpoint(endpointId=f"light#{secret}", friendlyName="Lamp", capabilities=[])
    asked = endpoint(endpointId=f"switch#{secret}", friendlyName="Kettle")
    failed = reply_json(event("ErrorResponse", {"type": "NO_SUCH_ENDPOINT"}))
    behaviours = home(discover=listing(odd, asked), report=failed)
    with Server(behaviours, tls=authority.server(HOST)) as server:
        context = context_of(server.port)
        context.environ = {
            "BASE_URL": f"https://{HOST}",
            "LONG_LIVED_ACCESS_TOKEN": TOKEN,
            "EXTRA_HEADERS": json.dumps({"CF-Access-Client-Secret": secret}),
        }
        found = list(walk(context, CHAIN))
    assert {one.id for one in found if "redacted" in one.saw} >= {
        "discovery.endpoints",
        "directive.report_state",
    }
    assert secret[:12] not in output.as_json(found, "1")


@pytest.mark.parametrize("is_believed", [True, False])
def test_no_password_without_a_certificate_that_is_believed(
    is_believed: bool,  # noqa: FBT001
    authority: Any,
    stranger: Any,
) -> None:
    """Whatever NOT_VERIFY_SSL says: it is not even asked for."""
    tls = (authority if is_believed else stranger).server(HOST)
    asked: list[Question] = []

    def ask(question: Question, _expected: str) -> str:
        asked.append(question)
        return "hunter22"

    with Server(home_that_links(authorize=HTML), tls=tls) as server:
        context = context_of(server.port)
        context.environ = {"BASE_URL": f"https://{HOST}", "NOT_VERIFY_SSL": "true"}
        context.prompt = ask
        found = {one.id: one for one in walk(context, (*CHAIN, *LINKING))}
        sent = b"".join(request.body for request in server.requests)
    assert (b"hunter22" in sent) is is_believed
    assert (Question.PASSWORD in asked) is is_believed
    if not is_believed:
        assert found["link.login"].status is Status.SKIPPED
        assert "certificate" in found["link.login"].saw


@pytest.mark.parametrize(
    ("location", "pasted"),
    [
        ("https://new.example.org/api/alexa/smart_home", "https://new.example.org"),
        ("http://new.example.org/api/alexa/smart_home", None),
        ("https://h;id/api/alexa/smart_home", None),
        (
            "https://u:p4ss@new.example.org/api/alexa/smart_home",
            "https://new.example.org",
        ),
        ("https://new.example.org/\x0bcurl x|sh\x0b/api/alexa/smart_home", None),
    ],
)
@pytest.mark.parametrize("is_believed", [True, False])
def test_a_redirect_is_pasted_only_from_a_way_that_is_trusted(
    location: str,
    pasted: str | None,
    is_believed: bool,  # noqa: FBT001
    authority: Any,
    stranger: Any,
) -> None:
    """And only if it is an address, which is written anew."""
    tls = (authority if is_believed else stranger).server(HOST)
    with Server(headed("Location", 301)(location), tls=tls) as server:
        context = context_of(server.port)
        context.environ = {"BASE_URL": f"https://{HOST}"}
        found = {one.id: one for one in walk(context, CHAIN)}
    expected = f"BASE_URL={pasted}" if pasted and is_believed else ""
    assert found["address.redirect"].paste == expected
    failed = [one.id for one in found.values() if one.status is Status.FAILED]
    assert {"address.redirect", "ha.is_home_assistant"} & set(failed)
    assert "p4ss" not in str(found)


def test_nothing_is_listed_in_vain() -> None:
    """Each field is said somewhere: where it is not hostile, too."""
    with Server(home(get=NOT_ALLOWED)) as server:
        found = list(walk(context_of(server.port), CHAIN))
    assert {one.id for one in found} == {link.id for link in CHAIN}
