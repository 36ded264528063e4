"""`ha-bridge adopt`: from an old script to this function; skill and devices stay."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
from rich.text import Text

from ha_bridge.errors import BridgeError
from ha_bridge.redaction import Secret
from ha_bridge.secrets import SecretReader
from ha_bridge_ops import options
from ha_bridge_ops.adopt import saved
from ha_bridge_ops.adopt.exchange import exchange, prove, restore, with_settings
from ha_bridge_ops.adopt.recognise import Kind, recognise
from ha_bridge_ops.adopt.translate import (
    ADOPTABLE,
    Choices,
    Translation,
    hiding,
    translated,
)
from ha_bridge_ops.aws.function import FUNCTION_ARN, Function, functions_in
from ha_bridge_ops.aws.session import (
    ODD_SHAPE,
    UNREADABLE,
    AwsError,
    Session,
    boto3_clients,
    call,
    plain_value,
    refused,
)
from ha_bridge_ops.aws.version import Live, Version
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.local.made import make
from ha_bridge_ops.local.package import write_zip
from ha_bridge_ops.outside import quoted, visible
from ha_bridge_ops.regions import REGIONS
from ha_bridge_ops.terminal import Console, agreed, decision_on
from ha_bridge_ops.typed import typed
from ha_bridge_ops.variables import TOKEN, read_variables

#: Seconds that AWS may take to say what a secret is.
_SECRET_S: Final = 10.0

#: Makes what changes a function; a test hands in its own world.
MakeLive = Callable[[Function], Live]


@options.command()
@options.function
@options.region
@options.profile
@click.option(
    "--verify-tls/--no-verify-tls",
    default=None,
    help="Whether the certificate at home is checked. Needed if the old setting can "
    "be read in two ways.",
)
@click.option(
    "--linked-with-home",
    is_flag=True,
    help="The skill links accounts with Home Assistant. Needed for haaska with a "
    "token.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and end.")
@options.yes
@click.option(
    "--undo",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Restore what an adoption has saved in this file.",
)
@options.env_file
@click.pass_obj
def adopt(  # noqa: PLR0913 - one argument an option
    make_live: MakeLive | None,
    *,
    function: str | None,
    region: str | None,
    profile: str | None,
    verify_tls: bool | None,
    linked_with_home: bool,
    dry_run: bool,
    yes: bool,
    undo: Path | None,
    env_file: Path,
) -> None:
    """Replace an old script with this function, and keep everything else.

    \b
    Examples:
      ha-bridge adopt --dry-run            what is there, and what would change
      ha-bridge adopt                      shown first, done if you agree
      ha-bridge adopt --function haaska --region eu-west-1
      ha-bridge adopt --undo ha-bridge-adopt-haaska-20261126-101500.json

    It knows the script of Home Assistant's guide, haaska and ha-alexa. Skill, trigger,
    ARN, linked account, devices, groups and routines stay. It exchanges only the code
    and its settings, and the function works after each step. First it saves the old
    code and the function's variables in a file. Then the new code must reach your
    home and answer a Discovery. If it does not, everything is restored.

    The Discovery is a real one if LONG_LIVED_ACCESS_TOKEN is in the environment or in
    .env.

    Exit status: 0 fine, 1 AWS refused something, or the new code failed and the old is
    back, 2 it could not run.
    """
    talk = Console(stderr=True, soft_wrap=True)
    session = Session(boto3_clients(profile), region or REGIONS[0].aws_region)
    arn, old = (None, None) if undo is None else saved.read(undo)
    make: MakeLive = make_live or Live
    found_function = _find(session, arn or function, region)
    if qualifier := found_function.qualifier:
        raise CommandError(
            f"{qualifier} is a version or alias, whose code cannot be exchanged. If "
            "the skill calls it, adopt the function without it, and let the alias "
            "point to the new version, or the skill to the function."
        )
    live = make(found_function)
    try:
        now = live.read()
    except AwsError as error:
        refused(error)
    if old is not None:
        _undo(talk, live, old, now, dry_run=dry_run, yes=yes)
        return
    kind = recognise(now)
    talk.print(f"{live.function.arn} runs {kind.value}.")
    if kind is Kind.OURS:
        talk.print("There is nothing to adopt: the function runs ha-bridge already.")
        return
    if kind not in ADOPTABLE:
        raise CommandError(_LEFT_ALONE[kind])
    choices = Choices(verify_tls, linked_with_home)
    found = translated(kind, now, choices, _parameters(live.function))
    if found.doubts:
        choices = Choices(_ask_about(found, yes=yes), linked_with_home)
        found = translated(kind, now, choices, _parameters(live.function))
    new = Version(_package(talk), with_settings(now.settings, found.variables))
    _show(Console(), now, new, found)
    if dry_run:
        return
    token = _token(live.function, env_file)
    _agree("Exchange it?", yes=yes)
    kept = saved.write(Path(), live.function.arn, now)
    talk.print(f"Saved in {kept}. `ha-bridge adopt --undo {kept}` restores it.")
    hide = hiding(found.variables)
    exchange(
        live,
        now,
        new,
        lambda: prove(live, token, hide),
        lambda what: talk.print(f"· {what}"),
    )
    talk.print(Text.assemble(("✓ ", "green"), "The function runs ha-bridge now."))
    talk.print("You need not do anything in the Alexa app.")


_LEFT_ALONE = {
    Kind.HALF: "An adoption was interrupted here, at a step at which everything works. "
    "Restore the old code with `ha-bridge adopt --undo FILE` and the file that it "
    "saved, and adopt again.",
    Kind.OTHER: "That is not a script that can be adopted, so it stays as it is. "
    "If it is the bridge to Home Assistant, upload what `ha-bridge package` writes by "
    "hand.",
}


def _find(session: Session, name: str | None, region: str | None) -> Function:
    """Return the function that is meant.

    Raises:
        CommandError: There is none, or more than one that may be meant.
        RefusedError: AWS does not let us look.
    """
    arn = FUNCTION_ARN.fullmatch(name or "")
    where = [arn[1]] if arn else [region] if region else []
    places = where or [one.aws_region for one in REGIONS]
    found: list[Function] = []
    refusals: list[AwsError] = []
    for place in places:
        try:
            found += functions_in(session, place, name, handlers=_HANDLERS)
        except AwsError as error:
            refusals.append(error)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(one.arn for one in found)
        raise CommandError(f"There are several. Choose one with --function: {names}.")
    if refusals:
        refused(refusals[0])
    what = quoted(name) if name else "function that may be the bridge"
    raise CommandError(
        f"There is no {what} in {', '.join(places)}; name it with --function and "
        "--region."
    )


#: Handlers of scripts that have no variable BASE_URL.
_HANDLERS = frozenset({"haaska.event_handler"})


def _parameters(function: Function) -> Callable[[str], str]:
    """Return what reads AWS's Parameter Store."""

    def read(name: str) -> str:
        try:
            answer: Any = call(
                function.client("ssm").get_parameter, Name=name, WithDecryption=True
            )
        except AwsError as error:
            refused(error)
        try:
            return str(answer["Parameter"]["Value"])
        except ODD_SHAPE:
            raise RefusedError(f"AWS gave {UNREADABLE}.") from None

    return read


def _token(function: Function, env_file: Path) -> str:
    """Return Home Assistant's token, or nothing; AWS is asked for one that it keeps.

    Raises:
        CommandError: It cannot be read.
    """
    token = Secret(read_variables(env_file).get(TOKEN, "").strip())
    reader = SecretReader(function.client)
    try:
        return reader.resolve(token, time.monotonic() + _SECRET_S).reveal()
    except BridgeError as error:
        raise CommandError(
            f"{error.detail}. Set the token itself in the environment or in "
            f"{env_file}, or none. Nothing was changed."
        ) from None


def _ask_about(found: Translation, *, yes: bool) -> bool:
    """Return whether the certificate is to be checked."""
    ((name, text),) = found.doubts.items()
    about = _DOUBTS[name].format(typed(text, "set to what is no yes or no"))
    nobody = CommandError(f"{about} Choose --verify-tls or --no-verify-tls.")
    if yes:
        raise nobody
    answer = decision_on(f"{about}\nCheck the certificate from now on?")
    if answer is None:
        raise nobody
    return answer


#: What is doubtful about a text.
_DOUBTS = {
    "NOT_VERIFY_SSL": "NOT_VERIFY_SSL is {}, which switches the check of the "
    "certificate off now, because for the script any text is a yes. It reads as if it "
    "should be on.",
    "ssl_verify": "haaska's ssl_verify is {} in quotation marks, which haaska takes "
    "for the name of a file. It cannot be told what was meant.",
}


def _package(talk: Console) -> bytes:
    with (
        talk.status("Making the package ..."),
        tempfile.TemporaryDirectory(prefix="ha-bridge-") as scratch,
    ):
        folder, target = Path(scratch) / "package", Path(scratch) / "package.zip"
        make(folder)
        write_zip(folder, target)
        return target.read_bytes()


def _show(show: Console, old: Version, new: Version, found: Translation) -> None:
    """Print what changes; no value of a variable that could be a secret."""
    before, after = old.settings, new.settings
    show.print(Text("\nWhat changes", style="bold"))
    rows = [
        ("Code", f"{len(old.code) / 1e3:.0f} kB", f"{len(new.code) / 1e3:.0f} kB"),
        ("Runtime", before.runtime, after.runtime),
        ("Handler", before.handler, after.handler),
        ("Timeout", f"{before.timeout_s} s", f"{after.timeout_s} s"),
        ("Memory", f"{before.memory_mb} MB", f"{after.memory_mb} MB"),
        (
            "Log",
            before.logging.get("LogFormat", ""),
            after.logging.get("LogFormat", ""),
        ),
    ]
    names = dict.fromkeys([*before.variables, *after.variables])
    rows += [
        (name, _value(before.variables, name), _value(after.variables, name))
        for name in names
        if before.variables.get(name) != after.variables.get(name)
    ]
    for what, was, will in rows:
        if was != will or what == "Code":
            shown = f"  {visible(what):<24} "
            before_and_after = f"{visible(was) or '–'} → {visible(will) or '–'}"
            show.print(Text.assemble((shown, "dim"), before_and_after))
    for remark in found.remarks:
        show.print(Text.assemble(("! ", "yellow"), remark))
    show.print(
        "What stays: the skill, its trigger, the ARN, the linked account, and all "
        "devices, groups and routines.\n"
    )


def _value(variables: Any, name: str) -> str:
    if name not in variables:
        return ""
    plain = plain_value(name, variables[name])
    return plain if plain is not None else "(set)"


def _agree(question: str, *, yes: bool) -> None:
    if not yes and not agreed(question):
        raise RefusedError("Nothing was changed.")


def _undo(  # noqa: PLR0913 - what there is, and what was asked for
    talk: Console, live: Live, old: Version, now: Version, *, dry_run: bool, yes: bool
) -> None:
    """Put back what a file has kept."""
    kind = recognise(now)
    if now == old:
        talk.print("There is nothing to undo: the function is what it was.")
        return
    if kind not in (Kind.OURS, Kind.HALF):
        raise CommandError(
            f"{live.function.arn} runs {kind.value}: someone has changed it since, "
            "so it stays as it is."
        )
    talk.print(f"{live.function.arn} runs {kind.value}.")
    _show(Console(), now, old, Translation(dict(old.settings.variables)))
    if dry_run:
        return
    _agree("Restore it?", yes=yes)
    code = _package(talk)
    restore(live, now, old, code, lambda what: talk.print(f"· {what}"))
    talk.print(Text.assemble(("✓ ", "green"), "The function is what it was."))
