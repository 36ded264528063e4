"""Policies of AWS, as far as they let more in than they have to.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

#: What a condition demands: an operator and a key in lower case, and the values.
_Demand = tuple[str, str, list[str]]

#: Operators that let nothing pass but what they name.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
_OPERATOR: Final = re.compile(
    r"(?:ForAnyValue:)?(?:String(?:Equals|Like)(?:IgnoreCase)?|Arn(?:Equals|Like)"
    r"|IpAddress|Bool)",
    re.IGNORECASE,
)

#: A value that leaves a stranger no choice, or an ARN that leaves him none of the
#: account: the bucket that arn:aws:s3:::home-* means may be anybody's.
_NAME: Final = re.compile(r"[^*?$]+|(?:[^:*?$]*:){4}[^:*?$]+:.*")

#: The same for the operators that compare ARNs part by part: a star stays in its part.
_NAME_BY_PARTS: Final = re.compile(r"[^*?$]+|(?:[^:]*:){4}[^:*?$]+:.*")

#: What stands in a token of somebody, such as repo:me/home:*, or a name of one's own.
_CLAIM: Final = re.compile(r"[^*?$]+|[^:*?$]+:[^:/*?$]+[:/].*")

_ORGANIZATION: Final = re.compile(r"[^*?$]+|[^/*?$]+/.*")

#: Conditions that name who may call, and the values that are no stranger's to choose.
#: Networks that are no wider than S3 allows for what is not public.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
_NAMING: Final[Mapping[str, re.Pattern[str]]] = {
    "aws:principalaccount": _NAME,
    "aws:principalarn": _NAME,
    "aws:principalorgid": _NAME,
    "aws:principalorgpaths": _ORGANIZATION,
    "aws:sourceaccount": _NAME,
    # No name of a rule or a topic has a colon that could begin another account.
    "aws:sourcearn": re.compile(
        rf"{_NAME.pattern}|arn:aws[a-z-]*:(?!s3:|iam:)[a-z0-9-]+:[^:]*:[^:*?$]+:.*"
    ),
    "aws:sourceip": re.compile(
        r"[\d.]+(?:/(?:[89]|[12]\d|3[0-2]))?"
        r"|[\dA-Fa-f:]+(?:/(?:3[2-9]|[4-9]\d|1[0-2]\d))?"
    ),
    "aws:sourceorgid": _NAME,
    "aws:sourceorgpaths": _ORGANIZATION,
    "aws:sourceowner": _NAME,
    "aws:sourcevpc": _NAME,
    "aws:sourcevpcarn": _NAME,
    "aws:sourcevpce": _NAME,
    # A role's id, and the name of its session.
    "aws:userid": re.compile(r"[^*?$]+|[^:*?$]+:.*"),
    "aws:vpceaccount": _NAME,
    "aws:vpceorgid": _NAME,
    "aws:vpceorgpaths": _ORGANIZATION,
    # Alexa says it, for a skill of which it knows; who calls by himself cannot.
    "lambda:eventsourcetoken": _NAME,
    "lambda:sourcefunctionarn": _NAME,
}

#: Providers of logins that anybody has, and what in their tokens says whose it is.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
_SHARED: Final[Mapping[str, str]] = {
    "accounts.google.com": "aud",
    "agent.buildkite.com": "sub",
    "api.pulumi.com/oidc": "aud",
    "app.terraform.io": "sub",
    "cognito-identity.amazonaws.com": "aud",
    "gitlab.com": "sub",
    "graph.facebook.com": "app_id",
    "oidc.codefresh.io": "sub",
    "oidc.vercel.com": "aud",
    "proidc.upbound.io": "sub",
    "sandboxes.cloud": "aud",
    "scalr.io": "sub",
    "studio.datachain.ai/api": "sub",
    "token.actions.githubusercontent.com": "sub",
    "tokens.cloud.shisho.dev": "sub",
    "www.amazon.com": "app_id",
}

#: The end of an ARN that is all there is of a service, or of one of its kinds, such as
#: parameter/*, table/*/index/*, secret:*-?????? or function:*:$LATEST.
_ALL_OF_A_KIND: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z-]*[:/])?[*?:/-]+"
    r"(?:[A-Za-z][A-Za-z-]*[:/][*?:/-]+)*(?:\$LATEST)?"
)

#: Services whose ARNs begin with a name of one's own, and no kind: such as home/*.
_WITHOUT_KINDS: Final = re.compile(r"(?:s3:(?!accesspoint/)|sns:|sqs:)[A-Za-z]")

#: All actions, however it is written.
_ANY_ACTION: Final = re.compile(r"[*?:]+")

#: What calls a function, and what does so at its function URL.
INVOKE: Final = "lambda:InvokeFunction"
CALLS: Final = (INVOKE, "lambda:InvokeFunctionUrl")

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
    r"logs:(?:CreateLog(?:Group|Stream|\*)|Put(?:Log(?:Events|\*)|RetentionPolicy))"
    r"|logs:(?:Describe[a-z]+|Tag(?:Resource|LogGroup))"
    r"|cloudwatch:PutMetricData|xray:(?:Put|GetSampling)(?:[a-z]+|\*)"
    r"|ec2:(?:(?:Create|Delete|Detach)NetworkInterface"
    r"|Describe(?!InstanceAttribute|LaunchTemplateVersions)[a-z]+"
    r"|GetSecurityGroupsForVpc|(?:Una|A)ssignPrivateIpAddresses)"
    r"|secretsmanager:(?:ListSecrets|GetRandomPassword)"
    r"|ssm:DescribeParameters|sts:GetCallerIdentity",
    re.IGNORECASE,
)

#: What a condition may ask for in place of a resource, and the key of KMS that opens
#: only what another service was asked for.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
#: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
_NARROWING: Final = re.compile(
    r"kms:(?:viaservice|resourcealiases|requestalias|encryptioncontext:.+)"
    r"|secretsmanager:secretid|[a-z0-9-]+:resourcetag/.+"
)


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
    asked: Mapping[str, list[str]] = MappingProxyType({})
    """What its conditions demand, by their keys in lower case."""
    is_for_all_accounts: bool = False
    """Whether it is a service that anybody's account may make call: it says neither
    for whom it does, nor for which skill.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """

    def may(self, action: str) -> bool:
        """Return whether an action is among it: without any it says which it is not."""
        wanted = (one.lower() for one in self.actions)
        return not self.actions or any(
            fnmatchcase(action.lower(), one) for one in wanted
        )


def callers(document: Any) -> Iterator[Caller]:
    """Give who may call by the policy of a resource, once for each skill.

    Raises:
        ValueError: It is no policy.
    """
    for statement in _statements(document):
        demanded = list(_demanded(statement))
        sid = str(statement.get("Sid", ""))
        asked = {key: values for _, key, values in demanded}
        more = tuple(map(str, _as_list(statement.get("Action")))), asked
        principals = list(_principals(statement.get("Principal")))
        if "NotPrincipal" in statement:
            # Everybody but a few.
            principals = [("AWS", "*")]
        for kind, principal in principals:
            provider = principal.rpartition(":oidc-provider/")[2].lower()
            is_wild = provider in _SHARED or bool(_WILD.search(principal))
            is_open = not _names_somebody(demanded, provider)
            is_deputy = is_open and kind == "Service" and not is_wild
            for skill_id in _skill_ids(demanded):
                yield Caller(
                    principal, skill_id, sid, is_open and is_wild, *more, is_deputy
                )


def _skill_ids(demanded: Iterable[_Demand]) -> list[str | None]:
    """Return the skills that a statement names; [None] if it is for any."""
    found: list[str | None] = [
        None if _WILD.search(one) else one
        for _, key, values in demanded
        if key == "lambda:eventsourcetoken"
        for one in values
    ]
    return found or [None]


def is_broad(document: Any) -> bool:
    """Return whether a policy allows everything, or everywhere what is not harmless.

    Raises:
        ValueError: It is no policy.
    """
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
    if any(
        _NARROWING.fullmatch(key) and not any(map(_is_all_of_a_kind, values))
        for _, key, values in _demanded(statement)
    ):
        return False
    return is_everywhere and not all(map(_FINE_EVERYWHERE.fullmatch, actions))


def _is_everything(resource: str) -> bool:
    *before, last = resource.split(":", _BEFORE_RESOURCE)
    if len(before) < _BEFORE_RESOURCE:
        return _WILD.search(resource) is not None  # such as * or arn:aws:s3*
    if _WITHOUT_KINDS.match(f"{before[_SERVICE]}:{last}"):
        return False
    return _is_all_of_a_kind(resource)


def _is_all_of_a_kind(name: str) -> bool:
    """Return whether a name, or the end of an ARN, is any name."""
    return _ALL_OF_A_KIND.fullmatch(name.split(":", _BEFORE_RESOURCE)[-1]) is not None


def _statements(document: Any) -> Iterator[Mapping[str, Any]]:
    """Give the statements that allow something.

    Args:
        document: A policy, or its JSON, which may be percent-encoded, as IAM sends it.

    Raises:
        ValueError: It is no policy.
    """
    if isinstance(document, str):
        is_encoded = document.startswith("%")
        document = json.loads(unquote(document) if is_encoded else document)
    if not isinstance(document, Mapping) or document.get("Statement") is None:
        raise ValueError
    for statement in _as_list(document["Statement"]):
        if not isinstance(statement, Mapping):
            raise ValueError  # noqa: TRY004 - AWS's mistake, none of ours
        if statement.get("Effect") == "Allow":
            yield statement


def _principals(found: Any) -> Iterator[tuple[str, str]]:
    """Give who is meant, and as what: AWS, Service, Federated, CanonicalUser."""
    kinds = found.items() if isinstance(found, Mapping) else [("AWS", found)]
    for kind, named in kinds:
        for one in _as_list(named):
            yield str(kind), str(one)


def _demanded(statement: Mapping[str, Any]) -> Iterator[_Demand]:
    """Give what must be as a condition names it, or the statement allows nothing."""
    found = statement.get("Condition")
    for operator, tests in found.items() if isinstance(found, Mapping) else ():
        if _OPERATOR.fullmatch(operator) and isinstance(tests, Mapping):
            for key, values in tests.items():
                yield operator.lower(), key.lower(), list(map(str, _as_list(values)))


def _names_somebody(demanded: Iterable[_Demand], provider: str) -> bool:
    """Return whether it says who may call, of all whom a provider may let in."""
    claims = {f"{provider}:{one}" for one in ("sub", _SHARED.get(provider, "sub"))}
    naming = {**_NAMING, **dict.fromkeys(claims, _CLAIM)}
    for operator, key, values in demanded:
        name = naming.get(key)
        if name and "arn" in operator:
            name = _NAME_BY_PARTS
        if name and values and all(map(name.fullmatch, values)):
            return True
    return False


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
