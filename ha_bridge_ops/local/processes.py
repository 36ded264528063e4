"""Programs that run in the background and never outlive the command."""

import _thread
import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from ha_bridge.redaction import REDACTED, Secret
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.local import build
from ha_bridge_ops.outside import quoted, without

#: What any program may know of whoever starts it: where programs and certificates are,
#: how to speak, and where to put scratch files.  Tokens and passwords are not among it.
#: A name that ends in _ stands for all that begin so.
INHERITED = (
    *("PATH", "LANG", "LANGUAGE", "LC_", "SSL_CERT_", "TMPDIR", "TZ"),
    # Without these no program of Windows finds its libraries, its home or a shell.
    *("SYSTEMROOT", "COMSPEC", "PATHEXT", "TEMP", "TMP"),
    *("USERPROFILE", "APPDATA", "LOCALAPPDATA"),
)

#: Where the way to the Internet leads over a proxy; there may be a password in it.
PROXIES = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)


def inherited(*more: str) -> dict[str, str]:
    """Return what a child may see of our environment.

    Args:
        more: Names beside `INHERITED` that this child needs.
    """
    names = {*INHERITED, *more}
    exact = {name for name in names if not name.endswith("_")}
    begins = tuple(names - exact)
    return {k: v for k, v in os.environ.items() if k in exact or k.startswith(begins)}


#: Ports that no system gives by itself: whatever asks for any, and each connection that
#: leaves, gets a higher one (Linux from 32768, the others from 49152, as RFC 6335 has
#: it).  So nobody takes one between its being chosen and its server's being up.
_QUIET_PORTS: Final = range(20_000, 32_768)

#: Seconds after which a signal that was ignored comes again.
_AGAIN_S = 0.02

#: Bytes that a program may write; the longest installation writes some 100 000.
_MOST = 10_000_000

#: Bytes that are read of it at once.
_AT_ONCE = 65_536

#: Seconds for what a program has left in its pipes when it has ended.
_LEFT_S = 5.0

#: Characters of a program's last words that are shown.
_SHOWN = 600

#: What AWS writes out of a request whose signature it does not believe; its token need
#: not be in the environment, but may come from a file or a program.  And how such a
#: token begins, whoever repeats it.
_SIGNED_TOKEN: Final = re.compile(
    r"(?i:x-amz-security-token[\"':=\s]+[^\"'\s,&]+)"
    r"|(?:IQoJ|FQoG|FwoG)[\w+/=%-]{40,}"
)


def free_port() -> int:
    """Return a loopback port that nobody listens on, by lot.

    Raises:
        CommandError: There is none.
    """
    for port in random.sample(_QUIET_PORTS, len(_QUIET_PORTS)):
        with (
            contextlib.suppress(OSError),  # somebody does
            socket.create_server(("127.0.0.1", port)),
        ):
            return port
    raise CommandError("No port is free on 127.0.0.1.")


def listens(port: int) -> bool:
    """Return whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    timeout: float,
    cwd: Path | None = None,
    secrets: Iterable[Secret] = (),
) -> str:
    """Run a program to its end, and return what it wrote to stdout.

    Args:
        command: The program and its arguments.
        environ: All of its environment.
        timeout: Seconds it may take.
        cwd: Where it runs; None for where we are.
        secrets: As for `said`.

    Raises:
        FailedError: It could not be started, failed, took too long or wrote too much;
            with its last words.
    """
    try:
        done = output_of(
            command, environ=environ, timeout=timeout, limit=_MOST, cwd=cwd
        )
    except OSError as error:
        raise FailedError(f"It cannot be started: {error.strerror}.") from None
    except subprocess.TimeoutExpired:
        raise FailedError(f"It took more than {timeout:.0f} s.") from None
    except TooMuchError:
        raise FailedError(f"It wrote over {_MOST} bytes.") from None
    if done.returncode:
        raise FailedError(said(done.stderr or done.stdout, environ, secrets))
    return done.stdout


def said(text: str, environ: Mapping[str, str], secrets: Iterable[Secret] = ()) -> str:
    """Return the last words of a program, in quotation marks and as a sentence.

    Whoever it asked for us may have repeated what it was sent.

    Args:
        text: What it has written.
        environ: All of its environment.
        secrets: What it knows besides, such as from a file.
    """
    known = without([*secrets, *secrets_of(environ)], text[-build.END :])
    words = " ".join(_SIGNED_TOKEN.sub(REDACTED, known).split())[-_SHOWN:]
    return f"It said: {quoted(words, _SHOWN)}." if words else "It said nothing."


def secrets_of(environ: Mapping[str, str]) -> Iterator[Secret]:
    """Give what of an environment opens something: tokens, passwords of addresses."""
    return map(Secret, build.secrets_of(environ))


class FailedError(Exception):
    """A program did not do what it was started to do; the text says how it ended."""


class TooMuchError(Exception):
    """A program has written more than anybody would read."""


def output_of(
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    timeout: float,
    limit: int,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, and return what it wrote.

    Args:
        command: The program and its arguments.
        environ: All of its environment.
        timeout: Seconds after which it and its children are killed.
        limit: Bytes that it may write to stdout, and as many to stderr.
        cwd: Where it runs; None for where we are.

    Raises:
        OSError: It could not be started.
        subprocess.TimeoutExpired: It took too long.
        TooMuchError: It wrote more.
    """
    child = subprocess.Popen(
        command,
        env=dict(environ),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # what is closed while somebody reads it must not wait for a lock
        start_new_session=True,
    )
    written = (bytearray(), bytearray())

    def read(pipe: IO[bytes], text: bytearray) -> None:
        while len(text) <= limit and (more := pipe.read(_AT_ONCE)):
            text += more
        if len(text) > limit:
            _end_group(child)
        pipe.close()

    readers = [
        threading.Thread(target=read, args=(pipe, text), daemon=True)
        for pipe, text in zip((child.stdout, child.stderr), written, strict=True)
    ]
    try:
        for reader in readers:
            reader.start()
        child.wait(timeout)
        # A child of its own that outlives it may keep the pipes open for ever.
        give_up = time.monotonic() + _LEFT_S
        for reader in readers:
            reader.join(max(give_up - time.monotonic(), 0))
    finally:
        _end_group(child)
        child.wait()
    if any(len(text) > limit for text in written):
        raise TooMuchError
    stdout, stderr = (bytes(text).decode("utf-8", "replace") for text in written)
    return subprocess.CompletedProcess(
        list(command), child.returncode, _one_kind(stdout), _one_kind(stderr)
    )


def _one_kind(text: str) -> str:
    return text.replace("\r\n", "\n")  # Windows ends its lines otherwise


def _end_group(child: subprocess.Popen[bytes], *, gently: bool = False) -> None:
    """End a child with a process group of its own, and all in it."""
    if sys.platform == "win32":  # which has neither groups nor gentleness
        child.kill()
    else:
        number = signal.SIGTERM if gently else signal.SIGKILL
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)


class Process:
    """A child with a process group of its own, whose output goes to a file.

    Ctrl-C reaches the command only, which then ends the whole group in its own time.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environ: Mapping[str, str],
        log: Path,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._environ = dict(environ)
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                command,
                env=self._environ,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def group(self) -> int:
        """Its process group."""
        return self._child.pid

    def wait_until(self, is_ready: Callable[[], bool], timeout: float) -> None:
        """Wait until something is true of the running program.

        Args:
            is_ready: Asked again and again; a refused connection means no.
            timeout: Seconds.

        Raises:
            CommandError: The program ended, or took too long; with its last words.
        """
        give_up = time.monotonic() + timeout
        while time.monotonic() < give_up:
            if self._child.poll() is not None:
                raise CommandError(f"{self.name} ended by itself. {self.last_words()}")
            if is_ready():
                return
            time.sleep(0.05)
        raise CommandError(
            f"{self.name} was not ready after {timeout:.0f} s. {self.last_words()}"
        )

    def last_words(self) -> str:
        """Return the end of its output, in one line and as a sentence."""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - build.END))
            text = log.read(build.END).decode("utf-8", "replace")
        return said(text, self._environ)

    def stop(self, timeout: float = 20.0) -> None:
        """End it and all its children, gently first.

        Args:
            timeout: Seconds to wait before it is killed.
        """
        _end_group(self._child, gently=True)
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(timeout)
        finally:
            # Also what the child left behind in its group.
            _end_group(self._child)
            self._child.wait()


@contextlib.contextmanager
def ending_on_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit, so that `finally` blocks run.

    Python ignores what is raised in a callback of its own, such as that of an import's
    lock: a signal that came just there, Ctrl-C among them, comes once more.
    """

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    def again(ignored: "sys.UnraisableHookArgs") -> None:
        error = ignored.exc_value
        if isinstance(error, KeyboardInterrupt):
            threading.Timer(_AGAIN_S, _signal, [signal.SIGINT]).start()
        elif isinstance(error, SystemExit) and isinstance(error.code, int):
            threading.Timer(_AGAIN_S, _signal, [error.code - 128]).start()
        else:
            hook(ignored)

    hook, sys.unraisablehook = sys.unraisablehook, again
    wanted = (getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP"))
    # Windows has no SIGHUP.
    previous = {
        number: signal.signal(number, leave) for number in wanted if number is not None
    }
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in previous.items():
            signal.signal(number, handler)


def _signal(number: int) -> None:
    if os.name == "nt":  # where os.kill ends what it is told to tell
        _thread.interrupt_main(signal.Signals(number))
    else:
        os.kill(os.getpid(), number)
