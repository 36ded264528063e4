"""Policies of AWS, as far as they let more in than they have to.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Final, NamedTuple

#: Conditions that name who may call: what stands in them is no stranger's to choose.
_NAMING: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        # Alexa says it, for a skill of which it knows; who calls by himself cannot.
        "lambda:eventsourcetoken",
    }
)

#: Operators that let nothing pass but what they name.
_OPERATOR: Final = re.compile(
    r"(?:ForAnyValue:)?(?:StringEquals|StringLike|ArnEquals|ArnLike)(?:IgnoreCase)?",
    re.IGNORECASE,
)

#: The end of an ARN that is all there is of a service, or of one of its kinds, such as
#: parameter/* or table/*/index/*.
_ALL_OF_A_KIND: Final = re.compile(r"(?:[a-z-]+[:/])?[*?:/]+(?:[a-z-]+[:/][*?:/]+)*")

#: Services whose ARNs begin with a name of one's own, and no kind: such as home/*.
_WITHOUT_KINDS: Final = frozenset({"s3", "sns", "sqs"})

#: All actions, however it is written.
_ANY_ACTION: Final = re.compile(r"[*?:]+")

#: What calls a function.
_INVOKE: Final = "lambda:invokefunction"

#: A part of a name that is the stranger's to choose; AWS fills in variables of his.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
_WILD: Final = re.compile(r"[*?]|\$\{")

#: Parts of an ARN before its resource; the last of them is the account.
_BEFORE_RESOURCE: Final = 5
_SERVICE: Final = 2

#: What a function may do to everything there is: it writes, and reads what is no
#: secret. AWS's own policies for functions, and SAM's, have these for all resources.
#: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
#: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html
_FINE_EVERYWHERE: Final = re.compile(
    r"logs:(?:CreateLog(?:Group|Stream)|Put(?:LogEvents|RetentionPolicy))"
    r"|logs:(?:Describe[a-z]+|Tag(?:Resource|LogGroup))"
    r"|cloudwatch:PutMetricData|xray:(?:Put|GetSampling)[a-z]+"
    r"|ec2:(?:(?:Create|Delete|Detach)NetworkInterface"
    r"|Describe(?!InstanceAttribute|LaunchTemplateVersions)[a-z]+"
    r"|GetSecurityGroupsForVpc|(?:Una|A)ssignPrivateIpAddresses)"
    r"|ssm:DescribeParameters|sts:GetCallerIdentity",
    re.IGNORECASE,
)

#: What is fine everywhere too if a condition asks for this: it opens only what another
#: service was asked for.
#: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
_FINE_IF_ASKED: Final = MappingProxyType({"kms:decrypt": "kms:viaservice"})


class Caller(NamedTuple):
    """Who a statement lets call."""

    principal: str
    """Such as alexa-connectedhome.amazon.com; * is anybody."""
    skill_id: str | None
    """The only skill for which it may; None for any."""
    statement_id: str
    is_anybody: bool
    """Whether it is for everybody who has an account of AWS, or none at all."""
    actions: tuple[str, ...] = ()
    """Such as lambda:InvokeFunction."""
    asked: Mapping[str, str] = MappingProxyType({})
    """What any condition asks for, by its key in lower case."""
    is_for_all_accounts: bool = False
    """Whether it is a service that anybody's account may make call: it says neither
    for whom it does, nor for which skill.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """

    @property
    def may_invoke(self) -> bool:
        """Whether calling is among it: without actions it says which it is not."""
        wanted = (one.lower() for one in self.actions)
        return not self.actions or any(fnmatchcase(_INVOKE, one) for one in wanted)


def callers(document: Any) -> Iterator[Caller]:
    """Give who may call by the policy of a resource, once for each skill."""
    for statement in _statements(document):
        conditions = _conditions(statement)
        sid = str(statement.get("Sid", ""))
        more = tuple(map(str, _as_list(statement.get("Action")))), _asked(conditions)
        is_open = not _names_somebody(conditions)
        principals = list(_principals(statement.get("Principal")))
        if "NotPrincipal" in statement:
            # Everybody but a few.
            principals = [("AWS", "*")]
        for kind, principal in principals:
            is_wild = bool(_WILD.search(principal))
            is_deputy = is_open and kind == "Service" and not is_wild
            for skill_id in _skill_ids(conditions):
                yield Caller(
                    principal, skill_id, sid, is_open and is_wild, *more, is_deputy
                )


def _skill_ids(conditions: Mapping[str, Any]) -> list[str | None]:
    """Return the skills that a statement names; [None] if it is for any."""
    found: list[str | None] = [
        None if _WILD.search(str(one)) else str(one)
        for operator, tests in conditions.items()
        if _OPERATOR.fullmatch(operator) and isinstance(tests, Mapping)
        for key, values in tests.items()
        if key.lower() == "lambda:eventsourcetoken"
        for one in _as_list(values)
    ]
    return found or [None]


def is_broad(document: Any) -> bool:
    """Return whether a policy allows everything, or everywhere what is not harmless."""
    return any(map(_is_broad, _statements(document)))


def _is_broad(statement: Mapping[str, Any]) -> bool:
    actions = [str(one) for one in _as_list(statement.get("Action"))]
    resources = [str(one) for one in _as_list(statement.get("Resource"))]
    is_everywhere = "NotResource" in statement or any(map(_is_everything, resources))
    if "NotAction" in statement:
        # Everything but a few, most of which nobody has thought of.
        return True
    if any(map(_ANY_ACTION.fullmatch, actions)):
        return True
    asked = _asked(_conditions(statement))
    return is_everywhere and not all(_is_fine(one, asked) for one in actions)


def _is_fine(action: str, asked: Mapping[str, str]) -> bool:
    if _FINE_EVERYWHERE.fullmatch(action):
        return True
    return _FINE_IF_ASKED.get(action.lower()) in asked


def _is_everything(resource: str) -> bool:
    *before, last = resource.split(":", _BEFORE_RESOURCE)
    if len(before) < _BEFORE_RESOURCE:
        return _WILD.search(resource) is not None  # such as * or arn:aws:s3*
    if before[_SERVICE] in _WITHOUT_KINDS and last[:1].isalpha():
        return False
    return _ALL_OF_A_KIND.fullmatch(last) is not None


def _statements(document: Any) -> Iterator[Mapping[str, Any]]:
    """Give the statements that allow something."""
    found = document.get("Statement") if isinstance(document, Mapping) else None
    for statement in _as_list(found):
        if isinstance(statement, Mapping) and statement.get("Effect") == "Allow":
            yield statement


def _principals(found: Any) -> Iterator[tuple[str, str]]:
    """Give who is meant, and as what: AWS, Service, Federated, CanonicalUser."""
    kinds = found.items() if isinstance(found, Mapping) else [("AWS", found)]
    for kind, named in kinds:
        for one in _as_list(named):
            yield str(kind), str(one)


def _conditions(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    found = statement.get("Condition")
    return found if isinstance(found, Mapping) else {}


def _asked(conditions: Mapping[str, Any]) -> Mapping[str, str]:
    return {
        str(key).lower(): str(value)
        for tests in conditions.values()
        if isinstance(tests, Mapping)
        for key, value in tests.items()
    }


def _names_somebody(conditions: Mapping[str, Any]) -> bool:
    for operator, tests in conditions.items():
        if not _OPERATOR.fullmatch(operator) or not isinstance(tests, Mapping):
            continue
        for key, values in tests.items():
            named = [str(value) for value in _as_list(values)]
            if key.lower() in _NAMING and named and all(map(_is_a_name, named)):
                return True
    return False


def _is_a_name(value: str) -> bool:
    """Return whether a value leaves a stranger no choice of the account.

    The bucket that arn:aws:s3:::home-* means may be anybody's.
    """
    *before, _ = value.split(":", _BEFORE_RESOURCE)
    is_ones_own = len(before) == _BEFORE_RESOURCE and before[-1] != ""
    return bool(value) and not _WILD.search(before[-1] if is_ones_own else value)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
