"""What opens a closed home: extra headers, a client certificate, its own authority.

Loaded only where one of the three variables is set.  Each is a text or a reference,
resolved once, and read anew after it was refused.
"""

import contextlib
import json
import os
import re
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from ha_bridge.certificates import facts, read_pem
from ha_bridge.errors import BridgeError, Failure
from ha_bridge.redaction import SHORT, Secret
from ha_bridge.secrets import SecretReader, is_reference

#: Headers and bytes that are sent beside the bridge's own; proxies take 8 kB in all.
MAX_HEADERS: Final = 10
MAX_HEADER_BYTES: Final = 4096

#: What a header's name and value are made of (RFC 9110, 5.1 and 5.5), less what only
#: some servers take.
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE: Final = re.compile(r"[!-~](?:[ \t!-~]*[!-~])?")

#: A name that may be told.  Whoever mistakes name and value has put the secret there,
#: and its letters and digits in a row are more, and mixed.
_PLAIN_NAME: Final = re.compile(
    r"(?:[0-9]{0,4}[A-Za-z]{1,24}[0-9]{0,4}[-_.]){0,7}[0-9]{0,4}[A-Za-z]{1,24}[0-9]{0,4}"
)

#: How somebody begins who means a reference, a file or a place in AWS.
_PLACE: Final = re.compile(
    r"\s*(?:arn:aws|ssm\b|secrets?[ _-]?manager\b|file:|[.~]?/|[a-z]:\\)[^\n{]{0,300}",
    re.IGNORECASE,
)

#: What OpenSSL says of a certificate that is of another key, or of another kind of key.
_MISMATCHES: Final = (
    "KEY_VALUES_MISMATCH",
    "KEY_TYPE_MISMATCH",
    "NO_CERTIFICATE_ASSIGNED",
    "UNKNOWN_CERTIFICATE_TYPE",
)

#: Headers that are the bridge's, the connection's or the proxy's own, in lower case;
#: Home Assistant refuses a request with the last of them unless a proxy wrote it.
_REFUSED: Final = re.compile(
    r"authorization|host|content-.*|transfer-encoding|connection|keep-alive"
    r"|accept-encoding|te|trailer|expect|upgrade|http2-settings|range|cookie"
    r"|proxy-.*|forwarded|x-forwarded-.*"
)


# -- reading the three -----------------------------------------------------------------


def parse_headers(text: str) -> Mapping[str, str]:
    """Return the headers in a JSON object.

    Raises:
        ValueError: It is none, or one of them cannot be sent.  The message is the end
            of a sentence, and has names of headers in it, never a value.
    """
    headers = {
        _usual(_checked_name(name)): _checked_value(name, value)
        for name, value in _object(text).items()
    }
    if len(headers) > MAX_HEADERS:
        raise ValueError(f"has more than {MAX_HEADERS} headers")
    if sum(map(len, (*headers, *headers.values()))) > MAX_HEADER_BYTES:
        raise ValueError(f"has more than {MAX_HEADER_BYTES} bytes of headers")
    return MappingProxyType(headers)


def _object(text: str) -> dict[str, Any]:
    try:
        # Windows' editors begin a file with an invisible mark.
        found = json.loads(text.lstrip("\ufeff"), object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"is no JSON: see line {error.lineno}, column {error.colno}. "
            'Write {"Name": "value"}, with straight quotes'
        ) from None
    except _NamedError:
        raise
    except (ValueError, RecursionError):  # a number of thousands of digits, and such
        found = None
    if not isinstance(found, dict):
        raise ValueError('is not a JSON object: write {"Name": "value"}')  # noqa: TRY004 - a wrong setting
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    known = set[str]()
    for name, _ in pairs:
        if name.lower() in known:
            raise _NamedError(f"has a header twice: {_shown(name)}")
        known.add(name.lower())
    return dict(pairs)


class _NamedError(ValueError):
    """A complaint that is clear already."""


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"has a name that no header can have, {_shown(name)}")
    if _REFUSED.fullmatch(name.lower()):
        raise ValueError(
            f"must not have the header {_told(name)}: that one is the bridge's, "
            "Home Assistant's or the proxy's own"
        )
    return name


def _checked_value(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - a wrong setting
            f"has a value for {_told(name)} that is no text: put it in quotes"
        )
    if not _VALUE.fullmatch(value):
        raise ValueError(
            f"has a value for {_told(name)} that cannot stand in a header: it is "
            "empty, or has a line break, a space at an end, or a letter that is not "
            "ASCII"
        )
    if value.lower().startswith(f"{name.lower()}:"):
        raise ValueError(
            f"has a value for {_told(name)} that begins with that name again: keep "
            "only what comes after the colon"
        )
    return value


def _usual(name: str) -> str:
    # The one of the bridge's own that may be replaced, under its own name.
    return "User-Agent" if name.lower() == "user-agent" else name


def _shown(name: str) -> str:
    """Return as much of a name as is no value that slipped into it."""
    if _NAME.fullmatch(name):
        return _told(name)
    start = _NAME.match(name)
    return f"after {_told(start[0])}" if start else "at its first letter"


def _told(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else "… (a name like a secret)"


def parse_authority(text: str) -> str:
    """Return the PEM certificates in a text, with the newlines that belong there.

    Raises:
        ValueError: There is none; the message is the end of a sentence.
    """
    certificates, keys, _ = read_pem(text)
    if keys:
        raise ValueError("has a private key in it: give the certificate alone")
    if not certificates:
        raise ValueError(_no_pem("a certificate"))
    pem = "".join(certificates)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError(_unreadable(error)) from None
    return pem


#: What makes one text of both, in a file that nobody else can read.
_JOIN: Final = "(umask 077; cat client.crt client.key > client.pem)"


def parse_client(text: str) -> str:
    """Return PEM of a client's certificates and key, the fitting certificate first.

    Raises:
        ValueError: It cannot be used; the message is the end of a sentence that says
            how to mend it.
    """
    certificates, keys, is_encrypted = read_pem(text)
    if not certificates and not keys:
        raise ValueError(_no_pem("a certificate and its key"))
    if is_encrypted:
        raise ValueError(
            "has an encrypted key: decrypt it with "
            "openssl pkey -in key.pem -out plain.pem"
        )
    if not certificates:
        raise ValueError(f"has a key, but no certificate: {_JOIN}")
    if not keys:
        raise ValueError(f"has a certificate, but no key: {_JOIN}")
    keys = list(dict.fromkeys(keys))
    if len(keys) > 1:
        raise ValueError("has more than one key: keep the certificate's own")
    for first in certificates:
        rest = [one for one in certificates if one is not first]
        pem = "".join([first, *rest, *keys])
        try:
            load_client(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), pem)
        except ssl.SSLError as error:
            if error.reason not in _MISMATCHES:
                raise ValueError(_unreadable(error)) from None
        else:
            return pem
    raise ValueError(
        "has a key that is not the certificate's: openssl x509 -in client.crt -noout "
        "-pubkey and openssl pkey -in client.key -pubout must print the same"
    )


def _no_pem(what: str) -> str:
    return (
        f"has no PEM in it: give {what}, from -----BEGIN to -----END. From a .pfx or "
        ".p12: openssl pkcs12 -in client.pfx -nodes -out client.pem"
    )


def _unreadable(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    why = f" (OpenSSL: {reason})" if reason else ""
    return (
        f"has PEM that cannot be read{why}: was all of it copied? Look with "
        "openssl x509 -in client.pem -noout -text, and openssl pkey for a key"
    )


def load_client(context: ssl.SSLContext, pem: str) -> None:
    """Let a context show a client certificate; no file of it is left behind.

    Raises:
        ssl.SSLError: OpenSSL does not take it.
    """
    for file_of in (_in_memory, _in_a_moment):
        try:
            with file_of(pem) as path:
                # Without a password OpenSSL would ask for one on the terminal.
                context.load_cert_chain(path, password=lambda: "")
        except ssl.SSLError:
            raise
        except (AttributeError, OSError):
            continue  # not Linux, or no /proc
        # Apache asks for it only when it has seen the path.
        context.post_handshake_auth = True
        return
    raise ssl.SSLError(0, "no place for a file")


@contextlib.contextmanager
def _in_memory(text: str) -> Iterator[str]:
    # https://man7.org/linux/man-pages/man2/memfd_create.2.html; Lambda has no /dev/fd.
    if sys.platform != "linux":
        raise OSError
    with open(os.memfd_create("client"), "w") as file:  # noqa: PTH123 - no path
        file.write(text)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


@contextlib.contextmanager
def _in_a_moment(text: str) -> Iterator[str]:
    import tempfile  # noqa: PLC0415 - not on Linux

    with tempfile.NamedTemporaryFile("w") as file:  # mode 600
        file.write(text)
        file.flush()
        yield file.name


#: How to read what each variable holds; what it returns is what is used.
PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "EXTRA_HEADERS": parse_headers,
    "CLIENT_CERTIFICATE": parse_client,
    "CA_CERTIFICATE": parse_authority,
}


def complaints_of(
    values: Mapping[str, Secret], *, is_tls: bool, is_local: bool, verify_tls: bool
) -> list[str]:
    """Return what is wrong, one sentence each, as far as it stands in the variables.

    Args:
        is_tls: Whether the home is asked by https.
        is_local: Whether the way to it stays on this machine.
        verify_tls: Whether its certificate is checked.
    """
    complaints = []
    for name, value in values.items():
        if name != "EXTRA_HEADERS" and not is_tls:
            complaints.append(f"{name} has no use with http: BASE_URL must be https")
        elif not is_tls and not is_local:
            complaints.append(
                f"{name} would be sent in clear: BASE_URL must be https for it"
            )
        elif not is_reference(value):
            if _PLACE.fullmatch(value.reveal()):
                text = '{"Name": "value"}'
                if name != "EXTRA_HEADERS":
                    text = "the text from -----BEGIN to -----END"
                complaints.append(
                    f"{name} has a place in it that cannot be read: write ssm:/name, "
                    f"secretsmanager:name-or-arn, or {text} itself"
                )
                continue
            try:
                PARSERS[name](value.reveal())
            except ValueError as error:
                complaints.append(f"{name} {error}")
    if "CA_CERTIFICATE" in values and not verify_tls:
        complaints.append(
            "CA_CERTIFICATE and NOT_VERIFY_SSL contradict each other: "
            "take NOT_VERIFY_SSL away"
        )
    return complaints


# -- being refused ---------------------------------------------------------------------

#: Who refuses: the settings that open it.
OPENED_BY: Final[Mapping[Failure, tuple[str, ...]]] = {
    Failure.ACCESS: ("EXTRA_HEADERS",),
    Failure.CLIENT_CERTIFICATE: ("CLIENT_CERTIFICATE",),
    # A rule may look for either.
    Failure.FIREWALL: ("EXTRA_HEADERS", "CLIENT_CERTIFICATE"),
    Failure.PORTAL: ("EXTRA_HEADERS",),
}

#: What Cloudflare Access looks for.
#: https://developers.cloudflare.com/cloudflare-one/access-controls/service-credentials/service-tokens/
_ACCESS_HEADERS: Final = ("CF-Access-Client-Id", "CF-Access-Client-Secret")

#: What a server says of a client's certificate, by a word of its alert or page.
_OF_CLIENT: Final = {
    "UNKNOWN_CA": "is of another authority than the proxy knows",
    "EXPIRED": "has expired",
    "REVOKED": "was revoked",
    "UNSUPPORTED": "is not made for clients",
    "REQUIRED": "is of another authority than the proxy asks for, so none was sent",
}


# -- using them ------------------------------------------------------------------------


#: What stands before a secret in a header such as Authorization.
_SCHEME: Final = re.compile(r"(?:basic|bearer|token)\s+", re.IGNORECASE)


@lru_cache(maxsize=4)  # it is asked for with every directive
def _bodies(pem: str) -> tuple[str, ...]:
    """Return the keys of a PEM text, without the first line: that of any key."""
    return tuple("".join(key.split("\n")[1:-2]) for key in read_pem(pem).keys)


class Gate:
    """The three settings of one home, resolved when they are needed.

    Args:
        values: Text or reference, by the name of the variable.
        secrets: Resolves references.
    """

    def __init__(
        self, values: Mapping[str, Secret], secrets: SecretReader | None = None
    ) -> None:
        self._values = values
        self._secrets = secrets or SecretReader()
        self._parsed: dict[str, Any] = {}
        self._forgotten: tuple[Secret, ...] = ()
        self._lock = threading.Lock()

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the variables that are set."""
        return tuple(self._values)

    @property
    def closes(self) -> bool:
        """Whether a home that needs these should be closed to all others."""
        return not {"EXTRA_HEADERS", "CLIENT_CERTIFICATE"}.isdisjoint(self._values)

    @property
    def must_ask(self) -> bool:
        """Whether AWS must be asked for one of them."""
        return any(map(is_reference, self._values.values()))

    def headers(self, deadline: float) -> Mapping[str, str]:
        """Return the headers to send with each request.

        Args:
            deadline: When to give up, in seconds of time.monotonic.

        Raises:
            BridgeError: SECRET_UNAVAILABLE or WRONG_SETTING.
        """
        return self._value("EXTRA_HEADERS", deadline) or {}

    def context(self, deadline: float, *, shows: bool = True) -> ssl.SSLContext:
        """Return a new TLS context of a client; see `headers` for the rest.

        Args:
            shows: Whether it has the client certificate, if there is one.
        """
        authority = self._value("CA_CERTIFICATE", deadline)
        client = self._value("CLIENT_CERTIFICATE", deadline)
        # With an authority the public ones are not even parsed.
        context = ssl.create_default_context(cadata=authority)
        if authority:
            # An authority of one's own seldom has all that RFC 5280 wants, on which
            # Python 3.13 insists; and it may be the server's certificate itself.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if client and shows:
            load_client(context, client)
        return context

    def resolve(self, deadline: float) -> None:
        """Have all of them ready; errors are those of `headers`."""
        for name in self._values:
            self._value(name, deadline)

    def forget(self) -> None:
        """Read each reference anew when it is needed next: something was refused."""
        self._secrets.forget()
        self._forgotten = self.secrets  # what was sent may still be repeated
        self._parsed = {}

    def describe(self, deadline: float) -> dict[str, Any]:
        """Return what may be told of the settings: names, a subject and a date."""
        told: dict[str, Any] = {"given": list(self._values)}
        if headers := self.headers(deadline):
            told["headers"] = list(map(_told, headers))
        for name in ("CLIENT_CERTIFICATE", "CA_CERTIFICATE"):
            pem = self._value(name, deadline)
            if pem and (known := facts(pem)):
                told[name.lower()] = known._asdict()
        return told

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must not be shown, as far as it is known by now: values and keys."""
        headers = self._parsed.get("EXTRA_HEADERS", {})
        names = [one for one in headers if not _PLAIN_NAME.fullmatch(one)]
        values = [*headers.values(), *names]
        given = (part for one in values for part in (one, _SCHEME.sub("", one)))
        # A mere "1" is none, and stands anywhere.
        long = [one for one in given if len(one) >= SHORT]
        bodies = _bodies(self._parsed.get("CLIENT_CERTIFICATE", ""))
        known = map(Secret, [*long, *bodies])
        return tuple(dict.fromkeys([*self._forgotten, *known]))

    def hide(self, text: str) -> str:
        """Return a text without these, which a gate may repeat."""
        from ha_bridge.echoes import without  # noqa: PLC0415 - what goes well needs none

        return without(text, (one.reveal() for one in self.secrets))

    def judge(self, error: BridgeError) -> BridgeError:
        """Return what a failure means where these settings are given; often itself."""
        detail = self.hide(error.detail)
        failure, settings = error.failure, OPENED_BY.get(error.failure, ())
        if failure is Failure.UNTRUSTED_CERTIFICATE and "CA_CERTIFICATE" in self.given:
            detail += "; " + self._of_authority()
        elif settings and self.closes:
            given = [name for name in settings if name in self.given]
            words = [self._refused(name, error) for name in given] or [
                f"{settings[0]} is missing"
            ]
            failure, detail = Failure.NOT_ADMITTED, "; ".join((detail, *words))
        if (failure, detail) == (error.failure, error.detail):
            return error
        return BridgeError(
            failure, detail.lstrip("; "), status=error.status, reused=error.reused
        )

    def _refused(self, name: str, error: BridgeError) -> str:
        if name == "CLIENT_CERTIFICATE":
            return f"{name} {self._of_client(error)}"
        if error.failure is not Failure.ACCESS:
            return f"{name} is not what is looked for there"
        known = {known.lower() for known in self._parsed.get(name, ())}
        lacking = [one for one in _ACCESS_HEADERS if one.lower() not in known]
        if lacking:
            return f"{name} has no {' and no '.join(lacking)}"
        return (
            f"{name} is refused: the service token is mistyped, expired (after a year, "
            "if nothing else was chosen) or disabled, or no policy with the action "
            "Service Auth names it"
        )

    def _of_client(self, error: BridgeError) -> str:
        known = facts(self._parsed.get("CLIENT_CERTIFICATE", ""))
        if known and known.not_after < time.time():
            return f"has expired on {_day(known.not_after)}"
        words = (said for word, said in _OF_CLIENT.items() if word in error.detail)
        return next(words, "is refused: of another authority, expired or revoked")

    def _of_authority(self) -> str:
        known = facts(self._parsed.get("CA_CERTIFICATE", ""))
        if known and known.not_after < time.time():
            return f"CA_CERTIFICATE has expired on {_day(known.not_after)}"
        return "CA_CERTIFICATE holds what is trusted in place of the public authorities"

    def _value(self, name: str, deadline: float) -> Any:
        if name not in self._values:
            return None
        # Two threads may need the same secret at a cold start: it is asked for once.
        if not self._lock.acquire(timeout=max(deadline - time.monotonic(), 0)):
            raise BridgeError(Failure.SECRET_UNAVAILABLE, f"{name}: it took too long")
        try:
            parsed = self._parsed
            if name not in parsed:
                text = self._secrets.read(self._values[name], deadline, name).reveal()
                parsed[name] = PARSERS[name](text)
            return parsed[name]
        except ValueError as error:
            self._secrets.forget()  # it may be mended there
            raise BridgeError(Failure.WRONG_SETTING, f"{name} {error}") from None
        finally:
            self._lock.release()


def _day(seconds: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
