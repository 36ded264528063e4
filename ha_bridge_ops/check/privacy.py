"""What a forum must not read: where the home is, and whose AWS account it is."""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

from ha_bridge_ops.check.catalogue import EVERY
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.search import known_function
from ha_bridge_ops.strangers import Ours, for_strangers, is_public, ours_in

#: Changes a text before it is shown.
Clean = Callable[[str], str]

#: A name this short could be a part of any text.
_LABEL: Final = 3


def _texts() -> Iterator[str]:
    for one in EVERY:
        yield one.id
        for cause in one.causes:
            yield from (cause.symptom, cause.means, cause.fix, cause.paste)


#: What our own texts say; a home of that name would not be found by it.
_OURS: Final[Ours] = ours_in(_texts())
_WORDS: Final = frozenset(
    word for text in _texts() for word in re.findall(r"[\w-]+", text.lower())
)


def anonymous(context: Context) -> Clean:
    """Return what takes out of a text where the home is, and whose account it is."""

    def clean(text: str) -> str:
        if context.address is not None:
            text = _without(text, context.address.host, "home.example.org")
        for host in _other_hosts(context):
            text = _without(text, host, "other.example.org")
        return for_strangers(text, _OURS)

    return clean


def _without(text: str, host: str, instead: str) -> str:
    """Return a text without a host, and without names below it."""
    if host.lower() in _WORDS:
        return text
    pattern = rf"(?<![\w.-])(?:[\w-]+\.)*{re.escape(host)}(?![\w-])"
    return re.sub(pattern, instead, text, flags=re.IGNORECASE)


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
