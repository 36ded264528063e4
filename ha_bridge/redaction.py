"""What keeps secrets out of the log: a type that hides one, and a redacted copy."""

import json
from collections.abc import Iterator
from typing import Any, Final

REDACTED: Final = "<redacted>"

#: Letters from which on a secret is also looked for inside other texts.
_MIN_LENGTH: Final = 4

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


def redacted(message: Any) -> Any:
    """Return a copy of a JSON value with the values of `SENSITIVE_KEYS` replaced."""
    if isinstance(message, dict):
        return {
            key: REDACTED if str(key).lower() in SENSITIVE_KEYS else redacted(value)
            for key, value in message.items()
        }
    if isinstance(message, list):
        return [redacted(value) for value in message]
    return message


class Redacted:
    """A message without its secrets, written only if the log line really is.

    Args:
        message: A JSON value.
        beside: Another one, whose secrets may stand in the message too.
    """

    def __init__(self, message: object, *, beside: object = None) -> None:
        self._message = message
        self._beside = beside

    def __str__(self) -> str:
        try:
            shown = json.dumps(redacted(self._message), default=repr)
            for secret in {*_secrets_in(self._message), *_secrets_in(self._beside)}:
                shown = shown.replace(json.dumps(secret)[1:-1], REDACTED)
        except RecursionError:
            return "nested too deeply to show"
        return shown


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
        if len(secret) >= _MIN_LENGTH:
            yield secret
    elif isinstance(secret, (dict, list)):
        for value in secret.values() if isinstance(secret, dict) else secret:
            yield from _texts_in(value)
