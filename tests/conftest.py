"""The real things that several folders share: Home Assistant and Lambda's runtime."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from ha_bridge_ops.local import lambda_runtime, releases
from ha_bridge_ops.local.embedded import HomeAssistantServer
from ha_bridge_ops.local.lambda_runtime import LambdaRuntime
from ha_bridge_ops.local.releases import Release

#: What a developer should know of the releases that were taken, for the end of the run.
REMARKS = pytest.StashKey[list[str]]()
CHOSEN = pytest.StashKey[list[Release]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--release` says which Home Assistant the tests run."""
    parser.addoption(
        "--release",
        action="append",
        metavar="RELEASE",
        help="Home Assistant for the tests that run one, such as 2025.1.4, or newest: "
        "PyPI's; may be repeated. If not given, the newest and the oldest supported.",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test that runs a Home Assistant runs with each release; its id says which.

    One that is marked `one_release` looks at something else, and runs with the first.
    """
    if "release" not in metafunc.fixturenames:
        return
    chosen = chosen_releases(metafunc.config)
    if metafunc.definition.get_closest_marker("one_release"):
        chosen = chosen[:1]
    ids = [f"HA-{release.version}" for release in chosen]
    metafunc.parametrize("release", chosen, ids=ids, indirect=True, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`-m release` are all the tests that run a Home Assistant."""
    for item in items:
        if "release" in getattr(item, "fixturenames", ()):
            item.add_marker("release")


def chosen_releases(config: pytest.Config) -> list[Release]:
    """Return the releases of this run, the newest first; they are looked for once."""
    if CHOSEN not in config.stash:
        remarks = config.stash.setdefault(REMARKS, [])
        told = getattr(config, "workerinput", {}).get("releases")
        if wanted := told or config.getoption("release"):
            found = [releases.named(version) for version in wanted]
        else:
            found = [releases.newest(remarks.append), releases.oldest(remarks.append)]
        config.stash[CHOSEN] = list({one.version: one for one in found}.values())
    return config.stash[CHOSEN]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say it loudly if a release could not be had."""
    for remark in config.stash.get(REMARKS, []):
        terminalreporter.section("Home Assistant", yellow=True, bold=True)
        terminalreporter.line(remark)


def pytest_configure(config: pytest.Config) -> None:
    """Say how workers share the tests, if there are any: `pytest -n 2`."""
    # A shell's background job ignores Ctrl-C, and so would every command it starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.import_plugin("tests.workers")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker which releases this run has: all must collect the same tests."""
    node.workerinput["releases"] = [
        release.version for release in chosen_releases(node.config)
    ]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failed one: what was promised was not looked at."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def release(request: pytest.FixtureRequest) -> Release:
    """A release of Home Assistant; see `pytest_generate_tests`."""
    chosen: Release = request.param
    return chosen


@pytest.fixture(scope="session")
def home_assistant(release: Release) -> Iterator[HomeAssistantServer]:
    """A real Home Assistant with its demo devices, and a user; it trusts a proxy."""
    with HomeAssistantServer(release, trusted_proxies=["127.0.0.1"]) as server:
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
