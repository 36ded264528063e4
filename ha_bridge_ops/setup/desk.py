"""What all the steps of setup share: what was asked for, what is known, whom to ask."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from ha_bridge.redaction import Secret
from ha_bridge_ops import grammar
from ha_bridge_ops.aws.deployed import Stacks
from ha_bridge_ops.aws.session import (
    AwsError,
    MakeClient,
    Session,
    boto3_clients,
    call,
    refused,
)
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.local import ask as ask_tool
from ha_bridge_ops.regions import LOCALES, Region
from ha_bridge_ops.setup.deployment import Package, deploy
from ha_bridge_ops.skill import arguments, consoles
from ha_bridge_ops.skill.apply import State
from ha_bridge_ops.skill.ask_cli import AskCli, Refused
from ha_bridge_ops.skill.documents import Folder, Skill
from ha_bridge_ops.state import Journal
from ha_bridge_ops.terminal import Console, agreed, answer_to
from ha_bridge_ops.variables import read_variables

T = TypeVar("T")


@dataclass(frozen=True)
class Outside:
    """What setup reaches beyond this machine; a test hands in its own."""

    clients: Callable[[str | None], MakeClient] = boto3_clients
    context: Callable[..., Context] = Context
    ask: Callable[..., AskCli] = AskCli
    package: Callable[[Path], Package] = Package
    deploy: Callable[..., None] = deploy


@dataclass(frozen=True)
class Wishes:
    """The options."""

    base_url: str | None
    locale: str | None
    name: str | None
    skill_id: str | None
    stack: str | None
    bucket: str | None
    profile: str | None
    ask_profile: str | None
    ask_command: str | None
    folder: Path
    go_on: bool
    wait: int
    dry_run: bool
    yes: bool
    env_file: Path


class Memory(Journal):
    """What setup was told and has done; no secret is among it."""

    cure = "Delete it: setup asks again, and finds what there is already."

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "setup.json", "setup")

    def get(self, name: str) -> str | None:
        """Return a text, if it is known."""
        value = self.read().get(name)
        return value if isinstance(value, str) else None

    def keep(self, **texts: str) -> None:
        """Remember texts; they are on the disk then."""
        self.write({**self.read(), **texts})


class Desk:
    """What all steps share.

    Args:
        wishes: The options.
        outside: The world; None for the real one.
    """

    def __init__(self, wishes: Wishes, outside: Outside | None = None) -> None:
        self.wishes = wishes
        self.outside = outside or Outside()
        self.folder = Folder(wishes.folder)
        self.memory = Memory(wishes.folder)
        self.state = State(self.folder.state, wishes.ask_profile)
        self.variables = read_variables(wishes.env_file)
        self.talk = Console(stderr=True, soft_wrap=True)

    @cached_property
    def locale(self) -> str:
        """The language; asked for if it is not known.

        Raises:
            CommandError: There is none, or what was set up before is elsewhere.
        """
        before = self.memory.get("locale")
        if before is not None and before not in LOCALES:
            raise self.memory.is_broken()
        locale = self._read(
            self.wishes.locale or before,
            lambda text: arguments.read_locales([text])[0],
            ("Language of your Alexa, such as de-DE", "--locale"),
        )
        if before is not None and LOCALES[before] is not LOCALES[locale]:
            raise CommandError(
                f"{self.folder.path} is of a skill for {before}, whose function is in "
                f"{LOCALES[before].aws_region}; for {locale} it would be in "
                f"{LOCALES[locale].aws_region}. Remove the first with --remove, or set "
                "up a second one with another --folder, --name and --stack."
            )
        return locale

    @property
    def region(self) -> Region:
        """Where all of it is."""
        return LOCALES[self.locale]

    @cached_property
    def skill_id(self) -> str | None:
        """The id of the skill, if there is one that is known.

        Raises:
            CommandError: It is none, or another was made before.
        """
        known = self.state.skill_id
        if self.wishes.skill_id is None:
            return known
        wanted = arguments.read_skill_id(self.wishes.skill_id)
        if known not in (None, wanted):
            raise CommandError(
                f"{self.folder.path} is of another skill, {known}: leave --skill-id "
                "out, or name another --folder."
            )
        return wanted

    @cached_property
    def skill(self) -> Skill:
        """The skill as it shall be, without a function; asks for what is not known."""
        wishes, memory = self.wishes, self.memory
        address = self._read(
            wishes.base_url or self.variables.get("BASE_URL") or memory.get("base_url"),
            lambda text: arguments.read_address(text, wishes.env_file),
            ("Address of Home Assistant, https://…", "--base-url"),
        )
        name = arguments.read_name(wishes.name or memory.get("name") or consoles.NAME)
        if wishes.dry_run:  # which makes none
            secret = self.state.kept_client_secret or "none yet"
        else:
            self.folder.make()
            secret = self.state.client_secret
        return Skill(name, address, (self.locale,), {}, Secret(secret))

    @cached_property
    def stack(self) -> str:
        """The name of the stack.

        Raises:
            CommandError: Another was made before.
        """
        before, wanted = self.memory.get("stack"), self.wishes.stack
        if before is not None and grammar.stack(before) is None:
            raise self.memory.is_broken()
        if wanted and before and wanted != before:
            raise CommandError(
                f"The stack is {before} already: leave --stack out, or set up a second "
                "one with another --folder and --name."
            )
        return wanted or before or consoles.STACK

    @cached_property
    def clients(self) -> MakeClient:
        """What gives clients of AWS.

        Raises:
            CommandError: boto3 is not installed.
        """
        return self.outside.clients(self.wishes.profile)

    @cached_property
    def session(self) -> Session:
        """AWS, logged in.

        Raises:
            CommandError: There are no credentials.
        """
        session = Session(self.clients, self.region.aws_region)
        with self.aws():
            call(session.client("sts").get_caller_identity)
        return session

    @cached_property
    def stacks(self) -> Stacks:
        """The stacks of the region."""
        return Stacks(self.session, self.region.aws_region)

    @cached_property
    def ask(self) -> AskCli:
        """The ASK CLI, logged in."""
        command: Any = self.wishes.ask_command
        if command is None:
            command = ask_tool.at_hand()
        if command is None:
            with self.talk.status("Installing the ASK CLI; a minute or two ..."):
                command = ask_tool.install()
        ask = self.outside.ask(command, self.wishes.ask_profile)
        if kept := self.state.kept_client_secret:
            ask.hide(Secret(kept))  # Amazon has it from an earlier run
        try:
            next(ask.skills(), None)
        except Refused as error:
            if "ask configure" not in error.words or self.wishes.yes:
                raise
            self.talk.print("Now log in with the Amazon account of your Echo.")
            if not ask.log_in():
                raise
            next(ask.skills(), None)
        return ask

    def _read(
        self, known: str | None, read: Callable[[str], T], asked: tuple[str, str]
    ) -> T:
        """Return what is known, or what the user types: until it can be read.

        Args:
            known: The text, if it need not be typed.
            read: Reads it; raises CommandError if it is wrong.
            asked: The question, and the option that answers it too.

        Raises:
            CommandError: What is known is wrong, or nobody is there.
        """
        if known is not None:
            return read(known)
        question, option = asked
        while True:
            answer = None if self.wishes.yes else answer_to(question)
            if answer is None:
                raise CommandError(f"{question}: give it with {option}.")
            try:
                return read(answer)
            except CommandError as error:
                self.talk.print(error.format_message())

    def agree(self, question: str) -> None:
        """Go on if the user wants to.

        Raises:
            RefusedError: He does not.
        """
        if not self.wishes.yes and not agreed(question):
            raise RefusedError("Nothing was changed.")

    @contextmanager
    def aws(self) -> Iterator[None]:
        """Say what AWS did not do, and what to type.

        Raises:
            CommandError: There are no credentials.
            RefusedError: AWS said no.
        """
        try:
            yield
        except AwsError as error:
            refused(
                error,
                "When that is solved, run `ha-bridge setup` again; it continues from "
                "here.",
            )
