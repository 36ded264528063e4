"""Certificates of public and home-made authorities, whole chains and parts."""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

Extensions = list[tuple[x509.ExtensionType, bool]]


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass
class Issued:
    """A certificate, its key, and who can issue with it.

    Attributes:
        name: Its common name.
        certificate: What was issued.
        key: Its key.
    """

    name: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def root(cls, name: str = "Root X1", *, perfect: bool = True) -> Self:
        """Return an authority of its own; an imperfect one lacks key identifiers."""
        key = ec.generate_private_key(ec.SECP256R1())
        return cls._made(name, key, name, key, perfect=perfect, days=(-1, 3650))

    def authority(self, name: str) -> "Issued":
        """Return an authority that this one vouches for, as public ones do."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._made(
            name, key, self.name, self.key, days=(-1, 1000), at="http://i.example.org/"
        )

    def server(
        self,
        host: str,
        *,
        days: tuple[float, float] = (-1, 89),
        perfect: bool = True,
        at: str | None = "http://i.example.org/",
    ) -> "Issued":
        """Return a server's certificate.

        Args:
            host: Its name or IP address.
            days: When it begins and ends, from now.
            perfect: Whether it has what RFC 5280 asks for.
            at: Where the issuer's certificate is to be had; public ones say so.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            own: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            own = x509.DNSName(host)
        return self._made(
            host, key, self.name, self.key, days=days, perfect=perfect, at=at, own=own
        )

    @classmethod
    def _made(  # noqa: PLR0913 - a certificate has these
        cls,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        issuer: str,
        signer: ec.EllipticCurvePrivateKey,
        *,
        days: tuple[float, float],
        perfect: bool = True,
        at: str | None = None,
        own: x509.GeneralName | None = None,
    ) -> Self:
        now = dt.datetime.now(dt.UTC)
        begin, end = (now + dt.timedelta(days=day) for day in days)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )
        extensions: Extensions = [(x509.BasicConstraints(own is None, None), True)]
        if own is not None:
            extensions.append((x509.SubjectAlternativeName([own]), False))
        if perfect:
            ski = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
            aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(
                signer.public_key()
            )
            extensions += [(ski, False), (aki, False)]
            if own is None:
                extensions.append((_CERT_SIGN, True))
        if at is not None:
            place = x509.UniformResourceIdentifier(at)
            method = AuthorityInformationAccessOID.CA_ISSUERS
            access = x509.AccessDescription(method, place)
            extensions.append((x509.AuthorityInformationAccess([access]), False))
        for extension, is_critical in extensions:
            builder = builder.add_extension(extension, is_critical)
        return cls(name, builder.sign(signer, hashes.SHA256()), key)

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """Its key."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def write(self, folder: Path, *chain: "Issued") -> tuple[Path, Path]:
        """Write the certificate with those that are sent with it, and the key."""
        certificate, key = folder / f"{self.name}.pem", folder / f"{self.name}.key"
        certificate.write_bytes(b"".join(one.pem for one in (self, *chain)))
        key.write_bytes(self.key_pem)
        return certificate, key

    def context(self, folder: Path, *chain: "Issued") -> ssl.SSLContext:
        """Return a server's context that sends these certificates."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.write(folder, *chain))
        return context


def signing(*, digital_signature: bool) -> x509.KeyUsage:
    """Return what an authority's key may do: sign certificates and lists."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


_CERT_SIGN = signing(digital_signature=False)
