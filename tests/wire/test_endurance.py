"""Thousands of directives in one execution environment leave nothing behind."""

import gc
import logging
import threading
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest

from ha_bridge.bridge import Bridge
from tests.directives import changed, event
from tests.fakes.behaviours import answer_directive, hang_up, reply
from tests.fakes.server import Server
from tests.fakes.tls import Authority
from tests.wire.conftest import MakeBridge

TURN_ON = event("turn_on")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def memory_held() -> int:
    """Return the bytes held by what the bridge's way allocated; not the server's."""
    gc.collect()
    ours = [
        tracemalloc.Filter(inclusive=True, filename_pattern=pattern, all_frames=True)
        for pattern in ("*/ha_bridge/*",)
    ]
    snapshot = tracemalloc.take_snapshot().filter_traces(ours)
    return sum(entry.size for entry in snapshot.statistics("filename"))


def ask(bridge: Bridge, number: int) -> None:
    token = f"correlation-{number}"
    directive = changed(TURN_ON, "directive.header.correlationToken", token)
    answer = bridge.answer(directive)
    assert answer["event"]["header"]["correlationToken"] == token


@pytest.mark.slow
@pytest.mark.timeout(900)  # minutes, where the machine has other work
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts in /proc: Linux")
@pytest.mark.parametrize("with_failures", [False, True], ids=["healthy", "failing"])
def test_two_thousand_directives_leak_nothing(
    make_bridge: MakeBridge, authority: Authority, with_failures: object
) -> None:
    """No memory, no sockets, no threads; and each gets its own answer."""
    behaviours = [answer_directive, answer_directive, reply(500, b"x"), hang_up]
    script = tuple(behaviours * 1000) if with_failures else (answer_directive,)
    with Server(script, tls=authority.server("127.0.0.1")) as server:
        bridge = make_bridge(server.url)
        for number in range(200):
            ask(bridge, number)
        gc.collect()
        before = (descriptors(), threading.active_count())
        logging.getLogger("ha_bridge").setLevel(logging.CRITICAL)  # pytest keeps lines
        tracemalloc.start(12)
        for number in range(200, 400):
            ask(bridge, number)
        held = [memory_held()]
        for start in (400, 1000, 1600):
            for number in range(start, start + 600):
                ask(bridge, number)
            held.append(memory_held())
        tracemalloc.stop()
        # What is kept of each directive grows in every stretch; a cache fills once.
        growth = [later - earlier for earlier, later in pairwise(held)]
        assert min(growth) < 600 * 16, growth
        after = (descriptors(), threading.active_count())
    # The server has a thread and a socket for the connection that is open now.
    assert after[0] - before[0] <= 2
    assert after[1] - before[1] <= 2
