"""Links `address.*`: BASE_URL, the name in it, and where that leads."""

from ipaddress import ip_address

from ha_bridge.settings import parse_address
from ha_bridge_ops.check.evidence import HTTPS_PORT, Evidence
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried
from ha_bridge_ops.grammar import DNS_NAME
from ha_bridge_ops.outside import one_of

#: Where it is not the name that is wrong: errors of `ha_bridge.network_errors`.
_DNS = {"timeout": "timeout", "name_server": "name_server"}


def https(evidence: Evidence) -> Outcome:
    """BASE_URL starts with https."""
    if evidence.address.is_tls:
        return Fine("https")
    return Problem("http", "the address is plain http", _named(evidence))


def port(evidence: Evidence) -> Outcome:
    """The port is 443."""
    if evidence.address.port == HTTPS_PORT:
        return Fine("443")
    saw = f"the port is {evidence.address.port}"
    return Problem("other", saw, _named(evidence))


def dns(evidence: Evidence) -> Outcome:
    """The name resolves."""
    if evidence.addresses:
        return Fine(", ".join(evidence.addresses))
    found = evidence.report["resolve"]
    cause = _DNS.get(found.get("error"), "unknown")
    said = f" ({found['reason']})" if found.get("reason") else ""
    saw = f"{one_of(evidence.address.host, DNS_NAME)} has no address{said}"
    return Problem(cause, saw, _named(evidence))


def ipv4(evidence: Evidence) -> Outcome:
    """The name has an IPv4 address."""
    if not evidence.addresses:
        return Untried("the name does not resolve")
    found = [ip for ip in evidence.addresses if ip_address(ip).version == 4]  # noqa: PLR2004 - IPv4
    if found:
        return Fine(", ".join(found))
    if evidence.ip and not evidence.is_from_here:
        # A function in a network of one's own may have a way out over IPv6.
        return Fine(f"AWS reaches {evidence.ip}")
    saw = f"only IPv6: {', '.join(evidence.addresses)}"
    return Problem("only_ipv6", saw, _named(evidence))


def public(evidence: Evidence) -> Outcome:
    """The address is one that AWS can reach."""
    if not evidence.addresses:
        return Untried("the name does not resolve")
    # A function outside a VPC goes out over IPv4 only, so where there is one it counts.
    ipv4 = [ip for ip in evidence.addresses if ":" not in ip]
    judged = ipv4 or evidence.addresses
    kinds = {ip: kind for ip in judged if (kind := not_public(ip))}
    if not kinds:
        return Fine("public")
    saw = ", ".join(f"{ip} is {kind}" for ip, kind in kinds.items())
    return Problem("private", saw, _named(evidence))


def not_public(text: str) -> str | None:
    """Return what kind of address it is that AWS cannot reach, or None."""
    ip = ip_address(text.partition("%")[0])
    if ip.is_loopback:
        return "this machine itself"
    if ip.is_link_local:
        return "link-local"
    if ip.is_global:
        return None
    if not ip.is_private:
        return "shared by a provider’s customers (carrier-grade NAT)"
    return "private"


def redirect(evidence: Evidence) -> Outcome:
    """The address does not lead on to another."""
    answer = evidence.answer
    if answer is None:
        return Untried("nothing answers")
    if evidence.who == "loop":
        return Problem("loop", evidence.shown, _named(evidence))
    if evidence.who != "moved":
        return Fine("no redirect of the address")
    if not _may_be_followed(answer.target, evidence):
        return Problem("unclear", evidence.shown, _named(evidence))
    return Problem("redirects", evidence.shown, {"target": answer.target})


def _may_be_followed(target: str, evidence: Evidence) -> bool:
    """Return whether a target may be printed to be pasted.

    Whoever sits on a way that is not trusted could choose where the token goes.  The
    same host over https is no choice of theirs.
    """
    try:
        address = parse_address(target)
    except ValueError:
        return False
    if not address.is_tls or str(address) != target:
        return False
    # A report of a stranger's function may lack what TLS was.
    if evidence.tls and not evidence.tls.get("error"):
        return True
    return address.host == evidence.address.host


def _named(evidence: Evidence) -> dict[str, str]:
    return evidence.values
