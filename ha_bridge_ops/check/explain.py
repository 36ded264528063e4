"""One finding with all its causes, as docs/findings.md has it, for the terminal."""

import difflib
from typing import Final

from ha_bridge_ops.check.catalogue import EVERY, TEXTS
from ha_bridge_ops.check.model import Check, Status
from ha_bridge_ops.check.output import Screen
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.typed import typed

_KINDS: Final = {Status.FAILED: "failure", Status.WARNING: "warning"}


def check_named(name: str) -> Check:
    """Return a check of the catalogue.

    Raises:
        CommandError: There is none of that id; it names those that are like it.
    """
    known = {check.id: check for check in EVERY}
    if name in known:
        return known[name]
    parts = [one for one in known if name in one.split(".")]
    close = parts or difflib.get_close_matches(name, known, 3, 0.75)
    which = f"Do you mean {' or '.join(close)}?" if close else "check prints the ids."
    raise CommandError(f"There is no finding {typed(name, 'of that id')}. {which}")


def explain(check: Check, screen: Screen) -> None:
    """Show what a check looks at, and each cause: what is seen, means, and to do."""
    screen.heading(check.id, f"Whether {check.title}.")
    for cause in check.causes:
        screen.heading(f"{cause.name} ({_KINDS[cause.status]})", "")
        for label, text in (
            ("What you see: ", cause.symptom),
            ("What it means: ", cause.means),
            ("→ ", cause.fix),
        ):
            screen.say(TEXTS.with_examples(text), label)
        screen.paste(TEXTS.with_examples(cause.paste))
