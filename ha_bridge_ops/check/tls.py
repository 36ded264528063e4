"""Link `tls.certificate`: whether Amazon and Python trust it."""

from datetime import UTC, datetime

from ha_bridge_ops.check.catalogue import cause_of
from ha_bridge_ops.check.evidence import Evidence
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried
from ha_bridge_ops.grammar import DNS_NAME
from ha_bridge_ops.outside import known, one_of, quoted

#: The part of its lifetime, and the days, below which a certificate should have been
#: renewed: clients do so when a third is left, and some certificates live for six days
#: only.  https://letsencrypt.org/docs/integration-guide/
SOON = 0.3
SOON_DAYS = 30

#: Seconds that a certificate lives where that is not known, as from an older function.
_USUAL_S = 90 * 86400

_DAY_S = 86400

#: Errors of the network, which `ha.reachable` tells.
_NETWORK = ("timeout", "reset", "refused", "unreachable")


def certificate(evidence: Evidence) -> Outcome:
    """The certificate is trusted, by Python as by Amazon."""
    if not evidence.address.is_tls:
        return Untried("plain http has none")
    tls = evidence.tls
    if not tls or tls.get("error") in _NETWORK:
        return Untried("no connection could be made")
    if error := tls.get("error"):
        said = [str(tls["reason"])] if tls.get("reason") else []
        cause = cause_of("tls.certificate", error, "tls_failed")
        return Problem(cause, "; ".join([*said, *_details(evidence)]), evidence.values)
    if "not_after" not in tls:
        return Fine("trusted, though what it says of itself cannot be read")
    left = tls["not_after"] - evidence.now
    lifetime = tls["not_after"] - tls.get("not_before", tls["not_after"] - _USUAL_S)
    saw = "; ".join(_details(evidence))
    fine = f"{saw} ({_time(left)})"
    problems = []
    if tls.get("imperfect"):
        cause = f"{quoted(tls['imperfect'])}; {saw}"
        problems.append(Problem("strict", cause, evidence.values))
    if left < min(lifetime * SOON, SOON_DAYS * _DAY_S):
        cause = f"it ends in {_time(left)}; {saw}"
        problems.append(Problem("soon", cause, evidence.values))
    if tls.get("speaks_12") is False:
        problems.append(
            Problem("only_13", f"{known(tls.get('version', ''))} only", evidence.values)
        )
    return problems or Fine(fine)


def _time(seconds: float) -> str:
    days = int(seconds // _DAY_S)
    if days < 2:  # noqa: PLR2004 - then hours say more
        return f"{int(seconds // 3600)} hours"
    return f"{days} days"


def _details(evidence: Evidence) -> list[str]:
    tls, found = evidence.tls, []
    if tls.get("names") and tls.get("error") == "name":
        names = (one_of(name, DNS_NAME) for name in tls["names"][:4])
        found.append(f"it is for {', '.join(names)}")
    if tls.get("missing"):
        found.append(f"the certificate of {quoted(tls['missing'], 60)} was not sent")
    if tls.get("issuer"):
        found.append(f"issued by {known(tls['issuer'], 60)}")
    if tls.get("not_after"):
        end = datetime.fromtimestamp(tls["not_after"], UTC)
        found.append(f"valid until {end:%Y-%m-%d}")
    return found
