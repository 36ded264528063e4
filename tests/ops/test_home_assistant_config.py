"""`ha-bridge home-assistant-config`, and what a real Home Assistant makes of it."""

import json
import subprocess
from typing import Any

import pytest
import yaml

from ha_bridge_ops.endpoints.exposure import Entity, configuration
from ha_bridge_ops.local import releases
from ha_bridge_ops.local.embedded import CONFIGURATION, HomeAssistantServer
from ha_bridge_ops.local.releases import Release
from ha_bridge_ops.regions import LOCALES
from tests.directives import offered
from tests.ops.conftest import Run

FILTERS = (
    "light",
    "climate,!light.ceiling_lights",
    "sensor.*_temperature",
    "lock.kitchen_door",
    "!climate.h*",
    "!fan",
)


class Loader(yaml.SafeLoader):
    """YAML as Home Assistant reads it, with its !secret."""


Loader.add_constructor("!secret", lambda _, node: f"secret {node.value}")


def read(text: str) -> dict[str, Any]:
    block: dict[str, Any] = yaml.load(text, Loader)["alexa"]["smart_home"]  # noqa: S506 - a safe one
    return block


@pytest.mark.parametrize("locale", LOCALES)
def test_the_block_of_each_locale(locale: str) -> None:
    """Nothing more than the locale, for nothing more is needed."""
    assert read(configuration(locale)) == {"locale": locale}


@pytest.mark.parametrize("locale", LOCALES)
def test_proactive_mode_reports_to_the_gateway_of_the_region(locale: str) -> None:
    """The credentials are references; they stand in secrets.yaml."""
    assert read(configuration(locale, proactive=True)) == {
        "locale": locale,
        "endpoint": LOCALES[locale].event_gateway,
        "client_id": "secret alexa_client_id",
        "client_secret": "secret alexa_client_secret",
    }


def test_the_block_is_all_that_stdout_has(run: Run) -> None:
    """So that it can be sent into a file; the rest is said on stderr."""
    done = run(
        *["home-assistant-config", "--locale", "fr_fr", "--proactive"],
        *["--filter", "light", "--filter", "!light.garage"],
    )
    assert done.returncode == 0
    filters = ["light", "!light.garage"]
    assert done.stdout == configuration("fr-FR", filters, proactive=True)
    assert "secrets.yaml" in done.stderr


def test_filters_are_sorted_by_what_they_name() -> None:
    """Domain, entity or pattern; a ! excludes."""
    assert read(configuration("en-US", FILTERS))["filter"] == {
        "include_domains": ["light", "climate"],
        "include_entities": ["lock.kitchen_door"],
        "include_entity_globs": ["sensor.*_temperature"],
        "exclude_domains": ["fan"],
        "exclude_entities": ["light.ceiling_lights"],
        "exclude_entity_globs": ["climate.h*"],
    }


def test_a_filter_is_named_once() -> None:
    """However often it is given; and a pattern that begins with * is no YAML alias."""
    text = configuration("en-US", ["light", "*_lamp,light"])
    assert read(text)["filter"] == {
        "include_domains": ["light"],
        "include_entity_globs": ["*_lamp"],
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--locale", "ar-SA"], "ar-SA"),
        (["--locale", "de-DE", "--filter", "Light.Kitchen"], "'Light.Kitchen'"),
        (["--locale", "de-DE", "--filter", "light,"], "no filter"),
        (["--locale", "de-DE", "--filter", "light.a.b"], "no filter"),
        (["--locale", "de-DE", "--filter", "x: y"], "no filter"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_status_2(
    run: Run, arguments: list[str], words: str
) -> None:
    """It says what is wrong."""
    done = run("home-assistant-config", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_entities_are_chosen_and_renamed(run: Run) -> None:
    """Names and categories stand in entity_config; a category alone chooses nothing."""
    done = run(
        *["home-assistant-config", "--locale", "en-GB", "--filter", "fan"],
        *["--entity", "light.kitchen=Kitchen light", "--entity", "lock.door"],
        *["--category", "light.kitchen=smartplug", "--category", "fan.hall=Other"],
    )
    assert done.stderr == ""
    assert read(done.stdout) == {
        "locale": "en-GB",
        "filter": {
            "include_domains": ["fan"],
            "include_entities": ["light.kitchen", "lock.door"],
        },
        "entity_config": {
            "light.kitchen": {
                "name": "Kitchen light",
                "display_categories": "SMARTPLUG",
            },
            "fan.hall": {"display_categories": "OTHER"},
        },
    }


@pytest.mark.parametrize(
    "name",
    [
        "on",
        "12",
        "~",
        "Lamp: left # 1",
        "- x",
        "!secret x",
        "'\"",
        "😀 Küche",
        "ガレージ",
        "{{ states }}",
        "* all",
        "a" * 128,
        "=",
        "<img src=x onerror=alert(1)>",
    ],
)
def test_any_name_is_read_as_it_was_meant(name: str) -> None:
    """What YAML would take for something else is quoted."""
    block = read(configuration("en-US", entities=[Entity("light.on", name)]))
    assert block["entity_config"] == {"light.on": {"name": name}}
    assert block["filter"] == {"include_entities": ["light.on"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--entity", "Light.Kitchen=x"], "'Light.Kitchen' is no entity"),
        (["--entity", "light"], "'light' is no entity"),
        (["--entity", "light.x=" + "a" * 129], "1 to 128 characters"),
        (["--entity", "light.x=a\x07b"], "visible"),
        (["--category", "light.x"], "light.kitchen=LIGHT"),
        (["--category", "light.x=LAMP"], "'LAMP' is no category"),
        (["--entity", "light.x", "--filter", "!light.x"], "both chosen and excluded"),
    ],
)
def test_an_entity_that_cannot_be(run: Run, arguments: list[str], words: str) -> None:
    """One line that says what is wrong, and exit status 2."""
    done = run("home-assistant-config", "--locale", "de-DE", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_dutch_needs_a_newer_home_assistant(run: Run) -> None:
    """An older one does not start with it."""
    assert "2025.1" in run("home-assistant-config", "--locale", "nl-NL").stderr


# -- The real Home Assistant

#: Validates blocks with Home Assistant's own schema, in its own Python.
VALIDATE = """
import json, sys
from homeassistant.components.alexa import CONFIG_SCHEMA
for block in json.load(sys.stdin):
    CONFIG_SCHEMA({"alexa": {"smart_home": block}})
"""


@pytest.mark.live
def test_home_assistants_own_schema_accepts_every_locale(release: Release) -> None:
    """Proactive or not, filtered or not; Dutch where it knows it."""
    blocks = [
        read(configuration(locale, filters, proactive=proactive))
        for locale in LOCALES
        for filters in ((), FILTERS)
        for proactive in (False, True)
        if locale != "nl-NL" or release.numbers >= (2025, 1)
    ]
    done = subprocess.run(
        [str(releases.install(release) / "bin/python"), "-c", VALIDATE],
        input=json.dumps(blocks),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr


#: What people write, and how many settings Home Assistant makes of it.
MISTAKES = """
import json, sys
from homeassistant.components.alexa import CONFIG_SCHEMA
for block in json.load(sys.stdin):
    try:
        print(len(CONFIG_SCHEMA({"alexa": block})["alexa"]["smart_home"] or {}))
    except Exception as error:
        print("refused" if "Invalid" in str(type(error).__mro__) else repr(error))
"""


@pytest.mark.live
def test_what_the_guide_says_of_mistakes_is_so(release: Release) -> None:
    """A filter beside smart_home does nothing; what is refused leaves a 404."""
    chosen = {"include_domains": ["light"]}
    refused: list[dict[str, Any]] = [
        {"locale": "ar-SA"},
        {"endpoint": "https://example.org"},
        {"Filter": {}},
    ]
    blocks = [
        {"smart_home": None, "filter": chosen},
        *({"smart_home": one} for one in refused),
    ]
    done = subprocess.run(
        [str(releases.install(release) / "bin/python"), "-c", MISTAKES],
        input=json.dumps(blocks),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stdout.split() == ["0", *["refused"] * len(refused)], done.stderr


@pytest.mark.live
def test_home_assistant_starts_with_it_and_filters(release: Release) -> None:
    """No complaint in its log, and a Discovery has what the filter leaves."""
    block = configuration("de-DE", FILTERS, proactive=True)
    text = CONFIGURATION.replace("alexa:\n  smart_home:\n", block)
    assert block in text
    server = HomeAssistantServer(release, text)
    (server.folder / "secrets.yaml").write_text(
        'alexa_client_id: "amzn1.application-oa2-client.0123"\n'
        'alexa_client_secret: "made-up"\n'
    )
    with server:
        # What it should leave, by the rules of the filter and the states there are.
        found = {one["endpointId"].replace("#", ".") for one in offered(server)}
        wanted = {
            entity
            for entity in server.states()
            if entity.startswith(("light.", "climate."))
            or entity == "lock.kitchen_door"
            or (entity.startswith("sensor.") and entity.endswith("_temperature"))
        }
        wanted -= {"light.ceiling_lights"}
        wanted -= {one for one in wanted if one.startswith("climate.h")}
        log = server.log()
    assert found == wanted
    assert {"light.bed_light", "climate.ecobee", "lock.kitchen_door"} <= found
    assert "sensor.outside_temperature" in found
    complaints = [
        line
        for line in log.splitlines()
        if ("ERROR" in line or "WARNING" in line) and "alexa" in line.lower()
    ]
    assert complaints == []
    assert "Invalid config" not in log


@pytest.mark.live
def test_home_assistant_shows_just_what_was_chosen(release: Release) -> None:
    """By the names and categories that were given, and nothing else."""
    names = {"light.bed_light": "Reading: “lamp” # 1", "switch.ac": "Air on"}
    chosen = [Entity(one, name, "OTHER") for one, name in names.items()]
    block = configuration("en-GB", entities=[*chosen, Entity("lock.front_door")])
    text = CONFIGURATION.replace("alexa:\n  smart_home:\n", block)
    with HomeAssistantServer(release, text) as server:
        found = {one["endpointId"].replace("#", "."): one for one in offered(server)}
    assert set(found) == {*names, "lock.front_door"}
    for entity, name in names.items():
        assert found[entity]["friendlyName"] == name
        assert found[entity]["displayCategories"] == ["OTHER"]
    assert found["lock.front_door"]["friendlyName"] == "Front Door"
