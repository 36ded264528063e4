"""What the function in AWS has seen, as far as it has the shape of a report."""

from collections.abc import Mapping
from typing import Any

import pytest

from ha_bridge_ops.check.reports import read
from ha_bridge_ops.outside import quoted

ANSWER = {
    "ms": 20.0,
    "marks": ["home_assistant"],
    "title": "",
    "begins": "405: Method Not Allowed",
    "server": "nginx",
    "location": "",
    "content_type": "text/plain",
    "reason": "",
    "www_authenticate": "",
    "cf_mitigated": "",
    "target": "",
}
FAILED = {"address": "2001:db8::1", "error": "timeout", "reason": "timed out"}

#: All that a probe says.
WHOLE: Mapping[str, Any] = {
    "resolve": {"addresses": ["93.184.216.34", "2001:db8::1"], "ms": 1.5},
    "connect": {"address": "93.184.216.34", "ms": 2.0, "failed": [FAILED]},
    "tls": {
        "ms": 10,
        "version": "TLSv1.3",
        "issuer": "R3",
        "names": ["home.example.org"],
        "not_before": 1_700_000_000,
        "not_after": 4_000_000_000,
        "speaks_12": False,
        "error": "expired",
    },
    "http": {"status": 405, **ANSWER},
    "bare": {"error": "reset", **ANSWER},
    "gate": {"given": ["EXTRA_HEADERS"], "headers": ["X-Key"], "error": "no"},
}


def test_a_whole_report_stays_as_it_is() -> None:
    """What the probe gives is what the checks see; words of others are quoted."""
    failed = {**FAILED, "reason": quoted(FAILED["reason"])}
    assert read(WHOLE) == {**WHOLE, "connect": {**WHOLE["connect"], "failed": [failed]}}


@pytest.mark.parametrize(
    ("part", "key", "given", "kept"),
    [
        ("resolve", "addresses", ["no address", "::1%eth0", 1], ["::1%eth0"]),
        (
            *("resolve", "addresses"),
            ["1.2.3.4%x", "fe80::1%", "::1%/x", "::1%a%b", "::1%Rue 5", "::1"],
            ["::1"],
        ),
        ("resolve", "addresses", ["::1"] * 17, ["::1"] * 16),
        ("resolve", "error", "whatever", "unknown_name"),
        ("resolve", "error", "timeout", "timeout"),
        ("resolve", "ms", True, None),
        ("resolve", "ms", -1, None),
        ("resolve", "ms", 0, 0),
        ("resolve", "ms", 253_402_300_799, 253_402_300_799),
        ("resolve", "ms", 253_402_300_800, None),
        ("resolve", "other", ["a list"], None),
        ("resolve", "other", "a text", "a text"),
        ("resolve", "other", True, True),
        ("resolve", "other", 5, None),
        ("connect", "failed", [{**FAILED, "error": "odd"}, {}, 1], "unreachable"),
        ("connect", "failed", [{"address": "::1"}], "unreachable"),
        ("tls", "not_after", 4_000_000_000.9, 4_000_000_000),
        ("tls", "not_before", "yesterday", None),
        ("tls", "speaks_12", 0, None),
        ("tls", "error", "whatever", "tls_failed"),
        ("tls", "error", "incomplete", "incomplete"),
        ("tls", "names", "home.example.org", []),
        ("tls", "issuer", "x" * 301, "x" * 300),
        ("http", "status", 99, None),
        ("http", "status", 100, 100),
        ("http", "status", 599, 599),
        ("http", "status", 600, None),
        ("http", "status", 405.5, 405),
        ("http", "marks", None, None),
        ("http", "marks", [], []),
        ("http", "title", 1, ""),
        ("http", "begins", "\ud800", "?"),
        ("bare", "error", "whatever", "not_http"),
        ("gate", "given", ["EXTRA_HEADERS", "x", 1], ["EXTRA_HEADERS"]),
        ("gate", "headers", ["x" * 301, 1], ["x" * 300]),
    ],
)
def test_what_is_no_such_thing_is_left_out(
    part: str, key: str, given: object, kept: object
) -> None:
    """Or it is the last of the words that there are; texts and lists are cut."""
    whole = {**WHOLE, "http": {**WHOLE["http"], "error": None}}
    if (part, key) == ("http", "status") and kept is None:
        whole["http"]["error"] = "reset"  # one of both must be there
    found = read({**whole, part: {**whole[part], key: given}})
    assert found is not None
    value = found[part].get(key)
    assert (value[0]["error"] if key == "failed" else value) == kept
    if key == "failed":
        assert len(value) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"resolve": None},
        {"resolve": {"addresses": []}},
        {"connect": None},
        {"connect": {"failed": []}},
        {"tls": {"issuer": "R3"}},
        {"http": {"title": "neither status nor error"}},
        {"http": {"status": 200, "error": "reset"}},
        {"bare": {}},
    ],
    ids=str,
)
def test_a_report_that_makes_no_sense(changes: Mapping[str, Any]) -> None:
    """It is none: nothing can be concluded from it."""
    assert read({**WHOLE, **changes}) is None


def test_a_name_that_does_not_resolve_is_all_there_is_to_say() -> None:
    """Nothing was connected to, and that is no fault of the report."""
    unknown = {"resolve": {"error": "unknown_name", "addresses": []}}
    assert read(unknown) == {**unknown, "connect": {"failed": []}}
