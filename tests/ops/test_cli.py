"""The command as a whole: what it lists, what it loads, what its options mean."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ha_bridge_ops import options
from ha_bridge_ops.cli import COMMANDS, cli, main
from ha_bridge_ops.commands import __path__ as rooms
from tests.hostile import TEXTS, assert_harmless
from tests.ops.conftest import Run

#: What takes long to load, and no help needs.
HEAVY = ("boto3", "rich.console", "urllib3", "dotenv", "ha_bridge_ops.check")


def command(name: str) -> click.Command:
    """Return a command by its name."""
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def test_every_module_of_commands_is_a_command() -> None:
    """Their names are those of the modules, with hyphens."""
    modules = {path.stem for path in Path(rooms[0]).glob("*.py")} - {"__init__"}
    assert modules == {name.replace("-", "_") for name in COMMANDS}
    for name in COMMANDS:
        assert command(name).name == name


def test_the_help_loads_no_command() -> None:
    """Nor what a command needs: a list of names is there at once."""
    code = (
        "import sys, click.testing; from ha_bridge_ops.cli import cli;"
        "click.testing.CliRunner().invoke(cli, ['--help']);"
        "print('\\n'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert not [name for name in loaded if name.startswith("ha_bridge_ops.commands")]
    assert not [name for name in HEAVY if name in loaded]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_examples_and_exit_statuses(name: str) -> None:
    """Examples come first, and each of them is a command that exists."""
    shown = CliRunner().invoke(cli, [name, "--help"]).output
    assert "Examples:" in shown
    assert f"ha-bridge {name}" in shown
    assert "Exit status: 0" in shown
    assert "2 it could not run." in " ".join(shown.split())


@pytest.mark.parametrize("arguments", [(), ("check",), ("check", "--function", "x")])
def test_an_argument_too_many_is_repeated_as_text(arguments: tuple[str, ...]) -> None:
    """It may have been pasted."""
    done = CliRunner().invoke(cli, [*arguments, TEXTS[0]])
    assert done.exit_code == 2
    assert_harmless(done.output)
    assert "zq7" in done.output


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_means_the_same_everywhere(name: str) -> None:
    """A command that has a shared option has the one of `options`."""
    shared = {}
    for decorate in vars(options).values():
        if getattr(decorate, "__module__", "") == "click.decorators":
            made = decorate(click.Command("any"))
            shared.update({param.opts[0]: param for param in made.params})
    assert len(shared) > 5
    for param in command(name).params:
        same = shared.get(param.opts[0])
        if isinstance(param, click.Option) and isinstance(same, click.Option):
            if param.hidden:
                continue  # an older spelling
            assert (param.help or "").startswith(same.help or "?")
            assert param.type.name == same.type.name


def test_what_nobody_foresaw_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without its text, which may be a secret, and without a traceback."""

    def fail(**_options: object) -> None:
        raise ZeroDivisionError("hunter22")

    monkeypatch.setattr(sys, "argv", ["ha-bridge"])
    monkeypatch.setattr(cli, "main", fail)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    shown = capsys.readouterr().err
    assert "ZeroDivisionError" in shown
    assert "hunter22" not in shown
    assert "Traceback" not in shown


def test_without_a_command_the_help_is_all_there_is(run: Run) -> None:
    """On stderr, as it is no answer, and as no error of anybody's."""
    done = run()
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: ha-bridge")
    assert "Error" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is full")
def test_a_full_disk_is_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    """With what the system says of it."""
    command = [sys.executable, "-m", "ha_bridge_ops", "check", "--explain", "ha.gate"]
    # Else nothing is kept that Python would try to write again when it ends.
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        run = partial(subprocess.run, command, env=environ, check=False)
        assert run(stdout=full).returncode == 2
        shown = capfd.readouterr().err
        assert run(stdout=full, stderr=full).returncode == 2
    assert shown == "Error: The output cannot be written: No space left on device.\n"


def test_an_unknown_command_is_named(run: Run) -> None:
    """Exit status 2, and where to look."""
    done = run("frob")
    assert done.returncode == 2
    assert "No such command 'frob'" in done.stderr


TOKEN = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhYmNkZWYwMTIzNDU2In0.c2lnbmF0dXJl"
)
BASE = ("--base-url", "https://127.0.0.1:9")
#: Options whose value is anybody's to choose.
NAMES = ("--function", "--filter", "--stack", "--folder", "--name")
SKILL = ("skill", "--locale", "de-DE", *BASE)


@pytest.mark.parametrize(
    "secret",
    [
        *(TOKEN, "hunter22", "correct-horse-battery-staple"),
        *("me:hunter22@x.example", "https://me:hunter22@x.example"),
        f"https://x?t={TOKEN}",
    ],
)
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["check"],
        ["check", *BASE, "--region"],
        ["check", *BASE, "--locale"],
        ["check", *BASE, "--skill-id"],
        ["check", *BASE, "--fix"],
        ["check", "--base-url"],
        ["check", "--client-id"],
        ["check", "--env-file"],
        ["check", "--explain"],
        ["check", "--token-url"],
        ["invoke"],
        ["adopt", "--undo"],
        [*SKILL, "--folder"],
        [*SKILL, "--name"],
        ["report", "--days"],
        ["adopt", "--region"],
        ["setup", "--stack"],
        ["setup", "--wait"],
        ["demo", "--release"],
        [*SKILL, "--function"],
        [*SKILL, "--authorize-url"],
        [*SKILL, "--skill-id"],
        ["home-assistant-config", "--locale"],
        ["home-assistant-config", "--locale", "de-DE", "--filter"],
        ["home-assistant-config", "--locale", "de-DE", "--category"],
    ],
    ids=" ".join,
)
def test_a_secret_in_the_wrong_place_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: list[str],
    secret: str,
) -> None:
    """Nor in what follows; functions and domains may be called so."""
    is_name = secret in ("hunter22", "correct-horse-battery-staple")
    if is_name and arguments and arguments[-1] in NAMES:
        return
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ha-bridge", *arguments, secret])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (1, 2)
    shown = "".join("".join(capsys.readouterr()).split())
    assert "hunter22" not in shown
    assert "horse" not in shown
    assert TOKEN[:16] not in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "--explain", "ha.gat"], "ha.gat"),
        (["check", "--env-file", "my/Home2.env"], "my/Home2.env"),
        (["check", "--env-file", "x" * 300], "cannot be read"),
        (["skill", "--locale", "xx-YY"], "'xx-YY'"),
        (["invoke", "mine.json"], "There is no file mine.json"),
        ([*SKILL, "--folder", "a\nb"], "invisible character"),
        ([*SKILL, "--folder", "a\u3164b"], "invisible character"),
        ([*SKILL, "--folder", f"a/{TOKEN}"], "--folder is no folder"),
        ([*SKILL, "--apply", "--ask", "'"], "quotation mark"),
        (["report", "--days", "0"], "0 is not in the range"),
        (["report", "--days", "0123456789"], "<redacted> is not in the range"),
    ],
    ids=str,
)
def test_what_is_mistyped_is_told_with_its_cause(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    """What is plainly a word or a path may be repeated."""
    monkeypatch.setattr(sys, "argv", ["ha-bridge", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("columns", ["0", "²", "-1", "9" * 30])
def test_a_terminal_of_no_width_is_one_of_the_usual(
    monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    """COLUMNS may be anything."""
    monkeypatch.setenv("COLUMNS", columns)
    done = CliRunner().invoke(cli, ["check", "--explain", "ha.gate"])
    assert done.exit_code == 0
