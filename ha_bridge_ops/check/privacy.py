"""What a forum must not read: where the home is, and whose AWS account it is."""

import contextlib
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.search import known_function
from ha_bridge_ops.outside import for_strangers, is_public

#: Changes a text before it is shown.
Clean = Callable[[str], str]

#: A name this short could be a part of any text.
_LABEL: Final = 3


def anonymous(context: Context) -> Clean:
    """Return what takes out of a text where the home is, and whose account it is."""

    def clean(text: str) -> str:
        if context.address is not None:
            text = _without(text, context.address.host, "home.example.org")
        for host in _other_hosts(context):
            text = _without(text, host, "other.example.org")
        return for_strangers(text)

    return clean


def _without(text: str, host: str, instead: str) -> str:
    return re.sub(re.escape(host), instead, text, flags=re.IGNORECASE)


def _other_hosts(context: Context) -> set[str]:
    """Return the names of one's own that a redirect or a certificate gave away."""
    evidence = context.evidence
    found = {str(name) for name in evidence.tls.get("names", [])} if evidence else set()
    addresses = [str(evidence.http.get("location", ""))] if evidence else []
    if (function := known_function(context)) is not None:
        addresses.append(function.variables.get("BASE_URL", ""))
    for address in addresses:
        with contextlib.suppress(ValueError):
            found.add(urlsplit(address).hostname or "")
    return {name for name in found if len(name) > _LABEL and not is_public(name)}
