"""`ha-bridge setup`: from nothing to Alexa, step by step, and all of it back."""

import dataclasses
import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.text import Text

from ha_bridge.redaction import Secret
from ha_bridge_ops import options
from ha_bridge_ops.aws.deployed import Stack, Stacks
from ha_bridge_ops.aws.function import functions_in
from ha_bridge_ops.aws.session import AwsError, Session, boto3_clients, call
from ha_bridge_ops.check.catalogue import AWS, CHAIN
from ha_bridge_ops.check.context import Context, Options
from ha_bridge_ops.check.model import Status
from ha_bridge_ops.check.show import shown
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.events import EVENTS, load
from ha_bridge_ops.local import ask as ask_tool
from ha_bridge_ops.local.lambda_runtime import InProcess
from ha_bridge_ops.local.tools import tools_folder
from ha_bridge_ops.outside import quoted
from ha_bridge_ops.regions import LOCALES, Region
from ha_bridge_ops.setup.deployment import Package, deploy
from ha_bridge_ops.setup.watch import Watch
from ha_bridge_ops.skill import consoles, documents
from ha_bridge_ops.skill.apply import State, apply
from ha_bridge_ops.skill.ask_cli import Ask, Refused
from ha_bridge_ops.skill.documents import Folder, Skill
from ha_bridge_ops.state import Journal, alone_in
from ha_bridge_ops.terminal import Console, Steps
from ha_bridge_ops.variables import read_variables

TOKEN = "LONG_LIVED_ACCESS_TOKEN"  # noqa: S105 - its name


@options.command()
@options.base_url
@click.option(
    "--locale",
    metavar="LOCALE",
    help=f"Language of your Alexa; the region follows: {', '.join(LOCALES)}.",
)
@click.option("--name", help=f"Of the skill.  [default: {consoles.NAME}]")
@click.option("--stack", metavar="NAME", help="Of the stack.  [default: ha-bridge]")
@click.option("--bucket", metavar="NAME", help="S3 bucket for the package; else SAM’s.")
@options.profile
@click.option("--ask-profile", metavar="NAME", help="Profile of the ASK CLI.")
@click.option(
    "--ask", "ask_command", metavar="COMMAND", help="How to call the ASK CLI."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=consoles.FOLDER,
    show_default=True,
    help="Where it remembers how far it got.",
)
@click.option("--go-on", is_flag=True, help="Also if a check has failed.")
@click.option(
    "--wait",
    type=click.IntRange(0),
    default=900,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for Alexa at the end.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and end.")
@click.option("--remove", is_flag=True, help="Take it all away again.")
@options.yes
@options.env_file
def setup(*, dry_run: bool, remove: bool, **given: Any) -> None:
    """Set up function and skill, and wait until Alexa has found your devices.

    \b
    Examples:
      ha-bridge setup                        it asks for what it must know
      ha-bridge setup --base-url https://home.example.org --locale de-DE
      ha-bridge setup --dry-run              what it would do
      ha-bridge setup --remove               take it all away again

    It looks whether Home Assistant can be reached, logs in at AWS and Amazon (or says
    what to type), makes the skill, deploys the function, joins the two, links accounts,
    looks at all of it, and tells which button in the Alexa app is yours to press. Then
    it watches the function's log until Alexa comes.

    Nothing is changed at AWS or Amazon before it was shown and agreed to. It may be
    ended at any point and run again: it goes on where it stopped, and changes nothing
    that is as it should be. The SAM CLI and the ASK CLI are brought along if needed.

    Exit status: 0 fine, 1 a check failed or something was refused, 2 it could not run.
    """
    wishes = _Wishes(**given)
    desk = _Desk(wishes)
    if remove:
        _remove(desk, dry_run=dry_run)
        return
    desk.folder.path.mkdir(parents=True, exist_ok=True)
    with alone_in(desk.folder.path):
        _set_up(desk, dry_run=dry_run)


@dataclass(frozen=True)
class _Wishes:
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


class _Desk:
    """What all steps share."""

    def __init__(self, wishes: _Wishes) -> None:
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
            documents.read_name(name),
            documents.read_address(base_url, wishes.env_file),
            documents.read_locales([locale]),
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
    def ask(self) -> Ask:
        """The ASK CLI, logged in."""
        command: Any = self.wishes.ask_command
        if command is None:
            command = ask_tool.at_hand()
        if command is None:
            with self.talk.status("Bringing the ASK CLI; a minute or two ..."):
                command = ask_tool.install()
        ask = Ask(command, self.wishes.ask_profile)
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
        missing = CommandError(f"{question}: say it with {option}.")
        if self.wishes.yes:
            raise missing
        try:
            answer: str = click.prompt(question, err=True)
        except click.Abort:
            raise missing from None
        return answer

    def agree(self, question: str) -> None:
        """Go on if the user wants to.

        Raises:
            RefusedError: He does not.
        """
        if self.wishes.yes:
            return
        try:
            agreed = click.confirm(question, err=True)
        except click.Abort:
            agreed = False
        if not agreed:
            raise RefusedError("Nothing was changed.")

    def refused(self, error: AwsError) -> NoReturn:
        """Say what AWS did not do."""
        if error.is_no_login:
            raise CommandError(
                "This machine has no credentials for AWS. Make an access key in the "
                "AWS console (your name in the upper right corner, Security "
                "credentials) and type `aws configure`, or set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY; in AWS CloudShell they are there already. "
                "`ha-bridge setup` goes on then."
            ) from None
        words = f", {quoted(error.words)}" if error.words else ""
        raise RefusedError(
            f"AWS refused: {error.code}{words}. `ha-bridge setup` goes on once that is "
            "mended."
        ) from None


@contextmanager
def _aws(desk: _Desk) -> Iterator[None]:
    try:
        yield
    except AwsError as error:
        desk.refused(error)


def _set_up(desk: _Desk, *, dry_run: bool) -> None:
    skill = desk.skill
    desk.talk.print(Text(f"1. Home Assistant at {skill.address}", style="bold"))
    _check(desk, Context({**desk.variables, "BASE_URL": str(skill.address)}), CHAIN)
    desk.talk.print(Text("\n2. What is to be done", style="bold"))
    with _aws(desk):
        stack = desk.stacks.find(desk.stack)
    skill_id = desk.state.skill_id
    _plan(desk, stack, skill_id)
    if dry_run:
        return
    desk.agree("Do it?")
    desk.memory.keep(
        base_url=str(skill.address),
        locale=skill.locales[0],
        name=skill.name,
        stack=desk.stack,
    )
    desk.talk.print(Text("\n3. Skill and function", style="bold"))
    progress = Steps()
    desk.folder.write(skill)
    ask = desk.ask
    if skill_id is None:
        skill_id = apply(skill, desk.folder, ask, desk.state).skill_id
    arn = _deploy(desk, stack, skill_id, progress)
    _join(desk, skill_id, arn)
    desk.talk.print(Text("\n4. All of it, as AWS sees it", style="bold"))
    looked = Options(
        locale=skill.locales[0],
        skill_id=skill_id,
        function=arn,
        region=desk.region.aws_region,
    )
    context = Context(
        {**desk.variables, "BASE_URL": str(skill.address)},
        looked,
        aws=boto3_clients(desk.wishes.profile),
    )
    _check(desk, context, AWS)
    _wait_for_alexa(desk, arn)


def _check(desk: _Desk, context: Context, links: Any) -> None:
    """Look, and stop if something has failed.

    Raises:
        RefusedError: Something has.
    """
    findings = shown(context, links, quiet=False)
    failed = [one.id for one in findings if one.status is Status.FAILED]
    if failed and not desk.wishes.go_on:
        raise RefusedError(
            f"{', '.join(failed)} failed: mend that and run `ha-bridge setup` again; "
            "it goes on from here. With --go-on it goes on all the same."
        )


def _plan(desk: _Desk, stack: Stack | None, skill_id: str | None) -> None:
    region = desk.region
    rows = [
        (
            "Skill",
            f"go on with {skill_id}"
            if skill_id
            else f"create “{desk.skill.name}” for {desk.skill.locales[0]}, unpublished",
        ),
        (
            "Function",
            f"{'look at' if stack else 'create'} the stack {desk.stack} in "
            f"{region.aws_region}: function, role, log group, trigger for this skill",
        ),
        ("Account linking", f"with {desk.skill.authorization_uri}"),
        ("Files", f"{desk.folder.path}, where it remembers how far it got"),
        ("Costs", "within AWS's free tier for one home"),
    ]
    for what, will in rows:
        desk.talk.print(Text.assemble((f"  {what:<16} ", "dim"), will))


def _deploy(desk: _Desk, stack: Stack | None, skill_id: str, progress: Steps) -> str:
    """Return the function's ARN; nothing is done if it is as it should be."""
    wanted = {"BaseUrl": str(desk.skill.address), "SkillId": skill_id}
    if stack is not None and stack.has_failed:
        raise RefusedError(
            f"The stack {desk.stack} could not be created ({stack.status}); the "
            "CloudFormation console shows why. Delete it there, or with "
            "`ha-bridge setup --remove`, and run setup again."
        )
    with tempfile.TemporaryDirectory(prefix="ha-bridge-") as scratch, _aws(desk):
        there = desk.stacks.function(desk.stack) if stack is not None else None
        if stack is not None and there is None:
            raise CommandError(
                f"The stack {desk.stack} is not one of ha-bridge: choose another name "
                "with --stack."
            )
        package = Package(Path(scratch))
        with progress.step("Making the package"):
            package.make()
        is_same = stack is not None and all(
            stack.parameters.get(name) == value for name, value in wanted.items()
        )
        if there and is_same and there.code_hash == package.code_hash:
            desk.talk.print("The function is as it should be.")
            return there.arn
        with progress.step(f"Deploying the stack {desk.stack}; a minute or two"):
            deploy(
                package,
                stack=desk.stack,
                region=desk.region.aws_region,
                parameters=wanted,
                bucket=desk.wishes.bucket,
            )
        made = desk.stacks.function(desk.stack)
    if made is None:
        raise RefusedError(f"The stack {desk.stack} has no function.")
    return made.arn


def _join(desk: _Desk, skill_id: str, arn: str) -> None:
    """Name the function to the skill, unless it was told already."""
    skill = desk.skill
    functions = documents.read_functions([arn], skill.region)
    whole = dataclasses.replace(skill, functions=functions)
    desk.folder.write(whole)
    told = json.dumps([skill_id, whole.manifest(), whole.account_linking()])
    mark = hashlib.sha256(told.encode()).hexdigest()
    if desk.memory.get("joined") == mark:
        desk.talk.print("The skill is as it should be.")
        return
    apply(whole, desk.folder, desk.ask, desk.state)
    desk.memory.keep(joined=mark)


def _wait_for_alexa(desk: _Desk, arn: str) -> None:
    desk.talk.print(Text("\n5. Yours: the Alexa app", style="bold"))
    desk.talk.print(
        "More, Skills & Games, Your Skills, Dev: open "
        f"“{desk.skill.name}”, Enable to use, and log in to Home Assistant."
    )
    if not desk.wishes.wait:
        return
    # What Alexa did before is none of this wait's business.
    since = time.time()
    with _aws(desk):
        (function,) = functions_in(desk.session, desk.region.aws_region, arn)
        tell: Callable[[str], None] = desk.talk.print
        with desk.talk.status("Waiting for Alexa; Ctrl-C ends that ..."):
            found = Watch(function, tell).until_found(since, desk.wishes.wait)
    if not found:
        raise RefusedError(
            f"Alexa has not come within {desk.wishes.wait} s. If linking failed, "
            "`ha-bridge check --link` says why; `ha-bridge setup` waits again."
        )
    count = _devices(desk)
    devices = "your devices" if count is None else f"{count} devices"
    desk.talk.print(Text.assemble(("✓ ", "green"), f"Alexa found {devices}."))
    desk.talk.print("“Alexa, turn on the kitchen light.”")


def _devices(desk: _Desk) -> int | None:
    """Return how many there are, if a token to ask with is at hand."""
    if TOKEN not in desk.variables:
        return None
    variables = {**desk.variables, "BASE_URL": str(desk.skill.address)}
    answer = InProcess(variables).invoke(load(EVENTS / "discovery.json"))
    payload: Mapping[str, Any] = answer.get("event", {}).get("payload", {})
    endpoints = payload.get("endpoints")
    return len(endpoints) if isinstance(endpoints, list) else None


def _remove(desk: _Desk, *, dry_run: bool) -> None:
    """Take it away in the order in which nothing is left that refers to nothing."""
    talk, skill_id = desk.talk, desk.state.skill_id
    if desk.wishes.locale is None and desk.memory.get("locale") is None:
        raise CommandError(
            f"Nothing is remembered in {desk.folder.path}: say where it is with "
            "--folder, or which with --base-url and --locale."
        )
    region = desk.region.aws_region
    with _aws(desk):
        stack = desk.stacks.find(desk.stack)
        if stack and not stack.has_failed and not desk.stacks.function(desk.stack):
            raise CommandError(f"The stack {desk.stack} is not one of ha-bridge.")
    talk.print("First, in the Alexa app: disable the skill, so that she forgets its")
    talk.print("devices: More, Skills & Games, Your Skills, Dev, Disable. Then goes:")
    for what, where in (
        ("Skill", skill_id or "none is known"),
        (
            "Function",
            f"the stack {desk.stack} in {region}" if stack else "there is none",
        ),
        ("Files", str(desk.folder.path)),
    ):
        talk.print(Text.assemble((f"  {what:<16} ", "dim"), where))
    if dry_run:
        return
    desk.agree("Take it away?")
    progress = Steps()
    if skill_id is not None:
        with progress.step("Deleting the skill"):
            try:
                desk.ask.delete(skill_id)
            except Refused as error:
                if error.status != 404:  # noqa: PLR2004 - it is gone already
                    raise
    if stack is not None:
        with progress.step(f"Deleting the stack {desk.stack}"), _aws(desk):
            desk.stacks.delete(desk.stack)
    _forget(desk)
    talk.print(
        "Left are: in Home Assistant the alexa: block, your long-lived token, and in "
        "your profile the refresh token of Amazon's; at AWS SAM's bucket "
        "(aws-sam-cli-managed-default); the accounts; and the tools in "
        f"{tools_folder()}."
    )


def _forget(desk: _Desk) -> None:
    """Delete what setup has written, and the folder if nothing else is in it."""
    for path in (
        desk.folder.create,
        desk.folder.manifest,
        desk.folder.account_linking,
        desk.folder.client_secret,
        desk.folder.secrets,
        desk.folder.state,
        desk.folder.path / "setup.json",
        desk.folder.path / ".lock",
    ):
        path.unlink(missing_ok=True)
    if desk.folder.path.is_dir() and not any(desk.folder.path.iterdir()):
        desk.folder.path.rmdir()
