"""The log of a function, line by line, and what AWS counted."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.session import AwsError, call, reads_aws

#: Pages of the log that are read, each of up to 10 000 lines.
MAX_PAGES: Final = 5

#: Milliseconds since the epoch up to which Python knows dates.
_LAST_MS: Final = 253_402_300_799_000

#: Pages that are asked for: CloudWatch gives empty ones too while it searches.
MAX_REQUESTS: Final = 50


@dataclass(frozen=True)
class Line:
    """A line of the log."""

    text: str
    """As it was written."""
    at_ms: int = 0
    """When, in milliseconds since the epoch."""

    @cached_property
    def record(self) -> Mapping[str, Any] | None:
        """What it says if it is a JSON object; None if it is not."""
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    @property
    def directive(self) -> Mapping[str, Any] | None:
        """What the function says of a directive, if this is the line of one."""
        found = self.record.get("directive") if self.record else None
        return found if isinstance(found, dict) else None


class Log:
    """The lines of a function's log from a time on, oldest first, as they are read.

    Args:
        function: Whose.
        since_s: Seconds since the epoch.
        pattern: Only lines that match it, as CloudWatch writes patterns.
        max_pages: Pages with lines that are read at most.
    """

    def __init__(
        self,
        function: Function,
        since_s: float,
        *,
        pattern: str = "",
        max_pages: int = MAX_PAGES,
    ) -> None:
        self._function = function
        self._since_ms = int(since_s * 1000)
        self._pattern = pattern
        self._max_pages = max_pages
        self.is_whole = False
        """Whether it was read to its end."""

    def __iter__(self) -> Iterator[Line]:
        """Give the lines.

        Raises:
            AwsError: AWS does not let us look.
        """
        pages = 0
        for page in self._pages():
            events = page.get("events")
            for event in events if isinstance(events, list) else []:
                if isinstance(event, Mapping):
                    yield Line(str(event.get("message")), _time(event.get("timestamp")))
            pages += bool(events)
            if pages == self._max_pages:
                return

    def _pages(self) -> Iterator[Mapping[str, Any]]:
        service = self._function.client("logs")
        request: dict[str, Any] = {
            "logGroupName": self._function.log_group,
            "startTime": self._since_ms,
        }
        if self._pattern:
            request["filterPattern"] = self._pattern
        # Those with lines are counted by who reads them.
        empty = MAX_REQUESTS * max(1, self._max_pages // MAX_PAGES)
        for _ in range(empty):
            try:
                page = call(service.filter_log_events, **request)
            except AwsError as error:
                if not error.is_not_there:
                    raise
                page = {"events": []}
            page = page if isinstance(page, Mapping) else {}
            # Before its lines are given: nobody may come back after the last of them.
            self.is_whole = not page.get("nextToken")
            yield page
            if self.is_whole:
                return
            request["nextToken"] = page["nextToken"]


def _time(value: object) -> int:
    """Return milliseconds since the epoch that are a date; else 0."""
    is_one = isinstance(value, int) and 0 <= value <= _LAST_MS
    return value if is_one else 0  # type: ignore[return-value]  # `is_one` has looked


def throttles(function: Function, until_s: float, hours: int) -> int:
    """Return how many calls AWS has turned away; 0 where it does not say.

    Args:
        function: Whose.
        until_s: Seconds since the epoch.
        hours: Before that.
    """
    try:
        return _throttles(function, until_s, hours)
    except AwsError:
        return 0


@reads_aws
def _throttles(function: Function, until_s: float, hours: int) -> int:
    end = datetime.fromtimestamp(until_s, UTC)
    answer = call(
        function.client("cloudwatch").get_metric_statistics,
        Namespace="AWS/Lambda",
        MetricName="Throttles",
        Dimensions=[{"Name": "FunctionName", "Value": function.name}],
        StartTime=end - timedelta(hours=hours),
        EndTime=end,
        Period=hours * 3600,
        Statistics=["Sum"],
    )
    return int(sum(point.get("Sum", 0) for point in answer["Datapoints"]))
