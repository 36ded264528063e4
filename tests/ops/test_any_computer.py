"""Windows, macOS and Linux: what the command needs of a computer is what Python has."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from ha_bridge.settings import VARIABLES
from ha_bridge_ops.cli import COMMANDS
from ha_bridge_ops.commands.package import package
from tests.fakes.aws import moto_server
from tests.fakes.server import Server
from tests.fakes.tls import Authority, system_authorities
from tests.worlds.home import HOST, TOKEN, URL, home

ROOT = Path(__file__).parents[2]
WINDOWS = Path(__file__).with_name("windows.py")


def home_of(folder: Path) -> Path:
    """Return the user's folder."""
    found = folder / "Bärbels Häuschen"
    found.mkdir(exist_ok=True)
    return found


def typed(
    folder: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Return what became of a command; see `started`."""
    with started(folder, *arguments, **variables) as child:
        out, err = child.communicate(timeout=300)
    return subprocess.CompletedProcess(arguments, child.returncode, out, err)


def started(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    """Run the command without what only POSIX has, on a console of code page 1252.

    A file or pipe that is opened without naming its encoding is an error.  The folder
    has a space and umlauts in its name.
    """
    clean = {k: v for k, v in os.environ.items() if k not in VARIABLES}
    strict = ("-X", "warn_default_encoding", "-W", "error::EncodingWarning")
    return subprocess.Popen(
        [sys.executable, "-u", *strict, str(WINDOWS), *arguments],
        cwd=home_of(folder),
        env={
            **clean,
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "cp1252",
            "NO_COLOR": "1",
            **variables,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize(
    "arguments", [("demo",), ("bench",), ("page", "--demo", "--no-open")]
)
def test_what_wants_home_assistant_says_so(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Which does not run on Windows; one sentence, and no traceback."""
    done = typed(tmp_path, *arguments)
    assert done.returncode == 2
    said = " ".join(done.stderr.decode("cp1252").split())
    assert "does not run on Windows" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_command_starts(tmp_path: Path, name: str) -> None:
    """Also where there is no fcntl, no SIGHUP and no ✓."""
    done = typed(tmp_path, *([name] if name else []), "--help")
    assert done.returncode == 0, done.stderr
    assert b"Usage: ha-bridge" in done.stdout


def test_what_was_taken_away_is_gone() -> None:
    """Else the tests here would say nothing."""
    code = (
        f"import sys; sys.path.insert(0, {str(WINDOWS.parent)!r}); import windows;"
        "windows.take_away(); import os, signal;"
        "print(hasattr(os, 'killpg'), hasattr(signal, 'SIGHUP'));"
        "import fcntl"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["False", "False"]
    assert "fcntl" in done.stderr.splitlines()[-1]


def test_check_goes_to_the_end(tmp_path: Path) -> None:
    """Its signs become letters, and its statuses stay words."""
    with Server(home()) as server:
        url = f"http://127.0.0.1:{server.port}"
        variables = {"BASE_URL": url, "LONG_LIVED_ACCESS_TOKEN": TOKEN}
        done = typed(tmp_path, "check", **variables)
    shown = done.stdout.decode("cp1252")
    assert done.stderr == b""
    assert "+ ok        ha.reachable" in shown
    assert "->" in shown
    assert "directive.report_state" in shown


def test_json_is_json_there_too(tmp_path: Path) -> None:
    """Whatever signs are in it."""
    with Server(home()) as server:
        url = f"http://127.0.0.1:{server.port}"
        variables = {"BASE_URL": url, "LONG_LIVED_ACCESS_TOKEN": TOKEN}
        done = typed(tmp_path, "check", "--json", **variables)
    assert json.loads(done.stdout.decode("cp1252"))["findings"]


def test_a_skill_is_written(tmp_path: Path) -> None:
    """As UTF-8, though the console is not."""
    url = "https://home.example.org"
    options = ("--base-url", url, "--locale", "de-DE", "--name", "Zuhaus\N{SNOWMAN}")
    done = typed(tmp_path, "skill", *options)
    assert done.returncode == 0, done.stderr
    assert b"Zuhaus?" in done.stdout
    written = (home_of(tmp_path) / "skill-package/skill.json").read_text("utf-8")
    assert "Zuhaus\N{SNOWMAN}" in written


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["ha-bridge.zip", "lambda_function.py", "Küche/x.yaml"]
)
def test_what_ships_is_the_same_from_any_computer(tmp_path: Path, name: str) -> None:
    """Byte for byte, line ends included: a release has one checksum."""
    done = typed(tmp_path, "package", name)
    assert done.returncode == 0, done.stderr
    here = tmp_path / Path(name).name
    package.main([str(here)], standalone_mode=False)
    assert (home_of(tmp_path) / name).read_bytes() == here.read_bytes()


def test_the_page_is_there(tmp_path: Path) -> None:
    """Its address is printed, and is answered."""
    with Server(home()) as server:
        child = started(
            tmp_path,
            *("page", "--no-open"),
            BASE_URL=f"http://127.0.0.1:{server.port}",
            LONG_LIVED_ACCESS_TOKEN=TOKEN,
        )
        with child:
            assert child.stdout is not None
            said = b""
            try:
                for line in child.stdout:
                    said += line
                    if address := re.search(rb"http://127\.0\.0\.1:\d+/\S*", line):
                        url = address[0].decode()
                        # It is printed a moment before somebody listens.
                        again = urllib3.Retry(connect=20, backoff_factor=0.1)
                        page = urllib3.request(
                            "GET", url, timeout=30, retries=again, redirect=False
                        )
                        # Off to the page itself, with a cookie.
                        assert page.status == 303
                        break
                else:
                    pytest.fail(said.decode("cp1252"))
            finally:
                child.kill()


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What leads to moto's AWS."""
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as address:
        yield {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }


@pytest.mark.slow
@pytest.mark.parametrize("command", ["adopt", "report"])
def test_what_asks_aws_ends_with_a_sentence(
    tmp_path: Path, aws: dict[str, str], command: str
) -> None:
    """There is no function yet; boto3 itself runs there."""
    done = typed(tmp_path, command, **aws)
    said = " ".join(done.stderr.decode("cp1252").split())
    assert done.returncode == 2, said
    assert "--function" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_set_up_is_shown(tmp_path: Path, aws: dict[str, str]) -> None:
    """The home is looked at, the package made, AWS asked; each value is printed."""
    authority = Authority(tmp_path)
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(f"{system_authorities()}\n{authority.bundle.read_text()}")
    with Server(home(), tls=authority.server(HOST)) as server:
        done = typed(
            tmp_path,
            *("--base-url", URL, "--locale", "de-DE", "--yes", "--dry-run"),
            **aws,
            LONG_LIVED_ACCESS_TOKEN=TOKEN,
            SSL_CERT_FILE=str(bundle),
            WORLD_HOME=str(server.port),
            WINDOWS_RUNS=str(Path(__file__).parent / "setup/world.py"),
        )
    said = done.stdout.decode("cp1252")
    assert done.returncode == 0, done.stderr.decode("cp1252") + said
    assert "AWS: create HaBridge, AWS::Lambda::Function" in said
    assert not (home_of(tmp_path) / "skill-package").exists()
