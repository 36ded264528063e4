"""The environment, read once into a value that does not change."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from ha_bridge.errors import BridgeError, Failure
from ha_bridge.redaction import Secret

#: Every variable the function reads, with its meaning.
VARIABLES: Final = {
    "BASE_URL": "Address of Home Assistant as AWS reaches it, "
    "such as https://home.example.org. Required.",
    "NOT_VERIFY_SSL": "true switches the check of the TLS certificate off.",
    "DEBUG": "true logs each directive and answer, secrets redacted.",
    "LONG_LIVED_ACCESS_TOKEN": "Token used when a directive carries none: "
    "for tests in the Lambda console. A text, ssm:/name or secretsmanager:name.",
    "EXTRA_HEADERS": "JSON object of header names and values that something in front "
    "of Home Assistant looks for. A text, ssm:/name or secretsmanager:name.",
    "CLIENT_CERTIFICATE": "PEM, certificate and key, for a proxy that demands one. "
    "A text, ssm:/name or secretsmanager:name.",
    "CA_CERTIFICATE": "PEM, the authority to trust instead of the public ones, or the "
    "server's own certificate. A text, ssm:/name or secretsmanager:name.",
}

#: Those of them that open a closed home; see `gate`.
GATE_VARIABLES: Final = ("EXTRA_HEADERS", "CLIENT_CERTIFICATE", "CA_CERTIFICATE")

#: Where Home Assistant takes directives, below BASE_URL.
#: https://www.home-assistant.io/integrations/alexa.smart_home/
PATH: Final = "/api/alexa/smart_home"

_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "off", ""})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_NO_URL: Final = "is not a valid URL: check host name and port"

#: What a host name, an IPv4 or an IPv6 address is made of (RFC 3986, 3.2.2); the
#: underscore is in no rule, but in some names of home networks.
_HOST: Final = re.compile(
    r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?|[0-9a-f:.]*:[0-9a-f:.]*"
)

#: ß and ς: Python's codec (RFC 3490) makes another name of them than today's rules do
#: (RFC 5891), which may be somebody else's.
_AMBIGUOUS: Final = frozenset("\u00df\u1e9e\u03c2")


class Address(NamedTuple):
    """Where Home Assistant is: the parts of BASE_URL."""

    scheme: str
    host: str
    port: int
    path: str
    """Path prefix without a trailing slash; empty for most homes."""

    @property
    def is_tls(self) -> bool:
        """Whether the scheme is https."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host, and port unless it is the scheme's own: the HTTP Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"
        )

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine's own, so that nobody can listen on the way."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


class Settings(NamedTuple):
    """What the environment says."""

    address: Address
    verify_tls: bool = True
    debug: bool = False
    long_lived_access_token: Secret | None = None
    gate: Mapping[str, Secret] = MappingProxyType({})
    """Those of `GATE_VARIABLES` that are set."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings from environment variables.

        Raises:
            BridgeError: WRONG_SETTING, naming every variable that is wrong, so that
                one correction is enough.
        """
        complaints: list[str] = []

        def read(name: str, parse: Callable[[str], Any]) -> Any:
            try:
                return parse(environ.get(name, "").strip())
            except ValueError as error:
                complaints.append(f"{name} {error}")
                return None

        address = read("BASE_URL", parse_address)
        not_verify_ssl = read("NOT_VERIFY_SSL", parse_switch)
        debug = read("DEBUG", parse_switch)
        token = read("LONG_LIVED_ACCESS_TOKEN", parse_secret)
        gate = {name: read(name, parse_secret) for name in GATE_VARIABLES}
        gate = {name: value for name, value in gate.items() if value}
        if gate:
            from ha_bridge.gate import complaints_of  # noqa: PLC0415 - few are closed

            complaints += complaints_of(
                gate,
                is_tls=address is None or address.is_tls,
                is_local=address is None or address.is_loopback,
                verify_tls=not not_verify_ssl,
            )
        if complaints:
            raise BridgeError(Failure.WRONG_SETTING, "; ".join(complaints))
        return cls(address, not not_verify_ssl, debug, token, gate)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Settings that work but are better changed, one sentence each."""
        found = []
        if not self.verify_tls:
            found.append(
                "NOT_VERIFY_SSL is on: whoever sits on the way can read the token. "
                "A free certificate from Let's Encrypt makes it unnecessary."
            )
        if not self.address.is_tls:
            found.append("BASE_URL is plain http: the token travels in clear.")
        return tuple(found)


def parse_switch(text: str) -> bool:
    """Return what a yes-or-no variable says; nothing at all means no.

    Raises:
        ValueError: It says neither; the message is the end of a sentence.
    """
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("must be true or false (or 1, yes, on, 0, no, off, or empty)")


def parse_secret(text: str) -> Secret | None:
    """Return a text that hides itself; None if there is none."""
    return Secret(text) if text else None


def parse_address(text: str) -> Address:
    """Return the parts of a base URL; a trailing / or . and /api are forgiven.

    Raises:
        ValueError: It is no such URL; the message is the end of a sentence and never
            repeats the text, which may hold a password.
    """
    if not text:
        raise ValueError(
            "is not set: give the address of Home Assistant, "
            "such as https://home.example.org"
        )
    if not text.isprintable() or " " in text:
        raise ValueError("has a space or an invisible character in it")
    try:
        url = urlsplit(text)
        port = url.port
        host = url.hostname or ""
    except ValueError:  # of urlsplit, or of .port
        raise ValueError(_NO_URL) from None
    if url.scheme not in _DEFAULT_PORTS:
        raise ValueError("must start with https:// (or http:// for a test)")
    if url.username is not None or url.password is not None:
        raise ValueError("must not hold a user name or password")
    if url.query or url.fragment or text.endswith(("?", "#")):
        raise ValueError("must be an address only, without ? or #")
    host = _registered(host)
    if not host or port == 0:
        raise ValueError("has no host name" if port != 0 else "has port 0")
    path = url.path.rstrip("/")
    path = path.removesuffix("/api").rstrip("/")
    return Address(
        url.scheme, host, port or _DEFAULT_PORTS[url.scheme], quote(path, safe="/%")
    )


def _registered(host: str) -> str:
    """Return a host name as it is registered: in ASCII, without a trailing dot."""
    if not host.isascii():  # the codec's tables are large: few need them
        if not _AMBIGUOUS.isdisjoint(host):
            raise ValueError(
                "has a letter that host names spell in two ways, so that it could lead "
                "to another's: write the host as it is registered, with xn--"
            )
        try:
            host = host.encode("idna").decode("ascii")
        except ValueError:
            raise ValueError(_NO_URL) from None
    host = host.removesuffix(".")  # the certificate has the name without it
    if host and (not _HOST.fullmatch(host) or ".." in host):
        raise ValueError("has a character in its host name that none can have")
    return host
