"""A resolver that knows the names of a test, and asks the real one for all others."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

#: What a name resolves to, each time it is asked; the last goes for all that follow.
Answers = list[list[str] | OSError]

#: A family of addresses that no kernel here knows, as Lambda's does not know IPv6.
UNKNOWN_FAMILY = 9


@contextmanager
def names(known: dict[str, Answers]) -> Iterator[list[str]]:
    """Let these names resolve, for the whole process.

    Args:
        known: Addresses by name; one of letters only is of an unknown family.

    Yields:
        The names that were asked for, in their order.
    """
    real, asked = socket.getaddrinfo, list[str]()

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in known:
            return real(host, port, *arguments, **named)
        asked.append(name)
        answer = known[name][min(asked.count(name), len(known[name])) - 1]
        if isinstance(answer, OSError):
            raise answer
        return [_info(address, int(port)) for address in answer]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield asked


def _info(address: str, port: int) -> Any:
    family: int = socket.AF_INET
    if address.isalpha():
        family = UNKNOWN_FAMILY
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)
