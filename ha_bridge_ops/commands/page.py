"""`ha-bridge page`: the home as Alexa sees it, and a way to talk to it."""

import contextlib
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import click

from ha_bridge.redaction import Secret
from ha_bridge.secrets import is_reference
from ha_bridge_ops import options
from ha_bridge_ops.local import releases
from ha_bridge_ops.local.embedded import HomeAssistantServer
from ha_bridge_ops.local.lambda_runtime import InProcess
from ha_bridge_ops.local.processes import PROXIES, inherited
from ha_bridge_ops.terminal import Steps, echo
from ha_bridge_ops.variables import TOKEN, usable_variables

#: What a browser, and what looks for one, need of our environment: its window, its
#: folders, who is logged in.  Tokens of the home and logins of AWS are not in it.
FOR_BROWSERS: Final = (
    *("HOME", "USER", "LOGNAME", "SHELL", "TERM", "BROWSER", "XDG_", "DBUS_"),
    *("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "ICEAUTHORITY", "SESSION_MANAGER"),
    *("DESKTOP_", "GNOME_", "KDE_", "GTK_", "QT_", "MOZ_", "SNAP_", "GDK_"),
    *("WSL_", "WSLENV", "VSCODE_", "SSH_CONNECTION", "SSH_TTY", "TMUX"),
    *("PROGRAMFILES", "PROGRAMDATA", "PROGRAMW6432", "SYSTEMDRIVE", "WINDIR"),
    *("HOMEDRIVE", "HOMEPATH", "USERNAME"),
    *PROXIES,
)

_BROWSE: Final = "import sys, webbrowser; webbrowser.open(sys.argv[1])"


@options.command()
@click.option("--demo", is_flag=True, help="Show a Home Assistant made for this.")
@click.option("--no-open", is_flag=True, help="Print the address, open no browser.")
@click.option(
    "--allow-unlock",
    is_flag=True,
    help="Allow the page to unlock, open and disarm. It asks each time.",
)
@options.env_file
def page(*, demo: bool, no_open: bool, allow_unlock: bool, env_file: Path) -> None:
    """See your home as Alexa sees it, and talk to it, in a browser on this machine.

    \b
    Examples:
      ha-bridge page --demo             try it, with nothing configured
      ha-bridge page                    your own home
      ha-bridge page --allow-unlock     doors too; it asks each time
      ha-bridge page --no-open          print the address, open it yourself

    It lists each device with what Alexa can do, and what may go wrong with it. It
    accepts sentences as you would say them, and shows what they do. It writes the
    block for Home Assistant that chooses and renames devices. It also checks what is
    wrong. It is not Alexa: only Alexa knows which of two lamps it would choose.

    It runs the function in this process, with BASE_URL and LONG_LIVED_ACCESS_TOKEN
    from the environment or .env. Only this machine can reach it, and only the
    browser that opens the printed address, which works once. Ctrl-C ends it. Only
    --demo needs Linux or macOS, because Home Assistant does not run on Windows.

    Exit status: 0 ended by Ctrl-C, 2 it could not run.
    """
    with contextlib.ExitStack() as stack:
        if demo:
            variables, token = stack.enter_context(_demo())
        else:
            variables = usable_variables(env_file, ", or try ha-bridge page --demo")
            token = variables.get(TOKEN, "").strip()
        show(
            variables,
            token,
            opens=not no_open,
            is_demo=demo,
            may_open=allow_unlock,
        )


@contextlib.contextmanager
def _demo() -> Iterator[tuple[dict[str, str], str]]:
    """Bring up a Home Assistant with demo devices; give its variables and token."""
    steps = Steps()
    server = HomeAssistantServer(releases.brought(steps))
    with contextlib.ExitStack() as stack:
        with steps.step("Starting Home Assistant and creating a user"):
            stack.enter_context(server)
        token = server.lasting_token()
        yield {"BASE_URL": server.url, TOKEN: token}, token


def show(
    variables: Mapping[str, str],
    token: str,
    *,
    opens: bool = True,
    is_demo: bool = False,
    may_open: bool = False,
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        variables: Of the function.
        token: Home Assistant's; a reference or nothing is left to the function.
        opens: Whether to open a browser, rather than to print the address.
        is_demo: Whether the home is the demo's.
        may_open: Whether what unlocks, opens or disarms may be sent.
    """
    # Heavy, and no other command needs it.
    from ha_bridge_ops.page.app import Shown  # noqa: PLC0415
    from ha_bridge_ops.page.home import Home  # noqa: PLC0415
    from ha_bridge_ops.page.server import PageServer  # noqa: PLC0415

    sent = "" if is_reference(Secret(token)) else token
    # The page shows what the handler logs.
    logging.getLogger("ha_bridge").addHandler(logging.NullHandler())
    logging.getLogger("ha_bridge").propagate = False
    with InProcess(variables) as function:
        home = Home(function, token=lambda: sent, may_open=may_open)
        server = PageServer(
            Shown(
                home,
                variables["BASE_URL"],
                variables,
                lambda: (Secret(sent), *function.secrets),
                is_demo=is_demo,
            )
        )
        if opens:
            # In a thread: where there is no window, it may be a browser in a terminal.
            # It waits for the first answer, because the socket listens already.
            threading.Thread(
                target=_browse, args=(server.address,), daemon=True
            ).start()
            echo(f"In your browser: {server.address}", err=True)
            echo("The address works once. Ctrl-C ends the page.", err=True)
        else:
            echo(server.address)
            echo(
                "Open it on this machine; it works once. Ctrl-C ends the page.",
                err=True,
            )
        server.run()
    echo("Ended.", err=True)


def _browse(address: str) -> None:
    """Open a browser, by a Python without the secrets of our environment."""
    subprocess.run(
        [sys.executable, "-I", "-c", _BROWSE, address],
        env=inherited(*FOR_BROWSERS),
        stderr=subprocess.DEVNULL,
        check=False,
    )
