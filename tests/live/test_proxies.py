"""Odd set-ups with the real nginx, Caddy and HAProxy: who answered is known."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from ha_bridge.answerers import ANSWERERS
from ha_bridge.bridge import Bridge
from ha_bridge.connection import Connector
from ha_bridge.errors import Failure
from ha_bridge.home_assistant import HomeAssistant
from ha_bridge.network_errors import NETWORK_ERRORS
from ha_bridge.probe import examine
from ha_bridge.settings import Settings
from ha_bridge_ops.check.evidence import Evidence
from ha_bridge_ops.local.processes import free_port
from tests.directives import event
from tests.fakes.behaviours import reply
from tests.fakes.certificates import Issued
from tests.fakes.server import Server

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        sys.platform != "linux" or shutil.which("apt-get") is None,
        reason="the proxies are those of Debian",
    ),
]

#: What the check's words may mean.
ROWS = [(row.name, row.failure) for row in ANSWERERS]
ROWS += [(row.name, row.failure) for row in NETWORK_ERRORS]

#: Wide enough for a busy machine.
STARTS_WITHIN_S = 60


NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
worker_processes 1;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port}%s;
    %s
  }}
}}
"""

TLS = (
    "ssl_certificate {folder}/127.0.0.1.pem; "
    "ssl_certificate_key {folder}/127.0.0.1.key;"
)

CADDY = """
{{
  admin off
  auto_https off
}}
%s://localhost:{port} {{
  bind 127.0.0.1
  %s
}}
"""

CADDY_TLS = "tls {folder}/localhost.pem {folder}/localhost.key"

HAPROXY = """
defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
frontend f
  bind 127.0.0.1:{port} %s
  %s
"""


@dataclass(frozen=True)
class SetUp:
    """A proxy, how it is set up, and what has to come of it."""

    program: str
    config: str
    failure: Failure
    scheme: str = "http"


def nginx(inner: str, failure: Failure, *, tls: bool = False) -> SetUp:
    """Return a set-up of nginx."""
    text = NGINX % (" ssl" if tls else "", f"{TLS} {inner}" if tls else inner)
    return SetUp("nginx", text, failure, "https" if tls else "http")


def caddy(inner: str, failure: Failure, *, tls: bool = False) -> SetUp:
    """Return a set-up of Caddy."""
    scheme = "https" if tls else "http"
    return SetUp("caddy", CADDY % (scheme, inner), failure, scheme)


def haproxy(inner: str, failure: Failure, bind: str = "") -> SetUp:
    """Return a set-up of HAProxy."""
    return SetUp(
        "haproxy", HAPROXY % (bind, inner), failure, "https" if bind else "http"
    )


_PROXY = "proxy_pass http://127.0.0.1:{dead};"
_ASK_FIRST = (
    "location / {{ auth_request /ask; %s proxy_pass http://127.0.0.1:{home}; }}"
)

SET_UPS = {
    "nginx: client certificate": nginx(
        "ssl_client_certificate {folder}/trusted.pem; ssl_verify_client on;",
        Failure.CLIENT_CERTIFICATE,
        tls=True,
    ),
    "nginx: optional client certificate, and a rule": nginx(
        "ssl_client_certificate {folder}/trusted.pem; ssl_verify_client optional; "
        "if ($ssl_client_verify != SUCCESS) {{ return 403; }}",
        Failure.FIREWALL,
        tls=True,
    ),
    "nginx: refuses the handshake": nginx(
        "ssl_reject_handshake on;", Failure.NO_SUCH_SITE, tls=True
    ),
    "nginx: http on its https port": SetUp(
        "nginx", NGINX % (" ssl", TLS), Failure.WANTS_HTTPS
    ),
    "nginx: no location": nginx("root /nonexistent;", Failure.NO_SITE),
    "nginx: hangs up": nginx("return 444;", Failure.CONNECTION_LOST),
    "nginx: nobody behind it": nginx(
        "location / {{ %s }}" % _PROXY,  # noqa: UP031 - the braces are nginx's
        Failure.GATEWAY,
    ),
    "nginx: auth_request leads to a portal": nginx(
        _ASK_FIRST % "error_page 401 = @portal;"
        + " location @portal {{ return 302 https://auth.example.org/?rd=$uri; }}"
        + " location = /ask {{ internal; return 401; }}",
        Failure.PORTAL,
    ),
    "nginx: auth_request without a portal": nginx(
        _ASK_FIRST % "" + " location = /ask {{ internal; return 401; }}",
        Failure.PORTAL,
    ),
    "nginx: the portal is down": nginx(
        _ASK_FIRST % "" + " location = /ask {{ internal; %s }}" % _PROXY,  # noqa: UP031
        Failure.PROXY_ERROR,
    ),
    "nginx: moved": nginx(
        "return 301 https://new.example.org:8443/ha$request_uri;", Failure.REDIRECTED
    ),
    "nginx: deny": nginx("location / {{ deny all; }}", Failure.FIREWALL),
    "nginx: in front of Home Assistant without trust": nginx(
        "location / {{ proxy_pass http://127.0.0.1:{home}; }}", Failure.BAD_REQUEST
    ),
    "Caddy: no site": caddy("@other host other.example.org", Failure.NO_SITE),
    "Caddy: nobody behind it": caddy("reverse_proxy 127.0.0.1:{dead}", Failure.GATEWAY),
    "Caddy: password": caddy(
        "basicauth {{\n u JDJhJDE0JGhLZGFIZVNtd0VRMEZ2L3BtTU5hV09nSUJ5SnZqaVdrLzZwM"
        "0Z1V1h0b1I3bVFXQ0RkY1ZH\n }}",
        Failure.BASIC_AUTH,
    ),
    "Caddy: client certificate": caddy(
        CADDY_TLS + " {{\n client_auth {{\n mode require_and_verify\n "
        "trusted_ca_cert_file {folder}/trusted.pem\n }}\n }}",
        Failure.CLIENT_CERTIFICATE,
        tls=True,
    ),
    "HAProxy: no backend": haproxy("", Failure.GATEWAY),
    "HAProxy: deny": haproxy("http-request deny", Failure.FIREWALL),
    "HAProxy: too many": haproxy(
        "http-request deny deny_status 429", Failure.RATE_LIMITED
    ),
    "HAProxy: client certificate": haproxy(
        "http-request return status 405",
        Failure.CLIENT_CERTIFICATE,
        "ssl crt {folder}/both.pem ca-file {folder}/trusted.pem verify required",
    ),
    "HAProxy: no certificate for the name": haproxy(
        "http-request return status 405",
        Failure.NO_SUCH_SITE,
        "ssl crt {folder}/other.pem strict-sni",
    ),
}


@pytest.fixture
def certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a certificate for 127.0.0.1 that is trusted, and another."""
    root = Issued.root()
    (tmp_path / "trusted.pem").write_bytes(root.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    leaf, other = root.server("127.0.0.1"), root.server("other.example.org")
    leaf.write(tmp_path)
    root.server("localhost").write(tmp_path)
    (tmp_path / "both.pem").write_bytes(leaf.pem + leaf.key_pem)
    (tmp_path / "other.pem").write_bytes(other.pem + other.key_pem)
    return tmp_path


@pytest.fixture
def running(
    request: pytest.FixtureRequest, debian: Path, certificates: Path
) -> Iterator[str]:
    """The address of a proxy that is set up as asked for."""
    one: SetUp = request.param
    untrusting = reply(400, b"400: Bad Request", {"Content-Type": "text/plain"})
    with ExitStack() as stack:
        home = stack.enter_context(Server((untrusting,)))
        port = free_port()
        names = {"folder": certificates, "port": port, "home": home.port}
        text = one.config.format(**names, dead=free_port())
        path = certificates / "config"
        path.write_text(text)
        program, *arguments = {
            "nginx": ["usr/sbin/nginx", "-p", str(certificates), "-c"],
            "caddy": ["usr/bin/caddy", "run", "--adapter", "caddyfile", "--config"],
            "haproxy": ["usr/sbin/haproxy", "-db", "-f"],
        }[one.program]
        environ = {
            **os.environ,
            "LD_LIBRARY_PATH": str(debian / "usr/lib/x86_64-linux-gnu"),
            "XDG_DATA_HOME": str(certificates),
            "XDG_CONFIG_HOME": str(certificates),
            "HOME": str(certificates),
        }
        log = stack.enter_context((certificates / "log").open("w+b"))
        process = stack.enter_context(
            subprocess.Popen(
                [debian / program, *arguments, path],
                env=environ,
                stdout=log,
                stderr=log,
            )
        )
        stack.callback(process.terminate)
        wait_for(process, port, certificates / "log")
        # Caddy goes by the name in TLS, which an address has not.
        host = "localhost" if one.program == "caddy" else "127.0.0.1"
        yield f"{one.scheme}://{host}:{port}"


def wait_for(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while True:
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        else:
            return


@pytest.mark.parametrize(
    ("running", "failure"),
    [pytest.param(one, one.failure, id=name) for name, one in SET_UPS.items()],
    indirect=["running"],
)
def test_function_and_check_know_who_answers(running: str, failure: Failure) -> None:
    """The same story from both, over the same sockets."""
    settings = Settings.from_environ({"BASE_URL": running})
    transport = HomeAssistant(Connector(settings.address))
    message = Bridge(settings, transport).answer(event("turn_on"))
    transport.close()
    assert message["event"]["payload"]["message"].startswith(failure.cause)
    report = examine(settings.address, time.monotonic() + 8)
    evidence = Evidence(settings.address, report, time.time())
    name = evidence.who
    if name == "nobody":
        name = evidence.http.get("error") or evidence.tls["error"]
    assert (name, failure) in ROWS, report
