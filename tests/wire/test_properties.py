"""Whatever bytes come back, however they are cut: one well-formed answer."""

import gzip
import json
import zlib
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ha_bridge.bridge import Bridge
from ha_bridge.connection import Connector
from ha_bridge.home_assistant import HomeAssistant
from ha_bridge.settings import Settings
from tests.directives import event
from tests.fakes.behaviours import reply, response
from tests.fakes.server import Behaviour, Exchange, Hangup, Server
from tests.fakes.transport import StubContext
from tests.oracle import assert_error, assert_event

TURN_ON = event("turn_on")
ANSWER: dict[str, Any] = {
    "event": {
        "header": {"namespace": "Alexa", "name": "Response", "payloadVersion": "3"},
        "payload": {"text": "ü" * 40},
    }
}
BODY = json.dumps(ANSWER).encode()


def ask(behaviour: Behaviour) -> dict[str, Any]:
    """Return the bridge's answer when the server behaves like this."""
    with Server((behaviour,)) as server:
        read = Settings.from_environ({"BASE_URL": server.url})
        home_assistant = HomeAssistant(Connector(read.address))
        answer = Bridge(read, home_assistant).answer(TURN_ON, StubContext(3000))
        home_assistant.close()
    return answer


def chunked(body: bytes) -> bytes:
    """Return an HTTP response whose body comes in one chunk, and then the last."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def cut(data: bytes, places: list[int], pauses: list[float]) -> Behaviour:
    """Send data in pieces, pausing between them."""

    def behave(exchange: Exchange) -> None:
        edges = [0, *sorted({place % len(data) for place in places}), len(data)]
        for index, (start, end) in enumerate(pairwise(edges)):
            exchange.send(data[start:end])
            exchange.pause(pauses[index % len(pauses)])

    return behave


WIRE = {
    "plain": response(200, BODY),
    "gzip": response(200, gzip.compress(BODY), {"Content-Encoding": "gzip"}),
    "two of gzip": response(
        200,
        gzip.compress(BODY[:20]) + gzip.compress(BODY[20:]),
        {"Content-Encoding": "X-GZip"},
    ),
    "deflate": response(200, zlib.compress(BODY), {"Content-Encoding": "deflate"}),
    "chunked": chunked(BODY),
}
several = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@several
@given(
    st.sampled_from(sorted(WIRE)),
    st.lists(st.integers(0, 10_000), max_size=8),
    st.lists(st.floats(0, 0.02), min_size=1, max_size=8),
)
def test_any_split_into_packets_gives_the_same_answer(
    kind: str, places: list[int], pauses: list[float]
) -> None:
    """TCP promises bytes, not packets."""
    assert ask(cut(WIRE[kind], places, pauses)) == ANSWER


@several
@given(st.binary(max_size=400))
def test_any_bytes_are_answered(data: bytes) -> None:
    """From a server that speaks something else, or nothing."""

    def behave(exchange: Exchange) -> None:
        exchange.send(data)
        raise Hangup

    assert_error(ask(behave), event=TURN_ON)


@several
@given(
    st.integers(200, 599).filter(lambda status: status not in (204, 304)),
    st.binary(max_size=200),
    st.dictionaries(
        st.sampled_from(
            ["Server", "Location", "Content-Encoding", "Connection", "Retry-After"]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
        max_size=3,
    ),
)
def test_any_response_is_answered(
    status: int, body: bytes, headers: dict[str, str]
) -> None:
    """Any status, body and headers."""
    assert_event(ask(reply(status, body, headers)))


@several
@given(st.sampled_from(sorted(WIRE)), st.integers(0, 10_000))
def test_a_broken_off_answer_is_never_taken_for_a_whole_one(
    kind: str, length: int
) -> None:
    """Cut anywhere before its end, it is an error."""
    data = WIRE[kind]
    # The very last bytes of a chunked body carry nothing; without them it is complete.
    kept = data[: length % (len(data) - 8)]

    def behave(exchange: Exchange) -> None:
        exchange.send(kept)
        raise Hangup

    assert_error(ask(behave), event=TURN_ON)
