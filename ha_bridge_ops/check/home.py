"""Links `ha.*`: who answers, and whether that is a Home Assistant with Alexa."""

from typing import Final

from ha_bridge_ops.check.catalogue import cause_of
from ha_bridge_ops.check.evidence import OWN_NAMES, Evidence
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried
from ha_bridge_ops.outside import quoted

#: Who may be a gate that does not let in: rows of `ha_bridge.answerers`.
_GATES: Final = ("access", "client_certificate", "portal", "rule")

#: Who answers that nobody is there: rows of `ha_bridge.answerers`.
_GATEWAYS: Final = ("gateway", "gateway_tls")

#: Who leads on: `address.redirect` tells it.
_REDIRECTS: Final = ("moved", "loop")

#: Errors of the network that a part of the chain has other words for.
_WORDS: Final = {"timeout": "silent", "no_such_site": "client_certificate"}


def reachable(evidence: Evidence) -> Outcome:
    """Somebody answers."""
    if not evidence.addresses:
        return Untried("the name does not resolve")
    if evidence.ip is None:
        failed = evidence.report["connect"]["failed"]
        saw = "; ".join(
            f"{one['address']}: {one['reason'] or one['error']}" for one in failed
        )
        cause = cause_of("ha.reachable", failed[-1]["error"], "unreachable")
        return Problem(cause, saw, evidence.values)
    if evidence.address.is_tls and not evidence.http:
        return _without_tls(evidence)
    if error := evidence.http.get("error"):
        saw = f"{evidence.ip} took the request, but: {evidence.http['reason'] or error}"
        # What is no TLS may come after the handshake too.
        return Problem(_cause(error), saw, evidence.values)
    if evidence.who in _GATEWAYS:
        return Problem(evidence.who, evidence.shown, evidence.values)
    return Fine(f"{evidence.ip} answers")


def _without_tls(evidence: Evidence) -> Outcome:
    error = str(evidence.tls.get("error", "tls_failed"))
    if error in ("timeout", "reset"):
        said = evidence.tls.get("reason") or error
        saw = f"{evidence.ip} broke off TLS: {said}"
        return Problem(_cause(error), saw, evidence.values)
    return Untried("without TLS nothing can be asked")


def _cause(error: str) -> str:
    return cause_of("ha.reachable", _WORDS.get(error, error), "tls_failed")


def is_home_assistant(evidence: Evidence) -> Outcome:
    """It is Home Assistant that answers."""
    if why := _why_nothing_is_known(evidence):
        return Untried(why)
    if evidence.is_home_assistant:
        return Fine("it answers as Home Assistant does")
    return Problem(evidence.who, evidence.shown, evidence.values)


def gate(evidence: Evidence) -> Outcome:
    """The gate of a closed home lets the bridge in."""
    given = evidence.gate.get("given", ())
    if not given:
        why = _why_no_home_assistant(evidence)
        return Untried(why) if why else Fine("nothing is given for a gate")
    shown = ", ".join(given)
    if error := evidence.gate.get("error"):
        return Problem("unreadable", quoted(str(error), 300))
    if evidence.is_home_assistant:
        return Fine(f"it opens with {shown}")
    error = str(evidence.http.get("error") or evidence.tls.get("error") or "")
    if evidence.who in _GATES or error == "client_certificate":
        what = evidence.who if evidence.who in _GATES else error
        saw = evidence.shown if evidence.status else error
        return Problem(f"{what}_refused", f"{shown}: {saw}", evidence.values)
    return Untried("no gate answers")


def closed(evidence: Evidence) -> Outcome:
    """A closed home is closed to others."""
    if not evidence.bare:
        why = _why_no_home_assistant(evidence)
        return Untried(why) if why else Fine("it is not meant to be closed")
    if evidence.who_else in OWN_NAMES:
        return Problem("open", "Home Assistant answers without them", evidence.values)
    return Fine(f"others are answered by {evidence.who_else}")


def trusted_proxies(evidence: Evidence) -> Outcome:
    """Home Assistant accepts its proxy."""
    if why := _why_no_home_assistant(evidence):
        return Untried(why)
    if evidence.who == "not_trusted":
        return Problem("not_trusted", evidence.shown)
    return Fine("no proxy is refused")


def banned(evidence: Evidence) -> Outcome:
    """Home Assistant has not banned the caller."""
    if why := _why_no_home_assistant(evidence):
        return Untried(why)
    if evidence.who == "banned":
        return Problem("banned", evidence.shown)
    if evidence.who == "not_trusted":
        return Untried("Home Assistant answers nothing to this proxy")
    return Fine("not banned")


def smart_home(evidence: Evidence) -> Outcome:
    """Home Assistant has its Alexa endpoint."""
    if why := _why_no_home_assistant(evidence):
        return Untried(why)
    if evidence.who == "not_allowed":
        return Fine("/api/alexa/smart_home is there")
    causes = {"no_alexa": "missing", "error": "error"}
    if cause := causes.get(evidence.who):
        return Problem(cause, evidence.shown)
    return Untried(f"Home Assistant answers with {evidence.status} before it looks")


def _why_nothing_is_known(evidence: Evidence) -> str | None:
    if evidence.status is None:
        return "nothing answers"
    if evidence.who in _GATEWAYS:
        return "Home Assistant does not answer"
    if evidence.who in _REDIRECTS:
        return "the address leads on to another"
    return None


def _why_no_home_assistant(evidence: Evidence) -> str | None:
    if why := _why_nothing_is_known(evidence):
        return why
    if not evidence.is_home_assistant:
        return "it is not Home Assistant that answers"
    return None
