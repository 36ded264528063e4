"""Alarms and dashboard, against the lines that the function really logs."""

import json
from typing import Any

import pytest

from ha_bridge_ops.aws.logs import Line
from ha_bridge_ops.local.lambda_runtime import LambdaRuntime
from ha_bridge_ops.report.calls import PATTERN, Calls
from ha_bridge_ops.report.figures import MIN_CALLS, MIN_FAILED, WINDOW_MS, Report
from ha_bridge_ops.report.goals import GOALS, verdicts
from tests.aws.alarms import rings
from tests.aws.cloudformation import REGION, STACK, read_template
from tests.aws.filters import matches, value_at
from tests.directives import event
from tests.fakes.behaviours import after, answer_directive, reply, reply_json
from tests.fakes.server import Behaviour, Server

RESOURCES = read_template()["Resources"]

#: What Home Assistant answers for a device it does not have: its own error, not ours.
NO_SUCH_ENDPOINT = {
    "event": {
        "header": {
            "namespace": "Alexa",
            "name": "ErrorResponse",
            "messageId": "7e5e0a3f-2f7a-4a3d-8a05-8b0a5dbb1f0a",
            "payloadVersion": "3",
        },
        "payload": {"type": "NO_SUCH_ENDPOINT", "message": "no"},
    }
}


@pytest.fixture(scope="module")
def lines(runtime_or_skip: None) -> list[dict[str, Any]]:  # noqa: ARG001
    """All that the function logs of four directives and one warm, talking most."""
    behaviours = (answer_directive, reply_json(NO_SUCH_ENDPOINT), reply(502))
    with (
        Server(behaviours) as server,
        LambdaRuntime({"BASE_URL": server.url, "DEBUG": "true"}) as function,
    ):
        function.invoke({"ha_bridge": {"warm": {}}})
        for _ in behaviours:
            function.invoke(event("turn_on"))
        function.invoke(b"[]")
        return function.log_lines()


def transformation(name: str) -> dict[str, Any]:
    (found,) = RESOURCES[name]["Properties"]["MetricTransformations"]
    metric: dict[str, Any] = found
    return metric


def matching(name: str, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    pattern = RESOURCES[name]["Properties"]["FilterPattern"]
    return [line for line in lines if matches(pattern, line)]


def evaluated(text: str) -> str:
    """Return what `!Sub` makes of a text."""
    for name, value in {
        "AWS::StackName": STACK,
        "AWS::Region": REGION,
        "LogGroup": f"/aws/lambda/{STACK}",
    }.items():
        text = text.replace(f"${{{name}}}", value)
    assert "${" not in text
    return text


@pytest.mark.runtime
def test_a_directive_counts_once(lines: list[dict[str, Any]]) -> None:
    """However much is logged of it; warm is no directive."""
    found = matching("DirectiveDurations", lines)
    assert len(found) == 4
    assert len(lines) > 4
    path = transformation("DirectiveDurations")["MetricValue"]
    # Percentiles are there only for metrics without negative values.
    assert all(value_at(line, path) >= 0 for line in found)


@pytest.mark.runtime
def test_errors_count_by_type(lines: list[dict[str, Any]]) -> None:
    """Home Assistant's own too."""
    (dimension,) = transformation("DirectiveErrors")["Dimensions"]
    found = matching("DirectiveErrors", lines)
    assert [value_at(line, dimension["Value"]) for line in found] == [
        "NO_SUCH_ENDPOINT",
        "BRIDGE_UNREACHABLE",
        "INVALID_DIRECTIVE",
    ]


@pytest.mark.runtime
def test_what_home_assistant_refused_raises_no_alarm(
    lines: list[dict[str, Any]],
) -> None:
    """A device that is gone is no reason for an e-mail; a home that is gone is."""
    found = matching("FailedDirectives", lines)
    assert [line["directive"]["errorType"] for line in found] == [
        "BRIDGE_UNREACHABLE",
        "INVALID_DIRECTIVE",
    ]


def judged(name: str, lines: list[dict[str, Any]]) -> bool:
    """Return whether an alarm rings after a quarter of an hour with these lines."""
    filters = {
        transformation(one)["MetricName"]: one
        for one in ("FailedDirectives", "DirectiveDurations")
    }
    values: dict[str, list[float]] = {}
    for metric, one in filters.items():
        path = transformation(one)["MetricValue"]
        found = [
            value_at(line, path) if path.startswith("$") else float(path)
            for line in matching(one, lines)
        ]
        values[metric] = found
    return rings(RESOURCES[name]["Properties"], values, STACK)


@pytest.fixture(scope="module")
def bad_homes(runtime_or_skip: None) -> dict[str, list[dict[str, Any]]]:  # noqa: ARG001
    """What the function logs of homes that Amazon calls degraded, and of others."""
    slow = after(5.2, answer_directive)
    homes: dict[str, tuple[Behaviour, ...]] = {
        "good": (answer_directive,) * 10,
        "slow": (slow,) * 3,
        "slow once": (*(answer_directive,) * 10, slow),
        "down": (*(answer_directive,) * 10, *(reply(502),) * 3),
        "down once": (*(answer_directive,) * 2, reply(502)),
        "few of many": (*(answer_directive,) * 17, *(reply(502),) * 3),
        "gone devices": (reply_json(NO_SUCH_ENDPOINT),) * 4,
    }
    found = {}
    for name, behaviours in homes.items():
        with (
            Server(behaviours) as server,
            LambdaRuntime({"BASE_URL": server.url}) as function,
        ):
            for _ in behaviours:
                function.invoke(event("turn_on"))
            found[name] = function.log_lines()
    return found


@pytest.mark.runtime
@pytest.mark.slow
@pytest.mark.parametrize(
    ("home", "ringing"),
    [
        ("good", set()),
        ("slow", {"LatencyAlarm"}),
        ("slow once", set()),
        ("down", {"SuccessAlarm"}),
        ("down once", set()),
        ("few of many", set()),
        ("gone devices", set()),
    ],
)
def test_alarms_ring_at_amazons_thresholds(
    home: str, ringing: set[str], bad_homes: dict[str, list[dict[str, Any]]]
) -> None:
    """p90 of 5 s, or less than 85 % within 15 minutes; and the report says the same."""
    lines = bad_homes[home]
    assert lines
    rung = {one for one in ("LatencyAlarm", "SuccessAlarm") if judged(one, lines)}
    assert rung == ringing
    if home in ("good", "slow", "down"):
        seen = Calls()
        seen.read(Line(json.dumps(line), 1_000_000) for line in lines)
        seen.done()
        told = Report("x", REGION, 0, 2_000_000, seen)
        missed = {one.goal.name for one in verdicts(told) if one.is_met is False}
        assert ("amazon_p90" in missed) is ("LatencyAlarm" in ringing)
        assert ("amazon_success" in missed) is ("SuccessAlarm" in ringing)


@pytest.mark.runtime
@pytest.mark.slow
def test_the_report_reads_what_the_function_writes(
    bad_homes: dict[str, list[dict[str, Any]]],
) -> None:
    """Directives, times, kept connections, outages and devices of real lines."""
    minute = 60_000
    written = [
        line
        for home in ("good", "down once", "gone devices", "slow", "down")
        for line in bad_homes[home]
    ]
    # What is asked of CloudWatch is every line of a directive, and none beside it.
    asked = [line for line in written if matches(PATTERN, line)]
    assert asked == [line for line in written if "directive" in line]
    seen = Calls()
    seen.read(
        Line(json.dumps(line), (place + 1) * minute) for place, line in enumerate(asked)
    )
    seen.done()
    told = Report("x", REGION, 0, (len(asked) + 1) * minute, seen)
    assert told.all.directives == 10 + 3 + 4 + 3 + 13
    assert told.all.errors == {"BRIDGE_UNREACHABLE": 4, "NO_SUCH_ENDPOINT": 4}
    # One failure is no outage, nor are devices that are gone: three in a row are one.
    (outage,) = told.outages
    assert (outage.failed, outage.length_ms) == (3, 2 * minute)
    assert outage.error == "BRIDGE_UNREACHABLE"
    (device,) = told.devices
    assert device.endpoint == event("turn_on")["directive"]["endpoint"]["endpointId"]
    assert device.figures.failed == 8
    # Each home is another environment: its first directive opens the connection.
    fresh = [call for call in seen.calls if call.reused is False]
    assert len(fresh) >= 5
    assert any(call.reused for call in seen.calls)
    slowest = told.all.ms(99)
    assert slowest is not None
    assert slowest >= 5200


def test_the_thresholds_are_those_of_the_report() -> None:
    """One number, in two places."""
    limits = {goal.name: goal.limit for goal in GOALS}
    for name, goal in (
        ("LatencyAlarm", "amazon_p90"),
        ("SuccessAlarm", "amazon_success"),
    ):
        alarm = RESOURCES[name]["Properties"]
        assert alarm["Threshold"] == limits[goal]
        periods = {
            metric["MetricStat"]["Period"]
            for metric in alarm["Metrics"]
            if "MetricStat" in metric
        }
        assert periods == {WINDOW_MS // 1000}
    assert MIN_CALLS == MIN_FAILED == 3
    assert ">= 3" in RESOURCES["LatencyAlarm"]["Properties"]["Metrics"][0]["Expression"]
    assert ">= 3" in RESOURCES["SuccessAlarm"]["Properties"]["Metrics"][0]["Expression"]


@pytest.mark.runtime
def test_silence_is_told_only_after_traffic(lines: list[dict[str, Any]]) -> None:
    """The metric has no value on a day without directives, and warm makes none."""
    alarm = RESOURCES["SilenceAlarm"]["Properties"]
    metric = transformation("DirectiveDurations")
    assert alarm["MetricName"] == metric["MetricName"]
    assert "DefaultValue" not in metric
    assert alarm["Period"] == 86_400
    # Only the way from OK, which is traffic, to no data is told.
    assert alarm["TreatMissingData"] == "missing"
    assert alarm["InsufficientDataActions"] == [{"Ref": "AlarmTopic"}]
    assert "AlarmActions" not in alarm
    warm = [line for line in lines if "directive" not in line]
    assert warm
    assert not matching("DirectiveDurations", warm)
    assert matching("DirectiveDurations", lines)


def test_calls_turned_away_raise_an_alarm() -> None:
    """Lambda counts them itself."""
    alarm = RESOURCES["ThrottlesAlarm"]["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Throttles")
    assert alarm["Dimensions"] == [
        {"Name": "FunctionName", "Value": {"Ref": "HaBridge"}}
    ]
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 1)


def test_a_crash_or_a_timeout_raises_an_alarm_at_once() -> None:
    """Lambda counts them itself."""
    alarm = RESOURCES["FunctionFailedAlarm"]["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Errors")
    assert alarm["Dimensions"] == [
        {"Name": "FunctionName", "Value": {"Ref": "HaBridge"}}
    ]
    assert alarm["Threshold"] == 1


def test_the_dashboard_looks_at_the_metrics_that_are_written() -> None:
    """And is what CloudWatch can read."""
    body = RESOURCES["DirectiveDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(evaluated(body))["widgets"]
    titles = {widget["properties"]["title"]: widget for widget in widgets}
    assert all(widget["properties"]["region"] == REGION for widget in widgets)

    duration = transformation("DirectiveDurations")["MetricName"]
    (count,) = titles["Directives"]["properties"]["metrics"]
    assert count[:2] == [STACK, duration]
    assert titles["Directives"]["properties"]["stat"] == "SampleCount"
    latency = titles["Latency"]["properties"]
    assert [metric[:2] for metric in latency["metrics"]] == [[STACK, duration]] * 3
    assert [metric[2]["stat"] for metric in latency["metrics"]] == ["p50", "p90", "p99"]

    ((errors,),) = titles["Errors by type"]["properties"]["metrics"]
    metric = transformation("DirectiveErrors")
    (dimension,) = metric["Dimensions"]
    assert errors["expression"] == (
        f'SEARCH(\'{{"{STACK}",{dimension["Key"]}}} '
        f"MetricName=\"{metric['MetricName']}\"', 'Sum', 300)"
    )
    query = titles["The last directives that failed"]["properties"]["query"]
    assert query.startswith(f"SOURCE '/aws/lambda/{STACK}' | ")
