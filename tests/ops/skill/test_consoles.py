"""The commands and the fields that are printed, for those who do it by hand."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ha_bridge_ops.regions import LOCALES, REGIONS
from ha_bridge_ops.skill import consoles
from tests.ops.conftest import Run
from tests.worlds.desk import ARNS, URL


def test_the_commands_are_in_the_order_that_works(here: Run) -> None:
    """Permission before endpoint, linking after the manifest, enabling last."""
    done = here("skill", "--base-url", URL, "--locale", "fr-FR", "--json")
    lines = "\n".join(one["command"] for one in json.loads(done.stdout)["commands"])
    places = [
        lines.index(words)
        for words in (
            "create-skill-for-vendor --manifest file:skill-package/create.json",
            "sam deploy --config-env eu",
            "ha-bridge skill",
            "update-skill-manifest",
            "update-account-linking-info",
            "set-skill-enablement",
        )
    ]
    assert places == sorted(places)
    assert "ask smapi get-skill-credentials" not in lines


@pytest.mark.parametrize("region", REGIONS, ids=lambda one: one.key)
def test_every_field_of_the_consoles_has_its_value(here: Run, region: Any) -> None:
    """Whoever types gets what the files have."""
    locale = next(name for name, its in LOCALES.items() if its is region)
    arn = ARNS[region.key]
    done = here(
        "skill", "--base-url", URL, "--locale", locale, "--arn", arn, "--proactive"
    )
    for value in (
        region.aws_region,
        arn,
        region.client_id,
        f"{URL}/auth/authorize",
        f"{URL}/auth/token",
        "Credentials in request body",
        "smart_home",
        "Send Alexa Events",
        f"--config-env {region.samconfig_env}",
    ):
        assert value in done.stdout
    assert "\x1b" not in done.stdout


def test_a_command_can_be_pasted_as_it_is_printed(here: Run, tmp_path: Path) -> None:
    """Folded with backslashes, and a folder with a space is quoted."""
    done = here(
        *["skill", "--base-url", URL, "--locale", "de-DE", "--folder", "my skill"],
        COLUMNS="80",
    )
    _, _, rest = done.stdout.partition("# 1.")
    command = rest.split("\n", 1)[1].split("\n\n")[0]
    assert max(len(line) for line in command.splitlines()) <= 80
    words = subprocess.run(
        ["/bin/sh", "-c", f'ask() {{ printf "%s\\n" "$@"; }}; {command}'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert words[-1] == "file:my skill/create.json"
    assert "Send Alexa Events" not in done.stdout, "only for proactive mode"
    assert (tmp_path / "my skill/create.json").is_file()


@pytest.mark.parametrize(
    "options",
    [
        ("--token-url", f"{URL}/token", "--authorize-url", f"{URL}/in", "--proactive"),
        ("--token-endpoint", "--name", "My home", "--folder", "my skill"),
    ],
    ids=["addresses", "a token endpoint"],
)
def test_the_command_to_run_again_makes_the_same_skill(
    here: Run, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """Each option that is not the default is in it."""
    common = ("--base-url", URL, "--locale", "en-GB", "--locale", "en-IN")
    done = here("skill", *common, *options, "--json")
    (line,) = (
        one["command"]
        for one in json.loads(done.stdout)["commands"]
        if one["command"].startswith("ha-bridge skill")
    )
    words = shlex.split(line)[1:]
    assert words[-2:] == ["--stack", "ha-bridge"]
    (folder,) = tmp_path.iterdir()
    first = {path.name: path.read_text() for path in folder.iterdir()}
    assert here(*words[:-2]).returncode == 0
    assert {path.name: path.read_text() for path in folder.iterdir()} == first


@pytest.mark.parametrize(
    "path",
    [
        "it's  a folder " * 12,
        "two  blanks '' and \"quotes\" and $(id) `id` ; id",
        "-rf",
        "a'b c'd  e",
    ],
)
def test_a_folded_command_is_what_it_was(path: str) -> None:
    """A shell reads the lines as it reads the one, whatever the folder is called."""
    line = shlex.join(
        ["ha-bridge", "skill", "--folder", path, *["--locale", "de-DE"] * 5]
    )
    folded = consoles.folded(line)
    done = subprocess.run(
        ["/bin/sh", "-c", f"printf '%s\\0' {folded}"], capture_output=True, check=True
    )
    assert done.stdout.decode().split("\0")[:-1] == shlex.split(line)
    assert len(folded.split("\n")) > 1
