"""What the wire tests share: an authority that the client trusts, and bridges."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ha_bridge.bridge import Bridge
from ha_bridge.connection import Connector
from ha_bridge.home_assistant import HomeAssistant
from ha_bridge.settings import Settings
from tests.fakes.clock import clock
from tests.fakes.tls import Authority

__all__ = ["clock"]

#: Makes a bridge to a URL; more settings by name.
MakeBridge = Callable[..., Bridge]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with pytest.MonkeyPatch.context() as patch:
        # OpenSSL's own way to add to what a machine trusts; Lambda's users know it.
        patch.setenv("SSL_CERT_FILE", str(authority.bundle))
        yield authority


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    """An authority that nobody trusts."""
    return Authority(tmp_path)


@pytest.fixture
def make_bridge() -> Iterator[MakeBridge]:
    open_ones: list[Bridge] = []

    def make(url: str, **environ: str) -> Bridge:
        settings = Settings.from_environ({"BASE_URL": url, **environ})
        home_assistant = HomeAssistant(Connector.for_settings(settings))
        open_ones.append(Bridge(settings, home_assistant))
        return open_ones[-1]

    yield make
    for one in open_ones:
        one.close()
