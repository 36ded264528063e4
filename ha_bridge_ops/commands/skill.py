"""`ha-bridge skill`: the skill's documents, the commands, and the way by hand."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from rich.text import Text

from ha_bridge.redaction import Secret
from ha_bridge_ops import options
from ha_bridge_ops.aws import stacks
from ha_bridge_ops.aws.function import arn_of
from ha_bridge_ops.outside import to_json
from ha_bridge_ops.project import WITHOUT_A_COPY, addresses, is_a_copy, located
from ha_bridge_ops.regions import LOCALES
from ha_bridge_ops.skill import arguments, consoles
from ha_bridge_ops.skill.apply import Applied, State, apply
from ha_bridge_ops.skill.ask_cli import AskCli
from ha_bridge_ops.skill.documents import Folder, Skill
from ha_bridge_ops.state import alone_in
from ha_bridge_ops.terminal import Console, echo
from ha_bridge_ops.variables import read_variables


@options.command()
@options.base_url
@click.option(
    "--locale",
    "locales",
    multiple=True,
    required=True,
    metavar="LOCALE",
    help=f"Language of your Alexa: {', '.join(LOCALES)}. May be repeated.",
)
@click.option(
    "--function",
    "--arn",
    "functions",
    multiple=True,
    metavar="NAME",
    help=f"{options.FUNCTION} May be repeated for other regions.",
)
@click.option(
    "--stack",
    metavar="NAME",
    help="CloudFormation stack whose outputs name the functions.",
    callback=options.stack,
)
@click.option(
    "--proactive", is_flag=True, help="Let Home Assistant report changes to Alexa."
)
@click.option(
    "--token-endpoint",
    is_flag=True,
    help="Let Amazon ask the stack's token endpoint for tokens, for a closed home.",
)
@click.option(
    "--authorize-url",
    metavar="URL",
    help="Where you log in, if not at BASE_URL/auth/authorize.",
)
@click.option(
    "--token-url",
    metavar="URL",
    help="Where Amazon gets tokens, if not at BASE_URL/auth/token.",
)
@click.option(
    "--name", default=consoles.NAME, show_default=True, help="Name of the skill."
)
@click.option(
    "--folder",
    callback=options.printable,
    type=click.Path(path_type=Path, file_okay=False),
    default=consoles.FOLDER,
    show_default=True,
    help="Folder for the files. Files in it are overwritten.",
)
@click.option(
    "--apply", "do_apply", is_flag=True, help="Run the commands, with the ASK CLI."
)
@options.skill_id
@options.ask_profile
@click.option("--profile", "older_profile", hidden=True)
@options.ask_command
@options.as_json
@options.env_file
def skill(  # noqa: PLR0913 - one argument an option
    *,
    base_url: str | None,
    locales: tuple[str, ...],
    functions: tuple[str, ...],
    stack: str | None,
    proactive: bool,
    token_endpoint: bool,
    authorize_url: str | None,
    token_url: str | None,
    name: str,
    folder: Path,
    do_apply: bool,
    skill_id: str | None,
    ask_profile: str | None,
    older_profile: str | None,
    ask_command: str | None,
    as_json: bool,
    env_file: Path,
) -> None:
    """Make the Alexa skill that calls your function.

    \b
    Examples:
      ha-bridge skill --base-url https://home.example.org --locale de-DE
      ha-bridge skill --locale de-DE --apply
      ha-bridge skill --locale de-DE --stack ha-bridge --apply
      ha-bridge skill --locale en-GB --locale en-IN --proactive \\
        --function arn:aws:lambda:eu-west-1:123456789012:function:ha-bridge

    It writes skill.json, create.json and accountLinking.json. Then it prints the
    commands of Amazon's ASK CLI that upload them. If you prefer the consoles, it also
    prints what to type into which field. The client secret of account linking, which
    it makes once, is in accountLinking.json, client-secret.txt and state.json; only
    you can read them.

    With --apply it runs those commands. Create the skill before the function, because
    the function must know the skill's id: run this command, deploy the function, and
    run this command again with --stack or --function. It stops when Amazon refuses
    something. You can run it again at any time: state.json in the folder remembers the
    skill. Use --skill-id to continue with a skill that you created in another way.

    For a closed home, --token-endpoint adds what makes the stack's token endpoint to
    the command that deploys; docs/closed-homes.md leads through it. With --stack, its
    address is taken from the stack. If only the page for logging in is elsewhere, give
    --authorize-url.

    Exit status: 0 fine, 1 Amazon or AWS refused something, 2 it could not run.
    """
    its_locales = arguments.read_locales(locales)
    region = LOCALES[its_locales[0]]
    base_url = base_url or read_variables(env_file).get("BASE_URL")
    address = arguments.read_address(base_url, env_file)
    its_name = arguments.read_name(name)
    its_arns = [arn_of(one, region) for one in functions]
    authorize_url = arguments.read_url(authorize_url, "--authorize-url")
    token_url = arguments.read_url(token_url, "--token-url")
    if stack:
        its_arns += stacks.functions_of(stack, region)
        token_url = token_url or stacks.token_endpoint_of(stack, region)
    its_functions = arguments.read_functions(its_arns, region)
    profile = ask_profile or older_profile
    known = arguments.read_skill_id(skill_id) if skill_id else None
    ask = AskCli(ask_command or "ask", profile) if do_apply else None
    Folder(folder).make()
    state = State(Folder(folder).state, profile)
    known = known or state.skill_id
    wanted = Skill(
        its_name,
        address,
        its_locales,
        its_functions,
        Secret(state.client_secret),
        proactive,
        token_endpoint,
        authorize_url,
        token_url,
    )
    talk = Console(stderr=True, soft_wrap=True)
    _warn(talk, wanted)
    written = Folder(folder).write(wanted)
    applied = None
    if ask is not None:
        with alone_in(folder):
            if skill_id and known and known != state.skill_id:
                state.skill_id = known
            applied = apply(wanted, Folder(folder), ask, state)
        known = applied.skill_id
    if as_json:
        shown = _as_json(wanted, Folder(folder), known, applied)
        echo(to_json(shown))
    elif applied is not None:
        _show_applied(Console(soft_wrap=True), wanted, applied)
    else:
        names = ", ".join(path.name for path in written)
        talk.print(f"Written to {folder}: {names}")
        _show(Console(soft_wrap=True), wanted, Folder(folder), known)


def _warn(talk: Console, wanted: Skill) -> None:
    sign = ("! ", "yellow")
    ports = {
        "authorization URI": urlsplit(wanted.authorization_uri).port,
        "token URI": urlsplit(wanted.access_token_uri).port,
    }
    if wanted.token_endpoint:
        del ports["token URI"]  # it will be that of the stack
    for what, port in ports.items():
        if port not in (None, 443):
            why = (
                f"Amazon links accounts over port 443 only, and the {what} has port "
                f"{port}. See docs/closed-homes.md."
            )
            why = located(why, has_copy=is_a_copy(), known=addresses())
            talk.print(Text.assemble(sign, why))
    if wanted.token_endpoint and wanted.function and not wanted.token_url:
        why = "The stack has no token endpoint yet. Deploy it, and run this again."
        talk.print(Text.assemble(sign, why))
    if "nl-NL" in wanted.locales:
        talk.print(Text.assemble(sign, "Home Assistant knows nl-NL since 2025.1."))


def _show(show: Console, wanted: Skill, folder: Folder, skill_id: str | None) -> None:
    hint = "  (or --apply, which types it for you)"
    show.print(Text.assemble(("\nWith the ASK CLI", "bold"), hint))
    for number, command in enumerate(consoles.commands(wanted, folder, skill_id), 1):
        show.print(Text(f"\n# {number}. {command.what}", style="dim"))
        show.print(consoles.folded(command.line))
        if "sam build" in command.line and not is_a_copy():
            show.print(Text(f"# {WITHOUT_A_COPY}", style="dim"))
    show.print(Text("\nBy hand, in the consoles", style="bold"))
    page = ""
    for entry in consoles.entries(wanted, skill_id, folder):
        if entry.page != page:
            page = entry.page
            show.print(f"\n{page}")
        show.print(Text.assemble((f"  {entry.field:<24}", "dim"), entry.value))
    show.print(
        "\nKeep to this order: Amazon tries the trigger out when you save the endpoint,"
        "\nand forgets account linking when the endpoint changes."
    )


def _show_applied(show: Console, wanted: Skill, applied: Applied) -> None:
    show.print(Text.assemble("\nThe skill is ", (applied.skill_id, "bold")))
    if applied.next:
        show.print(
            Text.assemble(
                "\nNow let it, and no other, call the function:\n\n",
                (consoles.folded(applied.next), "bold"),
                "" if is_a_copy() else f"\n\n({WITHOUT_A_COPY})",
                f"\n\nand run this command again with --stack {consoles.STACK} "
                "(or with --function).",
            )
        )
        return
    if applied.secrets:
        config = (
            f"ha-bridge home-assistant-config --locale {wanted.locales[0]} --proactive"
        )
        show.print(
            Text.assemble(
                f"\nFor Home Assistant, {applied.secrets} has two lines for its "
                "secrets.yaml. Its configuration:\n\n  ",
                (config, "bold"),
            )
        )
    if applied.not_enabled:
        show.print(consoles.switched_on_by_hand(applied.not_enabled))
    show.print(
        "\nThe last step is yours: in the Alexa app, More, Skills & Games, Your "
        f"Skills, Dev,\nopen “{wanted.name}”, Enable to use, and log in to "
        "Home Assistant."
    )


def _as_json(
    wanted: Skill, folder: Folder, skill_id: str | None, applied: Applied | None
) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "region": wanted.region.key,
        "aws_region": wanted.region.aws_region,
        "skill_id": skill_id,
        "files": [
            str(path)
            for path in (folder.create, folder.manifest, folder.account_linking)
        ],
        "commands": [
            {"what": one.what, "command": one.line}
            for one in consoles.commands(wanted, folder, skill_id)
        ],
        "console": [
            {"page": one.page, "field": one.field, "value": one.value}
            for one in consoles.entries(wanted, skill_id, folder)
        ],
    }
    if applied is not None:
        shown["done"] = list(applied.done)
        shown["next"] = applied.next
        shown["not_enabled"] = applied.not_enabled
    return shown
