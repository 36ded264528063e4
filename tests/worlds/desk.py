"""The desk of a developer: an empty folder, the ASK CLI logged in, and Amazon."""

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ha_bridge_ops.local import ask
from ha_bridge_ops.regions import REGIONS
from tests.fakes.smapi import Smapi, cli_config
from tests.ops.conftest import Run

URL = "https://home.example.org"
ARNS = {
    region.key: f"arn:aws:lambda:{region.aws_region}:123456789012:function:ha-bridge"
    for region in REGIONS
}
SKILL_ID = "amzn1.ask.skill.12345678-1234-1234-1234-123456789012"


def document(folder: Path, name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "skill-package" / name).read_text())
    return read


def client_secret(folder: Path) -> str:
    """Return the secret that a run has made, and kept."""
    return (folder / "skill-package" / "client-secret.txt").read_text()


def is_one_line(text: str) -> bool:
    return text.count("\n") == 1 and "Traceback" not in text


def linking_of(folder: Path) -> dict[str, Any]:
    linking: dict[str, Any] = document(folder, "accountLinking.json")
    return dict(linking["accountLinkingRequest"])


def real_ask() -> str:
    """Return Amazon's own command, installed once into the project's tools."""
    return shlex.join(ask.install())


#: The stand-in for it.
FAKE = shlex.join([sys.executable, str(Path(__file__).parents[1] / "fakes/ask.py")])


@dataclass
class Desk:
    """A developer's machine, with the ASK CLI logged in, and Amazon on loopback."""

    smapi: Smapi
    run: Run
    folder: Path
    ask: str
    is_real: bool
    variables: dict[str, str] = field(default_factory=dict)

    def apply(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        common = ["--base-url", URL, "--locale", "de-DE", "--apply", "--ask", self.ask]
        return self.run("skill", *common, *arguments, **self.variables)

    def permit(self) -> str:
        """Let the only skill call the function, as the deployment does."""
        (skill_id,) = self.smapi.skills
        self.smapi.permitted.add(skill_id)
        return skill_id

    @property
    def log(self) -> Path:
        return self.folder / "ask.log"


def desk_at(folder: Path, smapi: Smapi, run: Run, ask: str) -> Desk:
    home = folder / "home"
    (home / ".ask").mkdir(parents=True)
    (home / ".ask/cli_config").write_text(cli_config())
    variables = {
        "HOME": str(home),
        "ASK_SMAPI_SERVER_BASE_URL": smapi.url,
        "ASK_LWA_TOKEN_HOST": smapi.url,
        "ASK_FAKE_LOG": str(folder / "ask.log"),
    }
    return Desk(smapi, run, folder, ask, ask != FAKE, variables)
