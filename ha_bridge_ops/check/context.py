"""What all the checks share: the outside world, and what was found so far."""

import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from ha_bridge.connection import Resolve, resolve_name
from ha_bridge.gate import Gate, complaints_of
from ha_bridge.probe import Dial, examine
from ha_bridge.redaction import Secret
from ha_bridge.secrets import READERS, SecretReader, is_reference
from ha_bridge.settings import (
    GATE_VARIABLES,
    PATH,
    Address,
    parse_address,
    parse_secret,
    parse_switch,
)
from ha_bridge_ops.aws.session import MakeClient, Session
from ha_bridge_ops.aws.version import download
from ha_bridge_ops.check.evidence import Evidence
from ha_bridge_ops.check.model import Finding, Question, Status
from ha_bridge_ops.home_client import Answer, Client
from ha_bridge_ops.local.published import Known, known
from ha_bridge_ops.outside import without
from ha_bridge_ops.regions import REGIONS

#: Seconds that Alexa waits, and no directive of ours may take longer.
#: https://developer.amazon.com/en-US/docs/alexa/smarthome/troubleshooting-guide.html
ALEXA_WAITS_S = 8.0

#: Where tokens are given, in Home Assistant and at its token endpoint.
TOKEN_PATH = "/auth/token"  # noqa: S105 - no secret

#: Puts a question, with what an empty answer stands for, and returns the answer.
Prompt = Callable[[Question, str], str]

T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    locale: str | None = None
    skill_id: str | None = None
    function: str | None = None
    region: str | None = None
    profile: str | None = None
    """Of the AWS command line."""
    client_id: str | None = None
    token_url: str | None = None
    """Where Amazon gets tokens, if not from Home Assistant itself."""


@dataclass
class Context:
    """The environment, the clock, the network and AWS, and what is known already.

    Args:
        environ: The function's variables.
        options: What was asked for.
        now: Seconds since the epoch.
        resolve: As socket.getaddrinfo.
        dial: As socket.create_connection.
        aws: Gives clients of AWS; None where it is not to be asked.
        prompt: Puts a question to the user; None if nobody is there.
        known_code: Gives what code can be told by its hash.
        fetch: Gets the code that AWS has an address for.
    """

    environ: Mapping[str, str] = field(repr=False)
    options: Options = field(default_factory=Options)
    now: Callable[[], float] = time.time
    resolve: Resolve = socket.getaddrinfo
    dial: Dial = socket.create_connection
    aws: MakeClient | None = None
    prompt: Prompt | None = None
    known_code: Callable[[], Known] = known
    fetch: Callable[[str], bytes] = download
    findings: dict[str, Finding] = field(default_factory=dict)
    secrets: list[Secret] = field(default_factory=list)
    """All that must not be shown, whatever a server may echo."""
    learnt: dict[object, Any] = field(default_factory=dict, repr=False)
    """What is known by now, by `Fact`."""

    def value(self, name: str) -> str:
        """Return a variable without the spaces around it."""
        return self.environ.get(name, "").strip()

    @cached_property
    def address(self) -> Address | None:
        """Where Home Assistant is, if BASE_URL says so."""
        try:
            return parse_address(self.value("BASE_URL"))
        except ValueError:
            return None

    @cached_property
    def verifies_tls(self) -> bool:
        """Whether the function checks the certificate."""
        try:
            return not parse_switch(self.value("NOT_VERIFY_SSL"))
        except ValueError:
            return True

    @cached_property
    def gate(self) -> Gate | None:
        """What opens a closed home; None if it is none, or what is set is wrong."""
        given = {name: parse_secret(self.value(name)) for name in GATE_VARIABLES}
        values = {name: value for name, value in given.items() if value is not None}
        if not values or any(gate_complaints(self).values()):
            return None
        if self.aws is None and any(map(is_reference, values.values())):
            return None
        return Gate(values, self.secret_reader)

    @cached_property
    def secret_reader(self) -> SecretReader:
        """What reads secrets that are kept in AWS."""
        aws, region = self.aws, self.options.region

        def client(service: str) -> Any:
            if aws is None:
                raise LookupError
            return aws(service, region)

        return SecretReader(client)

    @cached_property
    def session(self) -> Session | None:
        """AWS; None where it is not to be asked."""
        if self.aws is None:
            return None
        return Session(self.aws, self.options.region or REGIONS[0].aws_region)

    @cached_property
    def evidence(self) -> Evidence | None:
        """What the way to Home Assistant looks like from here."""
        if self.address is None:
            return None
        deadline = time.monotonic() + ALEXA_WAITS_S
        report = examine(
            self.address,
            deadline,
            gate=self.gate,
            resolve=self.resolve,
            dial=self.dial,
        )
        return Evidence(self.address, report, self.now())

    @cached_property
    def home(self) -> Client:
        """The way to ask Home Assistant.

        Raises:
            ConnectionError: Nobody listens there.
        """
        evidence = self.evidence
        if evidence is None or evidence.ip is None:
            raise ConnectionError("nobody listens")
        # Where the certificate is good, it must be at every connection.
        is_good = not evidence.tls.get("error")
        return Client(
            evidence.address,
            evidence.ip,
            self.dial,
            verify_tls=self.verifies_tls or is_good,
            gate=None if evidence.gate.get("error") else self.gate,
        )

    @cached_property
    def as_amazon(self) -> Client:
        """The way to ask as Amazon does: with nothing that opens a closed home.

        Raises:
            ConnectionError: Nobody listens there.
        """
        evidence = self.evidence
        if evidence is None or evidence.ip is None or self.gate is None:
            return self.home
        return Client(evidence.address, evidence.ip, self.dial, verify_tls=True)

    @cached_property
    def token_endpoint(self) -> Client | None:
        """The way to the token endpoint; None if Home Assistant is asked itself.

        Raises:
            OSError: Its name does not resolve.
        """
        if self.options.token_url is None:
            return None
        address = parse_address(self.options.token_url.removesuffix(TOKEN_PATH))
        deadline = time.monotonic() + ALEXA_WAITS_S
        peers = resolve_name(address.host, address.port, deadline, self.resolve)
        ip = str(peers[0].sockaddr[0])
        return Client(address, ip, self.dial, verify_tls=True)

    def hide(self, text: str) -> str:
        """Return a text from outside without what is secret, whoever echoed it."""
        token = self.value("LONG_LIVED_ACCESS_TOKEN")
        known = [*self.secrets]
        if token.partition(":")[0] not in READERS:
            known.append(Secret(token))
        shown = without(known, text)
        return self.gate.hide(shown) if self.gate is not None else shown

    def close(self) -> None:
        """Close the connection to Home Assistant, if there is one."""
        for name in ("home", "as_amazon", "token_endpoint"):
            if (client := vars(self).get(name)) is not None:
                client.close()

    def forget(self) -> None:
        """Forget what was learnt, because it has been changed since."""
        self.findings.clear()
        self.learnt.clear()

    def is_fine(self, link: str) -> bool:
        """Return whether a link was found to be neither failed nor skipped."""
        found = self.findings.get(link)
        return found is not None and found.status in (Status.OK, Status.WARNING)

    def why_no_secret_may_be_sent(self) -> str | None:
        """Return why nothing secret may be sent to this address, or None."""
        evidence = self.evidence
        if evidence is None:
            return "there is no address"
        if not evidence.is_home_assistant:
            return "Home Assistant was not seen at this address"
        if evidence.tls.get("error") and self.verifies_tls:
            return "the certificate is not trusted, so nothing secret is sent"
        for link in ("ha.trusted_proxies", "ha.banned"):
            if not self.is_fine(link):
                return "Home Assistant answers nothing to this address"
        return None

    def directive(self, event: object, token: Secret) -> Answer:
        """Return the answer to a directive, sent as the function sends it.

        Raises:
            OSError: The network failed.
            HTTPException: What came back is not HTTP.
        """
        return self.home.request(
            "POST",
            PATH,
            json=event,
            token=token,
            timeout_s=ALEXA_WAITS_S,
        )


def gate_complaints(context: Context) -> dict[str, str]:
    """Return what is wrong with each variable that opens a closed home, if it is set.

    What is kept in AWS is not looked at.
    """
    found = {}
    for name in GATE_VARIABLES:
        value = parse_secret(context.value(name))
        address = context.address
        wrong = (
            complaints_of(
                {name: value},
                is_tls=address is None or address.is_tls,
                is_local=address is None or address.is_loopback,
                verify_tls=context.verifies_tls,
            )
            if value is not None
            else []
        )
        found[name] = "; ".join(wrong)
    return found


class Fact(Generic[T]):
    """Something that is learnt once, when a check first wants to know it.

    It decorates the function that finds it out:

        @Fact
        def weather(context: Context) -> Weather: ...

    `weather(context)` then gives the same answer to whoever asks, in whatever order.
    """

    def __init__(self, learn: Callable[[Context], T]) -> None:
        self._learn = learn
        self.__doc__ = learn.__doc__

    def __call__(self, context: Context) -> T:
        """Return it; find it out if nobody has yet."""
        if self not in context.learnt:
            context.learnt[self] = self._learn(context)
        found: T = context.learnt[self]
        return found

    def known(self, context: Context) -> T | None:
        """Return it if somebody has wanted to know; None otherwise."""
        found: T | None = context.learnt.get(self)
        return found
