"""The runs: what is done with the contenders, and what is noted."""

import ctypes
import random
import socket
import struct
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from ha_bridge_ops.bench import tls
from ha_bridge_ops.bench.home import Relay
from ha_bridge_ops.bench.lab import (
    COLD_ONLY,
    COMMAND,
    CONTENDERS,
    DISCOVERY,
    QUESTION,
    Contender,
    Lab,
    Sample,
)
from ha_bridge_ops.bench.relay import DROP_ALL, SO_ATTACH_FILTER
from ha_bridge_ops.errors import CommandError

#: A round, of each contender: a cold start, then so many directives, idle closes and
#: Discoveries.
DIRECTIVES = 20
IDLE_CLOSES = 3
DISCOVERIES = 3

#: Who comes when is drawn by lot, because each leaves the machine in another state; and
#: seconds between two, for the connections of one to be closed before the next.
TURNS = random.Random(0)  # noqa: S311 - not for secrets
PAUSE_S = 0.06

#: Directives in a row, to see what goes over the wire.
ROW = 50

#: Endpoints of homes of all sizes; how often each is discovered at most.
SIZES = (58, 300, 3000)
GROWTH_ROUNDS = 5

#: Ways in which a kept connection dies unseen, with the relay's word for it.
BLACK_HOLES = {
    "something still acknowledges": "swallow",
    "packets vanish": "drop",
}
HOLE_ROUNDS = 3

#: Seconds that a slow Home Assistant takes.
SLOW_S = 6.0
SLOW_HOME = f"Home Assistant takes {SLOW_S:.0f} s"

#: What can only be brought about on Linux, with its packet filter; and an address of
#: this machine that takes the place of a dead one.
CLOSED_UNSEEN = "the connection was closed unseen"
DEAD_FIRST = "the first of two addresses is dead (cold start)"
DEAD_ADDRESS = "127.0.0.2"

#: What is going on, and how far: 0 to 1.
Progress = Callable[[str, float], None]


@dataclass
class Notes:
    """What was seen: by contender and figure, a list for each round."""

    values: dict[tuple[str, str], list[list[float]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def new_round(self) -> None:
        """Begin a round."""
        for rounds in self.values.values():
            rounds.append([])

    def add(self, contender: str, figure: str, value: float) -> None:
        """Note a value in the present round."""
        rounds = self.values[contender, figure]
        if not rounds:
            rounds.append([])
        rounds[-1].append(value)


@dataclass(frozen=True)
class Growth:
    """A Discovery by a contender in a home of some size."""

    endpoints: int
    contender: str
    seconds: list[float]
    peak_bytes: list[float]
    wire_bytes: int


@dataclass(frozen=True)
class Trouble:
    """A directive that met with trouble on its way, several times."""

    what: str
    seconds: list[float]
    answered: bool
    received: int
    """How often Home Assistant got it, at most."""


def rounds(lab: Lab, count: int, progress: Progress) -> Notes:
    """Compare times, CPU and memory, the contenders taking turns."""
    notes = Notes()
    for number in range(count):
        progress(f"round {number + 1} of {count}", number / count)
        notes.new_round()
        names = TURNS.sample(lab.cold, len(lab.cold))
        with ExitStack() as stack:
            _round(
                lab,
                notes,
                {
                    name: stack.enter_context(lab.contender(name, lab.home.real))
                    for name in names
                },
            )
    return notes


def _round(lab: Lab, notes: Notes, contenders: dict[str, Contender]) -> None:
    relay = lab.home.real
    for name, contender in contenders.items():
        cold = contender.start(lab.directive(COMMAND, relay))
        _check(cold, name)
        notes.add(name, "import", cold.import_s)
        notes.add(name, "first", cold.first_s)
        notes.add(name, "both", cold.both_s)
    contenders = {
        name: one for name, one in contenders.items() if name not in COLD_ONLY
    }

    def each(figure: str, event: str) -> None:
        for name in TURNS.sample(list(contenders), len(contenders)):
            time.sleep(PAUSE_S)
            directive = lab.directive(event, relay)
            sample = _check(contenders[name].post(directive), name)
            notes.add(name, figure, sample.s)
            notes.add(name, f"{figure}_cpu", sample.cpu_s)

    for _ in range(DIRECTIVES):
        each("warm", COMMAND)
    for _ in range(IDLE_CLOSES):
        relay.ask("close")
        settle(relay)
        each("idle", COMMAND)
    for _ in range(DISCOVERIES):
        each("discovery", DISCOVERY)
    for name, contender in contenders.items():
        notes.add(name, "peak", contender.peak_bytes())


def wire(lab: Lab, notes: Notes, progress: Progress) -> None:
    """Count bytes and connections of directives in a row, and of a Discovery."""
    relay = lab.home.real
    for done, name in enumerate(lab.contenders):
        progress(f"{ROW} directives in a row", done / len(lab.contenders))
        with lab.contender(name, relay) as contender:
            contender.start(lab.directive(COMMAND, relay))
            before = settle(relay)
            for _ in range(ROW):
                _check(contender.post(lab.directive(COMMAND, relay)), name)
            after = settle(relay)
            for way in ("up", "down"):
                notes.add(name, way, (after[way] - before[way]) / ROW)
            opened = after["connections"] - before["connections"]
            notes.add(name, "connections", opened)
            _check(contender.post(lab.directive(DISCOVERY, relay)), name)
            last = settle(relay)
            for way in ("up", "down"):
                notes.add(name, f"discovery_{way}", last[way] - after[way])


def growth(lab: Lab, count: int, progress: Progress) -> Iterator[Growth]:
    """Discover homes of all sizes, each with a process of its own."""
    relay = lab.home.canned
    count = min(count, GROWTH_ROUNDS)
    for done, size in enumerate(SIZES):
        lab.home.fill_fake(size)
        seconds = defaultdict[str, list[float]](list)
        peaks = defaultdict[str, list[float]](list)
        wire_bytes = dict.fromkeys(lab.contenders, 0)
        for number in range(count):
            fraction = (done + number / count) / len(SIZES)
            progress(f"a home with {size} endpoints", fraction)
            for name in lab.contenders:
                with lab.contender(name, relay) as contender:
                    contender.start(lab.directive(QUESTION, relay))
                    before = settle(relay)
                    sample = contender.post(lab.directive(DISCOVERY, relay))
                    seconds[name].append(_check(sample, name).s)
                    peaks[name].append(contender.peak_bytes())
                    after = settle(relay)
                    wire_bytes[name] = after["down"] - before["down"]
        for name in lab.contenders:
            yield Growth(size, name, seconds[name], peaks[name], wire_bytes[name])


def black_holes(lab: Lab, count: int, progress: Progress) -> Iterator[Trouble]:
    """Let the kept connection die unseen, and ask a harmless question."""
    relay, question = lab.home.real, lab.directive(QUESTION, lab.home.real)
    count = min(count, HOLE_ROUNDS)
    for done, (what, command) in enumerate(BLACK_HOLES.items()):
        if command == "drop" and sys.platform != "linux":
            continue  # needs Linux's packet filter
        samples, received = [], 0
        for number in range(count):
            progress(f"black hole: {what}", (done + number / count) / 2)
            with lab.contender("bridge", relay) as bridge:
                _check(bridge.start(question), "bridge")
                _check(bridge.post(question), "bridge")
                settle(relay)
                before = lab.home.received()
                relay.ask(command)
                samples.append(bridge.post(question))
                settle(relay)
                received = max(received, lab.home.received() - before)
        yield _trouble(what, samples, received)


def troubles(lab: Lab, count: int, progress: Progress) -> Iterator[Trouble]:
    """Yield what comes of a directive that meets with each kind of trouble."""
    lab.home.log_directives()
    yield from black_holes(lab, count, progress)
    yield slow_home(lab, progress)
    if sys.platform == "linux":
        yield closed_unseen(lab, count, progress)
        yield dead_address(lab, count, progress)


def closed_unseen(lab: Lab, count: int, progress: Progress) -> Trouble:
    """Send a command over a connection that has ended while nobody could hear it."""
    relay, command = lab.home.real, lab.directive(COMMAND, lab.home.real)
    samples, received = [], 0
    count = min(count, HOLE_ROUNDS)
    for number in range(count):
        progress(CLOSED_UNSEEN, number / count)
        with lab.contender("bridge", relay) as bridge:
            _check(bridge.start(command), "bridge")
            _check(bridge.post(command), "bridge")
            settle(relay)
            before = lab.home.received()
            bridge.set_deaf(deaf=True)
            relay.ask("reset")
            settle(relay)
            bridge.set_deaf(deaf=False)
            samples.append(bridge.post(command))
            settle(relay)
            received = max(received, lab.home.received() - before)
    return _trouble(CLOSED_UNSEEN, samples, received)


def dead_address(lab: Lab, count: int, progress: Progress) -> Trouble:
    """Start cold, where the first of two addresses of the home answers nothing."""
    relay, command = lab.home.real, lab.directive(COMMAND, lab.home.real)
    samples, received = [], 0
    count = min(count, HOLE_ROUNDS)
    with lost(DEAD_ADDRESS, relay.port):
        for number in range(count):
            progress(DEAD_FIRST, number / count)
            with lab.contender("bridge", relay) as bridge:
                before = lab.home.received()
                bridge.resolve_to(DEAD_ADDRESS, tls.HOST)
                cold = bridge.start(command)
                samples.append(Sample(cold.both_s, cold.cpu_s, cold.answered))
                settle(relay)
                received = max(received, lab.home.received() - before)
    return _trouble(DEAD_FIRST, samples, received)


@contextmanager
def lost(address: str, port: int) -> Iterator[None]:
    """Let an address lose every packet that comes to a port; Linux."""
    program = ctypes.create_string_buffer(DROP_ALL)
    pointer = struct.pack("HP", 1, ctypes.addressof(program))
    with socket.create_server((address, port)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer)
        yield


def slow_home(lab: Lab, progress: Progress) -> Trouble:
    """Ask a home that lives, but takes its time."""
    relay, fake = lab.home.canned, lab.home.fake
    question = lab.directive(QUESTION, relay)
    progress(SLOW_HOME, 0.5)
    with lab.contender("bridge", relay) as bridge:
        _check(bridge.start(question), "bridge")
        _check(bridge.post(question), "bridge")
        before = fake.received()
        fake.set_delay(SLOW_S)
        sample = bridge.post(question)
        fake.set_delay(0)
        return _trouble(SLOW_HOME, [sample], fake.received() - before)


def _trouble(what: str, samples: list[Sample], received: int) -> Trouble:
    answered = all(sample.answered for sample in samples)
    return Trouble(what, [sample.s for sample in samples], answered, received)


def settle(relay: Relay) -> dict[str, int]:
    """Return the relay's counts once nothing has moved for longer than a round trip."""
    counts = None
    while counts != (now := relay.counts()):
        counts = now
        time.sleep(relay.rtt_ms / 1000 + 0.03)
    return now


def _check(sample: Sample, contender: str) -> Sample:
    if not sample.answered:
        raise CommandError(f"{CONTENDERS[contender]} was not answered.")
    return sample
