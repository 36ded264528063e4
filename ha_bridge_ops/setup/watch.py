"""Waiting for Alexa: the function's log tells when she comes."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.logs import Line, Log
from ha_bridge_ops.outside import one_of, visible

#: Seconds between two looks at the log, which is some seconds late itself.
PAUSE_S: Final = 3.0

#: What Alexa calls a directive.
_NAME: Final = re.compile(r"[A-Za-z]{1,64}")

#: More devices than any home has.
_MOST_DEVICES: Final = 100_000

#: Characters of what the function says of a failure.
_MOST: Final = 600


@dataclass(frozen=True)
class Found:
    """What Alexa got when she asked for the devices."""

    count: int | None
    """How many; None if the function's log does not say."""


@dataclass
class Watch:
    """Looks at the log until Alexa has found the devices.

    Args:
        function: Whose log.
        tell: Hears what happens.
        clock: As time.time.
        sleep: As time.sleep.
    """

    function: Function
    tell: Callable[[str], None]
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def until_found(self, since_s: float, timeout_s: float) -> Found | None:
        """Return what Alexa has found when she asked for the devices; None if nothing.

        Args:
            since_s: From when on, in seconds since the epoch.
            timeout_s: Seconds to wait.

        Raises:
            AwsError: AWS does not let us read the log.
        """
        seen: set[tuple[int, str]] = set()
        end = self.clock() + timeout_s
        while True:
            for line in Log(self.function, since_s):
                if (line.at_ms, line.text) in seen:
                    continue
                seen.add((line.at_ms, line.text))
                if (found := self._found(line)) is not None:
                    return found
            if self.clock() >= end:
                return None
            self.sleep(PAUSE_S)

    def _found(self, line: Line) -> Found | None:
        directive = line.directive
        if directive is None:
            return None
        name = directive.get("name")
        if directive.get("errorType"):
            record = line.record or {}
            what = one_of(name, _NAME)
            said = visible(record.get("message", ""), _MOST)
            self.tell(f"! Alexa came with {what}, and it failed: {said}")
            return None
        if name == "AcceptGrant":
            self.tell("Alexa may be told of changes")
        if name != "Discover":
            return None
        self.tell("Alexa is linked")
        count = directive.get("endpoints")
        is_one = type(count) is int and 0 <= count <= _MOST_DEVICES
        return Found(count if is_one else None)
