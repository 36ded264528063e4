"""Link `aws.probe`: the function says what its way to Home Assistant looks like."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from ha_bridge.settings import parse_address
from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.session import AwsError
from ha_bridge_ops.check import reports
from ha_bridge_ops.check.catalogue import CHAIN
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.evidence import Evidence
from ha_bridge_ops.check.model import (
    Finding,
    Fine,
    Outcome,
    Problem,
    Row,
    Status,
    Untried,
    judge,
)
from ha_bridge_ops.check.search import deployed_anew, function_of
from ha_bridge_ops.outside import one_of, quoted

PROBE: Final[Mapping[str, Any]] = {"ha_bridge": {"probe": {}}}

#: How a script for directives only ends, such as the one that many have pasted.
_NO_DIRECTIVE: Final = ("AssertionError", "AttributeError", "KeyError", "TypeError")

#: What Lambda calls an exception.
_ERROR: Final = re.compile(r"[A-Za-z.]{1,80}")

#: Parts of the way whose times are compared.
_PARTS: Final = {
    "resolve": "resolving",
    "connect": "connecting",
    "tls": "TLS",
    "http": "first byte",
}

#: What the settings decide, and the way does not: told already from here.
_SETTINGS: Final = ("address.https", "address.port")


def probe(
    context: Context, way: Mapping[str, Callable[[Evidence], Outcome]]
) -> Outcome:
    """The function reaches Home Assistant.

    Args:
        context: What all share.
        way: What the probe can see.
    """
    function = function_of(context)
    if function is None:
        return Untried("there is no function to ask")
    values = {
        "region": function.region,
        "group": function.log_group,
        **deployed_anew(context, function),
    }
    try:
        answer = function.invoke(PROBE)
    except AwsError as error:
        return Untried(f"AWS refused to invoke it: {error.code}")
    evidence = _evidence(context, answer)
    if isinstance(evidence, Evidence):
        return _compare(context, evidence, way, function)
    cause, saw = evidence
    return Problem(cause, saw, values)


def _evidence(context: Context, answer: Any) -> Evidence | tuple[str, str]:
    """Return what the function saw, or the cause and words of why it did not."""
    if not isinstance(answer, dict):
        return "outdated", "its answer is none to a probe"
    ended = answer.get("errorType")
    if ended and ended not in _NO_DIRECTIVE:
        return "failed", f"it ended with {one_of(ended, _ERROR)}"
    own = answer.get("ha_bridge")
    if not isinstance(own, dict):
        return "outdated", "it took the probe for a directive"
    report = own.get("probe")
    if not isinstance(report, dict):
        said = str(own.get("error", ""))
        is_old = "ha_bridge event has one of" in said
        return "outdated" if is_old else "failed", quoted(said, 300)
    return _read(context, report) or ("outdated", "its answer is none to a probe")


def _read(context: Context, report: Mapping[str, Any]) -> Evidence | None:
    try:
        address = parse_address(str(report.get("base_url", "")))
    except ValueError:
        return None
    shaped = reports.read(report)
    if shaped is None:
        return None
    return Evidence(address, shaped, context.now(), is_from_here=False)


def _compare(
    context: Context,
    evidence: Evidence,
    way: Mapping[str, Callable[[Evidence], Outcome]],
    function: Function,
) -> Outcome:
    links = {link.id: link for link in CHAIN}
    rows: list[Row] = []
    problems: list[Problem] = []
    for name, look in way.items():
        if name in _SETTINGS:
            continue
        there = judge(links[name], look(evidence), context.hide)
        here = context.findings.get(name)
        rows.append((name, _word(here), _word(there)))
        if there.status in (Status.FAILED, Status.WARNING):
            problems.append(_problem(here, there))
    rows += _times(context.evidence, evidence)
    if function.vpc and evidence.ip is None:
        saw = f"it is attached to {quoted(function.vpc)}"
        problems.insert(0, Problem("vpc", saw))
    if evidence.address == context.address:
        problems += _overruled(context, rows)
    if not problems:
        return Fine("from AWS all is well", tuple(rows))
    first, *others = problems
    return [Problem(first.cause, first.saw, first.values, tuple(rows)), *others]


def _overruled(context: Context, rows: Iterable[Row]) -> Iterator[Problem]:
    """Let AWS decide on what fails from here only: Alexa comes from there.

    Many routers do not lead their own public address back inside.
    """
    fine = Status.OK.mark
    failed = [
        name
        for name, _, there in rows
        if there == fine
        and (found := context.findings.get(name))
        and found.status is Status.FAILED
    ]
    for name in failed:
        found = context.findings[name]
        problems = tuple(
            replace(
                one, status=Status.WARNING, means=f"{one.means} From AWS it is fine."
            )
            for one in found.problems
        )
        context.findings[name] = replace(
            found, status=Status.WARNING, problems=problems
        )
    if failed:
        yield Problem("only_from_here", ", ".join(failed))


def _problem(here: Finding | None, there: Finding) -> Problem:
    failed_here = here is not None and here.status is Status.FAILED
    cause = "from_both" if failed_here else "only_from_aws"
    values = {"means": there.means, "fix": there.fix, "paste": there.paste}
    if there.status is Status.WARNING:
        cause = "warned"
    return Problem(cause, f"{there.id}: {there.saw}", values)


def _word(finding: Finding | None) -> str:
    return finding.status.mark if finding else "not looked at"


def _times(here: Evidence | None, there: Evidence) -> list[Row]:
    rows: list[Row] = []
    for part, name in _PARTS.items():
        milliseconds = [
            one.milliseconds(part) if one is not None else None for one in (here, there)
        ]
        if any(one is not None for one in milliseconds):
            shown = [f"{one:.0f} ms" if one is not None else "" for one in milliseconds]
            rows.append((name, shown[0], shown[1]))
    return rows
