"""Alarms and dashboard, against the lines that the function really logs."""

import json
from typing import Any

import pytest

from ha_bridge_ops.local.lambda_runtime import LambdaRuntime
from tests.aws.cloudformation import REGION, STACK, read_template
from tests.aws.filters import matches, value_at
from tests.directives import event
from tests.fakes.behaviours import answer_directive, reply, reply_json
from tests.fakes.server import Server

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


def test_the_alarm_looks_at_the_metric_that_is_written() -> None:
    """Under one name, and a failure alone is no run."""
    alarm = RESOURCES["DirectivesFailedAlarm"]["Properties"]
    metric = transformation("FailedDirectives")
    assert alarm["MetricName"] == metric["MetricName"]
    assert alarm["Namespace"] == metric["MetricNamespace"] == {"Ref": "AWS::StackName"}
    assert "Dimensions" not in metric
    assert alarm["Threshold"] == 3
    assert alarm["Statistic"] == "Sum"


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
