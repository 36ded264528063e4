"""Child processes that are asked over a pipe, and end when it is closed."""

import contextlib
import json
import select
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.processes import inherited

#: Where the scripts of the children lie.
SCRIPTS = Path(__file__).parent

#: Seconds for an answer.
PATIENCE_S = 60


class Helper:
    """A child that reads a JSON object a line, and answers each with another.

    Use as a context manager.  It ends by itself if this process is killed.

    Args:
        name: What to call it in a complaint.
        command: Program and arguments.
        environ: Its whole environment; by default what any child may see of ours.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._child = subprocess.Popen(
            command,
            env=inherited() if environ is None else environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,  # Ctrl-C is for us: we end it in our own time
        )
        assert self._child.stdin is not None  # noqa: S101 - as it is a pipe
        assert self._child.stdout is not None  # noqa: S101 - as it is a pipe
        self._input, self._output = self._child.stdin, self._child.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        self.close()

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Return the answer to a command.

        Raises:
            CommandError: It has ended, or gives no answer; with its last words.
        """
        with contextlib.suppress(BrokenPipeError):
            self._input.write(json.dumps({"do": do, **arguments}) + "\n")
            self._input.flush()
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """Return the next line that it says.

        Raises:
            CommandError: As `ask`.
        """
        line = ""
        if select.select([self._output], [], [], PATIENCE_S)[0]:
            line = self._output.readline()
        if not line:
            self._errors.seek(0)
            words = b" ".join(self._errors.read().split())[-500:].decode()
            raise CommandError(f"{self.name} gives no answer: {words or 'no error'}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(BrokenPipeError):
            self._input.close()
        try:
            self._child.wait(2)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._child.kill()
            self._child.wait()
            self._output.close()
            self._errors.close()
