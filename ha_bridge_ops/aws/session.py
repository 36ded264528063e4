"""Clients of AWS's services, one error for whatever they raise, one way to call."""

import functools
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn, ParamSpec, TypeVar

from ha_bridge.redaction import Secret
from ha_bridge_ops import grammar
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.outside import quoted, without

P = ParamSpec("P")
T = TypeVar("T")

#: Pages of a list that are read at most; AWS puts 50 entries on one, or 100.
_PAGES: Final = 40

#: Gives the client of an AWS service in a region, as boto3.Session.client does.
MakeClient = Callable[[str, str | None], Any]


#: What AWS calls its errors, and botocore its exceptions; an address is none of them.
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9._]{0,79}(?: \d{3})?|\d{3}")


class AwsError(Exception):
    """AWS did not give what was asked for.

    Args:
        code: Its error code, or the name of botocore's exception.
        words: What AWS itself said, in one line; none of this machine's.
        is_answer: Whether AWS said so, and not what runs here.
    """

    def __init__(self, code: str, words: str = "", *, is_answer: bool = True) -> None:
        self.code = code if _CODE.fullmatch(code) else "an error without a name"
        self.words = words
        self._is_answer = is_answer
        super().__init__(self.code)

    @property
    def is_not_there(self) -> bool:
        """Whether what was asked for does not exist, as far as we may know."""
        return self.code in _NOT_THERE

    @property
    def is_no_login(self) -> bool:
        """Whether this machine has no credentials for AWS."""
        return self.code in _NO_LOGIN

    @property
    def is_offline(self) -> bool:
        """Whether AWS was not reached at all."""
        return self.code in _OFFLINE

    @property
    def is_misconfigured(self) -> bool:
        """Whether AWS was not asked, because of how this machine is to log in."""
        return not self._is_answer and self.code not in _OTHERWISE


#: botocore's exceptions for a network that leads nowhere.
_OFFLINE = frozenset(
    {
        "ConnectTimeoutError",
        "ConnectionClosedError",
        "EndpointConnectionError",
        "ProxyConnectionError",
        "ReadTimeoutError",
        "SSLError",
    }
)

#: What botocore raises where it finds nobody to be.
_NO_LOGIN = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"}
)

#: What botocore raises without an answer, and for no mistake of ~/.aws/config: a login
#: that has ended, and what it does not read or send.
_OTHERWISE: Final = (
    _OFFLINE
    | _NO_LOGIN
    | {"LoginAuthorizationCodeError", "LoginInsufficientPermissions", "LoginError"}
    | {"LoginRefreshRequired", "LoginTokenLoadError", "NoAuthTokenError", "SSOError"}
    | {"SSOTokenLoadError", "TokenRetrievalError", "UnauthorizedSSOTokenError"}
    | {"HTTPClientError", "ParamValidationError", "ResponseParserError"}
    | {"ResponseStreamingError"}
)

#: Error codes by which AWS says that something is not there, or not for us.
_NOT_THERE = frozenset(
    {"ResourceNotFoundException", "ResourceNotFound", "NoSuchEntity"}
)


#: In error codes with which AWS may write out the request, a session's token included:
#: IncompleteSignature, InvalidSignatureException, SignatureDoesNotMatch and more.
_REPEATS_WHAT_WAS_SIGNED: Final = "Signature"

#: In operations by which botocore itself logs in, of sts, sso, sso-oidc and signin:
#: what opens an account is in their bodies, and none of them is one of ours.
_LOGS_IN: Final = re.compile("Assume|Credentials|Token")

#: What botocore signs and sends with each request.
#: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html
_SECRET_VARIABLES: Final = (
    *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
    "LONG_LIVED_ACCESS_TOKEN",
)

#: Headers in which logins are sent that need not stand in a variable: a session's token
#: from ~/.aws or from a program, and that of the single sign-on.
_OF_A_LOGIN: Final = re.compile(r"x-amz-.*token", re.IGNORECASE)

#: What AWS was sent in them by this process.
_SENT: Final[set[str]] = set()

_SWITCH: Final = grammar.matching("[A-Za-z]{0,20}|[0-9]")

#: Variables of a function whose values may be shown, where they look like that: any
#: text was a yes once, and what is pasted into the wrong field is a secret.
_PLAIN: Final[Mapping[str, grammar.Grammar]] = {
    "BASE_URL": grammar.base_url,
    "NOT_VERIFY_SSL": _SWITCH,
    "DEBUG": _SWITCH,
}

#: What reading an answer raises that has not the shape that AWS documents.
ODD_SHAPE: Final = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError),
    *(TypeError, ValueError),
)

#: What is said of it.
UNREADABLE: Final = "an answer that cannot be read"


def call(method: Callable[..., Any], **request: Any) -> Any:
    """Return AWS's answer.

    Raises:
        AwsError: Whatever botocore raises.
    """
    try:
        return method(**request)
    except Exception as error:  # noqa: BLE001 - boto3 need not be there to import from
        response = getattr(error, "response", None)
        found = response.get("Error") if isinstance(response, dict) else None
        details = found if isinstance(found, dict) else {}
        code = str(details.get("Code") or type(error).__name__)
        # What botocore says by itself may be what `credential_process` wrote.
        words = " ".join(str(details.get("Message") or "").split())
        operation = str(getattr(error, "operation_name", ""))
        if _REPEATS_WHAT_WAS_SIGNED in code or _LOGS_IN.search(operation):
            words = ""
        code, words = (without(_sent(request), said) for said in (code, words))
        raise AwsError(code, words, is_answer=isinstance(response, dict)) from None


def logins() -> Iterator[Secret]:
    """Give what this process has sent to AWS to log in, wherever it came from."""
    yield from map(Secret, _SENT)


def _remember(request: Any, **_: Any) -> None:
    """Keep what botocore sends in a request to log in."""
    for name, value in request.headers.items():
        if _OF_A_LOGIN.fullmatch(name):
            _SENT.add(value if isinstance(value, str) else value.decode("latin-1"))


def _sent(request: Mapping[str, Any]) -> Iterator[Secret]:
    """Give the secrets that AWS was sent, and may repeat where it refuses."""
    yield from logins()
    for name in _SECRET_VARIABLES:
        if value := os.environ.get(name, ""):
            yield Secret(value)
    if "WithDecryption" in request:  # in whose place somebody may have put the secret
        yield Secret(str(request["Name"]))
    environment = request.get("Environment")
    if isinstance(environment, Mapping):
        yield from secrets_in(environment.get("Variables", {}))


def secrets_in(variables: Mapping[str, Any]) -> Iterator[Secret]:
    """Give the values of a function's variables that may be shown nowhere."""
    for name, value in variables.items():
        # Others, such as true and false, are words of any sentence.
        if value and plain_value(name, str(value)) is None:
            yield Secret(str(value))


def plain_value(name: str, value: str) -> str | None:
    """Return the value of a function's variable as it may be shown, or None."""
    read = _PLAIN.get(name)
    return read(value) if read is not None else None


def reads_aws(read: Callable[P, T]) -> Callable[P, T]:
    """Make an AwsError of an answer that has not the shape that AWS documents.

    It decorates whatever looks into answers: who asks has one error to expect.
    """

    @functools.wraps(read)
    def reading(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return read(*arguments, **named)
        except ODD_SHAPE:
            raise AwsError("UnreadableAnswer", UNREADABLE) from None

    return reading


def how_to_log_in() -> str:
    """Return what to do on a machine without credentials, in a sentence or two."""
    if shutil.which("aws"):
        do = "type `aws configure`"
    else:
        # What it would write; https://docs.aws.amazon.com/cli/v1/userguide/cli-configure-files.html
        file = Path.home() / ".aws" / "credentials"
        do = (
            f"put three lines into {file}: [default], aws_access_key_id = …, "
            "aws_secret_access_key = …"
        )
    return (
        "This machine has no credentials for AWS. Make an access key in the AWS "
        f"console (your name in the upper right corner, Security credentials) and "
        f"{do}. Or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or type it in AWS "
        "CloudShell, where they are there already."
    )


class Session:
    """AWS with the credentials of this machine.

    Args:
        make: Gives the clients.
        region: Where to ask if nothing else is said.
    """

    def __init__(self, make: MakeClient, region: str) -> None:
        self._make = make
        self._region = region

    def client(self, service: str, region: str | None = None) -> Any:
        """Return the client of a service.

        Raises:
            AwsError: boto3 refuses to make one.
        """
        return call(lambda: self._make(service, region or self._region))


def refused(error: AwsError, then: str = "") -> NoReturn:
    """Say what AWS did not do.

    Args:
        error: What it raised.
        then: What to do when that is solved, in a sentence.

    Raises:
        CommandError: This machine has no credentials; with what to type.
        RefusedError: AWS said no.
    """
    if error.is_no_login:
        raise CommandError(f"{how_to_log_in()} {then}".strip()) from None
    if error.is_misconfigured:
        raise CommandError(
            f"AWS was not asked: {error.code}, by how this machine is to log in. Look "
            "at the profile in ~/.aws/config, and at the program that it names for "
            f"credentials, if there is one. {then}".strip()
        ) from None
    words = f", {quoted(error.words)}" if error.words else ""
    raise RefusedError(f"AWS refused: {error.code}{words}. {then}".strip()) from None


def boto3_clients(profile: str | None = None) -> MakeClient:
    """Return what gives real clients.

    Args:
        profile: Of the AWS command line; None for the one it would take.

    Raises:
        CommandError: boto3 is not installed.
    """
    try:
        import boto3  # noqa: PLC0415 - it takes long
        from botocore.config import Config  # noqa: PLC0415
    except ImportError:
        raise CommandError(
            "AWS cannot be asked without boto3: pip install boto3."
        ) from None
    # A probe may take as long as the function may.
    config = Config(
        connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2}
    )

    def client(service: str, region: str | None) -> Any:
        session = boto3.Session(profile_name=profile)
        # Also of the clients that botocore makes to log in; it is signed before.
        session.events.register("request-created", _remember)
        return session.client(service, region_name=region, config=config)

    return client


def listed(method: Callable[..., Any], key: str, **request: Any) -> Iterator[Any]:
    """Give the entries of a list of AWS's that may be of several pages.

    Args:
        method: A method of a client whose request has a `Marker`, as those of Lambda
            and IAM.
        key: Of the entries in its answer.
        request: Its other arguments.

    Raises:
        AwsError: AWS refuses, or the list does not end.
    """
    for _ in range(_PAGES):
        page = call(method, **request)
        yield from page[key]
        marker = page.get("NextMarker") or page.get("Marker")
        if not marker:
            return
        request["Marker"] = marker
    raise AwsError("TooManyPages")
