"""Connecting: nothing has been sent yet, so there is all the time of the budget."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ha_bridge.bridge import Bridge
from ha_bridge.connection import Connector
from ha_bridge.home_assistant import HomeAssistant
from ha_bridge.settings import Settings
from tests.directives import event
from tests.fakes import paths, resolver
from tests.fakes.behaviours import answer_directive, drip
from tests.fakes.clock import Clock
from tests.fakes.server import Server
from tests.fakes.tls import Authority
from tests.fakes.transport import StubContext
from tests.wire.conftest import MakeBridge
from tests.wire.delivery import BUSY_S, Event, Stage, is_answered, numbered, stage

NAME = "home.example.org"
TURN_ON, UNLOCK = event("turn_on"), event("unlock")

#: Addresses of this machine, beside the usual one.
DEAD = ("127.0.0.2", "127.0.0.3", "127.0.0.4")


@contextlib.contextmanager
def dead(*addresses: str, port: int) -> Iterator[list[Server]]:
    """Let these addresses lose every packet, at the port of another."""
    with contextlib.ExitStack() as stack:
        servers = [
            Server((answer_directive,), bind=address, port=port)
            for address in addresses
        ]
        for server in servers:
            paths.lose_all(server.listener)
            stack.enter_context(server)
        yield servers


@contextlib.contextmanager
def named_home(
    answers: resolver.Answers, tls: ssl.SSLContext | None = None
) -> Iterator[Stage]:
    """A home that is known by name."""
    scheme = "https" if tls else "http"
    with (
        resolver.names({NAME: answers}),
        stage(tls=tls, url=f"{scheme}://{NAME}:{{port}}") as here,
    ):
        yield here


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    started = time.monotonic()
    return act(), time.monotonic() - started


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_dead_addresses_before_the_live_one_cost_under_a_second(
    count: int, scheme: str, authority: Authority
) -> None:
    """They are tried side by side, and nothing has been sent to any but one."""
    tls = authority.server(NAME) if scheme == "https" else None
    with (
        named_home([[*DEAD[:count], "127.0.0.1"]], tls) as here,
        dead(*DEAD[:count], port=here.server.port),
    ):
        directive = numbered(UNLOCK)
        answer, seconds = timed(lambda: here.ask(directive))
        assert is_answered(answer, directive)
        assert seconds < 1 + BUSY_S / 2
        assert len(here.server.requests) == 1


def test_the_address_that_answered_is_remembered() -> None:
    """A dead one is paid for once, and not at each reconnect."""
    with (
        named_home([[DEAD[0], "127.0.0.1"]]) as here,
        dead(DEAD[0], port=here.server.port) as [other],
    ):
        assert is_answered(here.ask(first := numbered(TURN_ON)), first)
        time.sleep(0.2)
        before = other.connections
        paths.heal(other.listener)  # from now on it could be had too
        here.server.drop_connections()
        time.sleep(0.1)
        assert is_answered(here.ask(second := numbered(UNLOCK)), second)
        assert other.connections == before
        assert len(here.server.requests) == 2


def test_a_remembered_address_that_is_gone_is_left(make_bridge: MakeBridge) -> None:
    """Home addresses move: the name is asked again, and all are tried."""
    with Server((answer_directive,), bind=DEAD[0]) as old:
        answers: resolver.Answers = [[DEAD[0]], ["127.0.0.1"]]
        with (
            resolver.names({NAME: answers}),
            Server((answer_directive,), port=old.port) as new,
        ):
            bridge = make_bridge(f"http://{NAME}:{old.port}")
            assert is_answered(bridge.answer(TURN_ON), TURN_ON)
            old.stop_listening()
            old.drop_connections()
            time.sleep(0.1)
            assert is_answered(bridge.answer(UNLOCK), UNLOCK)
            assert len(new.requests) == 1


@pytest.mark.slow
def test_a_loser_is_closed() -> None:
    """The home is not left with a connection that nobody uses."""
    with (
        named_home([[DEAD[0], "127.0.0.1"]]) as here,
        dead(DEAD[0], port=here.server.port) as [other],
    ):
        assert is_answered(here.ask(TURN_ON), TURN_ON)
        paths.heal(other.listener)
        time.sleep(1.5)  # its second SYN would have come by now
        with pytest.raises(LookupError):
            other.open_connections()
        assert other.requests == []


@pytest.mark.slow
def test_all_addresses_dead_is_an_error_in_time() -> None:
    """However many there are."""
    with (
        named_home([list(DEAD)]) as here,
        dead(*DEAD, port=here.server.port),
    ):
        answer, seconds = timed(lambda: here.ask(TURN_ON, 3500))
        assert not is_answered(answer, TURN_ON)
        assert answer["event"]["payload"]["type"] == "BRIDGE_UNREACHABLE"
        assert seconds < 3 + BUSY_S


def test_a_refusing_address_is_passed_over() -> None:
    """At once: nothing has been sent to it."""
    with named_home([[DEAD[0], "127.0.0.1"]]) as here:
        answer, seconds = timed(lambda: here.ask(UNLOCK))
        assert is_answered(answer, UNLOCK)
        assert seconds < 1


@pytest.mark.parametrize("directive", [TURN_ON, UNLOCK, event("discovery")])
def test_a_resolver_that_fails_once_is_asked_again(directive: Event) -> None:
    """EAI_AGAIN says so itself; nothing has been sent."""
    again = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    with named_home([again, ["127.0.0.1"]]) as here:
        assert is_answered(here.ask(directive), directive)
        assert len(here.server.requests) == 1


@pytest.mark.slow
def test_a_resolver_that_fails_for_good_is_an_error_in_time() -> None:
    """Of a type that says that the home cannot be reached."""
    again = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    with named_home([again]) as here:
        answer, seconds = timed(lambda: here.ask(TURN_ON, 3000))
        assert not is_answered(answer, TURN_ON)
        assert "name" in answer["event"]["payload"]["message"]
        assert seconds < 2.5 + BUSY_S


def test_the_first_error_is_told_and_not_the_last(make_bridge: MakeBridge) -> None:
    """Where the kernel has no IPv6, that says nothing about the home."""
    with resolver.names({NAME: [["127.0.0.1", "unknown"]]}):
        bridge = make_bridge(f"http://{NAME}:1")
        answer = bridge.answer(TURN_ON, StubContext(800))
    assert "refused" in answer["event"]["payload"]["message"]


def test_an_address_that_this_machine_cannot_reach_is_told_as_such(
    make_bridge: MakeBridge,
) -> None:
    """A name that has only an IPv6 address, say."""
    with resolver.names({NAME: [["unknown"]]}):
        answer = make_bridge(f"http://{NAME}").answer(TURN_ON, StubContext(800))
    assert not is_answered(answer, TURN_ON)
    assert "cannot be reached" in answer["event"]["payload"]["message"]
    assert answer["event"]["payload"]["type"] == "BRIDGE_UNREACHABLE"


def test_a_trailing_dot_is_no_part_of_the_certificates_name(
    authority: Authority, make_bridge: MakeBridge
) -> None:
    """DNS takes it for the end of a full name; certificates never have it."""
    tls = authority.server(NAME)
    known: dict[str, resolver.Answers] = {
        NAME: [["127.0.0.1"]],
        f"{NAME}.": [["127.0.0.1"]],
    }
    with resolver.names(known), Server((answer_directive,), tls=tls) as server:
        bridge = make_bridge(f"https://{NAME}.:{server.port}")
        assert is_answered(bridge.answer(TURN_ON), TURN_ON)


@pytest.mark.slow
@pytest.mark.parametrize("directive", [TURN_ON, event("report_state")])
def test_no_connection_is_opened_after_the_deadline(directive: Event) -> None:
    """Nobody would hear what comes of it."""
    slow = drip(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 30, 6, 0.3)
    with stage(answer_directive, slow) as here:
        assert is_answered(here.ask(TURN_ON), TURN_ON)
        assert not is_answered(here.ask(directive, 1500), directive)
        time.sleep(0.5)
        assert here.server.connections == 1
        assert len(here.server.requests) == 2


# -- the attempt ahead -----------------------------------------------------------------


class Ahead:
    """A bridge whose connection is opened ahead, as at import."""

    def __init__(self, url: str) -> None:
        settings = Settings.from_environ({"BASE_URL": url})
        connector = Connector(settings.address, verify_tls=settings.verify_tls)
        connector.open_ahead()
        self._transport = HomeAssistant(connector)
        self._bridge = Bridge(settings, self._transport)

    def ask(self, directive: Event) -> tuple[Event, float]:
        try:
            return timed(lambda: self._bridge.answer(directive))
        finally:
            self._transport.close()


def test_an_old_connection_ahead_is_not_used(clock: Clock) -> None:
    """Lambda may have prepared the environment hours before it was needed."""
    with Server((answer_directive,)) as server:
        ahead = Ahead(server.url)
        time.sleep(0.3)
        assert server.connections == 1
        clock.moved_s = 3600
        answer, _ = ahead.ask(UNLOCK)
        assert is_answered(answer, UNLOCK)
        assert [one.connection for one in server.requests] == [2]


def test_a_young_connection_ahead_is_used(clock: Clock) -> None:
    """Some seconds between import and directive are usual."""
    with Server((answer_directive,)) as server:
        ahead = Ahead(server.url)
        time.sleep(0.3)
        clock.moved_s = 30
        answer, _ = ahead.ask(UNLOCK)
        assert is_answered(answer, UNLOCK)
        assert [one.connection for one in server.requests] == [1]


def test_an_old_attempt_ahead_is_not_waited_for(
    authority: Authority, clock: Clock
) -> None:
    """Frozen in the middle of its handshake, and an hour old: of no use."""

    def hang_once(_sock: object, stopping: threading.Event) -> None:
        if server.connections == 1:
            stopping.wait(20)

    tls = authority.server("127.0.0.1")
    with Server((answer_directive,), tls=tls, on_accept=hang_once) as server:
        ahead = Ahead(server.url)
        time.sleep(0.3)
        clock.moved_s = 3600
        answer, seconds = ahead.ask(UNLOCK)
        assert is_answered(answer, UNLOCK)
        assert seconds < 1.5


@pytest.mark.slow
@pytest.mark.parametrize("handshake_s", [2.5, 3.0])
def test_a_slow_attempt_ahead_is_raced_and_not_dropped(
    authority: Authority, handshake_s: float
) -> None:
    """What is nearly there is not begun anew."""

    def slow(_sock: object, stopping: threading.Event) -> None:
        stopping.wait(handshake_s)

    tls = authority.server("127.0.0.1")
    with Server((answer_directive,), tls=tls, on_accept=slow) as server:
        answer, seconds = Ahead(server.url).ask(UNLOCK)
        assert is_answered(answer, UNLOCK)
        assert handshake_s - 0.5 < seconds < handshake_s + 1.3
        assert len(server.requests) == 1


@pytest.mark.slow
def test_an_attempt_ahead_that_hangs_is_overtaken(authority: Authority) -> None:
    """A new one beside it has its own chance."""

    def hang_once(_sock: object, stopping: threading.Event) -> None:
        if server.connections == 1:
            stopping.wait(20)

    tls = authority.server("127.0.0.1")
    with Server((answer_directive,), tls=tls, on_accept=hang_once) as server:
        answer, seconds = Ahead(server.url).ask(UNLOCK)
        assert is_answered(answer, UNLOCK)
        assert seconds < 3.5
        assert len(server.requests) == 1
