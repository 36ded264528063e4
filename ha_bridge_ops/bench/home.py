"""What the contenders talk to: a home behind TLS, at the other end of a network."""

import contextlib
import copy
import itertools
import sys
from pathlib import Path
from typing import Any

from ha_bridge_ops.bench import tls
from ha_bridge_ops.bench.helper import SCRIPTS, Helper
from ha_bridge_ops.events import EVENTS, load, with_token
from ha_bridge_ops.local.embedded import CONFIGURATION, HomeAssistantServer
from ha_bridge_ops.local.releases import Release

#: With `logger`, Home Assistant can be told to log each directive that it receives.
HOME_CONFIGURATION = f"{CONFIGURATION}logger:\n  default: warning\n"
ALEXA_LOGGER = "homeassistant.components.alexa.smart_home"
RECEIVED = "Received Alexa Smart Home request"


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
        options = ["--rtt", str(rtt_ms / 1000)]
        if certificate:
            options += ["--certificate", str(certificate)]
        script = str(SCRIPTS / "relay.py")
        super().__init__(
            "The relay", [sys.executable, "-P", script, str(port), *options]
        )
        self.rtt_ms = rtt_ms
        self.port: int = self.hear()["port"]

    @property
    def url(self) -> str:
        """The address for BASE_URL."""
        return f"https://{tls.HOST}:{self.port}"

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
        self.certificates = tls.Certificates(folder)
        self.server = HomeAssistantServer(release, HOME_CONFIGURATION)
        stack.enter_context(self.server)
        self.fake = stack.enter_context(Fake())
        self.discovery = self._answer("discovery")
        self.fill_fake(len(self.endpoints))
        ports = [self.server.port, self.fake.port]
        certificate = self.certificates.server
        if nginx := tls.find_nginx():
            self.tls_server = tls.version(nginx)
            ports = tls.start_nginx(stack, nginx, folder, certificate, ports)
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
        return self.server.answer(with_token(load(EVENTS / f"{event}.json"), token))

    def log_directives(self) -> None:
        """Let Home Assistant log what it receives from now on."""
        self.server.call_service("logger", "set_level", **{ALEXA_LOGGER: "debug"})

    def received(self) -> int:
        """Return how many directives Home Assistant has logged."""
        return self.server.log().count(RECEIVED)
