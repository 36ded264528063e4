"""What is huge is a finding: in seconds, and in less memory than a phone's browser tab.

Measured as the operating system counts it, in a process of its own.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ha_bridge.settings import VARIABLES
from tests.directives import EVENTS
from tests.fakes.behaviours import reply
from tests.fakes.server import Behaviour, Server
from tests.worlds.home import home, jwt

#: Bytes of memory.
MOST = 200_000_000

#: Characters on a terminal.
LONGEST = 200_000

#: Seconds: each takes two or three; the rest is for a machine that is busy.
TIMEOUT_S = 120

#: Runs the command, and says what the most memory was that it ever had.
COMMAND = """
import re, sys
from ha_bridge_ops.cli import main
try:
    main()
finally:
    status = open("/proc/self/status").read()
    print("peak", re.search(r"VmHWM:\\s+(\\d+) kB", status)[1], file=sys.stderr)
"""

LIST = b'{"event":{"header":{"name":"Discover.Response"},"payload":{"endpoints":[%s]}}}'
ERROR = b'{"event":{"header":{"name":"ErrorResponse"},"payload":{"type":"%s"}}}'

HUGE: dict[str, bytes] = {
    "a million endpoints": LIST % b",".join([b"{}"] * 1_500_000),
    "a million lists": LIST % b",".join([b"[]"] * 1_500_000),
    "objects without end": LIST % b",".join([b'{"a":1}'] * 740_000),
    "a million numbers": LIST % b",".join([b"1"] * 1_900_000),
    "devices without end": LIST
    % b",".join([b'{"endpointId":"a#b","friendlyName":"x"}'] * 140_000),
    "an error type of megabytes": ERROR % (b"A" * 5_000_000),
    "letters of many bytes": LIST
    % (b'{"friendlyName":"%s"}' % ("\N{GRINNING FACE}" * 1_300_000).encode()),
}


def peak_of(server: Server, folder: Path, *arguments: str) -> tuple[int, str]:
    """Return the bytes of memory that a command took, and what it printed."""
    root = str(Path(__file__).parents[2])
    environ = {"PYTHONPATH": root, "PATH": "/usr/bin:/bin", "COLUMNS": "80"}
    assert not set(environ) & set(VARIABLES)
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=folder,
        env={
            **environ,
            "BASE_URL": server.url,
            "LONG_LIVED_ACCESS_TOKEN": jwt(),
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return int(done.stderr.rpartition("peak ")[2]) * 1024, done.stdout + done.stderr


def behaviours(body: bytes) -> tuple[Behaviour, ...]:
    return home(discover=reply(200, body, {"Content-Type": "application/json"}))


@pytest.mark.skipif(sys.platform != "linux", reason="it is /proc that counts memory")
@pytest.mark.parametrize("what", HUGE)
def test_what_is_huge_takes_little_memory(what: str, tmp_path: Path) -> None:
    """A Discovery as large as Lambda passes on, for `check` and `invoke`."""
    with Server(behaviours(HUGE[what])) as server:
        for arguments in (
            ("check", "--json"),
            ("invoke", str(EVENTS / "discovery.json")),
            ("invoke", str(EVENTS / "discovery.json"), "--json"),
        ):
            peak, shown = peak_of(server, tmp_path, *arguments)
            assert peak < MOST, arguments
            if arguments[-1] != "--json" or arguments[0] == "check":
                assert len(shown) < LONGEST
            if arguments == ("check", "--json"):
                found = json.loads(shown[: shown.rindex("}") + 1])
                assert found["summary"]["begin_with"]
