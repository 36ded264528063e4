"""The steps of setup, each of which may be repeated."""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rich.text import Text

from ha_bridge_ops.aws.function import functions_in
from ha_bridge_ops.check.catalogue import AWS, CHAIN
from ha_bridge_ops.check.context import Context, Options
from ha_bridge_ops.check.model import Check, Finding, Status
from ha_bridge_ops.check.show import shown
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.setup import plan
from ha_bridge_ops.setup.desk import Desk
from ha_bridge_ops.setup.plan import Plan
from ha_bridge_ops.setup.watch import Watch
from ha_bridge_ops.skill.apply import apply
from ha_bridge_ops.skill.consoles import switched_on_by_hand
from ha_bridge_ops.skill.documents import Skill
from ha_bridge_ops.terminal import Steps

#: What cannot be in order before Alexa has come.
_LATER: Final = "aws.logs"


def set_up(desk: Desk) -> None:
    """Do what is left to do, and wait for Alexa.

    Raises:
        CommandError: It cannot go on; what to do about it is said.
    """
    if desk.memory.get("removing"):
        raise CommandError(
            "`ha-bridge setup --remove` was interrupted: run that again first."
        )
    skill = desk.skill
    desk.talk.print(Text(f"1. Home Assistant at {skill.address}", style="bold"))
    environ = {**desk.variables, "BASE_URL": str(skill.address)}
    seen = _check(desk, desk.outside.context(environ), CHAIN)
    desk.talk.print(Text("\n2. What will be done", style="bold"))
    progress = Steps()
    with tempfile.TemporaryDirectory(prefix="ha-bridge-") as scratch:
        package = desk.outside.package(Path(scratch))
        with progress.step("Making the package", kept=False):
            package.make()
        found = plan.made(desk, package)
        plan.show(desk, found)
        if desk.wishes.dry_run:
            plan.show_all(desk, found)
            return
        if not (found.is_deployed and found.is_joined):
            desk.talk.print("  (each value: --dry-run)")
            desk.agree("Do it?")
        desk.memory.keep(
            base_url=str(skill.address),
            locale=desk.locale,
            name=skill.name,
            stack=desk.stack,
        )
        desk.talk.print(Text("\n3. Skill and function", style="bold"))
        skill_id = _skill(desk, found)
        arn = _deploy(desk, found, skill_id, progress)
    _join(desk, skill_id, arn)
    desk.talk.print(Text("\n4. Check everything, as AWS sees it", style="bold"))
    looked = Options(
        locale=desk.locale,
        skill_id=skill_id,
        function=arn,
        region=desk.region.aws_region,
    )
    _check(
        desk,
        desk.outside.context(environ, looked, aws=desk.clients, findings=seen),
        [one for one in AWS if one.id != _LATER],
    )
    _wait_for_alexa(desk, arn)


def _check(desk: Desk, context: Context, links: Sequence[Check]) -> dict[str, Finding]:
    """Return what is found; stop if something has failed.

    Raises:
        RefusedError: Something has.
    """
    findings = shown(context, links, quiet=False)
    failed = [one.id for one in findings if one.status is Status.FAILED]
    if failed and not desk.wishes.go_on:
        raise RefusedError(
            f"{', '.join(failed)} failed. Correct that and run `ha-bridge setup` "
            "again; it continues from here. With --go-on it continues without that."
        )
    return {one.id: one for one in findings}


def _skill(desk: Desk, found: Plan) -> str:
    """Return the id of the skill, which is made if there is none."""
    desk.folder.write(desk.skill)
    if found.skill_id is None:
        return apply(desk.skill, desk.folder, desk.ask, desk.state).skill_id
    if desk.state.skill_id is None:
        desk.state.skill_id = found.skill_id  # it came with --skill-id
    return found.skill_id


def _deploy(desk: Desk, found: Plan, skill_id: str, progress: Steps) -> str:
    """Return the function's ARN; nothing is done if it is as it should be."""
    if found.function is not None and found.is_deployed:
        desk.talk.print("The function is as it should be.")
        return found.function.arn
    make = "Changing" if found.stack else "Creating"
    with progress.step(f"{make} the stack {desk.stack}; a minute or two"):
        desk.outside.deploy(
            found.package,
            stack=desk.stack,
            region=desk.region.aws_region,
            parameters={**found.parameters, "SkillId": skill_id},
            bucket=desk.wishes.bucket,
            profile=desk.wishes.profile,
        )
    with desk.aws():
        made = desk.stacks.function(desk.stack)
    if made is None:
        raise RefusedError(f"The stack {desk.stack} has no function.")
    return made.arn


def _join(desk: Desk, skill_id: str, arn: str) -> None:
    """Name the function to the skill, unless it was told already."""
    whole = skill_with(desk, arn)
    desk.folder.write(whole)
    mark = plan.mark(whole, skill_id)
    if desk.memory.get("joined") == mark:
        desk.talk.print("The skill is as it should be.")
        return
    applied = apply(whole, desk.folder, desk.ask, desk.state)
    if applied.not_enabled:
        desk.talk.print(switched_on_by_hand(applied.not_enabled))
    desk.memory.keep(joined=mark)


def skill_with(desk: Desk, arn: str) -> Skill:
    """Return the skill with its function, and the token endpoint if the stack has one.

    Raises:
        RefusedError: AWS does not let us look.
    """
    with desk.aws():
        return plan.joined(desk.skill, arn, desk.stacks.find(desk.stack))


def _wait_for_alexa(desk: Desk, arn: str) -> None:
    desk.talk.print(Text("\n5. What you have to do: the Alexa app", style="bold"))
    desk.talk.print(
        "More, Skills & Games, Your Skills, Dev: open "
        f"“{desk.skill.name}”, Enable to use, and log in to Home Assistant."
    )
    if not desk.wishes.wait:
        return
    # What Alexa did before is none of this wait's business.
    since = time.time()
    with desk.aws():
        function = next(
            iter(functions_in(desk.session, desk.region.aws_region, arn)), None
        )
        if function is None:
            raise RefusedError(
                f"The function {arn} is gone again: run `ha-bridge setup` once more."
            )
        tell: Callable[[str], None] = desk.talk.print
        with desk.talk.status("Waiting for Alexa; Ctrl-C ends that ..."):
            found = Watch(function, tell).until_found(since, desk.wishes.wait)
    if found is None:
        raise RefusedError(
            f"Alexa has not called within {desk.wishes.wait} s. If linking failed, "
            "`ha-bridge check --link` says why; `ha-bridge setup` waits again. If you "
            "enabled the skill before, say “Alexa, discover my devices”."
        )
    if found.count == 0:
        raise RefusedError(
            "Alexa found no device: Home Assistant offers it none. What it offers is "
            "chosen below `alexa: smart_home: filter:`; `ha-bridge page` shows it."
        )
    what = "your devices" if found.count is None else f"{found.count} devices"
    if found.count == 1:
        what = "one device"
    desk.talk.print(Text.assemble(("✓ ", "green"), f"Alexa found {what}."))
    desk.talk.print("“Alexa, turn on the kitchen light.”")
