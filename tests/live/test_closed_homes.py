"""Closed homes with the real nginx and Caddy of Debian, and authorities of openssl.

The set-ups are those of docs/closed-homes.md, typed as they stand there.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ha_bridge.bridge import Bridge
from ha_bridge.connection import Connector
from ha_bridge.home_assistant import HomeAssistant
from ha_bridge.settings import Settings
from ha_bridge_ops.local.processes import free_port
from tests.directives import event
from tests.fakes.behaviours import answer_directive
from tests.fakes.server import Server
from tests.live.test_proxies import CADDY, NGINX, _wait, debian

__all__ = ["debian"]

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        sys.platform != "linux" or shutil.which("apt-get") is None,
        reason="the proxies are those of Debian",
    ),
]

GUIDE = Path(__file__).parents[2] / "docs" / "closed-homes.md"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the commands of the guide make, and a stranger's."""
    folder = tmp_path_factory.mktemp("keys")
    (block,) = re.findall(
        r"^```sh\n(openssl req -x509.*?)^```",
        GUIDE.read_text(),
        re.MULTILINE | re.DOTALL,
    )
    script = block.replace("home.example.org", "localhost")
    for where in (folder, folder / "stranger"):
        where.mkdir(exist_ok=True)
        subprocess.run(["/bin/sh", "-euc", script], cwd=where, check=True)
    return folder


NGINX_TLS = (
    "ssl_certificate {folder}/server.crt; ssl_certificate_key {folder}/server.key;"
)
TO_HOME = "location / {{ proxy_pass http://127.0.0.1:{home}; }}"
ASKS = " ssl_client_certificate {folder}/ca.crt; ssl_verify_client "
OPTIONAL = " if ($ssl_client_verify != SUCCESS) {{ return 403; }} "
KEY = 'if ($http_x_bridge_key != "a-long-secret") {{ return 403; }} '
CLIENT_AUTH = (
    "tls {folder}/server.crt {folder}/server.key {{\n client_auth {{\n"
    " mode require_and_verify\n trusted_ca_cert_file {folder}/ca.crt\n }}\n }}\n"
    "  reverse_proxy 127.0.0.1:{home}"
)
CADDY_KEY = (
    "tls {folder}/server.crt {folder}/server.key\n"
    "  @bridge header X-Bridge-Key a-long-secret\n"
    "  handle @bridge {{\n reverse_proxy 127.0.0.1:{home}\n }}\n  respond 403"
)


class Gate(NamedTuple):
    """A proxy, and which of the settings opens it."""

    program: str
    config: str
    opens: str
    tells: str
    """What is told without it."""


GATES = {
    "nginx, certificate on": Gate(
        "nginx",
        NGINX % (" ssl", NGINX_TLS + ASKS + "on; " + TO_HOME),
        "CLIENT_CERTIFICATE",
        "client certificate",
    ),
    "nginx, certificate optional": Gate(
        "nginx",
        NGINX % (" ssl", NGINX_TLS + ASKS + "optional;" + OPTIONAL + TO_HOME),
        "CLIENT_CERTIFICATE",
        "CLIENT_CERTIFICATE",
    ),
    "nginx, a header": Gate(
        "nginx",
        NGINX % (" ssl", NGINX_TLS + KEY + TO_HOME),
        "EXTRA_HEADERS",
        "EXTRA_HEADERS",
    ),
    "Caddy, certificate": Gate(
        "caddy", CADDY % ("https", CLIENT_AUTH), "CLIENT_CERTIFICATE", "certificate"
    ),
    "Caddy, a header": Gate(
        "caddy", CADDY % ("https", CADDY_KEY), "EXTRA_HEADERS", "EXTRA_HEADERS"
    ),
}


@contextmanager
def running(gate: Gate, debian: Path, keys: Path, folder: Path) -> Iterator[str]:
    with Server((answer_directive,)) as home:
        port = free_port()
        path = folder / "config"
        path.write_text(gate.config.format(folder=keys, port=port, home=home.port))
        program, *arguments = {
            "nginx": ["usr/sbin/nginx", "-p", str(folder), "-c"],
            "caddy": ["usr/bin/caddy", "run", "--adapter", "caddyfile", "--config"],
        }[gate.program]
        environ = {
            **os.environ,
            **dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder)),
        }
        with (folder / "log").open("w+b") as log:
            process = subprocess.Popen(
                [debian / program, *arguments, path],
                env=environ,
                stdout=log,
                stderr=log,
            )
            try:
                _wait(process, port, folder / "log")
                yield f"https://localhost:{port}"
            finally:
                process.terminate()
                process.wait(30)


def asked(url: str, environ: dict[str, str]) -> Any:
    settings = Settings.from_environ({"BASE_URL": url, **environ})
    home = HomeAssistant(Connector.for_settings(settings))
    bridge = Bridge(settings, home)
    answer = bridge.answer(event("turn_on"))
    report = bridge.answer({"ha_bridge": {"probe": {}}})["ha_bridge"]["probe"]
    home.close()
    return answer, report


def said(answer: Any) -> str:
    return str(answer["event"]["payload"].get("message", "answered"))


@pytest.mark.parametrize("name", GATES)
def test_the_guides_gates(debian: Path, keys: Path, tmp_path: Path, name: str) -> None:
    """What opens it opens it; nothing, and a stranger's, is refused in clear words."""
    gate = GATES[name]
    authority = {"CA_CERTIFICATE": (keys / "ca.crt").read_text()}
    right, wrong = {
        "CLIENT_CERTIFICATE": (
            (keys / "client.pem").read_text(),
            (keys / "stranger" / "client.pem").read_text(),
        ),
        "EXTRA_HEADERS": (
            json.dumps({"X-Bridge-Key": "a-long-secret"}),
            json.dumps({"X-Bridge-Key": "mistyped"}),
        ),
    }[gate.opens]
    with running(gate, debian, keys, tmp_path) as url:
        answer, report = asked(url, {**authority, gate.opens: right})
        assert said(answer) == "answered"
        assert report["bare"] != report["http"], "it is closed to others"
        for environ, word in (({}, gate.tells), ({gate.opens: wrong}, gate.opens)):
            for _ in range(5):
                answer, _ = asked(url, {**authority, **environ})
                assert answer["event"]["payload"]["type"] == "BRIDGE_UNREACHABLE"
                assert word in said(answer)
