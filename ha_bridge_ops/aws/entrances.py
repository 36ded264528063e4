"""All ways into a function: by versions, aliases and URLs, each with its own lock.

https://docs.aws.amazon.com/lambda/latest/dg/versioning-aliases.html and
https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ha_bridge_ops.aws.function import Function, qualifier_of
from ha_bridge_ops.aws.session import AwsError, call, reads_aws

#: Pages of a list that are read at most; AWS puts 50 entries on one.
_PAGES: Final = 40

#: The function itself has no policy by its other name.
_ITSELF: Final = frozenset({"", "$LATEST"})


@reads_aws
def others(function: Function) -> list[Function]:
    """Return the function by all its other names: each has a policy of its own.

    Returns:
        Itself if a version or alias is meant, then aliases, then versions, newest
        first.

    Raises:
        AwsError: AWS does not let us look.
    """
    client = function.client("lambda")
    aliases = _listed(client.list_aliases, "Aliases", function)
    versions = _listed(client.list_versions_by_function, "Versions", function)
    names = ["", *(str(one["Name"]) for one in aliases)]
    names += reversed([str(one["Version"]) for one in versions])
    meant = function.qualifier
    known = _ITSELF if meant in _ITSELF else {meant, "$LATEST"}
    return [function.at(one) for one in dict.fromkeys(names) if one not in known]


@reads_aws
def open_urls(function: Function) -> list[Function]:
    """Return by which names the function has an address that asks for no login.

    Raises:
        AwsError: AWS does not let us look.
    """
    client = function.client("lambda")
    listed = _listed(client.list_function_url_configs, "FunctionUrlConfigs", function)
    return [
        function.at(qualifier_of(str(one["FunctionArn"])))
        for one in listed
        if one.get("AuthType") == "NONE"
    ]


def _listed(method: Any, key: str, function: Function) -> Iterator[Mapping[str, Any]]:
    request = {"FunctionName": function.name}
    for _ in range(_PAGES):
        page = call(method, **request)
        yield from page[key]
        if not (marker := page.get("NextMarker")):
            return
        request["Marker"] = marker
    raise AwsError("TooManyPages")
