"""The entry: AWS Lambda calls `lambda_handler` for each directive from Alexa.

Everything else in this file runs once per execution environment.
"""

import os
import time
from typing import Any

from ha_bridge.connection import Connector
from ha_bridge.errors import BridgeError
from ha_bridge.settings import Settings

_started = time.monotonic()
_settings: Settings | None = None
try:
    _settings = Settings.from_environ(os.environ)
    # Connect and handshake go on in a thread during the heavy imports below; on a
    # small function those take as long.
    _connector = Connector.for_settings(_settings)
    _connector.open_ahead()
except BridgeError as error:
    _wrong = error

from ha_bridge.bridge import Bridge  # noqa: E402 - see above
from ha_bridge.home_assistant import HomeAssistant, Unconfigured  # noqa: E402

_bridge = Bridge(
    _settings,
    HomeAssistant(_connector) if _settings else Unconfigured(_wrong),
    init_s=time.monotonic() - _started,
)


def lambda_handler(event: object, context: object) -> dict[str, Any]:
    """Return Home Assistant's answer to a directive, or an Alexa ErrorResponse.

    Never raises.
    """
    return _bridge.answer(event, context)
