"""Link `aws.token_endpoint`: where Amazon gets tokens for a closed home."""

from collections.abc import Iterator
from typing import Final

from ha_bridge.redaction import Secret
from ha_bridge.secrets import is_reference
from ha_bridge.settings import GATE_VARIABLES
from ha_bridge.token_endpoint import MIN_SECRET
from ha_bridge_ops import grammar
from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.session import AwsError
from ha_bridge_ops.aws.token_endpoint import TokenEndpoint
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.model import Fine, Outcome, Problem
from ha_bridge_ops.check.search import deployed_anew, of_function
from ha_bridge_ops.outside import quoted
from ha_bridge_ops.regions import region_in

#: Variables that the two functions have in common.
_SHARED: Final = ("BASE_URL", "NOT_VERIFY_SSL", *GATE_VARIABLES)


@of_function
def token_endpoint(context: Context, function: Function) -> Outcome:
    """Amazon reaches the token endpoint, if there is one, and it the home."""
    found = TokenEndpoint.beside(function)
    if found is None:
        if wanted := context.options.token_url:
            saw = f"no function here answers {quoted(wanted)}"
            return Problem("missing", saw, deployed_anew(context, function))
        return Fine("there is none: Amazon asks Home Assistant itself")
    own = found.function
    values = {
        "name": own.name,
        "region": own.region,
        **deployed_anew(context, function),
    }
    urls: list[str] = []
    problems = [
        *_ways(context, found, urls, values),
        *_settings(function, own, values),
    ]
    if found.is_switched_off:
        saw = f"{quoted(own.name)} has a reserved concurrency of 0"
        problems.append(Problem("switched_off", saw, values))
    return problems or Fine(urls[0])


def _ways(
    context: Context, found: TokenEndpoint, urls: list[str], values: dict[str, str]
) -> Iterator[Problem]:
    """Give what is wrong with the ways to it; those that are right go into a list."""
    name = found.function.name
    of_apis = list(found.api_urls())
    urls += [url for url in of_apis if url]
    if (url := found.url()) and found.lets_url_in():
        urls.append(url)
    elif url:
        yield Problem("half_open", f"{url} lacks a permission", values)
    if None in of_apis and not urls:
        saw = f"the API of {quoted(name)} has no route POST /auth/token"
        yield Problem("no_route", saw, values)
    elif not urls and not url:
        yield Problem(
            "no_way", f"{quoted(name)} has neither API nor function URL", values
        )
    wanted = context.options.token_url
    if wanted and urls and wanted not in urls:
        saw = f"it is at {urls[0]}, not at {quoted(wanted)}"
        yield Problem("other_url", saw, values)


def _settings(
    bridge: Function, own: Function, values: dict[str, str]
) -> Iterator[Problem]:
    for one in (bridge, own):
        if one.variables_error:
            raise AwsError(one.variables_error)
    secret = own.variables.get("LINK_CLIENT_SECRET", "").strip()
    if not is_reference(Secret(secret)) and len(secret) < MIN_SECRET:
        saw = f"LINK_CLIENT_SECRET is {'too short' if secret else 'not set'}"
        yield Problem("closed", saw, values)
    region = region_in(own.region)
    client_id = own.variables.get("LINK_CLIENT_ID", "").strip()
    if region and client_id != region.client_id:
        # Exchanged with the secret, it is that.
        is_address = grammar.base_url(client_id) is not None
        there = quoted(client_id) if is_address else "no address"
        saw = f"LINK_CLIENT_ID is {there}, not {region.client_id}"
        yield Problem("client_id", saw, values)
    differing = [
        name
        for name in _SHARED
        if own.variables.get(name, "").strip() != bridge.variables.get(name, "").strip()
    ]
    if differing:
        saw = f"{', '.join(differing)} of {quoted(own.name)} and {quoted(bridge.name)}"
        yield Problem("differs", saw, values)
