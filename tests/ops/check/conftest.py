"""An authority that this machine trusts, and homes behind it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.server import Behaviour, Server
from tests.fakes.tls import Authority
from tests.worlds.home import HOST

#: Starts a server with a certificate for HOST.
Serve = Callable[[tuple[Behaviour, ...]], Server]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def trusting(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let OpenSSL trust the authority, as it trusts those of the system."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    """An authority that nobody trusts."""
    return Authority(tmp_path)


@pytest.fixture
def serve(authority: Authority) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(behaviours: tuple[Behaviour, ...]) -> Server:
            server = Server(behaviours, tls=authority.server(HOST))
            return stack.enter_context(server)

        yield start
