"""Cloudflare Access in front of a home, row by row as it was seen to answer.

https://developers.cloudflare.com/cloudflare-one/access-controls/service-credentials/service-tokens/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fakes.behaviours import answer_directive, response
from tests.fakes.server import Behaviour, Exchange

ID = "0123456789abcdef0123456789abcdef.access"
SECRET = "cfast_secret-service-token-6d1e"
HEADERS = {"CF-Access-Client-Id": ID, "CF-Access-Client-Secret": SECRET}

_HTML = {"Content-Type": "text/html", "Server": "cloudflare", "CF-RAY": "8a1b-FRA"}
_PAGE = "<!DOCTYPE html><html><title>Error ・ Cloudflare Access</title></html>".encode()
_CHALLENGE = (
    'Cloudflare-Access resource_metadata="https://home.example.org/.well-known/'
    'cloudflare-access-protected-resource/api/alexa/smart_home"'
)
_LOGIN = (
    "https://team.cloudflareaccess.com/cdn-cgi/access/login/home.example.org"
    "?kid=1&meta=2&redirect_url=%2Fapi%2Falexa%2Fsmart_home"
)


@dataclass
class Access:
    """The gate; `behave` is the behaviour of a server.

    Args:
        tokens: What is let in: secrets by their client id.
        has_allow: Whether people may log in too, so that others see a redirect.
        strict: An organisation of after October 2026: a token that cannot
            authenticate is a 401.
        outside: Tokens that are valid, but that no policy names.
    """

    tokens: Mapping[str, str] = field(default_factory=lambda: {ID: SECRET})
    has_allow: bool = False
    strict: bool = False
    outside: frozenset[str] = frozenset()
    behind: Behaviour = answer_directive
    cookies: list[str] = field(default_factory=list)

    def behave(self, exchange: Exchange) -> None:
        """Let in, or answer in place of the home."""
        given = exchange.request.headers
        if "cookie" in given:
            self.cookies.append(given["cookie"])
        name = given.get("cf-access-client-id", "")
        secret = given.get("cf-access-client-secret", "")
        is_known = bool(name) and self.tokens.get(name) == secret
        if is_known and name not in self.outside:
            self.behind(exchange)
        else:
            exchange.send(self._refusal(shows=bool(name or secret), known=is_known))

    def _refusal(self, *, shows: bool, known: bool) -> bytes:
        if self.strict and shows:
            status = 403 if known else 401
            return response(status, _PAGE, {**_HTML, "CF-Access-Domain": "home"})
        if self.has_allow:
            headers = {"Location": _LOGIN, "WWW-Authenticate": _CHALLENGE}
            cookie = {"Set-Cookie": "CF_AppSession=n0; Secure; HttpOnly"}
            return response(302, b"", {**_HTML, **headers, **cookie})
        named = {"CF-Access-Aud": "ab12", "CF-Access-Domain": "home.example.org"}
        return response(403, _PAGE, {**_HTML, **named})
