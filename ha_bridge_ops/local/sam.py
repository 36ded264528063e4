"""The SAM CLI that the project is tested with, installed when it is first wanted.

`python -m ha_bridge_ops.local.sam` takes the arguments of `sam`.
"""

import subprocess
import sys
from pathlib import Path

from ha_bridge_ops.local.lambda_runtime import PYTHON_VERSIONS
from ha_bridge_ops.local.processes import PROXIES, inherited
from ha_bridge_ops.local.tools import LOCKS, environment, find_interpreter, program

#: What SAM and what it starts (Docker, make, uv) need of our environment: where AWS's
#: logins, containers, proxies and packages are.  The function's own variables, a token
#: among them, are none of it.
_FOR_SAM = (
    *(
        "AWS_",
        "BOTO_",
        "SAM_",
        "__SAM_",
        "DOCKER_",
        "CONTAINER_",
        "PODMAN_",
        "SSH_AUTH_SOCK",
    ),
    *("UV_", "PIP_", "PYENV_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"),
    *("HOME", "USER", "LOGNAME", "SHELL", "XDG_"),
    *("TERM", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "EDITOR", "BROWSER", "DISPLAY"),
    *("PROGRAMDATA", "PROGRAMFILES", "HOMEDRIVE", "HOMEPATH", "USERNAME"),
    *PROXIES,
)


def install() -> Path:
    """Return the SAM CLI's program.

    Raises:
        CommandError: PyPI cannot be reached, or the like.
    """
    interpreter = find_interpreter(PYTHON_VERSIONS)
    folder = environment("sam", interpreter, [LOCKS / "sam.txt"], no_deps=True)
    return program(folder, "sam")


def environ() -> dict[str, str]:
    """Return all that SAM sees of our environment; it reports to nobody what is run."""
    return {**inherited(*_FOR_SAM), "SAM_CLI_TELEMETRY": "0"}


def main() -> None:
    """Run the SAM CLI."""
    sam = str(install())
    command = [sam, *sys.argv[1:]]
    sys.exit(subprocess.run(command, env=environ(), check=False).returncode)


if __name__ == "__main__":
    main()
