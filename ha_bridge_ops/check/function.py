"""Links `aws.*`: the function as AWS has it, looked at and not changed."""

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from ha_bridge.settings import parse_address, parse_switch
from ha_bridge_ops.aws.changes import SMART_HOME
from ha_bridge_ops.aws.function import (
    FUNCTION_ARN,
    Function,
    Permission,
    functions_in,
)
from ha_bridge_ops.aws.policies import is_broad
from ha_bridge_ops.aws.session import AwsError, call
from ha_bridge_ops.check.context import Context, Fact
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried
from ha_bridge_ops.check.placeholders import NO_SKILL_ID
from ha_bridge_ops.outside import one_of, quoted
from ha_bridge_ops.regions import REGIONS, region_in, region_of

#: What every skill id looks like.
SKILL_ID: Final = re.compile(r"amzn1\.ask\.skill\.[0-9a-f-]{36}")


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

#: botocore's exceptions for what is missing on this machine, and the causes they are.
_LOGINS: Final[Mapping[str, str]] = {
    # `aws login` signs with a library that boto3 does not bring along.
    "MissingDependencyException": "crt",
    "ProfileNotFound": "profile",
    "ConfigNotFound": "profile",
    "InvalidConfigError": "profile",
    "ConfigParseError": "profile",
}

#: How the ARNs of policies begin that AWS has written.
_OF_AWS: Final = re.compile(r"arn:aws[a-z-]*:iam::aws:")

#: How many of many are named.
_SHOWN: Final = 5


def credentials(context: Context) -> Outcome:
    """AWS lets us look."""
    if context.session is None:
        return Problem("boto3", "boto3 is not installed")
    try:
        identity = call(context.session.client("sts").get_caller_identity)
    except AwsError as error:
        return Problem(_why_no_credentials(error), error.code)
    return Fine(str(identity["Arn"]))


def _why_no_credentials(error: AwsError) -> str:
    if error.is_no_login:
        return "none"
    if error.is_offline:
        return "offline"
    return _LOGINS.get(error.code, "refused")


@dataclass(frozen=True)
class _Search:
    """Where the function was looked for, and what was found."""

    regions: list[str]
    found: list[Function] = field(default_factory=list)
    """In the first region that has any."""
    refused: list[str] = field(default_factory=list)


@Fact
def _search(context: Context) -> _Search:
    search = _Search(_regions(context))
    if context.session is None or not context.is_fine("aws.credentials"):
        return search
    for region in search.regions:
        try:
            named = context.options.function
            search.found.extend(functions_in(context.session, region, named))
        except AwsError as error:
            search.refused.append(f"{error.code} in {region}")
        if search.found:
            break
    return search


def function_of(context: Context) -> Function | None:
    """Return the function, if there is one and no doubt which; AWS is asked once."""
    found = _search(context).found
    return found[0] if len(found) == 1 else None


def known_function(context: Context) -> Function | None:
    """Return the function if it was looked for already; AWS is not asked."""
    return function_of(context) if _search.known(context) else None


def function(context: Context) -> Outcome:
    """The function is there."""
    if not context.is_fine("aws.credentials"):
        return Untried("AWS was not asked")
    search = _search(context)
    if len(search.found) > 1:
        names = [one.name for one in search.found]
        region = search.found[0].region
        values = {"region": region, "name": names[0]}
        return Problem("several", f"{', '.join(names)} in {region}", values)
    if search.found:
        return Fine(search.found[0].arn)
    if search.refused:
        # It may be where we may not look: no reason to deploy another.
        return Problem("refused", "; ".join(search.refused))
    what = context.options.function or "a function with BASE_URL"
    saw = f"no {what} in {', '.join(search.regions)}"
    return Problem("missing", saw, _to_deploy(context, search.regions))


def _regions(context: Context) -> list[str]:
    """Return where to look, likeliest first."""
    options = context.options
    known = [options.region]
    if arn := FUNCTION_ARN.fullmatch(options.function or ""):
        known.append(arn[1])
    if options.locale:
        known.append(region_of(options.locale).aws_region)
    every = [*known, *(region.aws_region for region in REGIONS)]
    return list(dict.fromkeys(region for region in every if region))


def _which(function: Function) -> dict[str, str]:
    """Return what a command needs to find the same function again."""
    name = function.qualified_name
    return {"which": f" --function {name} --region {function.region}"}


def _to_deploy(context: Context, regions: Iterable[str]) -> dict[str, str]:
    """Return what a command needs to deploy.

    Args:
        context: What all share.
        regions: Where to, likeliest first; where Alexa calls nothing does not count.
    """
    known = [found for name in regions if (found := region_in(name))]
    if locale := context.options.locale:
        known.append(region_of(locale))
    where = [*known, *REGIONS][0]
    return {"env": where.samconfig_env, "base_url": _our_address(context)}


def deployed_anew(context: Context, function: Function) -> dict[str, str]:
    """Return what a command needs to deploy a function again."""
    return _to_deploy(context, [function.region])


def _our_address(context: Context) -> str:
    return str(context.address or "https://home.example.org")


#: Looks at a function that was found.
_Look = Callable[[Context, Function], Outcome]


def of_function(look: _Look) -> Callable[[Context], Outcome]:
    """Make a check of what looks at the function that was found."""

    def check(context: Context) -> Outcome:
        found = function_of(context)
        if found is None:
            return Untried("there is no function to look at")
        try:
            return look(context, found)
        except AwsError as error:
            return Untried(f"AWS did not let us look: {error.code}")

    return check


@of_function
def region(context: Context, function: Function) -> Outcome:
    """The function is where Alexa looks for it."""
    name = function.region
    here = region_in(name)
    locale = context.options.locale
    wanted = region_of(locale) if locale else None
    values = _to_deploy(context, [wanted.aws_region] if wanted else [])
    if here is None:
        return Problem("not_alexas", f"it is in {name}", values)
    if wanted and here is not wanted:
        saw = f"it is in {name}; {locale} belongs to {wanted.aws_region}"
        return Problem("other", saw, values)
    return Fine(f"{name}, for {here.title}")


@of_function
def trigger(context: Context, function: Function) -> Outcome:
    """Alexa may call the function, and nobody else."""
    may = list(function.permissions())
    alexa = _trigger(context, function, may)
    problems = [alexa] if isinstance(alexa, Problem) else []
    problems += _strangers(function, may)
    return problems or alexa


def _strangers(function: Function, may: Iterable[Permission]) -> Iterator[Problem]:
    values = {"name": function.name, "region": function.region}
    opened = [one for one in may if one.is_anybody]
    for one in opened[:_SHOWN]:
        saw = f"anybody may, by the statement {quoted(one.statement_id)}"
        yield Problem("anybody", saw, {**values, "statement": one.statement_id})
    # Where we may not look, the rest is still worth telling.
    with contextlib.suppress(AwsError):
        if function.has_open_url():
            saw = "it has an address that asks for no login"
            yield Problem("open_url", saw, values)


def _trigger(
    context: Context, function: Function, may: Iterable[Permission]
) -> Fine | Problem:
    skills = [one.skill_id for one in may if one.principal == SMART_HOME]
    values = {"skill": context.options.skill_id or NO_SKILL_ID, **_which(function)}
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
        return Problem("short", saw, _which(function))
    return Fine(saw)


@of_function
def memory(_context: Context, function: Function) -> Outcome:
    """The function has memory enough."""
    saw = f"{function.memory_mb} MB"
    if function.memory_mb < MIN_MEMORY_MB:
        return Problem("small", saw, _which(function))
    return Fine(saw)


@of_function
def runtime(context: Context, function: Function) -> Outcome:
    """The function's Python is supported."""
    name = function.runtime
    values = deployed_anew(context, function)
    if not name:
        return Untried("it is a container image")
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
        problems.append(Problem("token_left", saw, _which(function)))
    return problems or Fine("as here")


def _address_problems(context: Context, theirs: Mapping[str, str]) -> Iterator[Problem]:
    text = theirs.get("BASE_URL", "").strip()
    ours = _our_address(context)
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
    """The function may do no more than it has to."""
    name = function.role
    iam = function.client("iam")
    attached = call(iam.list_attached_role_policies, RoleName=name)
    broad = [
        str(one["PolicyName"])
        for one in attached["AttachedPolicies"]
        if _is_broad_by_name(one) or _is_broad_of_ones_own(iam, one)
    ]
    for inline in call(iam.list_role_policies, RoleName=name)["PolicyNames"]:
        policy = call(iam.get_role_policy, RoleName=name, PolicyName=inline)
        if is_broad(policy["PolicyDocument"]):
            broad.append(str(inline))
    if broad:
        return Problem("broad", f"{name} has {', '.join(broad)}")
    return Fine(name)


def _is_broad_by_name(policy: Mapping[str, str]) -> bool:
    name = policy["PolicyName"]
    return name in ("AdministratorAccess", "PowerUserAccess") or name.endswith(
        "FullAccess"
    )


def _is_broad_of_ones_own(iam: Any, policy: Mapping[str, str]) -> bool:
    """Return whether a policy that AWS did not write allows too much."""
    arn = policy["PolicyArn"]
    if _OF_AWS.match(arn):
        return False
    version = call(iam.get_policy, PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = call(iam.get_policy_version, PolicyArn=arn, VersionId=version)
    document = found["PolicyVersion"]["Document"]
    return is_broad(json.loads(document) if isinstance(document, str) else document)
