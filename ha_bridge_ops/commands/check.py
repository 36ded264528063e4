"""`ha-bridge check`: what is wrong, why, and what to do."""

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from ha_bridge import __version__
from ha_bridge.settings import parse_address
from ha_bridge_ops import grammar, options
from ha_bridge_ops.aws.session import boto3_clients
from ha_bridge_ops.check import explain as explanation
from ha_bridge_ops.check import output
from ha_bridge_ops.check.catalogue import AWS, CHAIN, LINKING
from ha_bridge_ops.check.chain import walk
from ha_bridge_ops.check.context import TOKEN_PATH, Context, Options
from ha_bridge_ops.check.model import Question, Status
from ha_bridge_ops.check.privacy import anonymous
from ha_bridge_ops.check.repairs import REPAIRS, change_for
from ha_bridge_ops.check.show import shown
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.regions import locale_of
from ha_bridge_ops.terminal import Console, agreed, answer_to, echo
from ha_bridge_ops.variables import read_variables

#: Makes the context; a test hands in its own world.
MakeContext = Callable[..., Context]


@options.command()
@options.base_url
@click.option(
    "--locale", metavar="LOCALE", help="Language of the skill, such as en-US."
)
@options.skill_id
@click.option(
    "--link",
    is_flag=True,
    help="Link an account as Alexa does. Asks for user and password.",
)
@click.option(
    "--client-id",
    metavar="URL",
    help="“Your Client ID” from the Alexa console, for --link.",
    callback=options.must_be(
        lambda text: text if grammar.base_url(text) else None,
        "be an address such as https://pitangui.amazon.com/",
    ),
)
@click.option(
    "--token-url",
    metavar="URL",
    help="“Access Token URI” from the Alexa console, if it is that of a token "
    "endpoint. --link asks for the client secret, or reads LINK_CLIENT_SECRET.",
)
@click.option("--aws", is_flag=True, help="Check the function in AWS too.")
@options.function
@options.region
@options.profile
@click.option(
    "--fix",
    metavar="ID",
    type=click.Choice(list(REPAIRS)),
    help=f"Repair what is wrong: {', '.join(REPAIRS)}.",
)
@options.yes
@click.option(
    "--explain",
    metavar="ID",
    help="Print all that is known of a finding, and look at nothing.",
)
@options.as_json
@click.option(
    "--markdown", is_flag=True, help="Print Markdown for a forum, without your address."
)
@options.env_file
@click.pass_obj
def check(  # noqa: PLR0913 - one a option
    make_context: MakeContext | None,
    *,
    base_url: str | None,
    locale: str | None,
    skill_id: str | None,
    link: bool,
    client_id: str | None,
    token_url: str | None,
    aws: bool,
    function: str | None,
    region: str | None,
    profile: str | None,
    fix: str | None,
    yes: bool,
    explain: str | None,
    as_json: bool,
    markdown: bool,
    env_file: Path,
) -> None:
    """Say what is wrong between Alexa and your Home Assistant, and what to do.

    \b
    Examples:
      ha-bridge check
      ha-bridge check --base-url https://home.example.org
      ha-bridge check --aws --locale en-GB   check the function in AWS too
      ha-bridge check --link --locale en-GB  link an account, as Alexa does
      ha-bridge check --explain ha.gate      all that this finding can be
      ha-bridge check --fix aws.timeout      repair it, after asking you
      ha-bridge check --markdown             for a forum: no token, no address

    \b
    It checks each link of the chain in turn: settings, address, certificate,
    Home Assistant, token, devices. Put BASE_URL and LONG_LIVED_ACCESS_TOKEN into
    the environment or into .env. Without a token it checks as much as it can.

    It makes few requests, and never sends a token that could count as a failed
    login. It switches no device. It changes something only with --fix. Tokens that
    it gets with --link are revoked at the end.

    Exit status: 0 no failure, 1 a failure or a refusal, 2 it could not run.
    """
    if explain is not None:
        explanation.explain(explanation.check_named(explain), output.Screen(Console()))
        return
    if as_json and markdown:
        raise CommandError("Choose one of --json and --markdown.")
    if fix is not None and (as_json or markdown):
        raise CommandError("--fix cannot be combined with --json or --markdown.")
    if link and not locale:
        raise CommandError(
            "--link needs --locale, such as en-GB: it decides how Alexa links."
        )
    environ = read_variables(env_file, "LINK_CLIENT_SECRET")
    if base_url is not None:
        environ["BASE_URL"] = base_url
    wanted = Options(
        locale=locale_of(locale) if locale else None,
        skill_id=skill_id,
        function=function,
        region=region,
        profile=profile,
        client_id=client_id,
        token_url=_read_token_url(token_url),
    )
    needs_aws = aws or fix is not None
    make = make_context or _real_context
    context = make(environ, wanted, needs_aws=needs_aws)
    if fix is not None:
        _repair(context, fix, yes=yes)
        return
    checks = (*CHAIN, *(LINKING if link else ()), *(AWS if aws else ()))
    findings = shown(context, checks, quiet=as_json or markdown)
    if as_json:
        echo(output.as_json(findings, __version__))
    if markdown:
        clean = anonymous(context)
        echo(output.as_markdown(findings, __version__, clean))
    if any(finding.status is Status.FAILED for finding in findings):
        raise SystemExit(1)


def _read_token_url(text: str | None) -> str | None:
    if text is None:
        return None
    url = text.strip()
    try:
        address = parse_address(url.removesuffix(TOKEN_PATH))
    except ValueError as error:
        raise CommandError(f"--token-url {error}.") from None
    if not url.endswith(TOKEN_PATH) or not (address.is_tls or address.is_loopback):
        raise CommandError(f"--token-url must be https and end with {TOKEN_PATH}.")
    return f"{address}{TOKEN_PATH}"


def _real_context(
    environ: Mapping[str, str], wanted: Options, *, needs_aws: bool
) -> Context:
    aws = boto3_clients(wanted.profile) if needs_aws else None
    return Context(environ, wanted, aws=aws, prompt=_prompt)


def _prompt(question: Question, expected: str) -> str:
    asked = question.prompt(expected)
    answer = answer_to(asked, is_secret=question.is_secret, empty="")
    if answer is None:
        raise CommandError("Nobody answered, so nothing was linked.")
    return answer


def _repair(context: Context, name: str, *, yes: bool) -> None:
    """Show a change, ask, make it, and look again."""
    needed = [one for one in AWS if one.id in ("aws.credentials", "aws.function", name)]
    findings = list(walk(context, needed))
    change = change_for(context, name)
    if change is None:
        echo(f"Nothing to repair: {name} is {findings[-1].saw}.")
        return
    echo(f"Function: {change.function.arn}")
    echo(change.shown)
    if not yes and not agreed("Change it?"):
        echo("Nothing was changed.")
        raise SystemExit(1)
    change.do()
    context.forget()
    again = list(walk(context, needed))[-1]
    echo(f"Done: {name} is {again.status}, {again.saw}.")
    if again.status is Status.FAILED:
        raise SystemExit(1)
