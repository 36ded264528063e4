"""An AWS account with nothing in it, and what goes into it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from ha_bridge.settings import VARIABLES
from ha_bridge_ops.local import build
from ha_bridge_ops.local.package import write_zip
from tests.ops.adopt.world import (
    Aws,
)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An AWS account with nothing in it."""
    for name in ("AWS_PROFILE", *VARIABLES):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield Aws()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What ships, without urllib3 and byte code: moto runs neither."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "code/ha_bridge").mkdir(parents=True)
    for path in (build.SOURCES / "ha_bridge").glob("*.py"):
        (folder / "code/ha_bridge" / path.name).write_bytes(path.read_bytes())
    entry = build.SOURCES / "lambda_function.py"
    (folder / "code/lambda_function.py").write_bytes(entry.read_bytes())
    write_zip(folder / "code", folder / "package.zip")
    return (folder / "package.zip").read_bytes()


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path
