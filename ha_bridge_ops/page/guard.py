"""Who may ask the page anything: it can open doors.

Other programs of this machine, and every page in the browser, can reach a server on
loopback.  So the name it is asked by must be its own (a name of somebody else's that
leads here is DNS rebinding), the browser must have been let in once with an address
that only the terminal showed, its account must be the one that started the page, and a
change must come from the page itself.
"""

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ha_bridge_ops.page.peer import End, is_of_another

#: On every answer, whatever it is.
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types "
        "'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

#: Where the one-time token is taken.
OPEN: Final = "/open"

#: Bytes of a body; a choice among 3,000 endpoints is the largest.
MAX_BODY: Final = 1024 * 1024

CSRF_HEADER: Final = "X-CSRF-Token"


class RefusedError(Exception):
    """A request that is not answered; the message is one sentence."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Sessions:
    """The browsers that were let in.

    Args:
        port: A cookie knows no port; its name does, so that two pages do not mix.
    """

    def __init__(self, port: int) -> None:
        self.cookie = f"ha_bridge_page_{port}"
        self.one_time = secrets.token_urlsafe(32)
        self._csrf: dict[str, str] = {}

    def let_in(self, token: str) -> str | None:
        """Return a new session for the one-time token, which is then gone."""
        expected, given = self.one_time.encode(), token.encode(errors="replace")
        if not expected or not hmac.compare_digest(expected, given):
            return None
        self.one_time = ""
        session = secrets.token_urlsafe(32)
        self._csrf[session] = secrets.token_urlsafe(32)
        return session

    def csrf(self, session: str | None) -> str | None:
        """Return the CSRF token of a session, or None if there is no such session."""
        return self._csrf.get(session or "")


class Guard:
    """ASGI middleware that refuses what does not come from the page itself.

    Args:
        app: Asked for all that is not refused.
        port: Of the page.
        sessions: Who was let in.
        is_of_another: Says of two ends of a connection whether another account asks.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        port: int,
        sessions: Sessions,
        is_of_another: Callable[[End, End], bool] = is_of_another,
    ) -> None:
        self._app = app
        self._end = ("127.0.0.1", port)
        self._is_of_another = is_of_another
        self._host = f"127.0.0.1:{port}"
        self._origin = f"http://{self._host}"
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            return
        sending = _with_headers(send)
        request = Request(scope, receive)
        try:
            answer = self._look(request)
        except RefusedError as refused:
            answer = _refusal(request, refused)
        await (answer or self._app)(scope, receive, sending)

    def _look(self, request: Request) -> Response | None:
        """Return the answer if it is given here, or None to go on.

        Raises:
            RefusedError: It must not be answered.
        """
        client = request.client
        if client is None or self._is_of_another((client.host, client.port), self._end):
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                "Only the account that started ha-bridge page may see it.",
            )
        if request.headers.getlist("host") != [self._host]:
            raise RefusedError(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"This page is at {self._origin} and nowhere else.",
            )
        if request.method not in ("GET", "POST"):
            raise RefusedError(
                HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and POST are answered."
            )
        session = request.cookies.get(self._sessions.cookie)
        csrf = self._sessions.csrf(session)
        if request.url.path == OPEN and request.method == "GET":
            return self._open(request, is_in=csrf is not None)
        if csrf is None:
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                "Open the address that ha-bridge page printed; it works once. If it is "
                "used up, stop ha-bridge page with Ctrl-C and start it again.",
            )
        self._same_origin(request.headers, is_change=request.method == "POST")
        if request.method == "POST":
            self._is_from_the_page(request.headers, csrf)
        request.scope["csrf"] = csrf
        return None

    def _open(self, request: Request, *, is_in: bool) -> Response:
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        session = self._sessions.let_in(request.query_params.get("token", ""))
        if session is not None:
            answer.set_cookie(
                self._sessions.cookie,
                session,
                path="/",
                httponly=True,
                samesite="strict",
            )
        elif not is_in:
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                "This address was used already, or is not the one that was printed. "
                "Stop ha-bridge page with Ctrl-C and start it again.",
            )
        return answer

    def _same_origin(self, headers: Headers, *, is_change: bool) -> None:
        origins = headers.getlist("origin")
        if origins != [self._origin] and (is_change or origins):
            raise RefusedError(
                HTTPStatus.FORBIDDEN, "Another page asked for this; it is not done."
            )
        # A page on another port of this machine is “same-site”; typed is “none”.
        allowed = ("same-origin",) if is_change else ("same-origin", "none")
        if headers.get("sec-fetch-site", "same-origin") not in allowed:
            raise RefusedError(
                HTTPStatus.FORBIDDEN, "Another page asked for this; it is not done."
            )

    def _is_from_the_page(self, headers: Headers, csrf: str) -> None:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Changes are sent as JSON."
            )
        given = headers.get(CSRF_HEADER, "").encode(errors="replace")
        if not hmac.compare_digest(csrf.encode(), given):
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                "The page is older than ha-bridge page: load it again.",
            )


def _refusal(request: Request, refused: RefusedError) -> Response:
    message = str(refused)
    if request.url.path.startswith("/api/"):
        return JSONResponse({"problem": message}, refused.status)
    return PlainTextResponse(message + "\n", refused.status)


def _with_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sending


async def body_of(request: Request) -> dict[str, object]:
    """Return the JSON object in a request.

    Raises:
        RefusedError: It is too large, or no such object.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"More than {MAX_BODY // 1024} kB are not read.",
            )
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "This is not JSON.") from None
    if not isinstance(value, dict):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "This is JSON, but no object.")
    return value
