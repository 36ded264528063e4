"""Hundreds of directives through homes that fail in every way, in an order by lot.

The lots are drawn from fixed seeds, so that what fails once fails again; a home lives
through its directives one after the other, and all homes live side by side.
"""

import contextlib
import random
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from tests.fakes.behaviours import (
    after,
    answer_directive,
    hang_up,
    raw,
    reset,
    response,
    silence,
)
from tests.fakes.server import Behaviour, Exchange
from tests.fakes.tls import Authority
from tests.wire.delivery import (
    ASKS,
    BUSY_S,
    KINDS,
    RESERVE_S,
    WARM,
    Event,
    Stage,
    id_of,
    is_answered,
    numbered,
    stage,
)

HOMES, DIRECTIVES = 32, 12

#: What Lambda leaves for each directive: twice what the slowest home that answers
#: takes, for a machine that has much else to do.
REMAINING_MS = 5000
BUDGET_S = REMAINING_MS / 1000 - RESERVE_S


@dataclass
class Plan:
    """What the home does with what it reads; by default it answers."""

    behaviours: list[Behaviour] = field(default_factory=list)

    def __call__(self, exchange: Exchange) -> None:
        behave = self.behaviours.pop(0) if self.behaviours else answer_directive
        behave(exchange)


class Trouble(NamedTuple):
    """One way to fail.

    Args:
        happens: What happens to the way, before the directive.
        script: What the home does with what it reads.
        is_answered: The directive cannot have been lost: whatever it is, its answer
            must come back.
    """

    happens: Callable[[Stage, random.Random], None] | None = None
    script: tuple[Behaviour, ...] = ()
    is_answered: bool = False


def ends_unseen(here: Stage, lot: random.Random) -> None:
    here.server.end_unseen(with_reset=lot.random() < 0.5).heal()


def ends_and_is_told_late(here: Stage, lot: random.Random) -> None:
    client = here.server.end_unseen(with_reset=True)
    here.later(lot.uniform(0.1, 1.0), client.heal)


def vanishes(here: Stage, _lot: random.Random) -> None:
    here.lose_connection()


def vanishes_for_long(here: Stage, lot: random.Random) -> None:
    here.lose_connection(lot.uniform(1.6, 3.4))


def hiccups(here: Stage, lot: random.Random) -> None:
    here.lose_connection(lot.uniform(0.05, 1.0))


def is_away(here: Stage, lot: random.Random) -> None:
    here.lose_everything(lot.uniform(0.1, 2.9))


def vanishes_then_resets(here: Stage, lot: random.Random) -> None:
    here.lose_connection()
    seconds = lot.uniform(0.1, 1.2)
    here.later(seconds, here.server.end, here.server.newest(), with_reset=True)


def is_seen_to_end(here: Stage, lot: random.Random) -> None:
    here.server.end(here.server.newest(), with_reset=lot.random() < 0.5)


ANSWER = b'{"event": {"header": {"name": "Response"}, "payload": {}}}'
TROUBLES = (
    Trouble(is_answered=True),
    Trouble(is_seen_to_end, is_answered=True),
    Trouble(ends_unseen, is_answered=True),
    Trouble(ends_and_is_told_late, is_answered=True),
    Trouble(vanishes_then_resets, is_answered=True),
    Trouble(hiccups, is_answered=True),
    Trouble(None, (after(0.7, answer_directive),), is_answered=True),
    Trouble(None, (after(2.4, answer_directive),), is_answered=True),
    Trouble(is_away),
    Trouble(vanishes),
    Trouble(vanishes_for_long),
    Trouble(None, (reset,)),
    Trouble(None, (hang_up,)),
    Trouble(None, (reset, reset)),
    Trouble(None, (after(0.5, reset),)),
    Trouble(None, (after(2.2, hang_up), after(0.5, answer_directive))),
    Trouble(None, (silence,)),
    Trouble(None, (silence, silence)),
    Trouble(None, (after(2.8, answer_directive), silence)),
    Trouble(None, (raw(response(200, ANSWER)[:-9]),)),
    Trouble(None, (raw(response(200, ANSWER)[:9]),)),
    Trouble(ends_unseen, (reset,)),
    Trouble(hiccups, (silence,)),
    Trouble(is_away, (after(0.6, answer_directive),)),
)


class Outcome(NamedTuple):
    """What came of a directive."""

    what: str
    directive: Event
    answer: Event
    seconds: float
    trouble: Trouble


class Life(NamedTuple):
    """What came of all directives of a home, and what it has read."""

    outcomes: list[Outcome]
    received: list[str]


def live(seed: int, tls: ssl.SSLContext) -> Life:
    """Let a home fail again and again."""
    lot, plan = random.Random(seed), Plan()  # noqa: S311 - lots, no secrets
    outcomes = []
    with stage(plan, tls=tls if seed % 2 else None) as here:
        for _ in range(DIRECTIVES):
            what, directive = lot.choice(list(KINDS.values()))
            directive = numbered(directive)
            trouble = lot.choice(TROUBLES)
            if lot.random() < 0.2:
                here.ask(WARM, REMAINING_MS)
            time.sleep(0.05)  # for the acknowledgements of what was before
            plan.behaviours[:] = trouble.script
            # There may be no connection now, and so none that could vanish.
            with contextlib.suppress(LookupError):
                if trouble.happens:
                    trouble.happens(here, lot)
            started = time.monotonic()
            answer = here.ask(directive, REMAINING_MS)
            seconds = time.monotonic() - started
            outcomes.append(Outcome(what, directive, answer, seconds, trouble))
            here.wait_for_later()
            plan.behaviours.clear()
            here.heal()
        time.sleep(2)  # for what might still come
        received = here.received()
    return Life(outcomes, received)


@pytest.fixture(scope="module")
def lives(authority: Authority) -> Iterator[list[Life]]:
    tls = authority.server("127.0.0.1")
    with ThreadPoolExecutor(HOMES) as pool:
        yield list(pool.map(live, range(HOMES), [tls] * HOMES))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(HOMES))
class TestLife:
    """What holds whatever happens."""

    def test_nothing_that_acts_is_read_twice(
        self, seed: int, lives: list[Life]
    ) -> None:
        """And what was answered has been read."""
        outcomes, received = lives[seed]
        for one in outcomes:
            times = received.count(id_of(one.directive))
            if is_answered(one.answer, one.directive):
                assert times >= 1, one
            if one.what != ASKS:
                assert times <= 1, one

    def test_nothing_is_read_after_a_later_directive(
        self, seed: int, lives: list[Life]
    ) -> None:
        """The home reads them in the order in which they were asked."""
        outcomes, received = lives[seed]
        order = [id_of(one.directive) for one in outcomes]
        places = [order.index(message_id) for message_id in received]
        assert places == sorted(places)

    def test_every_answer_is_in_time_and_its_own(
        self, seed: int, lives: list[Life]
    ) -> None:
        """Home Assistant's or an error, with the correlationToken of the directive."""
        for one in lives[seed].outcomes:
            is_answered(one.answer, one.directive)
            assert one.seconds < BUDGET_S + BUSY_S, one

    def test_what_cannot_have_been_lost_is_answered(
        self, seed: int, lives: list[Life]
    ) -> None:
        """Provably not read, and a home that is there: whatever the directive is."""
        for one in lives[seed].outcomes:
            if one.trouble.is_answered:
                assert is_answered(one.answer, one.directive), one


@pytest.mark.slow
def test_every_trouble_is_met(lives: list[Life]) -> None:
    """The lots leave out none, neither of what happens nor of what is asked."""
    outcomes = [one for life in lives for one in life.outcomes]
    assert {id(one.trouble) for one in outcomes} == {id(one) for one in TROUBLES}
    assert {one.what for one in outcomes} == {what for what, _ in KINDS.values()}
