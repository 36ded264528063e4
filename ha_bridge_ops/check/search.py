"""Links `aws.credentials` and `aws.function`: AWS is asked, the function is found."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ha_bridge_ops.aws.function import FUNCTION_ARN, Function, functions_in
from ha_bridge_ops.aws.session import (
    ODD_SHAPE,
    UNREADABLE,
    AwsError,
    Session,
    call,
    reads_aws,
)
from ha_bridge_ops.check.context import Context, Fact
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried
from ha_bridge_ops.outside import one_of, quoted
from ha_bridge_ops.regions import REGIONS, region_in, region_of

#: Who is logged in.
_IDENTITY: Final = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::\d{12}:[\w+=,.@/-]{1,200}")

#: How many of many are named.
_SHOWN: Final = 5

#: botocore's exceptions for what is missing on this machine, and the causes they are.
_LOGINS: Final[Mapping[str, str]] = {
    # `aws login` signs with a library that is not there on each machine.
    "MissingDependencyException": "crt",
    "ProfileNotFound": "profile",
}


def credentials(context: Context) -> Outcome:
    """AWS lets us look."""
    if context.session is None:
        return Untried("AWS is not asked")
    try:
        return Fine(_identity(context.session))
    except AwsError as error:
        return Problem(_why_no_credentials(error), error.code)


@reads_aws
def _identity(session: Session) -> str:
    found = call(session.client("sts").get_caller_identity)
    return one_of(found["Arn"], _IDENTITY)


def _why_no_credentials(error: AwsError) -> str:
    if error.is_offline:
        return "offline"
    if known := _LOGINS.get(error.code):
        return known
    if error.is_no_login:
        return "none"
    return "profile" if error.is_misconfigured else "refused"


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
        return Problem(
            "several", f"{', '.join(map(quoted, names[:_SHOWN]))} in {region}", values
        )
    if search.found:
        return Fine(search.found[0].arn)
    if search.refused:
        # It may be where we may not look: no reason to deploy another.
        return Problem("refused", "; ".join(search.refused))
    named = context.options.function
    what = quoted(named) if named else "function with BASE_URL"
    saw = f"no {what} in {', '.join(search.regions)}"
    return Problem("missing", saw, to_deploy(context, search.regions))


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


def which(function: Function) -> dict[str, str]:
    """Return what a command needs to find the same function again."""
    name = function.qualified_name
    return {"which": f" --function {name} --region {function.region}"}


def to_deploy(context: Context, regions: Iterable[str]) -> dict[str, str]:
    """Return what a command needs to deploy.

    Args:
        context: What all share.
        regions: Where to, likeliest first; where Alexa calls nothing does not count.
    """
    known = [found for name in regions if (found := region_in(name))]
    if locale := context.options.locale:
        known.append(region_of(locale))
    where = [*known, *REGIONS][0]
    return {"env": where.samconfig_env, "base_url": our_address(context)}


def deployed_anew(context: Context, function: Function) -> dict[str, str]:
    """Return what a command needs to deploy a function again."""
    return to_deploy(context, [function.region])


def our_address(context: Context) -> str:
    """Return the address that was checked here, or an example."""
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
            return Untried(f"AWS refused to show it: {error.code}")
        except ODD_SHAPE:
            return Untried(f"AWS gave {UNREADABLE}")

    return check
