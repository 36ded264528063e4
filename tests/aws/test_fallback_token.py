"""The token for the console's test, kept in Secrets Manager, as Home Assistant gets it.

The console stores a secret as a JSON object with a key; people paste a text, too.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ha_bridge.bridge import Bridge
from ha_bridge.connection import Connector
from ha_bridge.home_assistant import HomeAssistant
from ha_bridge.secrets import SecretReader
from ha_bridge.settings import Settings
from tests.directives import event
from tests.fakes.behaviours import answer_directive
from tests.fakes.server import Server
from tests.oracle import assert_error

VALUE = "hunter2"
DISCOVERY = event("discovery", token=None)


def client(service: str) -> Any:
    return boto3.client(
        service,
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@contextmanager
def bridge_with(stored: str) -> Iterator[tuple[Bridge, Server]]:
    """A bridge whose fallback token is this secret, and the home it talks to."""
    with mock_aws(), Server((answer_directive,)) as server:
        client("secretsmanager").create_secret(Name="home", SecretString=stored)
        settings = Settings.from_environ(
            {
                "BASE_URL": server.url,
                "LONG_LIVED_ACCESS_TOKEN": "secretsmanager:home",
            }
        )
        home_assistant = HomeAssistant(Connector(settings.address))
        yield Bridge(settings, home_assistant, secrets=SecretReader(client)), server
        home_assistant.close()


@pytest.mark.parametrize(
    "stored",
    [VALUE, json.dumps({"token": VALUE}), json.dumps({"x": f" {VALUE}\n"}, indent=2)],
    ids=["a text", "one key", "with spaces"],
)
def test_the_only_value_is_the_token(stored: str) -> None:
    """Whatever the key is called."""
    with bridge_with(stored) as (bridge, server):
        answer = bridge.answer(DISCOVERY)
        assert answer["event"]["header"]["name"] == "Response"
        assert server.requests[0].headers["authorization"] == f"Bearer {VALUE}"


@pytest.mark.parametrize(
    "stored",
    [{"a": VALUE, "b": VALUE}, {}, {"a": {"b": VALUE}}, {"a": 7}, {"a": ""}],
    ids=["two", "none", "an object", "a number", "empty"],
)
def test_an_object_without_one_value_is_never_sent(
    stored: object, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named as what is wrong, and none of it is shown."""
    with bridge_with(json.dumps(stored)) as (bridge, server):
        answer = bridge.answer(DISCOVERY)
        assert_error(answer, None, DISCOVERY)
        assert server.requests == []
    message = answer["event"]["payload"]["message"]
    assert answer["event"]["payload"]["type"] == "INTERNAL_ERROR"
    assert "LONG_LIVED_ACCESS_TOKEN" in message
    assert "JSON" in message or "empty" in message
    assert VALUE not in message + caplog.text
