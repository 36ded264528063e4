"""Certificates as people make them for a closed home, good and bad."""

import datetime as dt
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.fakes.certificates import signing

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


class Pair(NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def pem(self) -> str:
        return self.certificate_pem + self.key_pem()

    def key_pem(
        self, password: bytes = b"", form: PrivateFormat = PrivateFormat.PKCS8
    ) -> str:
        encryption: KeySerializationEncryption = NoEncryption()
        if password:
            encryption = BestAvailableEncryption(password)
        return self.key.private_bytes(Encoding.PEM, form, encryption).decode()

    def pkcs12(self) -> bytes:
        return pkcs12.serialize_key_and_certificates(
            b"client", self.key, self.certificate, None, NoEncryption()
        )


def authority(name: str = "Our own authority", *, bare: bool = False) -> Pair:
    """Return an authority; a bare one is as `openssl req -x509` of tutorials makes it.

    That has no key usage, on which Python 3.13 insists.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, name, key).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=not bare
    )
    if not bare:
        builder = builder.add_extension(_SIGNS, critical=True).add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
    return Pair(builder.sign(key, hashes.SHA256()), key)


def of_another_kind() -> Pair:
    """Return an authority with an RSA key; all others here have elliptic curves."""
    key = rsa.generate_private_key(65537, 2048)
    return Pair(_builder("RSA", "RSA", key).sign(key, hashes.SHA256()), key)


def issued(
    by: Pair,
    name: str,
    *,
    names: Sequence[x509.GeneralName] | bytes = (),
    not_after: dt.datetime = NOW + 300 * DAY,
) -> Pair:
    """Return a certificate for a server, if it has names, or for a client.

    Names may be bytes of DER, where they are to be none.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = by.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0]
    builder = _builder(name, str(issuer.value), key, not_after)
    usage = (
        ExtendedKeyUsageOID.SERVER_AUTH if names else ExtendedKeyUsageOID.CLIENT_AUTH
    )
    builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if isinstance(names, bytes):
        odd = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, names)
        builder = builder.add_extension(odd, critical=False)
    elif names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
    return Pair(builder.sign(by.key, hashes.SHA256()), key)


def server_context(
    folder: Path,
    own: Pair,
    clients: Pair | None = None,
    *,
    asks: ssl.VerifyMode = ssl.CERT_NONE,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> ssl.SSLContext:
    """Return a server's context, which may ask for a client certificate.

    Args:
        folder: For a file that OpenSSL wants to read.
        own: What it shows.
        clients: The authority of the clients that are let in.
        asks: Whether a client must show something.
        version: Of TLS, at the most.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    file = folder / "server.pem"
    file.write_text(own.pem)
    context.load_cert_chain(file)
    context.verify_mode = asks
    context.maximum_version = version
    if clients is not None:
        context.load_verify_locations(cadata=clients.certificate_pem)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


_SIGNS = signing(digital_signature=True)


def _builder(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    not_after: dt.datetime = NOW + 300 * DAY,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(NOW, not_after) - 900 * DAY)
        .not_valid_after(not_after)
    )
