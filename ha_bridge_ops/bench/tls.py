"""The TLS end of the home: a throw-away authority, and nginx."""

import contextlib
import shutil
import ssl
import subprocess
from pathlib import Path

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.processes import Process, free_port, inherited, listens

HOST = "127.0.0.1"

NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  ssl_protocols TLSv1.3;
  ssl_certificate {certificate};
  ssl_certificate_key {certificate};
  # The bench itself says when idle connections end.
  keepalive_timeout 1h;
  keepalive_requests 1000000;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
{servers}
}}
"""

NGINX_SERVER = """\
  upstream home{port} {{ server 127.0.0.1:{port}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{tls_port} ssl;
    location / {{ proxy_pass http://home{port}; }}
  }}
"""


class Certificates:
    """A throw-away authority, and the bundle that a client trusts.

    Args:
        folder: Where the files go.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import trustme  # noqa: PLC0415 - only `bench` needs it
        except ImportError:
            raise CommandError(
                "The bench needs trustme: pip install trustme, or work in a checkout."
            ) from None
        root = trustme.CA()
        # Root, intermediate, leaf: as Let's Encrypt's.
        leaf = root.create_child_ca().issue_cert(HOST)
        self.server = folder / "server.pem"
        leaf.private_key_and_cert_chain_pem.write_to_path(str(self.server))
        self.bundle = folder / "bundle.pem"
        machine = ssl.get_default_verify_paths().cafile
        self.authority = root.cert_pem.bytes().decode()
        texts = [Path(machine).read_text("utf-8")] if machine else []
        texts.append(self.authority)
        self.bundle.write_text("\n".join(texts), "utf-8")

    @property
    def count(self) -> int:
        """How many certificates a client has to parse."""
        return self.bundle.read_text("utf-8").count("BEGIN CERTIFICATE")


def find_nginx() -> str | None:
    """Return the path of nginx; Debian keeps it out of users' PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def version(nginx: str) -> str:
    """Return name and version, such as "nginx/1.22.1"."""
    said = subprocess.run(
        [nginx, "-v"],
        env=inherited(),
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    return said.stderr.strip().removeprefix("nginx version: ")


def start_nginx(
    stack: contextlib.ExitStack,
    nginx: str,
    folder: Path,
    certificate: Path,
    ports: list[int],
) -> list[int]:
    """Start nginx before these ports, and return its own."""
    tls_ports = [free_port() for _ in ports]
    servers = "".join(
        NGINX_SERVER.format(port=port, tls_port=tls_port)
        for port, tls_port in zip(ports, tls_ports, strict=True)
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        NGINX.format(folder=folder, certificate=certificate, servers=servers)
    )
    process = Process(
        "nginx",
        [nginx, "-e", "stderr", "-p", str(folder), "-c", str(configuration)],
        environ=inherited(),
        log=folder / "nginx.log",
    )
    stack.callback(process.stop)
    process.wait_until(lambda: all(map(listens, tls_ports)), timeout=10)
    return tls_ports
