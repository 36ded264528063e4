"""Everything that can be found wrong: ids, order and texts.

The texts are data, a file a part of the chain in `findings/`, and are checked as they
are read.  A part's file begins with the heading of the part; a table `[name]` is the
link `part.name`, a table `[name.cause]` one way for it to be wrong:

    [certificate]
    title = "the certificate is trusted"

    [certificate.expired]
    status = "warning"   # left out: a failure
    symptom = "What the user sees or hears."
    means = "What it means."
    fix = "What to do; {host} and other names of placeholders.toml are filled in:"
    paste = "certbot renew"   # may be left out

To look at something new, add its tables and a function of the same id in `chain`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ha_bridge_ops.check.model import Cause, Check, Status
from ha_bridge_ops.errors import CommandError

#: Where the texts lie.
FINDINGS: Final = Path(__file__).parent / "findings"

#: Looked at always, in this order; a name is that of the file, and begins the ids.
_CHAIN: Final = (
    "settings",
    "address",
    "tls",
    "ha",
    "token",
    "discovery",
    "directive",
)

#: Looked at only if asked for.
_LINKING: Final = "link"
_AWS: Final = "aws"

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

_NEEDED: Final = frozenset({"symptom", "means", "fix"})
_ALLOWED: Final = _NEEDED | {"status", "paste"}


class Texts:
    """The texts of a folder.

    Args:
        folder: With `placeholders.toml`, and a file a part.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        words = _read(folder / "placeholders.toml")
        self.phrases: dict[str, str] = {}
        """For each name that stands for the same always, what it stands for."""
        self.examples: Mapping[str, str] = words["seen"]
        """For each name that a check fills in, what may stand in its place."""
        for name, text in words["phrases"].items():
            # A phrase may hold those before it.
            self.phrases[name] = self._checked(text, f"phrases.{name}")

    def part(self, name: str) -> tuple[str, tuple[Check, ...]]:
        """Return the heading of a part, and its checks.

        Raises:
            CommandError: The file is missing or has a mistake; it says which.
        """
        tables = _read(self._folder / f"{name}.toml")
        title = tables.pop("part", None)
        if not isinstance(title, str):
            raise CommandError(f"{name}.toml must begin with its heading: part = …")
        checks = (self._check(f"{name}.{key}", table) for key, table in tables.items())
        return title, tuple(checks)

    def _check(self, name: str, table: dict[str, Any]) -> Check:
        title = table.pop("title", None)
        if not isinstance(title, str) or not table:
            raise _mistake(name, "needs a title and at least one cause")
        return Check(name, title, tuple(self._causes(name, table)))

    def _causes(self, check: str, tables: Mapping[str, Any]) -> Iterator[Cause]:
        for name, texts in tables.items():
            where = f"{check}.{name}"
            if not isinstance(texts, dict):
                raise _mistake(where, "is no table of texts")
            if missing := _NEEDED - set(texts):
                raise _mistake(where, f"has no {', '.join(sorted(missing))}")
            if unknown := set(texts) - _ALLOWED:
                raise _mistake(where, f"has a key {', '.join(sorted(unknown))}")
            filled = {key: self._checked(text, where) for key, text in texts.items()}
            status = filled.pop("status", Status.FAILED)
            if status not in (Status.FAILED, Status.WARNING):
                raise _mistake(where, "has a status other than failed or warning")
            yield Cause(name, Status(status), **filled)

    def _checked(self, text: Any, where: str) -> str:
        """Return a text with its phrases filled in."""
        if not isinstance(text, str) or not text.strip():
            raise _mistake(where, "has a text that is empty or none")
        whole = _PLACEHOLDER.sub(
            lambda found: self.phrases.get(found[1], found[0]), text
        )
        for name in _PLACEHOLDER.findall(whole):
            if name not in self.examples:
                raise _mistake(
                    where, f"has {{{name}}}, which placeholders.toml does not know"
                )
        return whole

    def with_examples(self, text: str) -> str:
        """Return a text with an example for each name that a check fills in."""
        return _PLACEHOLDER.sub(lambda found: self.examples[found[1]], text)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:  # TOML and UTF-8
        raise CommandError(f"{path} cannot be read: {error}.") from None


def _mistake(where: str, what: str) -> CommandError:
    return CommandError(f"{where} in {where.partition('.')[0]}.toml {what}.")


TEXTS: Final = Texts(FINDINGS)

_PARTS: Final = {name: TEXTS.part(name) for name in (*_CHAIN, _LINKING, _AWS)}

#: Heading of each part of the chain, by the first half of its ids.
PARTS: Final[Mapping[str, str]] = MappingProxyType(
    {name: title for name, (title, _) in _PARTS.items()}
)

#: Always looked at, in this order.
CHAIN: Final = tuple(link for name in _CHAIN for link in _PARTS[name][1])

#: How an account is linked, and the function in AWS.
LINKING: Final = _PARTS[_LINKING][1]
AWS: Final = _PARTS[_AWS][1]

#: All there is.
EVERY: Final = (*CHAIN, *LINKING, *AWS)

_CAUSES: Final = {
    one.id: frozenset(cause.name for cause in one.causes) for one in EVERY
}


def cause_of(link: str, error: str, otherwise: str) -> str:
    """Return the cause of a link that an error is, or another where it is none.

    Args:
        link: Its id.
        error: A name of `ha_bridge.network_errors`; whoever answers chooses which.
        otherwise: A cause of the link.
    """
    return error if error in _CAUSES[link] else otherwise
