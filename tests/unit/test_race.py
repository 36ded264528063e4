"""Waiting no longer than there is time."""

import threading
import time
from collections.abc import Callable

import pytest

from ha_bridge.race import Race


class Prize:
    """Something that must be closed if nobody takes it."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


def soon() -> float:
    return time.monotonic() + 30


def given(prize: Prize, *, when: threading.Event | None = None) -> Callable[[], Prize]:
    def attempt() -> Prize:
        if when:
            when.wait(30)
        return prize

    return attempt


def failing(error: Exception) -> Callable[[], Prize]:
    def attempt() -> Prize:
        raise error

    return attempt


def test_the_first_success_wins_and_the_later_is_closed() -> None:
    """Nothing that arrives after the end stays open."""
    never_early, late = threading.Event(), Prize()
    winner = Prize()
    race = Race(given(late, when=never_early), given(winner))
    assert race.winner(soon()) is winner
    never_early.set()
    assert late.closed.wait(30)
    assert not winner.closed.is_set()


def test_a_failure_does_not_decide_while_another_runs() -> None:
    """The old connection may be dead; the new one is still at it."""
    winner = Prize()
    assert Race(failing(OSError()), given(winner)).winner(soon()) is winner


def test_the_failure_of_all_is_raised() -> None:
    """With the cause, for the table of failures."""
    with pytest.raises(ConnectionRefusedError):
        Race(failing(ConnectionRefusedError())).winner(soon())


def test_the_deadline_ends_the_wait_and_the_result_is_closed() -> None:
    """Name resolution knows no time limit; its late socket must not stay."""
    gate, late = threading.Event(), Prize()
    race = Race(given(late, when=gate))
    with pytest.raises(TimeoutError):
        race.winner(time.monotonic() - 1)
    gate.set()
    assert late.closed.wait(30)
