"""Answer one directive, within its time, whatever happens."""

import json
import logging
import time
import traceback
from collections.abc import Callable
from typing import Any, Final, Protocol

from ha_bridge.errors import BridgeError, Failure
from ha_bridge.home_assistant import Reply
from ha_bridge.messages import (
    Directive,
    Event,
    describe,
    error_response,
    error_type,
    read_answer,
)
from ha_bridge.redaction import Secret, redacted
from ha_bridge.secrets import SecretReader
from ha_bridge.settings import Settings

#: Seconds for one directive.  Alexa hangs up after 8, and its clock starts before ours:
#: https://developer.amazon.com/en-US/docs/alexa/smarthome/troubleshooting-guide.html
BUDGET_S: Final = 7.0

#: Seconds kept back from what Lambda leaves, to hand the answer over.
RESERVE_S: Final = 0.5

logger = logging.getLogger("ha_bridge")

#: Made once; what is no JSON, such as NaN, is refused.
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


class Transport(Protocol):
    """What carries a directive to Home Assistant; see `HomeAssistant.post`."""

    def post(
        self, body: bytes, token: Secret, *, deadline: float, repeatable: bool
    ) -> Reply:
        """Post a directive and return Home Assistant's answer."""

    def warm(self, deadline: float) -> bool:
        """Have a connection ready; return whether there was one."""


class Bridge:
    """Answers directives, one at a time, for as long as the environment lives.

    Args:
        settings: The settings, or what is wrong with them: then that is the answer.
        transport: The way to Home Assistant; None only where the settings are wrong.
        secrets: Resolves references in settings.
        init_s: Seconds the import took; the first directive has waited for it.
        clock: Seconds that only grow, as time.monotonic.
    """

    def __init__(
        self,
        settings: Settings | BridgeError,
        transport: Transport | None,
        *,
        secrets: SecretReader | None = None,
        init_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._secrets = secrets or SecretReader()
        self._init_s = init_s
        self._clock = clock
        debug = isinstance(settings, Settings) and settings.debug
        logger.setLevel(logging.DEBUG if debug else logging.INFO)
        if isinstance(settings, Settings):
            for warning in settings.warnings:
                logger.warning(warning)

    def answer(self, event: object, context: object = None) -> Event:
        """Return Home Assistant's answer to a directive, or an ErrorResponse.

        Never raises.

        Args:
            event: What Alexa sent, as the runtime hands it over.
            context: Lambda's context; only its remaining time is used.
        """
        started = self._clock()
        line: dict[str, Any] = describe(event)
        try:
            deadline = started + self._time_for(context)
            if isinstance(event, dict) and set(event) == {"ha_bridge"}:
                return self._answer_own(event["ha_bridge"], deadline)
            answer = self._forward(event, deadline, line)
        except Exception as error:  # noqa: BLE001 - Alexa always gets an answer
            known = error if isinstance(error, BridgeError) else _unexpected(error)
            if known.status is not None:
                line["status"] = known.status
            if known.reused is not None:
                line["connection"] = _connection(reused=known.reused)
            answer = error_response(event, known)
            self._log(line, answer, started, known.message)
        else:
            self._log(line, answer, started)
        logger.debug("Answer: %s", _Redacted(answer))
        return answer

    def _answer_own(self, request: object, deadline: float) -> Event:
        # Loaded only when one comes: Alexa sends none, and pays for none.
        from ha_bridge import own_events  # noqa: PLC0415

        return own_events.answer(request, self._settings, self._transport, deadline)

    def _forward(self, event: object, deadline: float, line: dict[str, Any]) -> Event:
        if isinstance(self._settings, BridgeError):
            raise self._settings
        assert self._transport is not None  # noqa: S101 - given with the settings
        logger.debug("Event: %s", _Redacted(event))
        directive = Directive.from_event(event)
        token = directive.token or self._fallback_token(self._settings, deadline)
        try:
            reply = self._transport.post(
                _as_json(event),
                token,
                deadline=deadline,
                repeatable=directive.is_repeatable,
            )
        except BridgeError as error:
            if error.failure is Failure.REFUSED_TOKEN:
                self._secrets.forget()  # it may have been replaced meanwhile
            raise
        line["status"] = 200
        line["connection"] = _connection(reused=reply.reused)
        return read_answer(reply.body)

    def _fallback_token(self, settings: Settings, deadline: float) -> Secret:
        if settings.long_lived_access_token is None:
            raise BridgeError(Failure.NO_TOKEN)
        logger.warning(
            "The directive has no token; LONG_LIVED_ACCESS_TOKEN is used instead. "
            "Remove the variable when your tests are done."
        )
        return self._secrets.resolve(settings.long_lived_access_token, deadline)

    def _time_for(self, context: object) -> float:
        """Return how many seconds the whole exchange may take."""
        seconds = BUDGET_S
        remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
        if callable(remaining_ms):
            seconds = min(seconds, remaining_ms() / 1000 - RESERVE_S)
        seconds -= self._init_s
        self._init_s = 0.0
        return seconds

    def _log(
        self, line: dict[str, Any], answer: Event, started: float, message: str = ""
    ) -> None:
        """Write the one line a directive.

        Under a key of its own, because Lambda's JSON log has a `name` and an
        `errorType` already.
        """
        line["duration_ms"] = round((self._clock() - started) * 1000)
        if kind := error_type(answer):
            line["errorType"] = kind
        what = " ".join(
            line[key] for key in ("namespace", "name", "endpointId") if key in line
        )
        logger.log(
            logging.ERROR if message else logging.INFO,
            "%s: %s in %d ms%s",
            what or "Unreadable event",
            kind or "answered",
            line["duration_ms"],
            f": {message}" if message else "",
            extra={"directive": line},
        )


class _Redacted:
    """A message that is redacted only if the log line is really written."""

    def __init__(self, message: object) -> None:
        self._message = message

    def __str__(self) -> str:
        try:
            return json.dumps(redacted(self._message), default=repr)
        except RecursionError:
            return "nested too deeply to show"


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
