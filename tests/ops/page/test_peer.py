"""Whose program asks: only that of the account that started the page."""

import asyncio
import os
import socket
import sys
from typing import Any

import pytest

from ha_bridge_ops.page import peer
from ha_bridge_ops.page.guard import Guard, Sessions

CLIENT, SERVER = ("127.0.0.1", 40_000), ("127.0.0.1", 8080)

HEAD = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid\n"
)


def line(local: str, remote: str, uid: int) -> str:
    """Return a line as Linux writes it on most machines."""
    return (
        f"   7: {local} {remote} 01 00000000:00000000 00:00000000 00000000  {uid} 0\n"
    )


ONE, PAGE = "0100007F:9C40", "0100007F:1F90"
WRAPPED = "0000000000000000FFFF0000"


@pytest.mark.skipif(sys.byteorder == "big", reason="the table is in the other order")
@pytest.mark.parametrize(
    ("table", "owners"),
    [
        (line(ONE, PAGE, 1000), [1000]),
        (line(PAGE, ONE, 1000), []),
        (line("0200007F:9C40", PAGE, 1001) + line(ONE, PAGE, 1000), [1000]),
        (line(ONE, "0100007F:1F91", 1001), []),
        (line(f"{WRAPPED}{ONE}", f"{WRAPPED}{PAGE}", 1001), [1001]),
        ("", []),
    ],
    ids=["it", "the page's end", "another address", "another port", "IPv6", "nobody"],
)
def test_the_owner_is_found_in_the_kernels_table(table: str, owners: list[int]) -> None:
    """By both ends, and however an IPv4 address is written."""
    assert list(peer.owners_in(HEAD + table, CLIENT, SERVER)) == owners


@pytest.mark.parametrize(
    ("me", "owner", "is_another"),
    [
        (1000, 1000, False),
        (1000, 1001, True),
        (1000, 0, False),
        (1000, None, False),
        (0, 1001, False),
    ],
)
def test_another_account(
    me: int,
    owner: int | None,
    is_another: bool,  # noqa: FBT001 - of the table
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> None:
    """The superuser sees all anyway; what nobody knows is no reason to refuse."""
    (table := tmp_path / "tcp").write_text(
        HEAD + ("" if owner is None else line(ONE, PAGE, owner))
    )
    monkeypatch.setattr(peer, "_TABLES", (table, tmp_path / "not_there"))
    monkeypatch.setattr(os, "getuid", lambda: me, raising=False)
    assert peer.is_of_another(CLIENT, SERVER) is is_another


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the table")
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_real_connection_is_ones_own(family: socket.AddressFamily) -> None:
    """The kernel's own table has it, over both families."""
    if family == socket.AF_INET6 and not socket.has_dualstack_ipv6():
        return
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(family) as one:
        here = server.getsockname()
        name = here[0] if family == socket.AF_INET else f"::ffff:{here[0]}"
        one.connect((name, here[1]))
        end = ("127.0.0.1", one.getsockname()[1])
        tables = [path.read_text() for path in peer._TABLES if path.exists()]
        found = {uid for table in tables for uid in peer.owners_in(table, end, here)}
    assert found == {os.getuid()}


def test_another_account_gets_nothing() -> None:
    """Not even the one-time address, which stays as good as it was."""
    sessions = Sessions(8080)

    async def page(*_of: object) -> None:
        raise AssertionError

    guard = Guard(
        page,
        port=8080,
        sessions=sessions,
        is_of_another=lambda *ends: ends == (CLIENT, SERVER),
    )
    token = sessions.one_time
    sent: list[Any] = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/open",
        "query_string": f"token={token}".encode(),
        "headers": [(b"host", b"127.0.0.1:8080")],
        "client": list(CLIENT),
    }

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    asyncio.run(guard(scope, receive, send))
    assert sent[0]["status"] == 403
    assert sessions.one_time == token
