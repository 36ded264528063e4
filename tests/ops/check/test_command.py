"""`ha-bridge check` as it is typed: what is on stdout, on stderr, and the status."""

import io
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from click.testing import CliRunner, Result

from ha_bridge_ops.check.catalogue import CHAIN, EVERY, PARTS, TEXTS
from ha_bridge_ops.check.chain import CHECKS
from ha_bridge_ops.check.context import Context, Options
from ha_bridge_ops.check.model import Finding, Status, Told
from ha_bridge_ops.check.output import Screen
from ha_bridge_ops.commands.check import check
from ha_bridge_ops.terminal import Console
from tests.fakes.behaviours import reply
from tests.ops.check.conftest import Serve
from tests.ops.conftest import Run
from tests.worlds.home import (
    HOST,
    PUBLIC,
    TOKEN,
    URL,
    dialler,
    home,
    plain,
    resolver,
)

#: Keys of a finding.
KEYS = ["id", "status", "saw", "fix", "page", "problems", "rows"]

#: What a package says of its project, if GitHub has built it.
DOCUMENTS = "Documentation, https://example.org/p/blob/main/docs/setup.md"

#: Types `ha-bridge check`, in a world where the home is at a port on loopback.
Type = Callable[..., Result]


@pytest.fixture
def type_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Type:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("BASE_URL", "NOT_VERIFY_SSL", "DEBUG", "LONG_LIVED_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def run(port: int, *arguments: str, **more: Any) -> Result:
        (tmp_path / ".env").write_text(
            f"BASE_URL={URL}\nLONG_LIVED_ACCESS_TOKEN={TOKEN}\n"
        )

        def make(
            environ: Mapping[str, str], options: Options, **_more: bool
        ) -> Context:
            return Context(
                environ,
                options,
                resolve=resolver(PUBLIC),
                dial=dialler(port),
                **more,
            )

        return CliRunner().invoke(check, arguments, obj=make)

    return run


def test_a_healthy_home_is_exit_status_0(type_it: Type, serve: Serve) -> None:
    """Every link has a line, with sign and word; nothing is coloured in a pipe."""
    done = type_it(serve(home()).port)
    assert done.exit_code == 0, done.output
    for link in CHAIN:
        assert link.id in done.stdout
    for part in ("Settings", "Certificate", "Directives"):
        assert f"\n{part}\n" in done.stdout
    assert "✓ ok" in done.stdout
    assert f"1 warning, {len(CHAIN) - 1} links fine." in done.stdout
    assert "\x1b" not in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert TOKEN not in done.output


def test_a_failure_is_exit_status_1(type_it: Type, serve: Serve) -> None:
    """With the lines to paste as they are to be pasted."""
    done = type_it(serve(home(get=plain(400, "400: Bad Request"))).port)
    assert done.exit_code == 1
    assert "✗ FAILED    ha.trusted_proxies" in done.stdout
    assert "skipped   ha.smart_home" in done.stdout
    pasted = [" " * 16 + line for line in ("http:", "  use_x_forwarded_for: true")]
    assert "\n".join(pasted) in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert [line for line in done.stdout.splitlines() if line != line.rstrip()] == []


def test_json_is_one_object_and_nothing_else(type_it: Type, serve: Serve) -> None:
    """In the order of the catalogue."""
    done = type_it(serve(home(get=plain(404, "404: Not Found"))).port, "--json")
    assert done.exit_code == 1
    shown = json.loads(done.stdout)
    assert list(shown) == ["version", "ha_bridge", "summary", "findings"]
    assert shown["version"] == 1
    statuses = Counter(one["status"] for one in shown["findings"])
    counted: dict[str, int] = {one: statuses[one] for one in Status}
    first = next(one for one in shown["findings"] if one["status"] == "failed")
    text = shown["summary"].pop("text")
    assert shown["summary"] == {"begin_with": first["id"], **counted}
    assert f"{counted[Status.OK]} links fine" in text
    assert [one["id"] for one in shown["findings"]] == [link.id for link in CHAIN]
    for one in shown["findings"]:
        assert list(one) == KEYS
        assert one["status"] in list(Status)
        assert bool(one["fix"]) == (one["status"] in ("failed", "warning"))
        for problem in one["problems"]:
            assert set(problem) == {"cause", "status", "saw", "means", "fix", "paste"}
    missing = next(one for one in shown["findings"] if one["id"] == "ha.smart_home")
    assert missing["fix"].endswith("alexa:\n  smart_home:")
    (problem,) = missing["problems"]
    assert problem["cause"] == "missing"
    assert problem["status"] == "failed"
    assert problem["means"]
    assert problem["paste"] == "alexa:\n  smart_home:"
    assert missing["rows"] == []
    assert TOKEN not in done.output


def test_markdown_leaves_out_who_one_is(type_it: Type, serve: Serve) -> None:
    """It is pasted where strangers read it."""
    page = {"Content-Type": "text/html", "Server": HOST}
    done = type_it(
        serve(home(get=reply(404, b"<title>My | page</title>", page))).port,
        "--markdown",
        "--base-url",
        "https://my-own-home.example.net",
    )
    assert done.exit_code == 1
    assert "| ✗ FAILED | `ha.is_home_assistant` |" in done.stdout
    assert "My \\| page" in done.stdout
    _, found, problem = done.stdout.partition("**ha.is_home_assistant** (no_site): ")
    assert found
    means, fix = problem.split("\n\n")[:2]
    assert means.startswith("This answer is not from Home Assistant.")
    assert fix.startswith("→ Compare the name and path in BASE_URL")
    assert "my-own-home" not in done.stdout
    assert PUBLIC not in done.stdout
    assert TOKEN not in done.stdout


@pytest.mark.parametrize("option", ["--markdown", "--json"])
def test_a_redirect_to_another_name_of_ones_own(
    option: str, type_it: Type, serve: Serve
) -> None:
    """It is left out for a forum, and shown to oneself."""
    location = "https://hidden.example.net/api/alexa/smart_home"
    server = serve(home(get=reply(301, b"", {"Location": location})))
    done = type_it(server.port, option)
    assert ("hidden.example.net" in done.stdout) == (option == "--json")


def test_ones_own_name_is_left_out_however_it_is_written(
    type_it: Type, serve: Serve
) -> None:
    """Names of machines know no capital letters; servers write them as they like."""
    location = "https://HIDDEN.Example.NET/api/alexa/smart_home"
    server = serve(home(get=reply(301, b"", {"Location": location})))
    shown = type_it(server.port, "--markdown").stdout
    assert "hidden.example.net" not in shown.lower()


def test_nobody_who_answers_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the input has ended, nothing is linked, and the status says so."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner(env={"BASE_URL": "http://127.0.0.1:9"}).invoke(
        check, ["--link", "--locale", "en-GB"], input=""
    )
    assert done.exit_code == 2
    assert "Nobody answered, so nothing was linked." in done.output


def test_what_a_server_echoes_is_not_shown(type_it: Type, serve: Serve) -> None:
    """Whoever answers with the token in a title does not get it printed."""
    echo = reply(200, f"<title>{TOKEN[:30]}</title>{TOKEN}".encode())
    for arguments in ([], ["--json"], ["--markdown"]):
        done = type_it(serve(home(get=echo)).port, *arguments)
        assert TOKEN not in done.output


def test_the_address_on_the_command_line_goes_first(
    type_it: Type, serve: Serve
) -> None:
    """For a quick look at another."""
    server = serve(home())
    done = type_it(server.port, "--base-url", f"{URL}:8123")
    assert "the port is 8123" in done.stdout


def test_from_another_process(run: Run) -> None:
    """The installed command, where there are no settings at all."""
    done = run("check")
    assert done.returncode == 1
    assert "BASE_URL is not set" in done.stdout
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def test_wrong_usage_is_exit_status_2(run: Run) -> None:
    """One line that says what is wrong."""
    for arguments in (["--json", "--markdown"], ["--no-such-option"]):
        done = run("check", *arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert "Traceback" not in done.stderr


def test_help_begins_with_examples(run: Run) -> None:
    """What to type comes before what it means."""
    done = run("check", "--help")
    assert done.returncode == 0
    assert 0 < done.stdout.index("Examples:") < done.stdout.index("Options:")
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_colour_only_repeats_what_words_say() -> None:
    """Without it nothing is lost, and a terminal shows it."""
    shown = {}
    for is_terminal in (False, True):
        text = io.StringIO()
        system: Literal["standard"] | None = "standard" if is_terminal else None
        console = Console(
            file=text, force_terminal=is_terminal, color_system=system, width=80
        )
        report = Screen(console)
        for status in Status:
            told = Told("banned", status, "seen", "means", "fix", "paste")
            report.add(Finding("ha.banned", status, "seen", (told,)))
        shown[is_terminal] = text.getvalue()
    assert "\x1b" in shown[True]
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown[True]) == shown[False]
    for status in Status:
        assert status.mark in shown[False]
    assert len({status.mark[0] for status in Status}) == len(Status)


def test_each_problem_has_its_own_fix() -> None:
    """What has the same meaning and fix is told once, with all that was seen of it."""
    text, warning = io.StringIO(), Status.WARNING
    told = (
        Told("hard", warning, "LR", "Hard to say.", "Rename it:", "light.a: A"),
        Told("group_word", warning, "Hall", "A room.", "Choose a name:", "light.c: C"),
        Told("hard", warning, "TV 2", "Hard to say.", "Rename it:", "light.b: B"),
    )
    Screen(Console(file=text, width=80)).add(
        Finding("discovery.names", warning, "LR; Hall; TV 2", told)
    )
    lines = [line.strip() for line in text.getvalue().splitlines() if line.strip()]
    assert lines == [
        *("Discovery", "! warning   discovery.names"),
        *("LR; TV 2", "Hard to say.", "→ Rename it:", "light.a: A", "light.b: B"),
        *("Hall", "A room.", "→ Choose a name:", "light.c: C"),
    ]


def test_what_is_seen_from_two_places_is_side_by_side() -> None:
    """In columns, and nothing in a cell does anything to a terminal."""
    rows = (("TLS", "12 ms", "9 ms"), ("ha.reachable", "✗ FAILED", "\x1b[31m✓ ok"))
    text = io.StringIO()
    found = Finding("aws.probe", Status.OK, "from AWS all is well", rows=rows)
    Screen(Console(file=text, width=80)).add(found)
    table = [line[12:] for line in text.getvalue().splitlines()[-3:]]
    assert table[0] == f"{'':12}  from here  from AWS"
    assert table[1] == f"{'TLS':12}  12 ms      9 ms"
    assert table[2].startswith("ha.reachable  ✗ FAILED   ")
    cells = [cell for row in found.rows for cell in row]
    assert "\x1b" not in "".join([*table, *cells])


def test_every_link_has_a_check_and_every_check_a_link() -> None:
    """One list of texts, one of functions."""
    names = [link.id for link in EVERY]
    assert set(names) == set(CHECKS)
    assert len(names) == len(set(names))
    for link in EVERY:
        assert link.id.partition(".")[0] in PARTS
        assert len({cause.name for cause in link.causes}) == len(link.causes)
        for cause in link.causes:
            assert cause.status in (Status.WARNING, Status.FAILED)
            assert cause.fix


def test_a_profile_that_is_not_there_is_no_login(run: Run, tmp_path: Path) -> None:
    """--profile is that of the AWS command line; a mistyped one is a finding."""
    done = run(
        *["check", "--aws", "--profile", "nobody", "--json"],
        BASE_URL="http://127.0.0.1:9",
        AWS_CONFIG_FILE=str(tmp_path / "none"),
        AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "none"),
    )
    assert done.returncode == 1
    found = {one["id"]: one for one in json.loads(done.stdout)["findings"]}
    (problem,) = found["aws.credentials"]["problems"]
    assert problem["cause"] == "profile"
    assert "ProfileNotFound" in problem["saw"]


def test_linking_needs_to_know_where_one_lives(type_it: Type) -> None:
    """The locale decides which of Amazon's addresses links; nothing is asked before."""
    done = type_it(1, "--link")
    assert done.exit_code == 2
    assert "--link needs --locale" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("name", [link.id for link in EVERY])
def test_a_finding_is_explained_without_looking(name: str) -> None:
    """All its causes with what each means and asks for, in 80 columns, offline."""
    done = CliRunner().invoke(check, ["--explain", name], env={"COLUMNS": "80"})
    assert done.exit_code == 0
    shown = " ".join(done.stdout.split())
    (link,) = [one for one in EVERY if one.id == name]
    for cause in link.causes:
        assert f"{cause.name} (" in shown
        for text in (cause.symptom, cause.means, cause.fix):
            assert " ".join(TEXTS.with_examples(text).split()) in shown
        for line in TEXTS.with_examples(cause.paste).splitlines():
            assert f"    {line}\n" in done.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ha.gat", "Do you mean ha.gate?"),
        ("gate", "Do you mean ha.gate?"),
        ("tls", "Do you mean tls.certificate?"),
        ("x y\x1b[2J", "check prints the ids."),
    ],
)
def test_a_finding_that_is_not_there_is_one_sentence(name: str, said: str) -> None:
    """It names what is like it."""
    done = CliRunner().invoke(check, ["--explain", name])
    assert done.exit_code == 2
    assert said in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("has_copy", "known", "where"),
    [
        (True, [DOCUMENTS], "docs/closed-homes.md"),
        (False, [DOCUMENTS], "https://example.org/p/blob/main/docs/closed-homes.md"),
        (False, ["Issues, https://example.org/p/issues"], "docs/closed-homes.md"),
        (False, [], "docs/closed-homes.md"),
    ],
)
def test_documents_are_where_they_can_be_read(
    *, has_copy: bool, known: list[str], where: str
) -> None:
    """An installed command has none of them beside it, and names its project's."""
    text = io.StringIO()
    screen = Screen(Console(file=text, width=200), has_copy=has_copy, known=known)
    screen.say("Read docs/closed-homes.md, not docs.")
    screen.paste("sam build && sam deploy")
    assert f"Read {where}, not docs." in text.getvalue()
    assert ("ha-bridge setup" in text.getvalue()) is not has_copy


def test_without_an_address_all_the_rest_says_so(type_it: Type) -> None:
    """Nothing is said to have answered where nothing was asked."""
    done = type_it(1, "--base-url", "nonsense")
    assert "it is not Home Assistant" not in done.stdout
    assert done.stdout.endswith("  ha-bridge check --explain settings.base_url\n")
