"""What the log and the metrics of the last day tell."""

import json

import pytest

from ha_bridge_ops.check.model import Status
from tests.worlds.cloud import GROUP, Cloud, line
from tests.worlds.home import assert_only


@pytest.mark.parametrize(
    ("lines", "cause", "fix"),
    [
        ([], "no_calls", "--link --locale en-GB"),
        (
            [line("TurnOn", "BRIDGE_UNREACHABLE", "the cause. The fix.")] * 3,
            "errors",
            GROUP,
        ),
        (["2026 x Task timed out after 3.00 seconds"], "timed_out", "aws.timeout"),
        (
            ['{"type":"platform.report","record":{"status":"timeout"}}'],
            "timed_out",
            "aws.timeout",
        ),
        (
            ["Runtime.ImportModuleError: No module named 'urllib3'"],
            "cannot_load",
            "--config-env eu",
        ),
        (
            ['DEBUG Event: {"scope": {"token": "eyJhbGci.x.y"}}'],
            "tokens",
            f"delete-log-stream --log-group-name {GROUP}",
        ),
        (
            ['{"type":"platform.start","record":{}}', '{"type":"platform.report"}'],
            "no_calls",
            "--link",
        ),
    ],
)
def test_what_the_log_tells(
    lines: list[str], cause: str, fix: str, cloud: Cloud
) -> None:
    """The last day, in numbers."""
    cloud.deploy()
    cloud.log = lines
    found = cloud.look()
    assert_only(found, "aws.logs", cause, fix=fix, skipped=set())
    if cause == "errors":
        saw = found["aws.logs"].saw
        assert "BRIDGE_UNREACHABLE 3 of 3 directives" in saw
        assert "the cause. The fix." in saw


@pytest.mark.parametrize(
    ("lines", "empty_pages", "causes"),
    [
        ([line("Discover")], 7, ()),
        ([], 7, ("no_calls",)),
        ([], 10_000, ()),
        (["START RequestId: 1 Version: $LATEST"], 0, ()),
    ],
    ids=["found later", "nothing to the end", "not read to the end", "no JSON"],
)
def test_a_log_that_takes_several_requests(
    lines: list[str], empty_pages: int, causes: tuple[str, ...], cloud: Cloud
) -> None:
    """An empty page is not the end, and only at the end nothing was there."""
    cloud.deploy()
    cloud.log, cloud.empty_pages = lines, empty_pages
    found = cloud.look()["aws.logs"]
    assert found.causes == causes
    assert ("part of the log" in found.saw) == (empty_pages > 1000)


def test_calls_that_aws_turned_away(cloud: Cloud) -> None:
    """Too many at once."""
    cloud.deploy()
    cloud.throttles = 7
    found = cloud.look()
    assert_only(found, "aws.logs", "throttled", fix="quota", skipped=set())


def test_few_calls_at_once(cloud: Cloud) -> None:
    """Fewer than devices: “turn everything off” leaves some on."""
    cloud.deploy()
    assert cloud.look()["aws.logs"].status is Status.OK
    cloud.at_once = 0
    finding = cloud.look()["aws.logs"]
    assert finding.causes == ("concurrency",)
    assert "Concurrent executions" in finding.fix


def test_devices_that_are_asked_for_in_vain_are_named(cloud: Cloud) -> None:
    """They are no failures of the function."""
    cloud.deploy()
    gone = {"name": "TurnOn", "errorType": "NO_SUCH_ENDPOINT", "endpointId": "light#x"}
    written = json.dumps({"level": "WARNING", "message": "x", "directive": gone})
    cloud.log = [line("TurnOn"), written, written]
    finding = cloud.look()["aws.logs"]
    assert finding.causes == ("gone",)
    assert "light#x” 2 times" in finding.saw
    assert "Delete these devices" in finding.fix


def test_without_the_metric_the_log_is_read_all_the_same(cloud: Cloud) -> None:
    """Not to know of calls turned away is no failure."""
    cloud.deploy()
    cloud.throttles = 7
    cloud.refused = {"get_metric_statistics"}
    assert cloud.look()["aws.logs"].status is Status.OK
