"""`ha-bridge demo`: Alexa's directives, the real runtime, a real Home Assistant."""

import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from ha_bridge.messages import error_type
from ha_bridge_ops import options
from ha_bridge_ops.endpoints.table import endpoint_table
from ha_bridge_ops.events import EVENTS, load, with_token
from ha_bridge_ops.local import lambda_runtime, releases
from ha_bridge_ops.local.embedded import HomeAssistantServer
from ha_bridge_ops.local.lambda_runtime import Function, InProcess, LambdaRuntime
from ha_bridge_ops.project import is_a_copy
from ha_bridge_ops.terminal import Console, Steps, echo, plain_table

#: Seconds for a device of the demo to reach its state; its locks take two.
SETTLE_S = 6.0

#: Shell lines for one's own home, as they are: what is put in place of the dots comes
#: by an editor, for a shell keeps in its history what is typed behind << too.  Nobody
#: else can read the token at any moment, even where the file was there.
WRITE_ENV_FILE = """\
(touch .env && chmod 600 .env && cat > .env) <<'END'
BASE_URL=https://…
LONG_LIVED_ACCESS_TOKEN=…
END
"""

State = dict[str, Any]


@dataclass(frozen=True)
class Act:
    """Something said to Alexa, and what should then be true in Home Assistant."""

    sentence: str
    event: str
    entity_id: str
    reading: Callable[[State], str]
    expected: str


def _brightness(state: State) -> str:
    level = state["attributes"].get("brightness")
    return f"{level / 2.55:.0f} %" if level else str(state["state"])


def _target(state: State) -> str:
    return f"{state['attributes']['temperature']:.0f} °C"


def _plain(state: State) -> str:
    return str(state["state"])


ACTS = (
    Act("turn on the bed light", "turn_on", "light.bed_light", _plain, "on"),
    Act(
        "set the kitchen lights to 40 %",
        "set_brightness",
        "light.kitchen_lights",
        _brightness,
        "40 %",
    ),
    Act(
        "set the heat pump to 22 degrees",
        "set_target_temperature",
        "climate.heatpump",
        _target,
        "22 °C",
    ),
    Act("lock the kitchen door", "lock", "lock.kitchen_door", _plain, "locked"),
    Act(
        "are the ceiling lights on?",
        "report_state",
        "light.ceiling_lights",
        _plain,
        "on",
    ),
)


@dataclass(frozen=True)
class Played:
    """How an act went."""

    act: Act
    before: str
    after: str
    milliseconds: float
    answer: str

    @property
    def as_expected(self) -> bool:
        """Whether Home Assistant is in the state that was asked for."""
        return self.after == self.act.expected


@dataclass(frozen=True)
class Mishap:
    """Something broken on purpose, and what Alexa was told."""

    what: str
    expected: str
    told: str
    message: str
    milliseconds: float


class Stage(Steps):
    """Progress on stderr; the show itself on stdout."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__()
        self.show = Console(quiet=quiet)

    def title(self, text: str) -> None:
        """Begin a part of the show."""
        self.show.print()
        self.show.rule(Text(text, style="bold"), align="left")
        self.show.print()


@options.command()
@options.as_json
@click.option(
    "--release",
    "wanted",
    metavar="RELEASE",
    help="Release of Home Assistant, such as 2025.1.4, or newest: the newest on PyPI. "
    "Otherwise the newest that the project knows and for which there is a Python.",
)
def demo(*, as_json: bool, wanted: str | None) -> None:
    """Watch Alexa's directives switch things in a real Home Assistant.

    \b
    Examples:
      ha-bridge demo
      ha-bridge demo --release 2025.1.4
      ha-bridge demo --json | jq .directives

    It installs Home Assistant into the project's .tools folder (once; some 1.1 GB),
    starts it with its demo devices on loopback, and runs directives through the
    function in AWS's own Lambda runtime. No account is needed, nothing leaves this
    machine, and nothing keeps running afterwards. It needs Linux or macOS, because
    Home Assistant does not run on Windows.

    Exit status: 0 all went as it should, 1 it did not, 2 it could not run.
    """
    stage = Stage(quiet=as_json)
    release = releases.brought(stage, wanted)
    reason = lambda_runtime.why_unavailable()
    if reason is None:
        with stage.step("Installing AWS's Lambda runtime and its emulator"):
            lambda_runtime.install()
    else:
        stage.progress.print(f"The handler is called in this process: {reason}.")
        # Its log lines would stand between those of the show.
        logging.getLogger("ha_bridge").addHandler(logging.NullHandler())
    with contextlib.ExitStack() as stack:
        server = HomeAssistantServer(release)
        with stage.step("Starting Home Assistant and creating a user"):
            stack.enter_context(server)
        variables = {"BASE_URL": server.url}
        function: LambdaRuntime | InProcess
        if reason is None:
            function = LambdaRuntime(variables)
            with stage.step("Starting the Lambda runtime"):
                stack.enter_context(function)
        else:
            function = InProcess(variables)
        results = _play(stage, server, function)
    if as_json:
        echo(json.dumps(results.as_json(), indent=2))
    if not results.all_well:
        raise SystemExit(1)


@dataclass(frozen=True)
class Results:
    """All that was seen."""

    endpoints: int
    cold_ms: float
    played: list[Played]
    mishaps: list[Mishap]

    @property
    def all_well(self) -> bool:
        """Whether everything went as it should, the failures included."""
        return (
            self.endpoints > 0
            and all(one.as_expected for one in self.played)
            and all(one.told == one.expected for one in self.mishaps)
        )

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "all_well": self.all_well,
            "endpoints": self.endpoints,
            "discovery_ms": round(self.cold_ms, 1),
            "directives": [
                {
                    "event": one.act.event,
                    "entity": one.act.entity_id,
                    "before": one.before,
                    "after": one.after,
                    "answer": one.answer,
                    "ms": round(one.milliseconds, 1),
                }
                for one in self.played
            ],
            "failures": [
                {"what": one.what, "type": one.told, "ms": round(one.milliseconds, 1)}
                for one in self.mishaps
            ],
        }


def _play(stage: Stage, server: HomeAssistantServer, function: Function) -> Results:
    stage.title("“Alexa, discover my devices”")
    event = with_token(load(EVENTS / "discovery.json"), server.access_token)
    answer, cold_ms = _timed(function, event)
    endpoints = answer["event"]["payload"].get("endpoints", [])
    stage.show.print(endpoint_table(endpoints))
    stage.show.print(
        Text.assemble(
            (f"\n{len(endpoints)} endpoints", "bold"),
            f" in {cold_ms:.0f} ms ",
            (f"({function.description})", "dim"),
        )
    )
    stage.title("Said to Alexa, seen in Home Assistant")
    played = [_act(stage, server, function, act) for act in ACTS]
    stage.show.print(_table_of(played))
    stage.title("How it fails")
    mishaps = list(_mishaps(stage, server, function))
    stage.show.print(_mishap_table(mishaps))
    stage.title("What next")
    command, more = "ha-bridge", ""
    if is_a_copy():
        command = ".venv/bin/ha-bridge"
        more = "All the tests: make test.  The whole story: README.md\n"
    stage.show.print(
        Text.assemble(
            "Your own home: make a file that only you can read.\n\n",
            (f"{WRITE_ENV_FILE}\n", "bold"),
            "In an editor put your address, and a long-lived token from your profile "
            "there, in place of the dots: typed here, your shell would keep them in "
            "its history. Then:\n\n",
            (f"{command} invoke discovery --table\n\n", "bold"),
            "This home in a browser, as Alexa sees it: ",
            (f"{command} page --demo\n\n", "bold"),
            "To set it up: ",
            (f"{command} setup\n\n", "bold"),
            more,
        )
    )
    return Results(len(endpoints), cold_ms, played, mishaps)


def _act(
    stage: Stage, server: HomeAssistantServer, function: Function, act: Act
) -> Played:
    event = with_token(load(EVENTS / f"{act.event}.json"), server.access_token)
    with stage.step(f"“Alexa, {act.sentence}”", kept=False):
        before = act.reading(server.state(act.entity_id))
        answer, milliseconds = _timed(function, event)
        # Home Assistant answers before the device has acted.
        give_up = time.monotonic() + SETTLE_S
        while (after := act.reading(server.state(act.entity_id))) != act.expected:
            if time.monotonic() > give_up:
                break
            time.sleep(0.05)
    return Played(act, before, after, milliseconds, _spoken(answer))


def _spoken(answer: dict[str, Any]) -> str:
    """Return an answer in a few words; of a report, the power state too."""
    name = error_type(answer) or str(answer["event"]["header"]["name"])
    for one in answer.get("context", {}).get("properties", []):
        if name == "StateReport" and one["name"] == "powerState":
            return f"{name}: {one['value']}"
    return name


def _mishaps(
    stage: Stage, server: HomeAssistantServer, function: Function
) -> Iterator[Mishap]:
    event = load(EVENTS / "turn_off.json")

    def try_out(what: str, token: str, expected: str) -> Mishap:
        with stage.step(what, kept=False):
            answer, milliseconds = _timed(function, with_token(event, token))
        payload = answer["event"]["payload"]
        told = error_type(answer) or "no error"
        message = str(payload.get("message", ""))
        return Mishap(what, expected, told, message, milliseconds)

    expired = server.expired_token()
    yield try_out("A wrong token", "not-a-token", "INVALID_AUTHORIZATION_CREDENTIAL")
    yield try_out("An expired token", expired, "EXPIRED_AUTHORIZATION_CREDENTIAL")
    with stage.step("Stopping Home Assistant", kept=False):
        server.stop()
    yield try_out("Home Assistant stopped", server.access_token, "BRIDGE_UNREACHABLE")


def _timed(function: Function, event: Any) -> tuple[dict[str, Any], float]:
    started = time.monotonic()
    answer = function.invoke(event)
    return answer, (time.monotonic() - started) * 1000


def _table_of(played: list[Played]) -> Table:
    drawn = plain_table("“Alexa, …”", "Home Assistant", "Answer", "Time")
    drawn.columns[-1].justify = "right"
    for one in played:
        change = one.after if one.before == one.after else f"{one.before} → {one.after}"
        if not one.as_expected:
            change += f" (expected {one.act.expected})"
        drawn.add_row(
            one.act.sentence, change, one.answer, f"{one.milliseconds:.0f} ms"
        )
    return drawn


def _mishap_table(mishaps: list[Mishap]) -> Table:
    drawn = plain_table("What is wrong", "What Alexa is told, and the log says")
    for one in mishaps:
        told = Text.assemble((one.told, "bold"), f"\n{one.message}\n")
        drawn.add_row(one.what, told)
    return drawn
