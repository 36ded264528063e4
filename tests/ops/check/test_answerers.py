"""Whoever answers, the check knows them by the table of the core."""

import gzip
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import pytest

from ha_bridge.answerers import ANSWERERS, OWN
from ha_bridge_ops.check.catalogue import CHAIN
from ha_bridge_ops.check.model import Status
from tests.fakes.answers import HTML, SAMPLES, page
from tests.fakes.behaviours import reply
from tests.ops.check.conftest import Serve
from tests.worlds.home import context, findings, home, ids

#: Where the check tells a row of the table, if not as its own cause.
ELSEWHERE: Final[Mapping[str, tuple[str, str]]] = {
    "gateway": ("ha.reachable", "gateway"),
    "gateway_tls": ("ha.reachable", "gateway_tls"),
    "moved": ("address.redirect", "redirects"),
    "loop": ("address.redirect", "loop"),
    "not_trusted": ("ha.trusted_proxies", "not_trusted"),
    "banned": ("ha.banned", "banned"),
    "no_alexa": ("ha.smart_home", "missing"),
    "error": ("ha.smart_home", "error"),
}

#: Answers of Home Assistant's own that are no fault, or not to be had without a token.
NO_FAULT: Final = {"not_allowed", "token_refused", "own"}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_check_tells_who_answered(name: str, serve: Serve) -> None:
    """One link fails, for the cause of the row, and no token is sent to strangers."""
    sample = SAMPLES[name]
    behaviour = reply(sample.status, sample.body, sample.headers)
    server = serve(home(get=behaviour, discover=behaviour))
    made = context(server.port)
    found = findings(made)
    assert made.evidence is not None
    assert made.evidence.who == sample.who
    if sample.who in NO_FAULT:
        assert found["ha.is_home_assistant"].status is Status.OK
        return
    link, cause = ELSEWHERE.get(sample.who, ("ha.is_home_assistant", sample.who))
    assert found[link].causes == (cause,)
    assert ids(found, Status.FAILED) == {link}
    assert not any("authorization" in one.headers for one in server.requests)


@pytest.mark.parametrize("name", SAMPLES)
def test_base_url_is_changed_only_for_what_has_moved(name: str, serve: Serve) -> None:
    """Whoever sets it to a login page sends the tokens of the home there."""
    sample = SAMPLES[name]
    server = serve(home(get=reply(sample.status, sample.body, sample.headers)))
    found = findings(context(server.port, token=""))
    pasted = [one.paste for one in found.values() if "BASE_URL=" in one.paste]
    if sample.who == "moved":
        assert pasted == [found["address.redirect"].paste]
        assert f"BASE_URL={sample.target}" in pasted
    elif sample.who == "wants_https":
        assert pasted == ["BASE_URL=https://home.example.org"]
    else:
        assert pasted == []


@pytest.mark.parametrize(
    ("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_an_answer_that_is_packed_unasked_is_read(
    coding: str, pack: Callable[[bytes], bytes], serve: Serve
) -> None:
    """Some servers pack whatever they say, whoever asks; a broken one is told too."""
    said = page("Potential DNS Rebind attack detected", "." * 9000)
    headers = {**HTML, "Content-Encoding": coding}
    for body, who in ((pack(said), "page"), (b"not packed", "rule")):
        behaviour = reply(403, body, headers)
        found = context(serve(home(get=behaviour)).port)
        assert found.evidence is not None
        assert found.evidence.who == who


def test_every_row_has_its_texts() -> None:
    """A new kind is one row, and is told by both."""
    links = {link.id: {cause.name for cause in link.causes} for link in CHAIN}
    for row in ANSWERERS:
        if row.name in NO_FAULT:
            continue
        link, cause = ELSEWHERE.get(row.name, ("ha.is_home_assistant", row.name))
        assert cause in links[link], row.name
    own = {row.name for row in OWN}
    assert not own & links["ha.is_home_assistant"]
