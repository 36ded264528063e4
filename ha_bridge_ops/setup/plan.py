"""What setup is going to do at AWS and Amazon, with all values, before it does it."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from rich.text import Text

from ha_bridge_ops.aws.deployed import Deployed, Stack
from ha_bridge_ops.aws.session import plain_value
from ha_bridge_ops.aws.template import (
    Change,
    Resource,
    Template,
    changes,
    defaults,
    open_parameters,
    read_template,
    resources,
)
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.outside import quoted, visible
from ha_bridge_ops.setup.deployment import Package
from ha_bridge_ops.setup.desk import Desk
from ha_bridge_ops.skill import arguments
from ha_bridge_ops.skill.consoles import SOME_ARN
from ha_bridge_ops.skill.documents import Skill
from ha_bridge_ops.terminal import Console

#: Stands for what Amazon has not given yet.
SOME_SKILL_ID: Final = "the skill's id, once there is one"

#: Stands for a value that may be a secret.
_SET: Final = "(set)"

#: Columns of what a row is about.
_WIDTH: Final = 18

#: Characters of a value; one of CloudFormation's has up to 4096.
_LONGEST: Final = 5000


@dataclass(frozen=True)
class Plan:
    """What is there, and what shall be."""

    skill: Skill
    skill_id: str | None
    stack: Stack | None
    """None if there is none, or nothing in it yet."""
    function: Deployed | None
    package: Package
    parameters: Mapping[str, str] = field(repr=False)
    """Those that setup gives; others stay as they are."""
    before: Mapping[str, str] = field(repr=False)
    """All parameters as they are, or would be by themselves."""
    resources: list[Change]
    is_joined: bool
    """Whether Amazon was told of all this before."""
    open_parameters: frozenset[str] = frozenset()
    """Those whose values may be shown; somebody's own are none of them."""

    @property
    def has_same_code(self) -> bool:
        """Whether the function runs this very package."""
        return bool(self.function and self.function.code_hash == self.package.code_hash)

    @property
    def is_deployed(self) -> bool:
        """Whether nothing is to be done at AWS."""
        return self.has_same_code and not self.changed and not self.resources

    @property
    def changed(self) -> dict[str, str]:
        """Parameters that get another value."""
        return {
            name: value
            for name, value in self.parameters.items()
            if self.stack is None or self.before.get(name) != value
        }


def made(desk: Desk, package: Package) -> Plan:
    """Return the plan; nothing is changed.

    Args:
        desk: What was asked for.
        package: What would be deployed; it is made already.

    Raises:
        CommandError: The stack is somebody else's.
        RefusedError: AWS does not let us look, or the stack is broken.
    """
    skill, skill_id = desk.skill, desk.skill_id
    with desk.aws(), desk.talk.status("Looking at AWS ..."):
        stack = desk.stacks.find(desk.stack)
        if stack is not None and stack.is_planned:
            stack = None
        if stack is not None and stack.has_failed:
            raise RefusedError(
                f"The stack {desk.stack} is broken ({quoted(stack.status)}); "
                f"{desk.region.console('stacks')} shows why. Delete it there, or with "
                "`ha-bridge setup --remove`, and run setup again."
            )
        function = desk.stacks.function(desk.stack) if stack is not None else None
        if stack is not None and function is None:
            raise CommandError(
                f"The stack {desk.stack} is not one of ha-bridge: choose another name "
                "with --stack."
            )
        there = desk.stacks.template(desk.stack) if stack is not None else None
    shall = read_template(package.template)
    parameters = {
        "BaseUrl": str(skill.address),
        "SkillId": skill_id or SOME_SKILL_ID,
    }
    before = {**defaults(shall), **(stack.parameters if stack else {})}
    pseudo = {
        "AWS::Region": desk.region.aws_region,
        "AWS::StackName": desk.stack,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
    }
    return Plan(
        skill,
        skill_id,
        stack,
        function,
        package,
        parameters,
        before,
        changes(
            _made_by(there, before, pseudo),
            resources(shall, {**before, **parameters}, pseudo),
        ),
        function is not None
        and skill_id is not None
        and desk.memory.get("joined")
        == mark(joined(skill, function.arn, stack), skill_id),
        open_parameters(shall),
    )


def _made_by(
    there: Template | None, before: Mapping[str, str], pseudo: Mapping[str, str]
) -> Mapping[str, Resource]:
    """Return what the stack has by its own template; nothing if that is odd."""
    try:
        return resources(there, before, pseudo) if there else {}
    except ValueError:
        return {}


def joined(skill: Skill, arn: str, stack: Stack | None) -> Skill:
    """Return the skill with its function, and the token endpoint if there is one."""
    return dataclasses.replace(
        skill,
        functions=arguments.read_functions([arn], skill.region),
        token_url=stack.token_url if stack is not None else None,
    )


def mark(skill: Skill, skill_id: str) -> str:
    """Return what tells whether Amazon knows just this."""
    told = json.dumps([skill_id, skill.manifest(), skill.account_linking()])
    return hashlib.sha256(told.encode()).hexdigest()


def show(desk: Desk, plan: Plan) -> None:
    """Say what is to be done, and with which values."""
    for what, will in _rows(desk, plan):
        shown = visible(will, _LONGEST)  # what AWS has is no line of ours
        desk.talk.print(Text.assemble((f"  {what:<{_WIDTH}}", "dim"), shown))


def _rows(desk: Desk, plan: Plan) -> Iterator[tuple[str, str]]:
    skill, region = plan.skill, desk.region.aws_region
    if plan.is_joined and plan.is_deployed:
        yield "Amazon", f"nothing: the skill {plan.skill_id} is as it should be"
    else:
        make = "go on with" if plan.skill_id else "create"
        which = plan.skill_id or f"“{skill.name}”"
        yield "Amazon, skill", f"{make} {which} for {skill.locales[0]}, unpublished"
        yield "", f"name the function to it: {_arn(plan)}"
        yield "", f"link accounts with {skill.authorization_uri}"
        yield "", "switch it on for your own account"
    if plan.is_deployed:
        yield "AWS", f"nothing: the stack {desk.stack} in {region} is as it should be"
    else:
        make = "change" if plan.stack else "create"
        yield "AWS, stack", f"{make} {desk.stack} in {region}"
        for name, value in plan.changed.items():
            was = f"{_before(plan, name)} → " if plan.stack else ""
            yield "", f"parameter {name}: {was}{value}"
        for change in plan.resources:
            one = change.after or change.before
            yield "", f"{change.what} {change.name} ({one.kind if one else ''})"
        if not plan.has_same_code:
            yield "", f"code: {_code(plan)}"
            bucket = desk.wishes.bucket or "SAM's (aws-sam-cli-managed-default)"
            yield "AWS, S3", f"upload it into the bucket {bucket}"
    yield "Files", f"{desk.folder.path}, where it remembers how far it got"
    yield "Costs", "within what AWS gives away, for one home"


def _arn(plan: Plan) -> str:
    return plan.function.arn if plan.function else SOME_ARN


def _code(plan: Plan) -> str:
    new = f"{plan.package.size / 1e6:.1f} MB, sha256 {plan.package.code_hash}"
    return f"{plan.function.code_hash} → {new}" if plan.function else new


# -- every value, for a dry run --------------------------------------------------------


def show_all(desk: Desk, plan: Plan) -> None:
    """Print what Amazon and AWS would be told, word for word, on stdout."""
    out = Console(soft_wrap=True)
    if not (plan.is_joined and plan.is_deployed):
        for title, document in _documents(plan):
            out.print(Text(f"\nAmazon: {title}", style="bold"))
            out.print(json.dumps(document, indent=2, ensure_ascii=False))
    if plan.is_deployed:
        return
    out.print(Text(f"\nAWS: parameters of the stack {desk.stack}", style="bold"))
    for name, value in {**plan.before, **plan.parameters}.items():
        is_new = value != plan.before.get(name, "")
        arrow = f"{_before(plan, name)} → " if plan.stack and is_new else ""
        will = value if name in plan.parameters else _before(plan, name)
        out.print(visible(f"  {name}: {arrow}{will or '–'}", _LONGEST))
    for change in plan.resources:
        one = change.after or change.before
        kind = one.kind if one else ""
        what = visible(f"AWS: {change.what} {change.name}, {kind}")
        out.print(Text(f"\n{what}", style="bold"))
        for line in _properties(change):
            out.print(line)


def _before(plan: Plan, name: str) -> str:
    """Return what a parameter is, as it may be shown."""
    value = plan.before.get(name) or "–"
    if value == "–" or name in plan.open_parameters - {"BaseUrl"}:
        return value
    address = plain_value("BASE_URL", value) if name == "BaseUrl" else None
    return address or _SET  # it may have had a password in it


def _documents(plan: Plan) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if plan.skill_id is None:
        yield "create a skill", plan.skill.request_to_create()
    whole = dataclasses.replace(
        plan.skill,
        # What is no ARN yet stands where the ARN will be.
        functions={plan.skill.region.key: _arn(plan)},
        token_url=plan.stack.token_url if plan.stack else None,
    )
    yield "its manifest", whole.manifest()
    linking = whole.account_linking()
    request = {
        **linking["accountLinkingRequest"],
        "clientSecret": "(random; then it is in client-secret.txt)",
    }
    yield "its account linking", {"accountLinkingRequest": request}
    yield (
        "switch it on",
        {"skillId": plan.skill_id or SOME_SKILL_ID, "stage": "development"},
    )


def _properties(change: Change) -> Iterator[str]:
    """Give the properties of a resource; those that differ if there are two of it."""
    before = change.before.properties if change.before else {}
    after = change.after.properties if change.after else {}
    was, will = _shown(before), _shown(after)
    if change.before is None:
        yield from _as_yaml(will)
        return
    if change.after is None:
        return
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield from (f"- {line}" for line in _as_yaml({name: was.get(name)}))
            yield from (f"+ {line}" for line in _as_yaml({name: will.get(name)}))


def _shown(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return properties without values of variables that may be secrets.

    A template that somebody has changed may hold a token as text.
    """
    environment = properties.get("Environment")
    if environment is None:
        return properties
    given = environment.get("Variables") if isinstance(environment, dict) else None
    variables = {
        name: plain_value(str(name), str(value)) or _SET if value else value
        for name, value in (given if isinstance(given, dict) else {}).items()
    }
    return {**properties, "Environment": {"Variables": variables}}


def _as_yaml(value: Any) -> list[str]:
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)
    return [f"  {line}" for line in text.splitlines()]
