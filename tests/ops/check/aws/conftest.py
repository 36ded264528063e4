"""A function in moto's AWS, before a home that is well."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.ops.check.conftest import Serve
from tests.worlds.cloud import Cloud
from tests.worlds.home import home


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield


@pytest.fixture
def cloud(serve: Serve) -> Cloud:
    return Cloud(serve(home()).port)
