"""Links `aws.*`: the function as AWS has it, looked at and not changed."""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from ha_bridge.settings import parse_address, parse_switch
from ha_bridge_ops.aws.changes import SMART_HOME
from ha_bridge_ops.aws.entrances import open_urls, others
from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.policies import CALLS, INVOKE, Caller, callers, is_broad
from ha_bridge_ops.aws.session import AwsError, call, listed, reads_aws
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried
from ha_bridge_ops.check.placeholders import NO_SKILL_ID
from ha_bridge_ops.check.search import (
    deployed_anew,
    of_function,
    our_address,
    to_deploy,
    which,
)
from ha_bridge_ops.grammar import SKILL_ID
from ha_bridge_ops.outside import one_of, quoted
from ha_bridge_ops.regions import region_in, region_of

#: Who calls for custom skills.
#: https://docs.aws.amazon.com/lambda/latest/dg/services-alexa.html
CUSTOM: Final = "alexa-appkit.amazon.com"

#: Seconds and megabytes that Amazon asks for at least.
#: https://developer.amazon.com/en-US/docs/alexa/smarthome/troubleshooting-guide.html
MIN_TIMEOUT_S: Final = 8
MIN_MEMORY_MB: Final = 256

#: When AWS stops to support a Python.
#: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
RUNTIME_ENDS: Final[Mapping[str, date]] = {
    "python3.8": date(2024, 10, 14),
    "python3.9": date(2025, 12, 15),
    "python3.10": date(2026, 10, 31),
    "python3.11": date(2027, 6, 30),
    "python3.12": date(2028, 10, 31),
    "python3.13": date(2029, 6, 30),
    "python3.14": date(2029, 6, 30),
}

#: Days before that end at which it is time to go.
RUNTIME_SOON_DAYS: Final = 180


#: What AWS calls its runtimes.
_RUNTIME: Final = re.compile(r"[a-z][a-z0-9.]{0,30}")

#: How the ARNs of policies begin that AWS has written.
_OF_AWS: Final = re.compile(r"arn:aws[a-z-]*:iam::aws:")

#: Those that allow much, where AWS does not show what they say.
_BROAD: Final = re.compile("AdministratorAccess|PowerUserAccess|.*FullAccess")

#: How many of many are named.
_SHOWN: Final = 5

#: Versions and aliases whose policies are asked for: each is a request.
_ASKED: Final = 30


@of_function
def region(context: Context, function: Function) -> Outcome:
    """The function is where Alexa looks for it."""
    name = function.region
    here = region_in(name)
    locale = context.options.locale
    wanted = region_of(locale) if locale else None
    values = to_deploy(context, [wanted.aws_region] if wanted else [])
    if here is None:
        return Problem("not_alexas", f"it is in {name}", values)
    if wanted and here is not wanted:
        saw = f"it is in {name}; {locale} belongs to {wanted.aws_region}"
        return Problem("other", saw, values)
    return Fine(f"{name}, for {here.title}")


@of_function
def trigger(context: Context, function: Function) -> Outcome:
    """Alexa may call the function, and nobody else."""
    may = function.callers()
    alexa = _trigger(context, function, may)
    strangers, unseen = _strangers(function, may)
    if isinstance(alexa, Problem):
        return [alexa, *strangers]
    return strangers or Fine("; ".join([alexa.saw, *unseen]))


def _strangers(
    function: Function, may: Iterable[Caller]
) -> tuple[list[Problem], list[str]]:
    """Return who may call it by any of its names, and what could not be looked at.

    Args:
        function: By the name that is meant.
        may: Who may call it by that.
    """
    # Of Alexa as it is meant the trigger tells.
    rest = [one for one in may if one.principal != SMART_HOME]
    opened, unseen = list(_opened(function, rest)), []
    try:
        names = others(function)
        for one in names[:_ASKED]:
            opened += _opened(one, one.callers())
        if len(names) > _ASKED:
            unseen.append(f"{len(names) - _ASKED} versions were not looked at")
    except AwsError as error:
        unseen.append(f"versions and aliases were not looked at ({error.code})")
    try:
        urls = open_urls(function)
    except AwsError as error:
        unseen.append(f"function URLs of aliases were not looked at ({error.code})")
        urls = []
        with contextlib.suppress(AwsError):
            urls = [function] if function.open_url() else []
    addresses = [
        Problem(
            "open_url",
            f"{_called(one)} has an address that asks for no login",
            _named(one),
        )
        for one in urls
    ]
    opened.sort(key=lambda one: one.cause != "anybody")
    return [*opened[:_SHOWN], *addresses[:_SHOWN]], unseen


def _opened(function: Function, may: Iterable[Caller]) -> Iterator[Problem]:
    for one in may:
        if one.is_anybody:
            cause, who = "anybody", "anybody"
        elif one.is_for_all_accounts:
            cause, who = "any_account", f"{quoted(one.principal)}, for any account,"
        else:
            continue
        saw = f"{who} may {_does(one, _called(function))}"
        saw += f", by the statement {quoted(one.statement_id)}"
        yield Problem(cause, saw, {**_named(function), "statement": one.statement_id})


def _does(one: Caller, called: str) -> str:
    if any(map(one.may, CALLS)):
        return f"call {called}"
    actions = ", ".join(map(quoted, one.actions[:_SHOWN]))
    return f"do {actions} with {called}"


def _called(function: Function) -> str:
    return quoted(function.qualifier) if function.qualifier else "it"


def _named(function: Function) -> dict[str, str]:
    """Return what a command of AWS's needs to change how the function is called."""
    qualifier = function.qualifier
    at = f" --qualifier {qualifier}" if qualifier else ""
    return {"name": function.name, "region": function.region, "at": at}


def _trigger(
    context: Context, function: Function, may: Iterable[Caller]
) -> Fine | Problem:
    may = [one for one in may if one.may(INVOKE)]
    skills = [one.skill_id for one in may if one.principal == SMART_HOME]
    values = {"skill": context.options.skill_id or NO_SKILL_ID, **which(function)}
    if skills:
        return _trigger_for(context.options.skill_id, skills, values)
    if any(one.principal == CUSTOM for one in may):
        return Problem("appkit", f"only {CUSTOM} may", values)
    return Problem("none", "no trigger", values)


def _trigger_for(
    wanted: str | None, skills: list[str | None], values: Mapping[str, str]
) -> Fine | Problem:
    named = [skill for skill in skills if skill is not None]
    shown = ", ".join(one_of(skill, SKILL_ID) for skill in named[:_SHOWN])
    may = wanted in named if wanted else any(map(SKILL_ID.fullmatch, named))
    if len(named) < len(skills):
        if may:
            saw = f"{wanted or shown} may, and every other skill too"
            return Problem("also_any_skill", saw, values)
        return Problem("any_skill", "no skill id is asked for", values)
    if may:
        return Fine(f"skill {wanted or shown}")
    if wanted:
        return Problem("other_skill", f"{shown} may, {wanted} may not", values)
    return Problem("malformed", shown, values)


@of_function
def timeout(_context: Context, function: Function) -> Outcome:
    """The function has time enough."""
    saw = f"{function.timeout_s} s"
    if function.timeout_s < MIN_TIMEOUT_S:
        return Problem("short", saw, which(function))
    return Fine(saw)


@of_function
def memory(_context: Context, function: Function) -> Outcome:
    """The function has memory enough."""
    saw = f"{function.memory_mb} MB"
    if function.memory_mb < MIN_MEMORY_MB:
        return Problem("small", saw, which(function))
    return Fine(saw)


@of_function
def runtime(context: Context, function: Function) -> Outcome:
    """The function's Python is supported."""
    values = deployed_anew(context, function)
    if not function.runtime:
        return Untried("it is a container image")
    name = one_of(function.runtime, _RUNTIME)
    if not name.startswith("python"):
        return Problem("not_python", name, values)
    end = RUNTIME_ENDS.get(name)
    if end is None:
        return Fine(name)
    saw = f"{name}, supported until {end}"
    days = (end - datetime.fromtimestamp(context.now(), UTC).date()).days
    if days < 0:
        return Problem("ended", saw, values)
    return Problem("ends", saw, values) if days < RUNTIME_SOON_DAYS else Fine(saw)


@of_function
def environment(context: Context, function: Function) -> Outcome:
    """The function's variables are those checked here."""
    if function.variables_error:
        raise AwsError(function.variables_error)
    theirs = function.variables
    problems = [*_address_problems(context, theirs), *_switch_problems(theirs)]
    if theirs.get("LONG_LIVED_ACCESS_TOKEN", "").strip():
        saw = "LONG_LIVED_ACCESS_TOKEN is set"
        problems.append(Problem("token_left", saw, which(function)))
    return problems or Fine("as here")


def _address_problems(context: Context, theirs: Mapping[str, str]) -> Iterator[Problem]:
    text = theirs.get("BASE_URL", "").strip()
    ours = our_address(context)
    if not text:
        yield Problem("missing", "BASE_URL is not set there", {"base_url": ours})
        return
    try:
        address = parse_address(text)
    except ValueError as error:
        yield Problem("malformed", f"BASE_URL {error}")
        return
    if context.address and address != context.address:
        saw = f"BASE_URL is {address} there, {ours} here"
        yield Problem("differs", saw, {"theirs": str(address)})


def _switch_problems(theirs: Mapping[str, str]) -> Iterator[Problem]:
    for name in ("NOT_VERIFY_SSL", "DEBUG"):
        try:
            is_on = parse_switch(theirs.get(name, "").strip())
        except ValueError as error:
            yield Problem("malformed", f"{name} {error}")
        else:
            if is_on:
                yield Problem(name.lower(), f"{name} is on there")


@of_function
def role(_context: Context, function: Function) -> Outcome:
    """The function may do no more than it has to, and nobody else may do it."""
    name = function.role
    iam = function.client("iam")
    attached = iam.list_attached_role_policies
    broad, unseen = [], []
    for one in listed(attached, "AttachedPolicies", RoleName=name):
        policy_name = str(one["PolicyName"])
        try:
            is_much = _is_broad(iam, one["PolicyArn"])
        except AwsError as error:
            if not _OF_AWS.match(one["PolicyArn"]):
                raise
            is_much = _BROAD.fullmatch(policy_name) is not None
            unseen.append(f"{quoted(policy_name)} was not looked at ({error.code})")
        if is_much:
            broad.append(policy_name)
    for inline in listed(iam.list_role_policies, "PolicyNames", RoleName=name):
        policy = call(iam.get_role_policy, RoleName=name, PolicyName=inline)
        if is_broad(policy["PolicyDocument"]):
            broad.append(str(inline))
    problems = []
    if broad:
        saw = ", ".join(quoted(one) for one in broad[:_SHOWN])
        problems.append(Problem("broad", f"{quoted(name)} has {saw}"))
    try:
        is_trusting = _trusts_anybody(iam, name)
    except AwsError as error:
        is_trusting = False
        unseen.insert(0, f"who may take it on was not looked at ({error.code})")
    if is_trusting:
        saw = f"anybody may take on {quoted(name)}, by its trust policy"
        problems.append(Problem("anybody", saw))
    return problems or Fine("; ".join([quoted(name), *unseen[:_SHOWN]]))


@reads_aws
def _trusts_anybody(iam: Any, name: str) -> bool:
    """Return whether everybody may use a role."""
    found = call(iam.get_role, RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    return any(one.is_anybody for one in callers(found))


@reads_aws
def _is_broad(iam: Any, arn: str) -> bool:
    """Return whether a policy that is attached allows too much."""
    version = call(iam.get_policy, PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = call(iam.get_policy_version, PolicyArn=arn, VersionId=version)
    return is_broad(found["PolicyVersion"]["Document"])
