"""What the contenders talk to: a home behind TLS, at the other end of a network."""

import contextlib
import copy
import itertools
import os
import shutil
import ssl
import sys
from pathlib import Path
from typing import Any

import urllib3

from ha_bridge.home_assistant import PATH
from ha_bridge_ops.bench.helper import SCRIPTS, Helper
from ha_bridge_ops.embedded import CONFIGURATION, HomeAssistantServer, Release
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.events import EVENTS, load, with_token
from ha_bridge_ops.processes import Process, free_port

HOST = "127.0.0.1"

#: With `logger`, Home Assistant can be told to log each directive that it receives.
HOME_CONFIGURATION = f"{CONFIGURATION}logger:\n  default: warning\n"
ALEXA_LOGGER = "homeassistant.components.alexa.smart_home"
RECEIVED = "Received Alexa Smart Home request"

NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  ssl_protocols TLSv1.3;
  ssl_certificate {certificate};
  ssl_certificate_key {certificate};
  # The bench itself says when idle connections end.
  keepalive_timeout 1h;
  keepalive_requests 1000000;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
{servers}
}}
"""

NGINX_SERVER = """\
  upstream home{port} {{ server 127.0.0.1:{port}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{tls_port} ssl;
    location / {{ proxy_pass http://home{port}; }}
  }}
"""


class Certificates:
    """A throw-away authority, and the bundle that a client trusts.

    Args:
        folder: Where the files go.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import trustme  # noqa: PLC0415 - only `bench` needs it
        except ImportError:
            raise CommandError(
                "The bench needs trustme: pip install trustme, or work in a checkout."
            ) from None
        root = trustme.CA()
        # Root, intermediate, leaf: as Let's Encrypt's.
        leaf = root.create_child_ca().issue_cert(HOST)
        self.server = folder / "server.pem"
        leaf.private_key_and_cert_chain_pem.write_to_path(str(self.server))
        self.bundle = folder / "bundle.pem"
        machine = ssl.get_default_verify_paths().cafile
        own = root.cert_pem.bytes().decode()
        texts = [Path(machine).read_text("utf-8"), own] if machine else [own]
        self.bundle.write_text("\n".join(texts), "utf-8")

    @property
    def count(self) -> int:
        """How many certificates a client has to parse."""
        return self.bundle.read_text("utf-8").count("BEGIN CERTIFICATE")


class Relay(Helper):
    """A port on loopback that forwards to another; see relay.py.

    Args:
        port: Where to forward.
        rtt_ms: Milliseconds a round trip takes.
        certificate: With it, the relay ends TLS.
    """

    def __init__(
        self, port: int, *, rtt_ms: float = 0.0, certificate: Path | None = None
    ) -> None:
        tls = ["--certificate", str(certificate)] if certificate else []
        script = str(SCRIPTS / "relay.py")
        rtt = ["--rtt", str(rtt_ms / 1000)]
        super().__init__(
            "The relay", [sys.executable, "-P", script, str(port), *rtt, *tls]
        )
        self.rtt_ms = rtt_ms
        self.port: int = self.hear()["port"]

    @property
    def url(self) -> str:
        """The address for BASE_URL."""
        return f"https://{HOST}:{self.port}"

    def counts(self) -> dict[str, int]:
        """Return bytes up, bytes down and connections so far."""
        return self.ask("count")


class Fake(Helper):
    """Answers from a can; see fake.py."""

    def __init__(self) -> None:
        super().__init__(
            "The fake home", [sys.executable, "-P", str(SCRIPTS / "fake.py")]
        )
        self.port: int = self.hear()["port"]

    def fill(self, **answers: Any) -> None:
        """Set the answers, by the directive's name."""
        self.ask("set", answers=answers)

    def set_delay(self, seconds: float) -> None:
        """Set how long it takes for an answer."""
        self.ask("set", delay_s=seconds)

    def received(self) -> int:
        """Return how many directives have come."""
        return int(self.ask("count")["received"])


class Home:
    """A real Home Assistant and a fake one, each behind TLS and a relay.

    Args:
        stack: Ends it all.
        release: Which Home Assistant.
        folder: For certificates and configuration.
        rtt_ms: Milliseconds of a round trip to it.
    """

    def __init__(
        self,
        stack: contextlib.ExitStack,
        release: Release,
        folder: Path,
        rtt_ms: float,
    ) -> None:
        self.certificates = Certificates(folder)
        self.server = HomeAssistantServer(release, HOME_CONFIGURATION)
        stack.enter_context(self.server)
        self.fake = stack.enter_context(Fake())
        self.discovery = self._answer("discovery")
        self.fill_fake(len(self.endpoints))
        ports = [self.server.port, self.fake.port]
        certificate = self.certificates.server
        if nginx := find_nginx():
            self.tls_server = "nginx"
            ports = _start_nginx(stack, nginx, folder, certificate, ports)
        else:
            self.tls_server = "a small relay in Python"
            ports = [
                stack.enter_context(Relay(port, certificate=certificate)).port
                for port in ports
            ]
        self.real, self.canned = (
            stack.enter_context(Relay(port, rtt_ms=rtt_ms)) for port in ports
        )

    @property
    def endpoints(self) -> list[Any]:
        """What Home Assistant offers Alexa."""
        endpoints: list[Any] = self.discovery["event"]["payload"]["endpoints"]
        return endpoints

    def fill_fake(self, count: int) -> None:
        """Let the fake have so many endpoints, made after Home Assistant's."""
        answer = copy.deepcopy(self.discovery)
        answer["event"]["payload"]["endpoints"] = [
            {
                **endpoint,
                "endpointId": f"{endpoint['endpointId']}_{number}",
                "friendlyName": f"{endpoint['friendlyName']} {number}",
            }
            if number >= len(self.endpoints)
            else endpoint
            for number, endpoint in zip(
                range(count), itertools.cycle(self.endpoints), strict=False
            )
        ]
        self.fake.fill(
            Discover=answer,
            TurnOn=self._answer("turn_on"),
            ReportState=self._answer("report_state"),
        )

    def _answer(self, event: str) -> Any:
        """Return Home Assistant's answer to an event, asked without any detour."""
        token = self.server.access_token
        answer = urllib3.request(
            "POST",
            f"{self.server.url}{PATH}",
            headers={"Authorization": f"Bearer {token}"},
            json=with_token(load(EVENTS / f"{event}.json"), token),
        )
        return answer.json()

    def log_directives(self) -> None:
        """Let Home Assistant log what it receives from now on."""
        self.server.call_service("logger", "set_level", **{ALEXA_LOGGER: "debug"})

    def received(self) -> int:
        """Return how many directives Home Assistant has logged."""
        return self.server.log().count(RECEIVED)


def find_nginx() -> str | None:
    """Return the path of nginx; Debian keeps it out of users' PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def _start_nginx(
    stack: contextlib.ExitStack,
    nginx: str,
    folder: Path,
    certificate: Path,
    ports: list[int],
) -> list[int]:
    """Start nginx before these ports, and return its own."""
    tls_ports = [free_port() for _ in ports]
    servers = "".join(
        NGINX_SERVER.format(port=port, tls_port=tls_port)
        for port, tls_port in zip(ports, tls_ports, strict=True)
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        NGINX.format(folder=folder, certificate=certificate, servers=servers)
    )
    process = Process(
        "nginx",
        [nginx, "-e", "stderr", "-p", str(folder), "-c", str(configuration)],
        environ=dict(os.environ),
        log=folder / "nginx.log",
    )
    stack.callback(process.stop)
    process.wait_until(lambda: all(map(_listens, tls_ports)), timeout=10)
    return tls_ports


def _listens(port: int) -> bool:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
