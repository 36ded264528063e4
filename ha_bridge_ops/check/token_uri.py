"""Link `ha.token_uri`: Amazon's servers reach the address where they ask for tokens.

Nothing is sent that counts as a failed login: Home Assistant is asked by GET, and only
the token endpoint, which is another function, with a wrong secret.
"""

import ssl
from http import HTTPStatus
from http.client import HTTPException
from typing import Final

from ha_bridge_ops.check.context import TOKEN_PATH, Context
from ha_bridge_ops.check.evidence import Evidence
from ha_bridge_ops.check.linking import words_of
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried

#: What the token endpoint lets nobody in with, and what it says to that.
_WRONG: Final = {
    "grant_type": "refresh_token",
    "client_id": "ha-bridge-check",
    "client_secret": "ha-bridge-check",
    "refresh_token": "none",
}
_REFUSED: Final = {"error": "invalid_client"}


def token_uri(context: Context) -> Outcome:
    """Amazon is answered by Home Assistant, or by the token endpoint."""
    evidence = context.evidence
    wanted = context.options.token_url
    if wanted and wanted != f"{context.address}{TOKEN_PATH}":
        return _endpoint(context)
    if evidence is None:
        return Untried("there is no address to look at")
    if evidence.status is None:
        return Untried("nothing answers")
    if not evidence.is_home_assistant:
        return Untried("it is not Home Assistant that answers")
    if context.gate is None:
        return Fine("nothing is given for a gate")
    return _at_home(context, evidence)


def _at_home(context: Context, evidence: Evidence) -> Outcome:
    try:
        answer = context.as_amazon.request("GET", TOKEN_PATH)
    except ssl.SSLCertVerificationError as error:
        return Problem("untrusted", error.verify_message, evidence.values)
    except (OSError, HTTPException) as error:
        saw = f"no answer to those who show nothing: {type(error).__name__}"
        return Problem("closed", saw, evidence.values)
    if answer.status == HTTPStatus.METHOD_NOT_ALLOWED and answer.is_own(
        HTTPStatus.METHOD_NOT_ALLOWED.phrase
    ):
        return Fine("Home Assistant answers those who show nothing")
    saw = f"{words_of(context, answer)} to those who show nothing"
    return Problem("closed", saw, evidence.values)


def _endpoint(context: Context) -> Outcome:
    try:
        endpoint = context.token_endpoint
        assert endpoint is not None  # noqa: S101 - there is a URL
        answer = endpoint.request("POST", TOKEN_PATH, form=_WRONG)
    except (OSError, HTTPException) as error:
        return Problem("no_endpoint", f"no answer: {type(error).__name__}")
    if answer.status == HTTPStatus.UNAUTHORIZED and answer.json == _REFUSED:
        return Fine("the token endpoint answers, and lets no stranger in")
    return Problem("no_endpoint", words_of(context, answer))
