"""A function in AWS, as moto has it, with what moto lacks."""

import base64
import hashlib
import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from ha_bridge.probe import examine
from ha_bridge.settings import Settings
from ha_bridge_ops.check.catalogue import AWS, CHAIN
from ha_bridge_ops.check.context import Context, Options
from ha_bridge_ops.check.model import Finding
from ha_bridge_ops.commands.check import check
from ha_bridge_ops.local.published import Known
from tests.fakes.aws import kept_client
from tests.worlds.home import (
    PUBLIC,
    TOKEN,
    URL,
    dialler,
    findings,
    resolver,
)

REGION = "eu-west-1"
NAME = "ha-bridge"
GROUP = f"/aws/lambda/{NAME}"
SKILL = "amzn1.ask.skill.12345678-1234-1234-1234-123456789abc"
OTHER_SKILL = SKILL.replace("9abc", "9abd")
NOW = 1_795_000_000.0  # 2026-11-18


class Cloud:
    """A function in moto's AWS, and clients that fill moto's gaps.

    moto keeps no EventSourceToken of a permission, and runs no function.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.now = NOW
        self.skills: list[tuple[str, str | None]] = []
        self.statements: list[dict[str, Any]] = []
        self.statements_at: dict[str, list[dict[str, Any]]] = {}
        self.urls_at: list[str] = []
        self.urls_of: dict[str, str] = {}
        self.listed: dict[str, list[str]] = {}
        self.statements_of: dict[str, list[dict[str, Any]]] = {}
        self.answer: Callable[[Any], Any] = self.seen_by(port)
        self.log: list[str] = [line("Discover")]
        self.empty_pages = 0
        self.throttles = 0
        self.configuration: dict[str, Any] = {}
        self.iam: dict[str, Any] = {}
        self.refused: set[str] = set()
        self.refused_in: set[str] = set()
        self.calls: list[str] = []
        self.qualifiers: dict[str, Any] = {}
        self.at_once = 1000
        self.reserved: dict[str, dict[str, int]] = {}
        self.code = b""
        self.trail: list[tuple[float, str, dict[str, Any]]] = []
        self.known = Known("1.0.0", True, frozenset(), {}, {}, "")  # noqa: FBT003 - a row
        role = kept_client("iam", REGION).create_role(
            RoleName="ha-bridge-role", AssumeRolePolicyDocument='{"Statement": []}'
        )
        self.role = role["Role"]["Arn"]

    def deploy(self, region: str = REGION, name: str = NAME, **changes: Any) -> None:
        """Make a function as the template does, but for some changes."""
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("lambda_function.py", "")
        sha = base64.b64encode(hashlib.sha256(code.getvalue()).digest()).decode()
        self.known = replace(self.known, installed=frozenset({sha}))
        variables = {"BASE_URL": URL, "NOT_VERIFY_SSL": "false", "DEBUG": "false"}
        variables |= changes.pop("variables", {})
        kept_client("lambda", region).create_function(
            **{
                "FunctionName": name,
                "Runtime": "python3.13",
                "Role": self.role,
                "Handler": "lambda_function.lambda_handler",
                "Timeout": 9,
                "MemorySize": 256,
                "Code": {"ZipFile": code.getvalue()},
                "Environment": {"Variables": variables},
                **changes,
            }
        )
        self.allow(SKILL, region=region, name=name)

    def allow(
        self,
        skill: str | None,
        principal: str = "alexa-connectedhome.amazon.com",
        *,
        region: str = REGION,
        name: str = NAME,
    ) -> None:
        """Give the function a trigger in place of the one it has."""
        self.skills = [(principal, skill)]
        del region, name

    def seen_by(self, port: int, *addresses: str) -> Callable[[Any], Any]:
        """Return a function whose way to the home ends at a port on loopback."""

        def answer(event: Any) -> Any:
            assert event == {"ha_bridge": {"probe": {}}}
            settings = Settings.from_environ({"BASE_URL": URL})
            report = examine(
                settings.address,
                time.monotonic() + 8,
                resolve=resolver(*(addresses or (PUBLIC,))),
                dial=dialler(port),
            )
            return {"ha_bridge": {"probe": report}}

        return answer

    def client(self, service: str, region: str | None) -> Any:
        """Return a client of AWS, as the check asks for one."""
        real = kept_client(service, region) if region else boto3.client(service)
        return Client(self, service, real, refuses=region in self.refused_in)

    def look(
        self, *, environ: Mapping[str, str] | None = None, **options: Any
    ) -> dict[str, Finding]:
        """Return all that is found."""
        context = Context(
            {"BASE_URL": URL, "LONG_LIVED_ACCESS_TOKEN": TOKEN, **(environ or {})},
            Options(**options),
            now=lambda: self.now,
            resolve=resolver(PUBLIC),
            dial=dialler(self.port),
            aws=self.client,
            known_code=lambda: self.known,
            fetch=lambda _url: self.code,
        )
        return findings(context, (*CHAIN, *AWS))


class Client:
    """A client of moto's, with some answers of ours."""

    def __init__(self, cloud: Cloud, service: str, real: Any, *, refuses: bool) -> None:
        self._cloud = cloud
        self._refuses = refuses and service == "lambda"
        self._service = service
        self._real = real

    def __getattr__(self, name: str) -> Any:
        cloud = self._cloud
        cloud.calls.append(f"{self._service}.{name}")
        if self._refuses or {self._service, name} & cloud.refused:
            return refuse
        # IAM has a get_policy too.
        is_ours = self._service != "iam"
        if not is_ours and name in cloud.iam:
            return lambda **_request: cloud.iam[name]
        own = vars(Client).get(f"_own_{name}") if is_ours else None
        return partial(own, self) if own else getattr(self._real, name)

    def _own_get_policy(self, **request: Any) -> Any:
        if (name := request["FunctionName"]) in self._cloud.statements_of:
            statements = self._cloud.statements_of[name]
            return {"Policy": json.dumps({"Statement": statements})}
        # The first to be asked for is the one that is meant.
        qualifier = request.get("Qualifier", "")
        self._cloud.qualifiers.setdefault("get_policy", qualifier)
        if qualifier in self._cloud.statements_at:
            statements = self._cloud.statements_at[qualifier]
            return {"Policy": json.dumps({"Statement": statements})}
        if not self._cloud.skills:
            raise Refusal("ResourceNotFoundException")
        statements = []
        for principal, skill in self._cloud.skills:
            statement: dict[str, Any] = {
                "Effect": "Allow",
                "Principal": {"Service": principal},
                "Action": "lambda:InvokeFunction",
            }
            if skill:
                token = {"lambda:EventSourceToken": skill}
                statement["Condition"] = {"StringEquals": token}
            statements.append(statement)
        statements += self._cloud.statements
        return {"Policy": json.dumps({"Statement": statements})}

    def _own_list_aliases(self, **_request: Any) -> Any:
        return {"Aliases": self._entries("list_aliases", "Name")}

    def _own_list_versions_by_function(self, **_request: Any) -> Any:
        return {"Versions": self._entries("list_versions_by_function", "Version")}

    def _entries(self, call: str, key: str) -> list[dict[str, str]]:
        return [{key: one} for one in self._cloud.listed.get(call, [])]

    def _own_get_function_url_config(self, **request: Any) -> Any:
        if url := self._cloud.urls_of.get(request["FunctionName"]):
            return {"FunctionUrl": url, "AuthType": "NONE"}
        return self._real.get_function_url_config(**request)

    def _own_list_function_url_configs(self, **request: Any) -> Any:
        """Its own, which moto keeps, and those of aliases, which it does not."""
        try:
            found = [self._real.get_function_url_config(**request)]
        except ClientError:
            found = []
        arn = f"arn:aws:lambda:{REGION}:123456789012:function:{NAME}"
        found += [
            {"FunctionArn": f"{arn}:{one}", "AuthType": "NONE"}
            for one in self._cloud.urls_at
        ]
        return {"FunctionUrlConfigs": found}

    def _own_add_permission(self, **request: Any) -> Any:
        self._cloud.qualifiers["add_permission"] = request.pop("Qualifier", None)
        given = self._real.add_permission(**request)
        entry = (request["Principal"], request.get("EventSourceToken"))
        self._cloud.skills.append(entry)
        return given

    def _own_get_function_configuration(self, **request: Any) -> Any:
        found = self._real.get_function_configuration(**request)
        return found | self._cloud.configuration

    def _own_get_account_settings(self, **_request: Any) -> Any:
        return {"AccountLimit": {"ConcurrentExecutions": self._cloud.at_once}}

    def _own_get_function_concurrency(self, **request: Any) -> Any:
        return self._cloud.reserved.get(request["FunctionName"], {})

    def _own_invoke(self, **request: Any) -> Any:
        self._cloud.qualifiers["invoke"] = request.get("Qualifier")
        answer = self._cloud.answer(json.loads(request["Payload"]))
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    def _own_filter_log_events(self, **request: Any) -> Any:
        assert request["startTime"] == int((self._cloud.now - 86400) * 1000)
        if request["logGroupName"] != GROUP:
            raise Refusal("ResourceNotFoundException")
        page = int(request.get("nextToken", 0))
        if page < self._cloud.empty_pages:
            return {"events": [], "nextToken": str(page + 1)}
        return {"events": [{"message": one} for one in self._cloud.log]}

    def _own_lookup_events(self, **request: Any) -> Any:
        """CloudTrail's history, a page an event; moto has none."""
        (wanted,) = request["LookupAttributes"]
        assert wanted["AttributeKey"] == "EventName"
        found = [
            {
                "EventName": name,
                "EventTime": datetime.fromtimestamp(at, UTC),
                "CloudTrailEvent": json.dumps(event),
            }
            for at, name, event in self._cloud.trail
            if name == wanted["AttributeValue"]
            and request["StartTime"].timestamp() <= at <= request["EndTime"].timestamp()
        ]
        page = int(request.get("NextToken", 0))
        more = {"NextToken": str(page + 1)} if page + 1 < len(found) else {}
        return {"Events": found[page : page + 1], **more}

    def _own_get_metric_statistics(self, **request: Any) -> Any:
        assert request["MetricName"] == "Throttles"
        points = [{"Sum": float(self._cloud.throttles)}] * bool(self._cloud.throttles)
        return {"Datapoints": points}


class Refusal(Exception):  # noqa: N818 - as botocore's ClientError
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


def refuse(**_request: Any) -> Any:
    raise Refusal("AccessDeniedException")


def line(name: str, error: str = "", message: str = "answered") -> str:
    """Return a line as the function logs one in Lambda's JSON format."""
    directive = {"name": name, **({"errorType": error} if error else {})}
    level = "ERROR" if error else "INFO"
    return json.dumps({"level": level, "message": message, "directive": directive})


def type_it(cloud: Cloud, *arguments: str, **more: Any) -> Result:
    """Type `ha-bridge check` with these arguments, before this cloud."""

    def make(
        environ: Mapping[str, str], options: Options, *, needs_aws: bool
    ) -> Context:
        assert needs_aws
        return Context(
            {**environ, "BASE_URL": URL},
            options,
            now=lambda: cloud.now,
            resolve=resolver(PUBLIC),
            dial=dialler(cloud.port),
            aws=cloud.client,
        )

    return CliRunner(env={"COLUMNS": "80"}).invoke(check, arguments, obj=make, **more)
