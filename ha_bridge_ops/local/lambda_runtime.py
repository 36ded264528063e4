"""The function in AWS's own runtime, on this machine.

AWS's runtime interface client (`awslambdaric`) runs the handler just as it does in the
cloud; AWS's runtime interface emulator stands in for the service around it.  The
emulator's binary ships in the package of the SAM CLI.
"""

import importlib.util
import json
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol, Self

import urllib3

from ha_bridge.redaction import Secret
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local.build import SOURCES
from ha_bridge_ops.local.processes import Process, free_port, listens
from ha_bridge_ops.local.tools import (
    LOCKS,
    Interpreter,
    environment,
    find_interpreter,
    program,
)

#: As in template.yaml.
TIMEOUT_S = 9
MEMORY_MB = 256

#: Seconds that a busy machine has besides.
_LATE_S = 6

_NO_END = (
    f"The function has not ended within {TIMEOUT_S} s, after which AWS ends it. "
    "ha-bridge check looks at who answers at BASE_URL."
)

#: Python versions of Lambda, the template's own first.
PYTHON_VERSIONS = ("3.13", "3.12", "3.11")

#: The emulator's name for the processor.
_MACHINES = {
    "x86_64": "x86_64",
    "amd64": "x86_64",
    "aarch64": "arm64",
    "arm64": "arm64",
}

Event = dict[str, Any]


class Function(Protocol):
    """A place where the handler runs."""

    description: str

    def invoke(self, event: object) -> Event:
        """Return what the handler answers to an event."""


def why_unavailable() -> str | None:
    """Return why the emulator cannot run on this machine, or None if it can."""
    if sys.platform != "linux":
        return f"the emulator runs on Linux only, and this is {platform.system()}"
    if platform.machine().lower() not in _MACHINES:
        return f"there is no emulator for {platform.machine()}"
    return None


def install() -> tuple[Path, Path]:
    """Return the emulator and the Python with the runtime; installs what is missing.

    Raises:
        CommandError: PyPI cannot be reached, or the like.
    """
    interpreter = find_interpreter(PYTHON_VERSIONS)
    return _emulator(interpreter), _runtime(interpreter)


def _emulator(interpreter: Interpreter) -> Path:
    folder = environment(
        "lambda-emulator", interpreter, [LOCKS / "lambda-emulator.txt"], no_deps=True
    )
    machine = _MACHINES[platform.machine().lower()]
    found = list(folder.glob(f"lib/*/site-packages/samcli/**/aws-lambda-rie-{machine}"))
    if not found:
        raise CommandError(f"The SAM CLI in {folder} holds no emulator for {machine}.")
    found[0].chmod(0o755)
    return found[0]


def _runtime(interpreter: Interpreter) -> Path:
    requirements = [LOCKS / "lambda-runtime.txt"]
    # In a checkout the function's own pin; else the lock has a urllib3 of its own.
    if (pinned := SOURCES / "requirements.txt").is_file():
        requirements.append(pinned)
    folder = environment(
        f"lambda-runtime-python{interpreter.version}", interpreter, requirements
    )
    return program(folder, "python")


class LambdaRuntime:
    """The function in one execution environment; the first event starts it.

    Use as a context manager.

    Args:
        variables: The function's environment variables.
        code: Folder with lambda_function.py and ha_bridge/.
        timeout_s: The function's timeout, in seconds.
        handler: What is called; the other one is the token endpoint's.
    """

    description = "in AWS's Lambda runtime, its cold start included"

    def __init__(
        self,
        variables: Mapping[str, str],
        *,
        code: Path = SOURCES,
        timeout_s: int = TIMEOUT_S,
        handler: str = "lambda_function.lambda_handler",
    ) -> None:
        self._variables = variables
        self._handler = handler
        self._code = code
        self._timeout_s = timeout_s
        self._scratch = tempfile.TemporaryDirectory(prefix="ha-bridge-runtime-")
        self._http = urllib3.PoolManager(
            timeout=timeout_s + 15, retries=False, maxsize=1
        )

    def __enter__(self) -> Self:
        emulator, python = install()
        port = free_port()
        address = f"127.0.0.1:{port}"
        self._url = f"http://{address}/2015-03-31/functions/function/invocations"
        self._process = Process(
            "The Lambda runtime emulator",
            [
                str(emulator),
                "--runtime-api-address",
                f"127.0.0.1:{free_port()}",
                "--runtime-interface-emulator-address",
                address,
                str(python),
                "-m",
                "awslambdaric",
                self._handler,
            ],
            environ={
                # Nothing of the user's, but for how this machine finds certificates.
                **{k: v for k, v in os.environ.items() if k.startswith("SSL_CERT_")},
                "PATH": os.environ.get("PATH", ""),
                "PYTHONPATH": str(self._code),
                "PYTHONDONTWRITEBYTECODE": "1",
                "LAMBDA_TASK_ROOT": str(self._code),
                "_HANDLER": self._handler,
                "AWS_LAMBDA_FUNCTION_NAME": "ha-bridge",
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self._timeout_s),
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB),
                "AWS_LAMBDA_LOG_FORMAT": "JSON",
                "AWS_LAMBDA_LOG_LEVEL": "INFO",
                **self._variables,
            },
            log=Path(self._scratch.name) / "log",
            cwd=self._code,
        )
        try:
            self._process.wait_until(lambda: listens(port), timeout=30)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_why: object) -> None:
        self.close()

    def close(self) -> None:
        """End emulator and function."""
        self._http.clear()
        self._process.stop(timeout=5)
        self._scratch.cleanup()

    def invoke(self, event: object) -> Event:
        """Return what the handler answers to an event.

        Raises:
            CommandError: The emulator cannot be asked, or the function crashed.
        """
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        try:
            reply = self._http.request("POST", self._url, body=body)
            answer = json.loads(reply.data)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise CommandError(
                f"The Lambda runtime gave no answer ({type(error).__name__}): "
                f"{self._process.last_words()}"
            ) from None
        if not isinstance(answer, dict) or "errorType" in answer:
            raise CommandError(f"The function crashed: {answer}")
        return answer

    @property
    def process_group(self) -> int:
        """The group in which emulator and function run."""
        return self._process.group

    def log(self) -> str:
        """Return all that emulator and function have written so far."""
        return self._process.log.read_text("utf-8", "replace")

    def log_lines(self) -> list[Event]:
        """Return the JSON lines that the function has logged so far."""
        lines = (line for line in self.log().splitlines() if line.startswith("{"))
        return [json.loads(line) for line in lines]


class InProcess:
    """The handler called from here, where the emulator cannot run."""

    description = "in this process"

    def __init__(self, variables: Mapping[str, str]) -> None:
        os.environ.update(variables)
        # The module reads the environment when it is imported.
        path = SOURCES / "lambda_function.py"
        spec = importlib.util.spec_from_file_location("lambda_function", path)
        if spec is None or spec.loader is None:
            raise ImportError(path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self._handler = module.lambda_handler
        self._bridge = module._bridge  # noqa: SLF001 - the module's only name for it
        self._one_at_a_time = threading.Lock()  # as in Lambda, even if one never ends

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        self._bridge.close()

    def invoke(self, event: object) -> Event:
        """Return what the handler answers to an event.

        Raises:
            CommandError: It has not ended where AWS would have ended it: OpenSSL, for
                one, looks at no time while it is sent tickets for other sessions.
        """
        answer: Future[Event] = Future()
        context = Context(TIMEOUT_S)

        def handle() -> None:
            try:
                with self._one_at_a_time:
                    answer.set_result(self._handler(event, context))
            except BaseException as error:  # noqa: BLE001 - raised below
                answer.set_exception(error)

        threading.Thread(target=handle, daemon=True).start()
        try:
            return answer.result(TIMEOUT_S + _LATE_S)
        except TimeoutError:
            if answer.done():  # it is the handler's own
                raise
            raise CommandError(_NO_END) from None

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What the function has sent that stands in no event, references resolved."""
        found: tuple[Secret, ...] = self._bridge.secrets
        return found


class Context:
    """What the handler uses of Lambda's context.

    Args:
        timeout_s: Seconds from now until Lambda would end the function.
    """

    def __init__(self, timeout_s: float) -> None:
        self._end = time.monotonic() + timeout_s

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left in milliseconds, as Lambda's context does."""
        return max(0, round((self._end - time.monotonic()) * 1000))
