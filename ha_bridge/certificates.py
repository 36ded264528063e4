"""What can be read of certificates as people paste them, without a library.

Loaded only where a setting holds one.
"""

import base64
import binascii
import calendar
import contextlib
import re
import ssl
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

#: A part of a PEM file (RFC 7468).  What stands between the parts is talk.
_PART: Final = re.compile(
    r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL
)

#: Headers of an encrypted key of old (RFC 1421), before its base64.
_OLD_HEADERS: Final = re.compile(r"(?:Proc-Type|DEK-Info):.*")

#: How base64 of a PEM file begins: some keep it so, to have a single line.
_PEM_IN_BASE64: Final = base64.b64encode(b"-----BEGIN ").decode()[:14]

_WIDTH: Final = 64

#: Tags of ASN.1, and the number of an attribute of a name that is its common name.
#: https://datatracker.ietf.org/doc/html/rfc5280#section-4.1
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_COMMON_NAME: Final = b"\x55\x04\x03"


class Pem(NamedTuple):
    """The parts of a PEM text that matter, each with the newlines that belong there."""

    certificates: list[str]
    keys: list[str]
    is_encrypted: bool
    """Whether a key needs a password."""

    def __repr__(self) -> str:
        return f"Pem({len(self.certificates)} certificates, {len(self.keys)} keys)"


def read_pem(text: str) -> Pem:
    r"""Return the parts of a PEM text.

    Newlines that became spaces or \n on their way through a console, a shell or JSON
    are put back.
    """
    if text.startswith(_PEM_IN_BASE64):
        with contextlib.suppress(ValueError):
            text = base64.b64decode(text).decode("ascii")
    text = re.sub(r"\\+r|\\+n", "\n", text).replace("\\/", "/")
    pem = Pem([], [], is_encrypted=False)
    for kind, body in _PART.findall(text):
        if kind.endswith("CERTIFICATE"):
            pem.certificates.append(_part(kind, body))
        elif kind.endswith("PRIVATE KEY"):
            pem.keys.append(_part(kind, body))
            if "ENCRYPTED" in kind or _OLD_HEADERS.search(body):
                pem = pem._replace(is_encrypted=True)
    return pem


def _part(kind: str, body: str) -> str:
    data = "".join(body.split())
    lines = [data[start : start + _WIDTH] for start in range(0, len(data), _WIDTH)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])


class Facts(NamedTuple):
    """What a certificate says of itself."""

    subject: str
    """Its common name."""
    not_after: int
    """Seconds since the epoch."""


def facts(pem: str) -> Facts | None:
    """Return what the first certificate in PEM says; None if none can be read."""
    try:
        der = ssl.PEM_cert_to_DER_cert(read_pem(pem).certificates[0])
        _, certificate = next(_fields(der))
        _, signed = next(_fields(certificate))
        fields = [field for field in _fields(signed) if field[0] != _VERSION]
        _serial, _algorithm, _issuer, (_, validity), (_, subject), *_ = fields
        _, (tag, end) = _fields(validity)
        return Facts(_common_name(subject), _seconds(tag, end.decode("ascii")))
    except (ValueError, IndexError, StopIteration, binascii.Error):
        return None


def _fields(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each element (X.690, 8.1)."""
    at = 0
    while at < len(der):
        tag, size, at = der[at], der[at + 1], at + 2
        if size & 0x80:
            end = at + (size & 0x7F)
            size, at = int.from_bytes(der[at:end]), end
        yield tag, der[at : at + size]
        at += size


def _common_name(name: bytes) -> str:
    for _, attributes in _fields(name):
        for _, attribute in _fields(attributes):
            (_, number), (_, value) = _fields(attribute)
            if number == _COMMON_NAME:
                text = value.decode("utf-8", "replace")
                return "".join(c for c in text if c.isprintable())[:80]
    return ""


def _seconds(tag: int, text: str) -> int:
    if tag == _UTC_TIME:  # two digits of the year, from 1950 to 2049
        text = ("19" if text >= "50" else "20") + text
    return calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ"))
