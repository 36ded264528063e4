"""Links `link.*`: an account is linked as Alexa does it, and unlinked again.

Source: https://developers.home-assistant.io/docs/auth_api/ and
https://developer.amazon.com/docs/account-linking/configure-authorization-code-grant.html
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from ha_bridge.redaction import Secret
from ha_bridge_ops.check.context import TOKEN_PATH, Context, Fact
from ha_bridge_ops.check.evidence import named
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Question, Untried
from ha_bridge_ops.check.settings import why_malformed
from ha_bridge_ops.home_client import Answer
from ha_bridge_ops.outside import known, one_of, quoted
from ha_bridge_ops.regions import Region, region_of

#: Milliseconds that Amazon waits for a token.
TOKEN_LIMIT_MS: Final = 4500.0

_HTML: Final = "text/html"

#: Ways to log in that ask for user and password on Home Assistant's own page.
_FORMS: Final = ("homeassistant", "command_line", "insecure_example")


#: Characters of an answer that may be shown in part.
READ: Final = 4000

#: Ways to log in that are named.
_SHOWN: Final = 8

#: What Home Assistant calls its providers, modules and errors; and a time.
WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SECONDS: Final = re.compile(r"\d{1,9}(?:\.\d{1,3})?")


@dataclass
class _Linking:
    """How far it has come."""

    region: Region
    user: str = ""
    code: Secret | None = None
    access_token: Secret | None = None
    refresh_token: Secret | None = None

    @property
    def redirect_uri(self) -> str:
        """Where Amazon would have the browser return to; nothing is sent there."""
        return f"https://{self.region.redirect_host}/api/skill/link/HA-BRIDGE-CHECK"


@Fact
def linking_of(context: Context) -> _Linking:
    """How far it has come, for the marketplace of the locale."""
    return _Linking(region_of(context.options.locale or ""))


def values_of(context: Context) -> dict[str, str]:
    """Return what the texts of these links are filled in with."""
    region = linking_of(context).region
    return {
        "client_id": region.client_id,
        "redirect_host": region.redirect_host,
        "locale": str(context.options.locale),
        **named(context.address),
    }


def client_id(context: Context) -> Outcome:
    """The client id is that of your marketplace."""
    right = linking_of(context).region.client_id
    given = context.options.client_id
    if given is None and context.prompt is not None:
        given = context.prompt(Question.CLIENT_ID, right)
    given = (given or "").strip() or right
    if given == right:
        return Fine(right)
    values, shown = values_of(context), quoted(given)
    try:
        url = urlsplit(given)
    except ValueError:
        url = urlsplit("")
    if url.scheme not in ("http", "https") or not url.netloc:
        # It may be the secret, which stands beside it in the console.
        return Problem("not_an_address", "what was given is no address", values)
    if url.netloc.lower() != linking_of(context).region.redirect_host:
        return Problem("other_host", f"{shown}, for {values['locale']}", values)
    return Problem("spelling", f"{shown}, not {right}", values)


#: A step that asks Home Assistant something.
_Step = Callable[[Context], Outcome]


def over_the_network(failure: str) -> Callable[[_Step], _Step]:
    """Make a cause of what the network may do in a step."""

    def wrap(step: _Step) -> _Step:
        def check(context: Context) -> Outcome:
            try:
                return step(context)
            except (OSError, HTTPException) as error:
                saw = f"no answer: {type(error).__name__}"
                return Problem(failure, saw, values_of(context))

        return check

    return wrap


@over_the_network("no_page")
def authorize(context: Context) -> Outcome:
    """Home Assistant shows its login page."""
    if context.evidence is None or context.evidence.status is None:
        return Untried("nothing answers")
    if context.evidence.tls.get("error") and context.verifies_tls:
        return Untried("the certificate is not trusted")
    linking, values = linking_of(context), values_of(context)
    query = {
        "response_type": "code",
        "client_id": linking.region.client_id,
        "redirect_uri": linking.redirect_uri,
        "state": secrets.token_urlsafe(16),
        "scope": "smart_home",
    }
    page = context.home.request("GET", f"/auth/authorize?{urlencode(query)}")
    if page.status != HTTPStatus.OK or page.content_type != _HTML:
        return Problem("no_page", words_of(context, page), values)
    return _judge_providers(context, context.home.request("GET", "/auth/providers"))


def _judge_providers(context: Context, answer: Answer) -> Outcome:
    values = values_of(context)
    if answer.status == HTTPStatus.BAD_REQUEST and "onboard" in answer.text.lower():
        return Problem("not_set_up", words_of(context, answer), values)
    kinds = _providers(answer)
    if kinds is None:
        saw = f"/auth/providers: {words_of(context, answer)}"
        return Problem("no_page", saw, values)
    shown = (one_of(kind, WORD) for kind in kinds[:_SHOWN])
    saw = f"ways to log in: {', '.join(shown)}"
    if "homeassistant" not in kinds:
        return Problem("no_password", saw, values)
    if kinds[:1] == ["trusted_networks"]:
        return Problem("trusted_networks", saw, values)
    if kinds[0] not in _FORMS:
        return Problem("another_first", saw, values)
    return Fine(saw)


def _providers(answer: Answer) -> list[str] | None:
    found = answer.json
    if isinstance(found, dict):  # older ones answer with the list itself
        found = found.get("providers")
    if answer.status != HTTPStatus.OK or not isinstance(found, list):
        return None
    return [str(one.get("type")) for one in found if isinstance(one, dict)]


@over_the_network("other")
def token(context: Context) -> Outcome:
    """The code is exchanged for a token."""
    linking = linking_of(context)
    if linking.code is None:
        return Untried("there was no login")
    form = {"grant_type": "authorization_code", "code": linking.code.reveal()}
    answer, given = _ask_for_a_token(context, form)
    linking.access_token = _given(context, given, "access_token")
    linking.refresh_token = _given(context, given, "refresh_token")
    if answer.status != HTTPStatus.OK or linking.access_token is None:
        cause = _no_token(answer)
        if cause in ("other", "banned") and _is_closed(context):
            cause = "closed"
        return Problem(cause, words_of(context, answer), values_of(context))
    lasts = one_of(str(given.get("expires_in")), _SECONDS)
    saw = f"valid for {lasts} s, after {answer.ms:.0f} ms"
    if answer.ms > TOKEN_LIMIT_MS:
        return Problem("slow", saw, values_of(context))
    return Fine(saw)


def _ask_for_a_token(
    context: Context, grant: Mapping[str, str]
) -> tuple[Answer, Mapping[str, Any]]:
    """Ask as Amazon does: with the client secret, and where it would ask.

    Returns:
        The answer, and what is in it; nothing if it is no JSON object.
    """
    form = {**grant, "client_id": linking_of(context).region.client_id}
    secret = context.value("LINK_CLIENT_SECRET")
    endpoint = context.token_endpoint
    if endpoint is None:
        # As Amazon does, without what opens a closed home.
        return _read(context.as_amazon.request("POST", TOKEN_PATH, form=form))
    if not secret and context.prompt is not None:
        secret = context.prompt(Question.CLIENT_SECRET, "").strip()
    if secret:
        context.secrets.append(Secret(secret))
    form["client_secret"] = secret
    return _read(endpoint.request("POST", TOKEN_PATH, form=form))


def _read(answer: Answer) -> tuple[Answer, Mapping[str, Any]]:
    return answer, answer.json if isinstance(answer.json, dict) else {}


def _given(context: Context, answer: Mapping[str, Any], name: str) -> Secret | None:
    """Return a token of an answer; None if there is none that could be sent."""
    text = answer.get(name)
    if not isinstance(text, str) or not text:
        return None
    found = Secret(text)
    context.secrets.append(found)
    return None if why_malformed(text) else found


def _is_closed(context: Context) -> bool:
    """Return whether Amazon meets the gate of a closed home, and no endpoint."""
    return context.gate is not None and context.options.token_url is None


def _no_token(answer: Answer) -> str:
    said = answer.json if isinstance(answer.json, dict) else {}
    if said.get("error_description") == "Invalid client id":
        return "basic"
    if said.get("error_description") == "Invalid code":
        return "code"
    if said.get("error") == "invalid_client":
        return "client_secret"
    if said.get("error") == "temporarily_unavailable":
        return "unavailable"
    if said.get("error") == "access_denied":
        return "user_blocked"
    return "banned" if answer.is_own("Forbidden") else "other"


@over_the_network("not_renewed")
def refresh(context: Context) -> Outcome:
    """The token can be used, and renewed; then it is given back."""
    linking = linking_of(context)
    if linking.refresh_token is None:
        return Untried("there is no token")
    form = {
        "grant_type": "refresh_token",
        "refresh_token": linking.refresh_token.reveal(),
    }
    answer, given = _ask_for_a_token(context, form)
    renewed = _given(context, given, "access_token")
    if answer.status != HTTPStatus.OK or renewed is None:
        return Problem("not_renewed", words_of(context, answer), values_of(context))
    used = context.home.request("GET", "/api/", token=renewed)
    if used.status != HTTPStatus.OK:
        return Problem("not_accepted", words_of(context, used), values_of(context))
    given_back = "given back" if give_back(context) else "left to expire"
    return Fine(f"renewed, used and {given_back}")


def give_back(context: Context) -> bool:
    """Revoke what was given, however far it came; return whether that went well."""
    linking = linking_of.known(context)
    if linking is None or linking.refresh_token is None:
        return False
    form = {"token": linking.refresh_token.reveal()}
    linking.refresh_token = None
    try:
        answer = context.home.request("POST", "/auth/revoke", form=form)
    except (OSError, HTTPException):
        return False  # it expires by itself when it is not used
    return answer.status == HTTPStatus.OK


def words_of(context: Context, answer: Answer) -> str:
    """Return an answer in a few words, without the secrets that it may echo."""
    said = answer.json
    if isinstance(said, dict):
        found = (said.get(key) for key in ("message", "error_description", "error"))
        text = next((str(one) for one in found if one), "")
    else:
        is_text = answer.content_type == "text/plain"
        text = answer.text if is_text else answer.content_type
    # Before it is cut: half a secret is none that could be found.
    shown = known(context.hide(text[:READ]), 80)
    return f"HTTP {answer.status} {shown}".strip()
