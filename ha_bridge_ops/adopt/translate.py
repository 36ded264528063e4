"""The settings of an old script as those of this function."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ha_bridge.errors import BridgeError
from ha_bridge.gate import Gate
from ha_bridge.secrets import is_reference
from ha_bridge.settings import VARIABLES, Settings, parse_switch
from ha_bridge_ops.adopt.recognise import Kind, files_of
from ha_bridge_ops.aws.session import secrets_in
from ha_bridge_ops.aws.version import Version
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.outside import without
from ha_bridge_ops.typed import typed

#: Returns the value of a parameter in AWS's Parameter Store.
ReadParameter = Callable[[str], str]

_TOKEN: Final = "LONG_LIVED_ACCESS_TOKEN"  # noqa: S105 - its name


@dataclass
class Translation:
    """The variables that the function will have, and what is to be said of them."""

    variables: dict[str, str] = field(repr=False)
    remarks: list[str] = field(default_factory=list)
    doubts: dict[str, str] = field(default_factory=dict)
    """Settings whose text reads otherwise than it was meant; see `Choices`."""


@dataclass(frozen=True)
class Choices:
    """What only the owner knows."""

    verify_tls: bool | None = None
    """Whether the certificate is checked; None if it was not said."""
    is_linked_with_home: bool = False
    """Whether accounts are linked with Home Assistant, and not with Amazon."""


def translated(
    kind: Kind, old: Version, choices: Choices, read_parameter: ReadParameter
) -> Translation:
    """Return the variables for the new code.

    Args:
        kind: What the old code is.
        old: It, and its settings.
        choices: What the owner has said.
        read_parameter: Of AWS's Parameter Store.

    Raises:
        CommandError: A setting has no counterpart here, or is wrong.
    """
    found = _TRANSLATORS[kind](old, choices, read_parameter)
    if found.doubts:
        return found  # what is asked for first may be no setting of ours
    try:
        Settings.from_environ(found.variables)
    except BridgeError as error:
        raise CommandError(
            f"The settings of the function cannot be used: "
            f"{error.detail}. Correct them in the Lambda console first."
        ) from None
    return found


def hiding(variables: Mapping[str, str]) -> Callable[[str], str]:
    """Return what takes out of a text all that opens a home, closed or not.

    Args:
        variables: Of the new code, as `translated` gives them.
    """
    given = Settings.from_environ(variables).gate
    gate = Gate({name: one for name, one in given.items() if not is_reference(one)})
    gate.resolve(time.monotonic())  # what is text asks nobody
    secrets = list(secrets_in(variables))
    return lambda text: without(secrets, gate.hide(text))


def _script(old: Version, choices: Choices, _read: ReadParameter) -> Translation:
    """Take over the same variables: but for the script any text was a yes."""
    variables = dict(old.settings.variables)
    found = Translation(variables)
    was_debug = bool(variables.get("DEBUG"))
    _switch(found, "NOT_VERIFY_SSL", choices)
    if was_debug and not _reads_as_yes(variables["DEBUG"]):
        found.remarks.append(
            f"DEBUG={typed(variables['DEBUG'], '…')} switched debugging on, as any "
            "text did; here it means what it says, so debugging is off."
        )
        variables["DEBUG"] = "false"
    if _TOKEN in variables and not was_debug:
        del variables[_TOKEN]
        found.remarks.append(
            f"{_TOKEN} had no effect without DEBUG, and would have one here: "
            "it is left out."
        )
    elif _TOKEN in variables:
        found.remarks.append(
            f"{_TOKEN} stays. Remove it after your tests: anyone who may call the "
            "function could use your home."
        )
    return found


def _switch(found: Translation, name: str, choices: Choices) -> None:
    """Translate whether the certificate goes unchecked, which must not be guessed."""
    text = found.variables.get(name, "")
    if not text:
        return
    if choices.verify_tls is not None:
        found.variables[name] = "false" if choices.verify_tls else "true"
    elif not _reads_as_yes(text):
        found.doubts[name] = text


def _reads_as_yes(text: str) -> bool:
    try:
        return parse_switch(text.strip())
    except ValueError:
        return False


def _is_switch(text: str) -> bool:
    try:
        parse_switch(text.strip())
    except ValueError:
        return False
    return True


def _verify(config: Mapping[str, Any]) -> Any:
    """Return what haaska gives to requests as `verify`; it has two names for it."""
    return config.get("ssl_verify", config.get("ha_cert", True))


def _config(old: Version) -> dict[str, Any]:
    """Return haaska's config.json, if this function can do what it says.

    Raises:
        CommandError: It is broken, or asks for something else.
    """
    files = files_of(old.code)
    try:
        config: Any = json.loads(files["config.json"])
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise CommandError("haaska's config.json is no JSON object.")
    if b"Alexa.ConnectedHome" in files.get("haaska.py", b""):
        raise CommandError(
            "This haaska is of Alexa's payload version 2, which Amazon has switched "
            "off: this function cannot have worked, and its devices are not those of "
            "today. Set it up again with `ha-bridge setup`."
        )
    if config.get("ssl_client"):
        raise CommandError(
            "haaska's ssl_client is a certificate in a file; put it into "
            "CLIENT_CERTIFICATE of this function by hand."
        )
    verify = _verify(config)
    if isinstance(verify, str) and not _is_switch(verify):
        raise CommandError(
            "haaska's ssl_verify names a file with an authority; put it into "
            "CA_CERTIFICATE of this function by hand."
        )
    if config.get("password"):
        raise CommandError(
            "haaska logs in with a password, which Home Assistant has not known since "
            "2019, so this function cannot have worked. Set it up again with "
            "`ha-bridge setup`."
        )
    return config


def _haaska(old: Version, choices: Choices, _read: ReadParameter) -> Translation:
    """Translate config.json: https://github.com/mike-grant/haaska."""
    config = _config(old)
    variables = dict(old.settings.variables)
    url = str(config.get("url") or config.get("ha_url") or "")[:_LONGEST_URL]
    variables["BASE_URL"] = url.rstrip("/").removesuffix("/api").rstrip("/")
    found = Translation(variables)
    verify = _verify(config)
    if choices.verify_tls is not None:
        verify = choices.verify_tls
    elif isinstance(verify, str) and verify.strip():
        # "false" in quotation marks is the name of a file there.
        found.doubts["ssl_verify"] = verify
    if not verify:
        variables["NOT_VERIFY_SSL"] = "true"
    debug = config.get("debug")
    if isinstance(debug, str) and not _reads_as_yes(debug):
        debug = False
    if debug:
        variables["DEBUG"] = "true"
    if config.get("bearer_token"):
        if not choices.is_linked_with_home:
            raise CommandError(
                "haaska uses a token of its own (bearer_token), so the linked account "
                "may be one of Amazon's, whose tokens Home Assistant refuses. Look at "
                "Account Linking in the Alexa developer console: if its authorization "
                "URI ends in /auth/authorize of your Home Assistant, add "
                "--linked-with-home. Otherwise change it as docs/setup.md says, link "
                "the account again, and then adopt."
            )
        found.remarks.append(
            "bearer_token is left out: directives carry the linked account's token."
        )
    return found


#: Characters of an address, more than any has.
_LONGEST_URL: Final = 4096

#: Headers of Cloudflare Access, and the variables of ha-alexa that name where they are.
_ACCESS: Final = {
    "CF-Access-Client-Id": "CF_CLIENT_ID",
    "CF-Access-Client-Secret": "CF_CLIENT_SECRET",
}


def _ha_alexa(old: Version, choices: Choices, read: ReadParameter) -> Translation:
    """Translate the Cloudflare service token: https://github.com/tjbaker/ha-alexa."""
    if "EXTRA_HEADERS" not in VARIABLES:
        raise CommandError(
            "ha-alexa sends a service token of Cloudflare, and this release of "
            "ha-bridge cannot do that."
        )
    variables = dict(old.settings.variables)
    missing = [name for name in _ACCESS.values() if not variables.get(name)]
    if missing:
        raise CommandError(f"The function has no variable {missing[0]}.")
    headers = {header: read(variables.pop(name)) for header, name in _ACCESS.items()}
    variables["EXTRA_HEADERS"] = json.dumps(headers)
    found = Translation(variables)
    _switch(found, "NOT_VERIFY_SSL", choices)
    found.remarks.append(
        "Its two other functions, which link accounts, stay as they are."
    )
    return found


_TRANSLATORS: Final[
    Mapping[Kind, Callable[[Version, Choices, ReadParameter], Translation]]
] = {Kind.SCRIPT: _script, Kind.HAASKA: _haaska, Kind.HA_ALEXA: _ha_alexa}

#: What can be adopted.
ADOPTABLE: Final = frozenset(_TRANSLATORS)
