"""What a forum must not read: where the home is, and whose AWS account it is."""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from ha_bridge_ops.check.catalogue import EVERY
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.search import known_function
from ha_bridge_ops.strangers import Ours, for_strangers, is_public, ours_in

#: Changes a text before it is shown.
Clean = Callable[[str], str]

#: What may be the name of a machine, or its IPv4 address; behind *. too.
_HOST: Final = re.compile(r"(?<![\w-])(?<![\w-]\.)[\w-]+(?:\.[\w-]+)*")

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
    """Return what takes out of a text where the home is, and whose account it is.

    Args:
        context: In which all has been looked at.
    """
    own = _hosts([context.address.host] if context.address is not None else [])
    others = _hosts(_other_hosts(context))

    def clean(text: str) -> str:
        text = _without(text, own, "home.example.org")
        text = _without(text, others, "other.example.org")
        return for_strangers(text, _OURS)

    return clean


def _hosts(names: Iterable[str]) -> frozenset[str]:
    """Return names as `_without` looks for them, but for words of our own texts."""
    return frozenset(map(str.lower, names)) - _WORDS


def _without(text: str, hosts: frozenset[str], instead: str) -> str:
    """Return a text without hosts, and without names below them.

    It is read once, however many there are: a certificate may have thousands.
    """

    def put(found: re.Match[str]) -> str:
        labels = found[0].lower().split(".")
        ends = (".".join(labels[place:]) for place in range(len(labels)))
        return found[0] if hosts.isdisjoint(ends) else instead

    return _HOST.sub(put, text)


def _other_hosts(context: Context) -> set[str]:
    """Return the names of one's own that a redirect or a certificate gave away."""
    evidence = context.evidence
    names = evidence.tls.get("names", []) if evidence else []
    found = {str(name).removeprefix("*.") for name in names}
    addresses = [str(evidence.http.get("location", ""))] if evidence else []
    if (function := known_function(context)) is not None:
        addresses.append(function.variables.get("BASE_URL", ""))
    for address in addresses:
        with contextlib.suppress(ValueError):
            found.add(urlsplit(address).hostname or "")
    return {name for name in found if len(name) > _LABEL and not is_public(name)}
