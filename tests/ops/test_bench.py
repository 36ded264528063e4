"""`ha-bridge bench`, with few repetitions: its structure, and what no noise changes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ha_bridge_ops.bench.cpu import Share
from ha_bridge_ops.bench.estimates import estimate, median, p95, ratio
from tests.ops.leftovers import assert_nothing_left, processes_of

ROOT = Path(__file__).parents[2]
BENCH = [sys.executable, "-m", "ha_bridge_ops", "bench"]
CONTENDERS = {"bridge", "before", "per_directive", "limit"}
COLD = {"import", "first", "cold"}
COLD_ONLY = {"one_file", "own_authority"}


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench") / "picture.svg"


@pytest.fixture(scope="module")
def measured(picture: Path) -> Any:
    counts = ("--rounds", "2", "--rtt", "10", "--memory", "1769")
    against = ("--against", str(ROOT))
    done = subprocess.run(
        [*BENCH, *counts, *against, "--json", "--picture", str(picture)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=picture.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.live
@pytest.mark.runtime
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("runtime_or_skip")
class TestCommand:
    """One run, looked at from several sides."""

    def test_each_figure_is_there_for_each_contender(self, measured: Any) -> None:
        """A value inside its interval, and the same as a multiple of the limit's."""
        assert len(measured["figures"]) == 14
        for name, figure in measured["figures"].items():
            cold = COLD_ONLY if name in COLD else set()
            assert {one for one in figure if one in COLD_ONLY} == cold
            for contender in CONTENDERS | cold:
                for one in figure[contender].values():
                    assert one["low"] <= one["value"] <= one["high"]
        assert measured["figures"]["warm"]["limit"]["to_limit"]["value"] == 1

    def test_another_checkout_is_measured_beside_it(self, measured: Any) -> None:
        """Here it is the same one: neither is twice as fast as the other."""
        figures = measured["figures"]
        for figure in figures.values():
            assert "to_before" in figure["bridge"]
        assert 0.5 < figures["warm"]["bridge"]["to_before"]["value"] < 2
        for name in ("up", "down"):
            assert 0.95 < figures[name]["bridge"]["to_before"]["value"] < 1.05

    def test_the_connection_is_kept(self, measured: Any) -> None:
        """None opened by 50 directives; one each by the client made anew."""
        connections = measured["figures"]["connections"]
        assert connections["bridge"]["value"]["value"] == 0
        assert connections["limit"]["value"]["value"] == 0
        assert connections["per_directive"]["value"]["value"] == 50

    @pytest.mark.parametrize("figure", ["warm", "idle", "discovery"])
    def test_it_is_faster_than_a_client_per_directive(
        self, measured: Any, figure: str
    ) -> None:
        """Round trips and certificates, that is: by far."""
        times = measured["figures"][figure]
        mine, others = (
            times[name]["value"]["value"] for name in ("bridge", "per_directive")
        )
        assert mine < others

    def test_the_limit_sends_the_same_bytes(self, measured: Any) -> None:
        """TLS frames may differ, the request does not; the answer is the same."""
        figures = measured["figures"]
        for name in ("up", "down", "discovery_up", "discovery_down"):
            assert 0.95 < figures[name]["bridge"]["to_limit"]["value"] < 1.05

    def test_discovery_is_compressed(self, measured: Any) -> None:
        """Both ways a tenth of what comes otherwise; how much depends on the home."""
        figures = measured["figures"]
        sent, received = (
            figures[f"discovery_{way}"]["bridge"]["value"]["value"]
            for way in ("up", "down")
        )
        others = figures["discovery_down"]["per_directive"]["value"]["value"]
        assert others > 40
        assert sent + received < others / 10

    def test_homes_of_all_sizes(self, measured: Any) -> None:
        """Each size by each contender."""
        seen = {(one["endpoints"], one["contender"]) for one in measured["growth"]}
        assert seen == {(size, name) for size in (58, 300, 3000) for name in CONTENDERS}
        assert all(one["wire_bytes"] > 0 for one in measured["growth"])

    def test_black_holes_are_answered(self, measured: Any) -> None:
        """Home Assistant gets the question once; a slow one is asked again, in vain."""
        *holes, slow, unseen, dead = measured["troubles"]
        assert [one["received"] for one in (*holes, unseen, dead)] == [1, 1, 1, 1]
        assert all(trouble["answered"] for trouble in measured["troubles"])
        assert slow["received"] == 2
        assert min(slow["seconds"]) >= 6
        assert max(unseen["seconds"]) < 2
        assert max(dead["seconds"]) < 5

    def test_every_target_has_a_verdict(self, measured: Any) -> None:
        """Met or missed is said of each, and follows from its numbers."""
        assert len(measured["targets"]) == 12
        for target in measured["targets"]:
            assert target["is_met"] == (target["value"] <= target["limit"])

    def test_the_picture_is_svg(self, measured: Any, picture: Path) -> None:
        """A bar for each contender and time, and one for each that only starts."""
        assert measured
        text = picture.read_text("utf-8")
        assert text.startswith("<svg xmlns=")
        bars = 4 * len(CONTENDERS) + len(COLD_ONLY)
        assert len(re.findall(r"\d ms</text>", text)) == bars


@pytest.mark.live
@pytest.mark.runtime
@pytest.mark.usefixtures("runtime_or_skip")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["^C", "TERM"])
def test_stopped_while_it_measures_it_leaves_nothing(
    number: signal.Signals, tmp_path: Path
) -> None:
    """No process and no scratch file, though a dozen processes were at work."""
    child = subprocess.Popen(
        BENCH,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    give_up = time.monotonic() + 60
    while not any("contender.py" in line for line in processes_of(tmp_path)):
        assert time.monotonic() < give_up
        time.sleep(0.1)
    child.send_signal(number)
    assert child.wait(60) != 0
    assert_nothing_left(tmp_path)


def test_a_checkout_without_the_function_is_named(tmp_path: Path) -> None:
    """Before anything is installed or started."""
    done = subprocess.run(
        [*BENCH, "--against", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "lambda_function.py" in done.stderr


def test_statistics() -> None:
    """Medians over all rounds, intervals from drawing whole rounds."""
    rounds = [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    middle = estimate(rounds, median)
    assert middle.value == 2.5
    assert 2 <= middle.low <= 2.5 <= middle.high <= 3
    assert ratio(rounds, [[1.0], [1.0]], median).value == 2.5
    assert p95([float(number) for number in range(1, 101)]) == 95
    assert p95([7.0]) == 7


def test_share_of_a_whole_cpu_is_not_limited() -> None:
    """So much memory comes with it that there is nothing to do."""
    share = Share(1769)
    assert share.why_off
    with share.group() as group:
        assert group is None
