"""AWS on this machine: moto as a server, and clients of it."""

import contextlib
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

from ha_bridge_ops.local.processes import Process, free_port, inherited, listens


@contextlib.contextmanager
def moto_server(log: Path) -> Iterator[str]:
    """Start moto in a process of its own, and give its address."""
    port = free_port()
    process = Process(
        "moto",
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        environ=inherited("HOME"),
        log=log,
    )
    try:
        process.wait_until(lambda: listens(port), 60)
        # By this name moto knows its own buckets in an address.
        yield f"http://localhost:{port}"
    finally:
        process.stop()


@functools.cache
def kept_client(service: str, region: str) -> Any:
    """Return a client of moto in this process; it takes long to make."""
    return boto3.client(service, region_name=region)


def client_of(address: str, service: str, region: str) -> Any:
    """Return a client of boto3 for an AWS at an address."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=address,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
