"""The function in AWS is found by name, by ARN or by its variables."""

from pathlib import Path

import pytest

from ha_bridge_ops.aws.function import arn_of, functions_in
from ha_bridge_ops.aws.session import AwsError, Session, boto3_clients, call
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.regions import EUROPE, NORTH_AMERICA
from tests.ops.aws.conftest import REGION, SECRET, Look


def test_a_function_is_a_typed_value(look: Look) -> None:
    """What AWS calls its fields is known in one place; no value of a variable shows."""
    function = look()
    assert function.name == "ha-bridge"
    assert function.region == REGION
    assert function.timeout_s == 3
    assert function.memory_mb == 128
    assert function.runtime == "python3.13"
    assert function.role == "ha-bridge-role"
    assert function.log_group == "/aws/lambda/ha-bridge"
    assert function.variables["BASE_URL"] == "https://home.example.org"
    assert SECRET not in repr(function)


def test_a_name_is_looked_up_where_alexa_calls_it(look: Look) -> None:
    """In the region of the locale, and in no other."""
    arn = look().arn
    assert arn_of("ha-bridge", EUROPE) == arn
    with pytest.raises(CommandError, match="no function ha-bridge in us-east-1"):
        arn_of("ha-bridge", NORTH_AMERICA)


@pytest.mark.parametrize("given", ["arn:aws:lambda:x", "not a name", "a/b", ""])
def test_what_is_no_name_is_left_to_whoever_reads_arns(given: str) -> None:
    """AWS is not asked for it."""
    assert arn_of(given, EUROPE) == given


def test_a_function_without_base_url_is_none_of_ours(look: Look) -> None:
    """It is found by its name all the same."""
    function = look()
    client = function.client("lambda")
    client.update_function_configuration(
        FunctionName=function.name, Environment={"Variables": {}}
    )
    assert functions_in(function.session, REGION, None) == []
    (named,) = functions_in(function.session, REGION, "ha-bridge")
    assert named.arn == function.arn


def test_a_login_of_aws_login_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What signs for it is brought along; here nobody has logged in."""
    file = tmp_path / "config"
    session = "arn:aws:iam::123456789012:user/ann"
    file.write_text(f"[profile me]\nlogin_session = {session}\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    make = boto3_clients("me")
    assert make is not None
    with pytest.raises(AwsError) as raised:
        call(Session(make, "eu-west-1").client("sts").get_caller_identity)
    assert raised.value.code == "LoginTokenLoadError"
