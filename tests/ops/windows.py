"""An interpreter without what only POSIX has: `python windows.py ARGUMENTS…`.

It runs `ha-bridge ARGUMENTS…`, or the script that WINDOWS_RUNS names.  Text files get
the line ends of Windows, unless others are asked for.  What libraries themselves use on
this machine is loaded before; what is left to find out is whether *we* ask for what
Windows does not have.
"""

import asyncio
import builtins
import concurrent.futures
import contextlib
import functools
import getpass
import io
import multiprocessing
import os
import platform
import runpy
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from typing import Any

import filelock

#: https://docs.python.org/3/library/, “Availability: Unix” or “not Windows”.
MODULES = (
    *(
        "crypt",
        "curses",
        "fcntl",
        "grp",
        "nis",
        "ossaudiodev",
        "pty",
        "pwd",
        "readline",
    ),
    *("resource", "spwd", "syslog", "termios", "tty"),
)
NAMES = {
    os: (
        *("chown", "chroot", "confstr", "ctermid", "fchmod", "fchown", "fork"),
        *("forkpty", "getegid", "geteuid", "getgid", "getgroups", "getloadavg"),
        *("getpgid", "getpgrp", "getpriority", "getresuid", "getsid", "getuid"),
        *("initgroups", "killpg", "lchown", "lockf", "mkfifo", "mknod", "nice"),
        *("openpty", "pathconf", "posix_spawn", "sched_getaffinity", "sched_yield"),
        *("setegid", "seteuid", "setgid", "setgroups", "setpgid", "setsid", "setuid"),
        *("statvfs", "sync", "sysconf", "tcgetpgrp", "uname", "wait", "wait3"),
        *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "WNOHANG"),
    ),
    signal: (
        *("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT"),
        *("SIGSTOP", "SIGTSTP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "alarm", "pause"),
        *("pthread_kill", "pthread_sigmask", "setitimer", "sigwait"),
    ),
    socket: (
        *("AF_NETLINK", "AF_PACKET", "AF_UNIX", "EAI_ADDRFAMILY", "EAI_OVERFLOW"),
        *("EAI_SYSTEM", "MSG_DONTWAIT", "MSG_NOSIGNAL", "SO_REUSEPORT"),
        *("TCP_USER_TIMEOUT", "fromshare", "if_nameindex", "sethostname"),
    ),
    select: ("epoll", "poll"),
}

#: They look for what the system has when they are loaded.
LOADED = (
    filelock,
    *(asyncio, concurrent.futures, contextlib, getpass, multiprocessing, shutil),
    *(ssl, subprocess, tempfile),
)


def take_away() -> None:
    """Make it as if it had never been there."""
    # Windows has pairs without it, made in another way.
    socket.socketpair = functools.partial(socket.socketpair, socket.AF_UNIX)
    for module in MODULES:
        sys.modules[module] = None  # type: ignore[assignment] # an import of it fails
    for owner, names in NAMES.items():
        for name in names:
            if hasattr(owner, name):
                delattr(owner, name)


def end_lines_otherwise() -> None:
    """Let text files have the line ends of Windows."""
    real = io.open

    @functools.wraps(real)
    def opened(  # noqa: PLR0913, PLR0917 - as that of io
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,  # noqa: FBT001, FBT002
        opener: Any = None,
    ) -> Any:
        if newline is None and "b" not in mode and set(mode) & set("wxa+"):
            newline = "\r\n"
        if "b" not in mode:
            encoding = io.text_encoding(encoding, 3)
        return real(file, mode, buffering, encoding, errors, newline, closefd, opener)

    io.open = builtins.open = opened


def main() -> None:
    """Take it all away, and be the command."""
    take_away()
    end_lines_otherwise()
    platform.system = lambda: "Windows"
    if script := os.environ.get("WINDOWS_RUNS"):
        sys.argv[0] = script
        runpy.run_path(script, run_name="__main__")
        return
    sys.argv[0] = "ha-bridge"
    runpy.run_module("ha_bridge_ops", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
