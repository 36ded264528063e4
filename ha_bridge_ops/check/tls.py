"""Link `tls.certificate`: whether Amazon and Python trust it."""

import re
from datetime import UTC, datetime

from ha_bridge_ops.check.evidence import Evidence
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried
from ha_bridge_ops.outside import known, one_of

#: Days before its end at which a certificate should have been renewed; Let's Encrypt's
#: clients do so 30 days before.
SOON_DAYS = 14

_DAY_S = 86400

#: What a certificate is for, a wildcard included.
_DNS_NAME = re.compile(r"(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")

#: Errors of the network, which `ha.reachable` tells.
_NETWORK = ("timeout", "reset", "refused", "unreachable")


def certificate(evidence: Evidence) -> Outcome:
    """The certificate is trusted, by Python as by Amazon."""
    if not evidence.address.is_tls:
        return Untried("plain http has none")
    tls = evidence.tls
    if not tls or tls.get("error") in _NETWORK:
        return Untried("no connection could be made")
    values = {"host": evidence.name}
    if error := tls.get("error"):
        said = [str(tls["reason"])] if tls.get("reason") else []
        return Problem(error, "; ".join([*said, *_details(evidence)]), values)
    days = int((tls["not_after"] - evidence.now) // _DAY_S)
    saw = "; ".join(_details(evidence))
    if days < SOON_DAYS:
        return Problem("soon", f"it ends in {days} days; {saw}", values)
    return Fine(f"{saw} ({days} days)")


def _details(evidence: Evidence) -> list[str]:
    tls, found = evidence.tls, []
    if tls.get("names") and tls.get("error") == "name":
        names = (one_of(name, _DNS_NAME) for name in tls["names"][:4])
        found.append(f"it is for {', '.join(names)}")
    if tls.get("issuer"):
        found.append(f"issued by {known(tls['issuer'], 60)}")
    if tls.get("not_after"):
        end = datetime.fromtimestamp(tls["not_after"], UTC)
        found.append(f"valid until {end:%Y-%m-%d}")
    return found
