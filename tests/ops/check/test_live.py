"""Real Home Assistants, each broken in one way, behind a real proxy with TLS."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from ha_bridge_ops.check.catalogue import CHAIN, LINKING
from ha_bridge_ops.check.context import Context, Options
from ha_bridge_ops.check.model import Finding, Question, Status
from ha_bridge_ops.local import embedded, releases
from ha_bridge_ops.local.embedded import USER, HomeAssistantServer
from ha_bridge_ops.local.lambda_runtime import LambdaRuntime
from ha_bridge_ops.local.releases import Release
from tests.directives import offered
from tests.fakes.server import Server
from tests.fakes.tls import Authority
from tests.ops.check.conftest import Serve
from tests.worlds.home import (
    DEMO,
    HOST,
    PUBLIC,
    URL,
    assert_only,
    context,
    dialler,
    findings,
    forward,
    ids,
    links_after,
    resolver,
)

pytestmark = pytest.mark.live

#: Who calls, as the proxy tells Home Assistant.
AMAZON = "198.51.100.7"
BANNED = "198.51.100.66"

#: Trusts no proxy, and has no Alexa.
BARE = embedded.CONFIGURATION.replace("alexa:\n  smart_home:\n", "")

#: What creates a user, with Home Assistant's own aiohttp.
CREATE_USER = """
import asyncio, json, sys, aiohttp
url, token, name, password, local_only = sys.argv[1:]
async def main():
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url + "/api/websocket") as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": token})
            await socket.receive_json()
            async def ask(number, **command):
                await socket.send_json({"id": number, **command})
                answer = await socket.receive_json()
                assert answer["success"], answer
                return answer["result"]
            user = await ask(1, type="config/auth/create", name=name,
                             group_ids=["system-admin"], local_only=local_only == "1")
            await ask(2, type="config/auth_provider/homeassistant/create",
                      user_id=user["user"]["id"], username=name, password=password)
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def proxied(release: Release) -> Iterator[HomeAssistantServer]:
    """Alexa is configured, the proxy trusted, and one address banned."""
    server = HomeAssistantServer(release, trusted_proxies=["127.0.0.1"])
    ban = f"{BANNED}:\n  banned_at: '2026-01-01T00:00:00+00:00'\n"
    (server.folder / "ip_bans.yaml").write_text(ban)
    with server:
        python = releases.install(server.release) / "bin/python"
        subprocess.run(
            [
                python,
                "-c",
                CREATE_USER,
                server.url,
                server.access_token,
                "at-home",
                "at-home-password",
                "1",
            ],
            check=True,
            timeout=60,
        )
        yield server


@pytest.fixture(scope="module")
def bare(release: Release) -> Iterator[HomeAssistantServer]:
    """Neither Alexa nor a trusted proxy."""
    with HomeAssistantServer(release, BARE) as server:
        yield server


def look(server: Server, home: HomeAssistantServer) -> dict[str, Finding]:
    return findings(context(server.port, token=home.access_token))


def test_a_healthy_home(proxied: HomeAssistantServer, serve: Serve) -> None:
    """Nothing fails; the demo's devices without category are named."""
    server = serve(forward(proxied.port, AMAZON))
    found = look(server, proxied)
    assert ids(found, Status.FAILED) | ids(found, Status.SKIPPED) == set()
    assert ids(found, Status.WARNING) == DEMO
    count = len(offered(proxied))
    assert f"{count} endpoints" in found["discovery.count"].saw
    assert "invalid authentication" not in proxied.log()


def test_no_alexa(bare: HomeAssistantServer, serve: Serve) -> None:
    """The two lines are shown, and the token is still tried."""
    found = look(serve(forward(bare.port)), bare)
    assert_only(
        found,
        "ha.smart_home",
        "missing",
        fix="alexa:\n  smart_home:",
        skipped=links_after("token.accepted"),
    )


def test_a_proxy_that_is_not_trusted(bare: HomeAssistantServer, serve: Serve) -> None:
    """Home Assistant answers 400 to whatever it passes on."""
    found = look(serve(forward(bare.port, AMAZON)), bare)
    assert_only(found, "ha.trusted_proxies", "not_trusted", fix="trusted_proxies:")
    assert found["ha.smart_home"].status is Status.SKIPPED


def test_a_trusted_proxy_that_writes_an_odd_chain(
    proxied: HomeAssistantServer, serve: Serve
) -> None:
    """Trusted, and 400 all the same; the log line is one of those that are named."""
    found = look(serve(forward(proxied.port, "not-an-address")), proxied)
    assert_only(
        found,
        "ha.trusted_proxies",
        "not_trusted",
        fix="the inner one replace both headers",
    )
    lines = [line for line in proxied.log().splitlines() if "X-Forwarded" in line]
    assert lines
    assert not any("untrusted proxy" in line for line in lines)


def test_a_banned_address(proxied: HomeAssistantServer, serve: Serve) -> None:
    """Everything is forbidden to it."""
    found = look(serve(forward(proxied.port, BANNED)), proxied)
    assert_only(found, "ha.banned", "banned", fix="ip_bans.yaml")
    assert found["ha.smart_home"].status is Status.SKIPPED


def test_an_expired_token(proxied: HomeAssistantServer, serve: Serve) -> None:
    """Home Assistant does not even see it."""
    server = serve(forward(proxied.port, AMAZON))
    found = findings(context(server.port, token=proxied.expired_token()))
    assert_only(
        found,
        "token.expired",
        "expired",
        fix="Long-lived",
        skipped=links_after("token.expired"),
    )
    assert len(server.requests) == 1


def test_home_assistant_is_stopped(bare: HomeAssistantServer, serve: Serve) -> None:
    """The proxy is up; and without one, the connection is refused."""
    bare.stop()
    try:
        server = serve(forward(bare.port))
        found = look(server, bare)
        assert_only(found, "ha.reachable", "gateway", fix="Start Home Assistant")
        with_none = context(bare.port, environ={"BASE_URL": f"http://{HOST}:443"})
        assert findings(with_none)["ha.reachable"].causes == ("refused",)
    finally:
        bare.start()


def link(
    server: Server, password: str, user: str = USER, **more: Any
) -> tuple[Context, dict[str, Finding]]:
    """Link an account, and return what was found."""

    def ask(question: Question, _expected: str) -> str:
        return password if question.is_secret else user

    looking = Context(
        {"BASE_URL": URL},
        Options(
            **{"locale": "en-GB", "client_id": "https://layla.amazon.com/", **more}
        ),
        resolve=resolver(PUBLIC),
        dial=dialler(server.port),
        prompt=ask,
    )
    found = findings(looking, (*CHAIN, *LINKING))
    for secret in (password, *(one.reveal() for one in looking.secrets)):
        assert secret not in str(found)
    return looking, found


def test_an_account_is_linked_and_unlinked(
    proxied: HomeAssistantServer, serve: Serve
) -> None:
    """As Alexa does it; afterwards Home Assistant does not know the token."""
    server = serve(forward(proxied.port, AMAZON))
    looking, found = link(server, proxied.password)
    assert ids(found, Status.FAILED) | ids(found, Status.WARNING) == set()
    assert found["link.refresh"].status is Status.OK
    renewed = looking.secrets[-1].reveal()
    revoked = findings(context(server.port, token=renewed))
    assert_only(
        revoked,
        "token.accepted",
        "refused",
        fix="Create a new token",
        skipped=links_after("token.accepted"),
    )


def test_a_client_id_of_the_wrong_region(
    proxied: HomeAssistantServer, serve: Serve
) -> None:
    """Amazon's address for the locale is named."""
    server = serve(forward(proxied.port, AMAZON))
    _, found = link(server, proxied.password, client_id="https://pitangui.amazon.com/")
    fix = "https://layla.amazon.com/"
    assert_only(found, "link.client_id", "other_host", fix=fix, warned=set())


def test_a_local_only_user(proxied: HomeAssistantServer, serve: Serve) -> None:
    """From outside Home Assistant blocks the login."""
    server = serve(forward(proxied.port, AMAZON))
    _, found = link(server, "at-home-password", "at-home")
    fix = "Local access"
    assert_only(found, "link.login", "user_blocked", fix=fix, warned=set())


def test_a_wrong_password(proxied: HomeAssistantServer, serve: Serve) -> None:
    """It is tried once."""
    server = serve(forward(proxied.port, AMAZON))
    _, found = link(server, "not-the-password")
    assert_only(found, "link.login", "wrong_password", fix="browser", warned=set())


# -- the probe, in AWS's own runtime ---------------------------------------------------


@pytest.mark.runtime
@pytest.mark.usefixtures("runtime_or_skip")
def test_the_probe_in_the_runtime(
    authority: Authority, proxied: HomeAssistantServer, trusting: None
) -> None:
    """Certificate, answer and times; and no token anywhere."""
    del trusting
    behaviours = forward(proxied.port, AMAZON)
    with Server(behaviours, tls=authority.server("127.0.0.1")) as server:
        variables = {
            "BASE_URL": server.url,
            "LONG_LIVED_ACCESS_TOKEN": proxied.access_token,
        }
        with LambdaRuntime(variables) as function:
            answer = function.invoke({"ha_bridge": {"probe": {}}})
        sent = [request.headers for request in server.requests]
    report = answer["ha_bridge"]["probe"]
    assert report["http"]["status"] == 405
    assert report["http"]["begins"] == "405: Method Not Allowed"
    assert report["tls"]["not_after"] > 1_700_000_000
    for part in ("resolve", "connect", "tls", "http"):
        assert report[part]["ms"] >= 0
    assert proxied.access_token not in json.dumps(answer)
    assert len(sent) == 1
    assert "authorization" not in sent[0]
