"""A child process: answers directives from a can, as slowly and as long as it is told.

It stands in where a real Home Assistant cannot be had: with thousands of endpoints, or
with one that takes seconds.  It runs as a script, prints its port, and answers commands
over its pipes: one JSON object a line.
"""

import gzip
import http.server
import json
import sys
import threading
import time
from typing import Any


class Can:
    """The answers, and how many directives have come."""

    def __init__(self) -> None:
        self.delay_s = 0.0
        self.received = 0
        self._bodies: dict[str, tuple[bytes, bytes]] = {}

    def fill(self, answers: dict[str, Any]) -> None:
        """Set the answer to each directive, by its name."""
        for name, answer in answers.items():
            body = json.dumps(answer, separators=(",", ":")).encode()
            # Level 6, as Home Assistant's.
            self._bodies[name] = body, gzip.compress(body, 6)

    def answer(self, name: str, *, compressed: bool) -> bytes:
        """Return the body for a directive."""
        self.received += 1
        time.sleep(self.delay_s)
        return self._bodies[name][compressed]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers over kept connections."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    can = Can()

    def do_POST(self) -> None:
        """Answer a directive."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        compressed = "gzip" in self.headers.get("Accept-Encoding", "")
        name = body["directive"]["header"]["name"]
        answer = self.can.answer(name, compressed=compressed)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        if compressed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_args: object) -> None:
        """Stay silent."""


def main() -> None:
    """Serve until the pipe is closed."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _say({"port": server.server_port})
    for line in sys.stdin:
        command = json.loads(line)
        Handler.can.fill(command.get("answers", {}))
        Handler.can.delay_s = command.get("delay_s", Handler.can.delay_s)
        _say({"received": Handler.can.received})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
