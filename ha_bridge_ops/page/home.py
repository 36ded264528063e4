"""The home behind the page: the handler, called as the function is."""

import contextlib
import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from ha_bridge.messages import error_type
from ha_bridge.redaction import redacted
from ha_bridge_ops.check.catalogue import CHAIN
from ha_bridge_ops.check.chain import walk
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.model import Finding, Problem, judge
from ha_bridge_ops.endpoints import troubles
from ha_bridge_ops.endpoints.capabilities import Endpoint, dicts, id_of, mapping
from ha_bridge_ops.endpoints.grammar import Wish
from ha_bridge_ops.endpoints.limits import LOOKED_AT, MAX_ENDPOINTS
from ha_bridge_ops.endpoints.orders import REPORT_STATE, Order
from ha_bridge_ops.endpoints.sentences import Understood, understand
from ha_bridge_ops.endpoints.speech import likely_words
from ha_bridge_ops.endpoints.states import Reading, properties_of, readings
from ha_bridge_ops.endpoints.troubles import Trouble
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.events import EVENTS, load, with_token
from ha_bridge_ops.home_client import TOO_DENSE, is_dense
from ha_bridge_ops.local.lambda_runtime import Function
from ha_bridge_ops.outside import to_json

#: Seconds that a device has to reach its state, and between two looks at it.
SETTLE_S: Final = 4.0
LOOK_S: Final = 0.15
#: Seconds after which a state that has changed and stands still is taken as reached.
STILL_S: Final = 0.6
#: Seconds to wait for a change where nobody knows which one.
CHANGE_S: Final = 1.5

#: What is said of one endpoint at most, and of all: what is said of each again and
#: again would take megabytes, and the worst is said first.
_FINDINGS: Final = 8
_IN_ALL: Final = _FINDINGS * MAX_ENDPOINTS

Properties = list[Mapping[str, Any]]


class NotThereError(Exception):
    """There is no such endpoint, or none at all yet; the message is a sentence."""


class MayOpenError(Exception):
    """The directive unlocks, opens or disarms, and nobody has agreed to that."""

    def __init__(self, order: Order, endpoint: Endpoint) -> None:
        super().__init__(order.name)
        self.order = order
        self.endpoint = endpoint


@dataclass(frozen=True)
class Discovery:
    """What Home Assistant offered, or what the function told instead."""

    endpoints: Sequence[Endpoint]
    """As many as are looked at."""
    milliseconds: float
    error: str = ""
    """Type of the ErrorResponse, if it was one."""
    message: str = ""

    def find(self, endpoint_id: object) -> Endpoint:
        """Return an endpoint by its id.

        Raises:
            NotThereError: There is none.
        """
        for one in self.endpoints:
            if id_of(one) == endpoint_id:
                return one
        raise NotThereError("There is no such device any more: look at the home again.")


@dataclass(frozen=True)
class Exchange:
    """A directive, and all that came of it."""

    endpoint: Endpoint
    event: dict[str, Any] = field(repr=False)
    answer: dict[str, Any] = field(repr=False)
    milliseconds: float
    before: Sequence[Reading]
    after: Sequence[Reading]
    is_settled: bool
    says: str
    log: str = field(repr=False)

    @property
    def error(self) -> str:
        """Type of the ErrorResponse, or nothing."""
        return error_type(self.answer) or ""

    @property
    def event_file(self) -> str:
        """The event as a file for `ha-bridge invoke`: without any token."""
        return to_json(self.event)


class Home:
    """A home, through the function; one directive at a time, as in Lambda.

    Args:
        function: Where the handler runs.
        token: Gives Home Assistant's token, or nothing: then the function takes
            LONG_LIVED_ACCESS_TOKEN.
        may_open: Whether what unlocks, opens or disarms may be sent at all.
    """

    def __init__(
        self,
        function: Function,
        *,
        token: Callable[[], str] = lambda: "",
        may_open: bool = False,
    ) -> None:
        self._function = function
        self._token = token
        self.may_open = may_open
        self._one_at_a_time = threading.Lock()
        self._known: Discovery | None = None

    def discover(self) -> Discovery:
        """Ask for the endpoints anew."""
        event = load(EVENTS / "discovery.json")
        answer, milliseconds, _ = self._send(event)
        if is_dense(answer):
            raise CommandError(TOO_DENSE)
        payload = mapping(answer, "event", "payload")
        kind = error_type(answer)
        found = Discovery(
            list(islice(dicts(payload.get("endpoints")), LOOKED_AT)),
            milliseconds,
            kind or "",
            str(payload.get("message", "")) if kind else "",
        )
        if not found.error:
            self._known = found
        return found

    @property
    def known(self) -> Discovery:
        """The last Discovery that had something in it."""
        return self._known or self.discover()

    def state(self, endpoint: Endpoint) -> Properties:
        """Return the properties of an endpoint; none if it does not report."""
        answer, _, _ = self._send(REPORT_STATE.event(endpoint))
        return properties_of(answer)

    def say(
        self, sentence: str, chosen: str | None, *, is_agreed: bool
    ) -> tuple[Understood, Exchange | None]:
        """Do what a sentence means, if that is clear.

        Raises:
            MayOpenError: It opens something, and that is not allowed or not agreed to.
        """
        understood = understand(
            sentence, self.known.endpoints, chosen=chosen, state_of=self.state
        )
        if understood.order is None or understood.endpoint is None:
            return understood, None
        done = self.tell(
            understood.endpoint,
            understood.order,
            is_agreed=is_agreed,
            wish=understood.wish,
        )
        return understood, done

    def tell(
        self,
        endpoint: Endpoint,
        order: Order,
        *,
        is_agreed: bool,
        wish: Wish | None = None,
    ) -> Exchange:
        """Send a directive, and see what comes of it.

        Raises:
            MayOpenError: It opens something, and that is not allowed or not agreed to.
        """
        if order.opens(endpoint) and not (self.may_open and is_agreed):
            raise MayOpenError(order, endpoint)
        asks = order == REPORT_STATE
        before = [] if asks else self.state(endpoint)
        event = order.event(endpoint)
        answer, milliseconds, log = self._send(event)
        if asks:
            after, is_settled = properties_of(answer), True
        elif error_type(answer):
            after, is_settled = before, True
        else:
            after, is_settled = self._settled(endpoint, order, before)
        now = readings(endpoint, after)
        return Exchange(
            endpoint,
            event,
            answer,
            milliseconds,
            readings(endpoint, before) if not asks else now,
            now,
            is_settled,
            likely_words(answer, endpoint, order, wish=wish, readings=now),
            log,
        )

    def _settled(
        self, endpoint: Endpoint, order: Order, before: Properties
    ) -> tuple[Properties, bool]:
        """Return the state once it is as wished: Home Assistant answers before that."""
        started = time.monotonic()
        first = last = _values(before)
        still_since = started
        while True:
            found = self.state(endpoint)
            now, is_reached = _values(found), order.is_reached(found)
            moment = time.monotonic()
            if now != last:
                last, still_since = now, moment
            is_still = now != first and moment - still_since >= STILL_S
            # A lock says “unlocked” while it locks, and then nothing has changed.
            if is_reached or (is_still and is_reached is None):
                return found, True
            if moment - started > (SETTLE_S if is_reached is False else CHANGE_S):
                return found, is_reached is None or is_still
            time.sleep(LOOK_S)

    def _send(self, event: dict[str, Any]) -> tuple[dict[str, Any], float, str]:
        """Return the answer, the milliseconds it took, and the log line."""
        token = self._token()
        sent = with_token(event, token) if token else event
        with self._one_at_a_time, _logged() as lines:
            started = time.monotonic()
            answer = self._function.invoke(sent)
            milliseconds = (time.monotonic() - started) * 1000
        return answer, milliseconds, lines[-1] if lines else ""


def _values(properties: Properties) -> dict[tuple[str, ...], object]:
    """Return what can be compared: not when it was seen, nor in which order."""
    return {
        tuple(str(one.get(key)) for key in ("namespace", "name", "instance")): one.get(
            "value"
        )
        for one in properties
    }


@contextlib.contextmanager
def _logged() -> Iterator[list[str]]:
    """Give the lines that the handler logs meanwhile, as CloudWatch shows them."""
    lines: list[str] = []

    class Catcher(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            line = getattr(record, "directive", None)
            if line is not None:
                lines.append(_as_lambda_writes(record, line))

    catcher = Catcher()
    logger = logging.getLogger("ha_bridge")
    logger.addHandler(catcher)
    try:
        yield lines
    finally:
        logger.removeHandler(catcher)


def _as_lambda_writes(record: logging.LogRecord, line: object) -> str:
    """Return a record in Lambda's JSON format.

    https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
    """
    now = datetime.fromtimestamp(record.created, UTC)
    shown = {
        "timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "level": record.levelname,
        "message": record.getMessage(),
        "logger": record.name,
        "directive": line,
    }
    return json.dumps(shown, ensure_ascii=False)


def shown_event(exchange: Exchange) -> dict[str, Any]:
    """Return the directive as it may be shown."""
    shown: dict[str, Any] = redacted(exchange.event)
    return shown


def findings_of(endpoints: Sequence[Endpoint]) -> dict[str, list[Finding]]:
    """Return what is wrong with each endpoint, in the words of the catalogue."""
    found: dict[str, list[Finding]] = defaultdict(list)
    most = max(1, min(_FINDINGS, _IN_ALL // max(1, len(endpoints))))
    for trouble in troubles.every(endpoints):
        # Where many have no id, what is wrong with one is wrong with all.
        ids = [one for one in {*trouble.endpoint_ids} if len(found[one]) < most]
        if ids:
            finding = _finding(trouble)
            for endpoint_id in ids:
                found[endpoint_id].append(finding)
    return dict(found)


_LINKS: Final = {link.id: link for link in CHAIN}


def _finding(trouble: Trouble) -> Finding:
    problem = Problem(trouble.cause, trouble.saw, trouble.values)
    return judge(_LINKS[trouble.finding], problem)


def looks(variables: Mapping[str, str]) -> Generator[tuple[str, Finding]]:
    """Give the findings of `ha-bridge check` one by one, with what is looked at."""
    for finding in walk(Context(variables), CHAIN):
        yield _LINKS[finding.id].title, finding
