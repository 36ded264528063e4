"""What keeps secrets out of the log: a type that hides one, and a redacted copy."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

REDACTED: Final = "<redacted>"

#: Objects and lists inside one another that are shown; Alexa's messages have ten.
_DEPTH: Final = 100
_TOO_DEEP: Final = "nested too deeply to show"

#: Characters of a message that are shown: more than a line of CloudWatch's had room
#: for in most of its years.
#: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
_LONGEST: Final = 250_000

#: Secrets of one message that are looked for elsewhere; Alexa's have a handful.
_MOST: Final = 100

#: Characters below which a secret is looked for among words only.
SHORT: Final = 4

#: Keys whose values are secret, wherever they stand in a message, in lower case.
SENSITIVE_KEYS: Final = frozenset(
    {
        "access_token",
        "accesstoken",
        "answer",  # of a camera, as offer: its key and the addresses of the home
        "authorization",
        "client_secret",
        "clientsecret",
        "code",
        "correlationtoken",
        "imageuri",  # of a camera: the token stands in its query
        "cookie",
        "offer",
        "password",
        "refresh_token",
        "refreshtoken",
        "token",
        "uri",
        "userid",
    }
)


class Secret:
    """A text that shows itself only when asked by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return REDACTED

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


def redacted(message: Any, depth: int = _DEPTH) -> Any:
    """Return a copy of a JSON value with the values of `SENSITIVE_KEYS` replaced.

    Args:
        depth: What is nested more deeply than that is replaced too.
    """
    if not isinstance(message, (dict, list)):
        return message
    if not depth:
        return _TOO_DEEP
    if isinstance(message, list):
        return [redacted(value, depth - 1) for value in message]
    return {
        key: (
            REDACTED
            if str(key).lower() in SENSITIVE_KEYS
            else redacted(value, depth - 1)
        )
        for key, value in message.items()
    }


class Redacted:
    """A message without its secrets, written only if the log line really is.

    Args:
        message: A JSON value.
        beside: Another one, whose secrets may stand in the message too.
        secrets: Likewise.
    """

    def __init__(
        self,
        message: object,
        *,
        beside: object = None,
        secrets: Iterable[Secret | None] = (),
    ) -> None:
        self._message = message
        self._beside = beside
        self._secrets = secrets

    def __str__(self) -> str:
        try:
            secrets = secrets_of(self._beside, *self._secrets)
            for secret in _secrets_in(self._message):
                secrets.add(secret)
                if len(secrets) > _MOST:
                    return "too many secrets to show it"
            shown = json.dumps(redacted(self._message), default=repr)
        except RecursionError:
            return _TOO_DEEP
        from ha_bridge.echoes import LOOKED_FOR, without  # noqa: PLC0415 - seldom told

        # What is cut off afterwards may begin within what is shown.
        shown = without(shown[: _LONGEST + LOOKED_FOR], secrets)
        return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def secrets_of(message: object, *beside: Secret | None) -> set[str]:
    """Return the secrets of a message, and others beside it.

    Raises:
        RecursionError: It is nested too deeply.
    """
    return {*_secrets_in(message), *(one.reveal() for one in beside if one)}


def hidden(text: str, message: object, *beside: Secret | None) -> str:
    """Return a text without the secrets of a message, and others beside it.

    Never raises: what cannot be looked through is hidden whole.
    """
    from ha_bridge.echoes import without  # noqa: PLC0415 - what goes well needs none

    try:
        return without(text, secrets_of(message, *beside))
    except Exception:  # noqa: BLE001 - a log line must not cost Alexa its answer
        return REDACTED


def _secrets_in(message: Any) -> Iterator[str]:
    """Yield the texts under `SENSITIVE_KEYS`, which may be repeated elsewhere."""
    if isinstance(message, dict):
        for key, value in message.items():
            secret = str(key).lower() in SENSITIVE_KEYS
            yield from _texts_in(value) if secret else _secrets_in(value)
    elif isinstance(message, list):
        for value in message:
            yield from _secrets_in(value)


def _texts_in(secret: Any) -> Iterator[str]:
    if isinstance(secret, str):
        yield secret
    elif isinstance(secret, (dict, list)):
        for value in secret.values() if isinstance(secret, dict) else secret:
            yield from _texts_in(value)
