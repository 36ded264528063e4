"""`ha-bridge page`, as somebody who types it, and as somebody who stops it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ha_bridge.settings import VARIABLES
from tests.ops.conftest import ROOT, Run
from tests.ops.leftovers import assert_nothing_left

pytestmark = pytest.mark.timeout(600)

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/open\?token=[\w-]{43}\n")

SECRET = {
    "LONG_LIVED_ACCESS_TOKEN": "secret-of-the-home",
    "AWS_SECRET_ACCESS_KEY": "secret-of-aws",
    "GITHUB_TOKEN": "secret-of-github",
}


def start(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start the command in a folder of its own."""
    clean = {k: v for k, v in os.environ.items() if k not in VARIABLES}
    return subprocess.Popen(
        [sys.executable, "-m", "ha_bridge_ops", "page", *arguments],
        cwd=folder,
        env={**clean, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
def test_the_address_is_the_only_line(
    number: signal.Signals, status: int, tmp_path: Path
) -> None:
    """It answers at once, and Ctrl-C ends it as if nothing had been."""
    page = start(tmp_path, "--no-open", BASE_URL="http://127.0.0.1:9")
    assert page.stdout is not None
    address = page.stdout.readline()
    assert ADDRESS.fullmatch(address)
    url = urlsplit(address.strip())
    connection = HTTPConnection("127.0.0.1", url.port or 0, timeout=60)
    connection.request("GET", f"{url.path}?{url.query}")
    assert connection.getresponse().status == 303
    connection.close()
    page.send_signal(number)
    rest, talk = page.communicate(timeout=60)
    assert rest == ""
    assert "Traceback" not in talk
    assert page.returncode == status
    assert_nothing_left(tmp_path)


def test_ctrl_c_waits_for_no_home(tmp_path: Path) -> None:
    """One that never answers is still being asked when the command is over."""
    with socket.create_server(("127.0.0.1", 0)) as home:
        port = home.getsockname()[1]
        settings = {**SECRET, "BASE_URL": f"http://127.0.0.1:{port}"}
        page = start(tmp_path, "--no-open", **settings)
        assert page.stdout is not None
        url = urlsplit(page.stdout.readline().strip())
        connection = HTTPConnection("127.0.0.1", url.port or 0, timeout=60)
        connection.request("GET", f"{url.path}?{url.query}")
        answer = connection.getresponse()
        answer.read()
        cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        # More than there are threads, each of which takes its seven seconds.
        waiting = [HTTPConnection("127.0.0.1", url.port or 0) for _ in range(50)]
        for one in waiting:
            one.request("GET", "/api/home", headers={"Cookie": cookie})
        home.settimeout(60)
        with home.accept()[0] as asked:
            asked.settimeout(60)
            assert asked.recv(1)
            page.send_signal(signal.SIGINT)
            _, talk = page.communicate(timeout=60)
        for one in (connection, *waiting):
            one.close()
    assert "Traceback" not in talk
    assert page.returncode == 0


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "ha-bridge page --demo"),
        ({"BASE_URL": "home"}, "must start with https://"),
        (
            {"BASE_URL": "http://x", "LONG_LIVED_ACCESS_TOKEN": "paste it here"},
            "has a space",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_exit_status_2(
    run: Run, variables: dict[str, str], words: str
) -> None:
    """It says what to do; nothing is started."""
    done = run("page", "--no-open", **variables)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_no_open_a_browser_is_opened(tmp_path: Path) -> None:
    """The one of BROWSER gets the address and its window, and no secret of the home."""
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    told = tmp_path / "told"
    browser.write_text(f'#!/bin/sh\nenv > {told}\necho "$1" > {seen}\n')
    browser.chmod(0o755)
    page = start(
        tmp_path,
        BASE_URL="http://127.0.0.1:9",
        BROWSER=f"{browser} %s",
        DISPLAY=":7",
        DBUS_SESSION_BUS_ADDRESS="unix:path=/x",
        **SECRET,
    )
    assert page.stderr is not None
    assert "In your browser" in page.stderr.readline()
    give_up = time.monotonic() + 60
    while not (seen.exists() and seen.read_text()):
        assert time.monotonic() < give_up
        time.sleep(0.05)
    page.send_signal(signal.SIGINT)
    rest, _ = page.communicate(timeout=60)
    assert rest == ""
    assert ADDRESS.fullmatch(seen.read_text())
    environ = told.read_text()
    assert "DISPLAY=:7\n" in environ
    assert "DBUS_SESSION_BUS_ADDRESS=unix:path=/x\n" in environ
    assert "secret" not in environ
    assert not any(f"{name}=" in environ for name in (*VARIABLES, *SECRET))


@pytest.mark.live
@pytest.mark.one_release
def test_the_demo_needs_nothing(tmp_path: Path) -> None:
    """It brings its own Home Assistant, shows it, and leaves nothing."""
    page = start(tmp_path, "--demo", "--no-open")
    assert page.stdout is not None
    url = urlsplit(page.stdout.readline().strip())
    assert url.port is not None
    host = f"http://127.0.0.1:{url.port}"
    cookies = urllib.request.HTTPCookieProcessor()
    opener = urllib.request.build_opener(cookies)
    opener.open(f"{host}{url.path}?{url.query}", timeout=60).read()
    with opener.open(f"{host}/api/home", timeout=60) as answer:
        home = json.load(answer)
    assert len(home["endpoints"]) >= 56
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{host}/api/home", timeout=60)  # noqa: S310 - ours
    page.send_signal(signal.SIGINT)
    page.communicate(timeout=60)
    assert page.returncode == 0
    assert_nothing_left(tmp_path)
