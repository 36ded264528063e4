"""Link `tls.certificate`, and what TLS tells of who is there: one thing a test."""

import contextlib
import socket
import ssl
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ha_bridge_ops.check.model import Finding, Status
from tests.fakes.behaviours import silence
from tests.fakes.certificates import Issued
from tests.fakes.server import Server
from tests.worlds.home import (
    HOST,
    PUBLIC,
    assert_only,
    context,
    findings,
    home,
    ids,
)

CERTIFICATE = "tls.certificate"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Issued:
    """An authority that this machine trusts."""
    made = Issued.root()
    bundle = tmp_path / "trusted.pem"
    bundle.write_bytes(made.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    return made


def found_behind(tls: ssl.SSLContext) -> Mapping[str, Finding]:
    """Return what is found at a home with this TLS."""
    with Server(home(), tls=tls) as server:
        return findings(context(server.port))


@pytest.mark.parametrize(
    ("begins", "ends", "soon"),
    [
        (-1, 89, ""),
        (-59, 31, ""),
        (-81, 9.1, "9 days"),
        (-0.1, 6.6, ""),
        (-4.2, 2.4, ""),
        (-5.7, 1.0, "hours"),
        (-31, 16, ""),
        (-43, 4.1, "4 days"),
        (-300, 98, ""),
        (-380, 18.1, "18 days"),
    ],
)
def test_a_certificate_is_judged_by_its_own_lifetime(
    begins: float, ends: float, soon: str, root: Issued, tmp_path: Path
) -> None:
    """A third of it left is fine, be it of six days, 47 or a year."""
    leaf = root.server(HOST, days=(begins, ends))
    found = found_behind(leaf.context(tmp_path))
    if not soon:
        assert found[CERTIFICATE].status is Status.OK
        return
    assert_only(found, CERTIFICATE, "soon", fix="--dry-run", skipped=set())
    assert found[CERTIFICATE].status is Status.WARNING
    assert soon in found[CERTIFICATE].saw


@pytest.mark.parametrize("sent", [0, 1, 2])
def test_any_missing_link_of_a_chain_is_found(
    sent: int, root: Issued, tmp_path: Path
) -> None:
    """Not only the first: the last that was sent still names an issuer."""
    middle = root.authority("Root YR")
    near = middle.authority("YR1")
    chain = (near, middle)[:sent]
    found = found_behind(near.server(HOST).context(tmp_path, *chain))
    if sent == len((near, middle)):
        assert found[CERTIFICATE].status is Status.OK
        return
    assert found[CERTIFICATE].causes == ("incomplete",)
    assert "fullchain.pem" in found[CERTIFICATE].fix
    assert ("YR1", "Root YR")[sent] in found[CERTIFICATE].saw


@pytest.mark.usefixtures("root")
def test_an_authority_of_ones_own_is_no_incomplete_chain(tmp_path: Path) -> None:
    """Its certificates do not say where more are to be had; who issued it is shown."""
    own = Issued.root("My Own Authority")
    leaf = own.server(HOST, at=None)
    for chain in ((), (own,)):
        found = found_behind(leaf.context(tmp_path, *chain))
        assert found[CERTIFICATE].causes == ("untrusted",)
        assert "My Own Authority" in found[CERTIFICATE].saw


@pytest.mark.usefixtures("root")
def test_a_self_signed_certificate(tmp_path: Path) -> None:
    """No authority at all; seen from home it may be the router's."""
    found = found_behind(Issued.root(HOST).context(tmp_path))
    assert found[CERTIFICATE].causes == ("self_signed",)
    assert found[CERTIFICATE].saw.startswith("self-signed certificate; issued by ")
    assert "public authority" in found[CERTIFICATE].fix
    assert "mobile data" in found[CERTIFICATE].fix


def test_an_authority_that_only_newer_pythons_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda's is new: said here as a warning, whatever Python looks."""
    own = Issued.root("Home-made", perfect=False)
    (tmp_path / "own.pem").write_bytes(own.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
    found = found_behind(own.server(HOST, perfect=False).context(tmp_path))
    is_strict = sys.version_info >= (3, 13)
    assert found[CERTIFICATE].causes == ("imperfect" if is_strict else "strict",)
    assert "Python 3.13" in found[CERTIFICATE].means
    assert "keyUsage" in found[CERTIFICATE].paste


def test_tls_1_3_only(root: Issued, tmp_path: Path) -> None:
    """All is fine but that Amazon may need TLS 1.2 for linking."""
    tls = root.server(HOST).context(tmp_path)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    found = found_behind(tls)
    assert_only(found, CERTIFICATE, "only_13", fix="TLS 1.2", skipped=set())
    assert found[CERTIFICATE].status is Status.WARNING


def wants_certificate(root: Issued, folder: Path, **versions: ssl.TLSVersion) -> Server:
    """Return a home whose proxy asks for a client certificate."""
    tls = root.server(HOST).context(folder)
    tls.verify_mode = ssl.CERT_REQUIRED
    (folder / "clients.pem").write_bytes(Issued.root("Clients").pem)
    tls.load_verify_locations(folder / "clients.pem")
    for name, version in versions.items():
        setattr(tls, name, version)
    return Server(home(), tls=tls)


@pytest.mark.parametrize("attempt", range(10))
def test_a_client_certificate_is_wanted(
    attempt: int, root: Issued, tmp_path: Path
) -> None:
    """With TLS 1.3 the alert may come with the read or lie behind a failed write."""
    del attempt
    with wants_certificate(root, tmp_path) as server:
        found = findings(context(server.port))
    assert found["ha.reachable"].causes == ("client_certificate",)
    assert "client certificate" in found["ha.reachable"].means
    assert "/auth/token" in found["ha.reachable"].paste
    assert ids(found, Status.FAILED) == {"ha.reachable"}


def test_a_client_certificate_is_wanted_with_tls_1_2(
    root: Issued, tmp_path: Path
) -> None:
    """There the handshake fails, with an alert that may mean two things."""
    limit = {"maximum_version": ssl.TLSVersion.TLSv1_2}
    with wants_certificate(root, tmp_path, **limit) as server:
        found = findings(context(server.port))
    assert ids(found, Status.FAILED) == {CERTIFICATE}
    finding = found[CERTIFICATE]
    assert "client certificate" in finding.means + finding.fix


@pytest.mark.parametrize(
    "alert",
    [
        ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME,
        ssl.AlertDescription.ALERT_DESCRIPTION_INTERNAL_ERROR,
        ssl.AlertDescription.ALERT_DESCRIPTION_HANDSHAKE_FAILURE,
    ],
    ids=lambda alert: alert.name,
)
def test_no_certificate_for_this_name(
    alert: ssl.AlertDescription, root: Issued, tmp_path: Path
) -> None:
    """The proxy knows no such site."""
    tls = root.server(HOST).context(tmp_path)
    tls.sni_callback = lambda *_args: alert
    found = found_behind(tls)
    assert found[CERTIFICATE].causes == ("no_such_site",)
    assert "one level below" in found[CERTIFICATE].fix
    assert ids(found, Status.FAILED) == {CERTIFICATE}


@contextlib.contextmanager
def silent_on_tls(answer: bytes) -> Iterator[int]:
    """A port that reads until an empty line, and then may answer."""
    listener = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def serve(sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            seen = b""
            while not seen.endswith(b"\r\n\r\n"):
                if not (more := sock.recv(4096)):
                    return
                seen += more
            sock.sendall(answer)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                taken.append(sock)
                threads.append(threading.Thread(target=serve, args=(sock,)))
                threads[-1].start()

    threads = [threading.Thread(target=accept)]
    threads[0].start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for sock in taken:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


@pytest.mark.slow
def test_a_port_that_is_silent_on_tls_and_speaks_http() -> None:
    """It is asked in plain HTTP before the load of Home Assistant is blamed."""
    with silent_on_tls(
        b"HTTP/1.1 405 Not Allowed\r\nContent-Length: 0\r\n\r\n"
    ) as port:
        found = findings(context(port))
    assert found[CERTIFICATE].causes == ("plain_http",)
    assert "http, not https" in found[CERTIFICATE].means
    assert ids(found, Status.FAILED) == {CERTIFICATE}


def test_a_port_that_hangs_up_on_plain_http_and_speaks_tls(tmp_path: Path) -> None:
    """As Home Assistant with a certificate of its own does."""
    tls = Issued.root().server(HOST).context(tmp_path)
    with Server(home(), tls=tls) as server:
        found = findings(
            context(server.port, environ={"BASE_URL": f"http://{HOST}:443"})
        )
    assert found["ha.reachable"].causes == ("wants_https",)
    assert found["ha.reachable"].paste == f"BASE_URL=https://{HOST}"


@pytest.mark.slow
def test_a_port_that_is_silent_on_everything() -> None:
    """Then it stays what it was."""

    def on_accept(_sock: socket.socket, stopping: object) -> None:
        stopping.wait(60)  # type: ignore[attr-defined]

    with Server((silence,), on_accept=on_accept) as server:
        found = findings(context(server.port))
    assert found["ha.reachable"].causes == ("silent",)
    assert ids(found, Status.FAILED) == {"ha.reachable"}


@pytest.mark.parametrize(
    ("number", "cause", "words"),
    [
        (socket.EAI_AGAIN, "name_server", "The name may be right"),
        (socket.EAI_FAIL, "name_server", "The name may be right"),
        (socket.EAI_NONAME, "unknown", "does not exist in DNS"),
    ],
)
def test_a_name_server_that_fails_is_not_the_name(
    number: int, cause: str, words: str
) -> None:
    """They are known by the number; the words are in the user's language."""

    def resolve(*_arguments: object, **_more: object) -> list[object]:
        raise socket.gaierror(number, "…")

    made = context(1)
    made.resolve = resolve
    found = findings(made)
    assert_only(found, "address.dns", cause, fix="nslookup")
    assert words in found["address.dns"].means


@pytest.mark.parametrize(
    "dial",
    [ConnectionRefusedError(111, "Connection refused"), TimeoutError()],
    ids=["refused", "timeout"],
)
def test_what_may_be_the_router_at_home(dial: OSError) -> None:
    """Many do not lead their own public address back inside."""

    def fail(*_arguments: object) -> socket.socket:
        raise dial

    made = context(1)
    made.dial = fail
    finding = findings(made)["ha.reachable"]
    assert "mobile data" in finding.fix
    assert "--aws" in finding.fix
    assert PUBLIC in finding.saw
