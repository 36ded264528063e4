"""Functions as others have made them, in an AWS that keeps revisions and has bad days.

The old scripts are rebuilt from what their documentation says: which file, which
handler, which settings; what they answer is their name.
"""

import functools
import io
import itertools
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from ha_bridge_ops.aws.function import Function, functions_in
from ha_bridge_ops.aws.session import Session
from ha_bridge_ops.aws.version import Live
from ha_bridge_ops.commands.adopt import adopt
from tests.aws.conftest import function_code, function_configuration

REGION = "eu-west-1"
NAME = "home"

#: Answers with its name, as an event of Alexa's.
_OLD = """\
import os

#: Reads BASE_URL, posts to /api/alexa/smart_home, wants payloadVersion 3.
def {handler}(event, context):
    event["directive"]
    return {{"event": {{"header": {{"name": "{name}"}}, "payload": {{}}}}}}
"""

HAASKA = {"url": "https://home.example.org:8123/api", "ssl_verify": True}


def zipped(files: Mapping[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return target.getvalue()


@dataclass(frozen=True)
class Old:
    """A function of others."""

    code: bytes
    handler: str
    variables: Mapping[str, str]
    runtime: str = "python3.9"


def script(**variables: str) -> Old:
    """Return the script of Home Assistant's guide, pasted into the console."""
    text = _OLD.format(handler="lambda_handler", name="script")
    return Old(
        zipped({"lambda_function.py": text}),
        "lambda_function.lambda_handler",
        {"BASE_URL": "https://home.example.org", **variables},
    )


def haaska(**config: Any) -> Old:
    """Return haaska, with its settings in the zip and its libraries beside it."""
    return Old(
        zipped(
            {
                "haaska.py": _OLD.format(handler="event_handler", name="haaska"),
                "config.json": json.dumps({**HAASKA, **config}),
                "urllib3/__init__.py": "raise ImportError('an old one')",
                "requests/__init__.py": "",
            }
        ),
        "haaska.event_handler",
        {},
    )


def haaska_of_version_2() -> Old:
    """Return one of the time before 2018, whose devices have other ids."""
    text = 'NAMESPACE = "Alexa.ConnectedHome.Control"'
    files = {"haaska.py": text, "config.json": json.dumps(HAASKA)}
    return Old(zipped(files), "haaska.event_handler", {})


def haaska_with(config: str) -> Old:
    """Return one with this text as its settings."""
    files = {"haaska.py": "", "config.json": config}
    return Old(zipped(files), "haaska.event_handler", {})


def unzipped(old: Old) -> list[tuple[str, str]]:
    """Return the files of its zip."""
    with zipfile.ZipFile(io.BytesIO(old.code)) as archive:
        return [(name, archive.read(name).decode()) for name in archive.namelist()]


def ha_alexa(**variables: str) -> Old:
    """Return ha-alexa, whose service token is in the Parameter Store."""
    handler = "alexa_smart_home_handler"
    text = _OLD.format(handler="lambda_handler", name="ha-alexa")
    return Old(
        zipped({f"{handler}.py": text, "parameter_store.py": ""}),
        f"{handler}.lambda_handler",
        {
            "BASE_URL": "https://home.example.org",
            "CF_CLIENT_ID": "/ha-alexa/cloudflare-client-id",
            "CF_CLIENT_SECRET": "/ha-alexa/cloudflare-client-secret",
            **variables,
        },
        "python3.13",
    )


def something_else() -> Old:
    text = "def lambda_handler(event, context): return None\n"
    return Old(
        zipped({"lambda_function.py": text}),
        "lambda_function.lambda_handler",
        {"BASE_URL": "https://home.example.org"},
    )


#: Decides about a call, by its number and name: None, or what goes wrong.
Fault = Callable[[int, str], "Trouble | None"]


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with one call."""

    code: str
    is_done: bool = False
    """Whether AWS did it all the same, and only its answer was lost."""
    is_kill: bool = False
    """Whether it is the command that ends, as with Ctrl-C."""


@dataclass
class Aws:
    """moto's, with revisions, and with an answer of the code that is there."""

    fault: Fault = lambda _number, _name: None
    calls: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    """Who would have answered a directive, after each call."""
    runs_for_real: bool = False
    logging: dict[str, str] = field(
        default_factory=lambda: {"LogFormat": "Text", "LogGroup": "/aws/lambda/home"}
    )
    """What moto does not keep."""
    environment: dict[str, Any] | None = None
    """What AWS says in place of the variables."""
    broken: bool = False
    """Whether the new code fails its probe."""

    def session(self) -> Session:
        return Session(self._client, REGION)

    def _client(self, service: str, region: str | None) -> Any:
        made = client(service, region)
        return _Lambda(made, self) if service == "lambda" else made

    def put(self, old: Old, name: str = NAME) -> None:
        """Create a function of others."""
        role = self._role()
        client("lambda", REGION).create_function(
            FunctionName=name,
            Runtime=old.runtime,
            Role=role,
            Handler=old.handler,
            Code={"ZipFile": old.code},
            Timeout=3,
            MemorySize=128,
            Environment={"Variables": dict(old.variables)},
        )

    @staticmethod
    def _role() -> str:
        iam = client("iam", REGION)
        names = [one["RoleName"] for one in iam.list_roles()["Roles"]]
        if "old" not in names:
            iam.create_role(RoleName="old", AssumeRolePolicyDocument="{}")
        arn: str = iam.get_role(RoleName="old")["Role"]["Arn"]
        return arn

    def live(self) -> Live:
        (function,) = functions_in(self.session(), REGION, NAME)
        return self.live_of(function)

    def live_of(self, function: Function) -> Live:
        """Return what changes a function here."""
        mine = replace(function, session=self.session())
        return Live(mine, fetch=lambda _url: code_now(), sleep=lambda _s: None)


@functools.cache
def client(service: str, region: str | None) -> Any:
    """Return a client of moto's; making one takes longer than asking it."""
    return boto3.client(service, region_name=region)


def code_now() -> bytes:
    return function_code(NAME, REGION)


def configuration_now() -> dict[str, Any]:
    return function_configuration(NAME, REGION)


class _Lambda:
    """moto's client, with what moto does not do."""

    _revisions = itertools.count(1)

    def __init__(self, client: Any, aws: Aws) -> None:
        self._client = client
        self._aws = aws

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name == "get_paginator":
            return method

        def call(**arguments: Any) -> Any:
            self._aws.calls.append(name)
            trouble = self._aws.fault(len(self._aws.calls), name)
            if trouble and not trouble.is_done:
                raise _raised(trouble, name)
            guard = arguments.pop("RevisionId", None)
            if guard is not None and guard != revision():
                raise _raised(Trouble("PreconditionFailedException"), name)
            logging = arguments.pop("LoggingConfig", None)
            if name == "invoke":
                answer = self._invoked(json.loads(arguments["Payload"]))
            else:
                answer = method(**arguments)
            if logging is not None:
                # AWS fills in what is usual, and knows no levels of plain text.
                assert logging["LogFormat"] == "JSON" or len(logging) == 2
                self._aws.logging = logging
            self._aws.seen.append(who_answers())
            if trouble:
                raise _raised(trouble, name)
            return self._completed(answer)

        return call

    def _completed(self, answer: Any) -> Any:
        if isinstance(answer, dict):
            for one in (answer, answer.get("Configuration")):
                if isinstance(one, dict) and "CodeSha256" in one:
                    one["RevisionId"] = revision()
                    one["LoggingConfig"] = dict(self._aws.logging)
                    if self._aws.environment is not None:
                        one["Environment"] = self._aws.environment
        return answer

    def _invoked(self, event: Any) -> Any:
        body = run(event) if self._aws.runs_for_real else self._canned(event)
        return {"Payload": io.BytesIO(json.dumps(body).encode())}

    def _canned(self, event: Any) -> Any:
        if who_answers() != "new":
            return {"errorType": "KeyError", "errorMessage": "'directive'"}
        if "ha_bridge" in event:
            http = {"error": "refused"} if self._aws.broken else {"status": 401}
            return {"ha_bridge": {"probe": {"http": http}}}
        payload = {"type": "INVALID_AUTHORIZATION_CREDENTIAL"}
        return {"event": {"header": {"name": "ErrorResponse"}, "payload": payload}}


def _raised(trouble: Trouble, name: str) -> BaseException:
    if trouble.is_kill:
        return KeyboardInterrupt()
    refused: BaseException = ClientError(
        {"Error": {"Code": trouble.code, "Message": "no"}}, name
    )
    return refused


def revision() -> str:
    """Return what changes whenever the function does."""
    found = configuration_now()
    known = (found["CodeSha256"], found["Handler"], found["Runtime"], found["Timeout"])
    return str(hash((*known, str(found.get("Environment")))))


def who_answers() -> str:
    """Return whether a directive now would meet the old, the new, or a half.

    It is what Lambda does: the handler's module, of the zip that is there.
    """
    found = configuration_now()
    module, _, _ = found["Handler"].rpartition(".")
    with zipfile.ZipFile(io.BytesIO(code_now())) as archive:
        names = set(archive.namelist())
        text = ""
        if f"{module}.py" in names:
            text = archive.read(f"{module}.py").decode()
    is_new_python = found["Runtime"] == "python3.13"
    has_new = "ha_bridge/bridge.py" in names or "ha_bridge_new/ha_bridge/bridge.py" in (
        names
    )
    is_new = "from lambda_function import" in text or "ha_bridge.bridge" in text
    variables = found.get("Environment", {}).get("Variables", {})
    if is_new and has_new and is_new_python and "BASE_URL" in variables:
        return "new"
    return "old" if 'event["directive"]' in text else "half"


def run(event: Any) -> Any:
    """Return what the function that is there answers: its zip, its handler."""
    found = configuration_now()
    module, _, name = found["Handler"].rpartition(".")
    code = (
        "import json, sys, importlib; sys.path.insert(0, sys.argv[1]);"
        "handler = getattr(importlib.import_module(sys.argv[2]), sys.argv[3]);"
        "print(json.dumps(handler(json.load(sys.stdin), None)))"
    )
    variables = found.get("Environment", {}).get("Variables", {})
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(io.BytesIO(code_now())) as archive:
            archive.extractall(folder)
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code, folder, module, name],
            env={"PATH": os.environ["PATH"], **variables},
            input=json.dumps(event),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        return {"errorType": "Crash", "errorMessage": done.stderr[-300:]}
    return json.loads(done.stdout)


def typed(aws: Aws, *arguments: str, answer: str = "") -> Result:
    """Run the command."""
    return CliRunner().invoke(adopt, arguments, obj=aws.live_of, input=answer)


def file_kept() -> Path:
    (found,) = Path().glob("ha-bridge-adopt-*.json")
    return found
