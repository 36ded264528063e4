"""The template as AWS would take it: checked, translated, and created in moto.

SAM's own translator turns it into plain CloudFormation.  moto checks neither parameters
nor rules, so both are checked here as CloudFormation does.
"""

import functools
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from tests.fakes.aws import kept_client

ROOT = Path(__file__).parents[2]
STACK = "ha-bridge"
REGION = "eu-west-1"
ACCOUNT = "123456789012"
BASE_URL = "https://home.example.org"
SKILL_ID = "amzn1.ask.skill.12345678-1234-1234-1234-123456789abc"
BUCKET = "code"

Template = dict[str, Any]


class RefusedError(Exception):
    """CloudFormation would refuse it; the text is the template's own sentence."""


class _NoManagedPolicies:
    """The template names none, so that nobody needs to be asked for them."""

    def load(self) -> dict[str, str]:
        return {}


def read_template(path: Path = ROOT / "template.yaml") -> Template:
    """Return a template with its tags written out: `!Ref x` is {"Ref": "x"}."""
    template: Template = json.loads(_as_json(path.read_text()))
    return template


@functools.cache
def _as_json(template: str) -> str:
    return json.dumps(yaml_parse(template))


def checked(
    template: Template, given: Mapping[str, str], region: str
) -> dict[str, str]:
    """Return all parameters, defaults included.

    Raises:
        RefusedError: A value or a rule does not allow it.
    """
    values = {}
    assert set(given) <= set(template["Parameters"])
    for name, parameter in template["Parameters"].items():
        value = str(given.get(name, parameter["Default"]))
        if not _allowed(parameter, value):
            raise RefusedError(parameter["ConstraintDescription"])
        values[name] = value
    for rule in template["Rules"].values():
        for assertion in rule["Assertions"]:
            if not _is_true(assertion["Assert"], {**values, "AWS::Region": region}):
                raise RefusedError(assertion["AssertDescription"])
    return values


def _allowed(parameter: Mapping[str, Any], value: str) -> bool:
    allowed = parameter.get("AllowedValues")
    if allowed is not None and value not in map(str, allowed):
        return False
    if not re.fullmatch(parameter.get("AllowedPattern", ".*"), value):
        return False
    if parameter["Type"] == "Number":
        try:
            number = float(value)
        except ValueError:
            return False
        least = parameter.get("MinValue", number)
        most = parameter.get("MaxValue", number)
        return bool(least <= number <= most)
    return True


def _is_true(
    condition: Mapping[str, Any],
    values: Mapping[str, str],
    conditions: Mapping[str, Any] = {},
) -> bool:
    """Evaluate what stands in a rule or condition, of what this template uses."""
    ((function, arguments),) = condition.items()
    if function == "Condition":
        return _is_true(conditions[arguments], values, conditions)
    if function == "Fn::Not":
        return not _is_true(arguments[0], values, conditions)
    if function == "Fn::And":
        return all(_is_true(one, values, conditions) for one in arguments)
    if function == "Fn::Or":
        return any(_is_true(one, values, conditions) for one in arguments)
    left, right = (_text(argument, values) for argument in arguments)
    if function == "Fn::Equals":
        return bool(left == right)
    assert function == "Fn::Contains"
    return right in left


def _text(argument: Any, values: Mapping[str, str]) -> Any:
    """Return the text, or texts, that an argument of a function stands for."""
    if not isinstance(argument, dict):
        return argument
    ((function, arguments),) = argument.items()
    if function == "Ref":
        return values[arguments]
    if function == "Fn::Sub":
        return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], arguments)
    first, second = arguments
    if function == "Fn::Split":
        return _text(second, values).split(first)
    assert function == "Fn::Select"
    return _text(second, values)[first]


def translated(template: Template, values: Mapping[str, str], region: str) -> Template:
    """Return what SAM's translator makes of a template."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            code = resource["Properties"]["CodeUri"]
            # `sam package` writes where it has put the zip; else there is none.
            if not code.startswith("s3://"):
                resource["Properties"]["CodeUri"] = f"s3://{BUCKET}/ha-bridge.zip"
    before = os.environ.get("AWS_DEFAULT_REGION")
    os.environ["AWS_DEFAULT_REGION"] = region
    try:
        result: Template = transform(template, dict(values), _NoManagedPolicies())
    finally:
        del os.environ["AWS_DEFAULT_REGION"]
        if before is not None:
            os.environ["AWS_DEFAULT_REGION"] = before
    return result


class Stack:
    """The stack in moto.

    Args:
        given: The parameters that a user gives.
        region: Where to deploy.
        template: What to deploy; without one, the project's.
        name: Of the stack.
    """

    def __init__(
        self,
        given: Mapping[str, str] | None = None,
        *,
        region: str = REGION,
        template: Template | None = None,
        name: str = STACK,
    ) -> None:
        self.region = region
        self.name = name
        template = template or read_template()
        self.parameters = checked(
            template, {"BaseUrl": BASE_URL, **(given or {})}, region
        )
        self.template = translated(template, self.parameters, region)
        self._deploy("create_stack")

    def update(self, given: Mapping[str, str]) -> None:
        """Deploy it again with these parameters; the others stay, as SAM has it."""
        self.parameters = checked(
            read_template(), {**self.parameters, **given}, self.region
        )
        self._deploy("update_stack")

    def _deploy(self, method: str) -> None:
        getattr(self.client("cloudformation"), method)(
            StackName=self.name,
            TemplateBody=json.dumps(self.template),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in self.parameters.items()
            ],
        )

    def client(self, service: str) -> Any:
        """Return a client for a service in the stack's region."""
        return kept_client(service, self.region)

    @property
    def resources(self) -> set[str]:
        """The logical ids of what the conditions let be created."""
        return {
            name
            for name, resource in self.template["Resources"].items()
            if self.holds(resource.get("Condition"))
        }

    def holds(self, condition: str | None) -> bool:
        """Return whether one of the template's conditions is true."""
        if condition is None:
            return True
        found = self.template["Conditions"][condition]
        return _is_true(found, self.parameters, self.template["Conditions"])

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs by name."""
        (stack,) = self.client("cloudformation").describe_stacks(StackName=self.name)[
            "Stacks"
        ]
        return {
            output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]
        }

    @property
    def function(self) -> dict[str, Any]:
        """The function's configuration."""
        found: dict[str, Any] = self.client("lambda").get_function_configuration(
            FunctionName=self.name
        )
        return found

    def trigger_policy(self) -> list[dict[str, Any]]:
        """Return who may invoke the function."""
        client = self.client("lambda")
        try:
            policy = client.get_policy(FunctionName=self.name)["Policy"]
        except client.exceptions.ResourceNotFoundException:
            return []
        statements: list[dict[str, Any]] = json.loads(policy)["Statement"]
        return statements
