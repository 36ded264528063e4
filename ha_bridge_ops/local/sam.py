"""The SAM CLI that the project is tested with, installed when it is first wanted.

`python -m ha_bridge_ops.local.sam` takes the arguments of `sam`.
"""

import os
import subprocess
import sys
from pathlib import Path

from ha_bridge.settings import VARIABLES
from ha_bridge_ops.local.lambda_runtime import PYTHON_VERSIONS
from ha_bridge_ops.local.tools import LOCKS, environment, find_interpreter, program


def install() -> Path:
    """Return the SAM CLI's program.

    Raises:
        CommandError: PyPI cannot be reached, or the like.
    """
    interpreter = find_interpreter(PYTHON_VERSIONS)
    folder = environment("sam", interpreter, [LOCKS / "sam.txt"], no_deps=True)
    return program(folder, "sam")


def main() -> None:
    """Run the SAM CLI."""
    sam = str(install())
    # It would report to AWS what is run.
    environ = {"SAM_CLI_TELEMETRY": "0", **os.environ}
    for name in VARIABLES:
        # The function's own, a token among them, are none of SAM's business.
        environ.pop(name, None)
    command = [sam, *sys.argv[1:]]
    sys.exit(subprocess.run(command, env=environ, check=False).returncode)


if __name__ == "__main__":
    main()
