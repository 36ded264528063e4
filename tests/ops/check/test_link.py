"""Account linking against a server that can misbehave; the real one is in test_live."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest

from ha_bridge_ops.check.catalogue import CHAIN, LINKING
from ha_bridge_ops.check.context import Context, Options
from ha_bridge_ops.check.model import Finding, Question, Status
from tests.fakes.behaviours import after as after_seconds
from tests.fakes.behaviours import hang_up, reply, reply_json
from tests.fakes.server import Behaviour, Exchange, Server
from tests.fakes.tls import Authority
from tests.ops.check.conftest import Serve
from tests.worlds.home import (
    HOST,
    NOT_ALLOWED,
    PUBLIC,
    URL,
    assert_only,
    context,
    dialler,
    findings,
    home,
    ids,
    paths,
    plain,
    resolver,
)

LAYLA = "https://layla.amazon.com/"
PASSWORD = "correct horse battery staple"
REFRESH = "refresh-token-of-this-test"

HTML = reply(200, b"<html>", {"Content-Type": "text/html; charset=utf-8"})
PROVIDERS = [{"name": "Home Assistant Local", "id": None, "type": "homeassistant"}]


def form(step: str = "init", **errors: str) -> dict[str, Any]:
    return {"type": "form", "flow_id": "f1", "step_id": step, "errors": errors}


def home_that_links(**answers: Behaviour) -> tuple[Behaviour, ...]:
    """Return a home that links accounts, but for what is given by name."""
    usual: dict[str, Behaviour] = {
        "authorize": HTML,
        "providers": reply_json({"providers": PROVIDERS}),
        "flow": reply_json(form()),
        "login": reply_json({"type": "create_entry", "result": "code-of-this-test"}),
        "authorization_code": reply_json(
            {
                "access_token": "access-token-one",
                "refresh_token": REFRESH,
                "expires_in": 1800,
            }
        ),
        "refresh_token": reply_json(
            {"access_token": "access-token-two", "expires_in": 1800}
        ),
        "api": reply_json({"message": "API running."}),
        "revoke": reply(200),
    }
    usual |= answers

    def other(exchange: Exchange) -> None:
        request = exchange.request
        path = request.target.partition("?")[0]
        name = {
            "/auth/authorize": "authorize",
            "/auth/providers": "providers",
            "/auth/login_flow": "flow",
            "/auth/revoke": "revoke",
            "/api/": "api",
        }.get(path, "login")
        if path == "/auth/token":
            name = parse_qs(request.body.decode())["grant_type"][0]
        usual[name](exchange)

    return home(get=NOT_ALLOWED, other=other)


def look(
    server: Server,
    *,
    client_id: str | None = LAYLA,
    answers: Mapping[Question, str] | None = None,
    environ: Mapping[str, str] | None = None,
    token_url: str | None = None,
    **more: Any,
) -> dict[str, Finding]:
    """Return all that is found, without a token of one's own."""
    given = {
        Question.USER: "demo",
        Question.PASSWORD: PASSWORD,
        Question.SECOND_FACTOR: "123456",
        **(answers or {}),
    }

    context = Context(
        {"BASE_URL": URL, **(environ or {})},
        Options(locale="en-GB", client_id=client_id, token_url=token_url),
        resolve=resolver(PUBLIC),
        dial=dialler(server.port),
        prompt=lambda question, _expected: given[question],
        **more,
    )
    found = findings(context, (*CHAIN, *LINKING))
    shown = str(found)
    for secret in (PASSWORD, REFRESH, "access-token", "code-of-this-test", "123456"):
        assert secret not in shown
    return found


def linked(found: Mapping[str, Finding]) -> dict[str, Finding]:
    """Return the findings about linking."""
    return {name: one for name, one in found.items() if name.startswith("link.")}


def after(link: str) -> set[str]:
    names = [one.id for one in LINKING]
    return set(names[names.index(link) + 1 :])


def test_an_account_is_linked_and_unlinked(serve: Serve) -> None:
    """Each request as Alexa makes it, and the token is given back."""
    server = serve(home_that_links())
    found = look(server)
    assert ids(linked(found), Status.OK) == {one.id for one in LINKING}
    assert [one.split("?")[0] for one in paths(server)[1:]] == [
        "GET /auth/authorize",
        "GET /auth/providers",
        "POST /auth/login_flow",
        "POST /auth/login_flow/f1",
        "POST /auth/token",
        "POST /auth/token",
        "GET /api/",
        "POST /auth/revoke",
    ]
    query = parse_qs(server.requests[1].target.partition("?")[2])
    assert query["client_id"] == [LAYLA]
    assert query["redirect_uri"][0].startswith(
        "https://layla.amazon.com/api/skill/link/"
    )
    exchange, renewal = server.requests[5], server.requests[6]
    sent = parse_qs(exchange.body.decode())
    assert sent["grant_type"] == ["authorization_code"]
    assert sent["code"] == ["code-of-this-test"]
    for request in (exchange, renewal):
        kind = "application/x-www-form-urlencoded"
        assert request.headers["content-type"] == kind
        assert parse_qs(request.body.decode())["client_id"] == [LAYLA]
        assert "authorization" not in request.headers
    assert parse_qs(server.requests[-1].body.decode()) == {"token": [REFRESH]}


@pytest.mark.parametrize(
    ("client_id", "cause"),
    [
        ("https://pitangui.amazon.com/", "other_host"),
        ("https://home.example.org/", "other_host"),
        ("amzn1.application-oa2-client.0123", "not_an_address"),
        ("https://[", "not_an_address"),
        ("https://layla.amazon.com", "spelling"),
    ],
)
def test_a_wrong_client_id(client_id: str, cause: str, serve: Serve) -> None:
    """The right one is named, and the rest is tried with it."""
    found = look(serve(home_that_links()), client_id=client_id)
    assert_only(found, "link.client_id", cause, fix=LAYLA, warned=set())
    # What is no address may be the secret, which stands beside it in the console.
    is_shown = client_id in found["link.client_id"].saw
    assert is_shown is (cause != "not_an_address")
    assert ids(linked(found), Status.SKIPPED) == set()


@pytest.mark.parametrize(
    ("typed", "status"), [("", "ok"), ("https://x.org/", "failed")]
)
def test_the_client_id_is_asked_for(typed: str, status: str, serve: Serve) -> None:
    """Enter means the right one."""
    found = look(
        serve(home_that_links()), client_id=None, answers={Question.CLIENT_ID: typed}
    )
    assert found["link.client_id"].status == status


@pytest.mark.parametrize(
    ("answers", "link", "cause", "fix"),
    [
        ({"authorize": hang_up}, "link.authorize", "no_page", "/auth/authorize"),
        (
            {"authorize": plain(404, "404: Not Found")},
            "link.authorize",
            "no_page",
            "/auth/authorize",
        ),
        (
            {"providers": reply_json({"message": "Onboarding not finished"}, 400)},
            "link.authorize",
            "not_set_up",
            "first steps",
        ),
        ({"providers": HTML}, "link.authorize", "no_page", "/auth/"),
        (
            {"providers": reply_json({"providers": [{"type": "command_line"}]})},
            "link.authorize",
            "no_password",
            "- type: homeassistant",
        ),
        (
            {"flow": reply_json({"message": "Invalid client id"}, 400)},
            "link.login",
            "redirect",
            LAYLA,
        ),
        (
            {"login": reply_json({"message": "Invalid redirect URI"}, 403)},
            "link.login",
            "redirect",
            LAYLA,
        ),
        (
            {"login": reply_json(form(base="invalid_auth"))},
            "link.login",
            "wrong_password",
            "browser",
        ),
        (
            {"login": reply_json({"message": "Login blocked: local only"}, 403)},
            "link.login",
            "user_blocked",
            "Local access",
        ),
        (
            {"login": plain(403, "403: Forbidden")},
            "link.login",
            "banned",
            "ip_bans.yaml",
        ),
        (
            {"login": reply_json({"message": "IP address changed"}, 400)},
            "link.login",
            "address_changed",
            "trusted_proxies",
        ),
        ({"login": reply_json([])}, "link.login", "other", "log"),
        ({"login": hang_up}, "link.login", "other", "log"),
        (
            {
                "authorization_code": reply_json(
                    {"error_description": "Invalid client id"}, 400
                )
            },
            "link.token",
            "basic",
            "Credentials in request body",
        ),
        (
            {
                "authorization_code": reply_json(
                    {"error_description": "Invalid code"}, 400
                )
            },
            "link.token",
            "code",
            "one Home Assistant only",
        ),
        (
            {"authorization_code": reply_json({"error": "access_denied"}, 403)},
            "link.token",
            "user_blocked",
            "Local access",
        ),
        (
            {"authorization_code": plain(403, "403: Forbidden")},
            "link.token",
            "banned",
            "ip_bans.yaml",
        ),
        (
            {"authorization_code": reply(403, b"<html>")},
            "link.token",
            "other",
            "https://home.example.org/auth/token",
        ),
        (
            {"refresh_token": reply_json({"error": "invalid_grant"}, 400)},
            "link.refresh",
            "not_renewed",
            "/auth/token",
        ),
        ({"refresh_token": hang_up}, "link.refresh", "not_renewed", "/auth/token"),
        (
            {"api": plain(401, "401: Unauthorized")},
            "link.refresh",
            "not_accepted",
            "Authorization",
        ),
    ],
)
def test_a_broken_linking(
    answers: dict[str, Behaviour], link: str, cause: str, fix: str, serve: Serve
) -> None:
    """One answer is wrong; what was given until then is given back."""
    server = serve(home_that_links(**answers))
    found = look(server)
    assert_only(found, link, cause, fix=fix, warned=set())
    assert ids(linked(found), Status.SKIPPED) == after(link)
    has_token = link == "link.refresh"
    assert ("POST /auth/revoke" in paths(server)) == has_token
    assert paths(server).count("POST /auth/login_flow/f1") <= 1, "never tried twice"


def test_trusted_networks_first(serve: Serve) -> None:
    """A warning: over mobile data it works."""
    providers = [{"type": "trusted_networks"}, *PROVIDERS]
    server = serve(home_that_links(providers=reply_json({"providers": providers})))
    found = look(server)
    assert_only(found, "link.authorize", "trusted_networks", fix="mobile", warned=set())
    assert ids(linked(found), Status.SKIPPED) == set()


def test_a_single_sign_on_first(serve: Serve) -> None:
    """A warning: its login works, but the way back to Amazon is lost."""
    providers = [{"type": "auth_oidc"}, *PROVIDERS]
    server = serve(home_that_links(providers=reply_json({"providers": providers})))
    fix = "Home Assistant Local"
    found = look(server)
    assert_only(found, "link.authorize", "another_first", fix=fix, warned=set())
    assert ids(linked(found), Status.SKIPPED) == set()


def test_older_home_assistants_list_their_providers_plainly(serve: Serve) -> None:
    """Before 2023.12."""
    server = serve(home_that_links(providers=reply_json(PROVIDERS)))
    assert look(server)["link.authorize"].status is Status.OK


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Answer each request with the next of these."""
    left = iter(behaviours)

    def behave(exchange: Exchange) -> None:
        next(left)(exchange)

    return behave


def test_a_second_factor_is_asked_for(serve: Serve) -> None:
    """One of several modules is chosen, and its code is typed."""
    choice = {
        **form("select_mfa_module"),
        "data_schema": [{"options": [["totp", "App"]]}],
    }
    done = reply_json({"type": "create_entry", "result": "code-of-this-test"})
    server = serve(
        home_that_links(
            login=in_turn(reply_json(choice), reply_json(form("mfa")), done)
        )
    )
    assert ids(linked(look(server)), Status.OK) == {one.id for one in LINKING}
    steps = [one.json for one in server.requests if one.target == "/auth/login_flow/f1"]
    assert steps[1]["multi_factor_auth_module"] == "totp"
    assert steps[2]["code"] == "123456"


def test_a_wrong_code_of_the_second_factor(serve: Serve) -> None:
    """It is not tried again."""
    login = in_turn(
        reply_json(form("mfa")), reply_json(form("mfa", base="invalid_code"))
    )
    found = look(serve(home_that_links(login=login)))
    assert_only(found, "link.login", "wrong_code", fix="fresh code", warned=set())


def test_no_password_goes_where_home_assistant_was_not_seen(serve: Serve) -> None:
    """Nor is one asked for."""
    page = reply(200, b"<html>", {"Content-Type": "text/html"})
    providers = reply_json({"providers": PROVIDERS})

    def behave(exchange: Exchange) -> None:
        is_list = exchange.request.target == "/auth/providers"
        (providers if is_list else page)(exchange)

    server = serve((behave,))
    found = look(server, answers={Question.USER: "", Question.PASSWORD: ""})
    assert found["link.login"].status is Status.SKIPPED
    assert not any(one.startswith("POST") for one in paths(server))


@pytest.mark.parametrize("empty", [Question.USER, Question.PASSWORD], ids=str)
def test_an_empty_login_is_never_sent(serve: Serve, empty: Question) -> None:
    """Enter at the prompt is no login; sent, it would count as a failed one."""
    server = serve(home_that_links())
    found = look(server, answers={empty: ""})
    assert found["link.login"].status is Status.SKIPPED
    assert "POST /auth/login_flow/f1" not in paths(server)


#: Who repeats what was just typed or given, where it says no, and what that is.
REPEATED: dict[str, tuple[str, dict[str, Behaviour]]] = {
    "password": (PASSWORD, {"login": plain(400, f"no {PASSWORD}")}),
    "code": (
        "code-of-this-test",
        {"authorization_code": plain(400, "no code-of-this-test")},
    ),
    "token": (
        "access-token-one",
        {"refresh_token": plain(400, "no access-token-one")},
    ),
    "refresh token": (REFRESH, {"refresh_token": plain(400, f"no {REFRESH}")}),
    "renewed token": (
        "access-token-two",
        {"api": plain(401, "no access-token-two")},
    ),
}


@pytest.mark.parametrize("what", REPEATED)
def test_what_was_typed_or_given_is_hidden_where_it_is_repeated(
    what: str, serve: Serve
) -> None:
    """Each opens the home, or is what opens it."""
    secret, answers = REPEATED[what]
    shown = str(look(serve(home_that_links(**answers))))
    assert secret not in shown
    assert "<redacted>" in shown


@pytest.mark.parametrize("flow_id", ["../../api/x", "f1?y=1", "f1\r\nX: y", "", 1])
def test_a_flow_that_cannot_be_one_gets_no_password(
    flow_id: object, serve: Serve
) -> None:
    """The password goes to where Home Assistant takes one, and nowhere else."""
    server = serve(home_that_links(flow=reply_json({**form(), "flow_id": flow_id})))
    found = look(server)
    assert found["link.login"].status is not Status.OK
    assert not any(PASSWORD in one.body.decode() for one in server.requests)


def test_a_second_factor_that_is_repeated_is_hidden(serve: Serve) -> None:
    """It is as secret as the password, as long as it holds."""
    login = in_turn(reply_json(form("mfa")), plain(400, "no 123456"))
    shown = str(look(serve(home_that_links(login=login))))
    assert "123456" not in shown
    assert "<redacted>" in shown


def test_a_token_that_cannot_be_given_back_is_told(serve: Serve) -> None:
    """It ends by itself when nobody uses it."""
    found = look(serve(home_that_links(revoke=reply(500))))
    assert found["link.refresh"].status is Status.OK
    assert "left to expire" in found["link.refresh"].saw


@pytest.mark.parametrize("is_public", [True, False])
def test_no_password_goes_over_plain_http(*, is_public: bool) -> None:
    """Unless it stays in the home, as for a first try."""
    address = PUBLIC if is_public else "127.0.0.1"
    with Server(home_that_links()) as server:
        context = Context(
            {"BASE_URL": "http://home.example.org"},
            Options(locale="en-GB", client_id=LAYLA),
            resolve=resolver(address),
            dial=dialler(server.port),
            prompt=lambda _question, _expected: PASSWORD,
        )
        found = findings(context, (*CHAIN, *LINKING))
        sent = any(PASSWORD.encode() in one.body for one in server.requests)
    assert sent != is_public
    status = Status.SKIPPED if is_public else Status.OK
    assert found["link.login"].status is status


def test_a_password_that_is_typed_slowly(serve: Serve) -> None:
    """The proxy has closed the connection meanwhile; that is no fault."""
    server = serve(home_that_links())

    def ask(question: Question, _expected: str) -> str:
        if question.is_secret:
            server.drop_connections()
            time.sleep(0.1)
        return PASSWORD

    context = Context(
        {"BASE_URL": URL},
        Options(locale="en-GB", client_id=LAYLA),
        resolve=resolver(PUBLIC),
        dial=dialler(server.port),
        prompt=ask,
    )
    found = findings(context, (*CHAIN, *LINKING))
    assert ids(linked(found), Status.OK) == {one.id for one in LINKING}


def test_a_token_that_comes_late(serve: Serve) -> None:
    """Amazon waits 4.5 s."""
    given = {"access_token": "access-token-one", "refresh_token": REFRESH}
    late = after_seconds(4.6, reply_json(given))
    found = look(serve(home_that_links(authorization_code=late)))
    assert_only(found, "link.token", "slow", fix="load", warned=set())


@pytest.mark.parametrize("status", [200, 500])
def test_a_refusal_without_a_word_is_its_status(status: int, serve: Serve) -> None:
    """What is not said is not shown as None."""
    answer = reply(status, b"{}", {"Content-Type": "application/json"})
    found = look(serve(home_that_links(authorization_code=answer)))
    assert found["link.token"].saw == f"HTTP {status}"


def test_a_login_needs_somebody_to_ask(serve: Serve) -> None:
    """A script has no password, and none is sent."""
    server = serve(home_that_links())
    options = Options(locale="en-GB", client_id=LAYLA)
    made = context(server.port, token="", options=options)
    found = findings(made, (*CHAIN, *LINKING))
    assert found["link.login"].status is Status.SKIPPED
    assert "nobody to ask" in found["link.login"].saw
    assert not [one for one in paths(server) if "login_flow" in one]


def test_where_nothing_answers_nothing_is_linked() -> None:
    """The address is to be mended first."""

    def dial(*_arguments: object) -> Any:
        raise ConnectionRefusedError(111, "Connection refused")

    made = context(1, token="", options=Options(locale="en-GB", client_id=LAYLA))
    made.dial = dial
    found = findings(made, (*CHAIN, *LINKING))
    assert found["link.authorize"].status is Status.SKIPPED
    assert found["link.authorize"].saw == "nothing answers"


@pytest.mark.parametrize("verifies", [True, False])
def test_a_certificate_that_is_not_trusted_links_nothing(
    verifies: bool,  # noqa: FBT001
    stranger: Authority,
) -> None:
    """The page is asked for only if the function would, and a password never sent."""
    environ = {} if verifies else {"NOT_VERIFY_SSL": "true"}
    with Server(home_that_links(), tls=stranger.server(HOST)) as server:
        found = look(server, environ=environ)
    page, login = found["link.authorize"], found["link.login"]
    assert page.status is (Status.SKIPPED if verifies else Status.OK)
    assert "the certificate is not trusted" in (page if verifies else login).saw
    assert login.status is Status.SKIPPED
    assert not [one for one in paths(server) if "login_flow" in one]


@pytest.mark.parametrize(
    "said",
    [
        {"type": "form", "errors": {"base": "x" * 1_000_000}},
        {"type": "abort", "reason": "x" * 1_000_000},
        {"type": "x" * 1_000_000},
    ],
    ids=["error", "reason", "type"],
)
def test_a_refusal_of_megabytes_is_not_looked_through(
    said: object, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a password in each of its forms, that would take minutes."""
    looked_through: list[int] = []

    def hide(_context: Context, text: str) -> str:
        looked_through.append(len(text))
        return text

    monkeypatch.setattr(Context, "hide", hide)
    server = serve(home_that_links(login=reply_json(said)))
    assert look(server)["link.login"].causes == ("other",)
    assert max(looked_through) < 10_000
