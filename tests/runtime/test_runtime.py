"""The function in AWS's own runtime: cold, warm, and with everything wrong."""

import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from ha_bridge.errors import ErrorType
from ha_bridge_ops.local import one_file
from ha_bridge_ops.local.lambda_runtime import LambdaRuntime
from tests.directives import SECRETS, changed, event
from tests.fakes.behaviours import (
    after,
    answer_directive,
    reply,
    reply_json,
    silence,
)
from tests.fakes.server import Server
from tests.fakes.tls import Authority
from tests.oracle import assert_error

pytestmark = [pytest.mark.runtime, pytest.mark.usefixtures("runtime_or_skip")]


#: Makes the function in AWS's runtime, of the variables that are given.
Runtime = Callable[..., LambdaRuntime]


@pytest.fixture(scope="module", params=["package", "one file"])
def runtime(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Runtime:
    """Each test twice: with the modules that ship, and with the one file of them."""
    if request.param == "package":
        return LambdaRuntime
    folder = tmp_path_factory.mktemp("one-file")
    (folder / "lambda_function.py").write_text(one_file.lambda_function(), "ascii")
    return partial(LambdaRuntime, code=folder)


TURN_ON = event("turn_on")


def directive_lines(function: LambdaRuntime) -> list[dict[str, Any]]:
    lines = (line.get("directive") for line in function.log_lines())
    return [line for line in lines if line]


def test_cold_and_warm_over_one_tls_connection(
    runtime: Runtime,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The connection opened during the import serves the first directive and all."""
    authority = Authority(tmp_path_factory.mktemp("authority"))
    tls = authority.server("127.0.0.1")
    with (
        Server((answer_directive,), tls=tls) as server,
        runtime(
            {"BASE_URL": server.url, "SSL_CERT_FILE": str(authority.bundle)}
        ) as function,
    ):
        for number in range(3):
            token = f"correlation-{number}"
            directive = changed(TURN_ON, "directive.header.correlationToken", token)
            answer = function.invoke(directive)
            assert answer["event"]["header"]["correlationToken"] == token
            assert server.requests[-1].json == directive
        assert server.connections == 1
        lines = directive_lines(function)
    assert [line["connection"] for line in lines] == ["new", "reused", "reused"]
    assert all(line["status"] == 200 for line in lines)


def test_one_json_line_a_directive_and_no_secret(runtime: Runtime) -> None:
    """What a metric filter reads; DEBUG on, to make it as talkative as it gets."""
    with (
        Server((answer_directive, reply(502))) as server,
        runtime({"BASE_URL": server.url, "DEBUG": "true"}) as function,
    ):
        function.invoke(TURN_ON)
        function.invoke(TURN_ON)
        good, bad = directive_lines(function)
        log = function.log()
    assert set(good) == {
        "namespace",
        "name",
        "endpointId",
        "status",
        "connection",
        "duration_ms",
    }
    assert bad["errorType"] == "BRIDGE_UNREACHABLE"
    assert bad["status"] == 502
    assert "Event: " in log
    assert not [secret for secret in SECRETS if secret in log]


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"directive": {"header": {"correlationToken": "\\ud800"}}}',
        json.dumps(changed(TURN_ON, "directive.header.payloadVersion", "2")).encode(),
    ],
    ids=["null", "list", "text", "empty", "broken unicode", "version 2"],
)
def test_any_event_is_answered(runtime: Runtime, body: bytes) -> None:
    """The runtime sees no exception, and can write the answer as JSON."""
    with runtime({"BASE_URL": "http://127.0.0.1:1"}) as function:
        assert_error(function.invoke(body), ErrorType.INVALID_DIRECTIVE)


def test_an_answer_that_cannot_be_written_is_an_error(runtime: Runtime) -> None:
    """Half a surrogate pair from Home Assistant would fail in the runtime."""
    bad = reply(200, b'{"event": {"x": "\\ud800"}}')
    with (
        Server((bad,)) as server,
        runtime({"BASE_URL": server.url}) as function,
    ):
        assert_error(function.invoke(TURN_ON), ErrorType.BRIDGE_UNREACHABLE, TURN_ON)


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({}, "BASE_URL"),
        ({"BASE_URL": "home.example.org"}, "BASE_URL"),
        ({"BASE_URL": "https://a", "NOT_VERIFY_SSL": "perhaps"}, "NOT_VERIFY_SSL"),
    ],
)
def test_a_wrong_setting_is_answered(
    runtime: Runtime, variables: Mapping[str, str], word: str
) -> None:
    """Not a crash of the import, which Alexa would not understand."""
    with runtime(variables) as function:
        answer = function.invoke(TURN_ON)
    assert_error(answer, ErrorType.INTERNAL_ERROR, TURN_ON)
    assert word in answer["event"]["payload"]["message"]


def test_lambdas_own_timeout_is_kept(runtime: Runtime) -> None:
    """The context says what is left; the answer comes before Lambda ends it all."""
    with (
        Server((silence,)) as server,
        runtime({"BASE_URL": server.url}, timeout_s=3) as function,
    ):
        answer = function.invoke(TURN_ON)
    assert_error(answer, ErrorType.BRIDGE_UNREACHABLE, TURN_ON)


def test_a_slow_home_is_waited_for(runtime: Runtime) -> None:
    """Five seconds are less than Alexa's eight."""
    with (
        Server((after(5, answer_directive),)) as server,
        runtime({"BASE_URL": server.url}) as function,
    ):
        assert function.invoke(TURN_ON)["event"]["header"]["name"] == "Response"


def test_a_large_discovery_passes(runtime: Runtime) -> None:
    """Three hundred endpoints, Alexa's limit, and umlauts."""
    endpoint = {"endpointId": "light#x", "friendlyName": "Küche", "capabilities": [{}]}
    answer = {"event": {"payload": {"endpoints": [endpoint] * 300}}}
    with (
        Server((reply_json(answer),)) as server,
        runtime({"BASE_URL": server.url}) as function,
    ):
        assert function.invoke(event("discovery")) == answer


def test_no_process_is_left_behind(runtime: Runtime) -> None:
    """Emulator and function end with the block, also after an error inside it."""
    groups = []

    def fail_inside() -> None:
        with runtime({"BASE_URL": "http://127.0.0.1:1"}) as function:
            function.invoke(TURN_ON)
            groups.append(function.process_group)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    with pytest.raises(ProcessLookupError):
        os.killpg(groups[0], 0)
