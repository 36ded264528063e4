"""Work in threads that is waited for no longer than there is time."""

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Race(Generic[Result]):
    """Attempts, each in a daemon thread, of which the first to succeed counts.

    With a single attempt it is a way to stop waiting for something that knows no time
    limit, such as name resolution.  What arrives after the end is closed, if it can be.
    """

    def __init__(self, *attempts: Callable[[], Result]) -> None:
        self._attempts = len(attempts)
        self._results: SimpleQueue[Result | Exception] = SimpleQueue()
        self._lock = threading.Lock()
        self._is_over = False
        for attempt in attempts:
            threading.Thread(target=self._run, args=(attempt,), daemon=True).start()

    def _run(self, attempt: Callable[[], Result]) -> None:
        try:
            result: Result | Exception = attempt()
        except Exception as error:  # noqa: BLE001 - raised again in `winner`
            result = error
        with self._lock:
            if not self._is_over:
                self._results.put(result)
                return
        _discard(result)

    def winner(self, deadline: float) -> Result:
        """Return the first success; call it once.

        Args:
            deadline: When to give up, in seconds of time.monotonic.

        Raises:
            TimeoutError: There was neither success nor failure of all in time.
            Exception: The last failure, if all attempts failed.
        """
        failure: Exception = TimeoutError()
        try:
            for _ in range(self._attempts):
                left = max(0.0, deadline - time.monotonic())
                try:
                    result = self._results.get(timeout=left)
                except Empty:
                    raise TimeoutError from None
                if not isinstance(result, Exception):
                    return result
                failure = result
            raise failure
        finally:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self._is_over = True
        while True:
            try:
                _discard(self._results.get_nowait())
            except Empty:
                return


def _discard(result: object) -> None:
    close = getattr(result, "close", None)
    if close is not None:
        close()
