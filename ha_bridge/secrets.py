"""Settings that are kept elsewhere: `ssm:/name` and `secretsmanager:name-or-arn`.

boto3 is in Lambda's Python runtime; it is imported only when a reference is used.
"""

import json
import logging
import re
import threading
from collections.abc import Callable
from typing import Any, Final

from ha_bridge.errors import BridgeError, Failure
from ha_bridge.race import Race
from ha_bridge.redaction import Secret

#: What a name or an ARN is made of.  Letters and digits in a row are few: a token, a
#: password of a machine's or a key that somebody has put there has more.
#: https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
#: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
_NAME: Final = r"(?:[A-Za-z0-9]{0,19}[/_+=.@:-]){0,60}[A-Za-z0-9]{0,19}"

#: How AWS writes the codes of its errors.
_CODE: Final = r"[A-Za-z0-9.]{1,64}"

#: boto3's own session is not made for two threads at once.
_making = threading.Lock()

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

    def resolve(
        self, value: Secret, deadline: float, variable: str = "LONG_LIVED_ACCESS_TOKEN"
    ) -> Secret:
        """Return the token that a reference names, or the value if it is none.

        What the console of Secrets Manager has wrapped into a JSON object is unwrapped.

        Args:
            value: A reference or a plain value.
            deadline: When to give up, in seconds of time.monotonic.  What comes later
                serves the next directive.
            variable: Where it stands, for messages.

        Raises:
            BridgeError: SECRET_UNAVAILABLE, naming the reference and AWS's error code.
        """
        text = self.read(value, deadline, variable)
        if not is_reference(value):
            return value
        try:
            return Secret(_only_value(text.reveal()))
        except ValueError as error:
            raise _unavailable(variable, value, str(error)) from None

    def read(self, value: Secret, deadline: float, variable: str) -> Secret:
        """Return the text that a reference names, as it is kept, or the value itself.

        Args and errors are those of `resolve`.
        """
        if not is_reference(value):
            return value
        if (known := self._known.get(value)) is None:
            try:
                known = Race(lambda: self._read(value)).winner(deadline)
            # Whatever botocore raises must become an answer, without its import here.
            except Exception as error:  # noqa: BLE001
                raise _unavailable(variable, value, _reason(error)) from None
        return known

    def forget(self) -> None:
        """Read each secret anew when it is needed next: one was refused."""
        self._known.clear()

    def _read(self, value: Secret) -> Secret:
        service, _, name = value.reveal().partition(":")
        text = READERS[service](self._client(service), name.strip()).strip()
        if not text:
            raise _EmptyError
        known = self._known[value] = Secret(text)
        return known


class _EmptyError(Exception):
    """There is a secret, and nothing in it."""


def is_reference(value: Secret) -> bool:
    """Return whether a setting says where its value is kept."""
    service, colon, _ = value.reveal().partition(":")
    return bool(colon) and service in READERS


def _unavailable(variable: str, value: Secret, why: str) -> BridgeError:
    service, _, name = value.reveal().partition(":")
    # Whoever mistakes what a reference is may have put the secret itself behind it.
    shown = name if re.fullmatch(_NAME, name.strip()) else "… (which is no name)"
    return BridgeError(
        Failure.SECRET_UNAVAILABLE, f"{variable}, {service}:{shown}: {why}"
    )


def _only_value(text: str) -> str:
    """Return the value of a secret kept as a JSON object with a single key.

    That is how the console of Secrets Manager stores one; a text is returned as it is.
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/create_secret.html

    Raises:
        ValueError: Which of several values is meant cannot be known.
    """
    if text.startswith("{"):
        try:
            [value] = json.loads(text).values()
            text = str(value.strip())
        except (ValueError, AttributeError, RecursionError):
            raise ValueError(
                "it holds a JSON object: keep the value alone in it, or as its only one"
            ) from None
    if not text:
        raise ValueError("it is empty")
    return text


def _reason(error: Exception) -> str:
    """AWS's error code, such as ParameterNotFound, else the name of the exception."""
    if isinstance(error, _EmptyError):
        return "it is empty"
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    if not isinstance(code, str) or not re.fullmatch(_CODE, code):
        return type(error).__name__
    return code


def _boto3_client(service: str) -> Any:
    import boto3  # noqa: PLC0415 - costs a cold start 0.3 s, and few use it
    from botocore.config import Config  # noqa: PLC0415

    # At DEBUG it would log the answer, secret and all.
    logging.getLogger("botocore").setLevel(logging.INFO)
    # Alexa waits 8 s for the directive that needs the secret.
    config = Config(
        connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2}
    )
    with _making:
        return boto3.client(service, config=config)
