"""What the server does with a request: answers of every kind, good and bad."""

import gzip
import json
from collections.abc import Mapping

from tests.fakes.server import Behaviour, Exchange, Hangup


def response(
    status: int = 200,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    length: int | None = None,
) -> bytes:
    """Return an HTTP response as bytes.

    Args:
        length: Says another Content-Length than the true one.
    """
    fields = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body) if length is None else length),
        **(headers or {}),
    }
    lines = [f"HTTP/1.1 {status} Status", *(f"{k}: {v}" for k, v in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def reply(
    status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Behaviour:
    """Answer with this status and body."""
    return lambda exchange: exchange.send(response(status, body, headers))


def reply_json(answer: object, status: int = 200) -> Behaviour:
    """Answer with this JSON, compressed if the client takes gzip, as HA does."""

    def behave(exchange: Exchange) -> None:
        body, headers = json.dumps(answer).encode(), {}
        if exchange.request.headers.get("accept-encoding") == "gzip":
            body, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
        exchange.send(response(status, body, headers))

    return behave


def answer_directive(exchange: Exchange) -> None:
    """Answer as Home Assistant does: a Response that echoes the correlationToken."""
    directive = exchange.request.json["directive"]
    header = {
        "namespace": "Alexa",
        "name": "Response",
        "messageId": "7e5e0a3f-2f7a-4a3d-8a05-8b0a5dbb1f0a",
        "payloadVersion": "3",
    }
    if token := directive["header"].get("correlationToken"):
        header["correlationToken"] = token
    event = {"header": header, "payload": {}}
    if "endpoint" in directive:
        event["endpoint"] = directive["endpoint"]
    reply_json({"event": event, "context": {"properties": []}})(exchange)


def raw(data: bytes) -> Behaviour:
    """Send these bytes, and then close."""

    def behave(exchange: Exchange) -> None:
        exchange.send(data)
        raise Hangup

    return behave


def hang_up(_exchange: Exchange) -> None:
    """Close without a word."""
    raise Hangup


def reset(exchange: Exchange) -> None:
    """Close with a RST."""
    exchange.reset()


def silence(exchange: Exchange) -> None:
    """Take the request and never answer."""
    exchange.pause(60)


def after(seconds: float, then: Behaviour) -> Behaviour:
    """Wait, then go on."""

    def behave(exchange: Exchange) -> None:
        exchange.pause(seconds)
        then(exchange)

    return behave


def drip(
    data: bytes, size: int = 1, pause: float = 1.0, *, at_once: int = 0
) -> Behaviour:
    """Send some bytes at once and the rest bit by bit, pausing between."""

    def behave(exchange: Exchange) -> None:
        exchange.send(data[:at_once])
        for start in range(at_once, len(data), size):
            exchange.send(data[start : start + size])
            exchange.pause(pause)

    return behave


def endless(head: bytes, chunk: bytes) -> Behaviour:
    """Send a head, and then a body that has no end."""

    def behave(exchange: Exchange) -> None:
        exchange.send(head)
        while not exchange.stopping.is_set():
            exchange.send(chunk)

    return behave
