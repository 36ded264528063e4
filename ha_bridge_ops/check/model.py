"""What a check is, what it may see, and what it says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum


class Status(StrEnum):
    """How a link of the chain is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Question(Enum):
    """What only the user knows; a terminal and a page can both put it."""

    CLIENT_ID = (
        "“Your Client ID” in the Alexa console\n(Enter, if it is {expected})",
        False,
    )
    USER = ("User of Home Assistant", False)
    PASSWORD = ("Password (not shown, not kept)", True)
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
class Link:
    """One link of the chain."""

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
class Finding:
    """What is said of one link."""

    id: str
    status: Status
    saw: str
    means: str = ""
    fix: str = ""
    paste: str = ""
    causes: tuple[str, ...] = ()
    """Names of the causes that were found."""
    rows: tuple[Row, ...] = ()
    """From here and from AWS, side by side."""

    def as_json(self) -> dict[str, str]:
        """Return it for machines."""
        fix = "\n".join(part for part in (self.fix, self.paste) if part)
        return {"id": self.id, "status": self.status, "saw": self.saw, "fix": fix}


def judge(link: Link, outcome: Outcome) -> Finding:
    """Return the finding that an outcome stands for, its texts from the catalogue."""
    if isinstance(outcome, Fine):
        return Finding(link.id, Status.OK, outcome.saw, rows=outcome.rows)
    if isinstance(outcome, Untried):
        return Finding(link.id, Status.SKIPPED, outcome.why)
    problems = outcome if isinstance(outcome, list) else [outcome]
    causes = [link.cause(problem.cause) for problem in problems]
    failed = any(cause.status is Status.FAILED for cause in causes)

    def joined(text: Callable[[Cause], str], between: str) -> str:
        parts = (
            _filled(text(cause), problem.values)
            for cause, problem in zip(causes, problems, strict=True)
        )
        return between.join(dict.fromkeys(part for part in parts if part.strip()))

    return Finding(
        link.id,
        Status.FAILED if failed else Status.WARNING,
        "; ".join(problem.saw for problem in problems),
        joined(lambda cause: cause.means, " "),
        joined(lambda cause: cause.fix, " "),
        joined(lambda cause: cause.paste, "\n"),
        tuple(problem.cause for problem in problems),
        next((problem.rows for problem in problems if problem.rows), ()),
    )


def _filled(text: str, values: Mapping[str, str]) -> str:
    # Not str.format: what is to be pasted may hold braces of its own.
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text
