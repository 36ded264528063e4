"""HTTP to Home Assistant from here, over one connection, never following a redirect."""

import json as json_module
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode

from ha_bridge import __version__
from ha_bridge.connection import Gate, is_quiet, secure, tls_context
from ha_bridge.home_assistant import BoundedResponse
from ha_bridge.messages import MAX_ANSWER, MAX_OBJECTS, objects_in
from ha_bridge.probe import Dial, connect, ended
from ha_bridge.redaction import Secret
from ha_bridge.settings import Address

#: Seconds for one request.
TIMEOUT_S = 8.0

#: Objects and lists inside one another; Alexa's messages have ten.
MAX_DEPTH = 100

#: Values of any kind in an answer that is shown; 300 devices have some 100 000.
MAX_VALUES = 300_000


def is_dense(answer: object) -> bool:
    """Return whether an answer has more values in it than MAX_VALUES."""
    left, number = [answer], 0
    while left and number <= MAX_VALUES:
        one = left.pop()
        inner = (
            one.values()
            if isinstance(one, dict)
            else one
            if isinstance(one, list)
            else ()
        )
        number += len(inner)
        if number <= MAX_VALUES:  # a list of millions is not copied
            left += (value for value in inner if isinstance(value, dict | list))
    return number > MAX_VALUES


def is_deep(answer: object) -> bool:
    """Return whether an answer is nested more deeply than MAX_DEPTH.

    Python writes it as text by calling itself for each level, and ends at a thousand.
    """
    level = [answer]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


#: What is said of such an answer.
TOO_DEEP = (
    f"The answer is nested more than {MAX_DEPTH} deep, and is not shown: is it Home "
    "Assistant that answers at BASE_URL?"
)

#: What is said of a dense one.
TOO_DENSE = (
    f"The answer has over {MAX_VALUES} values in it, more than any home needs, and is "
    "not shown: is it Home Assistant that answers at BASE_URL?"
)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes = field(repr=False)
    first_byte_ms: float
    """From sending to the head of the answer; connecting is not in it."""
    ms: float
    content_type: str = ""
    server: str = ""

    @property
    def text(self) -> str:
        """The body as text, or what can be read of it."""
        return self.body.decode("utf-8", "replace").strip()

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None if it is none, or one that would eat the memory."""
        if self.is_dense:
            return None
        try:
            found = json_module.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return None if is_deep(found) else found

    @property
    def is_dense(self) -> bool:
        """Whether there are more objects and lists in it than anybody's devices need.

        Six megabytes of empty ones would take half a gigabyte.
        """
        return objects_in(self.body) > MAX_OBJECTS

    def is_own(self, text: str) -> bool:
        """Return whether it is a refusal in Home Assistant's own words."""
        return self.text == f"{self.status}: {text}"


class Client:
    """Asks one Home Assistant.

    Args:
        address: Where it is.
        ip: The address behind its name.
        dial: As socket.create_connection.
        verify_tls: Whether its certificate is checked.
        gate: What opens a closed home.
    """

    def __init__(
        self,
        address: Address,
        ip: str,
        dial: Dial,
        *,
        verify_tls: bool,
        gate: Gate | None = None,
    ) -> None:
        self._gate = gate
        self._address = address
        self._ip = ip
        self._dial = dial
        self._verify_tls = verify_tls
        self._http: HTTPConnection | None = None

    def request(  # noqa: PLR0913 - one call does all
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        form: Mapping[str, str] | None = None,
        token: Secret | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> Answer:
        """Return the answer to a request.

        Args:
            method: GET or POST.
            path: Below the address.
            json: A body of this kind.
            form: Likewise.
            token: For the Authorization header.
            timeout_s: Seconds for all of it.

        Raises:
            OSError: The network failed, or it took too long.
            HTTPException: What came back is not HTTP, or what was to be sent is not.
        """
        body, kind = None, None
        if json is not None:
            body, kind = json_module.dumps(json).encode(), "application/json"
        elif form is not None:
            body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
        headers = {
            "Host": self._address.authority,
            "User-Agent": f"ha-bridge/{__version__}",
            **(self._gate.headers(time.monotonic() + timeout_s) if self._gate else {}),
            **({"Content-Type": kind} if kind else {}),
            **({"Authorization": f"Bearer {token.reveal()}"} if token else {}),
        }
        deadline = time.monotonic() + timeout_s
        http = self._connection(deadline)
        started = time.monotonic()
        try:
            with ended(self._sock, deadline):
                http.request(method, self._address.path + path, body, headers)
                answer = http.getresponse()
                first_byte_ms = _ms(started)
                content = answer.read(MAX_ANSWER + 1)
        except (OSError, HTTPException):
            self.close()
            raise
        except ValueError:
            # Its text is what could not be sent, a token perhaps.
            self.close()
            raise HTTPException from None
        if answer.will_close or not answer.isclosed():
            self.close()
        return Answer(
            answer.status,
            content,
            first_byte_ms,
            _ms(started),
            answer.headers.get_content_type(),
            answer.headers.get("server", ""),
        )

    def close(self) -> None:
        """Close the connection."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _connection(self, deadline: float) -> HTTPConnection:
        if self._http is not None and not self._is_fit(deadline):
            self.close()  # somebody took long to type a password
        if self._http is None:
            sock: Any = connect(self._address, self._ip, deadline, self._dial)
            if self._address.is_tls:
                context = tls_context(self._gate, deadline)
                if not self._verify_tls:
                    context.check_hostname = False
                    context.verify_mode = ssl.CERT_NONE
                sock = secure(sock, context, self._address.host)
            self._http = HTTPConnection(self._address.host, self._address.port)
            self._http.response_class = BoundedResponse
            self._http.sock = sock
            self._http.auto_open = 0
        self._sock.deadline = deadline
        return self._http

    @property
    def _sock(self) -> Any:
        """The connection; None if there is none."""
        return self._http.sock if self._http else None

    def _is_fit(self, deadline: float) -> bool:
        sock = self._sock
        if sock is None:
            return False
        with ended(sock, deadline):
            return is_quiet(sock)


def _ms(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
