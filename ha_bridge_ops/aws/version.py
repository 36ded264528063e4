"""What a function runs: its code, and the settings that belong to it, as one version.

https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html and
https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
"""

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import urllib3

from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.session import AwsError, call, reads_aws, secrets_in
from ha_bridge_ops.outside import without

#: Gives the bytes behind an address.
Fetch = Callable[[str], bytes]

#: Seconds for AWS to put an update into force; it takes one or two.
TIMEOUT_S: Final = 120

#: Bytes of a zip that are read, or sent: as many as AWS takes directly.
#: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST: Final = 50_000_000


#: Of a function that says nothing of its log; not only the default, but all there was
#: before 2023.
PLAIN_LOG: Final = {"LogFormat": "Text"}


@dataclass(frozen=True)
class Settings:
    """What of a function's configuration belongs to its code."""

    runtime: str
    handler: str
    timeout_s: int
    memory_mb: int
    variables: Mapping[str, str] = field(repr=False)
    logging: Mapping[str, str] = field(default_factory=lambda: dict(PLAIN_LOG))
    """How lines are logged; LoggingConfig of Lambda's API."""

    def is_in(self, found: "Settings") -> bool:
        """Return whether they are in force; AWS adds to the log's what is usual."""
        log = {**found.logging, **self.logging}
        return replace(self, logging=log) == found


@dataclass(frozen=True)
class Version:
    """Code and settings."""

    code: bytes = field(repr=False)
    """A zip."""
    settings: Settings


class Live:
    """A function that is being changed, one change after the other.

    Each names the revision that it changes, so that AWS refuses if somebody else was
    faster; and each is waited for.

    Args:
        function: Which.
        fetch: Gets what AWS has an address for.
        sleep: As time.sleep.
    """

    def __init__(
        self,
        function: Function,
        *,
        fetch: Fetch | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.function = function
        self._fetch = fetch or download
        self._sleep = sleep
        self._revision: str | None = None

    @reads_aws
    def read(self) -> Version:
        """Return what it runs.

        Raises:
            AwsError: AWS does not let us look, or the code cannot be had.
        """
        self._settled()
        found = self._call("get_function")
        self._revision = found["Configuration"].get("RevisionId")
        location = found.get("Code", {}).get("Location")
        if found["Configuration"].get("PackageType", "Zip") != "Zip" or not location:
            raise AwsError("NoZip", "The function is a container image.")
        if error := found["Configuration"].get("Environment", {}).get("Error"):
            # They would be lost: what is changed replaces all of them.
            raise AwsError(str(error.get("ErrorCode")), str(error.get("Message", "")))
        return Version(self._fetch(str(location)), _settings(found["Configuration"]))

    @reads_aws
    def put_code(self, code: bytes) -> None:
        """Exchange the code.

        Raises:
            AwsError: AWS refused, or it does not come into force.
        """
        self._call("update_function_code", ZipFile=code, **self._guard())
        found = self._settled()
        if found.get("CodeSha256") != sha256(code):
            raise AwsError("Changed", "Somebody else has exchanged the code meanwhile.")

    @reads_aws
    def put_settings(self, settings: Settings) -> None:
        """Exchange the settings, all at once.

        Raises:
            AwsError: AWS refused, or they do not come into force.
        """
        self._call(
            "update_function_configuration",
            Runtime=settings.runtime,
            Handler=settings.handler,
            Timeout=settings.timeout_s,
            MemorySize=settings.memory_mb,
            Environment={"Variables": dict(settings.variables)},
            LoggingConfig=dict(settings.logging),
            **self._guard(),
        )
        if not settings.is_in(_settings(self._settled())):
            raise AwsError("Changed", "Somebody else has changed the settings too.")

    @reads_aws
    def is_at(self, version: Version) -> bool:
        """Return whether it is a version now, whoever has made it so.

        Raises:
            AwsError: AWS does not let us look.
        """
        found = self._settled()
        same = found.get("CodeSha256") == sha256(version.code)
        return same and version.settings.is_in(_settings(found))

    def _guard(self) -> dict[str, str]:
        return {"RevisionId": self._revision} if self._revision else {}

    def _settled(self) -> Mapping[str, Any]:
        """Wait until the last update is in force; return the configuration."""
        for _ in range(TIMEOUT_S):
            found: Mapping[str, Any] = self._call("get_function_configuration")
            self._revision = found.get("RevisionId")
            status = found.get("LastUpdateStatus", "Successful")
            if status == "Failed":
                reason = str(found.get("LastUpdateStatusReason", ""))
                given = found.get("Environment", {}).get("Variables", {})
                raise AwsError("UpdateFailed", without(secrets_in(given), reason))
            if status != "InProgress" and found.get("State", "Active") != "Pending":
                return found
            self._sleep(1)
        raise AwsError("UpdateTimedOut", f"not in force after {TIMEOUT_S} s")

    def _call(self, method: str, **arguments: Any) -> Any:
        client = self.function.client("lambda")
        return call(
            getattr(client, method), FunctionName=self.function.name, **arguments
        )


def sha256(code: bytes) -> str:
    """Return the hash of a zip as AWS tells it."""
    return base64.b64encode(hashlib.sha256(code).digest()).decode()


def download(url: str) -> bytes:
    """Return what is behind an address of AWS's, which holds for ten minutes.

    Raises:
        AwsError: It cannot be had.
    """
    try:
        answer = urllib3.request("GET", url, timeout=60, preload_content=False)
        content = answer.read(MOST + 1)
    except urllib3.exceptions.HTTPError as error:
        raise AwsError(type(error).__name__) from None
    if answer.status != 200:  # noqa: PLR2004 - HTTP's OK
        raise AwsError(f"HTTP {answer.status}")
    if len(content) > MOST:
        raise AwsError("TooLarge", "The code is larger than AWS accepts directly.")
    return bytes(content)


def _settings(found: Mapping[str, Any]) -> Settings:
    return Settings(
        runtime=str(found.get("Runtime") or ""),
        handler=str(found.get("Handler") or ""),
        timeout_s=int(found["Timeout"]),
        memory_mb=int(found["MemorySize"]),
        variables=_texts(found.get("Environment", {}).get("Variables", {})),
        logging=_texts(found.get("LoggingConfig") or PLAIN_LOG),
    )


def _texts(found: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in found.items()}
