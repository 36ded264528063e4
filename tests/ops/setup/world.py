"""What setup reaches: a home behind TLS, moto's AWS, and Amazon on loopback.

As `python world.py ARGUMENTS…` it is `ha-bridge setup ARGUMENTS…` in that world, in a
process that can be killed.
"""

import io
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import boto3
from botocore.exceptions import NoCredentialsError

from ha_bridge.probe import examine
from ha_bridge.settings import parse_address
from ha_bridge_ops.aws.session import MakeClient
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.code_page import write_what_it_can
from ha_bridge_ops.commands.setup import setup
from ha_bridge_ops.setup.desk import Outside
from tests.worlds.home import PUBLIC, URL, dialler, resolver

REGION = "eu-west-1"
STACK = "ha-bridge"

#: Hears of each call, after it.
Told = Callable[[str], None]


def nobody(_call: str) -> None:
    """Hear nothing."""


@dataclass
class Aws:
    """moto's, with what it lacks: it runs no function, and keeps no skill's id."""

    home: int
    """The port behind which the home is."""
    told: Told = nobody
    is_logged_in: bool = True

    def clients(self, _profile: str | None) -> MakeClient:
        return lambda service, region: _Client(self, service, region or REGION)

    def heard(self, call: str) -> None:
        self.told(call)


class _Client:
    def __init__(self, aws: Aws, service: str, region: str) -> None:
        self._aws, self._service, self._region = aws, service, region

    def __getattr__(self, name: str) -> Any:
        own = vars(_Client).get(f"_own_{name}") if self._service == "lambda" else None
        real = real_client(self._service, self._region)
        method = partial(own, self) if own else getattr(real, name)

        def call(*names: Any, **request: Any) -> Any:
            if not self._aws.is_logged_in:
                raise NoCredentialsError
            answer = method(*names, **request)
            self._aws.heard(f"{self._service}.{name}")
            return answer

        return call

    def _own_invoke(self, **request: Any) -> Any:
        assert json.loads(request["Payload"]) == {"ha_bridge": {"probe": {}}}
        report = examine(
            parse_address(URL),
            time.monotonic() + 8,
            resolve=resolver(PUBLIC),
            dial=dialler(self._aws.home),
        )
        answer = {"ha_bridge": {"probe": report}}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    def _own_get_policy(self, **request: Any) -> Any:
        answer = real_client("lambda", self._region).get_policy(**request)
        policy = json.loads(answer["Policy"])
        for one in policy["Statement"]:
            token = {"lambda:EventSourceToken": skill_of(stacks(self._region)[0])}
            one["Condition"] = {"StringEquals": token}
        return {**answer, "Policy": json.dumps(policy)}


@cache
def real_client(service: str, region: str) -> Any:
    """Return a client; making one takes longer than asking it."""
    return boto3.client(service, region_name=region)


def stacks(region: str = REGION) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = real_client(
        "cloudformation", region
    ).describe_stacks()["Stacks"]
    return found


def skill_of(stack: dict[str, Any]) -> str | None:
    """Return the skill that a stack lets call its function."""
    parameters = {
        one["ParameterKey"]: str(one["ParameterValue"])
        for one in stack.get("Parameters", [])
    }
    return parameters.get("SkillId")


class Permitted(set[str]):
    """The skills that may call the function: those that a stack was told."""

    def __contains__(self, skill_id: object) -> bool:
        return any(skill_of(stack) == skill_id for stack in stacks())


def context_of(home: int, **more: Any) -> Callable[..., Context]:
    """Return what looks at a home whose address is a public one."""
    return partial(Context, resolve=resolver(PUBLIC), dial=dialler(home), **more)


def main() -> None:
    """Be the command, whose home is at the port that WORLD_HOME names."""
    for stream in (sys.stdout, sys.stderr):
        write_what_it_can(stream)
    home = int(os.environ["WORLD_HOME"])
    aws = Aws(home)
    outside = Outside(clients=aws.clients, context=context_of(home))
    setup.main(prog_name="ha-bridge setup", obj=outside)


if __name__ == "__main__":
    main()
