"""Work in threads that is waited for no longer than there is time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Race(Generic[Result]):
    """Attempts, each in a daemon thread, of which the first to succeed counts.

    With a single attempt it is a way to stop waiting for something that knows no time
    limit, such as name resolution.  What arrives after the end is closed, if it can be.
    """

    def __init__(self, *attempts: Callable[[], Result]) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._won: list[Result] = []
        self._failure: Exception | None = None
        self._is_over = False
        for attempt in attempts:
            self.add(attempt)

    def add(self, attempt: Callable[[], Result]) -> None:
        """Let one more attempt run beside the others."""
        with self._changed:
            self._running += 1
        threading.Thread(target=self._run, args=(attempt,), daemon=True).start()

    def _run(self, attempt: Callable[[], Result]) -> None:
        won: list[Result] = []
        failure = None
        try:
            won = [attempt()]
        except Exception as error:  # noqa: BLE001 - raised again in `winner`
            failure = error
        with self._changed:
            self._running -= 1
            self._failure = self._failure or failure
            if won and not self._won and not self._is_over:
                self._won, won = won, []
            self._changed.notify_all()
        for late in won:
            _discard(late)

    @contextmanager
    def undecided(self) -> Iterator[None]:
        """Hold the decision back for the time of a block.

        Raises:
            TimeoutError: It is decided already; the block is not run.
        """
        with self._changed:
            if self._won or self._is_over:
                raise TimeoutError
            yield

    def is_decided(self, until: float) -> bool:
        """Return whether an attempt has succeeded, or all have failed.

        Args:
            until: How long to wait for that, in seconds of time.monotonic.
        """
        with self._changed:
            return self._changed.wait_for(
                lambda: bool(self._won) or not self._running,
                max(0.0, until - time.monotonic()),
            )

    def winner(self, deadline: float) -> Result:
        """Return the first success, and end the race.

        Args:
            deadline: When to give up, in seconds of time.monotonic.

        Raises:
            TimeoutError: There was neither success nor failure of all in time.
            Exception: The first failure, if all attempts failed.
        """
        self.is_decided(deadline)
        with self._changed:
            self._is_over = True
            if self._won:
                return self._won.pop()
            failure = None if self._running else self._failure
        raise failure or TimeoutError

    def cancel(self) -> None:
        """End the race; whatever it has brought, or brings, is closed."""
        with self._changed:
            self._is_over = True
            won, self._won = self._won, []
        for unwanted in won:
            _discard(unwanted)


def _discard(result: object) -> None:
    close = getattr(result, "close", None)
    if close is not None:
        close()
