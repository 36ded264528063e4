"""What Amazon is told of a skill: the files."""

import json
import stat
from pathlib import Path

import pytest

from ha_bridge_ops.regions import LOCALES
from tests.ops.conftest import Run
from tests.worlds.desk import (
    ARNS,
    URL,
    client_secret,
    document,
    is_one_line,
    linking_of,
)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_documents_of_each_locale(here: Run, tmp_path: Path, locale: str) -> None:
    """Endpoint and client id of its region, and nothing of another's."""
    region = LOCALES[locale]
    done = here(
        "skill", "--base-url", URL, "--locale", locale, "--arn", ARNS[region.key]
    )
    assert done.returncode == 0, done.stderr
    manifest = document(tmp_path, "skill.json")["manifest"]
    endpoint = {"uri": ARNS[region.key]}
    assert manifest["apis"] == {
        "smartHome": {
            "protocolVersion": "3",
            "endpoint": endpoint,
            "regions": {region.key: {"endpoint": endpoint}},
        }
    }
    about = manifest["publishingInformation"]
    assert about["category"] == "SMART_HOME"
    assert about["isAvailableWorldwide"] is True
    assert about["distributionCountries"] == []
    assert list(about["locales"]) == [locale]
    its = manifest["privacyAndCompliance"]
    assert {name for name, is_so in its.items() if is_so} == {"isExportCompliant"}
    assert len(its) == 5
    assert manifest["permissions"] == []
    linking = document(tmp_path, "accountLinking.json")["accountLinkingRequest"]
    assert linking == {
        "type": "AUTH_CODE",
        "skipOnEnablement": "false",
        "authorizationUrl": f"{URL}/auth/authorize",
        "accessTokenUrl": f"{URL}/auth/token",
        "clientId": region.client_id,
        "clientSecret": client_secret(tmp_path),
        "accessTokenScheme": "REQUEST_BODY_CREDENTIALS",
        "scopes": ["smart_home"],
        "domains": [],
    }


def test_the_client_secret_is_made_once_and_only_its_owner_reads_it(
    here: Run, tmp_path: Path
) -> None:
    """The token endpoint knows Amazon by it; no terminal and no JSON shows it."""
    words = ("skill", "--base-url", URL, "--locale", "de-DE")
    first = here(*words)
    secret = linking_of(tmp_path)["clientSecret"]
    assert len(secret) >= 40
    again = here(*words, "--proactive", "--json")
    assert linking_of(tmp_path)["clientSecret"] == client_secret(tmp_path) == secret
    assert secret not in first.stdout + first.stderr + again.stdout + again.stderr
    folder = tmp_path / "skill-package"
    for name in ("accountLinking.json", "client-secret.txt", "state.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    other = here(*words, "--folder", "other")
    assert other.returncode == 0
    assert (tmp_path / "other" / "client-secret.txt").read_text() != secret


def test_addresses_of_account_linking_may_differ(here: Run, tmp_path: Path) -> None:
    """A page in the LAN, a token endpoint in AWS."""
    page = "https://ha.lan.example.org/auth/authorize"
    api = "https://abc.execute-api.eu-west-1.amazonaws.com/auth/token"
    words = ("skill", "--base-url", f"{URL}:8443", "--locale", "de-DE")
    done = here(*words, "--authorize-url", page, "--token-url", api)
    assert done.returncode == 0, done.stderr
    assert linking_of(tmp_path)["authorizationUrl"] == page
    assert linking_of(tmp_path)["accessTokenUrl"] == api
    assert "port" not in done.stderr, "neither has another"
    assert "--authorize-url" in done.stdout, "the command to run again has them"


@pytest.mark.parametrize("option", ["--authorize-url", "--token-url"])
@pytest.mark.parametrize(
    "url",
    ["home.example.org/auth/token", "http://home.example.org/a", URL, f"{URL}/a?b=c"],
)
def test_an_address_that_amazon_cannot_take_is_refused(
    here: Run, option: str, url: str
) -> None:
    """In one line that names the option."""
    done = here("skill", "--base-url", URL, "--locale", "de-DE", option, url)
    assert done.returncode == 2
    assert option in done.stderr
    assert is_one_line(done.stderr)


def test_a_token_endpoint_is_deployed_with_its_secret(
    here: Run, tmp_path: Path
) -> None:
    """Which goes by way of a file: no command and no history has it."""
    words = ("skill", "--base-url", URL, "--locale", "de-DE", "--token-endpoint")
    done = here(*words, "--json")
    assert done.returncode == 0, done.stderr
    (line,) = (
        one["command"]
        for one in json.loads(done.stdout)["commands"]
        if "sam deploy" in one["command"]
    )
    assert "TokenEndpoint=true LinkClientSecret=ssm:/ha-bridge/" in line
    assert "--value file://skill-package/client-secret.txt" in line
    assert client_secret(tmp_path) not in done.stdout


def test_what_amazon_limits_is_within_the_limits(here: Run, tmp_path: Path) -> None:
    """https://developer.amazon.com/en-US/docs/alexa/smapi/skill-manifest.html."""
    here("skill", "--base-url", URL, "--locale", "en-US")
    manifest = document(tmp_path, "create.json")["manifest"]
    about = manifest["publishingInformation"]["locales"]["en-US"]
    assert 2 <= len(about["name"]) <= 50
    assert len(about["summary"]) <= 160
    assert len(about["description"]) <= 4000
    assert len(about["examplePhrases"]) <= 3
    assert all(len(phrase) <= 200 for phrase in about["examplePhrases"])
    assert manifest["privacyAndCompliance"]["isExportCompliant"] is True


def test_all_three_regions(here: Run, tmp_path: Path) -> None:
    """One skill may have a function in each; the locale's is the default."""
    arns = [part for arn in ARNS.values() for part in ("--arn", arn)]
    here("skill", "--base-url", URL, "--locale", "ja-JP", *arns)
    api = document(tmp_path, "skill.json")["manifest"]["apis"]["smartHome"]
    assert api["endpoint"] == {"uri": ARNS["FE"]}
    assert api["regions"] == {key: {"endpoint": {"uri": ARNS[key]}} for key in ARNS}


def test_the_first_manifest_names_no_function(here: Run, tmp_path: Path) -> None:
    """Amazon tries the function out, which does not know the skill yet."""
    arn = ARNS["EU"]
    here("skill", "--base-url", URL, "--locale", "de-DE", "--arn", arn, "--proactive")
    manifest = document(tmp_path, "create.json")["manifest"]
    assert manifest["apis"] == {"smartHome": {"protocolVersion": "3"}}
    assert "arn:" not in json.dumps(manifest)


def test_proactive_mode_asks_for_the_permission(here: Run, tmp_path: Path) -> None:
    """Without it Alexa sends no AcceptGrant, and Home Assistant may send no event."""
    here("skill", "--base-url", URL, "--locale", "de-DE", "--proactive")
    manifest = document(tmp_path, "skill.json")["manifest"]
    assert manifest["permissions"] == [{"name": "alexa::async_event:write"}]


def test_several_locales_of_a_region(here: Run, tmp_path: Path) -> None:
    """The languages of one household; the first is the default."""
    done = here(
        "skill", "--base-url", URL, "--locale", "en_gb", "--locale", "hi-IN", "--json"
    )
    about = document(tmp_path, "skill.json")["manifest"]["publishingInformation"]
    assert list(about["locales"]) == ["en-GB", "hi-IN"]
    assert json.loads(done.stdout)["region"] == "EU"
