"""Tokens that are kept elsewhere: `ssm:/name` and `secretsmanager:name-or-arn`.

boto3 is in Lambda's Python runtime; it is imported only when a reference is used.
"""

import json
import logging
from collections.abc import Callable
from typing import Any, Final

from ha_bridge.errors import BridgeError, Failure
from ha_bridge.race import Race
from ha_bridge.redaction import Secret

#: Gives the client of an AWS service, as `boto3.client` does.
ClientFactory = Callable[[str], Any]


def _from_ssm(client: Any, name: str) -> str:
    # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
    answer = client.get_parameter(Name=name, WithDecryption=True)
    return str(answer["Parameter"]["Value"])


def _from_secretsmanager(client: Any, name: str) -> str:
    # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
    return str(client.get_secret_value(SecretId=name)["SecretString"])


#: Prefix of a reference, which is also the name of the service: how to read from it.
READERS: Final = {"ssm": _from_ssm, "secretsmanager": _from_secretsmanager}


class SecretReader:
    """Resolves a secret once and remembers it; what failed is tried again."""

    def __init__(self, client: ClientFactory | None = None) -> None:
        self._client = client or _boto3_client
        self._known: dict[Secret, Secret] = {}

    def resolve(self, value: Secret, deadline: float) -> Secret:
        """Return the secret that a reference names, or the value if it is none.

        Args:
            value: A reference or a plain value.
            deadline: When to give up, in seconds of time.monotonic.  What comes later
                serves the next directive.

        Raises:
            BridgeError: SECRET_UNAVAILABLE, naming the reference and AWS's error code.
        """
        service, colon, name = value.reveal().partition(":")
        if not colon or service not in READERS:
            return value
        if value not in self._known:
            try:
                Race(lambda: self._read(value, service, name)).winner(deadline)
            except BridgeError:
                raise
            # Whatever botocore raises must become an answer, without its import here.
            except Exception as error:  # noqa: BLE001
                raise BridgeError(
                    Failure.SECRET_UNAVAILABLE, f"{service}:{name}: {_reason(error)}"
                ) from None
        return self._known[value]

    def forget(self) -> None:
        """Read each secret anew when it is needed next: one was refused."""
        self._known.clear()

    def _read(self, value: Secret, service: str, name: str) -> None:
        text = READERS[service](self._client(service), name).strip()
        try:
            text = _only_value(text)
            if not text:
                raise ValueError("it is empty")
        except ValueError as error:
            raise BridgeError(
                Failure.SECRET_UNAVAILABLE, f"{service}:{name}: {error}"
            ) from None
        self._known[value] = Secret(text)


def _only_value(text: str) -> str:
    """Return the value of a secret kept as a JSON object with a single key.

    That is how the console of Secrets Manager stores one; a text is returned as it is.
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/create_secret.html

    Raises:
        ValueError: Which of several values is meant cannot be known.
    """
    if not text.startswith("{"):
        return text
    try:
        [value] = json.loads(text).values()
        return str(value.strip())
    except (ValueError, AttributeError, RecursionError):
        raise ValueError(
            "it holds a JSON object: keep the token alone in it, or as its only value"
        ) from None


def _reason(error: Exception) -> str:
    """AWS's error code, such as ParameterNotFound, else the name of the exception."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code or type(error).__name__)


def _boto3_client(service: str) -> Any:
    import boto3  # noqa: PLC0415 - costs a cold start 0.3 s, and few use it
    from botocore.config import Config  # noqa: PLC0415

    # At DEBUG it would log the answer, secret and all.
    logging.getLogger("botocore").setLevel(logging.INFO)
    # Alexa waits 8 s for the directive that needs the secret.
    return boto3.client(
        service,
        config=Config(
            connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2}
        ),
    )
