"""A home as AWS would see it: a public address, port 443, a certificate, a proxy.

The name resolves to a public address, and every connection to it ends at a server on
loopback: what `resolve` and `dial` of the context are for.
"""

import base64
import json
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection
from typing import Any

from ha_bridge_ops.check.catalogue import CHAIN
from ha_bridge_ops.check.chain import walk
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.evidence import Evidence
from ha_bridge_ops.check.model import (
    Check,
    Finding,
    Hide,
    Outcome,
    Problem,
    Status,
    judge,
)
from ha_bridge_ops.check.placeholders import PLACEHOLDERS
from tests.fakes.behaviours import reply, reply_json, response
from tests.fakes.server import Behaviour, Exchange, Server

HOST = "home.example.org"
URL = f"https://{HOST}"
PUBLIC = "93.184.216.34"

#: What a healthy home of these tests is warned of: the token that the check needs.
USUAL = {"settings.long_lived_access_token"}

#: What Home Assistant's demo devices are warned of as well.
DEMO = USUAL | {"discovery.endpoints", "discovery.names", "discovery.use"}


def jwt(
    claims: Mapping[str, Any] | None = None, header: Mapping[str, Any] | None = None
) -> str:
    """Return a token that looks like one of Home Assistant's."""
    parts = (
        {"alg": "HS256", "typ": "JWT"} | dict(header or {}),
        {"iss": "0123456789abcdef", "iat": 1_700_000_000, "exp": 4_000_000_000}
        | dict(claims or {}),
    )
    encoded = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in parts
    ]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


TOKEN = jwt()


def resolver(*addresses: str) -> Callable[..., list[Any]]:
    """Return what resolves every name to these addresses."""

    def resolve(_host: object, port: int, **_hints: object) -> list[Any]:
        if not addresses:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, 1, 6, "", (address, port)) for address in addresses]

    return resolve


def dialler(port: int) -> Callable[[tuple[str, int], float], socket.socket]:
    """Return what connects to a port on loopback, wherever it is told to."""

    def dial(_address: tuple[str, int], timeout: float) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port), timeout)

    return dial


def context(
    port: int,
    *,
    addresses: Sequence[str] = (PUBLIC,),
    token: str = TOKEN,
    environ: Mapping[str, str] | None = None,
    **more: Any,
) -> Context:
    """Return a context in which the home is at a port on loopback."""
    return Context(
        {"BASE_URL": URL, "LONG_LIVED_ACCESS_TOKEN": token, **(environ or {})},
        resolve=resolver(*addresses),
        dial=dialler(port),
        **more,
    )


def put(link: Check, outcome: Outcome, hide: Hide) -> Finding:
    """Return the finding, whose check gave a value for each name in its texts."""
    problems = outcome if isinstance(outcome, list) else [outcome]
    for one in problems:
        if isinstance(one, Problem):
            cause = link.cause(one.cause)
            texts = f"{cause.means} {cause.fix} {cause.paste}"
            named = set(re.findall(r"\{(\w+)\}", texts)) & set(PLACEHOLDERS)
            assert named <= set(one.values), f"{link.id}: {cause.name}"
    return judge(link, outcome, hide)


def findings(context: Context, links: Sequence[Check] = CHAIN) -> dict[str, Finding]:
    """Return all that is found, by id; no secret stands in it."""
    found = {finding.id: finding for finding in walk(context, links, put)}
    shown = json.dumps([finding.as_json() for finding in found.values()])
    token = context.value("LONG_LIVED_ACCESS_TOKEN")
    assert not token or len(token) < 8 or token not in shown
    return found


def ids(found: Mapping[str, Finding], status: Status) -> set[str]:
    """Return the ids of the findings that have this status."""
    return {name for name, one in found.items() if one.status is status}


def assert_only(  # noqa: PLR0913 - what is expected of a finding
    found: Mapping[str, Finding],
    link: str,
    cause: str,
    *,
    fix: str,
    warned: set[str] = USUAL,
    skipped: set[str] | None = None,
) -> None:
    """The one link is found wrong, for this cause, and no other.

    Args:
        fix: Words that the fix or the lines to paste must have.
        warned: Links of which a warning is usual.
        skipped: Just these links were skipped, if given.
    """
    finding = found[link]
    assert finding.causes == (cause,), finding
    assert fix in f"{finding.fix}\n{finding.paste}"
    assert finding.means
    assert "{" not in finding.fix + finding.paste + finding.means
    assert ids(found, Status.FAILED) - {link} == set()
    assert ids(found, Status.WARNING) - {link} <= warned
    if skipped is not None:
        assert ids(found, Status.SKIPPED) == skipped


def links_after(link: str) -> set[str]:
    """Return the ids of the links that come after one."""
    names = [one.id for one in CHAIN]
    return set(names[names.index(link) + 1 :])


def report_only(context: Context, report: Mapping[str, Any]) -> None:
    """Let a context have seen just this on the way to the home."""
    assert context.address is not None
    context.evidence = Evidence(context.address, report, context.now())


# -- what a home answers ---------------------------------------------------------------


def endpoint(name: str = "Desk Lamp", **changes: Any) -> dict[str, Any]:
    """Return an endpoint as Home Assistant describes one."""
    return {
        "endpointId": f"light#{name.lower().replace(' ', '_')}",
        "friendlyName": name,
        "description": f"{name} via Home Assistant",
        "manufacturerName": "Home Assistant",
        "displayCategories": ["LIGHT"],
        "capabilities": [
            {"type": "AlexaInterface", "interface": "Alexa", "version": "3"},
            {
                "type": "AlexaInterface",
                "interface": "Alexa.PowerController",
                "version": "3",
                "properties": {"retrievable": True},
            },
        ],
        **changes,
    }


def event(name: str, payload: object) -> dict[str, Any]:
    """Return an event as Home Assistant sends one."""
    return {
        "event": {"header": {"name": name, "namespace": "Alexa"}, "payload": payload}
    }


def plain(status: int, text: str) -> Behaviour:
    """Answer as Home Assistant refuses."""
    return reply(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})


NOT_FOUND = plain(404, "404: Not Found")
NOT_ALLOWED = plain(405, "405: Method Not Allowed")
DISCOVERED = reply_json(event("Discover.Response", {"endpoints": [endpoint()]}))
REPORTED = reply_json(event("StateReport", {}))


def home(
    *,
    get: Behaviour = NOT_ALLOWED,
    discover: Behaviour = DISCOVERED,
    report: Behaviour = REPORTED,
    other: Behaviour = NOT_FOUND,
) -> tuple[Behaviour, ...]:
    """Return a home that answers as Home Assistant does, but for what is given.

    Args:
        get: To a GET of the Alexa path.
        discover: To a Discovery.
        report: To a ReportState.
        other: To anything else.
    """

    def behave(exchange: Exchange) -> None:
        request = exchange.request
        if request.target != "/api/alexa/smart_home":
            other(exchange)
        elif request.method == "GET":
            get(exchange)
        elif request.json["directive"]["header"]["name"] == "Discover":
            discover(exchange)
        else:
            report(exchange)

    return (behave,)


def listing(*endpoints: Mapping[str, Any]) -> Behaviour:
    """Answer a Discovery with these endpoints."""
    return reply_json(event("Discover.Response", {"endpoints": list(endpoints)}))


def forward(port: int, caller: str | None = None) -> tuple[Behaviour, ...]:
    """Pass each request on to a server on loopback, as a proxy does.

    Args:
        caller: Who it says has called, in X-Forwarded-For.
    """

    def behave(exchange: Exchange) -> None:
        request = exchange.request
        headers = {
            name: value
            for name, value in request.headers.items()
            if name not in ("connection", "host", "accept-encoding")
        }
        if caller:
            headers["X-Forwarded-For"] = caller
        upstream = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            upstream.request(request.method, request.target, request.body, headers)
            answer = upstream.getresponse()
            kind = {"Content-Type": answer.headers.get("content-type", "")}
            exchange.send(response(answer.status, answer.read(), kind))
        except ConnectionRefusedError:
            page = b"<html><title>502 Bad Gateway</title></html>"
            exchange.send(response(502, page, {"Content-Type": "text/html"}))
        finally:
            upstream.close()

    return (behave,)


def paths(server: Server) -> list[str]:
    """Return what the server was asked, in order."""
    return [f"{request.method} {request.target}" for request in server.requests]
