"""Amazon's three Alexa regions, and which of them a language belongs to.

What decides is the marketplace of the Amazon account, not where the home is: a function
in another AWS region is never called, and Alexa only says that it found no devices.
The locale stands for the marketplace, as it does in the documents of Amazon and of
Home Assistant:

- AWS regions and locales:
  https://www.home-assistant.io/integrations/alexa.smart_home/ and
  https://developer.amazon.com/en-US/docs/alexa/smarthome/develop-smart-home-skills-in-multiple-languages.html
- event gateways:
  https://developer.amazon.com/en-US/docs/alexa/smarthome/send-events.html#endpoints
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.typed import typed


@dataclass(frozen=True)
class Region:
    """One of Amazon's three parts of the world, and all that depends on it."""

    key: str
    """Its name in a skill manifest, under `apis.smartHome.regions`."""
    title: str
    """Its name for people, such as “Europe and India”."""
    aws_region: str
    """Where the Lambda function must be."""
    client_id: str
    """What account linking has to name as client: with https and with a trailing slash.

    Home Assistant only gives a code to an address on the host of the client id, and
    Amazon's is this one. Its token endpoint wants the very same text again.
    """
    event_gateway: str
    """Where Home Assistant reports changes of its own to, in proactive mode."""
    samconfig_env: str
    """Its environment in samconfig.toml: `sam deploy --config-env eu`."""

    def console(self, page: str) -> str:
        """Return the address of a page of the AWS console, in this region.

        Args:
            page: One of `CONSOLE`.
        """
        service, place = CONSOLE[page]
        host = f"https://{self.aws_region}.console.aws.amazon.com"
        return f"{host}/{service}/home?region={self.aws_region}{place}"

    @property
    def redirect_host(self) -> str:
        """The host that account linking returns to; it is that of the client id."""
        return urlsplit(self.client_id).netloc


#: Pages of the AWS console: the service, and the place in it.
CONSOLE: Final[Mapping[str, tuple[str, str]]] = {
    "new function": ("lambda", "#/create/function"),
    "functions": ("lambda", "#/functions"),
    "new stack": ("cloudformation", "#/stacks/create"),
    "stacks": ("cloudformation", "#/stacks"),
    "logs": ("cloudwatch", "#logsV2:log-groups"),
    "CloudShell": ("cloudshell", ""),
}

NORTH_AMERICA: Final = Region(
    key="NA",
    title="the Americas",
    aws_region="us-east-1",
    client_id="https://pitangui.amazon.com/",
    event_gateway="https://api.amazonalexa.com/v3/events",
    samconfig_env="na",
)
EUROPE: Final = Region(
    key="EU",
    title="Europe and India",
    aws_region="eu-west-1",
    client_id="https://layla.amazon.com/",
    event_gateway="https://api.eu.amazonalexa.com/v3/events",
    samconfig_env="eu",
)
FAR_EAST: Final = Region(
    key="FE",
    title="Japan and Australia",
    aws_region="us-west-2",
    client_id="https://alexa.amazon.co.jp/",
    event_gateway="https://api.fe.amazonalexa.com/v3/events",
    samconfig_env="fe",
)

#: All there are, in the order of Amazon's documents.
REGIONS: Final = (NORTH_AMERICA, EUROPE, FAR_EAST)

#: Every locale that Alexa and Home Assistant both know, with its region.  Amazon also
#: has ar-SA, which Home Assistant refuses in its configuration.
LOCALES: Final[Mapping[str, Region]] = MappingProxyType(
    {
        "de-DE": EUROPE,
        "en-AU": FAR_EAST,
        "en-CA": NORTH_AMERICA,
        "en-GB": EUROPE,
        "en-IN": EUROPE,
        "en-US": NORTH_AMERICA,
        "es-ES": EUROPE,
        "es-MX": NORTH_AMERICA,
        "es-US": NORTH_AMERICA,
        "fr-CA": NORTH_AMERICA,
        "fr-FR": EUROPE,
        "hi-IN": EUROPE,
        "it-IT": EUROPE,
        "ja-JP": FAR_EAST,
        "nl-NL": EUROPE,
        "pt-BR": NORTH_AMERICA,
    }
)


def locale_of(text: str) -> str:
    """Return a locale as Amazon spells it; de_de and DE-DE are forgiven.

    Raises:
        CommandError: There is no such locale; the message lists them.
    """
    wanted = text.strip().replace("_", "-").lower()
    for locale in LOCALES:
        if locale.lower() == wanted:
            return locale
    raise CommandError(
        f"{typed(text)} is not a locale that Alexa and Home Assistant share. "
        f"They are {', '.join(LOCALES)}."
    )


def english_in(aws_region: str) -> str:
    """Return a locale to stand in an example: the English of a region of AWS."""
    usual = {EUROPE: "en-GB", FAR_EAST: "en-AU"}
    place = region_in(aws_region)
    return usual.get(place, "en-US") if place else "en-US"


def region_of(locale: str) -> Region:
    """Return the region of a locale.

    Raises:
        CommandError: There is no such locale.
    """
    return LOCALES[locale_of(locale)]


def region_in(aws_region: str) -> Region | None:
    """Return the region that calls functions in an AWS region, if one does."""
    for region in REGIONS:
        if region.aws_region == aws_region:
            return region
    return None
