"""Link `aws.logs`: what the function has written in the last day."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ha_bridge_ops.check import aws
from ha_bridge_ops.check.aws import AwsError, Configuration, ask, client, region_name
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried

HOURS: Final = 24

#: Pages of the log that are read, each of up to 10 000 lines.
MAX_PAGES: Final = 5

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

    def read(self, message: str) -> None:
        """Count a line."""
        self.timed_out += bool(_TIMED_OUT.search(message))
        self.cannot_load += bool(_CANNOT_LOAD.search(message))
        self.tokens += bool(_TOKEN.search(message))
        try:
            line = json.loads(message)
        except ValueError:
            return
        directive = line.get("directive") if isinstance(line, dict) else None
        if not isinstance(directive, dict):
            return
        self.directives += 1
        self.grants += directive.get("name") == "AcceptGrant"
        if kind := directive.get("errorType"):
            self.errors[str(kind)] += 1
            self.last = str(line.get("message", ""))[:300]


def logs(context: Context) -> Outcome:
    """The last day went well."""
    configuration = aws.configuration_of(context)
    if configuration is None:
        return Untried("there is no function to look at")
    group = group_of(configuration)
    values = {"group": group, "region": region_name(configuration)}
    seen, lines = _Seen(), 0
    try:
        for message in _messages(context, configuration, group):
            lines += 1
            seen.read(message)
    except AwsError as error:
        return Untried(f"AWS did not let us look: {error.code}")
    problems = list(_problems(seen, values))
    if throttled := _throttles(context, configuration):
        problems.append(Problem("throttled", f"{throttled} calls turned away"))
    if not lines:
        problems.append(Problem("no_calls", f"no line in {group} for a day", values))
    said = (
        f"{seen.directives} directives in {HOURS} h, {seen.grants} of them AcceptGrant"
    )
    return problems or Fine(said)


def group_of(configuration: Configuration) -> str:
    """Return the function's log group."""
    own = configuration.get("LoggingConfig", {}).get("LogGroup")
    return str(own or f"/aws/lambda/{configuration['FunctionName']}")


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


def _messages(
    context: Context, configuration: Configuration, group: str
) -> Iterator[str]:
    service = client(context, "logs", region_name(configuration))
    start = int((context.now() - HOURS * 3600) * 1000)
    more: dict[str, str] = {}
    for _ in range(MAX_PAGES):
        try:
            page: dict[str, Any] = ask(
                service.filter_log_events, logGroupName=group, startTime=start, **more
            )
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                return
            raise
        for event in page["events"]:
            yield str(event["message"])
        if "nextToken" not in page:
            return
        more = {"nextToken": page["nextToken"]}


def _throttles(context: Context, configuration: Configuration) -> int:
    """Return how many calls AWS has turned away; 0 where it does not say."""
    end = datetime.fromtimestamp(context.now(), UTC)
    try:
        answer = ask(
            client(
                context, "cloudwatch", region_name(configuration)
            ).get_metric_statistics,
            Namespace="AWS/Lambda",
            MetricName="Throttles",
            Dimensions=[
                {"Name": "FunctionName", "Value": configuration["FunctionName"]}
            ],
            StartTime=end - timedelta(hours=HOURS),
            EndTime=end,
            Period=HOURS * 3600,
            Statistics=["Sum"],
        )
    except AwsError:
        return 0
    return int(sum(point.get("Sum", 0) for point in answer["Datapoints"]))
