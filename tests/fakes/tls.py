"""Certificates from a throw-away authority, good and bad."""

import datetime as dt
import ssl
from pathlib import Path

import trustme

_PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def system_authorities() -> str:
    """Return whom this machine trusts, for a bundle that children fetch packages by."""
    file = ssl.get_default_verify_paths().cafile
    return Path(file).read_text("utf-8") if file else ""


class Authority:
    """Issues server contexts; `bundle` is what a client must trust.

    Args:
        folder: Where the bundle is written.
    """

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self.bundle = folder / "authority.pem"
        self._ca.cert_pem.write_to_path(str(self.bundle))

    def server(self, *names: str) -> ssl.SSLContext:
        """Return a context with a valid certificate for these names."""
        return self._context(self._ca.issue_cert(*names))

    def expired(self, *names: str) -> ssl.SSLContext:
        """Return a context whose certificate ended years ago."""
        return self._context(self._ca.issue_cert(*names, not_after=_PAST))

    def _context(self, certificate: trustme.LeafCert) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context
