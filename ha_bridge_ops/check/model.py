"""What a check is, what it may see, and what it says."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any, Final

from ha_bridge_ops.check.placeholders import LEFT_OUT, OURS, sentence, to_paste
from ha_bridge_ops.outside import lines, visible

#: Characters of what was seen, of a text about it, and of a cell beside it.
_SEEN: Final = 1000
_TEXT: Final = 2000
_CELL: Final = 80


class Status(StrEnum):
    """How a link of the chain is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def mark(self) -> str:
        """A sign and a word for it, which say the same."""
        return _MARKS[self]


_MARKS: Final = MappingProxyType(
    {
        Status.OK: "✓ ok",
        Status.WARNING: "! warning",
        Status.FAILED: "✗ FAILED",
        Status.SKIPPED: "– skipped",
    }
)


class Question(Enum):
    """What only the user knows; a terminal and a page can both put it."""

    CLIENT_ID = (
        "“Your Client ID” in the Alexa console\n(Enter, if it is {expected})",
        False,
    )
    USER = ("User of Home Assistant", False)
    PASSWORD = ("Password (not shown, not kept)", True)
    CLIENT_SECRET = ("Client secret of account linking (not shown, not kept)", True)
    SECOND_FACTOR = ("Code of the second factor", True)

    def __init__(self, prompt: str, is_secret: bool) -> None:  # noqa: FBT001 - a row
        self._prompt = prompt
        self.is_secret = is_secret
        """Whether the answer is not to be seen while it is typed."""

    def prompt(self, expected: str = "") -> str:
        """Return the question in words.

        Args:
            expected: What an empty answer stands for.
        """
        return self._prompt.replace("{expected}", expected)


@dataclass(frozen=True)
class Cause:
    """One way for a link to be wrong: a row of the catalogue."""

    name: str
    status: Status
    symptom: str
    """What the user sees in the Alexa app, in a console or in a log."""
    means: str
    """What it means for the user."""
    fix: str
    """What to do; names in braces are filled in with what was seen."""
    paste: str = ""
    """Lines to type or to paste, exactly."""


@dataclass(frozen=True)
class Check:
    """What is looked at: one link of the chain from Alexa to the device."""

    id: str
    title: str
    """What is looked at, in a few words."""
    causes: tuple[Cause, ...]

    def cause(self, name: str) -> Cause:
        """Return the cause of this name."""
        return next(cause for cause in self.causes if cause.name == name)


#: A row of a table beside a finding: what, from here, from AWS.
Row = tuple[str, str, str]


@dataclass(frozen=True)
class Fine:
    """Nothing is wrong with a link."""

    saw: str
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Untried:
    """A link could not be tried."""

    why: str


@dataclass(frozen=True)
class Problem:
    """A cause of the catalogue was found."""

    cause: str
    saw: str
    values: Mapping[str, str] = field(default_factory=dict)
    """What the braces in the texts of the cause stand for."""
    rows: tuple[Row, ...] = ()


#: What a check returns; several problems make one finding.
Outcome = Fine | Untried | Problem | list[Problem]


@dataclass(frozen=True)
class Told:
    """A problem in words, fit to be shown: whatever it is made of, it is text."""

    cause: str
    """Its name in the catalogue."""
    status: Status
    saw: str
    means: str
    fix: str
    paste: str = ""

    def __post_init__(self) -> None:
        """Make all of it visible: there is no problem that was not here."""
        for name, limit in (("saw", _SEEN), ("means", _TEXT), ("fix", _TEXT)):
            object.__setattr__(self, name, visible(getattr(self, name), limit))
        object.__setattr__(self, "paste", lines(self.paste))

    def as_json(self) -> dict[str, str]:
        """Return it for machines."""
        return {
            "cause": self.cause,
            "status": self.status,
            "saw": self.saw,
            "means": self.means,
            "fix": self.fix,
            "paste": self.paste,
        }


@dataclass(frozen=True)
class Finding:
    """What is said of one link, fit to be shown."""

    id: str
    status: Status
    saw: str
    problems: tuple[Told, ...] = ()
    rows: tuple[Row, ...] = ()
    """From here and from AWS, side by side."""

    def __post_init__(self) -> None:
        """Make all of it visible: there is no finding that was not here."""
        object.__setattr__(self, "saw", visible(self.saw, _SEEN))
        rows = tuple(
            (visible(what, _CELL), visible(here, _CELL), visible(there, _CELL))
            for what, here, there in self.rows
        )
        object.__setattr__(self, "rows", rows)

    @property
    def causes(self) -> tuple[str, ...]:
        """Names of the causes that were found."""
        return tuple(one.cause for one in self.problems)

    @property
    def told(self) -> list[Told]:
        """Its problems; those that mean the same, with the same fix, as one."""
        alike: dict[tuple[str, str], list[Told]] = {}
        for one in self.problems:
            alike.setdefault((one.means, one.fix), []).append(one)
        return [
            replace(
                same[0],
                saw="; ".join(one.saw for one in same),
                paste=_joined((one.paste for one in same), "\n"),
            )
            for same in alike.values()
        ]

    @property
    def means(self) -> str:
        """What all of its problems mean; what two of them share is said once."""
        return _joined((one.means for one in self.problems), " ")

    @property
    def fix(self) -> str:
        """What to do about all of them."""
        return _joined((one.fix for one in self.problems), " ")

    @property
    def paste(self) -> str:
        """Lines to paste for all of them."""
        return _joined((one.paste for one in self.problems), "\n")

    @property
    def page(self) -> str:
        """Where the documents say more."""
        return f"docs/findings.md#{self.id}"

    def as_json(self) -> dict[str, Any]:
        """Return it for machines; docs/check-json.md says what each key is."""
        return {
            "id": self.id,
            "status": self.status,
            "saw": self.saw,
            "fix": "\n".join(part for part in (self.fix, self.paste) if part),
            "page": self.page,
            "problems": [one.as_json() for one in self.problems],
            "rows": [
                {"what": what, "from_here": here, "from_aws": there}
                for what, here, there in self.rows
            ],
        }


#: Takes out of a text from outside what must not be shown.
Hide = Callable[[str], str]


def judge(check: Check, outcome: Outcome, hide: Hide = str) -> Finding:
    """Return the finding that an outcome stands for, its texts from the catalogue.

    Args:
        check: What was looked at.
        outcome: What came of it, in words from anywhere.
        hide: Takes secrets out of what was seen; our own texts have none, and a value
            that has one is left out of them.
    """
    if isinstance(outcome, Fine):
        return Finding(check.id, Status.OK, hide(outcome.saw), rows=outcome.rows)
    if isinstance(outcome, Untried):
        return Finding(check.id, Status.SKIPPED, hide(outcome.why))
    problems = outcome if isinstance(outcome, list) else [outcome]
    told = tuple(_told(check.cause(one.cause), one, hide) for one in problems)
    failed = any(one.status is Status.FAILED for one in told)
    return Finding(
        check.id,
        Status.FAILED if failed else Status.WARNING,
        hide("; ".join(problem.saw for problem in problems)),
        told,
        next((problem.rows for problem in problems if problem.rows), ()),
    )


def _told(cause: Cause, problem: Problem, hide: Hide) -> Told:
    values = {
        name: value
        for name, value in problem.values.items()
        if name in OURS or hide(value) == value
    }
    paste = to_paste(cause.paste, values)
    fix = sentence(cause.fix, values)
    return Told(
        cause.name,
        cause.status,
        hide(problem.saw),
        sentence(cause.means, values),
        fix if paste is not None else f"{fix} {LEFT_OUT}".strip(),
        paste or "",
    )


def _joined(parts: Iterable[str | None], between: str) -> str:
    said = (part.rstrip() for part in parts if part)
    return between.join(dict.fromkeys(part for part in said if part))
