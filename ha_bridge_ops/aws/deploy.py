"""The command that deploys the function, as people paste it and as it is run."""

import shlex
from collections.abc import Sequence


def command(
    env: str,
    base_url: str | None = None,
    skill_id: str | None = None,
    extra: Sequence[str] = (),
) -> str:
    """Return what deploys the function, for a shell.

    Args:
        env: An environment of samconfig.toml: na, eu or fe.
        base_url: Where Home Assistant is; None leaves it as it was.
        skill_id: The only skill that may call it, or a variable of the shell.
        extra: More parameters, as Name=value.
    """
    words = ["sam", "deploy", "--config-env", env]
    given = [f"BaseUrl={shlex.quote(base_url)}"] if base_url else []
    given += [f"SkillId={skill_id}"] if skill_id else []
    given += extra
    if given:
        words += ["--parameter-overrides", *given]
    return f"sam build && {' '.join(words)}"
