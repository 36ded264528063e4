"""Interpreters and environments that the command makes for itself."""

import hashlib
import io
import json
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
import uv
from click.testing import CliRunner

from ha_bridge.settings import VARIABLES
from ha_bridge_ops.bench import lab
from ha_bridge_ops.commands.package import package
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local import ask, build, processes, releases, sam, tools
from ha_bridge_ops.local.tools import Interpreter, find_interpreter

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"

#: Arguments of a Python that writes its environment into a file, which comes next.
DUMP = (
    "-c",
    "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))",
)


@pytest.mark.parametrize(
    "name",
    [
        *("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE"),
        *("AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_SSO_SESSION", "HOME", "PATH"),
        *("HTTPS_PROXY", "https_proxy", "NO_PROXY", "REQUESTS_CA_BUNDLE"),
        *("DOCKER_HOST", "XDG_CACHE_HOME", "SSL_CERT_FILE", "USERPROFILE"),
    ],
)
def test_sam_has_what_logs_it_in(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile, single sign-on, a program that gives credentials, a proxy."""
    monkeypatch.setenv(name, "x")
    assert sam.environ()[name] == "x"


@pytest.mark.parametrize(
    "name", [*VARIABLES, "LINK_CLIENT_SECRET", "GITHUB_TOKEN", "PGPASSWORD"]
)
def test_sam_has_nothing_of_the_home(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor what is none of its business."""
    monkeypatch.setenv(name, "secret")
    assert name not in sam.environ()


def test_sam_is_started_with_just_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is set around it."""
    written = tmp_path / "environ.json"
    monkeypatch.setattr(sam, "install", lambda: Path(sys.executable))
    monkeypatch.setattr(sys, "argv", ["sam", *DUMP, str(written)])
    monkeypatch.setenv("LONG_LIVED_ACCESS_TOKEN", "secret")
    with pytest.raises(SystemExit, match="0"):
        sam.main()
    seen = json.loads(written.read_text())
    assert seen["SAM_CLI_TELEMETRY"] == "0"
    assert "secret" not in seen.values()


@pytest.mark.parametrize("called", ["main", "npm"])
def test_the_ask_cli_sees_its_own_settings_and_nothing_private(
    called: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy, its folder and its login; no token of the home and no login of AWS."""
    written = tmp_path / "environ.json"
    command = [sys.executable, *DUMP, str(written)]
    kept = {"HOME": "/x", "HTTPS_PROXY": "http://proxy", "XDG_CONFIG_HOME": "/y"}
    private = [
        *VARIABLES,
        "LINK_CLIENT_SECRET",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
    ]
    for name, value in (kept | dict.fromkeys(private, "secret")).items():
        monkeypatch.setenv(name, value)
    if called == "npm":
        ask._run(command, tmp_path)  # npm is called so
    else:
        monkeypatch.setenv("ASK_REFRESH_TOKEN", "of the CLI itself")
        monkeypatch.setattr(ask, "install", lambda: command[:-1])
        monkeypatch.setattr(sys, "argv", ["ask", str(written)])
        with pytest.raises(SystemExit, match="0"):
            ask.main()
        kept["ASK_REFRESH_TOKEN"] = "of the CLI itself"
    seen = json.loads(written.read_text())
    assert {name: seen[name] for name in kept} == kept
    assert "secret" not in seen.values()


def test_this_interpreter_is_found() -> None:
    """The one that runs is at hand."""
    assert find_interpreter([HERE]) == Interpreter(HERE, sys.executable)


def test_the_first_that_is_there_is_taken() -> None:
    """Best first; one that nobody has is passed over."""
    assert find_interpreter(["3.1", HERE]).version == HERE


def test_a_shim_that_only_complains_is_no_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pyenv has one on PATH for each version that is installed but not switched on."""
    shim = tmp_path / "python3.99"
    shim.write_text(
        "#!/bin/sh\necho 'pyenv: python3.99: command not found' >&2\nexit 127\n"
    )
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert find_interpreter(["3.99", HERE]).version == HERE


def test_uv_is_left_to_fetch_what_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version stands for the path then."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_interpreter(["3.98"]) == Interpreter("3.98", "3.98")


def test_an_environment_without_its_python_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an update of Python, which takes away what the environment links to."""
    monkeypatch.setattr(tools, "tools_folder", lambda: tmp_path)
    (empty := tmp_path / "requirements.txt").write_text("")
    here = Interpreter(HERE, sys.executable)
    folder = tools.environment("some", here, [empty])
    python = tools.program(folder, "python")
    python.unlink()
    python.symlink_to(tmp_path / "gone")
    assert tools.environment("some", here, [empty]) == folder
    assert python.exists()


def test_nothing_is_built_by_what_has_no_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index may withhold the wheel, and give what the source says builds it."""
    monkeypatch.setattr(tools, "tools_folder", lambda: tmp_path)
    (index := tmp_path / "index").mkdir()
    mark = tmp_path / "mark"
    with tarfile.open(index / "some-1.tar.gz", "w:gz") as source:
        for name, text in (
            ("PKG-INFO", "Metadata-Version: 2.2\nName: some\nVersion: 1\n"),
            (
                "pyproject.toml",
                '[build-system]\nrequires = ["builder"]\nbuild-backend = "builder"\n',
            ),
        ):
            entry = tarfile.TarInfo(f"some-1/{name}")
            entry.size = len(text)
            source.addfile(entry, io.BytesIO(text.encode()))
    with zipfile.ZipFile(index / "builder-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("builder.py", f"open({str(mark)!r}, 'w')")
        about = "builder-1.dist-info"
        wheel.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.2\nName: builder\nVersion: 1\n"
        )
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    digest = hashlib.sha256((index / "some-1.tar.gz").read_bytes()).hexdigest()
    (lock := tmp_path / "lock.txt").write_text(f"some==1 --hash=sha256:{digest}\n")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(index))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(CommandError, match="no trusted hash") as caught:
        tools.environment("some", Interpreter(HERE, sys.executable), [lock])
    assert "experimental" not in str(caught.value)
    assert not mark.exists()


def test_every_release_has_its_lock() -> None:
    """Home Assistant and its frontend pinned, so that a start needs no download."""
    for version in releases.SUPPORTED:
        lock = (tools.LOCKS / f"home-assistant-{version}.txt").read_text()
        assert f"\nhomeassistant=={version} \\\n" in lock
        assert "home-assistant-frontend==" in lock


@pytest.mark.skipif(sys.platform == "win32", reason="the stub is a script of a shell")
def test_installers_have_nothing_of_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have what finds PyPI, though: an index, a proxy, a login."""
    stub, seen = tmp_path / "uv", tmp_path / "seen"
    stub.write_text(f'#!/bin/sh\n(env; pwd) >> {seen}\n[ "$1" = --version ]\n')
    stub.chmod(0o755)
    needed = ("UV_DEFAULT_INDEX", "https_proxy")
    paths = ("NETRC", "SSL_CERT_FILE", "UV_CACHE_DIR")  # from where we are
    for name in (*VARIABLES, "LINK_CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "secret-51ab")
    for name in (*needed, *paths):
        monkeypatch.setenv(name, "needed-51ab")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(build.BuildError):
        build.build(tmp_path / "package", uvs=[str(stub)])
    told = seen.read_text()
    assert "secret-51ab" not in told
    for name in needed:
        assert f"{name}=needed-51ab" in told
    for name in paths:
        assert f"{name}={tmp_path}/needed-51ab" in told
    assert str(tmp_path) not in told.splitlines()  # where somebody's uv.toml may lie


def test_files_of_strangers_change_nothing_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A uv.toml where we are could name other files, with the hashes of these."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(build, "VERSION", HERE)
    (tmp_path / "uv.toml").write_text("no TOML")
    for name in ("py_compile", "pathlib", "compileall", "urllib3"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(9)")
    (folder := tmp_path / "package").mkdir()
    (folder / "one.py").write_text("x = 1\n")
    tools.run_uv("venv", "--python", sys.executable, str(tmp_path / "venv"))
    assert build._compile(folder, [sys.executable])
    assert list(folder.rglob("*.pyc"))
    lab._stage(sys.executable, tmp_path / "bench", tools.ROOT)


#: What an index, a proxy or AWS may say to a program that was started for us.
SAID = "\x1b]0;x\x07\u202e\u009b31m said ”{}“"


@pytest.mark.parametrize(
    ("name", "value", "repeated"),
    [
        ("UV_DEFAULT_INDEX", "https://me:pa%2Fss-51ab@pypi.example.org/", "pa/ss-51ab"),
        ("https_proxy", "http://key-51ab-key@proxy.example.org:3128", "key-51ab-key"),
        ("UV_INDEX", f"https://{'51ab' * 9}:x-oauth-basic@git.example.org", "51ab" * 9),
        ("https_proxy", "me:pa%2Fss-51ab@proxy.example.org:3128", "pa/ss-51ab"),
        ("https_proxy", "http://me:pa/ss-51ab@proxy.example.org", "pa/ss-51ab"),
        ("UV_INDEX_OURS_PASSWORD", "secret-51ab", "c2VjcmV0LTUxYWI="),
        ("npm_config__authToken", "secret-51ab", "SECRET-51AB"),
        ("AWS_SESSION_TOKEN", "secret-51ab", "secret\\u002d51ab"),
        ("HOME", "/home/me", "x-amz-security-token:Fwo51ab/of+a-file="),
        ("HOME", "/home/me", f"FwoGZXIv{'51ab/of+a-file' * 9}="),
    ],
)
def test_last_words_are_only_shown(name: str, value: str, repeated: str) -> None:
    """Without what the program was sent to say it with, and a token out of a file."""
    script = "import sys\nsys.stderr.buffer.write(sys.argv[1].encode())\nsys.exit(1)"
    command = [sys.executable, "-c", script, SAID.format(repeated)]
    with pytest.raises(processes.FailedError) as caught:
        processes.run(command, environ={name: value}, timeout=120)
    told = str(caught.value)
    assert told.startswith("It said: “")
    assert told.endswith("”.")
    assert told.isprintable()
    assert repeated not in told
    assert "<redacted>" in told
    assert told.count("”") == 1


def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    """As where somebody has deleted a part of what was installed."""
    with pytest.raises(processes.FailedError, match="cannot be started: No such file"):
        processes.run([str(tmp_path / "gone")], environ={}, timeout=120)


@pytest.mark.skipif(sys.platform == "win32", reason="the stub is a script of a shell")
def test_an_installer_has_not_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What an index says is told by us, without the password that it was sent."""
    stub = tmp_path / "uv"
    said = SAID.format("secret-51ab")
    stub.write_text(f"#!/bin/sh\n[ $1 = --version ] && exit\necho '{said}' >&2; exit 1")
    stub.chmod(0o755)
    monkeypatch.setattr(uv, "find_uv_bin", lambda: str(stub))
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://me:secret-51ab@pypi.example.org/")
    done = CliRunner().invoke(package, [str(tmp_path / "ha-bridge.zip")])
    assert done.exit_code == 2
    assert "is PyPI reachable? It said: “" in done.output
    assert done.output.strip().isprintable()
    assert "51ab" not in done.output
    assert capfd.readouterr() == ("", "")


def test_make_shows_what_an_installer_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """As text: an index can say what a terminal obeys, and what it was sent."""

    def fail(_folder: Path) -> bool:
        raise build.BuildError(
            "It failed.", SAID.format("bWU6cGEvc3MtNTFhYg== pa/ss-51ab")
        )

    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://me:pa%2Fss-51ab@pypi.example.org/")
    monkeypatch.setattr(build, "build", fail)
    monkeypatch.setattr(sys, "argv", ["build.py", "package"])
    with pytest.raises(SystemExit) as caught:
        build.main()
    lines = str(caught.value.code).splitlines()
    assert lines[-1] == "It failed."
    assert "<redacted>" in lines[0]
    assert "51ab" not in lines[0]
    assert "bWU6cGEvc3MtNTFhYg" not in lines[0]
    assert all(line.isascii() and line.isprintable() for line in lines)


@pytest.mark.skipif(sys.platform != "linux", reason="it is /proc that counts memory")
def test_a_program_without_end_takes_no_memory() -> None:
    """It is ended, however fast it writes."""
    before = _kilobytes()
    loop = "import sys\nwhile True: sys.stdout.write('x' * 100_000)"
    with pytest.raises(processes.FailedError, match="wrote over"):
        processes.run([sys.executable, "-c", loop], environ={}, timeout=120)
    assert _kilobytes() - before < 100_000


def _kilobytes() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def test_last_words_are_the_end_of_a_log(tmp_path: Path) -> None:
    """Of one of gigabytes no more is read, and nothing secret that the child knew."""
    log = tmp_path / "log"
    with log.open("wb") as file:
        file.truncate(5_000_000_000)
        file.seek(0, 2)
        file.write(b"\nit ended by pa5s so")
    command = [sys.executable, "-c", ""]
    environ = {"LONG_LIVED_ACCESS_TOKEN": "pa5s"}
    child = processes.Process("x", command, environ=environ, log=log)
    child.stop()
    assert child.last_words().endswith("it ended by <redacted> so”.")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(128 + 15)], ids=repr)
def test_a_signal_in_a_bad_moment_is_not_lost(error: BaseException) -> None:
    """Python ignores what is raised where it tidies up, as behind each import."""

    class Unlucky:
        def __del__(self) -> None:
            raise error

    def wait() -> None:
        with processes.ending_on_signals():
            Unlucky()
            time.sleep(60)

    with pytest.raises(type(error)):
        wait()
