"""What a template of CloudFormation makes, with the values of its parameters filled in.

Enough of CloudFormation's functions for template.yaml; what only AWS can know, such as
the ARN of something that is not there yet, stands in angle brackets.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import yaml

from ha_bridge_ops.aws.session import ODD_SHAPE

Template = Mapping[str, Any]

_NO_VALUE: Final = {"Ref": "AWS::NoValue"}

#: Properties that say where the code lies, and not what it is.
_CODE: Final = frozenset({"Code", "CodeUri"})

_IN_SUB: Final = re.compile(r"\$\{([^!}][^}]*)\}")


#: Characters of a template that is read; template.yaml has 33 000.
_LONGEST: Final = 300_000

#: Characters of a value that is put together; those of template.yaml have some 200.
_MOST: Final = 10_000


class _Loader(yaml.SafeLoader):
    """Reads `!Ref x` as {"Ref": "x"}, and no alias, as CloudFormation.

    A few of those make a page of gigabytes.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the next node.

        Raises:
            yaml.YAMLError: It is an alias.
        """
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias")
        return super().compose_node(parent, index)


def _tag(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    key = name if name in ("Ref", "Condition") else f"Fn::{name}"
    if isinstance(node, yaml.ScalarNode):
        return {key: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {key: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {key: loader.construct_mapping(node, deep=True)}
    raise TypeError(node)


_Loader.add_multi_constructor("!", _tag)


def read_template(body: object) -> Template:
    """Return a template with its tags written out.

    Args:
        body: Its YAML, or what its JSON says.

    Raises:
        ValueError: It is none, or far longer than this project's.
    """
    found = body
    try:
        if isinstance(body, str) and len(body) <= _LONGEST:
            found = yaml.load(body, _Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, *ODD_SHAPE) as error:
        raise ValueError(str(error)) from None
    if isinstance(found, dict) and isinstance(found.get("Resources"), dict):
        return found
    raise ValueError("no resources")


@dataclass(frozen=True)
class Resource:
    """Something that a stack has."""

    kind: str
    """Such as AWS::Lambda::Function."""
    properties: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Change:
    """What becomes of a resource; one of both is None if it comes or goes."""

    name: str
    before: Resource | None
    after: Resource | None

    @property
    def what(self) -> str:
        """In a word."""
        if self.before is None:
            return "create"
        return "delete" if self.after is None else "change"


def changes(
    before: Mapping[str, Resource], after: Mapping[str, Resource]
) -> list[Change]:
    """Return what differs, the code itself apart."""
    names = dict.fromkeys([*after, *before])
    every = [Change(name, before.get(name), after.get(name)) for name in names]
    return [one for one in every if one.before != one.after]


def resources(
    template: Template, given: Mapping[str, str], pseudo: Mapping[str, str]
) -> dict[str, Resource]:
    """Return what a template makes, by the names that it has for it.

    Args:
        template: As it was read.
        given: Its parameters; those that are missing have their defaults.
        pseudo: What AWS::Region and the like are.

    Raises:
        ValueError: It is no template that CloudFormation would accept.
    """
    try:
        filled = _Filled(template, {**defaults(template), **given, **pseudo})
        return {
            str(name): Resource(str(one.get("Type")), filled.properties(one))
            for name, one in template["Resources"].items()
            if isinstance(one, dict) and filled.has(one.get("Condition"))
        }
    except ODD_SHAPE as error:
        raise ValueError(str(error)) from None


def defaults(template: Template) -> dict[str, str]:
    """Return what the parameters are if nothing is given."""
    return {
        name: str(about.get("Default", ""))
        for name, about in template.get("Parameters", {}).items()
    }


def open_parameters(template: Template) -> frozenset[str]:
    """Return the names of the parameters whose values AWS shows to everybody.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
    """
    given = template.get("Parameters", {}).items()
    return frozenset(name for name, about in given if not about.get("NoEcho"))


class _Filled:
    """A template and the values in it."""

    def __init__(self, template: Template, values: Mapping[str, str]) -> None:
        self._conditions = template.get("Conditions", {})
        self._mappings = template.get("Mappings", {})
        self._values = values
        self._holding: dict[str, bool] = {}

    def has(self, condition: str | None) -> bool:
        """Return whether a condition holds; None always does."""
        if condition is None:
            return True
        if condition not in self._holding:  # one that names others names them once
            self._holding[condition] = self._holds(self._conditions[condition])
        return self._holding[condition]

    def properties(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Return the properties of a resource, but for where its code is."""
        found = self._value(resource.get("Properties", {}))
        return {key: value for key, value in found.items() if key not in _CODE}

    def _holds(self, condition: Any) -> bool:
        ((function, arguments),) = condition.items()
        match function:
            case "Condition":
                return self.has(arguments)
            case "Fn::Not":
                return not self._holds(arguments[0])
            case "Fn::And":
                return all(map(self._holds, arguments))
            case "Fn::Or":
                return any(map(self._holds, arguments))
        left, right = map(self._value, arguments)
        return bool(str(left) == str(right))

    def _value(self, given: Any) -> Any:
        if isinstance(given, list):
            return [self._value(one) for one in given if one != _NO_VALUE]
        if not isinstance(given, dict):
            return given
        if len(given) == 1:
            ((function, argument),) = given.items()
            if known := self._functions.get(function):
                return known(self, argument)
        every = ((key, self._value(one)) for key, one in given.items())
        return {key: one for key, one in every if one != _NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        return self._values.get(name, f"<{name}>")

    def _attribute(self, argument: Any) -> str:
        names = argument if isinstance(argument, list) else [argument]
        return f"<{'.'.join(map(str, names))}>"

    def _sub(self, argument: Any) -> str:
        text, own = argument if isinstance(argument, list) else (argument, {})
        # What is between the names stands at the even places.
        parts = _IN_SUB.split(text)
        values = {
            name: str(self._value(own[name]) if name in own else self._ref(name))
            for name in parts[1::2]
        }
        parts[1::2] = [values[name] for name in parts[1::2]]
        return _joined("", parts)

    def _if(self, argument: Any) -> Any:
        condition, yes, no = argument
        return self._value(yes if self.has(condition) else no)

    def _in_map(self, argument: Any) -> Any:
        name, *keys = map(self._value, argument)
        found = self._mappings.get(name, {})
        for key in keys:
            found = found.get(key, f"<{key}>") if isinstance(found, dict) else found
        return found

    def _join(self, argument: Any) -> str:
        between, parts = argument
        return _joined(str(between), list(map(str, self._texts(parts))))

    def _split(self, argument: Any) -> list[str]:
        between, text = argument
        return str(self._value(text)).split(between)

    def _select(self, argument: Any) -> Any:
        number, parts = argument
        found = [*self._texts(parts)]
        return found[int(number)] if int(number) < len(found) else ""

    def _texts(self, given: Any) -> Iterator[Any]:
        found = self._value(given)
        yield from found if isinstance(found, list) else [found]

    #: CloudFormation's functions that have a value here.
    _functions: ClassVar[Mapping[str, Callable[["_Filled", Any], Any]]] = {
        "Ref": _ref,
        "Fn::GetAtt": _attribute,
        "Fn::Sub": _sub,
        "Fn::If": _if,
        "Fn::FindInMap": _in_map,
        "Fn::Join": _join,
        "Fn::Split": _split,
        "Fn::Select": _select,
    }


def _joined(between: str, parts: list[str]) -> str:
    """Return texts as one.

    Raises:
        ValueError: It is longer than any value.
    """
    if len(between) * len(parts) + sum(map(len, parts)) > _MOST:
        raise ValueError("too long")
    return between.join(parts)
