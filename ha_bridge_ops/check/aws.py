"""Links `aws.*`: the function as AWS has it, looked at and not changed."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from ha_bridge.settings import parse_address, parse_switch
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried
from ha_bridge_ops.regions import REGIONS, region_in, region_of

#: What every skill id looks like.
SKILL_ID: Final = re.compile(r"amzn1\.ask\.skill\.[0-9a-f-]{36}")

#: What the ARN of a function looks like; its region is the first group.
FUNCTION_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:lambda:([a-z0-9-]+):\d{12}:function:[\w-]+(?::[\w$-]+)?"
)

#: Stands in the texts where the skill id is not known.
NO_SKILL_ID: Final = "amzn1.ask.skill.…"

#: Who calls for smart home skills, and who for custom ones.
#: https://docs.aws.amazon.com/lambda/latest/dg/services-alexa.html
SMART_HOME: Final = "alexa-connectedhome.amazon.com"
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

#: Error codes by which AWS says that something is not there, or not for us.
_NOT_THERE: Final = ("ResourceNotFoundException", "ResourceNotFound", "NoSuchEntity")

Configuration = Mapping[str, Any]


class AwsError(Exception):
    """AWS did not give what was asked for.

    Args:
        code: Its error code, or the name of botocore's exception.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def ask(call: Callable[..., Any], **request: Any) -> Any:
    """Return AWS's answer.

    Raises:
        AwsError: Whatever botocore raises.
    """
    try:
        return call(**request)
    except Exception as error:  # noqa: BLE001 - boto3 need not be there to import from
        response = getattr(error, "response", None)
        details = response.get("Error", {}) if isinstance(response, dict) else {}
        raise AwsError(str(details.get("Code") or type(error).__name__)) from None


def client(context: Context, service: str, region: str | None = None) -> Any:
    """Return the client of an AWS service.

    Raises:
        AwsError: boto3 refuses to make one.
    """
    make = context.aws
    assert make is not None  # noqa: S101 - `credentials` has looked
    where = region or context.options.region or REGIONS[0].aws_region
    return ask(lambda: make(service, where))


def credentials(context: Context) -> Outcome:
    """AWS lets us look."""
    if context.aws is None:
        return Problem("boto3", "boto3 is not installed")
    try:
        identity = ask(client(context, "sts").get_caller_identity)
    except AwsError as error:
        is_none = error.code in ("NoCredentialsError", "PartialCredentialsError")
        return Problem("none" if is_none else "refused", error.code)
    return Fine(str(identity["Arn"]))


def function(context: Context) -> Outcome:
    """The function is there."""
    if not context.is_fine("aws.credentials"):
        return Untried("AWS was not asked")
    regions = _regions(context)
    values = _to_deploy(context, regions)
    refused = []
    for region in regions:
        try:
            found = _functions(client(context, "lambda", region), context)
        except AwsError as error:
            refused.append(f"{error.code} in {region}")
            continue
        if len(found) > 1:
            names = [str(one["FunctionName"]) for one in found]
            values = {"region": region, "name": names[0]}
            return Problem("several", f"{', '.join(names)} in {region}", values)
        if found:
            context.asked["function"] = found[0]
            return Fine(str(found[0]["FunctionArn"]))
    if refused:
        # It may be where we may not look: no reason to deploy another.
        return Problem("refused", "; ".join(refused))
    what = context.options.function or "a function with BASE_URL"
    return Problem("missing", f"no {what} in {', '.join(regions)}", values)


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


def _functions(lambda_: Any, context: Context) -> list[Configuration]:
    if name := context.options.function:
        try:
            return [ask(lambda_.get_function_configuration, FunctionName=name)]
        except AwsError as error:
            if error.code in _NOT_THERE:
                return []
            raise
    pages = ask(lambda_.get_paginator("list_functions").paginate)
    listed = ask(lambda: [one for page in pages for one in page["Functions"]])
    return [one for one in listed if "BASE_URL" in _variables(one)]


def _variables(configuration: Configuration) -> Mapping[str, str]:
    return dict(configuration.get("Environment", {}).get("Variables", {}))


def configuration_of(context: Context) -> Configuration | None:
    """Return the function's configuration, if it was found."""
    found: Configuration | None = context.asked.get("function")
    return found


def region_name(configuration: Configuration) -> str:
    """Return the region of a function."""
    return str(configuration["FunctionArn"]).split(":")[3]


def _which(configuration: Configuration) -> dict[str, str]:
    """Return what a command needs to find the same function again."""
    name, where = configuration["FunctionName"], region_name(configuration)
    return {"which": f" --function {name} --region {where}"}


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


def deployed_anew(context: Context, configuration: Configuration) -> dict[str, str]:
    """Return what a command needs to deploy a function again."""
    return _to_deploy(context, [region_name(configuration)])


def _our_address(context: Context) -> str:
    return str(context.address or "https://home.example.org")


#: Looks at a function that was found.
_Look = Callable[[Context, Configuration], Outcome]


def _of_function(look: _Look) -> Callable[[Context], Outcome]:
    def check(context: Context) -> Outcome:
        configuration = configuration_of(context)
        if configuration is None:
            return Untried("there is no function to look at")
        try:
            return look(context, configuration)
        except AwsError as error:
            return Untried(f"AWS did not let us look: {error.code}")

    return check


@_of_function
def region(context: Context, configuration: Configuration) -> Outcome:
    """The function is where Alexa looks for it."""
    name = region_name(configuration)
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


@_of_function
def trigger(context: Context, configuration: Configuration) -> Outcome:
    """Alexa may call the function."""
    statements = list(_statements(context, configuration))
    tokens = [token for principal, token in statements if principal == SMART_HOME]
    values = {"skill": context.options.skill_id or NO_SKILL_ID, **_which(configuration)}
    if tokens:
        return _trigger_for(context.options.skill_id, tokens, values)
    if any(principal == CUSTOM for principal, _ in statements):
        return Problem("appkit", f"only {CUSTOM} may", values)
    return Problem("none", "no trigger", values)


def _trigger_for(
    wanted: str | None, tokens: list[str | None], values: Mapping[str, str]
) -> Outcome:
    named = [token for token in tokens if token is not None]
    shown = ", ".join(named)
    may = wanted in named if wanted else any(map(SKILL_ID.fullmatch, named))
    if len(named) < len(tokens):
        if may:
            saw = f"{wanted or shown} may, and every other skill too"
            return Problem("also_any_skill", saw, values)
        return Problem("any_skill", "no skill id is asked for", values)
    if may:
        return Fine(f"skill {wanted or shown}")
    if wanted:
        return Problem("other_skill", f"{shown} may, {wanted} may not", values)
    return Problem("malformed", shown, values)


def _statements(
    context: Context, configuration: Configuration
) -> Iterator[tuple[str, str | None]]:
    """Give who may call the function, and with which skill id."""
    lambda_ = client(context, "lambda", region_name(configuration))
    try:
        answer = ask(lambda_.get_policy, FunctionName=configuration["FunctionName"])
    except AwsError as error:
        if error.code in _NOT_THERE:
            return
        raise
    for statement in json.loads(answer["Policy"])["Statement"]:
        principal = statement.get("Principal", {})
        who = principal.get("Service") if isinstance(principal, dict) else principal
        condition = statement.get("Condition", {}).get("StringEquals", {})
        if statement.get("Effect") == "Allow":
            yield str(who), condition.get("lambda:EventSourceToken")


@_of_function
def timeout(_context: Context, configuration: Configuration) -> Outcome:
    """The function has time enough."""
    seconds = int(configuration["Timeout"])
    saw = f"{seconds} s"
    if seconds < MIN_TIMEOUT_S:
        return Problem("short", saw, _which(configuration))
    return Fine(saw)


@_of_function
def memory(_context: Context, configuration: Configuration) -> Outcome:
    """The function has memory enough."""
    megabytes = int(configuration["MemorySize"])
    saw = f"{megabytes} MB"
    if megabytes < MIN_MEMORY_MB:
        return Problem("small", saw, _which(configuration))
    return Fine(saw)


@_of_function
def runtime(context: Context, configuration: Configuration) -> Outcome:
    """The function's Python is supported."""
    name = str(configuration.get("Runtime") or "")
    values = deployed_anew(context, configuration)
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


@_of_function
def environment(context: Context, configuration: Configuration) -> Outcome:
    """The function's variables are those checked here."""
    if error := configuration.get("Environment", {}).get("Error"):
        # Such as a key of KMS that we may not use.
        raise AwsError(str(error.get("ErrorCode")))
    theirs = _variables(configuration)
    problems = [*_address_problems(context, theirs), *_switch_problems(theirs)]
    if theirs.get("LONG_LIVED_ACCESS_TOKEN", "").strip():
        saw = "LONG_LIVED_ACCESS_TOKEN is set"
        problems.append(Problem("token_left", saw, _which(configuration)))
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


@_of_function
def role(context: Context, configuration: Configuration) -> Outcome:
    """The function may do no more than it has to."""
    name = str(configuration["Role"]).rpartition("/")[2]
    iam = client(context, "iam")
    attached = ask(iam.list_attached_role_policies, RoleName=name)
    broad = [
        str(policy["PolicyName"])
        for policy in attached["AttachedPolicies"]
        if policy["PolicyName"] in ("AdministratorAccess", "PowerUserAccess")
        or policy["PolicyName"].endswith("FullAccess")
    ]
    for inline in ask(iam.list_role_policies, RoleName=name)["PolicyNames"]:
        policy = ask(iam.get_role_policy, RoleName=name, PolicyName=inline)
        if _is_broad(policy["PolicyDocument"]):
            broad.append(str(inline))
    if broad:
        return Problem("broad", f"{name} has {', '.join(broad)}")
    return Fine(name)


def _is_broad(document: Mapping[str, Any]) -> bool:
    """Return whether a policy allows everything, or all of a service everywhere."""
    for statement in _as_list(document.get("Statement", [])):
        if statement.get("Effect") != "Allow":
            continue
        actions = _as_list(statement.get("Action", []))
        everywhere = "*" in _as_list(statement.get("Resource", []))
        if "*" in actions or (everywhere and any(a.endswith(":*") for a in actions)):
            return True
    return False


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
