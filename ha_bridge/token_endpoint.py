"""What Amazon's servers ask for tokens, let through to a closed home.

Amazon posts to the skill's Access Token URI without headers or certificates of ours,
and renews each link every half hour.  What tells its request from anybody's is the
secret of the skill's account linking, at which Home Assistant never looks: so it is
free to be the key of this door.  Whatever else comes is answered here, and nothing of
it reaches the home.

https://developer.amazon.com/en-US/docs/alexa/account-linking/requirements-account-linking.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import contextlib
import hmac
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, NoReturn, Protocol
from urllib.parse import unquote_plus, urlencode

from ha_bridge.delivery import Kind
from ha_bridge.errors import BridgeError
from ha_bridge.home_assistant import Answered
from ha_bridge.redaction import Secret
from ha_bridge.secrets import SecretReader, is_reference

#: The variables of this function, beside those of the bridge.
VARIABLES: Final = {
    "LINK_CLIENT_ID": "Client id of the skill's account linking, such as "
    "https://layla.amazon.com/ with its slash.",
    "LINK_CLIENT_SECRET": "Client secret of the skill's account linking; without one "
    "nobody is let through. A text, ssm:/name or secretsmanager:name.",
}

#: Where Home Assistant gives tokens, and where it is asked for here.
#: https://developers.home-assistant.io/docs/auth_api#token
PATH: Final = "/auth/token"

#: Seconds for one request: Amazon waits 4.5.
BUDGET_S: Final = 4.0

#: Seconds kept back from what Lambda leaves.
RESERVE_S: Final = 0.3

#: Bytes of a request, its fields, and letters of one of them; Amazon's has 300 to 600
#: bytes in seven fields.
MAX_BODY: Final = 4096
MAX_FIELDS: Final = 12
MAX_VALUE: Final = 2048

#: Bytes of an answer; Home Assistant's has some 500.
MAX_ANSWER: Final = 16_384

#: Letters from which on a secret cannot be guessed, at two tries a second.
MIN_SECRET: Final = 20

#: Seconds after which a secret that does not fit is read anew: it may be a new one.
SECRET_AGE_S: Final = 60.0

_FORM: Final = re.compile(
    r"\s*application/x-www-form-urlencoded\s*(?:;\s*charset\s*=\s*\"?utf-8\"?\s*)?",
    re.IGNORECASE,
)
#: A name or a value of a form: visible letters, and the rest by its number.
_TEXT: Final = re.compile(r"(?:[!-$'-<>-~]|%[0-9A-Fa-f]{2})*")
#: Fields that are no secret.
_PUBLIC: Final = frozenset({"client_id", "grant_type", "redirect_uri"})

_VISIBLE: Final = re.compile(r"[ -~]*")

logger = logging.getLogger("ha_bridge")

Response = dict[str, Any]


class Grant(NamedTuple):
    """A kind of request: what Home Assistant gets of it, and whether it may go twice.

    A code serves once: Home Assistant forgets it with the first request, so that a
    second would be refused, and the refusal end the link.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    kind: Kind


#: What may pass, by its grant_type (RFC 6749, 4.1.3 and 6; RFC 7636, 4.5).
GRANTS: Final[Mapping[str, Grant]] = {
    "authorization_code": Grant(("client_id", "code"), ("code_verifier",), Kind.ACTS),
    "refresh_token": Grant(("client_id", "refresh_token"), (), Kind.ASKS),
}

#: Errors that are Home Assistant's own word to Amazon (RFC 6749, 5.2).
_OWN_ERRORS: Final = frozenset(
    {
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)


class Home(Protocol):
    """The way to Home Assistant; see `HomeAssistant`."""

    def post_form(
        self, path: str, form: bytes, *, deadline: float, kind: Kind
    ) -> Answered:
        """Post a form and return whatever is answered."""

    def reject(self, answered: Answered) -> NoReturn:
        """Raise what an answer means that is not Home Assistant's."""


class TokenEndpoint:
    """Answers Amazon's requests for tokens, one at a time.

    Args:
        environ: Has the `VARIABLES`.
        home: The way to Home Assistant.
        secrets: Resolves a reference.
        init_s: Seconds the import took; the first request has waited for it.
        clock: Seconds that only grow, as time.monotonic.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        home: Home,
        *,
        secrets: SecretReader | None = None,
        init_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client_id = environ.get("LINK_CLIENT_ID", "").strip()
        self._secret = Secret(environ.get("LINK_CLIENT_SECRET", "").strip())
        self._secret_read_at = clock()
        self._home = home
        self._secrets = secrets or SecretReader()
        self._init_s = init_s
        self._clock = clock
        logger.setLevel(logging.INFO)

    def answer(self, event: object, context: object = None) -> Response:
        """Return what Amazon is answered; never raises.

        Args:
            event: Of an HTTP API or a Function URL, in format 2.0.
            context: Lambda's context; only its remaining time is used.
        """
        started = self._clock()
        line: dict[str, Any] = {}
        why = ""
        try:
            response = self._answer(event, started + self._time_for(context), line)
        except _RefusedError as refused:
            response, why = refused.response, refused.why
        except BridgeError as error:
            # Not the user's fault, and not the link's: Amazon shall ask again.
            response, why = _failed(), error.message
            line["failure"] = error.failure.name
        except Exception as error:  # noqa: BLE001 - Amazon always gets an answer
            response, why = _failed(), f"{type(error).__name__}: please report it"
        line["status"] = response["statusCode"]
        line["duration_ms"] = round((self._clock() - started) * 1000)
        _log_line(line, why)
        return response

    def _answer(self, event: object, deadline: float, line: dict[str, Any]) -> Response:
        fields = read_form(event)
        self._check(fields, deadline)
        name = fields.get("grant_type", "")
        grant = GRANTS.get(name)
        if grant is None:
            raise _RefusedError(400, "unsupported_grant_type", "another grant_type")
        line["grant"] = name
        form = _form_of(grant, name, fields)
        answered = self._home.post_form(PATH, form, deadline=deadline, kind=grant.kind)
        line["connection"] = "reused" if answered.reused else "new"
        if not is_own(answered):
            self._reject(answered, fields)
        return _response(answered.status, answered.body.decode())

    def _reject(self, answered: Answered, fields: Mapping[str, str]) -> NoReturn:
        try:
            self._home.reject(answered)
        except BridgeError as error:
            sent = [fields[name] for name in fields if name not in _PUBLIC]
            raise error.hiding(sent) from None

    def _check(self, fields: Mapping[str, str], deadline: float) -> None:
        """Let pass what Amazon alone can know.

        Raises:
            BridgeError: The secret is kept where it cannot be had.
        """
        if not fields.get("client_secret"):  # AWS is not asked for a stranger
            raise _RefusedError(401, "invalid_client", "no client_secret")
        if not self._is_amazon(fields, deadline):
            is_old = self._clock() - self._secret_read_at > SECRET_AGE_S
            if is_old and is_reference(self._secret):
                self._secrets.forget()
                self._secret_read_at = self._clock()
            if not is_old or not self._is_amazon(fields, deadline):
                raise _RefusedError(
                    401, "invalid_client", "another client_id or client_secret"
                )

    def _is_amazon(self, fields: Mapping[str, str], deadline: float) -> bool:
        secret = self._secrets.resolve(self._secret, deadline, "LINK_CLIENT_SECRET")
        if len(secret.reveal()) < MIN_SECRET or not self._client_id:
            raise _RefusedError(
                401,
                "invalid_client",
                "nobody is let through: LINK_CLIENT_SECRET needs at least "
                f"{MIN_SECRET} letters, and LINK_CLIENT_ID must be set",
            )
        pairs = (
            (fields.get("client_secret", ""), secret.reveal()),
            (fields.get("client_id", ""), self._client_id),
        )
        # Both are compared, and in constant time: no answer comes sooner than another.
        results = [
            hmac.compare_digest(given.encode(), true.encode()) for given, true in pairs
        ]
        return all(results)

    def _time_for(self, context: object) -> float:
        seconds, self._init_s = BUDGET_S - self._init_s, 0.0
        remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
        if callable(remaining_ms):  # Lambda's clock starts after the import
            seconds = min(seconds, remaining_ms() / 1000 - RESERVE_S)
        return seconds


class _RefusedError(Exception):
    """What comes is not let through; nothing was sent."""

    def __init__(self, status: int, error: str, why: str) -> None:
        body = json.dumps({"error": error}) if error else ""
        self.response = _response(status, body)
        self.why = why
        super().__init__(why)


def _unknown(why: str) -> _RefusedError:
    # Nothing tells a stranger what would be something.
    return _RefusedError(404, "", why)


def read_form(event: object) -> dict[str, str]:
    """Return the fields of a request as Amazon makes it.

    Raises:
        _RefusedError: It is any other.
    """
    match event:
        case {
            "version": "2.0",
            "rawPath": "/auth/token",
            "requestContext": {"http": {"method": "POST"}},
            "headers": dict(headers),
            "body": str(body),
            **rest,
        }:
            pass
        case _:
            raise _unknown("no POST to /auth/token with a body")
    if rest.get("rawQueryString"):
        raise _unknown("something after a question mark")
    known = {str(name).lower(): value for name, value in headers.items()}
    if len(known) < len(headers):
        raise _unknown("a header twice")
    content_type = known.get("content-type")
    if not isinstance(content_type, str) or not _FORM.fullmatch(content_type):
        raise _unknown("another content type")
    if "content-encoding" in known:
        raise _unknown("a content encoding")
    return _fields(_text(body, is_base64=rest.get("isBase64Encoded") is True))


def _text(body: str, *, is_base64: bool) -> str:
    try:
        if len(body) > 2 * MAX_BODY:
            raise _unknown("a body that is too large")
        data = base64.b64decode(body, validate=True) if is_base64 else body.encode()
        if is_base64 and base64.b64encode(data).decode() != body:
            raise _unknown("a body in another base64 than AWS writes")
        if len(data) > MAX_BODY:
            raise _unknown("a body that is too large")
        return data.decode("ascii")
    except (binascii.Error, ValueError):
        raise _unknown("a body that is no form") from None


def _fields(form: str) -> dict[str, str]:
    pairs = form.split("&")
    if len(pairs) > MAX_FIELDS:
        raise _unknown("too many fields")
    fields: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not _TEXT.fullmatch(name) or not _TEXT.fullmatch(value):
            raise _unknown("a body that is no form")
        name, value = (unquote_plus(part, errors="replace") for part in (name, value))
        if name in fields:
            raise _unknown("a field twice")
        if len(value) > MAX_VALUE or not _VISIBLE.fullmatch(name + value):
            raise _unknown("a field that no request has")
        fields[name] = value
    return fields


def _form_of(grant: Grant, name: str, fields: Mapping[str, str]) -> bytes:
    """Return the form for Home Assistant: anew, and of these fields alone."""
    if missing := [field for field in grant.required if not fields.get(field)]:
        raise _RefusedError(400, "invalid_request", f"no {missing[0]}")
    wanted = (*grant.required, *grant.optional)
    form = {"grant_type": name} | {
        field: fields[field] for field in wanted if fields.get(field)
    }
    return urlencode(form).encode()


def is_own(answered: Answered) -> bool:
    """Return whether an answer is Home Assistant's own word to Amazon.

    Above all no gate's 403 and no proxy's page may look like one: an `invalid_grant`
    ends the link.
    """
    known = {name.lower(): value for name, value in answered.headers.items()}
    content_type = known.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json" or len(answered.body) > MAX_ANSWER:
        return False
    if any(name.startswith("cf-access-") for name in known):
        return False
    try:
        said = json.loads(answered.body.decode())
    except (ValueError, RecursionError):
        return False
    if not isinstance(said, dict):
        return False
    if answered.status == 200:  # noqa: PLR2004
        return isinstance(said.get("access_token"), str)
    return answered.status in (400, 403) and str(said.get("error")) in _OWN_ERRORS


def _failed() -> Response:
    """Return what ends no link (RFC 6749, 4.1.2.1, has the word)."""
    return _response(503, '{"error": "temporarily_unavailable"}')


def _response(status: int, body: str) -> Response:
    return {
        "statusCode": status,
        # RFC 6749, 5.1: a token is stored nowhere on the way.
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": body,
        "isBase64Encoded": False,
    }


def _log_line(line: dict[str, Any], why: str) -> None:
    """Write the one line a request; nothing in it comes from outside but a grant."""
    # A log that cannot be written must not cost Amazon its answer.
    with contextlib.suppress(Exception):
        logger.log(
            logging.INFO if line["status"] == 200 else logging.WARNING,  # noqa: PLR2004
            "Token for %s: HTTP %d in %d ms%s",
            line.get("grant", "nobody"),
            line["status"],
            line["duration_ms"],
            f": {why}" if why else "",
            extra={"token": line},
        )
