"""What all steps of setup share: what was asked for, AWS, Amazon and the memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from ha_bridge.redaction import Secret
from ha_bridge_ops.aws.deployed import Stacks
from ha_bridge_ops.aws.session import AwsError, Session, boto3_clients, call
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.local import ask as ask_tool
from ha_bridge_ops.outside import quoted
from ha_bridge_ops.regions import Region
from ha_bridge_ops.skill import arguments, consoles
from ha_bridge_ops.skill.apply import State
from ha_bridge_ops.skill.ask_cli import AskCli, Refused
from ha_bridge_ops.skill.documents import Folder, Skill
from ha_bridge_ops.state import Journal
from ha_bridge_ops.terminal import Console, agreed, answer_to
from ha_bridge_ops.variables import read_variables


@dataclass(frozen=True)
class Wishes:
    """The options."""

    base_url: str | None
    locale: str | None
    name: str | None
    stack: str | None
    bucket: str | None
    profile: str | None
    ask_profile: str | None
    ask_command: str | None
    folder: Path
    go_on: bool
    wait: int
    yes: bool
    env_file: Path


class _Memory(Journal):
    """What setup was told and has done; no secret is among it."""

    cure = "Delete it: setup asks again, and finds what there is already."

    def get(self, name: str) -> str | None:
        """Return a text, if it is known."""
        value = self.read().get(name)
        return value if isinstance(value, str) else None

    def keep(self, **texts: str) -> None:
        """Remember texts; they are on the disk then."""
        self.write({**self.read(), **texts})


class Desk:
    """What all steps share."""

    def __init__(self, wishes: Wishes) -> None:
        self.wishes = wishes
        self.folder = Folder(wishes.folder)
        self.memory = _Memory(wishes.folder / "setup.json", "setup")
        self.state = State(self.folder.state, wishes.ask_profile)
        self.variables = read_variables(wishes.env_file)
        self.talk = Console(stderr=True, soft_wrap=True)

    @cached_property
    def skill(self) -> Skill:
        """The skill as it shall be, without a function; asks for what is not known."""
        wishes, memory = self.wishes, self.memory
        base_url = (
            wishes.base_url
            or self.variables.get("BASE_URL")
            or memory.get("base_url")
            or self.ask_for("Address of Home Assistant, https://…", "--base-url")
        )
        locale = (
            wishes.locale
            or memory.get("locale")
            or self.ask_for("Language of your Alexa, such as de-DE", "--locale")
        )
        name = wishes.name or memory.get("name") or consoles.NAME
        parts = (
            arguments.read_name(name),
            arguments.read_address(base_url, wishes.env_file),
            arguments.read_locales([locale]),
        )
        self.folder.make()
        return Skill(*parts, {}, Secret(self.state.client_secret))

    @property
    def region(self) -> Region:
        """Where all of it is."""
        return self.skill.region

    @property
    def stack(self) -> str:
        """The name of the stack."""
        return self.wishes.stack or self.memory.get("stack") or consoles.STACK

    @cached_property
    def session(self) -> Session:
        """AWS, logged in.

        Raises:
            CommandError: There are no credentials.
        """
        make = boto3_clients(self.wishes.profile)
        if make is None:
            raise CommandError("This needs boto3: pip install boto3.")
        session = Session(make, self.region.aws_region)
        try:
            call(session.client("sts").get_caller_identity)
        except AwsError as error:
            self.refused(error)
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
        ask = AskCli(command, self.wishes.ask_profile)
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

    def ask_for(self, question: str, option: str) -> str:
        """Return what the user types.

        Raises:
            CommandError: Nobody is there.
        """
        answer = None if self.wishes.yes else answer_to(question)
        if answer is None:
            raise CommandError(f"{question}: give it with {option}.")
        return answer

    def agree(self, question: str) -> None:
        """Go on if the user wants to.

        Raises:
            RefusedError: He does not.
        """
        if not self.wishes.yes and not agreed(question):
            raise RefusedError("Nothing was changed.")

    def refused(self, error: AwsError) -> NoReturn:
        """Say what AWS did not do."""
        if error.is_no_login:
            raise CommandError(
                "This machine has no credentials for AWS. Make an access key in the "
                "AWS console (your name in the upper right corner, Security "
                "credentials) and type `aws configure`, or set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY. AWS CloudShell has them already. "
                "Then run `ha-bridge setup` again."
            ) from None
        words = f", {quoted(error.words)}" if error.words else ""
        raise RefusedError(
            f"AWS refused: {error.code}{words}. When that is solved, run "
            "`ha-bridge setup` again; it continues from here."
        ) from None

    @contextmanager
    def asking_aws(self) -> Iterator[None]:
        """Say what AWS did not do, if it is that."""
        try:
            yield
        except AwsError as error:
            self.refused(error)
