"""Link `aws.logs`: what the function has written in the last day."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.session import AwsError, call
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.function import deployed_anew, of_function
from ha_bridge_ops.check.model import Fine, Outcome, Problem

HOURS: Final = 24

#: Pages of the log that are read, each of up to 10 000 lines.
MAX_PAGES: Final = 5

#: Pages that are asked for: CloudWatch gives empty ones too while it searches.
MAX_REQUESTS: Final = 50

#: A token of Home Assistant's in clear, as an older script logs it.
_TOKEN: Final = re.compile(r"""token\\?["']?\s*[:=]\s*\\?["']ey|Bearer ey""")

_TIMED_OUT: Final = re.compile(r"Task timed out|\"status\":\s*\"timeout\"")
_CANNOT_LOAD: Final = re.compile(r"Runtime\.(ImportModuleError|HandlerNotFound)")


@dataclass
class _Seen:
    directives: int = 0
    grants: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    last: str = ""
    timed_out: int = 0
    cannot_load: int = 0
    tokens: int = 0
    plain: int = 0
    """Lines that are not JSON."""
    to_the_end: bool = False

    def read(self, message: str) -> None:
        """Count a line."""
        self.timed_out += bool(_TIMED_OUT.search(message))
        self.cannot_load += bool(_CANNOT_LOAD.search(message))
        self.tokens += bool(_TOKEN.search(message))
        try:
            line = json.loads(message)
        except ValueError:
            self.plain += 1
            return
        directive = line.get("directive") if isinstance(line, dict) else None
        if not isinstance(directive, dict):
            return
        self.directives += 1
        self.grants += directive.get("name") == "AcceptGrant"
        if kind := directive.get("errorType"):
            self.errors[str(kind)] += 1
            self.last = str(line.get("message", ""))[:300]


@of_function
def logs(context: Context, function: Function) -> Outcome:
    """The last day went well."""
    group = function.log_group
    values = {
        "group": group,
        "region": function.region,
        **deployed_anew(context, function),
    }
    seen = _read(context, function)
    problems = list(_problems(seen, values))
    if throttled := _throttles(context, function):
        problems.append(Problem("throttled", f"{throttled} calls turned away"))
    # A JSON log has lines of this check's probe and of the warm schedule too.
    called = seen.directives or (seen.plain and not function.logs_json)
    if not called and not problems and seen.to_the_end:
        saw = f"no directive in {group} for a day"
        problems.append(Problem("no_calls", saw, values))
    said = (
        f"{seen.directives} directives in {HOURS} h, {seen.grants} of them AcceptGrant"
    )
    if not seen.to_the_end:
        said += ", in the part of the log that was read"
    return problems or Fine(said)


def _problems(seen: _Seen, values: Mapping[str, str]) -> Iterator[Problem]:
    if seen.errors:
        counted = ", ".join(f"{kind} {n}" for kind, n in seen.errors.most_common())
        saw = f"{counted} of {seen.directives} directives; the last: {seen.last}"
        yield Problem("errors", saw, values)
    for cause, number in (
        ("timed_out", seen.timed_out),
        ("cannot_load", seen.cannot_load),
        ("tokens", seen.tokens),
    ):
        if number:
            yield Problem(cause, f"{number} such lines in {HOURS} h", values)


def _read(context: Context, function: Function) -> _Seen:
    service = function.client("logs")
    start = int((context.now() - HOURS * 3600) * 1000)
    more: dict[str, str] = {}
    seen, pages = _Seen(), 0
    for _ in range(MAX_REQUESTS):
        try:
            page: dict[str, Any] = call(
                service.filter_log_events,
                logGroupName=function.log_group,
                startTime=start,
                **more,
            )
        except AwsError as error:
            if error.is_not_there:
                seen.to_the_end = True
                break
            raise
        for event in page["events"]:
            seen.read(str(event["message"]))
        if not page.get("nextToken"):
            seen.to_the_end = True
            break
        pages += bool(page["events"])
        if pages == MAX_PAGES:
            break
        more = {"nextToken": page["nextToken"]}
    return seen


def _throttles(context: Context, function: Function) -> int:
    """Return how many calls AWS has turned away; 0 where it does not say."""
    end = datetime.fromtimestamp(context.now(), UTC)
    try:
        answer = call(
            function.client("cloudwatch").get_metric_statistics,
            Namespace="AWS/Lambda",
            MetricName="Throttles",
            Dimensions=[{"Name": "FunctionName", "Value": function.name}],
            StartTime=end - timedelta(hours=HOURS),
            EndTime=end,
            Period=HOURS * 3600,
            Statistics=["Sum"],
        )
    except AwsError:
        return 0
    return int(sum(point.get("Sum", 0) for point in answer["Datapoints"]))
