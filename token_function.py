"""The entry of the token endpoint: for Amazon's servers, not for Alexa's directives.

A second, optional function with the same code and settings; see docs/closed-homes.md.
Everything else in this file runs once per execution environment.
"""

import os
import time
from typing import Any

from ha_bridge.connection import Connector
from ha_bridge.errors import BridgeError
from ha_bridge.settings import Settings

_started = time.monotonic()
_connector: Connector | None = None
try:
    _settings = Settings.from_environ(os.environ)
    _connector = Connector.for_settings(_settings)
    _connector.open_ahead()
except BridgeError as error:
    _wrong = error

from ha_bridge.home_assistant import HomeAssistant, Unconfigured  # noqa: E402 - as in lambda_function
from ha_bridge.token_endpoint import TokenEndpoint  # noqa: E402

_endpoint = TokenEndpoint(
    os.environ,
    HomeAssistant(_connector) if _connector else Unconfigured(_wrong),
    init_s=time.monotonic() - _started,
)


def lambda_handler(event: object, context: object) -> dict[str, Any]:
    """Return Home Assistant's answer to Amazon's request for a token.

    Never raises.

    Args:
        event: Of an HTTP API or a Function URL, in format 2.0.
        context: Lambda's context.
    """
    return _endpoint.answer(event, context)
