"""Every way a directive can fail, and what Alexa is told: data, not branches.

To tell Alexa something new, add a row to `Failure`.  Nothing else in the package
decides on an error type.  What counts as which failure is in `answerers`, where
somebody answered, and in `network_errors`, where nobody did.
"""

from collections.abc import Iterable
from enum import Enum, StrEnum, unique


class ErrorType(StrEnum):
    """The types of Alexa's ErrorResponse that the bridge itself uses.

    Source: https://developer.amazon.com/en-US/docs/alexa/device-apis/alexa-errorresponse.html
    """

    ACCEPT_GRANT_FAILED = "ACCEPT_GRANT_FAILED"
    BRIDGE_UNREACHABLE = "BRIDGE_UNREACHABLE"
    EXPIRED_AUTHORIZATION_CREDENTIAL = "EXPIRED_AUTHORIZATION_CREDENTIAL"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    INVALID_AUTHORIZATION_CREDENTIAL = "INVALID_AUTHORIZATION_CREDENTIAL"
    INVALID_DIRECTIVE = "INVALID_DIRECTIVE"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"


@unique
class Failure(Enum):
    """One row a failure: the type for Alexa, the cause, and what to do about it."""

    def __init__(self, error_type: ErrorType, cause: str, fix: str) -> None:
        self.error_type = error_type
        self.cause = cause
        self.fix = fix

    # -- the event ---------------------------------------------------------------
    NOT_A_DIRECTIVE = (
        ErrorType.INVALID_DIRECTIVE,
        "The event is not a Smart Home directive",
        "It must be an object with directive.header and directive.payload; "
        "for a test take events/discovery.json.",
    )
    WRONG_PAYLOAD_VERSION = (
        ErrorType.INVALID_DIRECTIVE,
        "The directive is not of payload version 3",
        'Choose payload version 3 in the skill, or "payloadVersion": "3" in the test.',
    )
    NO_SCOPE = (
        ErrorType.INVALID_DIRECTIVE,
        "The directive has no scope",
        "A scope stands in endpoint.scope, payload.grantee or payload.scope.",
    )
    WRONG_SCOPE_TYPE = (
        ErrorType.INVALID_DIRECTIVE,
        "The scope of the directive is not a bearer token",
        "Only BearerToken and BearerTokenWithPartition carry a token "
        "for Home Assistant.",
    )
    # -- the token ---------------------------------------------------------------
    NO_TOKEN = (
        ErrorType.INVALID_AUTHORIZATION_CREDENTIAL,
        "The directive carries no token",
        "Link the account in the Alexa app; "
        "for a test set LONG_LIVED_ACCESS_TOKEN and remove it afterwards.",
    )
    UNSENDABLE_TOKEN = (
        ErrorType.INVALID_AUTHORIZATION_CREDENTIAL,
        "The token has characters that cannot stand in an HTTP header",
        "Check for line breaks and quotes picked up when it was copied.",
    )
    EXPIRED_TOKEN = (
        ErrorType.EXPIRED_AUTHORIZATION_CREDENTIAL,
        "Home Assistant refused the token, which has expired",
        "Alexa renews it by itself; if this stays, disable and enable the skill.",
    )
    REFUSED_TOKEN = (
        ErrorType.INVALID_AUTHORIZATION_CREDENTIAL,
        "Home Assistant refused the token",
        "Disable and enable the skill to link the account again; "
        "the user must be active and not limited to local access.",
    )
    # -- the way to Home Assistant -----------------------------------------------
    NAME_SERVER = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The name server did not say where the name in BASE_URL is",
        "It may be well in a minute; if this comes back, choose a DNS provider that "
        "fails less often.",
    )
    UNKNOWN_NAME = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The name in BASE_URL does not resolve to an address that AWS can reach",
        "Check its spelling and that it has an IPv4 address (an A record).",
    )
    CONNECTION_REFUSED = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The connection to Home Assistant was refused",
        "Check that it runs, and the port in BASE_URL.",
    )
    CONNECTION_LOST = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The connection to Home Assistant broke off",
        "It may be restarting; else check the proxy or tunnel in front of it, and "
        "whether the port speaks http or https as BASE_URL says.",
    )
    NO_ROUTE = (
        ErrorType.BRIDGE_UNREACHABLE,
        "Home Assistant cannot be reached",
        "Check the address in BASE_URL, the router's port forwarding and the firewall.",
    )
    UNTRUSTED_CERTIFICATE = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The certificate of Home Assistant is not trusted",
        "Serve the full chain (fullchain.pem) of a valid certificate for this name; "
        "one of an authority of your own goes into CA_CERTIFICATE.",
    )
    IMPERFECT_CERTIFICATE = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The certificate of Home Assistant, or of its authority, lacks something",
        "Make both anew as RFC 5280 wants them, with basicConstraints, keyUsage and "
        "key identifiers; Python 3.13 insists, older ones do not.",
    )
    CLIENT_CERTIFICATE = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The proxy in front of Home Assistant wants a client certificate",
        "Give the bridge one in CLIENT_CERTIFICATE, or let /api/alexa/smart_home and "
        "/auth/token pass there without one.",
    )
    NO_SUCH_SITE = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The server has no site or certificate for the name in BASE_URL",
        "Compare the name with the proxy's sites. Behind Cloudflare it may be only one "
        "level below the zone. It may also have no cipher in common, or want a client "
        "certificate.",
    )
    TLS_VERSION = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The server speaks only versions of TLS that are not safe any more",
        "Let the proxy offer TLS 1.2 and 1.3.",
    )
    NOT_TLS = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The port in BASE_URL does not speak HTTPS",
        "Give the port that does, or put a certificate there.",
    )
    TLS_FAILED = (
        ErrorType.BRIDGE_UNREACHABLE,
        "No TLS connection to Home Assistant could be made",
        "Look into the log of the proxy, or of what speaks TLS there.",
    )
    TIMED_OUT = (
        ErrorType.BRIDGE_UNREACHABLE,
        "Home Assistant did not answer in time",
        "Alexa waits 8 s; check the home's connection and the load on Home Assistant.",
    )
    REFUSED_ADDRESS = (
        ErrorType.BRIDGE_UNREACHABLE,
        "Home Assistant has banned the address the request came from",
        "Remove it from ip_bans.yaml and restart Home Assistant; "
        "the account need not be linked again.",
    )
    # -- something in front of Home Assistant -------------------------------------
    NOT_ADMITTED = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The gate in front of Home Assistant did not let the bridge in",
        "Check EXTRA_HEADERS and CLIENT_CERTIFICATE: what they hold is missing, "
        "mistyped, expired or not allowed there; in Cloudflare Access the action of "
        "the policy must be Service Auth.",
    )
    PORTAL = (
        ErrorType.BRIDGE_UNREACHABLE,
        "A login page in front of Home Assistant wants somebody to log in",
        "Let /api/alexa/smart_home and /auth/token pass there without a login, for "
        "Home Assistant checks the token itself; or by a header in EXTRA_HEADERS.",
    )
    ACCESS = (
        ErrorType.BRIDGE_UNREACHABLE,
        "Cloudflare Access in front of Home Assistant wants a login",
        "Give the bridge a service token in EXTRA_HEADERS, and the policy the action "
        "Service Auth; or give /api/alexa/smart_home and /auth/token an Access "
        "application with the policy Bypass, Everyone.",
    )
    CHALLENGE = (
        ErrorType.BRIDGE_UNREACHABLE,
        "A bot protection in front of Home Assistant takes the bridge for a robot",
        "Switch it off for /api/alexa/smart_home and /auth/token, or let requests "
        "from AWS pass (AS16509, AS14618).",
    )
    FIREWALL = (
        ErrorType.BRIDGE_UNREACHABLE,
        "Something in front of Home Assistant refused the request",
        "Let requests from AWS pass the firewall, country filter or rule there "
        "(AS16509, AS14618), or give the bridge what it asks for: a header in "
        "EXTRA_HEADERS, a certificate in CLIENT_CERTIFICATE.",
    )
    BASIC_AUTH = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The proxy in front of Home Assistant wants a password of its own",
        "Take the password off there for /api/alexa/smart_home and /auth/.",
    )
    NO_SITE = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The proxy or tunnel has no way to Home Assistant for this address",
        "Compare name and path in BASE_URL with the sites of the proxy or tunnel; "
        "Home Assistant was not asked.",
    )
    PROXY_ERROR = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The proxy in front of Home Assistant failed itself",
        "Its log has the cause: often a login service that it asks, or a certificate "
        "of Home Assistant's that it does not trust.",
    )
    GATEWAY = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The proxy or tunnel answered, but Home Assistant behind it did not",
        "Check that Home Assistant runs, and that the proxy points at its IP address, "
        "port and protocol (http or https) as they are now.",
    )
    GATEWAY_TLS = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The gateway does not accept the certificate at home",
        "Put a valid certificate there, or let the gateway not check it "
        "(Cloudflare: SSL/TLS mode Full instead of Full (strict)).",
    )
    RATE_LIMITED = (
        ErrorType.RATE_LIMIT_EXCEEDED,
        "Something in front of Home Assistant limits the number of requests",
        "Raise the limit of the proxy or firewall for /api/alexa/smart_home.",
    )
    REDIRECTED = (
        ErrorType.BRIDGE_UNREACHABLE,
        "BASE_URL redirects to another address",
        "Set BASE_URL to that address if it is your home's; a redirect would give the "
        "token away.",
    )
    REDIRECT_LOOP = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The address redirects to itself, or to plain http",
        "The proxy does not know that the caller came by https: let it trust "
        "X-Forwarded-Proto (Cloudflare: SSL/TLS mode Full instead of Flexible).",
    )
    WANTS_HTTPS = (
        ErrorType.BRIDGE_UNREACHABLE,
        "A port that speaks HTTPS was asked in plain HTTP",
        "Write https in BASE_URL; if it stands there, let the proxy speak https to "
        "what is behind it.",
    )
    PAGE = (
        ErrorType.BRIDGE_UNREACHABLE,
        "A web page answers in place of Home Assistant",
        "It may be a router's, a proxy's or another program's: open BASE_URL on mobile "
        "data, and lead it to Home Assistant.",
    )
    NOT_AN_EVENT = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The answer is not an Alexa event",
        "Something other than Home Assistant answers: check BASE_URL and any login "
        "page in front of it.",
    )
    SOMETHING_ELSE = (
        ErrorType.BRIDGE_UNREACHABLE,
        "Something other than Home Assistant answered",
        "Check that BASE_URL leads to Home Assistant.",
    )
    NOT_HTTP = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The server's answer is broken or not HTTP",
        "Check the scheme and port in BASE_URL, and the proxy if there is one.",
    )
    BROKEN_OFF = (
        ErrorType.BRIDGE_UNREACHABLE,
        "The answer broke off in the middle",
        "Home Assistant, or the proxy in front of it, ended while it answered.",
    )
    # -- Home Assistant's own answer ---------------------------------------------
    BAD_REQUEST = (
        ErrorType.INTERNAL_ERROR,
        "Home Assistant does not accept requests from its reverse proxy",
        "Let Home Assistant trust the proxy: since 2026.8 in its network settings, "
        "confirmed within five minutes; before, with trusted_proxies in "
        "configuration.yaml. Before 2026.2, two proxies in a row may also write "
        "X-Forwarded-For and X-Forwarded-Proto unequally.",
    )
    NOT_FOUND = (
        ErrorType.INTERNAL_ERROR,
        "Home Assistant has no Alexa endpoint",
        'Put "alexa:" with "smart_home:" under it, at the top level, into '
        "configuration.yaml and restart; if it is there, Home Assistant is still "
        "starting or in recovery mode, or its log says why it is invalid; or the path "
        "in BASE_URL is wrong.",
    )
    NOT_ALLOWED = (
        ErrorType.INTERNAL_ERROR,
        "The server does not accept a POST at this address",
        "Set BASE_URL to the address of Home Assistant itself.",
    )
    SERVER_ERROR = (
        ErrorType.INTERNAL_ERROR,
        "Home Assistant failed while it handled the directive",
        "Its own log has the cause, often one entity: filter it out or mend it.",
    )
    UNEXPECTED_STATUS = (
        ErrorType.INTERNAL_ERROR,
        "Home Assistant answered with an unexpected HTTP status",
        "Its own log may have the cause.",
    )
    TOO_LARGE = (
        ErrorType.INTERNAL_ERROR,
        "The answer is larger than Lambda may return",
        "Expose fewer entities with a filter: under alexa: smart_home:.",
    )
    # -- ourselves ---------------------------------------------------------------
    WRONG_SETTING = (
        ErrorType.INTERNAL_ERROR,
        "A setting of the function is wrong",
        "Correct the environment variable in the Lambda console or the template.",
    )
    SECRET_UNAVAILABLE = (
        ErrorType.INTERNAL_ERROR,
        "A setting refers to a secret that cannot be read",
        "Check its name and the permissions of the function's role.",
    )
    UNEXPECTED = (
        ErrorType.INTERNAL_ERROR,
        "The bridge failed in a way it does not know",
        "Please report it with this log line.",
    )


class BridgeError(Exception):
    """A directive failed, and it is known why.

    Args:
        failure: The row of the table.
        detail: What this case adds to the row, safe to show: never a secret.
        status: The HTTP status, where there was one.
        reused: Whether it came of a connection that had served before, where there was
            one at all.
    """

    def __init__(
        self,
        failure: Failure,
        detail: str = "",
        *,
        status: int | None = None,
        reused: bool | None = None,
    ) -> None:
        self.failure = failure
        self.detail = detail
        self.status = status
        self.reused = reused
        super().__init__(self.message)

    def hiding(self, secrets: Iterable[str]) -> "BridgeError":
        """Return the error without secrets that a server may have repeated."""
        from ha_bridge.echoes import without  # noqa: PLC0415 - what goes well needs none

        detail = without(self.detail, secrets)
        if detail == self.detail:
            return self
        return BridgeError(self.failure, detail, status=self.status, reused=self.reused)

    @property
    def message(self) -> str:
        """Cause, detail and fix in one or two plain sentences."""
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.failure.cause}{detail}. {self.failure.fix}"
