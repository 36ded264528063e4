"""Closed homes: what opens the gate, what does not, and a gate that is open."""

import json
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ha_bridge_ops.check.context import Options
from ha_bridge_ops.check.model import Status
from tests.fakes import access, pem
from tests.fakes.behaviours import hang_up, reply, reply_json
from tests.fakes.server import Behaviour, Exchange, Server
from tests.ops.check.conftest import Serve
from tests.ops.check.test_link import home_that_links, look
from tests.worlds.home import HOST, NOT_ALLOWED, context, findings, home, paths

TOKEN_OF_ACCESS = {"EXTRA_HEADERS": json.dumps(access.HEADERS)}
HTML = {"Content-Type": "text/html"}
CA = pem.authority()
MISTYPED = {
    "EXTRA_HEADERS": json.dumps(
        {**access.HEADERS, "CF-Access-Client-Secret": "mistyped-secret-77"}
    )
}


def test_a_gate_that_opens_is_fine_and_closed_to_others(serve: Serve) -> None:
    """All that follows is asked through it: token, devices, directive."""
    server = serve((access.Access(behind=home()[0]).behave,))
    found = findings(context(server.port, environ=TOKEN_OF_ACCESS))
    assert found["ha.gate"].status is Status.OK
    assert found["ha.closed"].status is Status.OK
    assert "access" in found["ha.closed"].saw
    assert found["directive.report_state"].status is Status.OK
    shown = json.dumps([one.as_json() for one in found.values()])
    assert access.SECRET not in shown
    assert access.ID not in shown


@pytest.mark.parametrize("has_allow", [False, True])
def test_a_service_token_that_is_refused(serve: Serve, *, has_allow: bool) -> None:
    """And where to look for its end and its policy."""
    gate = access.Access(behind=home()[0], has_allow=has_allow)
    found = findings(context(serve((gate.behave,)).port, environ=MISTYPED))
    (problem,) = found["ha.gate"].problems
    assert problem.cause == "access_refused"
    assert "Service Auth" in problem.fix
    assert "mistyped-secret" not in json.dumps(found["ha.gate"].as_json())


def test_a_gate_that_is_met_with_nothing_is_told_with_the_setting(serve: Serve) -> None:
    """The first look at a closed home."""
    found = findings(context(serve((access.Access(behind=home()[0]).behave,)).port))
    (problem,) = found["ha.is_home_assistant"].problems
    assert problem.cause == "access"
    assert "EXTRA_HEADERS" in problem.fix


def test_a_gate_that_is_open_is_warned_of(serve: Serve) -> None:
    """Bypass in place of Service Auth looks like success."""
    found = findings(context(serve(home()).port, environ=TOKEN_OF_ACCESS))
    assert found["ha.gate"].status is Status.OK
    assert found["ha.closed"].status is Status.WARNING
    (problem,) = found["ha.closed"].problems
    assert problem.cause == "open"
    assert "Bypass" in problem.means


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (reply(403, b"<h1>403 Forbidden</h1>", HTML), "rule_refused"),
        (reply(302, b"", {"Location": "https://sso.test/login"}), "portal_refused"),
        (
            reply(400, b"<title>400 The SSL certificate error</title>", HTML),
            "client_certificate_refused",
        ),
    ],
)
def test_other_gates_that_refuse(serve: Serve, answer: Behaviour, cause: str) -> None:
    """Each with what to compare."""
    found = findings(context(serve((answer,)).port, environ=TOKEN_OF_ACCESS))
    (problem,) = found["ha.gate"].problems
    assert problem.cause == cause


class Store:
    """The Parameter Store, with what is none of the three in it."""

    def get_parameter(self, **_query: object) -> dict[str, dict[str, str]]:
        return {"Parameter": {"Value": "hunter2"}}


@pytest.mark.parametrize(
    ("link", "cause", "word"),
    [
        ("settings.extra_headers", "unreadable", "is no JSON"),
        ("settings.client_certificate", "unreadable", "has no PEM"),
        ("settings.ca_certificate", "unreadable", "has no PEM"),
    ],
)
def test_what_is_kept_in_aws_and_wrong_there(
    serve: Serve, link: str, cause: str, word: str
) -> None:
    """Told twice: of the setting, and of the gate."""
    variable = link.partition(".")[2].upper()
    found = findings(
        context(
            serve(home()).port,
            environ={variable: "ssm:/home/gate"},
            aws=lambda _service, _region: Store(),
        )
    )
    for name in (link, "ha.gate"):
        (problem,) = found[name].problems
        assert problem.cause == cause
        assert f"{variable} {word}" in problem.saw
        assert "hunter2" not in json.dumps(found[name].as_json())


def lets_tokens_pass(gate: access.Access, get: Behaviour) -> Behaviour:
    """Return a gate with an exception for /auth/token, and what is behind that."""

    def behave(exchange: Exchange) -> None:
        is_it = exchange.request.target == "/auth/token"
        (get if is_it else gate.behave)(exchange)

    return behave


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (NOT_ALLOWED, None),
        (reply(405, b"<html>405 Not Allowed</html>", HTML), "closed"),
        (reply(403, b"<html>no</html>", HTML), "closed"),
        (hang_up, "closed"),
    ],
    ids=["Home Assistant", "a proxy", "the gate", "nobody"],
)
def test_amazon_shows_nothing_at_auth_token(
    serve: Serve, answer: Behaviour, cause: str | None
) -> None:
    """So nothing of the gate's is shown there, and nothing that counts as a login."""
    gate = access.Access(behind=home()[0])
    server = serve((lets_tokens_pass(gate, answer),))
    found = findings(context(server.port, environ=TOKEN_OF_ACCESS))["ha.token_uri"]
    assert found.causes == ((cause,) if cause else ())
    asked = [one for one in server.requests if one.target == "/auth/token"]
    assert {one.method for one in asked} == {"GET"}
    for one in asked:
        assert not {"cf-access-client-secret", "authorization"} & set(one.headers)


def test_what_amazon_does_not_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CA_CERTIFICATE is the function's: the finding is ha.token_uri, untrusted."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    own = pem.issued(CA, HOST, names=[x509.DNSName(HOST)])
    with Server(home(), tls=pem.server_context(tmp_path, own)) as server:
        environ = {"CA_CERTIFICATE": CA.certificate_pem}
        found = findings(context(server.port, environ=environ))
    assert found["ha.smart_home"].status is Status.OK
    assert found["ha.token_uri"].causes == ("untrusted",)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (reply_json({"error": "invalid_client"}, 401), None),
        (reply_json({"message": "Not Found"}, 404), "no_endpoint"),
        (reply_json({"message": "Forbidden"}, 403), "no_endpoint"),
        (reply_json({"access_token": "x"}), "no_endpoint"),
        (hang_up, "no_endpoint"),
    ],
    ids=["the endpoint", "no route", "no permission", "anybody is let in", "nobody"],
)
def test_the_token_endpoint_is_asked_as_a_stranger(
    serve: Serve, answer: Behaviour, cause: str | None
) -> None:
    """With a wrong secret, which it answers itself: ha.token_uri of --token-url."""
    gate = access.Access(behind=home()[0])
    server = serve((lets_tokens_pass(gate, answer),))
    options = Options(token_url=f"https://{HOST}:8443/auth/token")
    found = findings(context(server.port, environ=TOKEN_OF_ACCESS, options=options))
    assert found["ha.token_uri"].causes == ((cause,) if cause else ())
    assert paths(server).count("POST /auth/token") == 1


def test_the_client_secret_goes_to_whom_is_trusted_only(stranger: Any) -> None:
    """Whatever NOT_VERIFY_SSL says of the home."""
    with Server(home(), tls=stranger.server(HOST)) as server:
        options = Options(token_url=f"https://{HOST}/auth/token")
        environ = {"NOT_VERIFY_SSL": "true"}
        endpoint = context(server.port, environ=environ, options=options).token_endpoint
        assert endpoint is not None
        with pytest.raises(ssl.SSLCertVerificationError):
            endpoint.request("POST", "/auth/token", form={"client_secret": "x"})
    assert server.requests == []


def test_linking_meets_the_gate_as_amazon_does(serve: Serve) -> None:
    """Without what opens it: the page and the login go through it, the token not."""
    gate = access.Access(behind=home_that_links()[0])
    found = look(serve((gate.behave,)), environ=TOKEN_OF_ACCESS)
    assert found["link.login"].status is Status.OK
    (problem,) = found["link.token"].problems
    assert problem.cause == "closed", problem.saw
    assert "token endpoint" in problem.fix


def test_a_name_of_other_letters_is_no_crash(tmp_path: Path) -> None:
    """Python cannot read such a certificate, which is trusted all the same."""
    ours = pem.authority()
    name = HOST.encode()
    names = bytes([0x82, len(name), *name, 0x82, 1, 0xFF])
    own = pem.issued(ours, HOST, names=bytes([0x30, len(names)]) + names)
    with Server(home(), tls=pem.server_context(tmp_path, own)) as server:
        environ = {"CA_CERTIFICATE": ours.certificate_pem}
        found = findings(context(server.port, environ=environ))
    assert found["tls.certificate"].status is Status.OK
    assert "cannot be read" in found["tls.certificate"].saw
    assert found["token.accepted"].status is Status.OK


ENDPOINT = "https://home.example.org/auth/token"


@pytest.mark.parametrize(
    ("status", "error", "cause"),
    [
        (401, "invalid_client", "client_secret"),
        (503, "temporarily_unavailable", "unavailable"),
    ],
)
def test_a_token_endpoint_that_gives_none(
    serve: Serve, status: int, error: str, cause: str
) -> None:
    """In its own words, which are those of OAuth."""
    refuses = reply_json({"error": error}, status)
    server = serve(home_that_links(authorization_code=refuses))
    found = look(server, token_url=ENDPOINT, environ={"LINK_CLIENT_SECRET": "s" * 20})
    (problem,) = found["link.token"].problems
    assert problem.cause == cause


@pytest.mark.parametrize(
    ("environ", "link", "cause", "word"),
    [
        (
            {"EXTRA_HEADERS": "X-Key: a"},
            "settings.extra_headers",
            "malformed",
            "column 1",
        ),
        (
            {"CLIENT_CERTIFICATE": CA.certificate_pem},
            "settings.client_certificate",
            "malformed",
            "no key",
        ),
        (
            {
                "CLIENT_CERTIFICATE": pem.issued(
                    CA, "old", not_after=pem.NOW - pem.DAY
                ).pem
            },
            "settings.client_certificate",
            "expired",
            "“old”",
        ),
        (
            {
                "CLIENT_CERTIFICATE": pem.issued(
                    CA, "soon", not_after=pem.NOW + 9 * pem.DAY
                ).pem
            },
            "settings.client_certificate",
            "expires_soon",
            "days left",
        ),
        (
            {"CA_CERTIFICATE": "/etc/ca.pem"},
            "settings.ca_certificate",
            "malformed",
            "BEGIN",
        ),
    ],
)
def test_a_setting_that_is_wrong_or_near_its_end(
    serve: Serve, environ: dict[str, str], link: str, cause: str, word: str
) -> None:
    """Before the function meets it."""
    found = findings(context(serve(home()).port, environ=environ))
    (problem,) = found[link].problems
    assert problem.cause == cause
    assert word in problem.saw


def test_what_is_kept_in_aws_is_looked_at_with_aws_only(serve: Serve) -> None:
    """And the rest all the same."""
    environ = {"EXTRA_HEADERS": "ssm:/home/gate"}
    found = findings(context(serve(home()).port, environ=environ))
    assert found["settings.extra_headers"].status is Status.SKIPPED
    assert "--aws" in found["settings.extra_headers"].saw
    assert found["ha.is_home_assistant"].status is Status.OK
