"""Links `ha.*`: who answers, and whether that is a Home Assistant with Alexa."""

from http import HTTPStatus

from ha_bridge_ops.check.evidence import Evidence
from ha_bridge_ops.check.model import Fine, Outcome, Problem, Untried


def reachable(evidence: Evidence) -> Outcome:
    """Somebody answers."""
    values = {"host": evidence.name}
    if not evidence.addresses:
        return Untried("the name does not resolve")
    if evidence.ip is None:
        failed = evidence.report["connect"]["failed"]
        saw = "; ".join(
            f"{one['address']}: {one['reason'] or one['error']}" for one in failed
        )
        return Problem(failed[-1]["error"], saw, values)
    if evidence.address.is_tls and not evidence.http:
        return _without_tls(evidence, values)
    if error := evidence.http.get("error"):
        cause = "silent" if error == "timeout" else error
        saw = f"{evidence.ip} took the request, but: {evidence.http['reason'] or error}"
        return Problem(cause, saw, values)
    if evidence.who == "gateway":
        return Problem("gateway", evidence.answer, values)
    return Fine(f"{evidence.ip} answers")


def _without_tls(evidence: Evidence, values: dict[str, str]) -> Outcome:
    error = str(evidence.tls.get("error", "failed"))
    if error in ("timeout", "reset"):
        said = evidence.tls.get("reason") or error
        cause = "silent" if error == "timeout" else error
        return Problem(cause, f"{evidence.ip} broke off TLS: {said}", values)
    return Untried("without TLS nothing can be asked")


def is_home_assistant(evidence: Evidence) -> Outcome:
    """It is Home Assistant that answers."""
    if why := _why_nothing_is_known(evidence):
        return Untried(why)
    if evidence.who == "home_assistant":
        return Fine("it answers as Home Assistant does")
    return Problem(evidence.who, evidence.answer, {"host": evidence.name})


def trusted_proxies(evidence: Evidence) -> Outcome:
    """Home Assistant accepts its proxy."""
    if why := _why_no_home_assistant(evidence):
        return Untried(why)
    if evidence.status == HTTPStatus.BAD_REQUEST:
        return Problem("not_trusted", evidence.answer)
    return Fine("no proxy is refused")


def banned(evidence: Evidence) -> Outcome:
    """Home Assistant has not banned the caller."""
    if why := _why_no_home_assistant(evidence):
        return Untried(why)
    if evidence.status == HTTPStatus.FORBIDDEN:
        return Problem("banned", evidence.answer)
    if evidence.status == HTTPStatus.BAD_REQUEST:
        return Untried("Home Assistant answers nothing to this proxy")
    return Fine("not banned")


def smart_home(evidence: Evidence) -> Outcome:
    """Home Assistant has its Alexa endpoint."""
    if why := _why_no_home_assistant(evidence):
        return Untried(why)
    if evidence.status == HTTPStatus.METHOD_NOT_ALLOWED:
        return Fine("/api/alexa/smart_home is there")
    if evidence.status == HTTPStatus.NOT_FOUND:
        return Problem("missing", evidence.answer)
    if evidence.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return Problem("error", evidence.answer)
    return Untried(f"Home Assistant answers with {evidence.status} before it looks")


def _why_nothing_is_known(evidence: Evidence) -> str | None:
    if evidence.status is None:
        return "nothing answers"
    if evidence.who == "gateway":
        return "Home Assistant does not answer"
    if evidence.who == "redirect":
        return "the address leads on to another"
    return None


def _why_no_home_assistant(evidence: Evidence) -> str | None:
    if evidence.who not in ("home_assistant", "nobody", "gateway", "redirect"):
        return "it is not Home Assistant that answers"
    return _why_nothing_is_known(evidence)
