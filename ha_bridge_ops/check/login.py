"""Link `link.login`: a user logs in to Home Assistant, for Amazon's address."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final

from ha_bridge.redaction import Secret
from ha_bridge_ops.check.address import not_public
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.linking import (
    READ,
    WORD,
    linking_of,
    over_the_network,
    values_of,
    words_of,
)
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Question, Untried
from ha_bridge_ops.home_client import Answer
from ha_bridge_ops.outside import one_of

#: Forms that are filled in after the password: a module is chosen, its code is typed.
_MOST_STEPS: Final = 3

#: What Home Assistant calls a flow.
_FLOW_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@over_the_network("other")
def login(context: Context) -> Outcome:
    """A login is accepted, for Amazon's address."""
    if not context.is_fine("link.authorize"):
        return Untried("there is no login page")
    if why := context.why_no_secret_may_be_sent() or _why_no_password(context):
        return Untried(why)
    if context.prompt is None:
        return Untried("there is nobody to ask for a password")
    linking = linking_of(context)
    start = {
        "client_id": linking.region.client_id,
        "handler": ["homeassistant", None],
        "redirect_uri": linking.redirect_uri,
    }
    form = context.home.request("POST", "/auth/login_flow", json=start)
    flow = form.json
    if form.status != HTTPStatus.OK or not isinstance(flow, dict):
        return _no_login(context, form)
    user = context.prompt(Question.USER, "")
    password = context.prompt(Question.PASSWORD, "")
    if not user.strip() or not password:
        # Sent, it would count as a failed login.
        return Untried("no user and password were given")
    context.secrets.append(Secret(password))
    fields = {"username": user, "password": password}
    answer = _submit(context, flow, fields)
    return _after_the_password(context, answer)


def _after_the_password(context: Context, answer: Answer) -> Outcome:
    for _ in range(_MOST_STEPS):
        if not _asks_for_more(answer):
            return _logged_in(context, answer)
        step = answer.json
        answer = _submit(context, step, _second_factor(context, step))
    if _asks_for_more(answer):
        saw = f"after {_MOST_STEPS} steps it still asks for more"
        return Problem("other", saw, values_of(context))
    return _logged_in(context, answer)


def _why_no_password(context: Context) -> str | None:
    """Return why a password in particular may not be sent, or None."""
    evidence = context.evidence
    if evidence is None:
        return None
    if evidence.address.is_tls:
        if evidence.tls.get("error"):
            # Whatever NOT_VERIFY_SSL says: Amazon would not link over it either.
            return "the certificate is not trusted, so no password is sent"
        return None
    if evidence.ip is not None and not_public(evidence.ip):
        return None
    return "no password is sent over plain http"


def _submit(
    context: Context, flow: Mapping[str, Any], fields: Mapping[str, str]
) -> Answer:
    client_id = linking_of(context).region.client_id
    flow_id = flow.get("flow_id")
    if not isinstance(flow_id, str) or not _FLOW_ID.fullmatch(flow_id):
        raise HTTPException
    path = f"/auth/login_flow/{flow_id}"
    body = {"client_id": client_id, **fields}
    return context.home.request("POST", path, json=body)


def _asks_for_more(answer: Answer) -> bool:
    """Return whether a second factor is asked for, the first time."""
    step = answer.json
    return (
        isinstance(step, dict)
        and step.get("type") == "form"
        and step.get("step_id") in ("mfa", "select_mfa_module")
        and not step.get("errors")
    )


def _second_factor(context: Context, step: Mapping[str, Any]) -> dict[str, str]:
    if step["step_id"] == "select_mfa_module":
        return {"multi_factor_auth_module": _first_option(step)}
    assert context.prompt is not None  # noqa: S101 - `login` has looked
    code = context.prompt(Question.SECOND_FACTOR, "").strip()
    context.secrets.append(Secret(code))
    return {"code": code}


def _first_option(step: Mapping[str, Any]) -> str:
    """Return the first of the modules that a form offers; nothing if it is odd."""
    try:
        option = step["data_schema"][0]["options"][0]
        module = option if isinstance(option, str) else option[0]
    except (KeyError, IndexError, TypeError):
        return ""
    return module if isinstance(module, str) and WORD.fullmatch(module) else ""


def _logged_in(context: Context, answer: Answer) -> Outcome:
    result = answer.json
    if answer.status != HTTPStatus.OK or not isinstance(result, dict):
        return _no_login(context, answer)
    if result.get("type") == "create_entry":
        code = result.get("result")
        if not isinstance(code, str) or not code.isprintable():
            return Problem("other", "what it gave is no code", values_of(context))
        linking_of(context).code = Secret(code)
        context.secrets.append(Secret(code))
        return Fine("Home Assistant gave a code for Amazon")
    errors = result.get("errors")
    base = errors.get("base") if isinstance(errors, dict) else errors
    said = str(base or result.get("reason") or result.get("type"))[:READ]
    causes = {"invalid_auth": "wrong_password", "invalid_code": "wrong_code"}
    saw = one_of(context.hide(said), WORD)
    return Problem(causes.get(said, "other"), saw, values_of(context))


#: What Home Assistant says when it refuses a login, and what that is.
_REFUSALS: Final = (
    ("Invalid redirect URI", "redirect"),
    ("Invalid client id", "redirect"),
    ("Login blocked", "user_blocked"),
    ("IP address changed", "address_changed"),
    ("403: Forbidden", "banned"),
)


def _no_login(context: Context, answer: Answer) -> Outcome:
    causes = (cause for words, cause in _REFUSALS if words in answer.text)
    return Problem(next(causes, "other"), words_of(context, answer), values_of(context))
