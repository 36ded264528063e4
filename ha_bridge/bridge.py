"""Answer one directive, within its time, whatever happens."""

import contextlib
import json
import logging
import re
import time
import traceback
from collections.abc import Callable
from typing import Any, Final, NoReturn, Protocol

from ha_bridge.delivery import Kind
from ha_bridge.errors import BridgeError, Failure
from ha_bridge.home_assistant import Answered, Reply, no_event
from ha_bridge.messages import (
    DESCRIBED,
    Directive,
    Event,
    describe,
    error_message,
    error_response,
    outcome,
    read_answer,
)
from ha_bridge.redaction import Redacted, Secret, hidden, secrets_of
from ha_bridge.secrets import SecretReader
from ha_bridge.settings import Address, Settings

#: Seconds for one directive.  Alexa hangs up after 8, and its clock starts before ours:
#: https://developer.amazon.com/en-US/docs/alexa/smarthome/troubleshooting-guide.html
BUDGET_S: Final = 7.0

#: Seconds kept back from what Lambda leaves, to hand the answer over.
RESERVE_S: Final = 0.5

_HTTP_UNAUTHORIZED: Final = 401

#: How Home Assistant makes an endpointId of an entity's, or none at all; no token is
#: so, nor one in hexadecimal: what is longer than the number of a Zigbee device.  Any
#: other is looked through, which takes milliseconds.
_USUAL_ID: Final = re.compile(r"(?:[a-z_]+#(?!\w*[0-9a-f]{17})[a-z0-9_]{1,190})?")

logger = logging.getLogger("ha_bridge")

#: Made once; what is no JSON, such as NaN, is refused.
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


class Transport(Protocol):
    """What carries a directive to Home Assistant; see `HomeAssistant`."""

    @property
    def address(self) -> Address:
        """Where it leads."""

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What is sent beside the token and may be repeated, as far as it is known."""

    def post(
        self, body: bytes, token: Secret | None, *, deadline: float, kind: Kind
    ) -> Reply:
        """Post a directive and return Home Assistant's answer."""

    def reject(self, answered: Answered) -> NoReturn:
        """Raise what an answer means that is not Home Assistant's."""

    def warm(self, deadline: float) -> bool:
        """Open a connection for the next directive; return whether there was one."""

    def close(self) -> None:
        """Close all connections."""


class Bridge:
    """Answers directives, one at a time, for as long as the environment lives.

    Args:
        settings: The settings; None where they are wrong, which the transport says.
        transport: The way to Home Assistant.
        secrets: Resolves references in settings.
        init_s: Seconds the import took; the first directive has waited for it.
        clock: Seconds that only grow, as time.monotonic.
    """

    def __init__(
        self,
        settings: Settings | None,
        transport: Transport,
        *,
        secrets: SecretReader | None = None,
        init_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fallback = settings.long_lived_access_token if settings else None
        self._lent: Secret | None = None  # what it was when it was last needed
        self._transport = transport
        self._secrets = secrets or SecretReader()
        self._init_s = init_s
        self._clock = clock
        debug = settings is not None and settings.debug
        logger.setLevel(logging.DEBUG if debug else logging.INFO)
        for warning in settings.warnings if settings else ():
            _log(logging.WARNING, warning)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What stands in no event and must be shown nowhere, as far as it is known."""
        lent = (self._lent,) if self._lent else ()
        return (*lent, *self._transport.secrets)

    def close(self) -> None:
        """Close all connections; Lambda never does, but what outlives the bridge."""
        self._transport.close()

    def answer(self, event: object, context: object = None) -> Event:
        """Return Home Assistant's answer to a directive, or an ErrorResponse.

        Never raises.

        Args:
            event: What Alexa sent, as the runtime hands it over.
            context: Lambda's context; only its remaining time is used.
        """
        started = self._clock()
        line: dict[str, Any] = describe(event)
        level, message = logging.INFO, ""
        try:
            deadline = started + self._time_for(context)
            if isinstance(event, dict) and set(event) == {"ha_bridge"}:
                return self._answer_own(event["ha_bridge"], deadline)
            answer = self._forward(event, deadline, line)
            line |= outcome(answer)
            if "errorType" in line:
                # Such as a device that is gone: Alexa asks for it until it is deleted.
                if self._hidden(line["errorType"], event) != line["errorType"]:
                    line["errorType"] = "unknown"  # a secret of letters alone
                said = self._redacted(error_message(answer), event)
                level, message = logging.WARNING, f"Home Assistant says {said}"
        except Exception as error:  # noqa: BLE001 - Alexa always gets an answer
            known = error if isinstance(error, BridgeError) else _unexpected(error)
            if known.status is not None:
                line["status"] = known.status
            if known.reused is not None:
                line["connection"] = _connection(reused=known.reused)
            answer = error_response(event, known)
            line |= outcome(answer)
            level, message = logging.ERROR, known.message
        # A server chooses the ids of its devices, and Alexa repeats them.
        if not self._is_usual(line.get("endpointId", "")):
            line["endpointId"] = self._hidden(line["endpointId"], event)
        self._log_line(line, started, level, message)
        self._log_whole("Answer", answer, beside=event)
        return answer

    def _answer_own(self, request: object, deadline: float) -> Event:
        # Loaded only when one comes: Alexa sends none, and pays for none.
        from ha_bridge import own_events  # noqa: PLC0415 - see above

        answer = own_events.answer(request, self._transport, deadline)
        if error := answer["ha_bridge"].get("error"):
            _log(logging.ERROR, "Event of our own failed: %s", error)
        return answer

    def _forward(self, event: object, deadline: float, line: dict[str, Any]) -> Event:
        directive = Directive.from_event(event)
        # Only now: what is no directive may hold a token where none is looked for.
        self._log_whole("Event", event)
        token = directive.token or self._fallback_token(deadline)
        try:
            reply = self._transport.post(
                _as_json(event), token, deadline=deadline, kind=directive.kind
            )
        except BridgeError as error:
            if error.status == _HTTP_UNAUTHORIZED:
                self._secrets.forget()  # it may have been replaced meanwhile
            raise self._hiding(error, event) from None
        line["status"] = 200
        line["connection"] = _connection(reused=reply.reused)
        try:
            return read_answer(reply.body, event)
        except BridgeError as error:
            self._transport.close()  # what comes next over it may be another's too
            told = no_event(reply, self._transport.reject, error)
            raise self._hiding(told, event) from None

    def _hiding(self, error: BridgeError, event: object) -> BridgeError:
        """Return an error without what must not be shown."""
        try:
            return error.hiding(secrets_of(event, *self.secrets))
        except RecursionError:  # nobody has looked into all of the event
            return BridgeError(error.failure, status=error.status, reused=error.reused)

    def _is_usual(self, endpoint_id: str) -> bool:
        """Return whether an id is an entity's, and none of our own secrets is in it."""
        if not _USUAL_ID.fullmatch(endpoint_id):
            return False
        return not any(one.reveal().lower() in endpoint_id for one in self.secrets)

    def _hidden(self, text: str, event: object) -> str:
        """Return a text from outside without what must not be shown."""
        return hidden(text, event, *self.secrets)

    def _fallback_token(self, deadline: float) -> Secret | None:
        if self._fallback is None:
            return None
        _log(
            logging.WARNING,
            "The directive has no token; LONG_LIVED_ACCESS_TOKEN is used instead. "
            "Remove the variable when your tests are done.",
        )
        self._lent = self._secrets.resolve(self._fallback, deadline)
        return self._lent

    def _redacted(self, message: object, event: object) -> Redacted:
        return Redacted(message, beside=event, secrets=self.secrets)

    def _log_whole(self, what: str, message: object, beside: object = None) -> None:
        # Nothing is looked up for a line that is not written, which is nearly always.
        if logger.isEnabledFor(logging.DEBUG):
            _log(logging.DEBUG, f"{what}: %s", self._redacted(message, beside))

    def _time_for(self, context: object) -> float:
        """Return how many seconds the whole exchange may take."""
        seconds, self._init_s = BUDGET_S - self._init_s, 0.0
        remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
        if callable(remaining_ms):  # Lambda's clock starts after the import
            seconds = min(seconds, remaining_ms() / 1000 - RESERVE_S)
        return seconds

    def _log_line(
        self,
        line: dict[str, Any],
        started: float,
        level: int,
        message: str,
    ) -> None:
        """Write the one line a directive.

        Under a key of its own, because Lambda's JSON log has a `name` and an
        `errorType` already.
        """
        line["duration_ms"] = round((self._clock() - started) * 1000)
        what = " ".join(filter(None, map(line.get, DESCRIBED)))
        _log(
            level,
            "%s: %s in %d ms%s",
            what or "Unreadable event",
            line.get("errorType", "answered"),
            line["duration_ms"],
            f": {message}" if message else "",
            extra={"directive": line},
        )


def _log(level: int, text: str, *args: object, **extra: Any) -> None:
    # A log that cannot be written must not cost Alexa its answer.
    with contextlib.suppress(Exception):
        logger.log(level, text, *args, **extra)


def _connection(*, reused: bool) -> str:
    return "reused" if reused else "new"


def _as_json(event: object) -> bytes:
    try:
        return _ENCODER.encode(event).encode()
    except (TypeError, ValueError, RecursionError):
        raise BridgeError(
            Failure.NOT_A_DIRECTIVE, "it cannot be written as JSON"
        ) from None


def _unexpected(error: Exception) -> BridgeError:
    # The place, not the text: that could hold a token.
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {frame.name}, line {frame.lineno}"
    return BridgeError(Failure.UNEXPECTED, place)
