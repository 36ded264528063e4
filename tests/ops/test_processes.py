"""Programs that are run to their end, whatever they leave behind."""

import ast
import os
import signal
import subprocess
from pathlib import Path

import pytest

import ha_bridge_ops
from ha_bridge_ops.local import processes
from ha_bridge_ops.local.processes import TooMuchError, output_of


def test_what_a_program_leaves_behind_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not even in a session of its own, where it keeps the pipes open."""
    monkeypatch.setattr(processes, "_LEFT_S", 0.5)
    script = "setsid sleep 1000 & echo $!; exit 3"
    done = output_of(
        ["/bin/sh", "-c", script], environ=os.environ, timeout=100, limit=1000
    )
    assert done.returncode == 3
    os.kill(int(done.stdout), signal.SIGKILL)


@pytest.mark.parametrize(
    ("script", "limit", "expected"),
    [
        ("trap '' TERM HUP INT; while :; do echo x; done", 1000, TooMuchError),
        ("trap '' TERM; sleep 1000", 1000, subprocess.TimeoutExpired),
    ],
)
def test_a_program_that_will_not_end_is_killed(
    script: str, limit: int, expected: type[Exception]
) -> None:
    """With all of its children."""
    with pytest.raises(expected):
        output_of(
            ["/bin/sh", "-c", script],
            environ=os.environ,
            timeout=2 if expected is not TooMuchError else 100,
            limit=limit,
        )


@pytest.mark.parametrize(
    "name",
    [
        *("GITHUB_TOKEN", "ASK_LWA_CLIENT_SECRET", "UV_INDEX_OURS_PASSWORD"),
        *("MYSQL_PASSWD", "AWS_SECRET_ACCESS_KEY", "SOME_API_KEY", "npm_config__auth"),
        *("DOCKER_AUTH_CONFIG", "ASK_LWA_CLIENT_CONFIRMATION"),
        "AWS_BEARER_TOKEN_BEDROCK",
    ],
)
def test_what_of_an_environment_opens_something(name: str) -> None:
    """By its name; where such a thing is, or what it is called, is none of it."""
    environ = {name: "pa5s", f"{name}_FILE": "/x", "AWS_PROFILE": "home"}
    environ["USE_TOKEN"] = "true"
    assert [one.reveal() for one in processes.secrets_of(environ)] == ["pa5s"]


def test_no_child_sees_all_of_our_environment() -> None:
    """There may be a token in it: each call of subprocess says what a child may see."""
    files = Path(ha_bridge_ops.__file__).parent.rglob("*.py")
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_bytes())))
    calls = [
        node
        for node in nodes
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).startswith("subprocess.")
        and node.args
    ]
    assert len(calls) > 9
    assert not [
        ast.unparse(call)
        for call in calls
        if "env" not in {one.arg for one in call.keywords}
        and "CompletedProcess" not in ast.unparse(call.func)
    ]
