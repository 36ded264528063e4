"""The steps of setup, in their order; each is left out if nothing is to be done."""

import dataclasses
import hashlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from rich.text import Text

from ha_bridge_ops.aws.deployed import Stack
from ha_bridge_ops.aws.function import functions_in
from ha_bridge_ops.aws.session import boto3_clients
from ha_bridge_ops.check.catalogue import AWS, CHAIN
from ha_bridge_ops.check.context import Context, Options
from ha_bridge_ops.check.model import Status
from ha_bridge_ops.check.show import shown
from ha_bridge_ops.endpoints.capabilities import mapping
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.events import EVENTS, load
from ha_bridge_ops.local.lambda_runtime import InProcess
from ha_bridge_ops.outside import quoted
from ha_bridge_ops.setup.deployment import Package, deploy
from ha_bridge_ops.setup.desk import Desk
from ha_bridge_ops.setup.watch import Watch
from ha_bridge_ops.skill import arguments
from ha_bridge_ops.skill.apply import apply
from ha_bridge_ops.skill.documents import Skill
from ha_bridge_ops.terminal import Steps

TOKEN: Final = "LONG_LIVED_ACCESS_TOKEN"  # noqa: S105 - its name


def set_up(desk: Desk, *, dry_run: bool) -> None:
    """Do all of it.

    Args:
        desk: What the steps share.
        dry_run: Whether to end when the plan was shown.

    Raises:
        CommandError: It cannot go on; what was done stays, and is not done again.
    """
    skill = desk.skill
    desk.talk.print(Text(f"1. Home Assistant at {skill.address}", style="bold"))
    _check(desk, Context({**desk.variables, "BASE_URL": str(skill.address)}), CHAIN)
    desk.talk.print(Text("\n2. What will be done", style="bold"))
    with desk.asking_aws():
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
    desk.talk.print(Text("\n4. Check everything, as AWS sees it", style="bold"))
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


def _check(desk: Desk, context: Context, links: Any) -> None:
    """Look, and stop if something has failed.

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


def _plan(desk: Desk, stack: Stack | None, skill_id: str | None) -> None:
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


def _deploy(desk: Desk, stack: Stack | None, skill_id: str, progress: Steps) -> str:
    """Return the function's ARN; nothing is done if it is as it should be."""
    wanted = {"BaseUrl": str(desk.skill.address), "SkillId": skill_id}
    if stack is not None and stack.has_failed:
        raise RefusedError(
            f"The stack {desk.stack} could not be created ({quoted(stack.status)}); "
            f"{desk.region.console('stacks')} shows why. Delete it there, or with "
            "`ha-bridge setup --remove`, and run setup again."
        )
    with tempfile.TemporaryDirectory(prefix="ha-bridge-") as scratch, desk.asking_aws():
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


def _join(desk: Desk, skill_id: str, arn: str) -> None:
    """Name the function to the skill, unless it was told already."""
    whole = skill_with(desk, arn)
    desk.folder.write(whole)
    told = json.dumps([skill_id, whole.manifest(), whole.account_linking()])
    mark = hashlib.sha256(told.encode()).hexdigest()
    if desk.memory.get("joined") == mark:
        desk.talk.print("The skill is as it should be.")
        return
    apply(whole, desk.folder, desk.ask, desk.state)
    desk.memory.keep(joined=mark)


def skill_with(desk: Desk, arn: str) -> Skill:
    """Return the skill with its function, and the token endpoint if the stack has one.

    Raises:
        RefusedError: AWS does not let us look.
    """
    functions = arguments.read_functions([arn], desk.region)
    with desk.asking_aws():
        stack = desk.stacks.find(desk.stack)
    token_url = stack.token_url if stack is not None else None
    return dataclasses.replace(desk.skill, functions=functions, token_url=token_url)


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
    with desk.asking_aws():
        (function,) = functions_in(desk.session, desk.region.aws_region, arn)
        with desk.talk.status("Waiting for Alexa; Ctrl-C ends that ..."):
            found = Watch(function, desk.talk.print).until_found(
                since, desk.wishes.wait
            )
    if not found:
        raise RefusedError(
            f"Alexa has not called within {desk.wishes.wait} s. If linking failed, "
            "`ha-bridge check --link` says why; `ha-bridge setup` waits again."
        )
    count = _devices(desk)
    devices = "your devices" if count is None else f"{count} devices"
    desk.talk.print(Text.assemble(("✓ ", "green"), f"Alexa found {devices}."))
    desk.talk.print("“Alexa, turn on the kitchen light.”")


def _devices(desk: Desk) -> int | None:
    """Return how many there are, if a token to ask with is at hand."""
    if TOKEN not in desk.variables:
        return None
    variables = {**desk.variables, "BASE_URL": str(desk.skill.address)}
    answer = InProcess(variables).invoke(load(EVENTS / "discovery.json"))
    endpoints = mapping(answer, "event", "payload").get("endpoints")
    return len(endpoints) if isinstance(endpoints, list) else None
