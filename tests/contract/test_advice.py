"""Advice that people were given wrongly, here or elsewhere, says what is right.

What a program can see is tested where it is seen.  Here are reports whose cure is a
sentence: each row has the words without which it would be wrong again.
"""

from pathlib import Path

import pytest

from ha_bridge.errors import Failure
from ha_bridge_ops.check.catalogue import EVERY

ROOT = Path(__file__).parents[2]


def told(check: str, cause: str) -> str:
    """Return all that the check says of a cause."""
    (found,) = [one for one in EVERY if one.id == check]
    (text,) = [one for one in found.causes if one.name == cause]
    return f"{text.symptom} {text.means} {text.fix} {text.paste}"


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        # New installations of Home Assistant OS listen on port 80 since 2026.8.
        (told("ha.reachable", "gateway"), ["8123, or 80", "2026.8"]),
        (told("tls.certificate", "not_tls"), ["8123, or 80"]),
        (page("setup.md"), ["8123", "since 2026.8 has 80"]),
        # The switch in the UI is for Nabu Casa; a filter one level too high is ignored.
        (told("discovery.count", "none"), ["“Expose”", "Nabu Casa", "indented"]),
        (told("discovery.count", "too_many"), ["“Expose”", "indented", "more than no"]),
        (page("setup.md"), ["is for Nabu Casa", "does nothing", "until you delete it"]),
        # The two lines are there, and it is 404 all the same: they were refused.
        (
            told("ha.smart_home", "missing"),
            ["Invalid config", "locale must be", "recovery"],
        ),
        (Failure.NOT_FOUND.fix, ["invalid", "recovery mode"]),
        # The proxy is trusted, and it is 400 all the same: two proxies in a row.
        (told("ha.trusted_proxies", "not_trusted"), ["X-Forwarded", "two proxies"]),
        (
            told("ha.trusted_proxies", "not_trusted"),
            ["first address", "without the mask"],
        ),
        (Failure.BAD_REQUEST.fix, ["X-Forwarded-For", "X-Forwarded-Proto"]),
        # `sam deploy` after a function of that name was made by hand.
        (page("setup.md"), ["already exists", "ROLLBACK_COMPLETE", "--stack-name"]),
        # A template's new default does not reach a stack that is there.
        (page("update.md"), ["another default", "--parameter-overrides MemorySize="]),
    ],
)
def test_the_words_that_matter_are_there(text: str, needed: list[str]) -> None:
    """In the finding, the log line of the function, or the guide."""
    assert [words for words in needed if words not in text] == []
