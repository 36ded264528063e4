"""What Amazon is told of a skill: its manifest, and how accounts are linked.

The shapes are those of https://developer.amazon.com/en-US/docs/alexa/smapi/skill-manifest.html
and https://developer.amazon.com/en-US/docs/alexa/smapi/account-linking-schemas.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ha_bridge.redaction import Secret
from ha_bridge.settings import Address
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.regions import LOCALES, REGIONS, Region
from ha_bridge_ops.state import write_private

#: Amazon requires a scope; Home Assistant ignores it.
SCOPE: Final = "smart_home"

EVENTS_PERMISSION: Final = "alexa::async_event:write"

_SUMMARY: Final = "Your own Home Assistant, by voice."
_DESCRIPTION: Final = (
    "Controls the devices of a Home Assistant that you run yourself. "
    "The skill is for its owner and is not published."
)
_PHRASES: Final = (
    "Alexa, turn on the kitchen light",
    "Alexa, set the bedroom to 20 degrees",
    "Alexa, lock the front door",
)


@dataclass(frozen=True)
class Skill:
    """A skill as it should be."""

    name: str
    address: Address
    """Home Assistant's, as browsers and Amazon reach it."""
    locales: tuple[str, ...]
    functions: Mapping[str, str]
    """The ARN of the function by the key of its region; may be empty at first."""
    client_secret: Secret
    """Of account linking."""
    proactive: bool = False
    token_endpoint: bool = False
    """Whether Amazon shall ask the token endpoint of the stack for tokens."""
    authorize_url: str | None = None
    """Where the user logs in, if that is not below the address."""
    token_url: str | None = None
    """Where Amazon gets tokens, if that is not below the address."""

    @property
    def region(self) -> Region:
        """The one region of all its locales."""
        return LOCALES[self.locales[0]]

    @property
    def function(self) -> str | None:
        """The ARN of the function that answers for its locales, if it is known."""
        return self.functions.get(self.region.key)

    def request_to_create(self) -> dict[str, Any]:
        """Return the manifest to begin with, which names no function.

        Amazon accepts a function only if it lets this very skill call it, so the
        skill's id must be known before.
        """
        return self._manifest({"protocolVersion": "3"}, permissions=[])

    def manifest(self) -> dict[str, Any]:
        """Return the whole manifest, with the functions that are known."""
        api: dict[str, Any] = {"protocolVersion": "3"}
        if self.function:
            api["endpoint"] = {"uri": self.function}
            api["regions"] = {
                region.key: {"endpoint": {"uri": self.functions[region.key]}}
                for region in REGIONS
                if region.key in self.functions
            }
        permissions = [{"name": EVENTS_PERMISSION}] if self.proactive else []
        return self._manifest(api, permissions)

    def account_linking(self) -> dict[str, Any]:
        """Return how Amazon logs in to Home Assistant on behalf of the user."""
        return {
            "accountLinkingRequest": {
                "type": "AUTH_CODE",
                "skipOnEnablement": "false",
                "authorizationUrl": self.authorization_uri,
                "accessTokenUrl": self.access_token_uri,
                "clientId": self.region.client_id,
                "clientSecret": self.client_secret.reveal(),
                # Home Assistant reads the client id in the body and nowhere else.
                "accessTokenScheme": "REQUEST_BODY_CREDENTIALS",
                "scopes": [SCOPE],
                "domains": [],
            }
        }

    @property
    def authorization_uri(self) -> str:
        """Where the user logs in."""
        return self.authorize_url or f"{self.address}/auth/authorize"

    @property
    def access_token_uri(self) -> str:
        """Where Amazon gets and renews the token."""
        return self.token_url or f"{self.address}/auth/token"

    def _manifest(
        self, api: dict[str, Any], permissions: list[dict[str, str]]
    ) -> dict[str, Any]:
        about = {
            "name": self.name,
            "summary": _SUMMARY,
            "description": _DESCRIPTION,
            "examplePhrases": list(_PHRASES),
            "keywords": [],
        }
        return {
            "manifest": {
                "manifestVersion": "1.0",
                "publishingInformation": {
                    "locales": dict.fromkeys(self.locales, about),
                    "category": "SMART_HOME",
                    "isAvailableWorldwide": True,
                    "distributionCountries": [],
                    "testingInstructions": "For its owner only; not to be published.",
                },
                "apis": {"smartHome": api},
                "permissions": permissions,
                "privacyAndCompliance": {
                    "allowsPurchases": False,
                    "usesPersonalInfo": False,
                    "isChildDirected": False,
                    "isExportCompliant": True,
                    "containsAds": False,
                },
            }
        }


@dataclass(frozen=True)
class Folder:
    """Where the documents of a skill lie."""

    path: Path

    @property
    def create(self) -> Path:
        """The manifest to create the skill with."""
        return self.path / "create.json"

    @property
    def manifest(self) -> Path:
        """The whole manifest."""
        return self.path / "skill.json"

    @property
    def account_linking(self) -> Path:
        """How accounts are linked."""
        return self.path / "accountLinking.json"

    @property
    def secrets(self) -> Path:
        """What Home Assistant needs for proactive mode; for its secrets.yaml."""
        return self.path / "secrets.yaml"

    @property
    def client_secret(self) -> Path:
        """The secret of account linking, for a console or for AWS."""
        return self.path / "client-secret.txt"

    @property
    def state(self) -> Path:
        """What is known of the skill at Amazon."""
        return self.path / "state.json"

    def make(self) -> None:
        """Make it, if it is not there.

        Raises:
            CommandError: It cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None

    def write(self, skill: Skill) -> tuple[Path, ...]:
        """Write the documents, over those of another time.

        Raises:
            CommandError: The folder cannot be written to.
        """
        documents = {
            self.create: skill.request_to_create(),
            self.manifest: skill.manifest(),
            self.account_linking: skill.account_linking(),
        }
        texts = {
            path: f"{json.dumps(document, indent=2, ensure_ascii=False)}\n"
            for path, document in documents.items()
        }
        # Without a newline, for what reads it takes all.
        texts[self.client_secret] = skill.client_secret.reveal()
        for path, text in texts.items():
            write_private(path, text)  # the last two have the secret in them
        return tuple(documents)
