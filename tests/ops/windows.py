"""An interpreter without what only POSIX has: `python windows.py ARGUMENTS…`.

It runs `ha-bridge ARGUMENTS…`.  What libraries themselves use on this machine is loaded
before; what is left to find out is whether *we* ask for what Windows does not have.
"""

import asyncio
import concurrent.futures
import contextlib
import getpass
import multiprocessing
import os
import runpy
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile

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
    for module in MODULES:
        sys.modules[module] = None  # type: ignore[assignment] # an import of it fails
    for owner, names in NAMES.items():
        for name in names:
            if hasattr(owner, name):
                delattr(owner, name)


def main() -> None:
    """Take it all away, and be the command."""
    take_away()
    sys.argv[0] = "ha-bridge"
    runpy.run_module("ha_bridge_ops", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
