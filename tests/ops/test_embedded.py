"""The Home Assistant of the demo and the tests: that it stays, and stays to itself."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.embedded import HomeAssistantServer
from ha_bridge_ops.local.releases import Release, install
from ha_bridge_ops.local.tools import run_uv

ROOT = Path(__file__).parents[2]

#: What a user's environment may hold, and no child needs.
PRIVATE = ("LONG_LIVED_ACCESS_TOKEN", "AWS_SECRET_ACCESS_KEY", "ASK_REFRESH_TOKEN")

#: Seconds of a trial that Home Assistant gives 300.
TRIAL_S = 2

#: Seconds in which a machine that is busy with other things ends a trial.
PATIENCE_S = 400

#: Starts Home Assistant with its clock for trials moved on.  One that ends before it
#: has started would not restart it, so that end is put off.  Before 2026.8 there were
#: no trials.
IMPATIENT = f"""
import datetime, runpy, sys
try:
    from homeassistant.components.http import config
except ImportError:
    pass
else:
    from homeassistant.core import CoreState
    from homeassistant.helpers.event import async_call_later

    assert config.AUTO_REVERT_DELAY == datetime.timedelta(minutes=5)
    config.AUTO_REVERT_DELAY = datetime.timedelta(seconds={TRIAL_S})
    revert = config.HTTPConfigStore._async_revert_to_stable

    async def revert_when_started(self, now):
        if self._hass.state is CoreState.running:
            await revert(self, now)
        else:
            async_call_later(self._hass, 0.5, self._async_revert_to_stable)

    config.HTTPConfigStore._async_revert_to_stable = revert_when_started
runpy.run_path({str(HomeAssistantServer.launcher)!r}, run_name="__main__")
"""


class Impatient(HomeAssistantServer):
    """One that gives a trial of its settings two seconds, not five minutes."""

    def _write_configuration(self) -> None:
        super()._write_configuration()
        self.launcher = self.folder / "impatient.py"
        self.launcher.write_text(IMPATIENT)


class Forgetful(Impatient):
    """One that knows its settings from configuration.yaml only."""

    def _write_configuration(self) -> None:
        super()._write_configuration()
        (self.folder / ".storage/http").unlink()


@pytest.mark.live
def test_its_settings_are_no_trial(release: Release) -> None:
    """It is up, where it was, when a trial would long be over."""
    with Impatient(release) as server:
        time.sleep(3 * TRIAL_S)
        assert server.states()
        assert "not confirmed" not in server.log()


@pytest.mark.live
@pytest.mark.timeout(2 * PATIENCE_S)
def test_settings_in_yaml_alone_are_a_trial_since_2026_8(release: Release) -> None:
    """So the test above can fail: Home Assistant ends, to restart on another port."""
    server = Forgetful(release)
    try:
        server._write_configuration()
        if release.numbers >= (2026, 8):
            with pytest.raises(CommandError, match="ended by itself"):
                stay(server)
            assert "not confirmed" in server.log()
        else:
            with pytest.raises(CommandError, match="was not ready"):
                stay(server)
    finally:
        server.close()


def stay(server: HomeAssistantServer) -> None:
    """Start it, and wait whether it ends; CommandError says how that went."""
    server.start()
    assert server._process is not None
    limit = PATIENCE_S if server.release.numbers >= (2026, 8) else 3 * TRIAL_S
    server._process.wait_until(lambda: False, limit)


@pytest.mark.live
def test_nothing_that_it_sets_up_wants_another_package(
    home_assistant: HomeAssistantServer,
) -> None:
    """Else its web interface waits for ever, or lacks what the guides speak of."""
    log = home_assistant.log()
    assert "No module named" not in log
    assert "Setup failed for" not in log


@pytest.mark.live
def test_the_links_of_the_documents_lead_to_its_pages(release: Release) -> None:
    """my.home-assistant.io only passes a name on; its interface has to know it."""
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    named = {
        name
        for page in pages
        for name in re.findall(
            r"my\.home-assistant\.io/redirect/(\w+)/", page.read_text("utf-8")
        )
    }
    assert named >= {"logs", "network", "profile", "server_controls"}
    scripts = install(release).glob(
        "lib/*/site-packages/hass_frontend/frontend_latest/*.js"
    )
    known = {
        name
        for script in scripts
        if "server_controls:{" in (text := script.read_text("utf-8"))
        for name in re.findall(r"\b(\w+):\{[^{}]*redirect:", text)
    }
    assert named <= known


@pytest.mark.live
def test_it_listens_on_loopback_only(home_assistant: HomeAssistantServer) -> None:
    """No interface of the machine, TCP or UDP; multicast DNS included."""
    assert home_assistant._process is not None
    found = set(listening(home_assistant._process.group))
    assert ("tcp", "127.0.0.1", home_assistant.port) in found
    assert {address for _, address, _ in found} <= {"127.0.0.1", "::1"}


def listening(process: int) -> Iterator[tuple[str, str, int]]:
    """Yield protocol, address and port of every socket that a process waits at."""
    inodes = set()
    for path in Path(f"/proc/{process}/fd").iterdir():
        if match := re.fullmatch(r"socket:\[(\d+)\]", str(path.readlink())):
            inodes.add(match[1])
    for protocol, waiting in (("tcp", "0A"), ("udp", "07")):
        for suffix, loopback in (
            ("", {"0100007F": "127.0.0.1"}),
            ("6", {"00000000000000000000000001000000": "::1"}),
        ):
            table = Path(f"/proc/{process}/net/{protocol}{suffix}").read_text()
            for line in table.splitlines()[1:]:
                fields = line.split()
                address, _, port = fields[1].partition(":")
                if fields[9] in inodes and fields[3] == waiting:
                    yield protocol, loopback.get(address, address), int(port, 16)


@pytest.mark.live
@pytest.mark.one_release
def test_it_sees_nothing_private(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither tokens of ours nor our home, which its own folder stands for."""
    for name in PRIVATE:
        monkeypatch.setenv(name, "private-value")
    with HomeAssistantServer(release) as server:
        assert server._process is not None
        seen = Path(f"/proc/{server._process.group}/environ").read_bytes()
        names = {part.partition(b"=")[0].decode() for part in seen.split(b"\0")}
        assert f"HOME={server.folder}".encode() in seen
    assert b"private-value" not in seen
    assert "PATH" in names
    assert names.isdisjoint(PRIVATE)


def test_uv_sees_its_own_settings_and_nothing_private(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Proxies and indexes are what it needs."""
    for name in PRIVATE:
        monkeypatch.setenv(name, "private-value")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("UV_INDEX_PASSWORD", "of-uv")
    seen = run_uv("run", "--no-project", "--offline", "env")
    assert "private-value" not in seen
    assert "HTTPS_PROXY=http://127.0.0.1:9" in seen
    assert "UV_INDEX_PASSWORD=of-uv" in seen


def test_each_server_has_a_password_of_its_own(release: Release) -> None:
    """Others on the machine cannot guess it; it is not among what anybody may print."""
    first, second = HomeAssistantServer(release), HomeAssistantServer(release)
    try:
        assert first.password != second.password
        assert len(first.password) > 30
    finally:
        first.close()
        second.close()
