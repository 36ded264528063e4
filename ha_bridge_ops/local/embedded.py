"""A real Home Assistant with demo devices, on loopback, for the demo and the tests."""

import base64
import hmac
import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import urllib3

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.processes import Process, free_port
from ha_bridge_ops.local.tools import LOCKS, Interpreter, environment, find_interpreter

#: The newest Home Assistant for each Python that the first releases of it accept.
RELEASES = {"3.13": "2025.4.4", "3.12": "2025.1.4", "3.11": "2024.3.3"}

#: Seconds for a start; four where nothing else is going on.
START_TIMEOUT_S = 180

CONFIGURATION = """\
homeassistant:
  name: Demo
  unit_system: metric
  time_zone: UTC
http:
  server_host: 127.0.0.1
  server_port: {port}
demo:
alexa:
  smart_home:
ffmpeg:
  ffmpeg_bin: echo  # the demo's cameras do without
"""

#: Keeps discovery protocols on loopback too.
NETWORK = {
    "version": 1,
    "minor_version": 1,
    "key": "core.network",
    "data": {"configured_adapters": ["lo", "lo0"]},
}

USER = "demo"
PASSWORD = "demo-password"  # noqa: S105 - of a server on loopback that lives a minute


@dataclass(frozen=True)
class Release:
    """A Home Assistant and the Python it runs on."""

    version: str
    interpreter: Interpreter


def choose_release() -> Release:
    """Return the newest release that a Python of this machine can run."""
    interpreter = find_interpreter(list(RELEASES))
    return Release(RELEASES[interpreter.version], interpreter)


def install(release: Release) -> Path:
    """Return the folder of Home Assistant's own virtual environment."""
    lock = LOCKS / f"home-assistant-{release.version}.txt"
    name = f"home-assistant-{release.version}"
    return environment(name, release.interpreter, [lock], no_deps=True)


class HomeAssistantServer:
    """A Home Assistant of one's own, gone without a trace at the end.

    Use as a context manager: it starts Home Assistant, creates a user through its
    onboarding, and logs in.

    Args:
        release: What to run.
        configuration: Text for configuration.yaml; {port} is put in.
    """

    def __init__(self, release: Release, configuration: str = CONFIGURATION) -> None:
        self.release = release
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.access_token = ""
        self._configuration = configuration
        self._http = urllib3.PoolManager(timeout=30, retries=False)
        self._folder = tempfile.TemporaryDirectory(
            prefix="ha-bridge-home-assistant-", ignore_cleanup_errors=True
        )
        self._process: Process | None = None

    def __enter__(self) -> Self:
        try:
            self._write_configuration()
            self.start()
            self._onboard()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_why: object) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """The configuration folder."""
        return Path(self._folder.name)

    def start(self) -> None:
        """Start it, and wait until it answers directives.

        Raises:
            CommandError: It ended by itself or took too long.
        """
        self._process = Process(
            f"Home Assistant {self.release.version}",
            [
                str(install(self.release) / "bin/hass"),
                "--skip-pip",
                "--config",
                str(self.folder),
            ],
            # Its own interpreter must not see what ours is told.
            environ={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
            log=self.folder / "output.log",
        )
        self._process.wait_until(self._is_up, START_TIMEOUT_S)

    def stop(self) -> None:
        """Stop it; the configuration stays for another start."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        self._http.clear()

    def close(self) -> None:
        """Stop it and remove all it wrote."""
        self.stop()
        self._folder.cleanup()

    def log(self) -> str:
        """Return what it has logged."""
        return (self.folder / "home-assistant.log").read_text(errors="replace")

    # -- Home Assistant's REST API: https://developers.home-assistant.io/docs/api/rest/

    def states(self) -> dict[str, dict[str, Any]]:
        """Return the state object of every entity by its id."""
        return {state["entity_id"]: state for state in self.get("/api/states")}

    def state(self, entity_id: str) -> dict[str, Any]:
        """Return the state object of one entity."""
        answer: dict[str, Any] = self.get(f"/api/states/{entity_id}")
        return answer

    def get(self, path: str) -> Any:
        """Return the JSON that a GET gives."""
        return self._ask("GET", path, headers=self._authorization())

    def call_service(self, domain: str, service: str, **data: Any) -> None:
        """Call one of Home Assistant's services."""
        self._ask(
            "POST",
            f"/api/services/{domain}/{service}",
            headers=self._authorization(),
            json=data,
        )

    def expired_token(self) -> str:
        """Return an access token that Home Assistant has signed, but for the past.

        It is signed here with Home Assistant's own key, for to wait takes half an hour.
        """
        header, claims, _ = self.access_token.split(".")
        past = json.loads(_decode(claims))
        past["iat"] -= 7200
        past["exp"] -= 7200
        signed = f"{header}.{_encode(json.dumps(past).encode())}"
        digest = hmac.digest(self._signing_key(past["iss"]), signed.encode(), "sha256")
        return f"{signed}.{_encode(digest)}"

    def _signing_key(self, refresh_token_id: str) -> bytes:
        path = self.folder / ".storage/auth"
        for _ in range(100):
            if path.is_file():  # written a second after the user was created
                for token in json.loads(path.read_text())["data"]["refresh_tokens"]:
                    if token["id"] == refresh_token_id:
                        return str(token["jwt_key"]).encode()
            time.sleep(0.1)
        raise CommandError("Home Assistant did not store its refresh token.")

    def _write_configuration(self) -> None:
        text = self._configuration.format(port=self.port)
        (self.folder / "configuration.yaml").write_text(text)
        storage = self.folder / ".storage"
        storage.mkdir()
        (storage / "core.network").write_text(json.dumps(NETWORK))

    def _is_up(self) -> bool:
        try:
            answer = self._http.request("GET", f"{self.url}/manifest.json")
        except urllib3.exceptions.HTTPError:
            return False
        if answer.status != 200:  # noqa: PLR2004 - OK
            return False
        # Only a user may ask for more; the first one is created after this.
        return not self.access_token or self._has_started()

    def _asks_for_a_user(self) -> bool:
        # Onboarding comes up after the server.
        return self._http.request("GET", f"{self.url}/api/onboarding").status == 200  # noqa: PLR2004

    def _has_started(self) -> bool:
        return bool(self.get("/api/config")["state"] == "RUNNING")

    def _onboard(self) -> None:
        """Create the owner and log in, as the first visit in a browser does."""
        client_id = f"{self.url}/"
        assert self._process is not None  # noqa: S101 - started just before
        self._process.wait_until(self._asks_for_a_user, START_TIMEOUT_S)
        user = self._ask(
            "POST",
            "/api/onboarding/users",
            json={
                "client_id": client_id,
                "name": "Demo",
                "username": USER,
                "password": PASSWORD,
                "language": "en",
            },
        )
        tokens = self._ask(
            "POST",
            "/auth/token",
            fields={
                "grant_type": "authorization_code",
                "code": user["auth_code"],
                "client_id": client_id,
            },
            encode_multipart=False,
        )
        self.access_token = tokens["access_token"]
        self._process.wait_until(self._has_started, START_TIMEOUT_S)

    def _authorization(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        try:
            answer = self._http.request(method, self.url + path, **request)
        except urllib3.exceptions.HTTPError as error:
            raise CommandError(
                f"Home Assistant did not answer {path} ({type(error).__name__})."
            ) from None
        if answer.status >= 400:  # noqa: PLR2004 - HTTP's errors start here
            raise CommandError(f"Home Assistant answered {path} with {answer.status}.")
        return answer.json()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
