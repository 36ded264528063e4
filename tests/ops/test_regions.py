"""The one table of locales and regions."""

import tomllib
from pathlib import Path

import pytest

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.regions import (
    EUROPE,
    FAR_EAST,
    LOCALES,
    NORTH_AMERICA,
    REGIONS,
    Region,
    locale_of,
    region_in,
    region_of,
)
from ha_bridge_ops.skill.consoles import STACK


def test_there_are_three_regions_in_three_places() -> None:
    """No two share a key, a place, a client id, a gateway or an environment."""
    assert [region.key for region in REGIONS] == ["NA", "EU", "FE"]
    for name in ("aws_region", "client_id", "event_gateway", "samconfig_env", "title"):
        assert len({getattr(region, name) for region in REGIONS}) == 3


@pytest.mark.parametrize("region", REGIONS, ids=lambda one: one.key)
def test_a_client_id_is_exactly_what_account_linking_needs(region: Region) -> None:
    """Home Assistant compares it byte by byte: the trailing slash belongs to it."""
    assert region.client_id == f"https://{region.redirect_host}/"
    assert region.event_gateway.endswith("amazonalexa.com/v3/events")


@pytest.mark.parametrize(
    ("region", "locales"),
    [
        (NORTH_AMERICA, {"en-US", "en-CA", "es-MX", "es-US", "fr-CA", "pt-BR"}),
        (
            EUROPE,
            {"de-DE", "en-GB", "en-IN", "es-ES", "fr-FR", "hi-IN", "it-IT", "nl-NL"},
        ),
        (FAR_EAST, {"en-AU", "ja-JP"}),
    ],
    ids=lambda one: one.key if isinstance(one, Region) else "",
)
def test_each_locale_is_where_its_marketplace_is(
    region: Region, locales: set[str]
) -> None:
    """India belongs to Europe, Australia to the Far East, Brazil to North America."""
    assert {locale for locale, its in LOCALES.items() if its is region} == locales


@pytest.mark.parametrize("text", ["de-DE", "de_DE", "DE-de", " de-DE "])
def test_a_locale_may_be_spelled_as_a_computer_spells_it(text: str) -> None:
    """$LANG has an underscore."""
    assert locale_of(text) == "de-DE"
    assert region_of(text) is EUROPE


@pytest.mark.parametrize("text", ["", "de", "ar-SA", "de-DE.UTF-8", "klingon"])
def test_an_unknown_locale_is_refused_with_the_list(text: str) -> None:
    """ar-SA is Amazon's, but Home Assistant does not start with it."""
    with pytest.raises(CommandError, match=r"de-DE, en-AU, .*, pt-BR"):
        region_of(text)


def test_samconfig_has_an_environment_for_each() -> None:
    """`sam deploy --config-env eu` goes where Alexa looks for it."""
    text = (Path(__file__).parents[2] / "samconfig.toml").read_text()
    environments = tomllib.loads(text)
    for region in REGIONS:
        found = environments[region.samconfig_env]["global"]["parameters"]
        assert found["region"] == region.aws_region
        assert found["stack_name"] == STACK


def test_only_three_aws_regions_are_called() -> None:
    """A function elsewhere is never heard of again."""
    assert [region_in(region.aws_region) for region in REGIONS] == list(REGIONS)
    assert region_in("eu-central-1") is None
