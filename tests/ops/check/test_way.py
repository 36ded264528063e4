"""Settings, address, certificate and who answers: one thing is broken in each test."""

import datetime as dt
import socket
import ssl
from pathlib import Path

import pytest
import trustme

from ha_bridge.redaction import Secret
from ha_bridge.settings import parse_address
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.evidence import named
from ha_bridge_ops.check.model import Status
from ha_bridge_ops.check.placeholders import to_paste
from ha_bridge_ops.local.processes import free_port
from tests.fakes.behaviours import hang_up, raw, reply, silence
from tests.fakes.server import Server
from tests.fakes.tls import Authority
from tests.ops.check.conftest import Serve
from tests.worlds.home import (
    HOST,
    PUBLIC,
    TOKEN,
    URL,
    assert_only,
    context,
    dialler,
    findings,
    home,
    ids,
    links_after,
    paths,
    plain,
)

#: Links that need somebody who answers.
BEYOND = links_after("ha.reachable") - {"token.kind", "token.expired"}

#: Links that need Home Assistant itself.
WITHIN = BEYOND - {"ha.is_home_assistant"}


def test_a_healthy_home(serve: Serve) -> None:
    """Nothing fails, and little is asked."""
    server = serve(home())
    found = findings(context(server.port))
    assert ids(found, Status.FAILED) == set()
    assert ids(found, Status.SKIPPED) == set()
    assert ids(found, Status.WARNING) == {"settings.long_lived_access_token"}
    assert paths(server) == [
        "GET /api/alexa/smart_home",
        "POST /api/alexa/smart_home",
        "POST /api/alexa/smart_home",
    ]
    assert "authorization" not in server.requests[0].headers
    assert server.requests[1].headers["authorization"] == f"Bearer {TOKEN}"


def test_without_a_token(serve: Serve) -> None:
    """All that needs none is looked at, and it is said what to do to see more."""
    server = serve(home())
    found = findings(context(server.port, token=""))
    assert ids(found, Status.FAILED) | ids(found, Status.WARNING) == set()
    assert ids(found, Status.SKIPPED) == links_after("ha.smart_home")
    assert "LONG_LIVED_ACCESS_TOKEN" in found["token.kind"].saw


# -- the address in lines to paste -----------------------------------------------------

HOMES = {
    "https://h.example": ("https://h.example",) * 3,
    "https://h.example:8443/ha": (
        "https://h.example:8443/ha",
        "https://h.example/ha",
        "https://h.example:8443/ha",
    ),
    "http://h.example:8123/ha": (
        "https://h.example/ha",
        "https://h.example/ha",
        "https://h.example:8123/ha",
    ),
    "http://h.example": (
        "https://h.example",
        "https://h.example",
        "https://h.example:80",
    ),
    "http://192.168.1.5:8123": (None, None, "https://192.168.1.5:8123"),
    "https://[fd00::1]": (None, None, "https://[fd00::1]"),
    "https://h.example/%APPDATA%": (None, None, None),
}


@pytest.mark.parametrize("base_url", HOMES)
def test_a_line_to_paste_has_the_whole_address(base_url: str) -> None:
    """Port and path too; and no name of somebody else's where the home has none."""
    values = named(parse_address(base_url))
    names = ("home", "at_443", "by_https")
    assert tuple(to_paste(f"{{{name}}}", values) for name in names) == HOMES[base_url]


# -- settings --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cause"),
    [("", "missing"), ("home", "malformed"), ("ftp://x", "malformed")],
)
def test_no_address(text: str, cause: str) -> None:
    """Everything else that needs one is skipped; the token is still looked at."""
    found = findings(context(1, environ={"BASE_URL": text}))
    skipped = links_after("settings.long_lived_access_token")
    skipped -= {"token.kind", "token.expired"}
    assert_only(
        found, "settings.base_url", cause, fix="BASE_URL=https://", skipped=skipped
    )


@pytest.mark.parametrize(
    ("link", "text", "cause", "fix"),
    [
        (
            "settings.not_verify_ssl",
            "true",
            "on",
            "delete the variable NOT_VERIFY_SSL",
        ),
        ("settings.not_verify_ssl", "maybe", "malformed", "NOT_VERIFY_SSL=false"),
        ("settings.debug", "on", "on", "Delete the variable DEBUG"),
        ("settings.debug", "?", "malformed", "DEBUG=false"),
    ],
)
def test_switches(link: str, text: str, cause: str, fix: str, serve: Serve) -> None:
    """Left on is a warning, malformed a failure; the rest is looked at."""
    name = link.partition(".")[2].upper()
    found = findings(context(serve(home()).port, environ={name: text}))
    assert_only(found, link, cause, fix=fix, skipped=set())
    is_on = cause == "on"
    assert found[link].status is (Status.WARNING if is_on else Status.FAILED)


@pytest.mark.parametrize(
    "text", [f'"{TOKEN}"', f"Bearer {TOKEN}", f"{TOKEN[:40]}\n{TOKEN[40:]}", "ключ"]
)
def test_a_malformed_token(text: str, serve: Serve) -> None:
    """It is not sent."""
    server = serve(home())
    found = findings(context(server.port, token=text))
    assert_only(
        found,
        "settings.long_lived_access_token",
        "malformed",
        fix="LONG_LIVED_ACCESS_TOKEN=",
        skipped=links_after("ha.smart_home"),
    )
    assert paths(server) == ["GET /api/alexa/smart_home"]


def test_a_token_here_is_for_this_check(serve: Serve) -> None:
    """A warning: the function must not keep it."""
    found = findings(context(serve(home()).port))
    link = "settings.long_lived_access_token"
    assert_only(found, link, "set", fix="delete it from the function", skipped=set())
    assert found[link].status is Status.WARNING


# -- address ---------------------------------------------------------------------------


def test_plain_http() -> None:
    """The later links are still tried, and the token is sent as the function would."""
    with Server(home()) as server:
        found = findings(
            context(server.port, environ={"BASE_URL": f"http://{HOST}:443"})
        )
    assert_only(
        found,
        "address.https",
        "http",
        fix=f"BASE_URL={URL}",
        skipped={"tls.certificate"},
    )


def test_another_port(serve: Serve) -> None:
    """A warning: for some it works."""
    found = findings(context(serve(home()).port, environ={"BASE_URL": f"{URL}:8123"}))
    assert_only(found, "address.port", "other", fix=f"BASE_URL={URL}", skipped=set())
    assert found["address.port"].status is Status.WARNING


def test_an_unknown_name() -> None:
    """Whatever needs an address is skipped."""
    found = findings(context(1, addresses=()))
    skipped = links_after("address.dns") - {"token.kind", "token.expired"}
    assert_only(
        found, "address.dns", "unknown", fix=f"nslookup {HOST}", skipped=skipped
    )


def test_a_name_server_that_is_silent() -> None:
    """It is said that it was not the name."""

    def resolve(*_arguments: object, **_more: object) -> list[object]:
        raise TimeoutError

    broken = context(1)
    broken.resolve = resolve
    assert_only(findings(broken), "address.dns", "timeout", fix="nslookup")


def test_only_ipv6(serve: Serve) -> None:
    """From here it may work; from AWS it does not."""
    server = serve(home())
    found = findings(context(server.port, addresses=["2606:2800:220:1::1"]))
    assert_only(found, "address.ipv4", "only_ipv6", fix=HOST, skipped=set())
    assert "2606:2800:220:1::1" in found["address.ipv4"].saw


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1", "this machine itself"),
        ("192.168.1.4", "private"),
        ("10.0.0.4", "private"),
        ("100.64.7.9", "carrier-grade NAT"),
        ("169.254.1.1", "link-local"),
    ],
)
def test_an_address_that_aws_cannot_reach(
    address: str, words: str, serve: Serve
) -> None:
    """The later links are still tried."""
    found = findings(context(serve(home()).port, addresses=[address]))
    assert_only(
        found, "address.public", "private", fix=f"nslookup {HOST}", skipped=set()
    )
    assert words in found["address.public"].saw


@pytest.mark.parametrize(
    ("location", "cause", "fix"),
    [
        (
            "https://new.example.org/api/alexa/smart_home?x=hunter2",
            "redirects",
            "BASE_URL=https://new.example.org",
        ),
        (
            "https://home.example.org/ha/api/alexa/smart_home",
            "redirects",
            "BASE_URL=https://home.example.org/ha",
        ),
        ("https://home.example.org/api/alexa/smart_home", "loop", "Full"),
    ],
)
def test_a_redirect(location: str, cause: str, fix: str, serve: Serve) -> None:
    """It is not followed, and the address to use is shown."""
    server = serve(home(get=reply(301, headers={"Location": location})))
    found = findings(context(server.port))
    assert_only(found, "address.redirect", cause, fix=fix, skipped=BEYOND)
    assert "hunter2" not in found["address.redirect"].saw
    assert f"to “{location.partition('?')[0]}" in found["address.redirect"].saw
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example.net/api/alexa/smart_home",
        f"http://{HOST}/elsewhere/api/alexa/smart_home",
    ],
)
def test_a_redirect_on_a_way_that_is_not_protected(location: str) -> None:
    """Anyone on it could have written where the token is to go: it is not shown."""
    with Server(home(get=reply(301, b"", {"Location": location}))) as server:
        found = findings(context(server.port, environ={"BASE_URL": f"http://{HOST}"}))
    assert found["address.redirect"].causes == ("unclear",)
    assert found["address.redirect"].paste == ""


# -- certificate -----------------------------------------------------------------------

#: Links that send the token.
SENDING = links_after("token.expired")


@pytest.mark.parametrize("kind", ["untrusted", "name", "expired"])
def test_a_certificate_that_is_not_trusted(
    kind: str, authority: Authority, stranger: Authority
) -> None:
    """Home Assistant is still looked at, but the token is not sent over that."""
    tls = {
        "untrusted": lambda: stranger.server(HOST),
        "name": lambda: authority.server("other.example.org"),
        "expired": lambda: authority.expired(HOST),
    }[kind]()
    fix = {"untrusted": "fullchain.pem", "name": HOST, "expired": "certbot renew"}
    with Server(home(), tls=tls) as server:
        found = findings(context(server.port))
        assert not any("authorization" in one.headers for one in server.requests)
    assert_only(found, "tls.certificate", kind, fix=fix[kind], skipped=SENDING)
    assert found["ha.smart_home"].status is Status.OK
    if kind == "name":
        assert "it is for other.example.org" in found["tls.certificate"].saw
    if kind == "expired":
        assert "valid until 2020-01-01" in found["tls.certificate"].saw


def test_not_verify_ssl_does_not_heal_a_certificate(stranger: Authority) -> None:
    """Amazon checks it in account linking; the function itself goes on."""
    with Server(home(), tls=stranger.server(HOST)) as server:
        found = findings(context(server.port, environ={"NOT_VERIFY_SSL": "true"}))
    assert_only(
        found,
        "tls.certificate",
        "untrusted",
        fix="fullchain.pem",
        warned={"settings.long_lived_access_token", "settings.not_verify_ssl"},
        skipped=set(),
    )


def test_a_certificate_that_was_good_must_stay_so(
    serve: Serve, stranger: Authority
) -> None:
    """Who comes in between after the first look gets no token, whatever is set."""
    good = context(serve(home()).port, environ={"NOT_VERIFY_SSL": "true"})
    assert good.evidence
    with Server(home(), tls=stranger.server(HOST)) as other:
        good.dial = dialler(other.port)
        with pytest.raises(ssl.SSLError):
            good.home.request("GET", "/api/", token=Secret(TOKEN))
        assert not other.requests


def test_a_certificate_of_the_future(tmp_path: Path) -> None:
    """More often it is a clock that is wrong."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    begin = dt.datetime.now(dt.UTC) + dt.timedelta(days=2)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(HOST, not_before=begin).configure_cert(tls)
    with pytest.MonkeyPatch.context() as patch, Server(home(), tls=tls) as server:
        patch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        found = findings(context(server.port))
    assert_only(found, "tls.certificate", "not_yet", fix="clock", skipped=SENDING)


def test_not_tls_at_all() -> None:
    """Plain http where https is expected."""
    with Server(home()) as server:
        found = findings(context(server.port))
    skipped = {"ha.reachable", "address.redirect"} | BEYOND
    assert_only(found, "tls.certificate", "not_tls", fix="8123", skipped=skipped)


def test_a_tls_that_is_too_old(authority: Authority) -> None:
    """No common way to encrypt."""
    tls = authority.server(HOST)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers("PSK")
    with Server(home(), tls=tls) as server:
        found = findings(context(server.port))
    skipped = {"ha.reachable", "address.redirect"} | BEYOND
    # OpenSSL says nothing else for "no cipher in common".
    assert found["tls.certificate"].causes[0] in ("failed", "no_such_site")
    assert ids(found, Status.SKIPPED) == skipped


# -- who answers -----------------------------------------------------------------------


def test_nobody_listens() -> None:
    """The connection is refused."""
    found = findings(context(free_port()))
    skipped = {"address.redirect", "tls.certificate"} | BEYOND
    assert_only(found, "ha.reachable", "refused", fix="Start", skipped=skipped)
    assert PUBLIC in found["ha.reachable"].saw


@pytest.mark.parametrize(
    ("error", "cause", "fix"),
    [
        (TimeoutError(), "timeout", "forwards the port"),
        (OSError(101, "Network is unreachable"), "unreachable", "network"),
    ],
)
def test_no_way_there(error: OSError, cause: str, fix: str) -> None:
    """Each in its own words."""

    def dial(_address: tuple[str, int], _timeout: float) -> socket.socket:
        raise error

    broken = context(1)
    broken.dial = dial
    skipped = {"address.redirect", "tls.certificate"} | BEYOND
    assert_only(findings(broken), "ha.reachable", cause, fix=fix, skipped=skipped)


@pytest.mark.parametrize(
    ("behaviour", "cause", "fix"),
    [
        (hang_up, "reset", "Try again"),
        (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "not_http", "port"),
        (plain(502, "502: Bad Gateway"), "gateway", "8123"),
        (plain(503, ""), "gateway", "Start Home Assistant"),
        (plain(530, "error code: 1033"), "gateway", "Start Home Assistant"),
    ],
)
def test_no_home_assistant_behind_it(
    behaviour: object, cause: str, fix: str, serve: Serve
) -> None:
    """Somebody takes the call, and that is all."""
    found = findings(context(serve(home(get=behaviour)).port))  # type: ignore[arg-type]
    skipped = BEYOND if cause == "gateway" else {"address.redirect"} | BEYOND
    assert_only(found, "ha.reachable", cause, fix=fix, skipped=skipped)


def test_a_connection_that_is_dropped() -> None:
    """TLS does not even begin; what the system said of it is shown."""

    def drop(sock: socket.socket, _stopping: object) -> None:
        sock.close()

    with Server(home(), on_accept=drop) as server:
        found = findings(context(server.port))
    skipped = {"address.redirect", "tls.certificate"} | BEYOND
    assert_only(found, "ha.reachable", "reset", fix="Try again", skipped=skipped)
    _, _, said = found["ha.reachable"].saw.partition("broke off TLS: ")
    assert said not in ("", "reset")


def test_silence(serve: Serve) -> None:
    """Alexa would not wait longer either."""
    found = findings(context(serve(home(get=silence)).port))
    skipped = {"address.redirect"} | BEYOND
    assert_only(found, "ha.reachable", "silent", fix="load", skipped=skipped)


@pytest.mark.parametrize(
    ("link", "cause", "status", "text", "fix"),
    [
        ("ha.trusted_proxies", "not_trusted", 400, "400: Bad Request", "Network"),
        ("ha.banned", "banned", 403, "403: Forbidden", "ip_bans.yaml"),
        ("ha.smart_home", "missing", 404, "404: Not Found", "smart_home:"),
        (
            "ha.smart_home",
            "error",
            500,
            "500 Internal Server Error\n\nServer got itself in trouble",
            "log",
        ),
    ],
)
def test_home_assistant_refuses(  # noqa: PLR0913, PLR0917 - a row of the table
    link: str, cause: str, status: int, text: str, fix: str, serve: Serve
) -> None:
    """In its own words; the token is not sent."""
    server = serve(home(get=plain(status, text)))
    found = findings(context(server.port))
    assert_only(found, link, cause, fix=fix)
    assert ids(found, Status.SKIPPED) <= WITHIN
    assert not any("authorization" in one.headers for one in server.requests)


def test_both_ways_to_trust_a_proxy_are_told(serve: Serve) -> None:
    """In YAML before Home Assistant 2026.8, in its settings since."""
    server = serve(home(get=plain(400, "400: Bad Request")))
    finding = findings(context(server.port))["ha.trusted_proxies"]
    assert "Settings → System → Network" in finding.fix
    assert "use_x_forwarded_for: true" in finding.paste


def test_an_address_of_the_home_beside_a_public_one_is_no_fault(serve: Serve) -> None:
    """A function goes out over IPv4; what IPv6 there is at home does not matter."""
    made = context(serve(home()).port, addresses=(PUBLIC, "fd12:3456:789a::1"))
    assert findings(made)["address.public"].status is Status.OK


@pytest.mark.parametrize("host", ["home..example.org", f"{'x' * 64}.example.org"])
def test_a_name_that_cannot_be_one(host: str) -> None:
    """It is refused at once, or by Python's resolver with an error of another kind."""
    found = findings(Context({"BASE_URL": f"https://{host}"}))
    assert ids(found, Status.FAILED) in ({"settings.base_url"}, {"address.dns"})
