"""Contenders in processes of their own, and what they are asked."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ha_bridge_ops.bench.cpu import Group, Share
from ha_bridge_ops.bench.helper import SCRIPTS, Helper
from ha_bridge_ops.bench.home import Home, Relay
from ha_bridge_ops.events import EVENTS, load, with_token
from ha_bridge_ops.local import lambda_runtime, one_file
from ha_bridge_ops.local.build import SOURCES
from ha_bridge_ops.local.processes import inherited

#: The contenders by name, in the order of every table, with what they are.  "before" is
#: there only if another checkout is to be compared with.
CONTENDERS = {
    "bridge": "ha-bridge",
    "one_file": "as one file",
    "own_authority": "with CA_CERTIFICATE",
    "before": "before",
    "per_directive": "client per directive",
    "limit": "limit",
}

#: Those of which only the start differs: later they run the same code as another.
COLD_ONLY = frozenset({"one_file", "own_authority"})

#: The directives: one that acts, one that only asks, and the long one.
COMMAND, QUESTION, DISCOVERY = "turn_on", "report_state", "discovery"

Directive = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """A directive, as it was measured."""

    s: float
    cpu_s: float
    answered: bool


@dataclass(frozen=True)
class ColdSample(Sample):
    """A first directive, with what comes before it."""

    import_s: float
    first_s: float
    both_s: float


class Contender(Helper):
    """A contender in a fresh process; see contender.py."""

    def __init__(
        self, name: str, python: str, environ: dict[str, str], group: Group | None
    ) -> None:
        command = [python, "-s", "-P", str(SCRIPTS / "contender.py"), name]
        super().__init__(f"The contender {name}", command, environ)
        self._group = {"join": group.join, "limit": group.limit} if group else None

    def start(self, directive: Directive) -> ColdSample:
        """Import, and answer a first directive."""
        answer = self.ask("start", directive=directive, group=self._group)
        return ColdSample(**answer)

    def post(self, directive: Directive) -> Sample:
        """Answer a directive."""
        return Sample(**self.ask("ask", directive=directive))

    def set_deaf(self, *, deaf: bool) -> None:
        """Let it hear nothing of what comes over its connections, or all again."""
        self.ask("deaf", deaf=deaf)

    def resolve_to(self, *addresses: str) -> None:
        """Let the home's name have these addresses."""
        self.ask("resolve", addresses=addresses)

    def peak_bytes(self) -> int:
        """Return the most memory that the process has held."""
        return int(self.ask("memory")["bytes"])


class Lab:
    """Makes contenders, and the directives for them.

    Args:
        home: What they talk to.
        share: The CPU they get.
        folder: For the function as it is shipped: compiled, with its urllib3.
        against: Another checkout of this project, as a contender of its own.
    """

    def __init__(
        self, home: Home, share: Share, folder: Path, against: Path | None = None
    ) -> None:
        self.home = home
        self._share = share
        self.python = _function_python()
        self.cold = [one for one in CONTENDERS if against or one != "before"]
        self.contenders = [one for one in self.cold if one not in COLD_ONLY]
        self._code = folder / "function"
        self._other_code = {
            "before": folder / "before",
            "one_file": folder / "one-file",
        }
        _stage(self.python, self._code, SOURCES)
        _stage_one_file(self._code, self._other_code["one_file"])
        if against:
            _stage(self.python, self._other_code["before"], against)
        self._directives = {
            relay.url: self._recorded(relay) for relay in (home.real, home.canned)
        }

    @contextlib.contextmanager
    def contender(self, name: str, relay: Relay) -> Iterator[Contender]:
        """Yield a contender in a fresh process, which is ended afterwards."""
        environ = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(self._other_code.get(name, self._code)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SSL_CERT_FILE": str(self.home.certificates.bundle),
            "BASE_URL": relay.url,
        }
        if name == "own_authority":  # then the others are not even parsed
            environ["CA_CERTIFICATE"] = self.home.certificates.authority
        with (
            self._share.group() as group,
            Contender(name, self.python, environ, group) as contender,
        ):
            yield contender

    def directive(self, name: str, relay: Relay) -> Directive:
        """Return an event, and the very bytes that our handler makes of it."""
        return self._directives[relay.url][name]

    def _recorded(self, relay: Relay) -> dict[str, Directive]:
        events = {
            name: {"event": with_token(load(EVENTS / f"{name}.json"), self._token)}
            for name in (COMMAND, QUESTION, DISCOVERY)
        }
        with self.contender("bridge", relay) as bridge:
            answer = bridge.ask("record", directives=list(events.values()))
        return {
            name: {**directive, "request": request}
            for (name, directive), request in zip(
                events.items(), answer["requests"], strict=True
            )
        }

    @property
    def _token(self) -> str:
        return self.home.server.access_token


def _function_python() -> str:
    """Return the Python that stands in for Lambda's."""
    if lambda_runtime.why_unavailable() is not None:
        return sys.executable
    return str(lambda_runtime.install()[1])


def _stage(python: str, folder: Path, checkout: Path) -> None:
    """Put the function of a checkout into a folder as it is shipped."""
    where = "import urllib3, pathlib; print(pathlib.Path(urllib3.__file__).parent)"
    found = subprocess.run(
        [python, "-I", "-c", where],
        env=inherited(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    unwanted = shutil.ignore_patterns("__pycache__")
    for source in (checkout / "ha_bridge", Path(found.stdout.strip())):
        shutil.copytree(source, folder / source.name, ignore=unwanted)
    shutil.copy(checkout / "lambda_function.py", folder)
    compiling = ["compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command = [python, "-I", "-m", *compiling, str(folder)]
    subprocess.run(command, env=inherited(), timeout=120, check=True)


def _stage_one_file(package: Path, folder: Path) -> None:
    """Put the function into a folder as the Lambda console's editor would have it.

    The runtime's urllib3 is compiled; what was pasted is not, and nothing that Lambda
    compiles at a start is kept for the next.
    """
    folder.mkdir()
    shutil.copytree(package / "urllib3", folder / "urllib3")
    text = one_file.lambda_function()
    (folder / "lambda_function.py").write_text(text, "ascii")
