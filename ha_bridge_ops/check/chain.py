"""The checks by the ids of the catalogue, and how they are walked."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Final

from ha_bridge_ops.check import (
    address,
    code,
    directive,
    discovery,
    function,
    home,
    linking,
    login,
    logs,
    probe,
    search,
    settings,
    tls,
    token,
    token_endpoint,
    token_uri,
)
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.evidence import Evidence
from ha_bridge_ops.check.model import Check, Finding, Hide, Outcome, Untried, judge

Look = Callable[[Context], Outcome]

#: Puts what came of a check into words; the last takes secrets out of a text.
Put = Callable[[Check, Outcome, Hide], Finding]

#: What the probe can see, from here and from AWS alike.
WAY: Final[Mapping[str, Callable[[Evidence], Outcome]]] = {
    "address.https": address.https,
    "address.port": address.port,
    "address.dns": address.dns,
    "address.ipv4": address.ipv4,
    "address.public": address.public,
    "address.redirect": address.redirect,
    "tls.certificate": tls.certificate,
    "ha.reachable": home.reachable,
    "ha.is_home_assistant": home.is_home_assistant,
    "ha.gate": home.gate,
    "ha.closed": home.closed,
    "ha.trusted_proxies": home.trusted_proxies,
    "ha.banned": home.banned,
    "ha.smart_home": home.smart_home,
}


def _from_here(look: Callable[[Evidence], Outcome]) -> Look:
    def check(context: Context) -> Outcome:
        if context.evidence is None:
            return Untried("there is no address to look at")
        return look(context.evidence)

    return check


CHECKS: Final[Mapping[str, Look]] = {
    "settings.base_url": settings.base_url,
    "settings.not_verify_ssl": settings.not_verify_ssl,
    "settings.debug": settings.debug,
    "settings.extra_headers": settings.extra_headers,
    "settings.client_certificate": settings.client_certificate,
    "settings.ca_certificate": settings.ca_certificate,
    "settings.long_lived_access_token": settings.long_lived_access_token,
    **{name: _from_here(look) for name, look in WAY.items()},
    "ha.token_uri": token_uri.token_uri,
    "token.kind": token.kind,
    "token.expired": token.expired,
    "token.accepted": token.accepted,
    "discovery.count": discovery.count,
    "discovery.endpoints": discovery.endpoints,
    "discovery.duplicate_names": discovery.duplicate_names,
    "discovery.names": discovery.names,
    "discovery.use": discovery.use,
    "discovery.size": discovery.size,
    "directive.report_state": directive.report_state,
    "directive.time": directive.time,
    "link.client_id": linking.client_id,
    "link.authorize": linking.authorize,
    "link.login": login.login,
    "link.token": linking.token,
    "link.refresh": linking.refresh,
    "aws.credentials": search.credentials,
    "aws.function": search.function,
    "aws.region": function.region,
    "aws.trigger": function.trigger,
    "aws.timeout": function.timeout,
    "aws.memory": function.memory,
    "aws.runtime": function.runtime,
    "aws.code": code.code,
    "aws.environment": function.environment,
    "aws.role": function.role,
    "aws.token_endpoint": token_endpoint.token_endpoint,
    "aws.logs": logs.logs,
    "aws.probe": lambda context: probe.probe(context, WAY),
}


def walk(
    context: Context, checks: Sequence[Check], put: Put = judge
) -> Generator[Finding]:
    """Give the finding of each check, one after the other.

    Args:
        context: What the checks see; it learns each finding.
        checks: Of the catalogue.
        put: Makes a finding of an outcome.
    """
    try:
        for one in checks:
            finding = put(one, CHECKS[one.id](context), context.hide)
            context.findings[one.id] = finding
            yield finding
    finally:
        linking.give_back(context)
        context.close()
