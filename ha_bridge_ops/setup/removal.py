"""All that setup has made, away again."""

from rich.text import Text

from ha_bridge_ops.aws.deployed import Stack
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.files import beside
from ha_bridge_ops.local.tools import tools_folder
from ha_bridge_ops.setup.desk import Desk
from ha_bridge_ops.skill.apply import begun
from ha_bridge_ops.skill.ask_cli import Refused
from ha_bridge_ops.terminal import Steps

_HTTP_NOT_FOUND = 404


def remove(desk: Desk) -> None:
    """Take it away in the order in which nothing is left that refers to nothing.

    Raises:
        CommandError: It is not known what, or something cannot be taken away.
    """
    talk = desk.talk
    if desk.wishes.locale is None and desk.memory.get("locale") is None:
        raise CommandError(
            f"No setup is remembered in {desk.folder.path}. Name its folder with "
            "--folder, or give --locale, --stack and --skill-id."
        )
    stack = _stack(desk)
    skill_id = desk.skill_id or _begun(desk)
    talk.print("First, in the Alexa app, disable the skill, so that Alexa forgets its")
    talk.print(
        "devices: More, Skills & Games, Your Skills, Dev, Disable. Then it removes:"
    )
    region = desk.region.aws_region
    for what, where in (
        ("Skill", skill_id or "not known"),
        (
            "Function",
            f"the stack {desk.stack} in {region}" if stack else "there is none",
        ),
        ("Files", str(desk.folder.path)),
    ):
        talk.print(Text.assemble((f"  {what:<16} ", "dim"), where))
    if desk.wishes.dry_run:
        return
    desk.agree("Remove it?")
    desk.folder.make()
    desk.memory.keep(removing="yes")
    progress = Steps()
    if skill_id is not None:
        with progress.step("Deleting the skill"):
            try:
                desk.ask.delete(skill_id)
            except Refused as error:
                if error.status != _HTTP_NOT_FOUND:  # it is gone already
                    raise
    if stack is not None:
        with progress.step(f"Deleting the stack {desk.stack}"), desk.aws():
            desk.stacks.delete(desk.stack)
    _forget(desk)
    talk.print(
        "Left are: in Home Assistant the alexa: block, your long-lived token, and in "
        "your profile the refresh token of Amazon's; at AWS SAM's bucket "
        "(aws-sam-cli-managed-default); the accounts; and the tools in "
        f"{tools_folder()}."
    )


def _stack(desk: Desk) -> Stack | None:
    """Return the stack, if there is one.

    Raises:
        CommandError: It is somebody else's.
    """
    with desk.aws(), desk.talk.status("Looking at AWS ..."):
        stack = desk.stacks.find(desk.stack)
        is_whole = stack is not None and not (stack.has_failed or stack.is_planned)
        if is_whole and not desk.stacks.function(desk.stack):
            raise CommandError(f"The stack {desk.stack} is not one of ha-bridge.")
    return stack


def _begun(desk: Desk) -> str | None:
    """Return a skill that was created, but whose id never came back."""
    if desk.state.creating is None:
        return None
    with desk.talk.status("Looking for the skill ..."):
        return begun(desk.ask, desk.state)


def _forget(desk: Desk) -> None:
    """Delete what setup has written, and the folder if nothing else is in it.

    What tells that a removal was begun goes last.
    """
    for path in (
        desk.folder.create,
        desk.folder.manifest,
        desk.folder.account_linking,
        desk.folder.client_secret,
        desk.folder.secrets,
        desk.folder.state,
        desk.folder.path / "setup.json",
    ):
        path.unlink(missing_ok=True)
        beside(path).unlink(missing_ok=True)
