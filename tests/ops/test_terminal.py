"""What a command says while it works."""

import re
import time

import pytest

from ha_bridge_ops.errors import RefusedError
from ha_bridge_ops.terminal import Steps


def test_a_step_says_how_many_seconds_it_took(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its own, whatever the clock of the machine shows."""
    started = time.monotonic()
    steps = Steps()
    with steps.step("Counting"):
        time.sleep(0.2)
    most = time.monotonic() - started
    shown = re.fullmatch(r"✓ Counting (\d+\.\d) s\n", capsys.readouterr().err)
    assert shown
    assert 0.1 < float(shown[1]) <= most + 0.1
    assert steps.done == ["Counting"]


def test_a_step_that_fails_stays_to_be_seen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is not among those that went well."""
    steps = Steps()
    with pytest.raises(RefusedError), steps.step("Counting"):
        raise RefusedError("No.")
    assert capsys.readouterr().err == "✗ Counting\n"
    assert steps.done == []
