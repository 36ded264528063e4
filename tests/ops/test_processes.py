"""Programs that are run to their end, whatever they leave behind."""

import os
import signal
import subprocess

import pytest

from ha_bridge_ops.local import processes
from ha_bridge_ops.local.processes import TooMuchError, output_of


def test_what_a_program_leaves_behind_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not even in a session of its own, where it keeps the pipes open."""
    monkeypatch.setattr(processes, "_LEFT_S", 0.5)
    script = "setsid sleep 1000 & echo $!; exit 3"
    done = output_of(
        ["/bin/sh", "-c", script], environ=os.environ, timeout=100, limit=1000
    )
    assert done.returncode == 3
    os.kill(int(done.stdout), signal.SIGKILL)


@pytest.mark.parametrize(
    ("script", "limit", "expected"),
    [
        ("trap '' TERM HUP INT; while :; do echo x; done", 1000, TooMuchError),
        ("trap '' TERM; sleep 1000", 1000, subprocess.TimeoutExpired),
    ],
)
def test_a_program_that_will_not_end_is_killed(
    script: str, limit: int, expected: type[Exception]
) -> None:
    """With all of its children."""
    with pytest.raises(expected):
        output_of(
            ["/bin/sh", "-c", script],
            environ=os.environ,
            timeout=2 if expected is not TooMuchError else 100,
            limit=limit,
        )
