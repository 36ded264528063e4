"""What a forum may read: no text that tells where a home is, or whose.

What is known to be ours stays; a name, an address or a path that is not goes, in
whatever way it is written.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from typing import Final

from ha_bridge_ops.outside import are_known

#: Names, addresses and quoted words that our own texts have.
Ours = frozenset[str]

_QUOTED: Final = re.compile("“([^”]*)”?")

_URL: Final = re.compile(r"""(https?://)([^\s/?#“”"'<>)]*)([^\s“”"'<>),;]*)""")

#: What may be the name of a machine, of a file or of an entity.
_NAME: Final = re.compile(r"(?<![\w-])[\w-]+(?:\.[\w-]+)+")

#: A version, or an IPv4 address that was looked at already.
_NUMBERS: Final = re.compile(r"v?[0-9]+(?:\.[0-9]+)+(?:(?:a|b|rc|\.dev|\.post)[0-9]+)?")
_PYTHON: Final = re.compile(r"python[23]\.[0-9]{1,2}")

#: Digits of an IPv4 address, as they are or in the name of a provider's customer.
_IPV4: Final = re.compile(r"(?<![0-9])[0-9]{1,4}(?:[.-][0-9]{1,4}){3,}(?![0-9])")

#: Digits of an IPv6 address, or of a network card.
_IPV6: Final = re.compile(
    r"(?<![0-9A-Fa-f:.])[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[\w.-]+)?"
)
_CLOCK: Final = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?")
_CARD: Final = re.compile(r"(?<![\w-])(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}(?![\w-])")
_FEW: Final = 2

#: Stands for an address.
_GONE: Final = "<public address>"

#: Names that say nothing of whose home it is; below Amazon's are Amazon's own.
_PUBLIC: Final = frozenset(
    {
        "amzn1.ask.skill",
        "configuration.yaml",
        "home.example.org",
        "lambda_function.lambda_handler",
        "other.example.org",
    }
)
_AMAZONS: Final = (".amazon.com", ".amazon.co.jp")

#: Paths that every home has.
_PATHS: Final = frozenset(
    {"", "/", "/api/alexa/smart_home", "/auth/authorize", "/auth/token"}
)

#: Name servers in commands that we print ourselves.
_NAME_SERVERS: Final = frozenset({"1.1.1.1"})

#: What has a pattern of its own, and what is left of it.
_OTHERS: Final = (
    # Who is logged in to AWS, and what has which name there.
    (re.compile(r"(arn:aws[\w-]*:[\w-]*:[\w-]*:)\S*"), r"\1<account>"),
    (re.compile(r"""[^\s“”"'<>(),;:/=]{0,99}\w@\w[^\s“”"<>(),;:/]*"""), "<someone>"),
    (
        re.compile(r"amzn1\.(ask\.skill|account|application[\w-]*)\.[\w.-]+"),
        r"amzn1.\1.…",
    ),
    (re.compile(r"/aws/lambda/\S+"), "/aws/lambda/…"),
    (re.compile(r"\b(ssm|secretsmanager):(?!/ha-bridge/)\S+"), r"\1:…"),
    # The folder of somebody on this machine.
    (re.compile(r"(?:[A-Za-z]:)?[\\/](?:home|Users|root)[\\/][^\s:“”]*"), "<path>"),
    (
        re.compile(
            r"(--(?:function|function-name|qualifier|statement-id|profile"
            r"|log-group-name)[ =]|aws logs tail )"
            r"(?!(?:token-url|token-url-invoke|and) )\S+"
        ),
        r"\1…",
    ),
    (
        re.compile(r"(?<![0-9])(?:[0-9]{12}|[0-9]{4}-[0-9]{4}-[0-9]{4})(?![0-9])"),
        "<account>",
    ),
)


def ours_in(texts: Iterable[str]) -> Ours:
    """Return what texts of ours have that looks like somebody's."""
    return frozenset(
        found[0]
        for text in texts
        for pattern in (_QUOTED, _URL, _NAME)
        for found in pattern.finditer(text)
    )


def for_strangers(text: str, ours: Ours = frozenset()) -> str:
    """Return a text without what tells where a home is, or whose.

    What others said is left out but for words that everybody's server says; addresses
    that the world can reach, names of machines, of devices and of accounts are
    replaced.

    Args:
        text: Of ours, with what others said between quotation marks.
        ours: What stays.
    """

    def said(found: re.Match[str]) -> str:
        stays = found[0] in ours or are_known(found[1])
        return found[0] if stays else "“…”"

    def url(found: re.Match[str]) -> str:
        if found[0].rstrip(".:") in ours:
            return found[0]
        scheme, authority, path = found.groups()
        host, port = _host_and_port(authority)
        whole = path.rstrip(".:")
        shown = whole if whole in _PATHS else "/…"
        return f"{scheme}{_host(host, ours)}{port}{shown}{path[len(whole) :]}"

    def name(found: re.Match[str]) -> str:
        return _name(found[0], ours)

    text = _QUOTED.sub(said, text)
    text = _URL.sub(url, text)
    for pattern, instead in _OTHERS:
        text = pattern.sub(instead, text)
    text = _IPV6.sub(lambda found: _ipv6(found[0]), text)
    text = _CARD.sub(_GONE, text)
    text = _IPV4.sub(lambda found: _ipv4(found[0]), text)
    return _NAME.sub(name, text)


def is_public(name: str) -> bool:
    """Return whether the name of a machine tells nothing of whose it is."""
    return name in _PUBLIC or name.endswith(_AMAZONS)


def _name(name: str, ours: Ours) -> str:
    is_ours = name in ours or is_public(name)
    is_version = _NUMBERS.fullmatch(name) or _PYTHON.fullmatch(name)
    return name if is_ours or is_version else "other.example.org"


def _host_and_port(authority: str) -> tuple[str, str]:
    host = authority.rpartition("@")[2]
    found = re.fullmatch(r"(\[.*\]|[^:]*)(:[0-9]{0,5})?", host)
    return (found[1], found[2] or "") if found else (host, "")


def _host(host: str, ours: Ours) -> str:
    if host.startswith("["):
        return f"[{_ipv6(host[1:-1])}]"
    if _IPV4.fullmatch(host):
        return _ipv4(host)
    return _name(host, ours)


def _ipv4(text: str) -> str:
    if text in _NAME_SERVERS:
        return text
    try:
        is_global = ip_address(text.replace("-", ".")).is_global
    except ValueError:
        is_global = True  # such as one in octal digits
    return _GONE if is_global else text


def _ipv6(text: str) -> str:
    before, inner, after = _digits(text.partition("%")[0])
    if inner.count(":") < _FEW or _CLOCK.fullmatch(inner):
        return text
    groups = re.findall("[0-9A-Fa-f]+", inner)
    try:
        stays = _is_silent(ip_address(inner))
    except ValueError:
        # With a port behind it, or of a network card.
        stays = len(groups) < _FEW
    return text if not groups else f"{before}{inner if stays else _GONE}{after}"


def _digits(text: str) -> tuple[str, str, str]:
    """Return what is around an address, and the address between."""
    inner = text.rstrip(".")
    if inner.endswith(":") and not inner.endswith("::"):
        inner = inner[:-1]
    after = text[len(inner) :]
    if inner.startswith(":") and not inner.startswith("::"):
        return ":", inner[1:], after
    return "", inner, after


def _is_silent(address: object) -> bool:
    """Return whether an address tells nothing: others hold an IPv4 address, a card."""
    if not isinstance(address, IPv6Address):
        return False
    inner = address.ipv4_mapped
    return address.is_loopback or bool(inner and not inner.is_global)
