"""What Amazon asks the token endpoint, and what the home answers."""

import base64
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tests.fakes.behaviours import reply
from tests.fakes.server import Server

CLIENT_ID = "https://layla.amazon.com/"
SECRET = "secret-of-the-skill-0123456789"
CODE = "secret-code-aa11"
REFRESH = "secret-refresh-token-bb22"
ACCESS = "secret-access-token-cc33"
LINK = {"LINK_CLIENT_ID": CLIENT_ID, "LINK_CLIENT_SECRET": SECRET}

BY_CODE = {
    "grant_type": "authorization_code",
    "code": CODE,
    "client_id": CLIENT_ID,
    "client_secret": SECRET,
    "redirect_uri": "https://layla.amazon.com/api/skill/link/M1234567890",
}
BY_REFRESH = {
    "grant_type": "refresh_token",
    "refresh_token": REFRESH,
    "client_id": CLIENT_ID,
    "client_secret": SECRET,
}

#: As Home Assistant writes it.
TOKENS = json.dumps(
    {"access_token": ACCESS, "token_type": "Bearer", "expires_in": 1800}
)
INVALID = '{"error":"invalid_request","error_description":"Invalid code"}'
give = reply(200, TOKENS.encode())


def event(form: dict[str, str] | str | bytes, *, as_base64: bool = True) -> Any:
    """Return what an HTTP API hands over, as AWS documents it."""
    text = urlencode(form) if isinstance(form, dict) else form
    data = text.encode() if isinstance(text, str) else text
    body = base64.b64encode(data).decode() if as_base64 else data.decode("latin-1")
    return {
        "version": "2.0",
        "routeKey": "POST /auth/token",
        "rawPath": "/auth/token",
        "rawQueryString": "",
        "headers": {
            "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
            "content-length": str(len(data)),
            "host": "abc.execute-api.eu-west-1.amazonaws.com",
            "user-agent": "Apache-HttpClient",
        },
        "requestContext": {
            "domainName": "abc.execute-api.eu-west-1.amazonaws.com",
            "http": {
                "method": "POST",
                "path": "/auth/token",
                "protocol": "HTTP/1.1",
                "sourceIp": "72.21.217.157",
                "userAgent": "Apache-HttpClient",
            },
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": as_base64,
    }


def form_at(server: Server) -> dict[str, str]:
    """Return the form that reached Home Assistant."""
    return dict(parse_qsl(server.requests[-1].body.decode(), strict_parsing=True))


def refresh(**fields: str) -> Any:
    return event({**BY_REFRESH, **fields})


def lacking(name: str, form: dict[str, str] = BY_REFRESH) -> Any:
    return event({key: value for key, value in form.items() if key != name})
