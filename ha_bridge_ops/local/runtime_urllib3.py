"""The urllib3 of Lambda's runtime, which nobody chooses: 2, or still 1.26.

The core asks for four names of urllib3 2; here is what they are in either.
"""

from typing import Any

import urllib3.connection
import urllib3.exceptions
import urllib3.response

_connection: Any = urllib3.connection
_response: Any = urllib3.response

DecodeError = urllib3.exceptions.DecodeError
HTTPError = urllib3.exceptions.HTTPError
HTTPConnection = _connection.HTTPConnection
BaseHTTPResponse: Any = getattr(_response, "BaseHTTPResponse", None)

if BaseHTTPResponse is None:
    BaseHTTPResponse = _response.HTTPResponse

    class _Connection(_connection.HTTPConnection):  # type: ignore[misc] # Any, see above
        """As that of urllib3 2, as far as it is used."""

        def request(self, *arguments: Any, **options: Any) -> None:
            """Send a request."""
            options.pop("preload_content")
            super().request(*arguments, **options)

        def getresponse(self) -> Any:
            """Return an answer that is not read ahead."""
            return _response.HTTPResponse.from_httplib(
                super().getresponse(), preload_content=False
            )

    HTTPConnection = _Connection
