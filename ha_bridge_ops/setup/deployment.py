"""The function's stack, deployed with the SAM CLI from files that are at hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ha_bridge_ops.aws.session import logins
from ha_bridge_ops.aws.version import sha256
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.local import one_file, sam
from ha_bridge_ops.local.made import make
from ha_bridge_ops.local.package import write_zip
from ha_bridge_ops.local.processes import FailedError, run

#: Names of the files in the folder that SAM gets.
_ZIP: Final = "ha-bridge.zip"
_TEMPLATE: Final = "template.yaml"

#: Seconds for a deployment; CloudFormation takes a minute or two.
TIMEOUT_S: Final = 1200


@dataclass(frozen=True)
class Package:
    """What is deployed, made anew each time: the same release gives the same bytes."""

    folder: Path

    @property
    def template(self) -> str:
        """What the stack is made of."""
        return one_file.plain_template(lambda _entry: f"      Code: {_ZIP}\n")

    def make(self) -> None:
        """Write zip and template.

        Raises:
            CommandError: urllib3 cannot be installed, or the folder not be written.
        """
        work = self.folder / "package"
        try:
            make(work)
            write_zip(work, self.folder / _ZIP)
            (self.folder / _TEMPLATE).write_text(self.template, "ascii", newline="\n")
        except OSError as error:
            where = error.filename or self.folder  # a full disk names no file
            raise CommandError(f"{where}: {error.strerror}.") from None

    @property
    def size(self) -> int:
        """Bytes of the zip."""
        return (self.folder / _ZIP).stat().st_size

    @property
    def code_hash(self) -> str:
        """The hash of the code, as AWS tells it."""
        return sha256((self.folder / _ZIP).read_bytes())


def deploy(  # noqa: PLR0913 - what SAM asks for
    package: Package,
    *,
    stack: str,
    region: str,
    parameters: Mapping[str, str],
    bucket: str | None,
    profile: str | None,
) -> None:
    """Create or update the stack, and wait for it.

    Args:
        package: What has been made.
        stack: Name of the stack.
        region: An AWS region.
        parameters: Of the template; others stay as they were.
        bucket: Of S3, for the package; None for SAM's own, which it makes.
        profile: Of the AWS command line; None for the one it would take.

    Raises:
        RefusedError: SAM or AWS did not do it; in their last words.
    """
    given = [f"{name}={value}" for name, value in parameters.items()]
    where = ["--s3-bucket", bucket] if bucket else ["--resolve-s3"]
    if profile:  # another would be another account
        where += ["--profile", profile]
    _run(
        package.folder,
        *("deploy", "--template-file", _TEMPLATE, "--stack-name", stack),
        *("--region", region, "--capabilities", "CAPABILITY_IAM", *where),
        *("--s3-prefix", "ha-bridge", "--no-confirm-changeset", "--no-progressbar"),
        *("--no-fail-on-empty-changeset", "--parameter-overrides", *given),
    )


def _run(folder: Path, *arguments: str) -> None:
    command = [str(sam.install()), *arguments]
    try:
        run(
            command,
            environ=sam.environ(),
            timeout=TIMEOUT_S,
            cwd=folder,
            secrets=logins(),
        )
    except FailedError as error:
        raise RefusedError(
            "SAM did not deploy the function. The CloudFormation console shows why, "
            f"and `ha-bridge setup` continues from here. {error}"
        ) from None
