"""What `ha_bridge.probe` saw, from here or from AWS, in the terms of the checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from typing import Any, Final

from ha_bridge.answerers import OWN, Answer, from_report, who
from ha_bridge.settings import Address
from ha_bridge_ops.outside import known, quoted

#: Many routers do not lead their own public address back inside, or answer themselves.
_INSIDE: Final = (
    "If this machine is at home itself, it may be your own router that answers so: "
    "look from mobile data, or let --aws decide."
)

#: Answerers that are Home Assistant itself.
OWN_NAMES: Final = frozenset(row.name for row in OWN)


#: Where Amazon links accounts.
HTTPS_PORT: Final = 443


def named(address: Address | None) -> dict[str, str]:
    """Return what the texts of the findings say of an address, by their placeholders.

    Amazon knows a home by a name only: nothing is said of a number, but that the port
    speaks https.
    """
    if address is None:
        return {}
    https = address._replace(scheme="https")
    at_443 = https._replace(port=HTTPS_PORT)
    found = {"by_https": str(https)}
    try:
        ip_address(address.host)
    except ValueError:
        home = https if address.is_tls else at_443
        found |= {"host": address.host, "home": str(home), "at_443": str(at_443)}
    return found


@dataclass(frozen=True)
class Evidence:
    """A report of the probe.

    Args:
        address: What was examined.
        report: What `ha_bridge.probe.examine` returned.
        now: When, in seconds since the epoch.
        is_from_here: Whether this machine has looked, and not the function.
    """

    address: Address
    report: Mapping[str, Any]
    now: float
    is_from_here: bool = True

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

    @cached_property
    def answer(self) -> Answer | None:
        """What answered to the request, if anything did."""
        if self.status is None:
            return None
        return from_report(self.http, self.address)

    @property
    def who(self) -> str:
        """Who answered: a name of `ha_bridge.answerers`, or nobody."""
        return who(self.answer).name if self.answer is not None else "nobody"

    @property
    def gate(self) -> Mapping[str, Any]:
        """What is given to open a closed home; empty if it is none."""
        return dict(self.report.get("gate", {}))

    @property
    def bare(self) -> Mapping[str, Any]:
        """What is answered without that; empty if it was not tried."""
        return dict(self.report.get("bare", {}))

    @property
    def who_else(self) -> str:
        """Who answers without that: a name of `ha_bridge.answerers`, or nobody."""
        if not isinstance(self.bare.get("status"), int):
            return "nobody"
        return who(from_report(self.bare, self.address)).name

    @property
    def is_home_assistant(self) -> bool:
        """Whether it is Home Assistant itself that answered."""
        return self.who in OWN_NAMES

    @property
    def shown(self) -> str:
        """The answer in a few words."""
        answer = self.answer
        if answer is None:
            return "nothing"
        words = [f"HTTP {answer.status}"]
        if answer.server:
            words.append(f"from {known(answer.server)}")
        if answer.location:
            words.append(f"to {quoted(answer.location, 120)}")
        if title := answer.title or answer.begins:
            words.append(quoted(title, 60))
        return " ".join(words)

    @property
    def values(self) -> dict[str, str]:
        """What the texts of the findings may want to know."""
        inside = _INSIDE if self.is_from_here else ""
        return {**named(self.address), "inside": inside}

    def milliseconds(self, part: str) -> float | None:
        """Return how long a part of the way took: resolve, connect, tls or http."""
        value = self.report.get(part, {}).get("ms")
        return float(value) if isinstance(value, int | float) else None
