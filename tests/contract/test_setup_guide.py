"""docs/setup.md says what template, regions and command say."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from samtranslator.yaml_helper import yaml_parse

from ha_bridge_ops.cli import cli
from ha_bridge_ops.regions import LOCALES, REGIONS

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/setup.md").read_text()


def test_every_parameter_has_its_row_with_its_default() -> None:
    """In the template's own words: none, false, or a number."""
    text = (ROOT / "template.yaml").read_text()
    parameters = yaml_parse(text)["Parameters"]
    rows = dict(re.findall(r"^\| `([A-Z]\w+)` \| (\w+) \|", GUIDE, re.MULTILINE))
    assert rows == {
        name: str(parameter["Default"]) or "empty"
        for name, parameter in parameters.items()
    }


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.key)
def test_every_region_has_its_row(region: object) -> None:
    """AWS region, environment, client id, and all of its locales."""
    [one] = [one for one in REGIONS if one == region]
    [row] = [line for line in GUIDE.splitlines() if f"| {one.aws_region} |" in line]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    locales = {name for name, its in LOCALES.items() if its == one}
    assert set(cells[1].split(", ")) == locales
    assert cells[3:] == [one.samconfig_env, f"`{one.client_id}`"]


def test_every_command_of_the_guide_exists() -> None:
    """With the options it is given there."""
    lines = re.findall(r"(?:^\s*|`)ha-bridge ([a-z-]+)([^`\n]*)", GUIDE, re.MULTILINE)
    assert len(lines) > 5
    for command, rest in lines:
        shown = CliRunner().invoke(cli, [command, "--help"])
        assert shown.exit_code == 0, command
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in shown.output, (command, option)


def test_every_file_of_the_guide_exists() -> None:
    """The events to paste, and the pages linked."""
    for name in re.findall(r"`(events/\w+\.json)`", GUIDE):
        assert (ROOT / name).is_file(), name
    for link in re.findall(r"\]\(([a-z-]+\.md)\)", GUIDE):
        assert (ROOT / "docs" / link).is_file(), link
