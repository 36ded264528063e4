"""The real proxies that the tests of this folder share."""

import subprocess
from pathlib import Path

import pytest

from tests.browser import apt_lock

PACKAGES = (
    *("nginx", "caddy", "haproxy"),
    *("liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1"),
)


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Debian's proxies, unpacked and not installed: only these tests start them."""
    folder = tmp_path_factory.mktemp("debian")
    (folder / "packages").mkdir(mode=0o755)
    download = ["apt-get", "download", *PACKAGES]
    where = folder / "packages"
    with apt_lock():
        if _ran(download, where).returncode:
            _ran(["apt-get", "update"], where).check_returncode()
            _ran(download, where).check_returncode()
    for package in where.glob("*.deb"):
        unpack = ["dpkg-deb", "-x", str(package), str(folder / "root")]
        _ran(unpack, where).check_returncode()
    return folder / "root"


def _ran(command: list[str], where: Path) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(command, cwd=where, capture_output=True, check=False)
