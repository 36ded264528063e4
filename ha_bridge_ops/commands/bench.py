"""`ha-bridge bench`: the command."""

import contextlib
import datetime as dt
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.text import Text

from ha_bridge_ops import options
from ha_bridge_ops.bench import measure
from ha_bridge_ops.bench.cpu import Share
from ha_bridge_ops.bench.figures import summed_up
from ha_bridge_ops.bench.home import Home
from ha_bridge_ops.bench.lab import Lab
from ha_bridge_ops.bench.measure import Progress
from ha_bridge_ops.bench.picture import svg
from ha_bridge_ops.bench.results import Results
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.files import write_text
from ha_bridge_ops.local import releases
from ha_bridge_ops.local.processes import inherited
from ha_bridge_ops.terminal import Console, echo

#: Columns of the tables; narrower, their lines would break.  And how many more two more
#: columns need.
WIDTH, WIDER = 148, 40

#: What tells which versions ran; asked of the function's Python.
_VERSIONS = (
    "import platform, ssl, urllib3 as u; print(platform.python_version(), "
    "'urllib3 ' + u.__version__, ssl.OPENSSL_VERSION, sep=', ')"
)


class Plan(NamedTuple):
    """What is measured, and under which conditions; see the options."""

    rtt: float
    memory: int
    rounds: int
    against: Path | None

    @property
    def share(self) -> Share:
        """The CPU that Lambda would give."""
        return Share(self.memory)


@options.command()
@click.option(
    "--rtt",
    type=click.FloatRange(0, 1000),
    default=40.0,
    show_default=True,
    help="Milliseconds of a round trip to the home.",
)
@click.option(
    "--memory",
    type=click.IntRange(128, 10240),
    default=128,
    show_default=True,
    help="Memory of the function in MB; Lambda gives CPU in proportion.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 200),
    default=15,
    show_default=True,
    help="Rounds, each with a cold start of every contender.",
)
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Another checkout, measured side by side with this one.",
)
@options.as_json
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write a bar chart to this file, as SVG.",
)
def bench(*, as_json: bool, picture: Path | None, **chosen: Any) -> None:
    """Measure the handler, a usual script, and the least that is possible.

    \b
    Examples:
      ha-bridge bench                                  some ten minutes
      ha-bridge bench --rounds 3                       a first impression
      ha-bridge bench --memory 256 --rtt 100 --json | jq .targets
      git worktree add ../before HEAD~1
      ha-bridge bench --against ../before              is it slower than it was?

    It compares contenders, which take turns and run in processes of their own: this
    handler; the same as one file, and with CA_CERTIFICATE, to compare the cold start; a
    script that makes a new client for every directive; and the limit, a bare TLS socket
    that stays open, posts the same bytes and only reads the answer.
    They talk to a real Home Assistant behind TLS 1.3 and a delayed network. Where
    Linux allows it, they get only the CPU of a small Lambda function.

    Everything is on this machine, and nothing keeps running afterwards. It needs
    Linux or macOS, because Home Assistant does not run on Windows.

    Exit status: 0 measured, whatever the result; 2 it could not run.
    """
    plan = Plan(**chosen)
    if plan.against and not (plan.against / "lambda_function.py").is_file():
        raise CommandError(
            f"There is no lambda_function.py in {plan.against}. "
            "Give a checkout of ha-bridge, such as a git worktree."
        )
    progress = Console(stderr=True)
    started = time.monotonic()
    with progress.status("Installing what is needed ...") as status:

        def say(what: str, done: float) -> None:
            status.update(Text.assemble(what, (f" {done:.0%}", "dim")))

        with contextlib.ExitStack() as stack:
            report = _measure(stack, plan, say)
    seconds = time.monotonic() - started
    took = (f" {seconds:.0f} s", "dim")
    progress.print(Text.assemble(("✓ ", "green"), "Measured", took))
    if picture:
        write_text(picture, svg(report))
    if as_json:
        echo(json.dumps(report.as_json(), indent=2))
    else:
        report.show(Console(width=WIDTH + (WIDER if plan.against else 0)))


def _measure(stack: contextlib.ExitStack, plan: Plan, say: Progress) -> Results:
    release = releases.newest(lambda line: echo(line, err=True))
    releases.install(release)
    folder = Path(
        stack.enter_context(tempfile.TemporaryDirectory(prefix="ha-bridge-bench-"))
    )
    say("Starting Home Assistant", 0)
    home = Home(stack, release, folder, plan.rtt)
    lab = Lab(home, plan.share, folder, plan.against)
    notes = measure.rounds(lab, plan.rounds, say)
    measure.wire(lab, notes, say)
    growth = list(measure.growth(lab, plan.rounds, say))
    troubles = list(measure.troubles(lab, plan.rounds, say))
    circumstances = dict(_circumstances(lab, plan))
    return Results(circumstances, summed_up(notes), growth, troubles)


def _circumstances(lab: Lab, plan: Plan) -> Iterator[tuple[str, Any]]:
    versions = subprocess.run(
        [lab.python, "-I", "-c", _VERSIONS],
        env=inherited(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    limited = f"not limited: {plan.share.why_off}"
    if plan.share.why_off is None:
        limited = f"{plan.share.fraction:.3f} of one, after the import"
    yield "date", dt.datetime.now(dt.UTC).date().isoformat()
    machine = f"{platform.system()} {platform.release()}, {platform.machine()}"
    yield "machine", f"{machine}, {os.cpu_count()} CPUs"
    yield "Python", versions.stdout.strip()
    yield "Home Assistant", lab.home.server.release.version
    yield "TLS 1.3 by", lab.home.tls_server
    yield "round trip", f"{plan.rtt:g} ms"
    yield "CPU", limited
    yield "certificates in the bundle", lab.home.certificates.count
    yield "endpoints", len(lab.home.endpoints)
    yield "rounds", plan.rounds
    if plan.against:
        yield "before", str(plan.against)
