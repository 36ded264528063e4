"""The rule of delivery: a command reaches the home once, never twice, never late.

What is known of the attempt that failed decides, and the kernel knows it.  A row of the
table is one way to fail, a column a kind of directive; each cell runs on real sockets,
with TLS and without. Most of them wait for something, so all run side by side, once.
"""

import functools
import select
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from tests.directives import event
from tests.fakes import paths
from tests.fakes.behaviours import (
    after,
    answer_directive,
    hang_up,
    raw,
    reset,
    response,
    silence,
)
from tests.fakes.server import Behaviour, Exchange, Hangup
from tests.fakes.tls import Authority
from tests.wire.delivery import (
    ACTS,
    ASKS,
    BUSY_S,
    KINDS,
    RESERVE_S,
    STATES,
    WARM,
    Event,
    Stage,
    id_of,
    is_answered,
    numbered,
    stage,
)

ANSWER = b'{"event": {"header": {"name": "Response"}, "payload": {}}}'


class Expected(NamedTuple):
    """What one kind of directive must come to.

    Args:
        answered: Home Assistant's answer comes back, else an error.
        read: How often the home has read the directive.
        at_least: Seconds until the answer.
        within: Seconds until the answer; by default what the budget leaves.
    """

    answered: bool
    read: int
    at_least: float = 0.0
    within: float | None = None


ONCE = Expected(answered=True, read=1)
AGAIN = Expected(answered=True, read=2)
FAILS = Expected(answered=False, read=1)
UNREAD = Expected(answered=False, read=0)
AT_ONCE = ONCE._replace(within=1.5)

# -- how the connection was before -----------------------------------------------------


def new(_stage: Stage) -> None:
    """There is none: this directive opens it."""


def warmed(stage: Stage) -> None:
    """Opened by a warm event; nothing has been sent over it."""
    stage.bridge.answer(WARM)
    while not stage.server.connections:  # connected, and not accepted yet
        time.sleep(0.01)
    settle()


def kept(stage: Stage, directives: int = 1) -> None:
    """It has brought answers before."""
    for _ in range(directives):
        assert is_answered(stage.ask(first := numbered(event("turn_on"))), first)
    settle()


#: After so many the kernel of the home delays its acknowledgements.
long_kept = functools.partial(kept, directives=6)


def settle() -> None:
    """Let the acknowledgements of what was before arrive: they count not."""
    time.sleep(0.1)


# -- what goes wrong -------------------------------------------------------------------


def nothing(_stage: Stage) -> None:
    pass


def closed_unseen(stage: Stage) -> None:
    stage.server.end_unseen().heal()


def reset_unseen(stage: Stage) -> None:
    stage.server.end_unseen(with_reset=True).heal()


def reset_late(stage: Stage) -> None:
    client = stage.server.end_unseen(with_reset=True)
    stage.later(0.7, client.heal)


def gone_then_reset(stage: Stage) -> None:
    """Nothing arrives any more, and then the home says that it knows nothing."""
    stage.lose_connection()
    stage.later(0.7, stage.server.end, stage.server.newest(), with_reset=True)


def takes_no_data(stage: Stage) -> None:
    """Whatever is opened takes no data, and is reset; after a second all is well."""
    paths.lose_data(stage.server.listener)
    for when in (0.3, 0.6, 0.9):
        stage.later(when, stage.server.drop_connections, reset=True)
    stage.later(0.8, paths.heal, stage.server.listener)


def closed_and_takes_no_data(stage: Stage) -> None:
    closed_unseen(stage)
    paths.lose_data(stage.server.listener)

    def end() -> None:
        # In this order: what a busy machine opens late must lose its data too.
        stage.server.drop_connections(reset=True)
        paths.heal(stage.server.listener)

    stage.later(0.3, end)


def vanished(stage: Stage) -> None:
    stage.lose_connection()


def vanished_for(seconds: float) -> Callable[[Stage], None]:
    return lambda stage: stage.lose_connection(seconds)


def all_away_for(seconds: float) -> Callable[[Stage], None]:
    return lambda stage: stage.lose_everything(seconds)


def connects_lost_for(seconds: float) -> Callable[[Stage], None]:
    def act(stage: Stage) -> None:
        paths.lose_all(stage.server.listener)
        stage.later(seconds, paths.heal, stage.server.listener)

    return act


def answer_and_close_unread(exchange: Exchange) -> None:
    """Answer; when the next request is there, close without having read it."""
    answer_directive(exchange)
    while not select.select([exchange.sock.fileno()], [], [], 0.1)[0]:
        exchange.pause(0)
    exchange.pause(0.1)  # by then the kernel has acknowledged it
    raise Hangup


def answer_and_read_half(exchange: Exchange) -> None:
    """Answer; then read some of the next request, and reset."""
    answer_directive(exchange)
    exchange.sock.recv(1)
    exchange.pause(0.1)
    exchange.reset()


def cut(size: int) -> Behaviour:
    """Send so much of an answer, and then close."""
    return raw(response(200, ANSWER)[:size])


CUT_CHUNK = raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n99\r\n{")


@dataclass(frozen=True)
class Row:
    """One way to fail.

    Args:
        before: How the connection comes about.
        happens: What happens to it then.
        script: What the home does with the directives after that.
        expected: What each column comes to.
        first: What the home does with the directives of `before`.
        remaining_ms: What Lambda leaves.
        watch_s: How long after the later directive something might still come.
        tls_only, plain_only: It is nothing without TLS, or with it.
        options: More of the server.
    """

    before: Callable[[Stage], None]
    happens: Callable[[Stage], None]
    expected: dict[str, Expected]
    script: tuple[Behaviour, ...] = (answer_directive,)
    first: tuple[Behaviour, ...] = ()
    remaining_ms: int = 60_000
    watch_s: float = 0.3
    tls_only: bool = False
    plain_only: bool = False
    options: Any = None


def each(asks: Expected, states: Expected, acts: Expected) -> dict[str, Expected]:
    return {ASKS: asks, STATES: states, ACTS: acts}


ALL_AT_ONCE = each(AT_ONCE, AT_ONCE, AT_ONCE)
ALL_ONCE = each(ONCE, ONCE, ONCE)
#: It was acknowledged, and then the answer was lost.
ASKED_AGAIN = each(AGAIN, FAILS, FAILS)
ONE = (answer_directive,)
SIX = ONE * 6


class _CloseFirst:
    """Closes the first connection before the handshake."""

    def __init__(self) -> None:
        self._seen = 0

    def __call__(self, _sock: object, _stopping: object) -> None:
        self._seen += 1
        if self._seen == 1:
            raise Hangup


ROWS: dict[str, Row] = {
    # -- never sent: whatever it is, it is tried again ---------------------------------
    "connecting: lost for 2.2 s": Row(new, connects_lost_for(2.2), ALL_ONCE),
    "connecting: refused for half a second": Row(
        new, nothing, ALL_ONCE, options={"opens_after": 0.5}
    ),
    "handshake: closed once": Row(
        new, nothing, ALL_ONCE, options={"on_accept": _CloseFirst}, tls_only=True
    ),
    # -- no byte acknowledged: it cannot have been read, and is sent again -------------
    "kept, closed unseen": Row(kept, closed_unseen, ALL_AT_ONCE, first=ONE),
    "kept, reset unseen": Row(kept, reset_unseen, ALL_AT_ONCE, first=ONE),
    "long kept, reset unseen": Row(long_kept, reset_unseen, ALL_AT_ONCE, first=SIX),
    "warmed, closed unseen": Row(warmed, closed_unseen, ALL_AT_ONCE),
    "warmed, reset unseen": Row(warmed, reset_unseen, ALL_AT_ONCE),
    "kept, reset unseen, told late": Row(kept, reset_late, ALL_ONCE, first=ONE),
    "kept, vanished, then reset": Row(kept, gone_then_reset, ALL_ONCE, first=ONE),
    "new, takes no data, then reset": Row(
        new, takes_no_data, ALL_ONCE, plain_only=True
    ),
    "kept, closed unseen; the next one takes no data": Row(
        kept, closed_and_takes_no_data, ALL_ONCE, first=ONE, plain_only=True
    ),
    # -- nothing acknowledged, and no reset: the path has vanished ---------------------
    "kept, vanished for good": Row(
        kept,
        vanished,
        each(ONCE, ONCE, UNREAD),
        first=ONE,
        remaining_ms=4500,
        watch_s=3.0,
    ),
    "kept, vanished for 0.5 s": Row(kept, vanished_for(0.5), ALL_ONCE, first=ONE),
    "kept, vanished for 2 s": Row(
        kept,
        vanished_for(2.0),
        each(
            ONCE._replace(at_least=1.0, within=2.9),
            ONCE._replace(at_least=1.0, within=2.9),
            ONCE._replace(at_least=1.9),
        ),
        first=ONE,
        watch_s=1.5,
    ),
    "warmed, vanished for 2 s": Row(warmed, vanished_for(2.0), ALL_ONCE, watch_s=1.5),
    "kept, the whole path away for 2 s": Row(
        kept, all_away_for(2.0), ALL_ONCE, first=ONE, watch_s=1.5
    ),
    "warmed, the whole path away for 2 s": Row(
        warmed, all_away_for(2.0), ALL_ONCE, watch_s=1.5
    ),
    # -- acknowledged, and then the answer is lost -------------------------------------
    "kept, reads, then resets": Row(
        kept, nothing, ASKED_AGAIN, (reset, answer_directive), first=ONE
    ),
    "long kept, reads, then resets": Row(
        long_kept, nothing, ASKED_AGAIN, (reset, answer_directive), first=SIX
    ),
    "warmed, reads, then resets": Row(
        warmed, nothing, ASKED_AGAIN, (reset, answer_directive)
    ),
    "new, reads, then resets": Row(
        new, nothing, ASKED_AGAIN, (reset, answer_directive)
    ),
    "kept, reads, then closes": Row(
        kept, nothing, ASKED_AGAIN, (hang_up, answer_directive), first=ONE
    ),
    "long kept, reads, then closes": Row(
        long_kept, nothing, ASKED_AGAIN, (hang_up, answer_directive), first=SIX
    ),
    "new, reads, then closes": Row(
        new, nothing, ASKED_AGAIN, (hang_up, answer_directive)
    ),
    "kept, reads, resets a second later": Row(
        kept, nothing, ASKED_AGAIN, (after(1, reset), answer_directive), first=ONE
    ),
    "kept, closes with unread data": Row(
        kept, nothing, each(ONCE, UNREAD, UNREAD), first=(answer_and_close_unread,)
    ),
    "kept, reads half, then resets": Row(
        kept, nothing, each(ONCE, UNREAD, UNREAD), first=(answer_and_read_half,)
    ),
    **{
        f"{name}, cut off in {where}": Row(
            before, nothing, ASKED_AGAIN, (behaviour, answer_directive), first=first
        )
        for name, before, first in (("kept", kept, ONE), ("new", new, ()))
        for where, behaviour in {
            "the status line": cut(9),
            "the headers": cut(40),
            "the body": cut(-9),
            "a chunk": CUT_CHUNK,
        }.items()
    },
    # -- acknowledged, and then silence ------------------------------------------------
    "kept, three seconds slow": Row(
        kept,
        nothing,
        each(
            AGAIN._replace(at_least=1.5, within=2.9),
            ONCE._replace(at_least=3),
            ONCE._replace(at_least=3),
        ),
        (after(3, answer_directive), answer_directive),
        first=ONE,
        watch_s=1.5,
    ),
    "new, three seconds slow": Row(
        new,
        nothing,
        each(
            AGAIN._replace(at_least=1.5, within=2.9),
            ONCE._replace(at_least=3),
            ONCE._replace(at_least=3),
        ),
        (after(3, answer_directive), answer_directive),
        watch_s=1.5,
    ),
    "kept, six seconds slow": Row(
        kept,
        nothing,
        each(
            AGAIN._replace(within=2.9),
            ONCE._replace(at_least=6),
            ONCE._replace(at_least=6),
        ),
        (after(6, answer_directive), answer_directive),
        first=ONE,
    ),
    "kept, deaf": Row(
        kept,
        nothing,
        each(AGAIN, FAILS._replace(at_least=3), FAILS._replace(at_least=3)),
        (silence, answer_directive),
        first=ONE,
        remaining_ms=4500,
        watch_s=1.5,
    ),
}


class Cell(NamedTuple):
    """A row, a kind of directive, and whether over TLS."""

    row: str
    kind: str
    scheme: str

    def __str__(self) -> str:
        return f"{self.row}-{self.kind}-{self.scheme}"


CELLS = [
    Cell(name, kind, scheme)
    for name, row in ROWS.items()
    for kind in KINDS
    for scheme in ("http", "https")
    if not (row.tls_only and scheme == "http")
    if not (row.plain_only and scheme == "https")
]


class Outcome(NamedTuple):
    """What came of a cell."""

    directive: Event
    answer: Event
    seconds: float
    later: Event
    later_answer: Event
    received: list[str]


def run(cell: Cell, tls: ssl.SSLContext) -> Outcome:
    """Ask, ask something else, and see what the home has got by then."""
    row = ROWS[cell.row]
    options = dict(row.options or {})
    if "on_accept" in options:
        options["on_accept"] = options["on_accept"]()
    context = tls if cell.scheme == "https" else None
    directive, later = numbered(KINDS[cell.kind][1]), numbered(event("turn_off"))
    script = (*row.first, *row.script)
    with stage(*script, tls=context, **options) as here:
        row.before(here)
        row.happens(here)
        started = time.monotonic()
        answer = here.ask(directive, row.remaining_ms)
        seconds = time.monotonic() - started
        here.heal()
        later_answer = here.ask(later)
        time.sleep(row.watch_s)
        received = here.received()
    return Outcome(directive, answer, seconds, later, later_answer, received)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, authority: Authority
) -> Iterator[dict[Cell, Callable[[], Outcome]]]:
    """Run the chosen cells side by side."""
    tls = authority.server("127.0.0.1")
    chosen: list[Cell] = [
        item.callspec.params["cell"]  # type: ignore[misc]
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.path == request.path
        and hasattr(item, "callspec")
        and "cell" in item.callspec.params
    ]
    with ThreadPoolExecutor(48) as pool:
        running = {cell: pool.submit(run, cell, tls) for cell in chosen}
        yield {cell: future.result for cell, future in running.items()}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_what_is_known_decides(
    cell: Cell, outcomes: dict[Cell, Callable[[], Outcome]]
) -> None:
    """Answered or not, read so often, in time, and never after a later directive."""
    row, (what, _) = ROWS[cell.row], KINDS[cell.kind]
    outcome, expected = outcomes[cell](), row.expected[what]
    mine, others = id_of(outcome.directive), id_of(outcome.later)
    assert is_answered(outcome.answer, outcome.directive) is expected.answered
    assert outcome.received.count(mine) == expected.read
    assert outcome.seconds >= expected.at_least
    budget = min(7.0, row.remaining_ms / 1000 - RESERVE_S)
    assert outcome.seconds < (expected.within or budget) + BUSY_S
    assert is_answered(outcome.later_answer, outcome.later)
    assert outcome.received.count(others) == 1
    assert mine not in outcome.received[outcome.received.index(others) :]


def test_the_table_has_every_column() -> None:
    """Each row says what each kind of directive comes to, and each kind is there."""
    assert {what for what, _ in KINDS.values()} == {ASKS, STATES, ACTS}
    for row in ROWS.values():
        assert set(row.expected) == {ASKS, STATES, ACTS}
