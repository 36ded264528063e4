"""What keeps secrets out of the log: a type that hides one, and a redacted copy."""

from typing import Any, Final

REDACTED: Final = "<redacted>"

#: Keys whose values are secret, wherever they stand in a message, in lower case.
SENSITIVE_KEYS: Final = frozenset(
    {
        "access_token",
        "accesstoken",
        "authorization",
        "client_secret",
        "clientsecret",
        "code",
        "correlationtoken",
        "imageuri",  # of a camera: the token stands in its query
        "cookie",
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
