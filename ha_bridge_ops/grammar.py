"""What is printed to be pasted: read by its grammar, and written anew.

Each function takes a text from anywhere and returns it as we write it, or None if it is
no such thing.  What they return can stand in a line of `.env`, in YAML and, put through
`shlex.quote`, in a command: none begins with a hyphen, holds a blank or ends a line.
"""

import re
from collections.abc import Callable
from typing import Final

from ha_bridge.settings import parse_address

#: Reads a text, and writes it anew.
Grammar = Callable[[str], str | None]

#: Characters of a name in DNS, of an IPv4 or of an IPv6 address.
_HOST: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}|[0-9A-Fa-f:.]{2,45}")

#: The path of an address, as `parse_address` writes it, but without a per cent sign:
#: the Windows command prompt puts a variable's value in the place of `%NAME%`.
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~-]*)*")


def matching(pattern: str) -> Grammar:
    """Return what takes the texts that are wholly of a pattern."""
    compiled = re.compile(pattern)

    def read(text: str) -> str | None:
        return text if compiled.fullmatch(text) else None

    return read


#: The name of a machine.
host: Final = matching(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")

#: What a certificate is for, a wildcard included; a name of one word is a machine of
#: somebody's.
DNS_NAME: Final = re.compile(r"(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")

#: https://www.home-assistant.io/docs/configuration/state_object/
ENTITY_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\.[a-z0-9_]{1,190}")
entity_id: Final = matching(ENTITY_ID.pattern)

#: https://developer.amazon.com/en-US/docs/alexa/smapi/skill-operations.html
SKILL_ID: Final = re.compile(
    r"amzn1\.ask\.skill\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
skill_id: Final = matching(SKILL_ID.pattern)

#: https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
function_name: Final = matching(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,139}")
aws_region: Final = matching(r"[a-z]{2}(?:-[a-z]{1,16}){1,3}-[0-9]{1,2}")

#: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
stack: Final = matching(r"[A-Za-z][A-Za-z0-9-]{0,127}")

#: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
statement_id: Final = matching(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")

#: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
log_group: Final = matching(r"[A-Za-z0-9_/.][A-Za-z0-9_/.#-]{0,511}")

#: Of Alexa's errors, and of Home Assistant's.
ERROR_TYPE: Final = re.compile(r"[A-Z_]{1,64}")


def base_url(text: str) -> str | None:
    """Return an address as BASE_URL has it."""
    try:
        address = parse_address(text)
    except ValueError:
        return None
    if not _HOST.fullmatch(address.host) or not _PATH.fullmatch(address.path):
        return None
    return str(address)
