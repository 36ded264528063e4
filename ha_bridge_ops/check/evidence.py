"""What `ha_bridge.probe` saw, from here or from AWS, in the terms of the checks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Final

from ha_bridge.errors import STATUS_FAILURES, Failure
from ha_bridge.settings import Address
from ha_bridge_ops.outside import known, quoted

_ACCESS: Final = "cloudflareaccess.com"


@dataclass(frozen=True)
class Evidence:
    """A report of the probe.

    Args:
        address: What was examined.
        report: What `ha_bridge.probe.examine` returned.
        now: When, in seconds since the epoch.
    """

    address: Address
    report: Mapping[str, Any]
    now: float

    @property
    def name(self) -> str:
        """The host's name, or one to stand for it where only a number is known."""
        try:
            ip_address(self.address.host)
        except ValueError:
            return self.address.host
        return "home.example.org"

    @property
    def addresses(self) -> list[str]:
        """The addresses behind the name; none if it does not resolve."""
        return list(self.report.get("resolve", {}).get("addresses", []))

    @property
    def ip(self) -> str | None:
        """The address that a connection was made to."""
        ip = self.report.get("connect", {}).get("address")
        return str(ip) if ip else None

    @property
    def tls(self) -> Mapping[str, Any]:
        """What is known of TLS; empty if it was not tried."""
        return dict(self.report.get("tls", {}))

    @property
    def http(self) -> Mapping[str, Any]:
        """What is known of the answer; empty if nothing was asked."""
        return dict(self.report.get("http", {}))

    @property
    def status(self) -> int | None:
        """The HTTP status of the answer, if there was one."""
        status = self.http.get("status")
        return status if isinstance(status, int) else None

    @property
    def who(self) -> str:
        """Who answered: a name of `ANSWERERS`, or nobody."""
        if self.status is None:
            return "nobody"
        return next(name for name, is_it in ANSWERERS if is_it(self.http))

    @property
    def answer(self) -> str:
        """The answer in a few words."""
        http = self.http
        words = [f"HTTP {http['status']}"]
        if http.get("server"):
            words.append(f"from {known(http['server'])}")
        if title := http.get("title") or http.get("begins"):
            words.append(quoted(title, 60))
        return " ".join(words)

    def milliseconds(self, part: str) -> float | None:
        """Return how long a part of the way took: resolve, connect, tls or http."""
        value = self.report.get(part, {}).get("ms")
        return float(value) if isinstance(value, int | float) else None


def is_own(http: Mapping[str, Any]) -> bool:
    """Return whether an answer reads as Home Assistant writes it."""
    status = http["status"]
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        return False
    own = (f"{status}: {phrase}", f"{status} {phrase} Server got itself in trouble")
    return http.get("begins") in own


def _is_access(http: Mapping[str, Any]) -> bool:
    return _ACCESS in http.get("location", "") or "Cloudflare Access" in http["title"]


def _is_challenge(http: Mapping[str, Any]) -> bool:
    return bool(http.get("cf_mitigated")) or "Just a moment" in http["title"]


def _is_blocked(http: Mapping[str, Any]) -> bool:
    shown = http["title"] + http["begins"]
    if "1020" in shown and "error" in shown.lower():
        return True
    by_cloudflare = http.get("cf_ray") or "cloudflare" in http.get("server", "")
    return http["status"] == HTTPStatus.FORBIDDEN and by_cloudflare and _is_page(http)


def _is_basic(http: Mapping[str, Any]) -> bool:
    scheme = http.get("www_authenticate", "").lower()
    return http["status"] == HTTPStatus.UNAUTHORIZED and scheme in ("basic", "digest")


def _is_page(http: Mapping[str, Any]) -> bool:
    return "html" in http.get("content_type", "") or http["begins"].startswith("<")


def _fails_as(failure: Failure) -> Callable[[Mapping[str, Any]], bool]:
    return lambda http: STATUS_FAILURES.get(http["status"]) is failure


#: Who may answer, and how to know; the first that fits is it.
ANSWERERS: Final[tuple[tuple[str, Callable[[Mapping[str, Any]], bool]], ...]] = (
    ("cloudflare_access", _is_access),
    ("cloudflare_challenge", _is_challenge),
    ("redirect", _fails_as(Failure.REDIRECTED)),
    ("gateway", _fails_as(Failure.GATEWAY)),
    ("home_assistant", is_own),
    ("cloudflare_blocked", _is_blocked),
    ("basic_auth", _is_basic),
    ("limited", _fails_as(Failure.RATE_LIMITED)),
    ("page", _is_page),
    ("other", lambda _http: True),
)
