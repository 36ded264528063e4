"""All ways into a function: by versions, aliases and URLs, each with its own lock.

https://docs.aws.amazon.com/lambda/latest/dg/versioning-aliases.html and
https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
"""

from typing import Final

from ha_bridge_ops.aws.function import Function, qualifier_of
from ha_bridge_ops.aws.session import listed, reads_aws

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
    which = {"FunctionName": function.name}
    aliases = listed(client.list_aliases, "Aliases", **which)
    versions = listed(client.list_versions_by_function, "Versions", **which)
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
    method = client.list_function_url_configs
    found = listed(method, "FunctionUrlConfigs", FunctionName=function.name)
    return [
        function.at(qualifier_of(str(one["FunctionArn"])))
        for one in found
        if one.get("AuthType") == "NONE"
    ]
