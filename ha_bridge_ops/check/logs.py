"""Link `aws.logs`: what the function has written in the last day."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.logs import Line, Log, throttles
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.discovery import endpoints_of
from ha_bridge_ops.check.model import Fine, Outcome, Problem
from ha_bridge_ops.check.search import deployed_anew, of_function
from ha_bridge_ops.grammar import ERROR_TYPE
from ha_bridge_ops.outside import one_of, quoted
from ha_bridge_ops.regions import english_in

HOURS: Final = 24

#: Kinds of error that are named.
_SHOWN: Final = 5

#: What Home Assistant answers for a device that it does not offer.
_OF_A_DEVICE: Final = ("NO_SUCH_ENDPOINT",)

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
    gone: Counter[str] = field(default_factory=Counter)
    """Devices that Home Assistant does not have, by how often Alexa asked for them."""
    plain: int = 0
    """Lines that are not JSON."""

    def count(self, line: Line) -> None:
        """Count a line."""
        self.timed_out += bool(_TIMED_OUT.search(line.text))
        self.cannot_load += bool(_CANNOT_LOAD.search(line.text))
        self.tokens += bool(_TOKEN.search(line.text))
        self.plain += line.record is None
        directive = line.directive
        if line.record is None or directive is None:
            return
        self.directives += 1
        self.grants += directive.get("name") == "AcceptGrant"
        kind = directive.get("errorType")
        if kind in _OF_A_DEVICE and directive.get("endpointId"):
            self.gone[quoted(directive["endpointId"])] += 1
        elif kind:
            self.errors[one_of(kind, ERROR_TYPE)] += 1
            self.last = quoted(line.record.get("message", ""), 300)


@of_function
def logs(context: Context, function: Function) -> Outcome:
    """The last day went well."""
    group = function.log_group
    values = {
        "group": group,
        "region": function.region,
        "locale": context.options.locale or english_in(function.region),
        **deployed_anew(context, function),
    }
    seen, log = _Seen(), Log(function, context.now() - HOURS * 3600)
    for line in log:
        seen.count(line)
    problems = list(_problems(seen, values))
    if throttled := throttles(function, context.now(), HOURS):
        problems.append(Problem("throttled", f"{throttled} calls turned away"))
    devices, at_once = len(endpoints_of(context)), function.concurrency()
    if at_once is not None and at_once < devices:
        saw = f"{at_once} calls at once, {devices} devices"
        problems.append(Problem("concurrency", saw, values))
    # A JSON log has lines of this check's probe and of the warm schedule too.
    called = seen.directives or (seen.plain and not function.logs_json)
    if not called and not problems and log.is_whole:
        saw = f"no directive in {quoted(group)} for a day"
        problems.append(Problem("no_calls", saw, values))
    said = (
        f"{seen.directives} directives in {HOURS} h, {seen.grants} of them AcceptGrant"
    )
    if not log.is_whole:
        said += ", in the part of the log that was read"
    return problems or Fine(said)


def _problems(seen: _Seen, values: Mapping[str, str]) -> Iterator[Problem]:
    if seen.errors:
        counted = ", ".join(
            f"{kind} {n}" for kind, n in seen.errors.most_common(_SHOWN)
        )
        saw = f"{counted} of {seen.directives} directives; the last: {seen.last}"
        yield Problem("errors", saw, values)
    if seen.gone:
        named = ", ".join(
            f"{one} {times} times" for one, times in seen.gone.most_common(_SHOWN)
        )
        if len(seen.gone) > _SHOWN:
            named += f" and {len(seen.gone) - _SHOWN} more"
        yield Problem("gone", f"asked for in vain: {named}", values)
    for cause, number in (
        ("timed_out", seen.timed_out),
        ("cannot_load", seen.cannot_load),
        ("tokens", seen.tokens),
    ):
        if number:
            yield Problem(cause, f"{number} such lines in {HOURS} h", values)
