"""A real Home Assistant with demo devices, on loopback, for the demo and the tests."""

import base64
import hmac
import json
import secrets
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import urllib3

from ha_bridge.settings import PATH
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.processes import Process, free_port, inherited
from ha_bridge_ops.local.releases import Release, install
from ha_bridge_ops.local.tools import program

#: Seconds for a start; four where nothing else is going on.
START_TIMEOUT_S = 180

CONFIGURATION = """\
homeassistant:
  name: Demo
  unit_system: metric
  time_zone: UTC
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


class HomeAssistantServer:
    """A Home Assistant of one's own, gone without a trace at the end.

    Use as a context manager: it starts Home Assistant, creates a user through its
    onboarding, and logs in.

    Args:
        release: What to run.
        configuration: Text for configuration.yaml; it needs no `http:`.
        trusted_proxies: Addresses that may say for whom they ask.
    """

    #: What Home Assistant's Python is started with.
    launcher = Path(__file__).with_name("loopback.py")

    def __init__(
        self,
        release: Release,
        configuration: str = CONFIGURATION,
        *,
        trusted_proxies: Sequence[str] = (),
    ) -> None:
        self.release = release
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.password = secrets.token_urlsafe()
        self.access_token = ""
        self._configuration = configuration
        self._trusted_proxies = trusted_proxies
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
                str(program(install(self.release), "python")),
                str(self.launcher),
                *("--skip-pip", "--config", str(self.folder)),
            ],
            # It is no business of its what ours is told, nor what lies in our home.
            environ={**inherited(), "HOME": str(self.folder)},
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

    def answer(self, event: object) -> dict[str, Any]:
        """Return its answer to a directive, asked without any detour."""
        answer: dict[str, Any] = self._ask(
            "POST", PATH, headers=self._authorization(), json=event
        )
        return answer

    def expired_token(self) -> str:
        """Return an access token that Home Assistant has signed, but for the past.

        It is signed here with Home Assistant's own key: waiting takes half an hour.
        """
        return self._signed(iat=-7200, exp=-7200)

    def lasting_token(self) -> str:
        """Return an access token that lasts a day; a login's lasts half an hour."""
        return self._signed(exp=24 * 3600)

    def _signed(self, **seconds: int) -> str:
        """Return an access token in which times are moved by some seconds."""
        header, claims, _ = self.access_token.split(".")
        moved = json.loads(_decode(claims))
        for claim, by in seconds.items():
            moved[claim] += by
        signed = f"{header}.{_encode(json.dumps(moved).encode())}"
        digest = hmac.digest(self._signing_key(moved["iss"]), signed.encode(), "sha256")
        return f"{signed}.{_encode(digest)}"

    def _signing_key(self, refresh_token_id: str) -> bytes:
        path = self.folder / ".storage/auth"
        for _ in range(100):
            if path.is_file():  # written a second after the user was created
                for token in json.loads(path.read_text("utf-8"))["data"][
                    "refresh_tokens"
                ]:
                    if token["id"] == refresh_token_id:
                        return str(token["jwt_key"]).encode()
            time.sleep(0.1)
        raise CommandError("Home Assistant did not store its refresh token.")

    def _write_configuration(self) -> None:
        # JSON is YAML too.
        text = f"{self._configuration}http: {json.dumps(self._web_server())}\n"
        (self.folder / "configuration.yaml").write_text(text, "utf-8")
        storage = self.folder / ".storage"
        storage.mkdir()
        (storage / "core.network").write_text(json.dumps(NETWORK), "utf-8")
        # Since 2026.8, `http:` that differs from what is stored is a trial: unless
        # somebody confirms it in five minutes, Home Assistant restarts and listens on
        # port 8123 of every interface.  What is stored the old way is taken as stable,
        # and older releases mind the YAML only.
        stored = {"version": 1, "key": "http", "data": self._web_server()}
        (storage / "http").write_text(json.dumps(stored), "utf-8")

    def _web_server(self) -> dict[str, Any]:
        """Return Home Assistant's own settings of its web server.

        See https://www.home-assistant.io/integrations/http/.
        """
        settings: dict[str, Any] = {
            "server_host": ["127.0.0.1"],
            "server_port": self.port,
        }
        if self._trusted_proxies:
            settings["use_x_forwarded_for"] = True
            settings["trusted_proxies"] = list(self._trusted_proxies)
        return settings

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
                "password": self.password,
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
