"""Who may import whom, and what a cold start pays for."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "ha_bridge"

#: What each module of the core may import of the core.
MAY_IMPORT = {
    "__init__": set[str](),
    "delivery": set(),
    "echoes": {"redaction"},
    "errors": {"echoes"},
    "race": set(),
    "redaction": {"echoes"},
    "certificates": set(),
    "gate": {"certificates", "echoes", "errors", "redaction", "secrets"},
    "settings": {"errors", "gate", "redaction"},
    "answerers": {"errors", "settings"},
    "network_errors": {"errors"},
    "secrets": {"errors", "race", "redaction"},
    "messages": {"delivery", "errors", "redaction"},
    "connection": {"__init__", "errors", "race", "redaction", "settings"},
    "home_assistant": {
        "__init__",
        "answerers",
        "connection",
        "delivery",
        "errors",
        "messages",
        "network_errors",
        "race",
        "redaction",
        "settings",
    },
    "bridge": {
        "delivery",
        "errors",
        "home_assistant",
        "__init__",  # own_events, when one comes
        "messages",
        "redaction",
        "secrets",
        "settings",
    },
    "token_endpoint": {
        "delivery",
        "errors",
        "home_assistant",
        "redaction",
        "secrets",
    },
    "own_events": {"errors", "probe", "settings"},
    "probe": {
        "__init__",
        "answerers",
        "connection",
        "errors",
        "home_assistant",
        "network_errors",
        "settings",
    },
}


def imported(path: Path) -> set[str]:
    """Return the full names of the modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_every_module_is_listed() -> None:
    """A new one is a decision."""
    assert {path.stem for path in CORE.glob("*.py")} == set(MAY_IMPORT)


@pytest.mark.parametrize("module", MAY_IMPORT)
def test_the_core_imports_downwards_only(module: str) -> None:
    """The order in which the modules can be read."""
    names = imported(CORE / f"{module}.py")
    ours = {
        name.partition(".")[2] or "__init__" for name in names if "ha_bridge" in name
    }
    assert ours <= MAY_IMPORT[module]
    assert not any(name.startswith("ha_bridge_ops") for name in names)


def test_only_one_module_knows_http() -> None:
    """And those loaded only when asked to: one examines it, two know what it means."""
    knowing = {
        path.stem
        for path in CORE.glob("*.py")
        if any(name.startswith(("urllib3", "http")) for name in imported(path))
    }
    assert knowing == {"answerers", "home_assistant", "network_errors", "probe"}


def test_only_one_room_knows_aws() -> None:
    """boto3 and its dicts stay in aws/, and are loaded when AWS is first asked."""
    ops = ROOT / "ha_bridge_ops"
    knowing = {
        path.parent
        for path in ops.rglob("*.py")
        if any(name.startswith(("boto3", "botocore")) for name in imported(path))
    }
    assert knowing == {ops / "aws"}
    assert "boto3" not in loaded("import ha_bridge_ops.cli")


#: The rooms of the command, from the ground up: each imports from those below it only,
#: and shared ones from those beside them.
#: `cli` is above none of them, because it loads a command when it is typed.
ROOMS = (
    [
        *("code_page", "grammar", "home_client", "outside", "project", "strangers"),
        *("svg", "typed"),
    ],
    ["errors"],
    ["files", "regions", "state", "terminal"],
    ["local"],
    ["events"],
    ["variables", "endpoints", "options", "aws"],
    ["adopt", "check", "skill", "bench", "cli"],
    ["page", "reference", "report", "setup"],
    ["commands", "__main__"],
)

#: What may know click: commands, their options, errors, what prints, and in local/ the
#: tools of developers that are run as modules.
CLICK = {"cli", "commands", "errors", "local", "options", "reference", "terminal"}


def room(name: str) -> str:
    """Return the room of a module of the command."""
    return name.removeprefix("ha_bridge_ops").strip(".").partition(".")[0]


@pytest.mark.parametrize("floor", range(len(ROOMS)))
def test_rooms_import_from_those_below(floor: int) -> None:
    """A newcomer can read them in this order, and move one without the next."""
    allowed = {name for below in ROOMS[:floor] for name in below}
    for name in ROOMS[floor]:
        path = ROOT / "ha_bridge_ops" / name
        files = list(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
        for file in files:
            ours = {
                room(one) for one in imported(file) if one.startswith("ha_bridge_ops.")
            }
            beside = set(ROOMS[floor]) if floor in (0, 2, 5) else {name}
            assert ours <= allowed | beside | {name}, file


def test_every_room_has_a_floor() -> None:
    """A new one is a decision."""
    found = {
        path.stem
        for path in (ROOT / "ha_bridge_ops").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert found - {"__init__"} == {name for floor in ROOMS for name in floor}


def test_only_what_one_types_knows_click() -> None:
    """Engines can be used by a page and tried without a terminal."""
    ops = ROOT / "ha_bridge_ops"
    knowing = {
        room(path.relative_to(ops).with_suffix("").as_posix().replace("/", "."))
        for path in ops.rglob("*.py")
        if any(name.partition(".")[0] == "click" for name in imported(path))
    }
    assert knowing <= CLICK


def loaded(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter has after a statement."""
    code = f"{statement}\nimport sys; print('\\n'.join(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"BASE_URL": "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(result.stdout.split())


def test_the_function_loads_nothing_but_itself_and_urllib3() -> None:
    """Each module is paid for at every cold start."""
    known = "import urllib3.connection, logging, json, uuid, traceback, selectors"
    extra = loaded("import lambda_function") - loaded(known)
    ours = {"lambda_function", "ha_bridge"}
    late = {"__init__", "answerers", "network_errors", "own_events", "probe"}
    late |= {"certificates", "echoes", "gate", "token_endpoint"}
    ours |= {f"ha_bridge.{name}" for name in MAY_IMPORT if name not in late}
    assert extra == ours


@pytest.mark.parametrize("heavy", ["boto3", "botocore", "dataclasses", "asyncio"])
def test_nothing_heavy_is_loaded(heavy: str) -> None:
    """boto3 alone costs a third of a second; what logging loads itself is Python's."""
    assert heavy not in loaded("import lambda_function") - loaded("import logging")


@pytest.mark.parametrize(
    "environ",
    [
        {"SSLKEYLOGFILE": "/nonexistent/keys"},
        {"SSL_CERT_FILE": "/nonexistent/bundle.pem"},
        {"BASE_URL": ""},
        {"BASE_URL": "https://[::1]:1"},
    ],
    ids=str,
)
def test_the_import_survives(environ: dict[str, str]) -> None:
    """A function that cannot be imported answers nobody."""
    code = "import lambda_function as f; print(f.lambda_handler({}, None))"
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"BASE_URL": "https://127.0.0.1:1", **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ErrorResponse" in result.stdout


#: Names by which something gets to a terminal, and who may use them: what makes all of
#: it visible first, and tools of developers, which ask no server and no AWS.
PRINTING = {
    "print": {"local/package"},
    "input": set[str](),
    "echo": {"terminal"},
    "secho": set(),
    "prompt": {"terminal"},
    "confirm": {"terminal"},
    "stdout": {"cli"},
    "stderr": {"cli", "commands/invoke", "local/build"},
    # The text of an exit is printed as it is.
    "exit": {"cli", "local/ask", "local/build", "local/loopback", "local/sam"},
    # What starts programs that have it too: the user's own, and those that ask users.
    "subprocess.run": {
        *("commands/page", "local/ask", "local/build", "local/sam", "skill/ask_cli"),
    },
    "os.write": set(),
    "warn": set(),
    "print_exc": set(),
    "print_exception": set(),
    "ClickException": {"cli", "errors"},
    "UsageError": {"cli"},
    "BadParameter": set(),
    **{f"{one} as": set[str]() for one in ("click", "os", "sys", "rich")},
}

#: Of rich, what does not print by itself.
PARTS_OF_RICH = {"rich.text", "rich.table", "rich.segment", "rich.status"}


#: What starts a program.
STARTING = {"subprocess.run", "subprocess.Popen", "subprocess.check_call"}

#: Modules by which something gets to a terminal.
PRINTERS = ("click", "os", "sys", "traceback", "warnings")


def starting(path: Path) -> Iterator[str]:
    """Give by what a file starts programs that write to the terminal themselves."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in STARTING:
            given = {one.arg for one in node.keywords}
            if not given & {"capture_output", "stdout"}:
                yield ast.unparse(node.func)


def printing(path: Path) -> Iterator[str]:
    """Give the names by which a file could print."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in PRINTERS:
                yield f"os.{node.attr}" if node.value.id == "os" else node.attr
        elif isinstance(node, ast.ImportFrom) and node.module in PRINTERS:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            # Under another name nobody would find it.
            yield from (f"{one.name} as" for one in node.names if one.asname)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name, texts = node.func.id, [*map(type, node.args)]
            if name in ("print", "input"):
                yield name
            elif name in ("SystemExit", "exit") and set(texts) & {
                ast.JoinedStr,
                ast.Name,
            }:
                yield "exit"


def test_nobody_prints_but_the_terminal() -> None:
    """A field that is new goes through `outside`, for there is no other way."""
    ops = ROOT / "ha_bridge_ops"
    for path in ops.rglob("*.py"):
        name = path.relative_to(ops).with_suffix("").as_posix()
        if name.startswith("bench/"):
            continue
        for used in (*printing(path), *starting(path)):
            assert name in PRINTING.get(used, {name}), f"{name}: {used}"
        parts = {one for one in imported(path) if one.partition(".")[0] == "rich"}
        assert name == "terminal" or parts <= PARTS_OF_RICH, name
