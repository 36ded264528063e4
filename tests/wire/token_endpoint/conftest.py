"""A token endpoint before a home that the test chooses."""

from collections.abc import Callable, Iterator

import pytest

from ha_bridge.connection import Connector
from ha_bridge.home_assistant import HomeAssistant
from ha_bridge.settings import Settings
from ha_bridge.token_endpoint import TokenEndpoint
from tests.fakes.server import Server
from tests.wire.token_endpoint.amazon import LINK, give

Make = Callable[..., TokenEndpoint]


@pytest.fixture
def make() -> Iterator[Make]:
    open_ones: list[HomeAssistant] = []

    def endpoint(
        url: str,
        link: dict[str, str] | None = None,
        *,
        init_s: float = 0.0,
        **environ: str,
    ) -> TokenEndpoint:
        read = Settings.from_environ({"BASE_URL": url, **environ})
        home = HomeAssistant(Connector.for_settings(read))
        open_ones.append(home)
        return TokenEndpoint(LINK if link is None else link, home, init_s=init_s)

    yield endpoint
    for one in open_ones:
        one.close()


@pytest.fixture(scope="module")
def closed() -> Iterator[Server]:
    with Server((give,)) as server:
        yield server
