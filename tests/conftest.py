"""The real things that several folders share: Home Assistant and Lambda's runtime."""

import os
from collections.abc import Iterator

import pytest

from ha_bridge_ops.local import embedded, lambda_runtime
from ha_bridge_ops.local.embedded import HomeAssistantServer
from ha_bridge_ops.local.lambda_runtime import LambdaRuntime


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failed one: what was promised was not looked at."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def home_assistant() -> Iterator[HomeAssistantServer]:
    """A real Home Assistant with its demo devices, and a user."""
    with HomeAssistantServer(embedded.choose_release()) as server:
        yield server


@pytest.fixture(scope="session")
def runtime_or_skip() -> None:
    """Skip where the emulator cannot run; in CI that is a failure, see above."""
    if reason := lambda_runtime.why_unavailable():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def function(
    home_assistant: HomeAssistantServer,
    runtime_or_skip: None,  # noqa: ARG001 - a fixture for its effect
) -> Iterator[LambdaRuntime]:
    """The function in AWS's runtime, pointed at the real Home Assistant."""
    with LambdaRuntime({"BASE_URL": home_assistant.url, "DEBUG": "true"}) as running:
        yield running
