"""AWS says what it likes: a name, an error, a shape that nobody documents."""

from collections.abc import Mapping
from typing import Any

import pytest

from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.session import AwsError, Session
from tests.hostile import MARK, TEXTS

DESCRIBED: Mapping[str, Any] = {
    "FunctionName": "ha-bridge",
    "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:ha-bridge",
    "Timeout": 9,
    "MemorySize": 256,
    "Role": "arn:aws:iam::123456789012:role/r",
    "Environment": {"Variables": {}},
}


@pytest.mark.parametrize("key", DESCRIBED)
@pytest.mark.parametrize("odd", [None, [], {"a": None}, "", TEXTS[0]], ids=repr)
def test_an_odd_function_is_an_error_of_aws(key: str, odd: object) -> None:
    """Or a function; never anything else."""
    session = Session(lambda *_: None, "eu-west-1")
    try:
        found = Function.described(session, {**DESCRIBED, key: odd})
    except AwsError:
        return
    assert found.region == "eu-west-1"


@pytest.mark.parametrize("text", TEXTS)
def test_an_error_of_aws_has_a_name(text: str) -> None:
    """Any other text is left out."""
    assert MARK not in AwsError(text).code
