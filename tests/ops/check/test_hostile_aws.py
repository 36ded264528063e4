"""AWS says what it likes: a name, an error, a shape that nobody documents."""

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError, CredentialRetrievalError
from moto import mock_aws

from ha_bridge.redaction import REDACTED
from ha_bridge_ops.adopt.exchange import ProofError, prove
from ha_bridge_ops.adopt.translate import hiding
from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.session import (
    AwsError,
    Session,
    boto3_clients,
    call,
    logins,
    refused,
)
from ha_bridge_ops.aws.version import Live, Settings, Version
from ha_bridge_ops.check.context import Context
from ha_bridge_ops.check.search import credentials
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.processes import said
from tests.hostile import MARK, ODD, TEXTS, assert_hidden

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
    assert "93" not in AwsError("93.184.216.34").code


def raises(error: Exception) -> Callable[..., None]:
    def refuse(**_request: Any) -> None:
        raise error

    return refuse


def words_of(error: Exception, **request: Any) -> str:
    with pytest.raises(AwsError) as raised:
        call(raises(error), **request)
    return raised.value.words


def test_what_this_machine_says_is_no_word_of_aws() -> None:
    """A program that gives credentials may write a secret where it fails."""
    error = CredentialRetrievalError(provider="custom-process", error_msg=MARK)
    assert words_of(error) == ""


def test_a_program_that_is_not_there_is_no_refusal_of_aws() -> None:
    """`setup` and `adopt` say that nobody was asked, and not what the program said."""
    with pytest.raises(AwsError) as raised:
        call(raises(FileNotFoundError(MARK)))
    with pytest.raises(CommandError, match="not asked: FileNotFoundError") as told:
        refused(raised.value)
    assert MARK not in told.value.message


SENT = "eyJhbGciOi.a-token-of-the-home"


@pytest.mark.parametrize("name", ["TOKEN", "DEBUG", "NOT_VERIFY_SSL", "BASE_URL"])
@pytest.mark.parametrize(
    ("code", "operation", "is_kept"),
    [
        ("ValidationException", "Update", True),
        ("SignatureDoesNotMatch", "Update", False),
        ("IncompleteSignatureException", "Update", False),
        ("ValidationException", "CreateOAuth2Token", False),
        ("InvalidGrantException", "CreateToken", False),
        ("UnauthorizedException", "GetRoleCredentials", False),
        ("ValidationError", "AssumeRole", False),
        ("ValidationError", "AssumeRoleWithWebIdentity", False),
    ],
)
def test_aws_repeats_no_secret_that_it_was_sent(
    name: str,
    code: str,
    operation: str,
    is_kept: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither a variable's value, nor what logs this machine in; the rest is kept.

    But for what was signed, and for what botocore asks to log in: its token may be of
    a file that nobody here has read.
    """
    monkeypatch.setenv("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjEJj")
    said = f"Value '{{{name}={SENT}}}' at 'environment.variables': IQoJb3JpZ2luX2VjEJj"
    error = ClientError({"Error": {"Code": code, "Message": said}}, operation)
    requests: tuple[dict[str, Any], ...] = (
        {"Environment": {"Variables": {name: SENT}}},
        {"Name": SENT, "WithDecryption": True},  # where the name of one should be
    )
    for request in requests:
        words = words_of(error, **request)
        assert ("at 'environment.variables'" in words) is is_kept
        for secret in (SENT, "IQoJb3JpZ2luX2VjEJj"):
            assert_hidden(secret, secret, words)
            refusal = ClientError({"Error": {"Code": secret}}, "Update")
            with pytest.raises(AwsError, match="without a name"):
                call(raises(refusal), **request)


@mock_aws
def test_aws_repeats_no_login_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What botocore finds in ~/.aws and sends, SAM's words included."""
    token = "AQoDYXdzEJr/of+a+role/and/of=="
    file = tmp_path / "credentials"
    file.write_text(
        "[x]\naws_access_key_id = A\naws_secret_access_key = B\n"
        f"aws_session_token = {token}\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    client = boto3_clients("x")("sts", "eu-west-1")
    call(client.get_caller_identity)
    for write in (str, quote, lambda text: text.encode().hex()):
        refused = {"Error": {"Code": "X", "Message": f"What is {write(token)}?"}}
        words = words_of(ClientError(refused, "Get"))
        assert words == f"What is {REDACTED}?"
        assert write(token) not in said(f"What is {write(token)}?", {}, logins())


@pytest.mark.parametrize("name", ["LONG_LIVED_ACCESS_TOKEN", "DEBUG", "BASE_URL", "X"])
def test_an_update_that_fails_repeats_no_variable(name: str) -> None:
    """Wherever a token was pasted by mistake."""

    class Lambda:
        def get_function_configuration(self, **_request: Any) -> Any:
            return {
                **DESCRIBED,
                "Environment": {"Variables": {name: SENT}},
                "LastUpdateStatus": "Failed",
                "LastUpdateStatusReason": f"{{'{name}={SENT}}} cannot be",
            }

    session = Session(lambda *_: Lambda(), "eu-west-1")
    live = Live(Function.described(session, DESCRIBED))
    with pytest.raises(AwsError, match="UpdateFailed") as raised:
        live.is_at(Version(b"", Settings("", "", 1, 1, {})))
    assert "cannot be" in raised.value.words
    assert_hidden(SENT, SENT, raised.value.words)


GATE = "a-secret-of-Cloudflare-Access"
OTHER = "Sup3r-S3cret+Value/9z"


@pytest.mark.parametrize(
    "probe",
    [
        {"http": {"status": 200}},
        {"http": {"error": f"no {GATE}"}},
        f"no {GATE}",
    ],
    ids=["discovery", "way", "probe"],
)
def test_a_home_that_repeats_what_it_was_sent_shows_it_to_nobody(probe: object) -> None:
    """`adopt` sends token and gate in a Discovery, and says what came instead."""

    class Lambda:
        def invoke(self, **request: Any) -> Any:
            if b"ha_bridge" in request["Payload"]:
                answer: Any = {"ha_bridge": {"probe": probe}}
            else:
                said = f"no: {SENT}, {GATE}, {OTHER}"
                answer = {"event": {"payload": {"message": said}}}
            return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    session = Session(lambda *_: Lambda(), "eu-west-1")
    headers = json.dumps({"CF-Access-Client-Secret": GATE})
    variables = {"BASE_URL": "https://home.example.org", "EXTRA_HEADERS": headers}
    hide = hiding({**variables, "OTHER": OTHER})
    with pytest.raises(ProofError, match="no") as raised:
        prove(Live(Function.described(session, DESCRIBED)), SENT, hide)
    assert_hidden(GATE, GATE, str(raised.value))
    assert_hidden(SENT, SENT, str(raised.value))
    assert OTHER[:12] not in str(raised.value)


@pytest.mark.parametrize("answer", ODD, ids=lambda one: repr(one)[:20])
def test_an_odd_identity_is_a_finding(answer: object) -> None:
    """Whatever AWS says of who is logged in."""

    class Sts:
        def get_caller_identity(self) -> object:
            return answer

    assert credentials(Context({}, aws=lambda *_: Sts()))
