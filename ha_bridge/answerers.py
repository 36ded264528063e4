"""Who answered, and why: one table for the function and for `ha-bridge check`.

Home Assistant is seldom alone: a proxy, a tunnel, a login portal, a firewall or a
router may answer in its place.  They are told apart by structure (the status, where a
redirect leads, the names of headers, whether a page has a password field), and by a
product's name only where nothing else is there; vendors change their words.

To know somebody new, add a row to `ANSWERERS`.  Pure, and loaded only for an answer
that is no event: what goes well does not pay for it.
"""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit, urlunsplit

from ha_bridge.errors import Failure
from ha_bridge.settings import PATH, Address, parse_address

#: Bytes of a body that are looked at.
MAX_LOOK: Final = 4096

#: How Home Assistant's web server ends what it writes of its own failure.
#: https://github.com/aio-libs/aiohttp/blob/master/aiohttp/web_protocol.py
_TROUBLE: Final = "Server got itself in trouble"

_TITLE: Final = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)

#: What a body may have in it, by the name of the mark.
_IN_BODY: Final[Mapping[str, re.Pattern[bytes]]] = {
    "password_field": re.compile(rb"type\s*=\s*[\"']?password", re.IGNORECASE),
    "puzzle": re.compile(
        rb"captcha(?!-bypass)|not a (?:ro)?bot"
        rb"|(?:you are|you're|are you) (?:a )?(?:human|robot)"
        rb"|just a moment|one moment, please|checking your browser"
        rb"|request is being verified",
        re.IGNORECASE,
    ),
    "certificate": re.compile(
        rb"(?:ssl|tls|client)[ -]cert|certificate (?:was|is|not) "
        rb"(?:sent|required|provided)",
        re.IGNORECASE,
    ),
    "plain_http": re.compile(
        rb"plain http|http request (?:was sent )?to (?:an )?https"
        rb"|requires tls|http (?:request )?to an? (?:ssl|tls|https)",
        re.IGNORECASE,
    ),
    "host": re.compile(
        rb"(?:invalid|unknown|unrecogni[sz]ed|disallowed)\s?(?:http_)?"
        rb"(?:host|domain|sni\b)|host check|this host \(",
        re.IGNORECASE,
    ),
    # Whoever speaks to a router by a name that it does not know for its own.
    "router": re.compile(rb"dns[ -]rebind|rfc ?1918", re.IGNORECASE),
    "error_code": re.compile(rb"\A\s*error code: \d{3,4}\b", re.IGNORECASE),
    # Cloudflare has no host of this name, or one that leads nowhere.
    # https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-1xxx-errors/
    "no_host_code": re.compile(
        rb"\berror(?:[ _]code)?\"?:?(?:\s|<[^<>]{0,200}>)*"
        rb"(?:100[0-4]|101[348]|1023|1034)\b",
        re.IGNORECASE,
    ),
}

#: Where a bot protection sends whom it wants to test.
_TEST_PATH: Final = re.compile(r"/(?:challenge|captcha|anti-?bot)[^/]*", re.IGNORECASE)

#: Networks inside homes and providers, and names that only those know.
_INSIDE: Final = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
_INSIDE_NAME: Final = re.compile(
    r"[^.]+|.*\.(?:local|localhost|lan|home|internal|intranet|home\.arpa|fritz\.box)"
)

#: What names of headers may say, by the name of the mark.
_IN_NAMES: Final[Mapping[str, re.Pattern[str]]] = {
    "access": re.compile(r"cf-access-\w+"),
    "robot": re.compile(r".*-mitigated|.*-(?:waf|captcha|challenge)(?:-.*)?"),
}

#: Headers that say how many requests are left.
#: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
_REMAINING: Final = ("ratelimit-remaining", "x-ratelimit-remaining")

#: Headers whose values are looked at; of the others it is the name.
LOOKED_AT: Final = frozenset(
    {"content-type", "location", "server", "www-authenticate", *_REMAINING}
)


class Answer(NamedTuple):
    """What is looked at of an answer; nothing in it is secret."""

    status: int
    content_type: str = ""
    server: str = ""
    location: str = ""
    """Where a redirect leads, whole, but without what follows the question mark."""
    www_authenticate: str = ""
    """The scheme only."""
    title: str = ""
    begins: str = ""
    """The first characters of the body; all of it, where it is short."""
    marks: tuple[str, ...] = ()
    """What was found in headers, body and redirect; see the tables above."""
    target: str = ""
    """The BASE_URL that a redirect which keeps the path of the request leads to."""


def describe(
    status: int, headers: Mapping[str, str], body: bytes, address: Address
) -> Answer:
    """Return what is looked at of an answer to a request for the Alexa path.

    Args:
        status: The HTTP status.
        headers: Of the answer; names in any case.
        body: Its beginning, or all of it, decoded.
        address: What was asked.
    """
    names = {name.lower(): value for name, value in headers.items()}
    known = {name: value for name, value in names.items() if name in LOOKED_AT}
    body = body[:MAX_LOOK]
    title = _TITLE.search(body)
    marks = {name for name, pattern in _IN_BODY.items() if pattern.search(body)}
    marks |= {
        mark
        for mark, pattern in _IN_NAMES.items()
        if any(map(pattern.fullmatch, names))
    }
    if not body.strip():
        marks.add("empty")
    if any(known.get(name, "").strip() == "0" for name in _REMAINING):
        marks.add("none_left")
    location, target = "", ""
    if 300 <= status < 400:  # noqa: PLR2004 - redirects
        location, target, mark = _redirect(known.get("location", ""), address)
        marks |= {mark} if mark else set()
    return Answer(
        status,
        _text(known.get("content-type", "").partition(";")[0])[:80].lower(),
        cut(_text(known.get("server", "")), 40),
        location,
        _text(known.get("www-authenticate", "")).partition(" ")[0][:40].lower(),
        _text(title[1].decode("utf-8", "replace")) if title else "",
        _text(body[:160].decode("utf-8", "replace")),
        tuple(sorted(marks)),
        target,
    )


def from_report(report: Mapping[str, Any], address: Address) -> Answer:
    """Return the answer that a report of the probe holds.

    Args:
        report: What the probe says of HTTP; an older one has no marks.
        address: What was asked.
    """
    if isinstance(report.get("marks"), list | tuple):
        texts = {name: str(report.get(name, "")) for name in Answer._fields}
        found: dict[str, Any] = {
            **texts,
            "location": _readable(texts["location"]),
            "status": report["status"],
            "marks": tuple(map(str, report["marks"])),
        }
        return Answer(**found)
    headers = {
        name.replace("_", "-"): str(report[name])
        for name in ("content_type", "location", "server", "www_authenticate")
        if report.get(name)
    }
    if report.get("cf_mitigated"):
        headers["cf-mitigated"] = ""
    begins, title = str(report.get("begins", "")), str(report.get("title", ""))
    answer = describe(report["status"], headers, begins.encode(), address)
    more = describe(report["status"], headers, title.encode(), address)
    marks = {*answer.marks, *more.marks} - ({"empty"} if begins else set())
    return answer._replace(title=title, marks=tuple(sorted(marks)))


def _redirect(location: str, address: Address) -> tuple[str, str, str]:
    """Return where a redirect leads, the BASE_URL in it, and the mark it gets."""
    asked = f"{address}{PATH}"
    try:
        url = urlsplit(urljoin(asked, location.strip()))
        host = url.netloc.rpartition("@")[2]
        if not location.strip() or not host or url.scheme not in ("http", "https"):
            return "", "", ""
        shown = _readable(urlunsplit((url.scheme, host, url.path, "", "")))
        values = [value for _, value in parse_qsl(url.query)]
        if not url.path.endswith(PATH) or any(PATH in value for value in values):
            # A portal says in the query where to come back to.
            return shown, "", _leads_elsewhere(url.path, address)
        prefix = url.path.removesuffix(PATH)
        target = parse_address(f"{url.scheme}://{host}{prefix}")
    except ValueError:
        return "", "", ""
    if _is_inside(target.host) and not _is_inside(address.host):
        return shown, "", "inside"
    if target == address or (address.is_tls and not target.is_tls):
        return shown, "", "loop"
    return shown, str(target)[:300], "moved"


def _readable(address: str) -> str:
    """Return as much of a web address as is told; nothing if that is none any more."""
    shown = _text(address)[:300]
    try:
        urlsplit(shown)  # a host in brackets may have been cut
    except ValueError:
        return ""
    return shown


def _leads_elsewhere(path: str, address: Address) -> str:
    if path == f"{address.path}{PATH}/":
        return ""  # another program, which likes its paths with a slash at the end
    return "robot" if _TEST_PATH.search(path) else "elsewhere"


def _is_inside(host: str) -> bool:
    """Return whether a host is known only at home, where AWS is not."""
    try:
        ip = ip_address(host)
    except ValueError:
        return _INSIDE_NAME.fullmatch(host) is not None
    return any(ip in network for network in _INSIDE)


def cut(text: str, length: int) -> str:
    """Return a text of no more letters; one that was cut shows it.

    So it can be told from a whole one that half a secret may be at its end.
    """
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _text(data: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in data).split())


# -- how to know them ------------------------------------------------------------------


def is_own(answer: Answer) -> bool:
    """Return whether an answer reads as Home Assistant writes it: no page, these words.

    Source: https://github.com/aio-libs/aiohttp/blob/master/aiohttp/web_exceptions.py
    """
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        return False
    own = (f"{answer.status}: {phrase}", f"{answer.status} {phrase} {_TROUBLE}")
    return not _is_page(answer) and answer.begins in own


def _is_own(status: int) -> Callable[[Answer], bool]:
    return lambda answer: answer.status == status and is_own(answer)


def _is_access(answer: Answer) -> bool:
    where = urlsplit(answer.location)
    host = where.hostname or ""
    return (
        "access" in answer.marks
        or answer.www_authenticate == "cloudflare-access"
        or host.endswith(".cloudflareaccess.com")
        or where.path.startswith("/cdn-cgi/access/")
    )


def _is_challenge(answer: Answer) -> bool:
    shows_one = "puzzle" in answer.marks and "password_field" not in answer.marks
    may_be = answer.status in (200, 202, 401, 403, 405, 503)
    return "robot" in answer.marks or (shows_one and may_be)


def _is_gateway(answer: Answer) -> bool:
    # 520 to 530 are Cloudflare's:
    # https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
    return answer.status in (502, 503, 504, *range(520, 531))


def _is_limiter(answer: Answer) -> bool:
    refused = answer.status in (403, 503)
    return answer.status == HTTPStatus.TOO_MANY_REQUESTS or (
        refused and "none_left" in answer.marks
    )


def _is_basic(answer: Answer) -> bool:
    asked = answer.status == HTTPStatus.UNAUTHORIZED
    scheme = answer.www_authenticate in ("basic", "digest")
    return (asked and scheme) or answer.status == 407  # noqa: PLR2004 - of a proxy


def _is_portal(answer: Answer) -> bool:
    # 511 is Network Authentication Required, of RFC 6585.
    return (
        "elsewhere" in answer.marks
        or answer.status in (401, 511)
        or ("password_field" in answer.marks and answer.status in (200, 403))
    )


def _wants_certificate(answer: Answer) -> bool:
    # 495 and 496 are nginx's own, which some proxies let out.
    said = "certificate" in answer.marks and 400 <= answer.status < 500  # noqa: PLR2004 - 4xx
    return said or answer.status in (495, 496)


def _wants_https(answer: Answer) -> bool:
    return answer.status == HTTPStatus.BAD_REQUEST and "plain_http" in answer.marks


def _is_rule(answer: Answer) -> bool:
    # 406 is what web application firewalls like to answer; 451 is RFC 7725.
    said = "error_code" in answer.marks and 400 <= answer.status < 500  # noqa: PLR2004 - 4xx
    return said or answer.status in (403, 406, 451)


def _has_no_site(answer: Answer) -> bool:
    # 405, 501: files do not take a POST. 421: the name of TLS is not that of the
    # request. Caddy answers 200 and nothing. Some redirect inside instead of asking.
    is_nothing = answer.status == HTTPStatus.OK and "empty" in answer.marks
    is_refused = answer.status >= 400 and "host" in answer.marks  # noqa: PLR2004 - 4xx, 5xx
    is_unknown = 400 <= answer.status < 500 and "no_host_code" in answer.marks  # noqa: PLR2004 - 4xx
    leads_inside = "inside" in answer.marks
    said = is_nothing or is_refused or is_unknown or leads_inside
    return said or answer.status in (404, 405, 410, 421, 501)


def _is_proxy_error(answer: Answer) -> bool:
    # 408: the proxy has not got the request in time, as it thinks.
    return answer.status == HTTPStatus.REQUEST_TIMEOUT or answer.status >= 500  # noqa: PLR2004 - 5xx


def _is_page(answer: Answer) -> bool:
    return "html" in answer.content_type or answer.begins.startswith("<")


class Answerer(NamedTuple):
    """A row: who answered, as what failure it counts, and how to know it."""

    name: str
    failure: Failure
    is_it: Callable[[Answer], bool]


#: Home Assistant itself, by what it says.
OWN: Final[tuple[Answerer, ...]] = (
    Answerer("not_trusted", Failure.BAD_REQUEST, _is_own(400)),
    Answerer("token_refused", Failure.REFUSED_TOKEN, _is_own(401)),
    Answerer("banned", Failure.REFUSED_ADDRESS, _is_own(403)),
    Answerer("no_alexa", Failure.NOT_FOUND, _is_own(404)),
    Answerer("not_allowed", Failure.NOT_ALLOWED, _is_own(405)),
    Answerer("error", Failure.SERVER_ERROR, _is_own(500)),
    Answerer("own", Failure.UNEXPECTED_STATUS, is_own),
)

#: All of them; the first that fits is it.
ANSWERERS: Final[tuple[Answerer, ...]] = (
    Answerer("access", Failure.ACCESS, _is_access),
    Answerer("challenge", Failure.CHALLENGE, _is_challenge),
    Answerer("limiter", Failure.RATE_LIMITED, _is_limiter),
    Answerer(
        "gateway_tls", Failure.GATEWAY_TLS, lambda answer: answer.status in (525, 526)
    ),
    Answerer("gateway", Failure.GATEWAY, _is_gateway),
    Answerer("moved", Failure.REDIRECTED, lambda answer: "moved" in answer.marks),
    Answerer("loop", Failure.REDIRECT_LOOP, lambda answer: "loop" in answer.marks),
    *OWN,
    Answerer("basic_auth", Failure.BASIC_AUTH, _is_basic),
    Answerer("wants_https", Failure.WANTS_HTTPS, _wants_https),
    Answerer("client_certificate", Failure.CLIENT_CERTIFICATE, _wants_certificate),
    Answerer("portal", Failure.PORTAL, _is_portal),
    Answerer("page", Failure.PAGE, lambda answer: "router" in answer.marks),
    Answerer("no_site", Failure.NO_SITE, _has_no_site),
    Answerer("rule", Failure.FIREWALL, _is_rule),
    Answerer("proxy_error", Failure.PROXY_ERROR, _is_proxy_error),
    Answerer("page", Failure.PAGE, _is_page),
    Answerer(
        "not_an_event",
        Failure.NOT_AN_EVENT,
        lambda answer: answer.status == HTTPStatus.OK,
    ),
    Answerer("other", Failure.SOMETHING_ELSE, lambda _answer: True),
)


def who(answer: Answer) -> Answerer:
    """Return who answered."""
    return next(row for row in ANSWERERS if row.is_it(answer))
