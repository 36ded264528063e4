"""When a function was changed, as CloudTrail's event history has it: 90 days, free.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.session import call, reads_aws

#: What is changed by which call of Lambda's API, as CloudTrail names it.
#: https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
_CALLS: Final[Mapping[str, str]] = {
    "CreateFunction20150331": "created",
    "UpdateFunctionCode20150331v2": "code",
    "UpdateFunctionConfiguration20150331v2": "settings",
}

#: Pages of fifty that are read of each.
_PAGES: Final = 40


@dataclass(frozen=True)
class PastChange:
    """A change of a function."""

    at_ms: int
    """In milliseconds since the epoch."""
    what: str
    """`created`, `code` or `settings`."""


@reads_aws
def changes(function: Function, since_s: float, until_s: float) -> list[PastChange]:
    """Return what was changed of a function, oldest first.

    Args:
        function: Which.
        since_s: Seconds since the epoch.
        until_s: Likewise.

    Raises:
        AwsError: AWS does not let us look.
    """
    found = [
        PastChange(at_ms, what)
        for name, what in _CALLS.items()
        for at_ms in _calls(function, name, since_s, until_s)
    ]
    return sorted(found, key=lambda one: one.at_ms)


def _calls(
    function: Function, name: str, since_s: float, until_s: float
) -> Iterator[int]:
    """Give when a call was about the function, and went well."""
    client = function.client("cloudtrail")
    request: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": name}],
        "StartTime": datetime.fromtimestamp(since_s, UTC),
        "EndTime": datetime.fromtimestamp(until_s, UTC),
    }
    for _ in range(_PAGES):
        page = call(client.lookup_events, **request)
        for event in page["Events"]:
            if _is_about(function, json.loads(event["CloudTrailEvent"])):
                yield int(event["EventTime"].timestamp() * 1000)
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _is_about(function: Function, event: Mapping[str, Any]) -> bool:
    if event.get("errorCode"):
        return False
    # As whoever called named it: alone, in an ARN, or in a part of one.
    named = str((event.get("requestParameters") or {}).get("functionName", ""))
    _, _, name = f":{named}".rpartition(":function:")
    return name.lstrip(":").partition(":")[0] == function.name
