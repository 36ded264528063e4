"""The steps that make a skill at Amazon, each of which may be repeated.

What must not happen twice is the creation.  So the id is written down at once, and
before that the intention: a run that is interrupted while Amazon creates the skill
leaves a mark, and the next one looks for the skill instead of making another.
"""

import contextlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ha_bridge_ops import grammar
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.outside import visible
from ha_bridge_ops.skill import consoles
from ha_bridge_ops.skill.ask_cli import AskCli, Refused, in_words
from ha_bridge_ops.skill.documents import Folder, Skill
from ha_bridge_ops.state import Journal, write_private
from ha_bridge_ops.terminal import Steps

T = TypeVar("T")

#: What Amazon and the template take for a client secret.
_SECRET = re.compile(r"[!-~]{20,}")

#: Seconds for a skill that was just created to appear in Amazon's list.
LISTING_TIMEOUT_S = 10


class State(Journal):
    """What is known of the skill at Amazon, in a file beside its documents.

    Args:
        path: The file.
        profile: Of the ASK CLI; each has an account of its own.
    """

    cure = "Delete it, and name the skill with --skill-id if there is one."

    def __init__(self, path: Path, profile: str | None) -> None:
        profile = profile or os.environ.get("ASK_DEFAULT_PROFILE") or "default"
        super().__init__(path, profile)

    @property
    def skill_id(self) -> str | None:
        """The id of the skill, once there is one."""
        found = self.read().get("skill_id")
        if not found:
            return None
        skill_id = grammar.skill_id(str(found))
        if skill_id is None:
            raise self.is_broken()
        return skill_id

    @skill_id.setter
    def skill_id(self, value: str) -> None:
        self._keep(skill_id=value, creating=None)

    @property
    def client_secret(self) -> str:
        """The secret of account linking, made when it is asked for first.

        Home Assistant never looks at it; the token endpoint knows Amazon by it.
        """
        found = self.kept_client_secret
        if found is None:
            found = secrets.token_urlsafe(32)
            self._keep(client_secret=found)
        return found

    @property
    def kept_client_secret(self) -> str | None:
        """The secret of account linking, if it was made before."""
        found = self.read().get("client_secret")
        if not found:
            return None
        if not isinstance(found, str) or not _SECRET.fullmatch(found):
            raise self.is_broken()
        return found

    @property
    def creating(self) -> str | None:
        """The name of a skill that Amazon was asked to create, with unknown result."""
        found = self.read().get("creating")
        return str(found) if found else None

    @creating.setter
    def creating(self, name: str | None) -> None:
        self._keep(creating=name)

    def _keep(self, **values: str | None) -> None:
        entry = {**self.read(), **values}
        self.write({key: value for key, value in entry.items() if value is not None})


@dataclass(frozen=True)
class Applied:
    """How far it got."""

    skill_id: str
    done: tuple[str, ...]
    next: str | None
    """What must be done elsewhere before it can go on; None if nothing."""
    secrets: Path | None = None
    """Where the credentials for proactive mode are."""
    not_enabled: str | None = None
    """Why Amazon did not switch the skill on; None if it did."""


def apply(skill: Skill, folder: Folder, ask: AskCli, state: State) -> Applied:
    """Make the skill at Amazon what it should be, as far as it goes.

    Args:
        skill: As it should be; its documents are written already.
        folder: Where they are.
        ask: Amazon's command.
        state: What earlier runs have come to know.

    Raises:
        Refused: A step was refused, in the words of who refused it.
        CommandError: It cannot be told which skill is meant.
    """
    ask.hide(skill.client_secret)
    progress = Steps()
    skill_id = state.skill_id
    is_new = False
    if skill_id is None:
        skill_id, is_new = _find_or_create(skill, folder, ask, state, progress)
    if skill.function is None or is_new:
        return Applied(
            skill_id, tuple(progress.done), consoles.deploy(skill, skill_id, folder)
        )
    with (
        progress.step("Naming the function to the skill"),
        _hints(skill, skill_id, folder),
    ):
        ask.update(skill_id, folder.manifest)
        _wait_for_build(ask, skill_id)
    with progress.step("Setting up account linking"):
        ask.link(skill_id, folder.account_linking)
    refused = _enable(ask, skill_id, progress)
    written = None
    if skill.proactive:
        with progress.step("Fetching the credentials for proactive mode"):
            written = folder.secrets
            _write_secrets(written, *ask.credentials(skill_id))
    return Applied(skill_id, tuple(progress.done), None, written, refused)


def _enable(ask: AskCli, skill_id: str, progress: Steps) -> str | None:
    """Switch the skill on; return why Amazon did not: then it is a click by hand."""
    try:
        with progress.step("Switching the skill on for your own account"):
            ask.enable(skill_id)
    except Refused as error:
        return error.words
    return None


def _find_or_create(
    skill: Skill, folder: Folder, ask: AskCli, state: State, progress: Steps
) -> tuple[str, bool]:
    with progress.step("Looking for the skill"):
        found = _namesakes(skill.name, ask)
        interrupted = state.creating == skill.name
        if interrupted and not found:
            found = _wait_for(
                partial(_namesakes, skill.name, ask), bool, LISTING_TIMEOUT_S
            )
        if found and not (interrupted and len(found) == 1):
            raise CommandError(
                f"Your account has a smart home skill named “{skill.name}” already: "
                f"{', '.join(found)}. Go on with it with --skill-id, or make another "
                "with --name."
            )
    if found:
        # There was none of this name when the interrupted run began to create one.
        state.skill_id = found[0]
        return found[0], True
    with progress.step("Creating the skill"):
        state.creating = skill.name
        try:
            skill_id = ask.create(folder.create)
        except Refused as error:
            if error.is_final:
                state.creating = None
            raise
        state.skill_id = skill_id
        _wait_for_build(ask, skill_id)
    return skill_id, True


def begun(ask: AskCli, state: State) -> str | None:
    """Return the skill that Amazon was asked to create when a run was interrupted.

    Raises:
        CommandError: There are several that may be it.
    """
    name = state.creating
    if name is None:
        return None
    found = _wait_for(partial(_namesakes, name, ask), bool, LISTING_TIMEOUT_S)
    if len(found) > 1:
        raise CommandError(
            f"A run was interrupted while Amazon created the skill “{name}”, and there "
            f"are several of that name: {', '.join(found)}. Say which with --skill-id."
        )
    return found[0] if found else None


def _namesakes(name: str, ask: AskCli) -> list[str]:
    """Return the ids of smart home skills with this name, in any language."""
    ids = (
        grammar.skill_id(str(one.get("skillId")))
        for one in ask.skills()
        if one.get("stage") == "development"
        and "smartHome" in _list(one.get("apis"))
        and name in _names(one.get("nameByLocale"))
    )
    return [found for found in ids if found is not None]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else []


def _wait_for_build(ask: AskCli, skill_id: str) -> None:
    last = _wait_for(
        lambda: ask.build(skill_id),
        lambda one: one.get("status") not in ("IN_PROGRESS", None),
        ask.build_timeout_s,
    )
    if last.get("status") == "FAILED":
        raise Refused(in_words(last) or "Amazon could not build the manifest.")
    if last.get("status") != "SUCCEEDED":
        raise Refused(
            f"Amazon was not done with the manifest after {ask.build_timeout_s:g} s. "
            "Try again in a minute."
        )


def _wait_for(ask: Callable[[], T], is_there: Callable[[T], bool], timeout: float) -> T:
    give_up = time.monotonic() + timeout
    pause = 0.25
    while True:
        answer = ask()
        if is_there(answer) or time.monotonic() > give_up:
            return answer
        time.sleep(pause)
        pause = min(2 * pause, 4)


@contextlib.contextmanager
def _hints(skill: Skill, skill_id: str, folder: Folder) -> Iterator[None]:
    try:
        yield
    except Refused as error:
        if error.status == 404:  # noqa: PLR2004 - not found
            raise Refused(
                f"{error.words} If you have deleted the skill, delete "
                f"{folder.state} too.",
                error.status,
            ) from None
        if "trigger" not in error.words.lower():
            raise
        # A command that is cut could let other skills in.
        words = visible(error.words, 1000)
        raise Refused(
            f"{words}\n\nThe function must let this skill call it:\n\n"
            f"{consoles.folded(consoles.deploy(skill, skill_id, folder))}\n\n"
            "or, if it was not made with SAM:\n\n"
            f"{consoles.folded(consoles.permit(skill, skill_id))}",
            error.status,
        ) from None


def _write_secrets(path: Path, client_id: str, client_secret: str) -> None:
    text = (
        "# Two lines for Home Assistant's secrets.yaml.\n"
        f"alexa_client_id: {json.dumps(client_id)}\n"
        f"alexa_client_secret: {json.dumps(client_secret)}\n"
    )
    write_private(path, text)
