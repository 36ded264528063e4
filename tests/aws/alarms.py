"""CloudWatch's alarms over metric math, as far as the template uses them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ha_bridge_ops.report.figures import percentile

_STATISTICS: Mapping[str, Callable[[Sequence[float]], float | None]] = {
    "Sum": lambda values: sum(values) if values else None,
    "SampleCount": lambda values: len(values) or None,
    "p90": lambda values: percentile(values, 90),
}

_COMPARISONS = {
    "LessThanThreshold": operator.lt,
    "GreaterThanOrEqualToThreshold": operator.ge,
}


def rings(
    alarm: Mapping[str, Any], values: Mapping[str, Sequence[float]], namespace: str
) -> bool:
    """Return whether an alarm rings after one period.

    Args:
        alarm: Its properties.
        values: What each metric had in the period.
        namespace: Of the metrics.
    """
    del namespace  # the template's is the stack's name, a reference
    ids: dict[str, float | None] = {}
    expression = ""
    for metric in alarm["Metrics"]:
        if "Expression" in metric:
            assert not expression, "one expression returns the data"
            expression = metric["Expression"]
            continue
        assert metric["ReturnData"] is False
        stat = metric["MetricStat"]
        assert stat["Metric"]["Namespace"] == {"Ref": "AWS::StackName"}
        ids[metric["Id"]] = _STATISTICS[stat["Stat"]](
            values[stat["Metric"]["MetricName"]]
        )
    value = _evaluated(expression, ids)
    if value is None:
        assert alarm["TreatMissingData"] == "notBreaching"
        return False
    return bool(_COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"]))


def _evaluated(expression: str, ids: Mapping[str, float | None]) -> float | None:
    # A metric without a value has none in arithmetic either; FILL gives it one.
    known = {name: float("nan") if one is None else one for name, one in ids.items()}
    functions = {
        "IF": lambda condition, yes, no: yes if condition else no,
        "FILL": lambda value, other: other if value != value else value,  # noqa: PLR0124 - NaN
        "__builtins__": {},
    }
    value = float(eval(expression, functions, known))  # noqa: S307 - the template's own
    return None if value != value else value  # noqa: PLR0124 - NaN
