"""Answers to the Alexa path as people have met them, and who really gives each.

One list for all who must tell the same story: the table itself, the function, the check
from here and the check through AWS.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ha_bridge.errors import Failure

TEXT = {"Content-Type": "text/plain; charset=utf-8"}
HTML = {"Content-Type": "text/html"}
JSON = {"Content-Type": "application/json"}
CLOUDFLARE = {"Server": "cloudflare", "CF-RAY": "8a1b2c3d4e5f-FRA"}

#: Where the home of these answers is.
HOME = "https://home.example.org"
PATH = "/api/alexa/smart_home"

TROUBLE = b"500 Internal Server Error\n\nServer got itself in trouble"
LOGIN = b"<html><form action=/login><input type=password name=p></form></html>"


def page(title: str, more: str = "") -> bytes:
    """Return a web page."""
    return f"<!DOCTYPE html><html><title>{title}</title><p>{more}</html>".encode()


class Sample(NamedTuple):
    """An answer, and what it means."""

    who: str
    """Name of a row of `ANSWERERS`."""
    failure: Failure
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}
    target: str = ""
    """The BASE_URL that a redirect leads to."""


def redirect(who: str, failure: Failure, location: str, status: int = 302) -> Sample:
    """Return a redirect."""
    return Sample(who, failure, status, headers={"Location": location})


def moved(location: str, target: str, status: int = 301) -> Sample:
    """Return a redirect to the same path of another address."""
    headers = {"Location": location}
    return Sample("moved", Failure.REDIRECTED, status, b"", headers, target)


_OWN = {
    "no trust in the proxy": ("not_trusted", Failure.BAD_REQUEST, "400: Bad Request"),
    "token refused": ("token_refused", Failure.REFUSED_TOKEN, "401: Unauthorized"),
    "banned": ("banned", Failure.REFUSED_ADDRESS, "403: Forbidden"),
    "no Alexa": ("no_alexa", Failure.NOT_FOUND, "404: Not Found"),
    "no POST": ("not_allowed", Failure.NOT_ALLOWED, "405: Method Not Allowed"),
    "no room": ("own", Failure.UNEXPECTED_STATUS, "507: Insufficient Storage"),
}

SAMPLES: Mapping[str, Sample] = {
    # -- Home Assistant itself ---------------------------------------------------
    **{
        f"Home Assistant: {name}{where}": Sample(
            who, failure, int(text[:3]), text.encode(), {**headers, **TEXT}
        )
        for name, (who, failure, text) in _OWN.items()
        for where, headers in {"": {}, ", through Cloudflare": CLOUDFLARE}.items()
    },
    "Home Assistant: in trouble": Sample(
        "error", Failure.SERVER_ERROR, 500, TROUBLE, {**TEXT, "Connection": "close"}
    ),
    # -- what only looks like it -------------------------------------------------
    "the words of a 404, as a page": Sample(
        "no_site", Failure.NO_SITE, 404, b"404: Not Found", HTML
    ),
    "the words of a 401, and more": Sample(
        "portal", Failure.PORTAL, 401, b"401: Unauthorized by ACME", TEXT
    ),
    "the words of a ban, and no more": Sample(
        "rule", Failure.FIREWALL, 403, b"403 Forbidden", TEXT
    ),
    # -- login portals -----------------------------------------------------------
    "Authelia": redirect(
        "portal", Failure.PORTAL, "https://auth.example.org/?rd=https%3A%2F%2Fhome"
    ),
    "Authentik": redirect(
        "portal", Failure.PORTAL, "/outpost.goauthentik.io/start?rd=https://home"
    ),
    "oauth2-proxy": redirect("portal", Failure.PORTAL, f"/oauth2/start?rd={PATH}"),
    "a portal that keeps the path and says where to come back to": redirect(
        "portal",
        Failure.PORTAL,
        f"https://sso.example.net{PATH}?next=https%3A%2F%2Fhome.example.org{PATH}",
    ),
    "a portal by 307": redirect(
        "portal", Failure.PORTAL, "https://sso.example.net/login", 307
    ),
    "a router's own start page": redirect("portal", Failure.PORTAL, "/login.html"),
    "the start page": redirect("portal", Failure.PORTAL, "/", 301),
    "a portal without redirect": Sample("portal", Failure.PORTAL, 200, LOGIN, HTML),
    "a portal that says 403": Sample("portal", Failure.PORTAL, 403, LOGIN, HTML),
    "a portal for machines": Sample(
        "portal", Failure.PORTAL, 401, b'{"error": "unauthorized"}', JSON
    ),
    "a portal that wants its own bearer token": Sample(
        "portal", Failure.PORTAL, 401, b"", {"WWW-Authenticate": 'Bearer realm="sso"'}
    ),
    "a captive network": Sample("portal", Failure.PORTAL, 511, page("Log in"), HTML),
    # -- Cloudflare Access: headers and Location, never the status ---------------
    "Access: to the login": redirect(
        "access",
        Failure.ACCESS,
        "https://team.cloudflareaccess.com/cdn-cgi/access/login/home.example.org?kid=1",
    ),
    "Access: a domain of its own": redirect(
        "access", Failure.ACCESS, "https://home.example.org/cdn-cgi/access/login"
    ),
    "Access: service tokens only": Sample(
        "access",
        Failure.ACCESS,
        403,
        page("Error ・ Cloudflare Access"),
        {**HTML, **CLOUDFLARE, "CF-Access-Aud": "ab", "CF-Access-Domain": "home"},
    ),
    "Access: for scripts": Sample(
        "access",
        Failure.ACCESS,
        401,
        b"",
        {"WWW-Authenticate": 'Cloudflare-Access resource_metadata="https://home/"'},
    ),
    "Access: an error": Sample(
        "access", Failure.ACCESS, 403, b"", {"CF-Access-Error": "x"}
    ),
    "a portal by 303, after a POST": redirect(
        "portal", Failure.PORTAL, f"https://auth.example.org/?rd={HOME}{PATH}", 303
    ),
    # -- bot protection ----------------------------------------------------------
    "Cloudflare's challenge": Sample(
        "challenge",
        Failure.CHALLENGE,
        403,
        page("Just a moment..."),
        {**HTML, **CLOUDFLARE, "CF-Mitigated": "challenge"},
    ),
    "a challenge in another language": Sample(
        "challenge",
        Failure.CHALLENGE,
        403,
        page("Einen Moment…"),
        {**HTML, **CLOUDFLARE, "CF-Mitigated": "challenge"},
    ),
    "AWS WAF's challenge": Sample(
        "challenge", Failure.CHALLENGE, 202, b"", {"x-amzn-waf-action": "challenge"}
    ),
    "Vercel's": Sample(
        "challenge",
        Failure.CHALLENGE,
        429,
        page("Security Checkpoint"),
        {**HTML, "X-Vercel-Mitigated": "challenge"},
    ),
    "a proof of work": Sample(
        "challenge",
        Failure.CHALLENGE,
        200,
        page("Making sure you're not a bot!"),
        HTML,
    ),
    "a captcha": Sample(
        "challenge", Failure.CHALLENGE, 403, page("Hello", "<div id=h-captcha>"), HTML
    ),
    "a page that waits": Sample(
        "challenge", Failure.CHALLENGE, 200, page("One moment, please..."), HTML
    ),
    "to a puzzle": redirect("challenge", Failure.CHALLENGE, "/challenge?next=/"),
    "to a captcha": redirect(
        "challenge", Failure.CHALLENGE, "https://guard.example.net/captcha.php"
    ),
    # -- firewalls and rules -----------------------------------------------------
    "Cloudflare's block, which speaks of a captcha": Sample(
        "rule",
        Failure.FIREWALL,
        403,
        page("Attention Required!", '<meta name="captcha-bypass">You are blocked'),
        {**HTML, **CLOUDFLARE},
    ),
    "Cloudflare's rule, as JSON": Sample(
        "rule", Failure.FIREWALL, 403, b'{"status":403,"error_code":1020}', JSON
    ),
    "Cloudflare's rule, by signature": Sample(
        "rule", Failure.FIREWALL, 403, b"error code: 1010", {**TEXT, **CLOUDFLARE}
    ),
    "Cloudflare's rule, by country": Sample(
        "rule", Failure.FIREWALL, 403, page("Access denied"), {**HTML, **CLOUDFLARE}
    ),
    "an allow list of addresses": Sample(
        "rule", Failure.FIREWALL, 403, b"Forbidden", TEXT
    ),
    "nginx: deny": Sample("rule", Failure.FIREWALL, 403, page("403 Forbidden"), HTML),
    "an API gateway": Sample(
        "rule", Failure.FIREWALL, 403, b'{"message":"Forbidden"}', JSON
    ),
    "mod_security": Sample("rule", Failure.FIREWALL, 406, page("Not Acceptable"), HTML),
    "the law": Sample("rule", Failure.FIREWALL, 451, b"", TEXT),
    # -- Basic authentication ----------------------------------------------------
    "Basic authentication": Sample(
        "basic_auth",
        Failure.BASIC_AUTH,
        401,
        page("401 Authorization Required"),
        {**HTML, "WWW-Authenticate": 'Basic realm="home"'},
    ),
    "Digest authentication": Sample(
        "basic_auth",
        Failure.BASIC_AUTH,
        401,
        b"",
        {"WWW-Authenticate": 'Digest realm="x", nonce="y"'},
    ),
    "a forward proxy's password": Sample("basic_auth", Failure.BASIC_AUTH, 407),
    # -- a client certificate ----------------------------------------------------
    "nginx: no client certificate": Sample(
        "client_certificate",
        Failure.CLIENT_CERTIFICATE,
        400,
        page("400 No required SSL certificate was sent"),
        HTML,
    ),
    "nginx: a wrong client certificate": Sample(
        "client_certificate",
        Failure.CLIENT_CERTIFICATE,
        400,
        page("400 The SSL certificate error"),
        HTML,
    ),
    "a client certificate by 403": Sample(
        "client_certificate",
        Failure.CLIENT_CERTIFICATE,
        403,
        page("403.7 Forbidden: Client certificate required"),
        HTML,
    ),
    "nginx's own 496": Sample("client_certificate", Failure.CLIENT_CERTIFICATE, 496),
    # -- no route ----------------------------------------------------------------
    "Traefik: no router": Sample(
        "no_site", Failure.NO_SITE, 404, b"404 page not found\n", TEXT
    ),
    "nginx: no location": Sample(
        "no_site", Failure.NO_SITE, 404, page("404 Not Found"), HTML
    ),
    "Cloudflare Tunnel: catch-all": Sample(
        "no_site", Failure.NO_SITE, 404, b"", CLOUDFLARE
    ),
    "Caddy: no site": Sample("no_site", Failure.NO_SITE, 200, b"", {"Server": "Caddy"}),
    "a name that is not that of TLS": Sample(
        "no_site", Failure.NO_SITE, 421, page("421 Misdirected Request"), HTML
    ),
    "an unknown host name": Sample(
        "no_site", Failure.NO_SITE, 400, page("Bad Request", "Invalid Hostname"), HTML
    ),
    **{
        f"an unknown host name: {said}": Sample("no_site", failure, status, body, HTML)
        for failure in (Failure.NO_SITE,)
        for said, status, body in (
            ("Jetty", 400, page("Error 400 Invalid SNI")),
            ("Django", 400, page("DisallowedHost", "Invalid HTTP_HOST header: 'x'")),
            ("a developer's server", 403, b"Invalid Host header"),
            ("Vite", 403, b'Blocked request. This host ("x") is not allowed.'),
            ("Syncthing", 403, b"Host check error"),
            ("Fastly", 500, page("Fastly error: unknown domain x")),
        )
    },
    **{
        f"Cloudflare has no such host: {said}": Sample(
            "no_site", failure, status, body, {**HTML, **CLOUDFLARE}
        )
        for failure in (Failure.NO_SITE,)
        for said, status, body in (
            ("1001", 409, b"error code: 1001"),
            ("1003", 403, b"error code: 1003\n"),
            ("1018, as JSON", 409, b'{"error_code":1018, "title": "x"}'),
            (
                "1000, as a page",
                403,
                page("x", "<h1><span>Error</span>\n <span id=c>1000</span></h1>"),
            ),
        )
    },
    "no POST in Python's own server": Sample(
        "no_site", Failure.NO_SITE, 501, page("Error", "Unsupported method"), HTML
    ),
    **{
        f"a redirect into the home: {where}": redirect(
            "no_site", Failure.NO_SITE, f"{where}{PATH}", 301
        )
        for where in (
            "http://192.168.1.10:8123",
            "https://172.20.0.3",
            "https://100.100.1.1",
            "https://[fd00::1]:8123",
            "https://homeassistant.local:8123",
            "https://localhost",
            "http://homeassistant:8123",
        )
    },
    # -- the proxy failed --------------------------------------------------------
    "HAProxy: a request that takes too long": Sample(
        "proxy_error", Failure.PROXY_ERROR, 408, page("408 Request Time-out"), HTML
    ),
    "nginx: auth_request is down": Sample(
        "proxy_error", Failure.PROXY_ERROR, 500, page("500 Internal Server Error"), HTML
    ),
    "Traefik: a backend it does not trust": Sample(
        "proxy_error", Failure.PROXY_ERROR, 500, b"Internal Server Error", TEXT
    ),
    "half of Home Assistant's 500": Sample(
        "proxy_error", Failure.PROXY_ERROR, 500, b"500 Internal Server Error", TEXT
    ),
    # -- a gateway ---------------------------------------------------------------
    **{
        f"a gateway: {status}": Sample(
            "gateway", Failure.GATEWAY, status, page(f"{status}"), HTML
        )
        for status in (502, 503, 504, 520, 521, 522, 523, 524, 527, 530)
    },
    "Home Assistant stops": Sample("gateway", Failure.GATEWAY, 503),
    "the tunnel is down": Sample(
        "gateway", Failure.GATEWAY, 530, b"error code: 1033", {**TEXT, **CLOUDFLARE}
    ),
    "the gateway's TLS fails": Sample(
        "gateway_tls", Failure.GATEWAY_TLS, 525, b"error code: 525", TEXT
    ),
    "the gateway does not trust home": Sample(
        "gateway_tls",
        Failure.GATEWAY_TLS,
        526,
        page("home.example.org | 526: Invalid SSL certificate"),
        {**HTML, **CLOUDFLARE},
    ),
    # -- a limiter ---------------------------------------------------------------
    "too many": Sample(
        "limiter", Failure.RATE_LIMITED, 429, b"", {"Retry-After": "3600"}
    ),
    "too many, by Cloudflare": Sample(
        "limiter", Failure.RATE_LIMITED, 429, b"error code: 1015", TEXT
    ),
    "none left": Sample(
        "limiter", Failure.RATE_LIMITED, 503, b"", {"X-RateLimit-Remaining": "0"}
    ),
    # -- moved -------------------------------------------------------------------
    **{
        f"moved: {status}": moved(
            f"https://new.example.org{PATH}", "https://new.example.org", status
        )
        for status in (301, 302, 303, 307, 308)
    },
    "moved: another port and a prefix": moved(
        f"https://home.example.org:8443/ha{PATH}", "https://home.example.org:8443/ha"
    ),
    "moved: within the host": moved(f"/ha{PATH}", "https://home.example.org/ha"),
    "to itself": redirect("loop", Failure.REDIRECT_LOOP, f"{HOME}{PATH}", 301),
    "to itself, by its port": redirect(
        "loop", Failure.REDIRECT_LOOP, f"{HOME}:443{PATH}", 301
    ),
    "to plain http": redirect(
        "loop", Failure.REDIRECT_LOOP, f"http://home.example.org:8123{PATH}", 301
    ),
    # -- http and https ----------------------------------------------------------
    "nginx: http on the port of https": Sample(
        "wants_https",
        Failure.WANTS_HTTPS,
        400,
        page("400 The plain HTTP request was sent to HTTPS port"),
        HTML,
    ),
    "Go: http on the port of https": Sample(
        "wants_https",
        Failure.WANTS_HTTPS,
        400,
        b"Client sent an HTTP request to an HTTPS server.\n",
        TEXT,
    ),
    # -- anything else -----------------------------------------------------------
    "a web page": Sample("page", Failure.PAGE, 200, page("My Router"), HTML),
    "a web page without its type": Sample(
        "page", Failure.PAGE, 200, b"\n <html>hello</html>"
    ),
    "a page for 400": Sample("page", Failure.PAGE, 400, page("400 Bad Request"), HTML),
    "nginx: no POST on files": Sample(
        "no_site", Failure.NO_SITE, 405, page("405 Not Allowed"), HTML
    ),
    **{
        f"a router that was asked by a strange name: {said}": Sample(
            "page", failure, status, body, HTML
        )
        for failure in (Failure.PAGE,)
        for said, status, body in (
            ("pfSense", 501, page("501", "Potential DNS Rebind attack detected")),
            ("OpenWrt", 403, b"Rejected request from RFC1918 IP to public address"),
            ("FRITZ!Box", 403, page("FRITZ!Box", "Der DNS-Rebind-Schutz hat")),
        )
    },
    "a slash at the end": redirect("other", Failure.SOMETHING_ELSE, f"{PATH}/", 301),
    "JSON of another program": Sample(
        "not_an_event", Failure.NOT_AN_EVENT, 200, b'{"hello": "world"}', JSON
    ),
    "a teapot": Sample("other", Failure.SOMETHING_ELSE, 418, b"I'm a teapot", TEXT),
    "a redirect to nowhere": redirect(
        "other", Failure.SOMETHING_ELSE, "http://[::1", 302
    ),
    "a redirect without a place": Sample("other", Failure.SOMETHING_ELSE, 302),
    "a status nobody knows": Sample("other", Failure.SOMETHING_ELSE, 299, b"x", TEXT),
}
