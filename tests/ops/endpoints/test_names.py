"""Names as they are heard."""

import pytest

from ha_bridge_ops.endpoints.names import heard, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bed Light", "bed  light"),
        ("Bed Light", "the bed light"),
        ("Light in the hall", "light in hall"),
        ("Bedroom Light", "Bed Room Light"),
        ("Kitchen Lights", "kitchen light"),
        ("Garage Switches", "garage switch"),
        ("Batteries", "Battery"),
        ("Küche", "Kueche"),
        ("Küche", "KÜCHE"),
        ("Cafe\u0301", "Café"),
        ("Straße", "Strasse"),
        ("Lamp 2", "Lamp two"),
        ("Lamp2", "lamp 2"),
        ("Tom\u2019s Lamp", "Toms lamp"),
        ("Floor-Lamp", "floor lamp"),
        ("Tea & Coffee", "tea and coffee"),
        ("Lamp\u200b", "Lamp"),
        ("Die Lampe", "Lampe"),
    ],
)
def test_what_sounds_alike_is_alike(one: str, other: str) -> None:
    """Case, accents, articles, plurals, punctuation and numerals are not heard."""
    assert heard(one) == heard(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bed Light", "Bed Lamp"),
        ("Lamp 1", "Lamp 2"),
        ("ガレージ", "カレーシ"),
        ("Glass", "Gla"),
        ("Bus", "Bu"),
        ("Светильник", "Светильники"),
        ("й", "и"),
    ],
)
def test_what_sounds_different_stays_apart(one: str, other: str) -> None:
    """Accents outside Latin make other letters, and not every s is a plural."""
    assert heard(one) != heard(other)


def test_a_name_that_is_only_an_article_keeps_it() -> None:
    """Nothing would be left of it."""
    assert words("The") == ("the",)


@pytest.mark.parametrize("text", ["", "   ", "🛋️", "—"])
def test_what_cannot_be_said_has_no_words(text: str) -> None:
    """And is no duplicate of anything."""
    assert heard(text) == ""
