"""Where this project is: a copy of it around the code, or only its address."""

import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Final

_COPY: Final = Path(__file__).resolve().parents[1]

#: A document of the project, as our texts name it.
_DOCUMENT: Final = re.compile(r"\bdocs/(?=[a-z-]+\.md\b)")

#: What is said below a command that begins with `sam build`.
WITHOUT_A_COPY: Final = (
    "sam build works in a folder with a copy of this project. Without one, "
    "ha-bridge setup deploys the function too."
)


def is_a_copy() -> bool:
    """Return whether the command runs out of a copy of the project, docs included."""
    return (_COPY / "pyproject.toml").is_file()


def addresses() -> list[str]:
    """Return what the installed package says of addresses, as `Source, https://…`."""
    try:
        return metadata("ha-bridge").get_all("Project-URL") or []
    except PackageNotFoundError:
        return []


def located(text: str, *, has_copy: bool, known: Iterable[str]) -> str:
    """Return a text in which documents can be found.

    Args:
        text: In which they are named by their path in the project.
        has_copy: Whether that is around: then the path says it.
        known: See `addresses`; a package that GitHub did not build knows none.
    """
    urls = dict(one.split(", ", 1) for one in known if ", " in one)
    folder, found, _ = urls.get("Documentation", "").rpartition("/")
    if has_copy or not found:
        return text
    return _DOCUMENT.sub(lambda _: f"{folder}/", text)
