"""What somebody types of a skill, read: each mistake is one sentence."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, urlsplit

from ha_bridge.settings import Address, parse_address
from ha_bridge_ops import grammar
from ha_bridge_ops.aws.function import FUNCTION_ARN
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.outside import is_visible
from ha_bridge_ops.regions import LOCALES, REGIONS, Region, locale_of, region_in
from ha_bridge_ops.typed import is_like_a_secret, typed


def read_address(text: str | None, env_file: Path) -> Address:
    """Return the address of Home Assistant as Amazon can link accounts with it.

    Raises:
        CommandError: It is missing, no address, or not https.
    """
    try:
        address = parse_address((text or "").strip())
    except ValueError as error:
        where = "" if text else f" with --base-url, BASE_URL or in {env_file}"
        raise CommandError(f"The base URL {error}{where}.") from None
    if not address.is_tls:
        raise CommandError(
            "The base URL must start with https://, because Amazon links no account "
            "over plain http."
        )
    return address


def read_url(text: str | None, option: str) -> str | None:
    """Return an address of account linking as Amazon accepts it; None if there is none.

    Raises:
        CommandError: It is none, or not https.
    """
    if text is None:
        return None
    try:
        url = urlsplit(text.strip())
        address = parse_address(f"{url.scheme}://{url.netloc}")
        path = quote(url.path, safe="/%")
    except ValueError as error:
        raise CommandError(f"{option} {error}.") from None
    if not address.is_tls or url.query or url.fragment or not url.path.strip("/"):
        raise CommandError(
            f"{option} must be a whole address such as "
            "https://home.example.org/auth/token: https, with its path."
        )
    return f"{address}{path}"


def read_locales(texts: Iterable[str]) -> tuple[str, ...]:
    """Return locales that one skill can have.

    Raises:
        CommandError: One is unknown, or they belong to different regions.
    """
    locales = tuple(dict.fromkeys(locale_of(text) for text in texts))
    first = locales[0]
    for other in locales[1:]:
        if LOCALES[other] is not LOCALES[first]:
            raise CommandError(
                f"{first} belongs to {LOCALES[first].title} and {other} to "
                f"{LOCALES[other].title}: account linking can name only one client, so "
                "make a skill for each, with another --folder."
            )
    return locales


def read_functions(arns: Iterable[str], region: Region) -> dict[str, str]:
    """Return the ARNs of functions by the key of their region.

    Args:
        arns: As AWS prints them.
        region: The one that must be among them.

    Raises:
        CommandError: One is malformed or in a place that Alexa never calls, or the
            region has none or two.
    """
    functions: dict[str, str] = {}
    for text in arns:
        match = FUNCTION_ARN.fullmatch(text.strip())
        if match is None:
            raise CommandError(
                f"{typed(text)} is not the ARN of a Lambda function. It looks like "
                f"arn:aws:lambda:{region.aws_region}:123456789012:function:name."
            )
        place = region_in(match[1])
        if place is None:
            raise CommandError(
                f"Alexa never calls functions in {match[1]}, only in "
                f"{' and '.join(one.aws_region for one in REGIONS)}."
            )
        if functions.setdefault(place.key, match[0]) != match[0]:
            raise CommandError(
                f"Two functions in {place.aws_region}: a skill has one in each region."
            )
    if functions and region.key not in functions:
        raise CommandError(
            f"Alexa calls the function for this locale in {region.aws_region}, "
            f"and none of the ARNs is there."
        )
    return functions


def read_name(text: str) -> str:
    """Return a name that Amazon accepts for a skill.

    Raises:
        CommandError: It is too short or too long, or a secret.
    """
    if is_like_a_secret(text):
        raise CommandError("The name of a skill is no token, password or address.")
    name = " ".join(text.split())
    if not 2 <= len(name) <= 50 or not is_visible(name):  # noqa: PLR2004 - Amazon's
        raise CommandError(
            "The name of a skill has 2 to 50 characters, all of them visible."
        )
    return name


def read_skill_id(text: str) -> str:
    """Return the id of a skill.

    Raises:
        CommandError: It is none.
    """
    if grammar.skill_id(text.strip()) is None:
        raise CommandError(
            f"{typed(text)} is not a skill id. It looks like "
            "amzn1.ask.skill.12345678-1234-1234-1234-123456789012."
        )
    return text.strip()
