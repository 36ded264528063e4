"""Who answered: the table, over every answer that people have met."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ha_bridge.answerers import (
    ANSWERERS,
    MAX_LOOK,
    OWN,
    Answerer,
    describe,
    from_report,
    who,
)
from ha_bridge.connection import Connector
from ha_bridge.errors import BridgeError, ErrorType, Failure
from ha_bridge.home_assistant import Answered, HomeAssistant
from ha_bridge.settings import parse_address
from tests.fakes.answers import HOME, PATH, SAMPLES

ADDRESS = parse_address(HOME)


@pytest.mark.parametrize("name", SAMPLES)
def test_who_answered(name: str) -> None:
    """Each is known, as itself and from the report of a probe that went as JSON."""
    sample = SAMPLES[name]
    answer = describe(sample.status, sample.headers, sample.body, ADDRESS)
    row = who(answer)
    assert (row.name, row.failure) == (sample.who, sample.failure)
    assert who(from_report(json.loads(json.dumps(answer._asdict())), ADDRESS)) is row


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (b"<title>nginx</title>", "nginx"),
        (b"<html>\n<TITLE data-x='1'>Sign in \xc2\xb7 A</title>", "Sign in · A"),
        (b"<title>" + b"t" * 500, "t" * 200),
        (b"<p>no title", ""),
    ],
)
def test_the_title_of_a_page_is_told(body: bytes, title: str) -> None:
    """It often names what stands there."""
    assert describe(502, {}, body, ADDRESS).title == title


def test_every_row_is_met() -> None:
    """No row without an answer that it is for."""
    assert {row.name for row in ANSWERERS} == {one.who for one in SAMPLES.values()}


@pytest.mark.parametrize("row", ANSWERERS, ids=lambda row: row.name)
def test_who_answered_decides_the_type(row: Answerer) -> None:
    """Home Assistant's own: INTERNAL_ERROR, but for its 401 and its ban."""
    expected = ErrorType.BRIDGE_UNREACHABLE
    if row in OWN and row.name != "banned":
        expected = ErrorType.INTERNAL_ERROR
    if row.name == "limiter":
        expected = ErrorType.RATE_LIMIT_EXCEEDED
    if row.name == "token_refused":
        expected = ErrorType.INVALID_AUTHORIZATION_CREDENTIAL
    assert row.failure.error_type is expected


def test_only_a_401_of_home_assistant_may_unlink_a_user() -> None:
    """Amazon drops the account link on such a type."""
    unlinking = {
        ErrorType.INVALID_AUTHORIZATION_CREDENTIAL,
        ErrorType.EXPIRED_AUTHORIZATION_CREDENTIAL,
    }
    rows = [row for row in ANSWERERS if row.failure.error_type in unlinking]
    assert [row.name for row in rows] == ["token_refused"]


@pytest.mark.parametrize(
    ("base_url", "location", "target"),
    [
        (HOME, "https://new.example.org", "https://new.example.org"),
        (HOME, "https://new.example.org:443", "https://new.example.org"),
        (HOME, "https://new.example.org:8443/ha", "https://new.example.org:8443/ha"),
        (HOME, "//new.example.org", "https://new.example.org"),
        (HOME, "/ha", f"{HOME}/ha"),
        ("http://home.example.org", HOME, HOME),
        ("http://home.example.org:8123/x", f"{HOME}/x", f"{HOME}/x"),
        (f"{HOME}/ha", HOME, HOME),
        (HOME, "https://[2001:db8::1]:8123", "https://[2001:db8::1]:8123"),
        (HOME, "https://bücher.example", "https://xn--bcher-kva.example"),
        (HOME, "https://user:secret@new.example.org", "https://new.example.org"),
    ],
)
def test_a_redirect_that_keeps_the_path(
    base_url: str, location: str, target: str
) -> None:
    """The whole new address is known: scheme, host, port and prefix."""
    headers = {"location": location + PATH}
    answer = describe(301, headers, b"", parse_address(base_url))
    assert (who(answer).name, answer.target) == ("moved", target)
    assert "secret" not in str(answer)


def test_what_a_redirect_asks_with_is_left_out() -> None:
    """It may be meant for one reader."""
    headers = {"Location": "https://auth.example.org/login?token=hunter2#hunter2"}
    answer = describe(302, headers, b"", ADDRESS)
    assert answer.location == "https://auth.example.org/login"
    assert "hunter2" not in str(answer)


@pytest.mark.parametrize(
    ("old", "expected"),
    [
        (
            {"status": 404, "content_type": "text/plain", "begins": "404: Not Found"},
            "no_alexa",
        ),
        ({"status": 403, "title": "Just a moment...", "begins": "<html>"}, "challenge"),
        ({"status": 403, "begins": "<html>", "cf_mitigated": "challenge"}, "challenge"),
        ({"status": 302, "location": "https://auth.example.org/"}, "portal"),
        ({"status": 301, "location": f"https://new.example.org{PATH}"}, "moved"),
        ({"status": 401, "www_authenticate": "Basic"}, "basic_auth"),
        ({"status": 404, "begins": "", "title": ""}, "no_site"),
    ],
)
def test_a_report_of_an_older_probe_is_read(
    old: dict[str, object], expected: str
) -> None:
    """It had fewer fields, and some that are gone."""
    report = {**old, "cf_ray": True, "ms": 1.0}
    assert who(from_report(report, ADDRESS)).name == expected


@pytest.mark.parametrize(
    "location",
    [
        "s" * 400 + "://x.example/",
        "javascript://x.example/%0aalert(1)",
        "http://[fe80::1%25" + "a" * 400 + "]/",
        "http://[v1." + "x" * 400 + "]/",
        "http://[v1.x@y]/",
        "//x.example/\x1b]0;x\x07\x85\u2028y",
    ],
    ids=lambda location: location[:20].encode("unicode_escape").decode(),
)
def test_a_redirect_to_nowhere(location: str) -> None:
    """What leads to no web address is told as far as it can be read, and counted."""
    headers = {
        "location": location,
        "www-authenticate": "a\x9bb",
        "content-type": "\x1b",
    }
    answer = describe(302, headers, b"", ADDRESS)
    told = answer._asdict() | {"location": location}  # by a function of before
    assert who(answer).failure in Failure
    assert who(from_report(told, ADDRESS)).failure in Failure
    assert "".join(map(str, answer)).isprintable()
    with pytest.raises(BridgeError) as caught:
        HomeAssistant(Connector(ADDRESS)).reject(
            Answered(302, headers, b"", reused=False)
        )
    assert caught.value.message.isprintable()


@given(
    status=st.integers(100, 999),
    headers=st.dictionaries(
        st.sampled_from(["location", "content-type", "www-authenticate", "x"]),
        st.text(max_size=80),
    ),
    body=st.binary(max_size=300),
)
def test_nothing_is_too_strange(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    """Whatever comes has one row, and can be written as JSON."""
    answer = describe(status, headers, body, ADDRESS)
    assert who(answer).failure in Failure
    json.dumps(answer._asdict())


def test_what_is_looked_at_is_bounded() -> None:
    """A long body costs no more than a short one, and no pattern runs away."""
    body = b"<title" * 1_000_000
    answer = describe(200, {"server": "x" * 10_000}, body, ADDRESS)
    assert len(str(answer)) < MAX_LOOK
