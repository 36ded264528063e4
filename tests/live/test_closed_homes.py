"""Closed homes: a real Home Assistant behind the gates of docs/closed-homes.md.

The set-ups of nginx and Caddy, and the commands of openssl, are read from that page.
"""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest
import urllib3

from ha_bridge.bridge import Bridge
from ha_bridge.connection import Connector
from ha_bridge.home_assistant import HomeAssistant
from ha_bridge.settings import Settings
from ha_bridge_ops.check.catalogue import CHAIN, LINKING
from ha_bridge_ops.check.chain import walk
from ha_bridge_ops.check.context import Context, Options
from ha_bridge_ops.check.model import Finding, Question, Status
from ha_bridge_ops.events import EVENTS, load, with_token
from ha_bridge_ops.local.embedded import USER, HomeAssistantServer
from ha_bridge_ops.local.lambda_runtime import LambdaRuntime
from ha_bridge_ops.local.processes import free_port
from ha_bridge_ops.local.releases import Release
from tests.directives import event, offered
from tests.fakes import access
from tests.fakes.http_api import http_api
from tests.fakes.server import Server
from tests.fakes.tls import Authority
from tests.live.test_proxies import wait_for
from tests.worlds.home import forward

pytestmark = [
    pytest.mark.live,
    pytest.mark.runtime,
    pytest.mark.usefixtures("runtime_or_skip"),
    pytest.mark.skipif(
        sys.platform != "linux" or shutil.which("apt-get") is None,
        reason="the proxies are those of Debian",
    ),
]

GUIDE = (Path(__file__).parents[2] / "docs" / "closed-homes.md").read_text("utf-8")

#: Seconds for a lamp to act, on a machine that is busy.
SETTLE_S = 30


def block(language: str, *words: str) -> str:
    """Return the one block of the guide that has these words in it."""
    found = re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    (one,) = [text for text in found if all(word in text for word in words)]
    return str(one)


# -- the gates -------------------------------------------------------------------------

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
worker_processes 1;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  ssl_certificate {keys}/server.crt;
  ssl_certificate_key {keys}/server.key;
  {inner}
}}
"""
CADDY = """
{{
  admin off
  auto_https off
}}
{inner}
"""


#: What stands around the sites in a configuration, and how it is started with one.
PROGRAMS: Final = {
    "nginx": (NGINX, "usr/sbin/nginx", "-e", "stderr", "-c"),
    "caddy": (
        *(CADDY, "usr/bin/caddy", "run"),
        *("--adapter", "caddyfile", "--config"),
    ),
}


class Gate(NamedTuple):
    """A gate of the guide, which of the settings opens it, and what is told else."""

    program: str
    text: str
    opens: str
    tells: str
    lets_tokens_pass: bool = True


GATES: Final = {
    "nginx, certificate on": Gate(
        "nginx",
        block("nginx", "ssl_verify_client on"),
        "CLIENT_CERTIFICATE",
        "client certificate",
        lets_tokens_pass=False,
    ),
    "nginx, certificate optional": Gate(
        "nginx",
        block("nginx", "ssl_verify_client optional"),
        "CLIENT_CERTIFICATE",
        "CLIENT_CERTIFICATE",
    ),
    "nginx, a header": Gate(
        "nginx", block("nginx", "map $http"), "EXTRA_HEADERS", "EXTRA_HEADERS"
    ),
    "Caddy, certificate": Gate(
        "caddy",
        block("caddyfile", "require_and_verify"),
        "CLIENT_CERTIFICATE",
        "certificate",
        lets_tokens_pass=False,
    ),
    "Caddy, certificate if given": Gate(
        "caddy",
        block("caddyfile", "verify_if_given"),
        "CLIENT_CERTIFICATE",
        "CLIENT_CERTIFICATE",
    ),
    "Caddy, a header": Gate(
        "caddy", block("caddyfile", "X-Bridge-Key"), "EXTRA_HEADERS", "EXTRA_HEADERS"
    ),
}
ACCESS: Final = Gate("access", "", "EXTRA_HEADERS", "service token in EXTRA_HEADERS")
ALL: Final = {**GATES, "Cloudflare Access": ACCESS}

HEADERS: Final = {"X-Bridge-Key": "a-long-secret", **access.HEADERS}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the commands of the guide make, and a stranger's."""
    folder = tmp_path_factory.mktemp("keys")
    script = block("sh", "openssl req -x509").replace("home.example.org", "localhost")
    for where in (folder, folder / "stranger"):
        where.mkdir(exist_ok=True)
        subprocess.run(["/bin/sh", "-euc", script], cwd=where, check=True)
    return folder


@pytest.fixture(scope="module")
def gates(
    debian: Path,
    keys: Path,
    home_assistant: HomeAssistantServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, str]]:
    """The addresses of all gates, with Home Assistant behind each."""
    urls = {name: f"https://localhost:{free_port()}" for name in GATES}
    with ExitStack() as stack:
        for program, (outer, *command) in PROGRAMS.items():
            folder = tmp_path_factory.mktemp(program)
            its = {name: one for name, one in GATES.items() if one.program == program}
            inner = "".join(
                _site(gate, urls[name], keys, home_assistant.port)
                for name, gate in its.items()
            )
            path = folder / "config"
            path.write_text(outer.format(folder=folder, keys=keys, inner=inner))
            start = [str(debian / command[0]), *command[1:], str(path)]
            ports = [int(urls[name].rpartition(":")[2]) for name in its]
            stack.enter_context(_running(start, folder, ports))
        gate = access.Access(behind=forward(home_assistant.port)[0])
        own = stack.enter_context(Server((gate.behave,), tls=_context(keys)))
        yield {**urls, "Cloudflare Access": own.url.replace("127.0.0.1", "localhost")}


def _site(gate: Gate, url: str, keys: Path, home: int) -> str:
    """Return a block of the guide as it stands in a real set-up."""
    port = url.rpartition(":")[2]
    text = gate.text.replace("127.0.0.1:8123", f"127.0.0.1:{home}")
    text = re.sub(r"/etc/(?:nginx|caddy)/", f"{keys}/", text)
    if gate.program == "nginx":
        outer, _, inner = text.rpartition("# in server { … }\n")
        return f"{outer}server {{ listen 127.0.0.1:{port} ssl;\n{inner}}}\n"
    site = f"https://localhost:{port} {{\n  bind 127.0.0.1\n"
    if "tls /" not in text:
        site += f"  tls {keys}/server.crt {keys}/server.key\n"
    return text.replace("home.example.org {\n", site)


@contextmanager
def _running(start: list[str], folder: Path, ports: list[int]) -> Iterator[None]:
    own = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder))
    with (folder / "log").open("w+b") as log:
        process = subprocess.Popen(
            start, env={**os.environ, **own}, stdout=log, stderr=log
        )
        try:
            for port in ports:
                wait_for(process, port, folder / "log")
            yield
        finally:
            process.terminate()
            process.wait(30)


def _context(keys: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "server.crt", keys / "server.key")
    return context


def opened(gate: Gate, url: str, keys: Path) -> dict[str, str]:
    """Return the variables that open a gate."""
    shown = {
        "EXTRA_HEADERS": json.dumps(HEADERS),
        "CLIENT_CERTIFICATE": (keys / "client.pem").read_text(),
    }
    authority = (keys / "ca.crt").read_text()
    return {
        "BASE_URL": url,
        "CA_CERTIFICATE": authority,
        gate.opens: shown[gate.opens],
    }


# -- directives ------------------------------------------------------------------------


@pytest.mark.one_release
@pytest.mark.parametrize("name", ALL)
def test_discovery_and_a_command_pass(
    gates: Mapping[str, str],
    keys: Path,
    home_assistant: HomeAssistantServer,
    name: str,
) -> None:
    """Through AWS's own runtime, seen in Home Assistant's states; nobody else does."""
    environ = opened(ALL[name], gates[name], keys)
    with LambdaRuntime({**environ, "DEBUG": "true"}) as function:
        answer = function.invoke(with_lasting(home_assistant, "discovery"))
        assert answer["event"]["payload"]["endpoints"] == offered(home_assistant)
        assert_lamp_obeys(function, home_assistant)
        report = function.invoke({"ha_bridge": {"probe": {}}})["ha_bridge"]["probe"]
        log = function.log()
    assert report["http"]["status"] == 405
    assert report["bare"] != report["http"], "it is closed to others"
    for secret in (*HEADERS.values(), environ.get("CLIENT_CERTIFICATE", "")[-99:-40]):
        assert not secret or secret not in log + json.dumps(report)


def with_lasting(home_assistant: HomeAssistantServer, name: str) -> dict[str, Any]:
    return with_token(load(EVENTS / f"{name}.json"), home_assistant.access_token)


def assert_lamp_obeys(
    function: LambdaRuntime, home: HomeAssistantServer, token: str = ""
) -> None:
    """A lamp that is off is on after the command."""
    lamp = "light.bed_light"
    home.call_service("light", "turn_off", entity_id=lamp)
    for state in ("off", "on"):
        give_up = time.monotonic() + SETTLE_S
        while home.state(lamp)["state"] != state:
            assert time.monotonic() < give_up, state
            time.sleep(0.05)
        if state == "off":
            asked = with_token(
                load(EVENTS / "turn_on.json"), token or home.access_token
            )
            answer = function.invoke(asked)
            assert answer["event"]["header"]["name"] == "Response"


@pytest.mark.one_release
@pytest.mark.parametrize("name", ALL)
def test_others_are_refused_in_clear_words(
    gates: Mapping[str, str], keys: Path, name: str
) -> None:
    """Nothing, and what a stranger has."""
    gate = ALL[name]
    right = opened(gate, gates[name], keys)
    wrong = {
        "CLIENT_CERTIFICATE": (keys / "stranger" / "client.pem").read_text(),
        "EXTRA_HEADERS": json.dumps(dict.fromkeys(HEADERS, "mistyped")),
    }[gate.opens]
    for value, word in (("", gate.tells), (wrong, gate.opens)):
        for _ in range(5):
            settings = Settings.from_environ({**right, gate.opens: value})
            home = HomeAssistant(Connector.for_settings(settings))
            answer = Bridge(settings, home).answer(event("turn_on"))
            home.close()
            assert answer["event"]["payload"]["type"] == "BRIDGE_UNREACHABLE"
            assert word in answer["event"]["payload"]["message"]


@pytest.mark.one_release
@pytest.mark.parametrize(
    "name", [name for name, gate in GATES.items() if gate.lets_tokens_pass]
)
def test_the_exception_is_for_auth_token_alone(
    gates: Mapping[str, str], keys: Path, name: str
) -> None:
    """Amazon is answered by Home Assistant there; nothing else of it can be reached."""
    form = urlencode({"grant_type": "refresh_token", "client_id": "x"}).encode()
    status, said = posted(gates[name], "/auth/token", form, keys)
    assert (status, json.loads(said)["error"]) == (400, "invalid_request")
    for path in CLOSED:
        assert posted(gates[name], path, form, keys)[0] == 403, path
    for path in ODD:
        status, said = posted(gates[name], path, form, keys)
        assert status in (400, 403, 404), path
        assert b"invalid_request" not in said, path


#: Where somebody may hope that the exception holds too.
CLOSED: Final = (
    "/",
    "/api/alexa/smart_home",
    "/auth/revoke",
    "/auth/token/",
    "/auth/token/../revoke",
    "/auth/token/../../api/alexa/smart_home",
    "/auth/token/%2e%2e/revoke",
)
#: What a proxy may take for the same path, and Home Assistant does not know.
ODD: Final = (
    "/auth%2Ftoken",
    "/AUTH/TOKEN",
    "//auth/token",
    "/auth/token%00/../revoke",
    "/auth/token;/../revoke",
    "/auth/token%2f..%2frevoke",
)


def posted(url: str, path: str, body: bytes, keys: Path) -> tuple[int, bytes]:
    """Return what is answered to a path as it stands, which no client makes neat."""
    where = urlsplit(url)
    context = ssl.create_default_context(cafile=str(keys / "ca.crt"))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    http = HTTPSConnection(str(where.hostname), where.port, context=context, timeout=30)
    try:
        http.putrequest("POST", path, skip_accept_encoding=True)
        http.putheader("Content-Type", "application/x-www-form-urlencoded")
        http.putheader("Content-Length", str(len(body)))
        http.endheaders(body)
        answer = http.getresponse()
        return answer.status, answer.read()
    finally:
        http.close()


# -- linking ---------------------------------------------------------------------------

CLIENT_ID: Final = "https://layla.amazon.com/"
LINK: Final = {
    "LINK_CLIENT_ID": CLIENT_ID,
    "LINK_CLIENT_SECRET": "secret-of-the-skill-0123456789",
}


class SelfSigned(HomeAssistantServer):
    """A Home Assistant that speaks TLS itself, on a port of its own."""

    def _web_server(self) -> dict[str, Any]:
        certificate, key = self.folder / "own.crt", self.folder / "own.key"
        if not key.exists():
            subprocess.run(
                [
                    *("openssl", "req", "-x509", "-newkey", "ec", "-nodes"),
                    *("-pkeyopt", "ec_paramgen_curve:P-256", "-days", "365"),
                    *("-subj", "/CN=localhost", "-addext"),
                    *("subjectAltName=DNS:localhost", "-keyout", key),
                    *("-out", certificate),
                ],
                check=True,
                capture_output=True,
            )
        self.url = f"https://localhost:{self.port}"
        self._http = urllib3.PoolManager(
            timeout=30, retries=False, ca_certs=str(certificate)
        )
        files = {"ssl_certificate": str(certificate), "ssl_key": str(key)}
        return {**super()._web_server(), **files}


@pytest.fixture(scope="module")
def self_signed(release: Release) -> Iterator[HomeAssistantServer]:
    """What Amazon neither trusts nor, on this port, asks at all."""
    with SelfSigned(release) as server:
        yield server


@contextmanager
def endpoint_of(environ: Mapping[str, str], folder: Path) -> Iterator["Endpoint"]:
    """The token endpoint in AWS's own runtime, an API before it, the bridge beside."""
    amazons = Authority(folder)
    with (
        LambdaRuntime(
            {**environ, **LINK}, handler="token_function.lambda_handler"
        ) as tokens,
        LambdaRuntime({**environ, "DEBUG": "true"}) as bridge,
        Server((http_api(tokens.invoke),), tls=amazons.server("127.0.0.1")) as api,
    ):
        yield Endpoint(f"{api.url}/auth/token", tokens, bridge, amazons.bundle)


class Endpoint(NamedTuple):
    """Where Amazon asks for tokens, both functions, and whom Amazon trusts."""

    url: str
    tokens: LambdaRuntime
    bridge: LambdaRuntime
    bundle: Path

    def ask(self, **fields: str) -> tuple[int, Any]:
        """Return status and JSON of what Amazon is answered."""
        form = {
            "client_id": CLIENT_ID,
            "client_secret": LINK["LINK_CLIENT_SECRET"],
            "redirect_uri": f"{CLIENT_ID}api/skill/link/M1234567890",
            **fields,
        }
        with urllib3.PoolManager(ca_certs=str(self.bundle), retries=False) as http:
            answer = http.request("POST", self.url, fields=form, encode_multipart=False)
        return answer.status, answer.json()


def code_for(home: HomeAssistantServer) -> str:
    """Return the code that a browser brings back to Amazon after the login."""
    begun = home._ask(
        "POST",
        "/auth/login_flow",
        json={
            "client_id": CLIENT_ID,
            "handler": ["homeassistant", None],
            "redirect_uri": f"{CLIENT_ID}api/skill/link/M1234567890",
        },
    )
    done = home._ask(
        "POST",
        f"/auth/login_flow/{begun['flow_id']}",
        json={
            "client_id": CLIENT_ID,
            "username": USER,
            "password": home.password,
        },
    )
    return str(done["result"])


def assert_linked(endpoint: Endpoint, home: HomeAssistantServer) -> None:
    """Code, use, refresh and use; what is none of it Home Assistant never hears of."""
    code = code_for(home)
    status, given = endpoint.ask(grant_type="authorization_code", code=code)
    assert (status, given["token_type"]) == (200, "Bearer")
    assert given["expires_in"] >= 360, "Amazon asks for at least that"
    assert_lamp_obeys(endpoint.bridge, home, given["access_token"])
    refresh = {
        "grant_type": "refresh_token",
        "refresh_token": given["refresh_token"],
    }
    smuggled = {"action": "revoke", "token": given["refresh_token"]}
    for fields in (refresh, {**refresh, **smuggled}):
        status, renewed = endpoint.ask(**fields)
        assert (status, renewed["token_type"]) == (200, "Bearer")
    assert_lamp_obeys(endpoint.bridge, home, renewed["access_token"])
    before = home.log().count("invalid authentication")
    for wrong in (
        {"client_secret": "x" * 30},
        {"client_id": "https://pitangui.amazon.com/"},
    ):
        assert endpoint.ask(**refresh, **wrong) == (401, {"error": "invalid_client"})
    assert home.log().count("invalid authentication") == before
    status, said = endpoint.ask(grant_type="authorization_code", code=code)
    assert (status, said["error"]) == (400, "invalid_request"), "it served once"
    log = endpoint.tokens.log() + endpoint.bridge.log()
    for secret in (
        *(code, given["access_token"], given["refresh_token"]),
        *(renewed["access_token"], LINK["LINK_CLIENT_SECRET"]),
    ):
        assert secret not in log


def checked(
    environ: Mapping[str, str], endpoint: Endpoint, home: HomeAssistantServer
) -> dict[str, Finding]:
    """Return what `check --link --token-url` finds about linking."""
    answers = {
        Question.USER: USER,
        Question.PASSWORD: home.password,
        Question.CLIENT_SECRET: LINK["LINK_CLIENT_SECRET"],
    }
    context = Context(
        environ,
        Options(locale="de-DE", client_id=CLIENT_ID, token_url=endpoint.url),
        prompt=lambda question, _expected: answers[question],
    )
    found = {one.id: one for one in walk(context, (*CHAIN, *LINKING))}
    shown = json.dumps([one.as_json() for one in found.values()])
    for secret in (*answers.values(), *(one.reveal() for one in context.secrets)):
        assert secret == USER or secret not in shown
    return found


LINKS: Final = (
    "ha.token_uri",
    "link.authorize",
    "link.login",
    "link.token",
    "link.refresh",
)


def test_an_account_is_linked_through_the_token_endpoint(
    gates: Mapping[str, str],
    keys: Path,
    home_assistant: HomeAssistantServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A home that lets nobody pass without a certificate; and check links as Amazon."""
    name = "nginx, certificate on"
    environ = opened(GATES[name], gates[name], keys)
    with endpoint_of(environ, tmp_path) as endpoint:
        assert_linked(endpoint, home_assistant)
        monkeypatch.setenv("SSL_CERT_FILE", str(endpoint.bundle))
        found = checked(environ, endpoint, home_assistant)
    assert {found[link].status for link in LINKS} == {Status.OK}, found


@pytest.mark.one_release
def test_another_port_and_a_certificate_that_amazon_does_not_trust(
    self_signed: HomeAssistantServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guide's openssl s_client gives CA_CERTIFICATE, and all of it works."""
    typed = block("sh", "openssl s_client")
    there = urlsplit(self_signed.url).netloc
    script = typed.replace("home.example.org:8123", there)
    subprocess.run(
        ["/bin/sh", "-euc", script], cwd=tmp_path, check=True, capture_output=True
    )
    authority = (tmp_path / "ca.crt").read_text()
    environ = {"BASE_URL": self_signed.url, "CA_CERTIFICATE": authority}
    with endpoint_of(environ, tmp_path) as endpoint:
        assert_linked(endpoint, self_signed)
        monkeypatch.setenv("SSL_CERT_FILE", str(endpoint.bundle))
        found = checked(environ, endpoint, self_signed)
    assert {found[link].status for link in LINKS} == {Status.OK}, found
