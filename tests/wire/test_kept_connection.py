"""The kept connection, and the ways in which it dies while nobody looks."""

import gc
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FunctionType, ModuleType
from typing import Any

import pytest

from ha_bridge.errors import ErrorType
from tests.directives import CORRELATION_TOKEN, SECRETS, changed, event
from tests.fakes.behaviours import (
    after,
    answer_directive,
    hang_up,
    raw,
    reply,
    reset,
    response,
    silence,
)
from tests.fakes.clock import Clock
from tests.fakes.server import Behaviour, Exchange, Server
from tests.fakes.tls import Authority
from tests.fakes.transport import StubContext
from tests.oracle import assert_error
from tests.wire.conftest import MakeBridge
from tests.wire.test_faults import ALEXA_S, ANSWER

TURN_ON = event("turn_on")
ADJUST = event("adjust_brightness")
#: It only asks, and may be sent twice.
REPORT = event("report_state")

#: What acts: each does something, and some do more the second time.
ACTING = [TURN_ON, ADJUST, event("activate_scene"), event("accept_grant")]
NAMES = ["turn on", "adjust", "activate", "accept grant"]


def is_answered(answer: dict[str, dict[str, dict[str, str]]]) -> bool:
    return answer["event"]["header"]["name"] == "Response"


@pytest.fixture(params=["http", "https"])
def make_server(
    request: pytest.FixtureRequest, authority: Authority
) -> Callable[..., Server]:
    """Each of these holds with TLS and without."""
    tls = authority.server("127.0.0.1") if request.param == "https" else None

    def make(*behaviours: Behaviour) -> Server:
        return Server(behaviours, tls=tls)

    return make


@pytest.mark.parametrize("with_reset", [False, True], ids=["FIN", "RST"])
def test_closed_while_idle_is_noticed_before_sending(
    make_bridge: MakeBridge, make_server: Callable[..., Server], with_reset: object
) -> None:
    """Even a directive that must not be sent twice is safe: nothing was sent."""
    with make_server(answer_directive) as server:
        bridge = make_bridge(server.url)
        assert is_answered(bridge.answer(TURN_ON))
        server.drop_connections(reset=bool(with_reset))
        time.sleep(0.1)  # for the FIN to arrive
        assert is_answered(bridge.answer(ADJUST))
    assert server.connections == 2
    assert len(server.requests) == 2


@pytest.mark.parametrize("death", [hang_up, reset], ids=["closed", "reset"])
def test_a_question_is_asked_again(
    make_bridge: MakeBridge, make_server: Callable[..., Server], death: Behaviour
) -> None:
    """Read, and then nothing came back: asked once more, on a new connection."""
    with make_server(answer_directive, death, answer_directive) as server:
        bridge = make_bridge(server.url)
        assert is_answered(bridge.answer(TURN_ON))
        assert is_answered(bridge.answer(REPORT))
        assert [one.connection for one in server.requests] == [1, 1, 2]


@pytest.mark.parametrize("death", [hang_up, reset], ids=["closed", "reset"])
@pytest.mark.parametrize("directive", ACTING, ids=NAMES)
def test_a_directive_that_acts_is_never_sent_twice(
    make_bridge: MakeBridge,
    make_server: Callable[..., Server],
    death: Behaviour,
    directive: dict[str, object],
) -> None:
    """Dimmed twice is too dark; better to say that it failed."""
    with make_server(answer_directive, death, answer_directive) as server:
        bridge = make_bridge(server.url)
        bridge.answer(TURN_ON)
        assert_error(bridge.answer(directive), event=directive)
        assert len(server.requests) == 2
        assert is_answered(bridge.answer(TURN_ON)), "the next directive is unharmed"


def test_a_home_that_always_hangs_up(make_bridge: MakeBridge) -> None:
    """A command is sent once, a question once more, and not for ever."""
    with Server((answer_directive, hang_up)) as server:
        bridge = make_bridge(server.url)
        bridge.answer(TURN_ON)
        answer = bridge.answer(TURN_ON)
        assert_error(answer, ErrorType.BRIDGE_UNREACHABLE, TURN_ON)
        assert len(server.requests) == 2
        question = event("report_state")
        answer = bridge.answer(question)
        assert_error(answer, ErrorType.BRIDGE_UNREACHABLE, question)
        assert len(server.requests) == 2 + 2


def test_a_new_connection_gets_no_second_try(make_bridge: MakeBridge) -> None:
    """What fails on a fresh connection is no stale one: the home has a problem."""
    with Server((hang_up,)) as server:
        answer = make_bridge(server.url).answer(TURN_ON)
        assert_error(answer, ErrorType.BRIDGE_UNREACHABLE, TURN_ON)
        assert len(server.requests) == 1


def test_an_answer_that_has_begun_is_not_asked_for_again(
    make_bridge: MakeBridge,
) -> None:
    """Home Assistant has done it; only the report was cut off."""
    cut = raw(response(200, ANSWER, length=len(ANSWER) + 9))
    with Server((answer_directive, cut, answer_directive)) as server:
        bridge = make_bridge(server.url)
        bridge.answer(TURN_ON)
        assert_error(bridge.answer(TURN_ON), event=TURN_ON)
        assert len(server.requests) == 2


def vanish(exchange: Exchange) -> None:
    """Answer, and then be gone: no packet is acknowledged any more."""
    answer_directive(exchange)
    # After the client's acknowledgment, for that belongs to this answer.
    exchange.pause(0.2)
    exchange.vanish()


HOLES = {
    # Packets vanish: the router forgot the connection, or the home has moved.
    "vanishing packets": (vanish, answer_directive),
    # Something on the way still acknowledges for a home that is gone.
    "an acknowledging hole": (answer_directive, silence, answer_directive),
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds it out by Linux's means")
@pytest.mark.parametrize("hole", HOLES)
def test_a_black_hole_is_found_out_inside_the_budget(
    hole: str, make_bridge: MakeBridge, make_server: Callable[..., Server]
) -> None:
    """A question is answered all the same, over a new connection."""
    with make_server(*HOLES[hole]) as server:
        bridge = make_bridge(server.url)
        assert is_answered(bridge.answer(TURN_ON))
        time.sleep(0.5)
        started = time.monotonic()
        assert is_answered(bridge.answer(REPORT))
        assert time.monotonic() - started < ALEXA_S - 1
        before = server.connections
        assert is_answered(bridge.answer(ADJUST)), "the next directive is unharmed"
        assert server.connections == before == 2


@pytest.mark.slow
def test_a_one_shot_directive_in_a_black_hole_fails_in_time(
    make_bridge: MakeBridge,
) -> None:
    """It may have arrived, so it is not sent again; Alexa is told before she leaves."""
    with Server(HOLES["an acknowledging hole"]) as server:
        bridge = make_bridge(server.url)
        bridge.answer(TURN_ON)
        started = time.monotonic()
        answer = bridge.answer(ADJUST)
        assert time.monotonic() - started < ALEXA_S
        assert_error(answer, ErrorType.BRIDGE_UNREACHABLE, ADJUST)
        assert len(server.requests) == 2
        assert is_answered(bridge.answer(TURN_ON)), "the next directive is unharmed"


@pytest.mark.slow
def test_a_slow_home_is_waited_for_on_a_kept_connection(
    make_bridge: MakeBridge,
) -> None:
    """Asked a second time after two seconds, the first answer still counts."""
    slow = after(5, answer_directive)
    with Server((answer_directive, slow, silence)) as server:
        bridge = make_bridge(server.url)
        bridge.answer(TURN_ON)
        assert is_answered(bridge.answer(REPORT))
        assert len(server.requests) == 3


@pytest.mark.slow
def test_a_directive_is_never_sent_after_its_answer(
    make_bridge: MakeBridge, authority: Authority
) -> None:
    """The second try of a question that comes late is not sent any more."""
    handshakes = 0

    def slow_second_handshake(_sock: object, stopping: threading.Event) -> None:
        nonlocal handshakes
        handshakes += 1
        if handshakes == 2:
            stopping.wait(2)

    tls = authority.server("127.0.0.1")
    script = (answer_directive, after(3, answer_directive), answer_directive)
    with Server(script, tls=tls, on_accept=slow_second_handshake) as server:
        bridge = make_bridge(server.url)
        assert is_answered(bridge.answer(TURN_ON))
        assert is_answered(bridge.answer(REPORT)), "after three seconds"
        assert is_answered(bridge.answer(event("turn_off")))
        time.sleep(3)  # the second handshake is over by now
        names = [one.json["directive"]["header"]["name"] for one in server.requests]
    assert names == ["TurnOn", "ReportState", "TurnOff"]


def test_an_early_status_is_not_taken_for_the_answer(make_bridge: MakeBridge) -> None:
    """After a 103 comes another; the next directive must not get it."""

    def early(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        exchange.pause(0.2)
        answer_directive(exchange)

    with Server((early, answer_directive)) as server:
        bridge = make_bridge(server.url)
        first = changed(TURN_ON, "directive.header.correlationToken", "first")
        assert_error(bridge.answer(first), ErrorType.BRIDGE_UNREACHABLE, first)
        time.sleep(0.4)
        answer = bridge.answer(TURN_ON)
        assert answer["event"]["header"]["correlationToken"] == CORRELATION_TOKEN


@pytest.mark.slow
def test_no_answer_is_given_to_another_directive(make_bridge: MakeBridge) -> None:
    """The late answer to the first is never taken for that to the second."""
    late = after(4, answer_directive)
    with Server((answer_directive, late, answer_directive)) as server:
        bridge = make_bridge(server.url)
        for number in range(4):
            token = f"correlation-{number}"
            directive = changed(TURN_ON, "directive.header.correlationToken", token)
            answer = bridge.answer(directive)
            assert answer["event"]["header"]["correlationToken"] == token
            if number == 2:
                time.sleep(3)  # let the late answer arrive


def test_an_answer_nobody_asked_for_is_never_used(make_bridge: MakeBridge) -> None:
    """Two answers to one request: the connection is given up, not the order."""

    def twice(exchange: Exchange) -> None:
        answer_directive(exchange)
        exchange.pause(0.2)
        exchange.send(response(200, ANSWER))

    with Server((twice, answer_directive)) as server:
        bridge = make_bridge(server.url)
        bridge.answer(TURN_ON)
        time.sleep(0.5)
        answer = bridge.answer(TURN_ON)
        assert answer["event"]["header"]["correlationToken"] == CORRELATION_TOKEN
        assert server.connections == 2


def test_a_home_that_restarts(make_bridge: MakeBridge) -> None:
    """Stopping (503), loading (404), and back: each said as it is, then answered."""
    stages = (answer_directive, reply(503), reply(404, b"404: Not Found"))
    with Server((*stages, answer_directive)) as server:
        bridge = make_bridge(server.url)
        assert is_answered(bridge.answer(TURN_ON))
        assert_error(bridge.answer(TURN_ON), ErrorType.BRIDGE_UNREACHABLE, TURN_ON)
        assert_error(bridge.answer(TURN_ON), ErrorType.INTERNAL_ERROR, TURN_ON)
        assert is_answered(bridge.answer(TURN_ON))


def test_a_home_that_goes_away_and_returns(make_bridge: MakeBridge) -> None:
    """Refused while it is down; the next directive after its return is answered."""
    with Server((answer_directive,)) as server:
        bridge = make_bridge(server.url)
        assert is_answered(bridge.answer(TURN_ON))
        server.stop_listening()
        server.drop_connections()
        time.sleep(0.1)
        answer = bridge.answer(ADJUST, StubContext(1000))
        assert_error(answer, ErrorType.BRIDGE_UNREACHABLE, ADJUST)
    with Server((answer_directive,), port=server.port):
        assert is_answered(bridge.answer(ADJUST))


# -- how long it is kept ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("moved_s", "connections"),
    [(50, [1, 1]), (75, [1, 2]), (3600, [1, 2]), (-3600, [1, 2])],
    ids=["50 s", "75 s", "an hour", "an hour back"],
)
def test_an_idle_connection_has_its_time(
    make_bridge: MakeBridge, clock: Clock, moved_s: float, connections: list[int]
) -> None:
    """Routers and proxies forget after a minute; a clock that went back tells nothing.

    The wall clock counts, because it goes on while Lambda has the function frozen.
    """
    with Server((answer_directive,)) as server:
        bridge = make_bridge(server.url)
        assert is_answered(bridge.answer(TURN_ON))
        clock.moved_s += moved_s
        assert is_answered(bridge.answer(ADJUST))
    assert [one.connection for one in server.requests] == connections


def test_each_answer_renews_its_time(make_bridge: MakeBridge, clock: Clock) -> None:
    """A home that is spoken to every 40 s needs one connection."""
    with Server((answer_directive,)) as server:
        bridge = make_bridge(server.url)
        for _ in range(4):
            assert is_answered(bridge.answer(ADJUST))
            clock.moved_s += 40
    assert server.connections == 1


# -- whose answer it is ----------------------------------------------------------------


def correlated(token: str) -> dict[str, Any]:
    return changed(TURN_ON, "directive.header.correlationToken", token)


def answer_to(token: str) -> bytes:
    header = {"namespace": "Alexa", "name": "Response", "correlationToken": token}
    return response(200, json.dumps({"event": {"header": header}}).encode())


@pytest.mark.parametrize("directive", ["stale alone", "stale, then right"])
def test_a_stale_answer_is_told_by_its_correlation_token(
    make_bridge: MakeBridge, directive: str
) -> None:
    """It comes when the next directive is on its way: an error, or the right one."""

    def behave(exchange: Exchange) -> None:
        exchange.send(answer_to("one"))
        if directive == "stale, then right":
            exchange.send(answer_to("two"))

    with Server((answer_directive, behave, answer_directive)) as server:
        bridge = make_bridge(server.url)
        for token in ("one", "two", "three"):
            answer = bridge.answer(asked := correlated(token))
            assert answer["event"]["header"]["correlationToken"] == token
            if token == "two" and not is_answered(answer):
                assert_error(answer, event=asked)
        assert is_answered(answer)
        assert server.requests[-1].connection == 2, "what follows it is not trusted"


def test_an_answer_without_a_correlation_token_is_taken(
    make_bridge: MakeBridge,
) -> None:
    """Only where both have one can they differ."""
    bare = reply(200, ANSWER)
    with Server((bare,)) as server:
        assert is_answered(make_bridge(server.url).answer(TURN_ON))


# -- what it holds ---------------------------------------------------------------------


def held_by(root: object) -> Iterator[object]:
    """Yield what an object leads to, code and modules left out."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, ModuleType | FunctionType | type):
            continue
        seen.add(id(one))
        yield one
        waiting += gc.get_referents(one)


def test_the_last_answer_is_not_held(make_bridge: MakeBridge) -> None:
    """A home of thousands of endpoints, and 128 MB."""
    answer = json.dumps({"event": {"header": {}, "x": "y" * 5_000_000}}).encode()
    with Server((reply(200, answer),)) as server:
        bridge = make_bridge(server.url)
        bridge.answer(event("discovery"))
        texts = [one for one in held_by(bridge) if isinstance(one, bytes | str)]
    assert texts, "it leads somewhere"
    assert max(map(len, texts)) < 1_000_000


def test_no_object_of_ours_shows_a_secret(make_bridge: MakeBridge) -> None:
    """Whoever prints frames, as error reporters do, prints their reprs."""
    asking = threading.get_ident()
    shown: list[str] = []

    def look(exchange: Exchange) -> None:
        frame = sys._current_frames()[asking]
        found: list[object] = []
        while frame.f_back:
            found += frame.f_locals.values()
            frame = frame.f_back
        shown.extend(
            repr(one) for one in found if type(one).__module__.startswith("ha_bridge")
        )
        answer_directive(exchange)

    with Server((look, look)) as server:
        bridge = make_bridge(server.url)
        bridge.answer(TURN_ON)
        bridge.answer(TURN_ON)
    assert shown
    assert not [text for text in shown for secret in SECRETS if secret in text]


@pytest.mark.slow
def test_a_bridge_that_is_closed_leaves_nothing_open(make_bridge: MakeBridge) -> None:
    """A command that has used the function ends its connection politely."""
    with Server((answer_directive,)) as server:
        bridge = make_bridge(server.url)
        bridge.answer(TURN_ON)
        assert len(server.open_connections()) == 1
        bridge.close()
        with pytest.raises(LookupError):  # noqa: PT012 - as soon as there is none
            while server.open_connections():
                time.sleep(0.001)


def test_fifty_environments_at_once(make_bridge: MakeBridge) -> None:
    """Each gets the answers to its own directives."""
    everybody = threading.Barrier(50)

    def live(number: int, url: str) -> bool:
        bridge = make_bridge(url)
        everybody.wait(60)
        for turn in range(10):
            token = f"correlation-{number}-{turn}"
            directive = changed(TURN_ON, "directive.header.correlationToken", token)
            answer = bridge.answer(directive)
            if answer["event"]["header"].get("correlationToken") != token:
                return False
            if not is_answered(answer):
                return False
        return True

    with Server((answer_directive,)) as server, ThreadPoolExecutor(50) as pool:
        assert all(pool.map(live, range(50), [server.url] * 50))
    assert server.connections == 50
    assert len(server.requests) == 500


@pytest.mark.skipif(sys.platform != "linux", reason="finds it out by Linux's means")
def test_an_answer_written_before_the_request_arrived_is_none(
    make_bridge: MakeBridge, make_server: Callable[..., Server]
) -> None:
    """A proxy ends an idle connection with a 408 that crosses the request."""

    def time_out(exchange: Exchange) -> None:
        answer_directive(exchange)
        exchange.pause(0.2)
        exchange.vanish()  # what is sent from now on does not arrive
        exchange.pause(0.5)
        exchange.send(response(408, b"408 Request Time-out"))
        exchange.pause(0.2)
        exchange.reset()

    with make_server(time_out, answer_directive) as server:
        bridge = make_bridge(server.url)
        bridge.answer(TURN_ON)
        time.sleep(0.4)
        assert is_answered(bridge.answer(event("unlock")))
        names = [one.json["directive"]["header"]["name"] for one in server.requests]
    assert names == ["TurnOn", "Unlock"]
