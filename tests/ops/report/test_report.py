"""`ha-bridge report`: a month of log lines, in moto's CloudWatch."""

import json
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from ha_bridge_ops.aws.logs import Line
from ha_bridge_ops.aws.trail import PastChange
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.commands.report import report
from ha_bridge_ops.report import calls
from ha_bridge_ops.report.calls import Calls
from ha_bridge_ops.report.figures import Report, percentile
from ha_bridge_ops.report.goals import GOALS, is_degraded, verdicts
from ha_bridge_ops.report.output import bars, picture
from ha_bridge_ops.report.tables import headline, number
from tests.worlds.cloud import GROUP, NAME, REGION, Client, Cloud

#: 2026-11-18, in milliseconds; a whole quarter of an hour.
START = 1_794_999_600_000
MINUTE = 60_000
DAY = 24 * 60 * MINUTE

REQUEST = "3604209a-e9a3-11e6-939a-754dd98c7be3"


def said(
    error: str = "",
    *,
    ms: object = 100,
    level: str = "",
    endpoint: str = "light#bed",
    connection: str = "reused",
) -> str:
    """Return the line of a directive, as the function writes it."""
    directive: dict[str, Any] = {"name": "TurnOn", "endpointId": endpoint}
    directive |= {"connection": connection, "duration_ms": ms}
    if error:
        directive["errorType"] = error
    level = level or ("ERROR" if error else "INFO")
    return json.dumps({"level": level, "message": "x", "directive": directive})


def platform(status: str = "success", **metrics: float) -> str:
    """Return Lambda's own line of a call."""
    record = {"requestId": REQUEST, "status": status, "metrics": metrics}
    return json.dumps({"type": "platform.report", "record": record})


def told(
    lines: Sequence[tuple[int, str]],
    *,
    days: int = 30,
    changes: Sequence[PastChange] = (),
) -> Report:
    """Return the report of these lines, each with its minutes after START."""
    seen = Calls()
    seen.read(Line(text, START + minutes * MINUTE) for minutes, text in lines)
    seen.done()
    return Report(
        name="ha-bridge",
        region=REGION,
        since_ms=START,
        until_ms=START + days * DAY,
        seen=seen,
        changes=changes,
    )


def missed(found: Report) -> set[str]:
    return {one.goal.name for one in verdicts(found) if one.is_met is False}


GOOD = [(minute, said()) for minute in range(0, 1000, 10)]


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 90, None),
        ([7], 50, 7),
        ([7], 99, 7),
        (range(1, 101), 50, 50),
        (range(1, 101), 90, 90),
        (range(1, 101), 99, 99),
        ([3, 1, 2], 90, 3),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(
    values: Sequence[float], percent: float, expected: float | None
) -> None:
    """The nearest rank, in any order."""
    assert percentile(values, percent) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (GOOD, set()),
        # p90 of a quarter of an hour: 5 s is too much, a millisecond less is not.
        ([*GOOD, *[(2000, said(ms=4999))] * 3], set()),
        ([*GOOD, *[(2000, said(ms=5000))] * 3], {"amazon_p90"}),
        # One slow directive alone is no quarter of an hour to judge.
        ([*GOOD, (2000, said(ms=7000))], set()),
        # 17 of 20 is 85 %, and 16 of 20 is less.
        (
            [
                *GOOD * 6,
                *[(2000, said())] * 17,
                *[(2000, said("NO_SUCH_ENDPOINT"))] * 3,
            ],
            set(),
        ),
        (
            [
                *GOOD * 9,
                *[(2000, said())] * 16,
                *[(2000, said("NO_SUCH_ENDPOINT"))] * 4,
            ],
            {"amazon_success"},
        ),
        # Three in a hundred may be INTERNAL_ERROR or have no answer, four may not.
        (
            [
                (n * 60, said("INTERNAL_ERROR" if n in (5, 30, 60) else ""))
                for n in range(100)
            ],
            set(),
        ),
        (
            [
                (n * 60, said("INTERNAL_ERROR" if n % 20 == 0 else ""))
                for n in range(100)
            ],
            {"amazon_errors"},
        ),
        ([(n, said(ms=1001)) for n in range(0, 1000, 10)], set()),
    ],
    ids=[
        "good",
        "just fast enough",
        "slow",
        "one slow",
        "85 %",
        "less than 85 %",
        "3 % internal",
        "5 % internal",
        "over a second",
    ],
)
def test_amazons_numbers_decide(
    lines: Sequence[tuple[int, str]], expected: set[str]
) -> None:
    """To miss one of them is the exit status 1; to miss another's is not."""
    found = told(lines)
    deciding = {goal.name for goal in GOALS if goal.decides}
    assert missed(found) & deciding == expected
    assert is_degraded(found) is bool(expected)


def test_other_numbers_are_told_and_do_not_decide() -> None:
    """Google's and our own."""
    found = told([(n, said(ms=1001)) for n in range(0, 1000, 10)])
    assert missed(found) == {"google_p90", "our_p90"}
    assert not is_degraded(found)
    assert "not as good" in headline(found)
    assert told(GOOD).all.success == 100
    assert "every number is met" in headline(told(GOOD))


def test_outages_are_spans_of_time() -> None:
    """From the first failure to the last, and when it was well again."""
    down = [(n, said("BRIDGE_UNREACHABLE")) for n in (100, 110, 130)]
    found = told([(90, said()), *down, (135, said()), (140, said("INTERNAL_ERROR"))])
    (outage,) = found.outages
    assert (outage.first_ms - START) // MINUTE == 100
    assert (outage.last_ms - START) // MINUTE == 130
    assert outage.again_ms == START + 135 * MINUTE
    assert (outage.failed, outage.error) == (3, "BRIDGE_UNREACHABLE")
    whole = 30 * DAY - 90 * MINUTE
    assert found.availability() == pytest.approx(100 * (1 - 30 * MINUTE / whole))
    # 30 minutes a month are allowed, 32 are not.
    assert "amazon_availability" not in missed(found)
    longer = told([(90, said()), *down, (132, said("BRIDGE_UNREACHABLE"))])
    assert longer.outages[0].again_ms is None
    assert "amazon_availability" in missed(longer)


def test_a_device_that_is_gone_is_no_outage() -> None:
    """Nor is what Home Assistant itself answers, whatever its type."""
    lines = [(n, said("NO_SUCH_ENDPOINT", level="WARNING")) for n in range(5)]
    lines += [(n, said("INTERNAL_ERROR", level="WARNING")) for n in range(5, 9)]
    assert told(lines).outages == []


def test_the_worst_devices_come_first() -> None:
    """Those that fail most, then the slowest; five at most."""
    lines = [(n, said(endpoint=f"light#{n}", ms=n)) for n in range(10)]
    lines += [(20, said("ENDPOINT_UNREACHABLE", endpoint="lock#door", level="WARNING"))]
    named = [device.endpoint for device in told(lines).devices]
    assert named == ["lock#door", "light#9", "light#8", "light#7", "light#6"]


def changed(minutes: float, what: str = "code") -> PastChange:
    return PastChange(START + int(minutes * MINUTE), what)


def test_what_changed_at_each_deployment() -> None:
    """Before, between and after all of them in the time that was read."""
    lines = [(50, said(ms=900)), (150, said(ms=90)), (250, said("INTERNAL_ERROR"))]
    deployments = [changed(-5), changed(100), changed(200, "settings")]
    found = told(lines, changes=[*deployments, changed(30 * 24 * 60)])
    assert [(one.changed, one.figures.ms(50)) for one in found.stretches] == [
        ((), 900),
        (("code",), 90),
        (("settings",), 100),
    ]
    assert [one.figures.success for one in found.stretches] == [100, 100, 0]
    assert found.stretches[0].since_ms == START
    assert told(GOOD, changes=[changed(-1)]).stretches == []
    assert told(GOOD).stretches == []


def test_changes_soon_after_one_another_are_one_deployment() -> None:
    """Code and settings are changed by two calls; what came meanwhile is of before."""
    steps = [changed(100), changed(100.5, "settings"), changed(108), changed(120)]
    found = told([(99, said()), (103, said()), (109, said())], changes=steps)
    assert [(one.changed, one.figures.directives) for one in found.stretches] == [
        ((), 2),
        (("code", "settings"), 1),
        (("code",), 0),
    ]


def test_cold_starts_and_kept_connections() -> None:
    """Lambda tells of the first, the function of the second."""
    lines = [(0, platform(durationMs=12, initDurationMs=300)), (1, platform())]
    lines += [(2, said()), (3, said(connection="new")), (4, said(connection=""))]
    found = told(lines)
    assert found.seen.cold_ms == [300]
    assert found.all.kept == 50


@pytest.mark.parametrize(
    "lines",
    [
        [platform("timeout", durationMs=9000)],
        [f"2026-11-25T10:00:00.000Z {REQUEST} Task timed out after 9.00 seconds"],
        [
            f"2026-11-25T10:00:00.000Z {REQUEST} Task timed out after 9.00 seconds",
            f"REPORT RequestId: {REQUEST}\tDuration: 9000.00 ms\tStatus: timeout",
            platform("timeout", durationMs=9000),
        ],
        [json.dumps({"message": f"{REQUEST} Task timed out after 9.00 seconds"})],
    ],
    ids=["json", "text", "told three times", "message"],
)
def test_a_call_that_lambda_ended_counts_once(lines: list[str]) -> None:
    """Alexa had no answer, however often the log says so."""
    found = told([(0, one) for one in lines])
    assert found.all.errors == {"timeout": 1}
    assert found.all.ms(50) == 9000
    assert "amazon_errors" in missed(found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "START RequestId: 1",
        "[" * 100_000,
        "null",
        '{"directive": {}}',
        '{"directive": {"duration_ms": "7"}}',
        '{"directive": {"duration_ms": true}}',
        '{"directive": {"duration_ms": -1}}',
        '{"directive": {"duration_ms": NaN}}',
        '{"directive": {"duration_ms": Infinity}}',
        '{"type": "platform.report"}',
        '{"type": "platform.report", "record": {"metrics": 7}}',
    ],
)
def test_odd_lines_are_passed_over(text: str) -> None:
    """Whatever is in a log, no report breaks by it."""
    found = told([(0, text)])
    assert found.all.directives == 0
    assert "No directive came" in headline(found)
    assert not is_degraded(found)


def test_a_share_is_never_rounded_up_to_what_it_is_not() -> None:
    """99.999 % is not 100 %."""
    assert number(99.999, "%") == "99.99 %"
    assert number(100.0, "%") == "100 %"
    assert number(None, "ms") == "\N{EN DASH}"
    assert bars([0, None, 5, 10, 20], 10) == "▁ ▅██"


def test_one_failure_of_many_is_seen_in_the_picture() -> None:
    """It has a height of its own, and a day without one has no bar."""
    day = 24 * 60
    lines = [(n, said()) for n in range(200)] + [(day, said("INTERNAL_ERROR"))]
    _, (name, drawn, highest), _ = picture(told(lines, days=2))
    assert (name, drawn.strip(), highest) == ("failed", "█", "1")


# -- the command -----------------------------------------------------------------------

Type = Callable[..., Result]


@pytest.fixture
def now() -> float:
    """Moto takes no lines that are older than a fortnight, or of the future."""
    return time.time()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, now: float) -> Iterator[Cloud]:
    """A function in moto's AWS whose log is moto's own too."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws(config={"lambda": {"use_docker": False}}):
        # The log of these tests is in moto; that of the check's is not.
        monkeypatch.delattr(Client, "_own_filter_log_events")
        cloud = Cloud(0)
        cloud.now = now
        yield cloud


@pytest.fixture
def type_it(cloud: Cloud, now: float) -> Type:
    def run(*arguments: str) -> Result:
        def make(environ: Any, options: Any, *, needs_aws: bool) -> Context:
            assert needs_aws
            return Context(environ, options, now=lambda: now, aws=cloud.client)

        return CliRunner().invoke(report, list(arguments), obj=make)

    return run


def write(now: float, *lines: str) -> None:
    """Write lines into the function's log, a minute after the other."""
    logs = boto3.client("logs", region_name=REGION)
    logs.create_log_group(logGroupName=GROUP)
    start = int(now * 1000) - 2 * DAY
    for number_, part in enumerate([lines[:50], lines[50:]]):
        stream = f"2026/11/26/[$LATEST]{number_}"
        logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        events = [
            {"timestamp": start + (number_ * 50 + n) * MINUTE, "message": one}
            for n, one in enumerate(part)
        ]
        if events:
            logs.put_log_events(
                logGroupName=GROUP, logStreamName=stream, logEvents=events
            )


def test_a_good_home(type_it: Type, cloud: Cloud, now: float) -> None:
    """Exit status 0; nothing is changed in AWS."""
    cloud.deploy()
    write(now, *[said()] * 120)
    done = type_it()
    assert done.exit_code == 0, done.output
    assert "every number is met" in done.stdout
    assert "✓ met" in done.stdout
    assert "120" in done.stdout
    writing = ("add", "create", "delete", "put", "remove", "update")
    assert not [one for one in cloud.calls if one.split(".")[1].startswith(writing)]


def test_a_bad_home(type_it: Type, cloud: Cloud, now: float, tmp_path: Path) -> None:
    """Exit status 1, in every form; the picture is written all the same."""
    cloud.deploy()
    write(now, *[said(), said("BRIDGE_UNREACHABLE", ms=6000, connection="")] * 60)
    picture = tmp_path / "home.svg"
    done = type_it("--svg", str(picture))
    assert done.exit_code == 1
    assert "✗ MISSED" in done.stdout
    assert "BRIDGE_UNREACHABLE" in done.stdout
    root = ET.fromstring(picture.read_text("utf-8"))  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    found = json.loads(type_it("--json").stdout)
    assert found["version"] == 1
    assert found["figures"]["success_percent"] == 50
    assert found["figures"]["errors"] == {"BRIDGE_UNREACHABLE": 60}
    assert {one["name"] for one in found["goals"] if not one["is_met"]} >= {
        "amazon_p90",
        "amazon_success",
    }
    assert len(found["days"]) == 31
    assert type_it("--json").exit_code == 1


def test_markdown_names_no_device_and_no_account(
    type_it: Type, cloud: Cloud, now: float
) -> None:
    """It is for a forum."""
    cloud.deploy()
    hostile = "light#ann_smith|<b>`x`</b>\x1b[31m"
    write(now, *[said(endpoint=hostile), said("INTERNAL_ERROR <i>", endpoint=hostile)])
    shown = type_it("--markdown").stdout
    assert "device 1" in shown
    for secret in ("ann_smith", NAME + " in", "123456789012", "\x1b"):
        assert secret not in shown
    assert "<i>" not in shown
    assert "| unknown | 1 |" in shown
    assert "\x1b" not in type_it().stdout
    assert "ann_smith" in type_it().stdout


def test_only_the_days_that_were_asked_for(
    type_it: Type, cloud: Cloud, now: float
) -> None:
    """The lines of these tests are two days old."""
    cloud.deploy()
    write(now, *[said()] * 60)
    assert json.loads(type_it("--days", "1", "--json").stdout)["days"][0] == {
        "date": time.strftime("%Y-%m-%d", time.gmtime(now - 86_400)),
        "directives": 0,
        "failed": 0,
        "success_percent": None,
        "p50_ms": None,
        "p90_ms": None,
        "p99_ms": None,
    }


def test_lines_of_another_script(type_it: Type, cloud: Cloud, now: float) -> None:
    """What is no JSON cannot be told of, and what to do is said."""
    cloud.deploy()
    write(now, "START RequestId: 1", "END RequestId: 1")
    done = type_it()
    assert done.exit_code == 0
    assert "No directive came" in done.stdout
    assert "log format to JSON" in " ".join(done.stdout.split())


CODE = "UpdateFunctionCode20150331v2"
SETTINGS = "UpdateFunctionConfiguration20150331v2"


def test_all_deployments_are_told(type_it: Type, cloud: Cloud, now: float) -> None:
    """CloudTrail has them, page by page; others' and those that failed are not ours."""
    cloud.deploy()
    cloud.configuration = {"LastModified": "2020-01-01T00:00:00.000+0000"}
    write(now, *[said()] * 60)
    hour = now - 2 * 86_400
    arn = f"arn:aws:lambda:{REGION}:123456789012:function:{NAME}"
    cloud.trail = [
        (hour + 600, CODE, {"requestParameters": {"functionName": NAME}}),
        (hour + 610, SETTINGS, {"requestParameters": {"functionName": arn}}),
        (hour + 1830, CODE, {"requestParameters": {"functionName": f"{arn}:live"}}),
        (hour + 2700, CODE, {"requestParameters": {"functionName": f"x{NAME}"}}),
        (hour + 2700, CODE, {"requestParameters": None}),
        (
            hour + 2700,
            CODE,
            {"requestParameters": {"functionName": NAME}, "errorCode": "Denied"},
        ),
    ]
    found = json.loads(type_it("--function", NAME, "--json").stdout)
    assert found["deployments_are_all"]
    assert [(one["changed"], one["directives"]) for one in found["deployments"]] == [
        ([], 11),
        (["code", "settings"], 20),
        (["code"], 29),
    ]
    shown = type_it("--function", NAME).stdout
    assert "What changed at a deployment" in shown
    assert "code, settings" in shown


def test_without_cloudtrail_the_last_deployment_is_told(
    type_it: Type, cloud: Cloud, now: float
) -> None:
    """AWS may refuse its history; the function itself says when it was changed."""
    cloud.deploy()
    write(now, *[said()] * 60)
    last = time.gmtime(now - 2 * 86_400 + 600)
    cloud.configuration = {
        "LastModified": time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", last)
    }
    cloud.refused = {"lookup_events"}
    found = json.loads(type_it("--function", NAME, "--json").stdout)
    assert not found["deployments_are_all"]
    assert [one["changed"] for one in found["deployments"]] == [[], ["changed"]]
    for form in ((), ("--markdown",)):
        shown = type_it("--function", NAME, *form).stdout
        assert "What changed at a deployment" in shown
        assert "cloudtrail:LookupEvents" in shown


@pytest.mark.parametrize(
    ("refused", "status", "words"),
    [
        ("filter_log_events", 1, "logs:FilterLogEvents"),
        ("get_function_configuration", 1, "AWSLambda_ReadOnlyAccess"),
        ("get_caller_identity", 1, "Log in again"),
    ],
)
def test_a_refusal_names_what_is_missing(
    refused: str, status: int, words: str, type_it: Type, cloud: Cloud
) -> None:
    """In one sentence."""
    cloud.deploy()
    cloud.refused = {refused}
    done = type_it("--function", NAME)
    assert done.exit_code == status
    assert words in done.stderr


def test_a_log_without_end_is_read_in_part(
    type_it: Type, cloud: Cloud, now: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is counted has its place in memory, and the report says that it is cut."""
    monkeypatch.setattr(calls, "MAX_CALLS", 50)
    cloud.deploy()
    write(now, *[said()] * 120)
    found = json.loads(type_it("--json").stdout)
    assert found["figures"]["directives"] == 50
    assert not found["is_whole"]
    assert "this is a part of it" in type_it("--markdown").stdout


def test_cold_starts_are_counted_among_the_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A log may be of nothing else; and an endpointId is no longer than a real one."""
    monkeypatch.setattr(calls, "MAX_CALLS", 3)
    report_line = "REPORT RequestId: 1\tDuration: 2.00 ms\tInit Duration: 3.00 ms"
    seen = Calls()
    seen.read([Line(report_line, 1)] * 3)
    assert seen.is_full
    seen.read([Line(said(endpoint="x" * 5_000), 1)])
    assert len(seen.calls[0].endpoint) == 256


def test_no_function_and_two_forms(type_it: Type) -> None:
    """Exit status 2: it could not run."""
    done = type_it()
    assert done.exit_code == 2
    assert "no function with BASE_URL" in done.stderr
    assert type_it("--json", "--markdown").exit_code == 2
