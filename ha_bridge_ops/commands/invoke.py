"""`ha-bridge invoke`: one event through the handler, here."""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, Final

import click
from rich.text import Text

from ha_bridge.errors import ErrorType
from ha_bridge.messages import error_type
from ha_bridge.redaction import Secret, redacted, secrets_of
from ha_bridge_ops import options
from ha_bridge_ops.endpoints.limits import LOOKED_AT, MAX_ENDPOINTS
from ha_bridge_ops.endpoints.table import endpoint_table
from ha_bridge_ops.endpoints.troubles import every
from ha_bridge_ops.errors import RefusedError
from ha_bridge_ops.events import load
from ha_bridge_ops.home_client import TOO_DEEP, TOO_DENSE, is_deep, is_dense
from ha_bridge_ops.local.lambda_runtime import InProcess
from ha_bridge_ops.outside import hidden_in, shortened, to_json, without
from ha_bridge_ops.terminal import Console, LogFormatter, echo
from ha_bridge_ops.variables import TOKEN, usable_variables

#: Characters that are written at once.
_PIECE: Final = 10_000

_ABOUT_THE_TOKEN = frozenset(
    {
        ErrorType.EXPIRED_AUTHORIZATION_CREDENTIAL,
        ErrorType.INVALID_AUTHORIZATION_CREDENTIAL,
    }
)


@options.command()
@click.argument("event", metavar="NAME|FILE", type=click.Path(path_type=Path))
@click.option("--table", is_flag=True, help="Print a Discovery as a table.")
@options.as_json
@options.env_file
def invoke(event: Path, *, table: bool, as_json: bool, env_file: Path) -> None:
    """Run the handler on an event, with your own Home Assistant.

    \b
    Examples:
      ha-bridge invoke discovery --table           which devices are there?
      ha-bridge invoke turn_on                     an event of the project
      ha-bridge invoke mine.json                   one of your own
      ha-bridge invoke report_state --json | jq .context

    It reads BASE_URL and the other variables of the function from the environment
    or from .env. The events carry no token, so LONG_LIVED_ACCESS_TOKEN is used:
    create one in your profile in Home Assistant, on the tab Security, or in older
    releases at the foot of the page: Long-lived access tokens. With --json the
    answer is printed as it is, but for your own tokens and keys: those are never
    printed.

    Exit status: 0 answered, 1 the answer is an ErrorResponse, 2 it could not
    run.
    """
    directive = load(event)
    variables = usable_variables(env_file)
    # What a function is warned of is no news here: only errors are shown.
    log = logging.StreamHandler(sys.stderr)
    log.setLevel(logging.ERROR)
    hide = _Hide(directive, variables)
    log.setFormatter(LogFormatter("%(levelname)s: %(message)s", hide=hide))
    logging.basicConfig(handlers=[log])
    with InProcess(variables) as function:
        hide.function = function
        answer = function.invoke(directive)
    _show(answer, hide, table=table, as_json=as_json)
    if kind := error_type(answer):
        if kind in _ABOUT_THE_TOKEN:
            known = "Check" if TOKEN in variables else "There is no"
            echo(f"{known} {TOKEN} in the environment or {env_file}.", err=True)
        raise SystemExit(1)


class _Hide:
    """Takes secrets out of a text: the settings', the event's, and what was resolved.

    Args:
        event: What is sent.
        variables: Of the function.
    """

    def __init__(self, event: object, variables: Mapping[str, str]) -> None:
        known = secrets_of(event, Secret(variables.get(TOKEN, "")))
        self._known = [Secret(text) for text in known]
        self._of_answers = _correlation_token(event)
        self.function: InProcess | None = None

    def __call__(self, text: str) -> str:
        """Return the text without them."""
        return without(self._all, text)

    def but_for_answers(self, text: str) -> str:
        """Return the text without them; what an answer must repeat is in it."""
        return without([one for one in self._all if one != self._of_answers], text)

    @property
    def _all(self) -> list[Secret]:
        resolved = self.function.secrets if self.function is not None else ()
        return [*self._known, *resolved]


def _correlation_token(event: object) -> Secret | None:
    try:
        return Secret(event["directive"]["header"]["correlationToken"])  # type: ignore[index]  # whatever it is
    except (KeyError, TypeError):
        return None


def _show(answer: dict[str, Any], hide: "_Hide", *, table: bool, as_json: bool) -> None:
    if as_json:
        if is_deep(answer):
            raise RefusedError(TOO_DEEP)
        text = _as_text(answer, hide.but_for_answers)
        for place in range(0, len(text), _PIECE):
            echo(text[place : place + _PIECE], nl=False)
        echo()
        return
    if is_dense(answer):
        raise RefusedError(f"{TOO_DENSE} --json prints it all the same.")
    answer = redacted(answer)
    payload = answer.get("event", {}).get("payload")
    endpoints = payload.get("endpoints") if isinstance(payload, dict) else None
    if table and isinstance(endpoints, list):
        _show_table(endpoints, hide)
    else:
        # Before texts are cut: half a secret is none that could be found.
        echo(to_json(shortened(hidden_in(answer, hide))))


def _as_text(answer: dict[str, Any], hide: Callable[[str], str]) -> str:
    """Return an answer as it is, but for secrets; of a dense one nothing is copied.

    Raises:
        RefusedError: It is dense, and has a secret in it.
    """
    dense = is_dense(answer)
    shown = answer if dense else hidden_in(answer, hide)
    whole = StringIO()  # all pieces at once would take as much memory again
    for piece in json.JSONEncoder().iterencode(shown):
        whole.write(piece)
    text = whole.getvalue()
    if dense and hide(text) != text:
        raise RefusedError(f"{TOO_DENSE} One of your own secrets is in it.")
    return text


def _show_table(endpoints: list[Any], hide: Callable[[str], str]) -> None:
    console = Console()
    console.print(endpoint_table(endpoints[:LOOKED_AT], hide))
    console.print(Text(f"\n{len(endpoints)} endpoints", style="bold"))
    if len(endpoints) > LOOKED_AT:
        console.print(f"Alexa takes {MAX_ENDPOINTS}; the first {LOOKED_AT} are shown.")
    described = [one for one in endpoints[:LOOKED_AT] if isinstance(one, dict)]
    hinted = {one for found in every(described) for one in found.endpoint_ids}
    if hinted:
        console.print(
            f"{len(hinted)} of them may not work as you say them: ha-bridge page "
            "shows which, and why."
        )
