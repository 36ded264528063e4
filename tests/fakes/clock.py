"""A wall clock that can be moved; time.monotonic goes on as ever."""

import time

import pytest


class Clock:
    """What time.time returns is moved by so many seconds."""

    def __init__(self) -> None:
        self.moved_s = 0.0
        self._real = time.time

    def __call__(self) -> float:
        return self._real() + self.moved_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock
