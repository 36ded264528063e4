"""Where the project lives, for the wheel's metadata: whoever builds it knows."""

import os
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

GUIDE = "https://www.home-assistant.io/integrations/alexa.smart_home/"


class Urls(MetadataHookInterface):
    """Adds the repository in which GitHub builds a release."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the URLs; outside GitHub only Home Assistant's guide is known."""
        urls = {"Home Assistant's guide": GUIDE}
        repository = os.environ.get("GITHUB_REPOSITORY")
        if repository:
            server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
            home = f"{server}/{repository}"
            urls |= {
                "Homepage": home,
                "Documentation": f"{home}/blob/main/docs/setup.md",
                "Changelog": f"{home}/blob/main/CHANGELOG.md",
                "Issues": f"{home}/issues",
                "Source": home,
            }
        metadata["urls"] = urls
