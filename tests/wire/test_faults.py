"""The fault matrix: a row a fault, on real sockets.

Most rows wait for something, so all of them run side by side, once; then each is a test
of its own.
"""

import gzip
import json
import logging
import socket
import ssl
import struct
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ha_bridge.answerers import ANSWERERS
from ha_bridge.bridge import Bridge
from ha_bridge.connection import Connector
from ha_bridge.errors import ErrorType, Failure
from ha_bridge.home_assistant import HomeAssistant
from ha_bridge.network_errors import NETWORK_ERRORS
from ha_bridge.settings import Settings
from tests.directives import SECRETS, event
from tests.fakes.answers import PATH, TROUBLE
from tests.fakes.behaviours import (
    after,
    answer_directive,
    drip,
    endless,
    hang_up,
    raw,
    reply,
    reset,
    response,
    silence,
)
from tests.fakes.server import Behaviour, Hangup, Server
from tests.fakes.tls import Authority
from tests.fakes.transport import StubContext
from tests.oracle import assert_error

#: Seconds after which Alexa hangs up.
ALEXA_S = 8.0

#: Milliseconds that a very busy machine may take for nothing at all.
BUSY_MS = 4000

ANSWER = json.dumps(
    {"event": {"header": {"namespace": "Alexa", "name": "Response"}, "payload": {}}}
).encode()
TEXT = {"Content-Type": "text/plain"}
HTML = {"Content-Type": "text/html"}
CLOUDFLARE = {**HTML, "Server": "cloudflare", "CF-RAY": "8a1b2c3d4e5f-FRA"}


@dataclass(frozen=True)
class Fault:
    """One way to go wrong.

    Args:
        failure: The row of the table that it must become; None: an answer.
        behaviours: What the server does with the requests.
        tls: The name of a method of `Authority`, or "stranger", for a TLS server.
        environ: More of the environment; BASE_URL may be given.
        requests: How many requests may reach the server.
        remaining_ms: What the Lambda context says is left.
        directive: Name of the event file.
        waits: It takes seconds.
        also_tls: TLS can change it, so it is there with TLS too.
    """

    failure: Failure | None
    behaviours: tuple[Behaviour, ...] = (answer_directive,)
    tls: str = ""
    on_accept: Any = None
    environ: Mapping[str, str] = field(default_factory=dict)
    requests: int = 1
    remaining_ms: int = 60_000
    directive: str = "turn_on"
    waits: bool = False
    also_tls: bool = False


def _close(_sock: object, _stopping: object) -> None:
    raise Hangup


def _reset(sock: Any, _stopping: object) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Hangup


def _wait(_sock: object, stopping: Any) -> None:
    stopping.wait(60)
    raise Hangup


GZIP = {"Content-Encoding": "gzip"}
BIG = b"x" * 65536

FAULTS: dict[str, Fault] = {
    # -- no connection -----------------------------------------------------------
    "name does not resolve": Fault(
        Failure.UNKNOWN_NAME,
        environ={"BASE_URL": "https://no-such-home.invalid"},
        requests=0,
    ),
    "refused": Fault(
        Failure.CONNECTION_REFUSED,
        environ={"BASE_URL": "http://127.0.0.1:1"},
        requests=0,
        remaining_ms=1500,
    ),
    "accepts, then closes": Fault(
        Failure.CONNECTION_LOST, on_accept=_close, requests=0, remaining_ms=1500
    ),
    "accepts, then resets": Fault(
        Failure.CONNECTION_LOST, on_accept=_reset, requests=0, remaining_ms=1500
    ),
    "accepts, then silence": Fault(
        Failure.TIMED_OUT, on_accept=_wait, requests=0, waits=True
    ),
    # -- TLS ---------------------------------------------------------------------
    "TLS: unknown authority": Fault(
        Failure.UNTRUSTED_CERTIFICATE, tls="stranger", requests=0
    ),
    "TLS: wrong name": Fault(
        Failure.UNTRUSTED_CERTIFICATE, tls="wrong name", requests=0
    ),
    "TLS: expired": Fault(Failure.UNTRUSTED_CERTIFICATE, tls="expired", requests=0),
    "TLS: silence in the handshake": Fault(
        Failure.TIMED_OUT, tls="server", on_accept=_wait, requests=0, waits=True
    ),
    "TLS: closed in the handshake": Fault(
        Failure.CONNECTION_LOST,
        tls="server",
        on_accept=_close,
        requests=0,
        remaining_ms=1500,
    ),
    "TLS: plain HTTP on the port": Fault(
        Failure.NOT_TLS, environ={"BASE_URL": "https://"}, requests=0
    ),
    **{
        f"TLS: unknown authority, NOT_VERIFY_SSL={text}": Fault(
            None, tls="stranger", environ={"NOT_VERIFY_SSL": text}
        )
        for text in ("true", "True", "1", "yes", "on")
    },
    **{
        f"TLS: unknown authority, NOT_VERIFY_SSL={text or 'nothing'}": Fault(
            Failure.UNTRUSTED_CERTIFICATE,
            tls="stranger",
            environ={"NOT_VERIFY_SSL": text},
            requests=0,
        )
        for text in ("false", "False", "0", "no", "off", "")
    },
    "TLS: wrong name, NOT_VERIFY_SSL": Fault(
        None, tls="wrong name", environ={"NOT_VERIFY_SSL": "true"}
    ),
    "http where TLS is spoken: an alert": Fault(
        Failure.WANTS_HTTPS, (raw(b"\x15\x03\x01\x00\x02\x02\x46"),)
    ),
    "http where TLS is spoken: nginx": Fault(
        Failure.WANTS_HTTPS, (reply(400, b"<html>plain HTTP request", HTML),)
    ),
    "a gate that does not admit our headers": Fault(
        Failure.NOT_ADMITTED,
        (reply(403, b"<html>no", HTML),),
        environ={"EXTRA_HEADERS": '{"X-Gate": "secret-of-the-gate"}'},
    ),
    # -- slowness ----------------------------------------------------------------
    "silence after the request": Fault(
        Failure.TIMED_OUT, (silence,), waits=True, also_tls=True
    ),
    "headers, a line a second": Fault(
        Failure.TIMED_OUT,
        (drip(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 30, 6, 0.7),),
        waits=True,
        also_tls=True,
    ),
    "body, a byte a second": Fault(
        Failure.TIMED_OUT,
        (drip(response(200, ANSWER), 1, 0.7, at_once=80),),
        waits=True,
        also_tls=True,
    ),
    "chunked body, a byte a second": Fault(
        Failure.TIMED_OUT,
        (
            drip(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + b"1\r\n{\r\n" * 99,
                6,
                0.7,
                at_once=48,
            ),
        ),
        waits=True,
        also_tls=True,
    ),
    "stall in mid-body": Fault(
        Failure.TIMED_OUT,
        (drip(response(200, ANSWER), 9, 60, at_once=90),),
        waits=True,
        also_tls=True,
    ),
    "an HTTP 100 a second": Fault(
        Failure.TIMED_OUT,
        (drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 40, 25, 0.5),),
        waits=True,
        also_tls=True,
    ),
    "slow, but alive: six seconds": Fault(
        None, (after(6, answer_directive),), waits=True, also_tls=True
    ),
    "silence, and Lambda has three seconds left": Fault(
        Failure.TIMED_OUT, (silence,), remaining_ms=3000, waits=True, also_tls=True
    ),
    "dripping, and Lambda has three seconds left": Fault(
        Failure.TIMED_OUT,
        (drip(response(200, ANSWER), 1, 0.3, at_once=80),),
        remaining_ms=3000,
        waits=True,
        also_tls=True,
    ),
    "no time left at all": Fault(
        Failure.TIMED_OUT, remaining_ms=400, requests=0, also_tls=True
    ),
    # -- statuses: Home Assistant's own ------------------------------------------
    "400 of Home Assistant": Fault(
        Failure.BAD_REQUEST, (reply(400, b"400: Bad Request", TEXT),)
    ),
    "401 of Home Assistant": Fault(
        Failure.REFUSED_TOKEN, (reply(401, b"401: Unauthorized", TEXT),)
    ),
    "401 of Home Assistant through Cloudflare": Fault(
        Failure.REFUSED_TOKEN,
        (reply(401, b"401: Unauthorized", {**CLOUDFLARE, **TEXT}),),
    ),
    "403 of Home Assistant: banned": Fault(
        Failure.REFUSED_ADDRESS, (reply(403, b"403: Forbidden", TEXT),)
    ),
    "404 of Home Assistant": Fault(
        Failure.NOT_FOUND, (reply(404, b"404: Not Found", TEXT),)
    ),
    "405 of Home Assistant": Fault(
        Failure.NOT_ALLOWED, (reply(405, b"405: Method Not Allowed", TEXT),)
    ),
    "500 of Home Assistant": Fault(
        Failure.SERVER_ERROR,
        (reply(500, TROUBLE, {**TEXT, "Connection": "close"}),),
    ),
    "503 of Home Assistant: stopping": Fault(Failure.GATEWAY, (reply(503),)),
    # -- statuses of something in front ------------------------------------------
    "Cloudflare: challenge": Fault(
        Failure.CHALLENGE,
        (
            reply(
                403,
                b"<!DOCTYPE html><title>Just a moment...</title>",
                {**CLOUDFLARE, "CF-Mitigated": "challenge"},
            ),
        ),
    ),
    "Cloudflare: error 1020": Fault(
        Failure.FIREWALL, (reply(403, b"error code: 1020", {**CLOUDFLARE, **TEXT}),)
    ),
    "proxy: Basic auth": Fault(
        Failure.BASIC_AUTH,
        (
            reply(
                401,
                b"<html><h1>401 Authorization Required</h1></html>",
                {**HTML, "WWW-Authenticate": 'Basic realm="home"'},
            ),
        ),
    ),
    "proxy: 401 without a body": Fault(Failure.PORTAL, (reply(401),)),
    "nginx: 403": Fault(
        Failure.FIREWALL,
        (reply(403, b"<html><h1>403 Forbidden</h1><hr>nginx</html>", HTML),),
    ),
    "nginx: 404": Fault(
        Failure.NO_SITE, (reply(404, b"<html>404 Not Found</html>", HTML),)
    ),
    "429": Fault(Failure.RATE_LIMITED, (reply(429, headers={"Retry-After": "3600"}),)),
    **{
        f"gateway: {status}": Fault(Failure.GATEWAY, (reply(status, b"x", HTML),))
        for status in (502, 503, 504, *range(520, 525), *range(527, 531))
    },
    **{
        f"status {status}": Fault(failure, (reply(status, ANSWER),))
        for failure, statuses in {
            Failure.SOMETHING_ELSE: (201, 202, 204, 206, 402, 418),
            Failure.NO_SITE: (410, 501),
            Failure.FIREWALL: (451,),
            Failure.PROXY_ERROR: (507, 599),
            Failure.GATEWAY_TLS: (525, 526),
        }.items()
        for status in statuses
    },
    **{
        f"redirect {status} to {where}": Fault(
            failure, (reply(status, headers={"Location": location}),)
        )
        for status in (301, 302, 303, 307, 308)
        for where, (failure, location) in {
            "the same host": (Failure.PORTAL, "/elsewhere"),
            "another host": (
                Failure.PORTAL,
                "https://login.example.net/?token=hunter2",
            ),
            "the same path": (Failure.REDIRECTED, f"https://new.example.net{PATH}"),
            "nowhere": (Failure.SOMETHING_ELSE, "http://[::1"),
        }.items()
    },
    "304: no redirect": Fault(Failure.SOMETHING_ELSE, (reply(304),)),
    # -- a 200 that is no answer -------------------------------------------------
    **{
        f"200 with {what}": Fault(failure, (reply(200, body),))
        for what, (failure, body) in {
            "a web page": (Failure.PAGE, b"<html>Home Assistant</html>"),
            "nothing": (Failure.NO_SITE, b""),
            "null": (Failure.NOT_AN_EVENT, b"null"),
            "an array": (Failure.NOT_AN_EVENT, b"[]"),
            "no event": (Failure.NOT_AN_EVENT, b'{"context": {}}'),
            "broken UTF-8": (Failure.NOT_AN_EVENT, b'{"event": {"\xff": 1}}'),
            "half a JSON": (Failure.NOT_AN_EVENT, ANSWER[:30]),
            "two JSONs": (Failure.NOT_AN_EVENT, ANSWER * 2),
            "ten thousand brackets": (Failure.NOT_AN_EVENT, b"[" * 10_000),
        }.items()
    },
    "broken gzip": Fault(
        Failure.NOT_HTTP, (reply(200, b"\x1f\x8bno gzip", GZIP),), also_tls=True
    ),
    "gzip that is none": Fault(Failure.NOT_HTTP, (reply(200, ANSWER, GZIP),)),
    "a gzip without end of nothing": Fault(
        Failure.NO_SITE, (reply(200, gzip.compress(b"") * 100_000, GZIP),)
    ),
    "a deflate without end of nothing": Fault(
        Failure.NOT_HTTP,
        (
            reply(
                200,
                b"\x78\x01" + b"\0\0\0\xff\xff" * 1_500_000,
                {"Content-Encoding": "deflate"},
            ),
        ),
    ),
    "gzip in gzip": Fault(
        Failure.NOT_AN_EVENT,
        (
            reply(
                200,
                gzip.compress(gzip.compress(ANSWER)),
                {"Content-Encoding": "gzip, gzip"},
            ),
        ),
    ),
    "a head of megabytes": Fault(
        Failure.NOT_HTTP,
        (raw(b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"a\r" * 30_000 + b"\r\n") * 97),),
        also_tls=True,
    ),
    "truncated body": Fault(
        Failure.BROKEN_OFF,
        (raw(response(200, ANSWER, length=len(ANSWER) + 5)),),
        also_tls=True,
    ),
    "chunk of less than nothing": Fault(
        Failure.BROKEN_OFF,
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{"),),
    ),
    "truncated chunk": Fault(
        Failure.BROKEN_OFF,
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n99\r\n{"),),
        also_tls=True,
    ),
    "102 before the answer": Fault(
        Failure.SOMETHING_ELSE,
        (raw(b"HTTP/1.1 102 Processing\r\n\r\n" + response(200, ANSWER)),),
        also_tls=True,
    ),
    "a header that echoes the token": Fault(
        None,
        (
            lambda exchange: exchange.send(
                response(200, ANSWER).replace(
                    b"\r\n\r\n",
                    b"\r\nbroken line "
                    + exchange.request.headers["authorization"].encode()
                    + b"\r\n\r\n",
                    1,
                )
            ),
        ),
    ),
    "a redirect to a host of sixty thousand letters": Fault(
        Failure.PORTAL,
        (reply(302, headers={"Location": f"https://{'x' * 60_000}/"}),),
    ),
    "AcceptGrant: 401 of Home Assistant": Fault(
        Failure.REFUSED_TOKEN,
        (reply(401, b"401: Unauthorized", TEXT),),
        directive="accept_grant",
    ),
    "AcceptGrant: refused": Fault(
        Failure.CONNECTION_REFUSED,
        environ={"BASE_URL": "http://127.0.0.1:1"},
        requests=0,
        directive="accept_grant",
        remaining_ms=1500,
    ),
    "Discover: 503": Fault(Failure.GATEWAY, (reply(503),), directive="discovery"),
    "not HTTP": Fault(
        Failure.NOT_HTTP, (raw(b"SSH-2.0-OpenSSH_9.6\r\n"),), also_tls=True
    ),
    "bytes of noise": Fault(
        Failure.NOT_HTTP, (raw(bytes(range(256)) * 8),), also_tls=True
    ),
    "a header without end": Fault(
        Failure.NOT_HTTP, (endless(b"HTTP/1.1 200 OK\r\nX: ", BIG),), also_tls=True
    ),
    "headers without end": Fault(
        Failure.NOT_HTTP,
        (endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000),),
        also_tls=True,
    ),
    "closes after the request": Fault(
        Failure.CONNECTION_LOST, (hang_up,), also_tls=True
    ),
    "resets after the request": Fault(Failure.CONNECTION_LOST, (reset,), also_tls=True),
    "endless body": Fault(
        Failure.TOO_LARGE,
        (endless(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", BIG),),
        also_tls=True,
    ),
    "longer than Lambda's limit, as the runtime writes it": Fault(
        Failure.TOO_LARGE,
        (reply(200, b'{"event":{"x":[' + b'"%s",' % (b"x" * 18) * 290_000 + b"1]}}"),),
    ),
    "more values than the function's memory holds": Fault(
        Failure.TOO_LARGE,
        (reply(200, b'{"event":{"x":[' + b'"ab",' * 1_000_000 + b"1]}}"),),
    ),
    "more objects than the function's memory holds": Fault(
        Failure.TOO_LARGE,
        (reply(200, b'{"event":{"x":[' + b'{"a":1},' * 700_000 + b"1]}}"),),
    ),
    "body over Lambda's limit": Fault(
        Failure.TOO_LARGE, (reply(200, b" " * (6 * 1024 * 1024 + 1)),), also_tls=True
    ),
    "refusal with an endless body": Fault(
        Failure.FIREWALL,
        (endless(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n", BIG),),
        also_tls=True,
    ),
}

FAULTS |= {
    f"TLS: {name}": replace(fault, tls="server")
    for name, fault in FAULTS.items()
    if fault.also_tls
}


@dataclass
class Outcome:
    """What came of a row."""

    answer: dict[str, Any]
    seconds: float
    requests: int
    log: str


class _Log(logging.Handler):
    """Keeps each thread's lines apart."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[int | None, list[str]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.getMessage()} {record.__dict__.get('directive')}"
        self.lines.setdefault(record.thread, []).append(text)


@pytest.fixture(scope="module")
def contexts(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, ssl.SSLContext | None]:
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    return {
        "": None,
        "server": authority.server("127.0.0.1"),
        "wrong name": authority.server("other.example.org"),
        "expired": authority.expired("127.0.0.1"),
        "stranger": stranger.server("127.0.0.1"),
    }


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, contexts: dict[str, ssl.SSLContext | None]
) -> Iterator[dict[str, Outcome]]:
    """Run all rows of a kind side by side."""
    rows = {name: row for name, row in FAULTS.items() if row.waits is request.param}
    log = _Log()
    logger = logging.getLogger()  # urllib3's lines are ours to answer for too
    logger.addHandler(log)
    try:
        # What waits can wait all at once; what works would keep each other waiting.
        with ThreadPoolExecutor(len(rows) if request.param else 12) as pool:
            running = {
                name: pool.submit(_run, fault, contexts[fault.tls], log)
                for name, fault in rows.items()
            }
            yield {name: future.result() for name, future in running.items()}
    finally:
        logger.removeHandler(log)


def _run(fault: Fault, tls: ssl.SSLContext | None, log: _Log) -> Outcome:
    with Server(fault.behaviours, tls=tls, on_accept=fault.on_accept) as server:
        url = fault.environ.get("BASE_URL", server.url)
        if url.endswith("//"):  # this scheme, at the server's port
            url += f"127.0.0.1:{server.port}"
        settings = Settings.from_environ({**fault.environ, "BASE_URL": url})
        home_assistant = HomeAssistant(Connector.for_settings(settings))
        bridge = Bridge(settings, home_assistant)
        lines = log.lines.setdefault(threading.get_ident(), [])
        lines.clear()  # of a row that had this thread before
        started = time.monotonic()
        answer = bridge.answer(event(fault.directive), StubContext(fault.remaining_ms))
        seconds = time.monotonic() - started
        home_assistant.close()
        return Outcome(answer, seconds, len(server.requests), "\n".join(lines))


ROWS = [
    pytest.param(
        fault.waits, name, marks=[pytest.mark.slow] if fault.waits else [], id=name
    )
    for name, fault in FAULTS.items()
]


@pytest.mark.parametrize(
    ("outcomes", "name"), ROWS, indirect=["outcomes"], scope="module"
)
def test_fault(name: str, outcomes: dict[str, Outcome]) -> None:
    """The right error, in time, without a second request and without a leak."""
    fault, outcome = FAULTS[name], outcomes[name]
    if fault.failure is None:
        assert outcome.answer["event"]["header"]["name"] == "Response"
    else:
        expected = fault.failure.error_type
        if fault.directive == "accept_grant":
            expected = ErrorType.ACCEPT_GRANT_FAILED
        assert_error(outcome.answer, expected, event(fault.directive))
        assert fault.failure.cause in outcome.answer["event"]["payload"]["message"]
        assert fault.failure.cause in outcome.log
    if fault.remaining_ms > BUSY_MS:
        given_s = (fault.remaining_ms + BUSY_MS) / 1000
        assert outcome.seconds < min(ALEXA_S, given_s)
    assert outcome.requests == fault.requests
    shown = outcome.log
    if fault.failure is not None:  # its own answer echoes nothing secret
        shown += outcome.answer["event"]["payload"]["message"]
    assert not [secret for secret in (*SECRETS, "hunter2") if secret in shown]


def test_every_failure_of_the_way_is_in_the_matrix() -> None:
    """A new row of the table needs a row here."""
    elsewhere = {
        # What is wrong before anything is sent: tests/unit.
        Failure.NOT_A_DIRECTIVE,
        Failure.WRONG_PAYLOAD_VERSION,
        Failure.NO_SCOPE,
        Failure.WRONG_SCOPE_TYPE,
        Failure.NO_TOKEN,
        Failure.UNSENDABLE_TOKEN,
        Failure.WRONG_SETTING,
        Failure.SECRET_UNAVAILABLE,
        Failure.UNEXPECTED,
        # Needs a token with a date: test_tokens. Needs a network without routes.
        Failure.EXPIRED_TOKEN,
        Failure.NO_ROUTE,
        # Each row of the two tables: test_who.
        *(row.failure for row in ANSWERERS),
        *(row.failure for row in NETWORK_ERRORS),
    }
    assert {fault.failure for fault in FAULTS.values()} >= set(Failure) - elsewhere


@pytest.mark.slow
def test_a_gzip_bomb_does_not_eat_the_memory() -> None:
    """A megabyte that unpacks to a gigabyte is given up at six."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    megabyte = b" " * 2**20
    bomb = b"".join(packer.compress(megabyte) for _ in range(1024)) + packer.flush()
    with Server((reply(200, bomb, GZIP),)) as server:
        settings = Settings.from_environ({"BASE_URL": server.url})
        home_assistant = HomeAssistant(Connector(settings.address))
        bridge = Bridge(settings, home_assistant)
        tracemalloc.start()
        answer = bridge.answer(event("turn_on"))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        home_assistant.close()
    assert_error(answer, ErrorType.INTERNAL_ERROR, event("turn_on"))
    assert peak < 100 * 2**20
