"""Whatever AWS answers, who looks into it meets a value or an AwsError.

A field that is added to an answer here is covered by that, and so is a new reader.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from ha_bridge_ops.aws import entrances, logs, stacks, trail
from ha_bridge_ops.aws.deployed import Stacks
from ha_bridge_ops.aws.function import Function, functions_in
from ha_bridge_ops.aws.session import AwsError, Session
from ha_bridge_ops.aws.template import read_template, resources
from ha_bridge_ops.aws.token_endpoint import TokenEndpoint
from ha_bridge_ops.aws.version import Live, Settings, Version, sha256
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.regions import EUROPE
from tests.hostile import ODD, TEXTS, Put, places

REGION = EUROPE.aws_region
ARN = f"arn:aws:lambda:{REGION}:123456789012:function:ha-bridge"
CODE = b"PK"

CONFIGURATION: Mapping[str, Any] = {
    "FunctionName": "ha-bridge",
    "FunctionArn": ARN,
    "Timeout": 9,
    "MemorySize": 256,
    "Role": "arn:aws:iam::123456789012:role/r",
    "Handler": "lambda_function.lambda_handler",
    "Runtime": "python3.13",
    "Environment": {"Variables": {"BASE_URL": "https://home.example.org"}},
    "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/aws/lambda/x"},
    "VpcConfig": {"VpcId": "vpc-1"},
    "CodeSha256": sha256(CODE),
    "RevisionId": "r",
    "LastUpdateStatus": "Successful",
    "LastModified": "2026-11-25T10:00:00.000+0000",
    "State": "Active",
}

STATEMENT: Mapping[str, Any] = {
    "Sid": "api",
    "Effect": "Allow",
    "Principal": {"Service": "apigateway.amazonaws.com"},
    "Action": "lambda:InvokeFunction",
    "Condition": {
        "ArnLike": {"AWS:SourceArn": f"arn:aws:execute-api:{REGION}:123456789012:a/*"}
    },
}

TEMPLATE: Mapping[str, Any] = {
    "Parameters": {"A": {"Default": "x"}},
    "Conditions": {"C": {"Fn::Not": [{"Fn::Equals": [{"Ref": "A"}, ""]}]}},
    "Mappings": {"M": {"a": {"b": "c"}}},
    "Resources": {
        "HaBridge": {
            "Type": "AWS::Lambda::Function",
            "Condition": "C",
            "Properties": {
                "If": {"Fn::If": ["C", "y", {"Ref": "AWS::NoValue"}]},
                "Find": {"Fn::FindInMap": ["M", "a", "b"]},
                "Join": {"Fn::Join": [",", ["a", {"Ref": "A"}]]},
                "Sub": {"Fn::Sub": ["${A}-${b}", {"b": "x"}]},
                "Select": {"Fn::Select": ["0", {"Fn::Split": [",", "a,b"]}]},
                "GetAtt": {"Fn::GetAtt": ["x", "Arn"]},
            },
        }
    },
}


def as_text(key: str) -> Callable[[Any], dict[str, Any]]:
    """Return what makes an answer whose one text is JSON."""
    return lambda value: {key: json.dumps(value, default=str)}


def of_the_trail(event: Any) -> dict[str, Any]:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    return {
        "Events": [{"EventTime": at, "CloudTrailEvent": json.dumps(event, default=str)}]
    }


#: What AWS answers, by the call; some of it is JSON in a text.
ANSWERS: Mapping[str, Any] = {
    "get_function_configuration": CONFIGURATION,
    "get_function": {
        "Configuration": CONFIGURATION,
        "Code": {"Location": "https://code.example.org"},
    },
    "update_function_code": {},
    "update_function_configuration": {},
    "list_functions": {"Functions": [CONFIGURATION]},
    "get_policy": {"Policy": json.dumps({"Statement": [STATEMENT]})},
    "get_function_url_config": {
        "FunctionUrl": f"https://x.lambda-url.{REGION}.on.aws/",
        "AuthType": "NONE",
    },
    "list_aliases": {"Aliases": [{"Name": "live"}]},
    "list_versions_by_function": {"Versions": [{"Version": "7"}]},
    "list_function_url_configs": {
        "FunctionUrlConfigs": [{"FunctionArn": f"{ARN}:live", "AuthType": "NONE"}]
    },
    "get_function_concurrency": {"ReservedConcurrentExecutions": 3},
    "get_account_settings": {"AccountLimit": {"ConcurrentExecutions": 10}},
    "describe_stacks": {
        "Stacks": [
            {
                "StackStatus": "CREATE_COMPLETE",
                "Parameters": [{"ParameterKey": "BaseUrl", "ParameterValue": "x"}],
                "Outputs": [
                    {"OutputKey": "FunctionArn", "OutputValue": ARN},
                    {"OutputKey": "AccessTokenUri", "OutputValue": "https://x"},
                ],
            }
        ]
    },
    "delete_stack": {},
    "describe_stack_resources": {
        "StackResources": [
            {"LogicalResourceId": "HaBridge", "PhysicalResourceId": "ha-bridge"}
        ]
    },
    "get_template": {"TemplateBody": TEMPLATE},
    "lookup_events": of_the_trail({"requestParameters": {"functionName": ARN}}),
    "get_routes": {"Items": [{"RouteKey": "POST /auth/token"}]},
    "get_metric_statistics": {"Datapoints": [{"Sum": 1.0}]},
    "filter_log_events": {"events": [{"message": "x", "timestamp": 5}]},
    "invoke": {"Payload": None},
}

#: What stands in a text, and how the text is made of it.
INNER: Mapping[str, tuple[Any, Callable[[Any], Any]]] = {
    "get_policy": ({"Statement": [STATEMENT]}, as_text("Policy")),
    "lookup_events": (
        {"errorCode": None, "requestParameters": {"functionName": ARN}},
        of_the_trail,
    ),
}

#: What is no number that an answer can have.
NUMBERS = (float("inf"), float("nan"), 10**400, "9" * 5000)

DEEP = "[" * 100_000

VALUES = (*TEXTS[:6], *ODD, *NUMBERS, DEEP, datetime(1, 1, 1))  # noqa: DTZ001 - odd


class Aws:
    """Answers each call, one of them otherwise."""

    def __init__(self) -> None:
        self.answers = dict(ANSWERS)
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if name == "get_paginator":
            return lambda call: _Paginator(self, call)

        def call(**_request: Any) -> Any:
            self.asked.add(name)
            answer = self.answers[name]
            if name == "invoke":
                return {"Payload": _Body(answer)}
            return answer

        return call


class _Paginator:
    def __init__(self, aws: Aws, call: str) -> None:
        self._aws, self._call = aws, call

    def paginate(self) -> Any:
        return [getattr(self._aws, self._call)()]


class _Body:
    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def read(self) -> bytes:
        text = self._answer if isinstance(self._answer, str) else "{}"
        return text.encode("utf-8", "surrogatepass")


SETTINGS = Settings(
    "python3.13",
    "lambda_function.lambda_handler",
    9,
    256,
    {"BASE_URL": "https://home.example.org"},
    {"LogFormat": "JSON"},
)


def live(session: Session) -> Live:
    function = Function.described(session, CONFIGURATION)
    return Live(function, fetch=lambda _url: CODE, sleep=lambda _s: None)


def stack(session: Session) -> Stacks:
    return Stacks(session, REGION, sleep=lambda _s: None)


def its_function(session: Session) -> Function:
    return Function.described(session, CONFIGURATION)


def made(session: Session) -> None:
    template = stack(session).template("x")
    try:
        resources(template or {"Resources": {}}, {}, {})
    except ValueError:
        return  # which is what it promises


#: All that looks into an answer.
READERS: Mapping[str, Callable[[Session], object]] = {
    "all functions": lambda aws: functions_in(aws, REGION, None, handlers={"x"}),
    "a function": lambda aws: functions_in(aws, REGION, "ha-bridge"),
    "its version": lambda aws: "".join(live(aws).read().settings.variables.values()),
    "new code": lambda aws: live(aws).put_code(CODE),
    "new settings": lambda aws: live(aws).put_settings(SETTINGS),
    "is it at": lambda aws: live(aws).is_at(Version(CODE, SETTINGS)),
    "a stack": lambda aws: stack(aws).find("x"),
    "no stack": lambda aws: stack(aws).delete("x"),
    "its function": lambda aws: stack(aws).function("x"),
    "its template": made,
    "outputs": lambda _aws: stacks.functions_of("x", EUROPE),
    "token output": lambda _aws: stacks.token_endpoint_of("x", EUROPE),
    "its past": lambda aws: trail.changes(its_function(aws), 0, 2e9),
    "who may": lambda aws: its_function(aws).callers(),
    "its url": lambda aws: its_function(aws).open_url(),
    "its other names": lambda aws: entrances.others(its_function(aws)),
    "its urls": lambda aws: entrances.open_urls(its_function(aws)),
    "at once": lambda aws: its_function(aws).concurrency(),
    "an answer": lambda aws: its_function(aws).invoke({}),
    "token endpoint": lambda aws: TokenEndpoint.beside(its_function(aws)),
    "its apis": lambda aws: list(TokenEndpoint(its_function(aws)).api_urls()),
    "its other url": lambda aws: TokenEndpoint(its_function(aws)).url(),
    "throttles": lambda aws: logs.throttles(its_function(aws), 2e9, 24),
    "log": lambda aws: list(logs.Log(its_function(aws), 0)),
}


def changed(name: str) -> Iterator[Put]:
    """Give each place of an answer; all of it, boto3 vouches for."""
    yield from (put for where, put in places(ANSWERS[name]) if where != "all of it")
    if name in INNER:
        value, make = INNER[name]
        for _, put in places(value):
            yield lambda other, put=put, make=make: make(put(other))  # type: ignore[misc]


@pytest.mark.parametrize("reader", READERS)
def test_an_odd_answer_is_an_error_of_aws(
    reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or is read all the same: at no place of any answer does another thing end it."""
    aws = Aws()
    session = Session(lambda *_: aws, REGION)
    monkeypatch.setattr(stacks, "boto3_clients", lambda: lambda *_: aws)
    usual = READERS[reader]
    still_there = pytest.raises(AwsError, match="CREATE_COMPLETE")
    with still_there if reader == "no stack" else contextlib.nullcontext():
        usual(session)
    asked = sorted(aws.asked)
    assert asked
    for name in asked:
        for put in changed(name):
            for value in VALUES:
                aws.answers[name] = put(value)
                with contextlib.suppress(AwsError, CommandError):
                    usual(session)
        aws.answers[name] = ANSWERS[name]


# -- templates that grow ---------------------------------------------------------------


def aliases() -> str:
    lines, known = ["a: &a [x, x, x, x, x, x, x, x, x]"], "a"
    for one in "bcdefghi":
        lines.append(f"{one}: &{one} [{', '.join(['*' + known] * 9)}]")
        known = one
    return "\n".join([*lines, "Resources: {X: {Properties: {P: *i}}}"])


def with_condition(levels: int) -> dict[str, Any]:
    conditions: dict[str, Any] = {
        f"C{n}": {"Fn::And": [{"Condition": f"C{n + 1}"}] * 2} for n in range(levels)
    }
    conditions[f"C{levels}"] = {"Fn::Equals": ["x", "x"]}
    return {"Conditions": conditions, "Resources": {"X": {"Condition": "C0"}}}


def with_sub(levels: int) -> dict[str, Any]:
    value: Any = "x" * 9
    for _ in range(levels):
        value = {"Fn::Sub": ["${a}${a}", {"a": value}]}
    return {"Resources": {"X": {"Properties": {"P": value}}}}


def test_a_template_of_a_few_lines_stays_small() -> None:
    """Aliases, which CloudFormation has none of, and texts that double."""
    with pytest.raises(ValueError, match="alias"):
        read_template(aliases())
    with pytest.raises(ValueError, match="too long"):
        resources(with_sub(40), {}, {})
    joined = {"Fn::Join": ["x" * 5000, ["a", "b", "c"]]}
    with pytest.raises(ValueError, match="too long"):
        resources({"Resources": {"X": {"Properties": {"P": joined}}}}, {}, {})
    assert list(resources(with_sub(5), {}, {})) == ["X"]
    # Each is looked at once: it would not end otherwise.
    assert list(resources(with_condition(60), {}, {})) == ["X"]
    circle = {"Conditions": {"A": {"Condition": "A"}}}
    with pytest.raises(ValueError, match="recursion"):
        resources({**circle, "Resources": {"X": {"Condition": "A"}}}, {}, {})
