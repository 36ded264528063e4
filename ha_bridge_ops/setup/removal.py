"""Taking away what setup has made."""

from rich.text import Text

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.tools import tools_folder
from ha_bridge_ops.setup.desk import Desk
from ha_bridge_ops.skill.ask_cli import Refused
from ha_bridge_ops.terminal import Steps


def remove(desk: Desk, *, dry_run: bool) -> None:
    """Take it away in the order in which nothing is left that refers to nothing.

    Args:
        desk: What the steps share.
        dry_run: Whether to end when it was shown what would go.

    Raises:
        CommandError: Nothing is known of it, or the stack is somebody else's.
        RefusedError: AWS or Amazon said no.
    """
    talk, skill_id = desk.talk, desk.state.skill_id
    if desk.wishes.locale is None and desk.memory.get("locale") is None:
        raise CommandError(
            f"No setup is remembered in {desk.folder.path}. Name its folder with "
            "--folder, or give --base-url and --locale."
        )
    region = desk.region.aws_region
    with desk.asking_aws():
        stack = desk.stacks.find(desk.stack)
        if stack and not stack.has_failed and not desk.stacks.function(desk.stack):
            raise CommandError(f"The stack {desk.stack} is not one of ha-bridge.")
    talk.print("First, in the Alexa app, disable the skill, so that Alexa forgets its")
    talk.print(
        "devices: More, Skills & Games, Your Skills, Dev, Disable. Then it removes:"
    )
    for what, where in (
        ("Skill", skill_id or "not known"),
        (
            "Function",
            f"the stack {desk.stack} in {region}" if stack else "there is none",
        ),
        ("Files", str(desk.folder.path)),
    ):
        talk.print(Text.assemble((f"  {what:<16} ", "dim"), where))
    if dry_run:
        return
    desk.agree("Remove it?")
    progress = Steps()
    if skill_id is not None:
        with progress.step("Deleting the skill"):
            try:
                desk.ask.delete(skill_id)
            except Refused as error:
                if error.status != 404:  # noqa: PLR2004 - it is gone already
                    raise
    if stack is not None:
        with progress.step(f"Deleting the stack {desk.stack}"), desk.asking_aws():
            desk.stacks.delete(desk.stack)
    _forget(desk)
    talk.print(
        "Left are: in Home Assistant the alexa: block, your long-lived token, and in "
        "your profile the refresh token of Amazon's; at AWS SAM's bucket "
        "(aws-sam-cli-managed-default); the accounts; and the tools in "
        f"{tools_folder()}."
    )


def _forget(desk: Desk) -> None:
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
