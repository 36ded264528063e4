"""`ha-bridge report`: is my home good?"""

import os
from collections.abc import Callable
from pathlib import Path

import click

from ha_bridge import __version__
from ha_bridge_ops import options
from ha_bridge_ops.aws.function import Function
from ha_bridge_ops.aws.logs import Log
from ha_bridge_ops.aws.session import AwsError, boto3_clients
from ha_bridge_ops.aws.trail import PastChange, changes
from ha_bridge_ops.check.catalogue import AWS
from ha_bridge_ops.check.chain import walk
from ha_bridge_ops.check.context import Context, Options
from ha_bridge_ops.check.model import Status
from ha_bridge_ops.check.search import function_of
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.files import write_text
from ha_bridge_ops.report import output
from ha_bridge_ops.report.calls import PATTERN, Calls
from ha_bridge_ops.report.figures import DEPLOYMENT_MS, Report, moment
from ha_bridge_ops.report.goals import is_degraded
from ha_bridge_ops.report.picture import svg
from ha_bridge_ops.terminal import Console, echo

#: Makes the context; a test hands in its own world.
MakeContext = Callable[..., Context]

#: Pages of the log that are read: of 10 000 lines each, for years.
_PAGES = 2000

#: After so many lines the progress is written anew.
_OFTEN = 500


@options.command()
@click.option(
    "--days",
    type=click.IntRange(1, 3653),
    default=30,
    show_default=True,
    help="How many days back.",
)
@options.function
@options.region
@options.profile
@options.as_json
@click.option(
    "--markdown", is_flag=True, help="Print Markdown for a forum, without names."
)
@click.option(
    "--svg",
    "picture",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a picture too.",
)
@click.pass_obj
def report(  # noqa: PLR0913 - one a option
    make_context: MakeContext | None,
    *,
    days: int,
    function: str | None,
    region: str | None,
    profile: str | None,
    as_json: bool,
    markdown: bool,
    picture: Path | None,
) -> None:
    """Say how good your home was, from the function's own log.

    \b
    Examples:
      ha-bridge report                       the last 30 days
      ha-bridge report --days 7 --region eu-west-1 --function ha-bridge
      ha-bridge report --svg home.svg        a picture too
      ha-bridge report --markdown            for a forum: no name, no account
      ha-bridge report --json                for a script

    \b
    It reads the lines that the function left in CloudWatch, and changes nothing:
    how many directives came, how many went well and how fast, the worst devices,
    outages, and what changed at each deployment. It compares them with
    what Amazon and Google require of those who sell such a skill.

    It needs logs:FilterLogEvents and lambda:ListFunctions, and, to know
    all deployments and not only the last one, cloudtrail:LookupEvents. AWS charges
    nothing for reading in this way.

    Exit status: 0 all of Amazon's numbers are met, 1 one is missed or AWS refused,
    2 it could not run.
    """
    if as_json and markdown:
        raise CommandError("Choose one of --json and --markdown.")
    wanted = Options(function=function, region=region, profile=profile)
    if make_context:
        context = make_context({}, wanted, needs_aws=True)
    else:
        context = Context(dict(os.environ), wanted, aws=boto3_clients(profile))
    found = _read(_find(context), context.now(), days)
    if picture:
        write_text(picture, svg(found))
    if as_json:
        echo(output.as_json(found, __version__))
    elif markdown:
        echo(output.as_markdown(found, __version__))
    else:
        output.show(found, Console())
    if is_degraded(found):
        raise SystemExit(1)


def _find(context: Context) -> Function:
    """Return the function.

    Raises:
        CommandError: There is none, there are several, or AWS cannot be asked.
        RefusedError: AWS does not let us look.
    """
    needed = [one for one in AWS if one.id in ("aws.credentials", "aws.function")]
    with Console(stderr=True).status("Looking for the function ..."):
        findings = list(walk(context, needed))
        found = function_of(context)
    if found:
        return found
    wrong = next(one for one in findings if one.status is Status.FAILED)
    kind = RefusedError if "refused" in wrong.causes else CommandError
    raise kind(f"{wrong.saw}: {wrong.means} {wrong.fix} {wrong.paste}".strip())


def _read(function: Function, now: float, days: int) -> Report:
    """Return what its log says.

    Raises:
        RefusedError: AWS does not let us read it.
    """
    since = now - days * 86_400
    pattern = PATTERN if function.logs_json else ""
    log = Log(function, since, pattern=pattern, max_pages=_PAGES)
    seen = Calls()
    try:
        with Console(stderr=True).status("Reading the log ...") as turning:
            for number, line in enumerate(log, 1):
                seen.add(line)
                if seen.is_full:
                    break
                if number % _OFTEN == 0:
                    day = f"{moment(line.at_ms):%d %B}"
                    turning.update(f"Reading the log: {number:,} lines, {day} ...")
    except AwsError as error:
        raise RefusedError(
            f"AWS refused to show {function.log_group}: {error.code}. The permission "
            "logs:FilterLogEvents is needed."
        ) from None
    seen.done()
    changed, why_only_last = _changes(function, since, now)
    return Report(
        name=function.name,
        region=function.region,
        since_ms=int(since * 1000),
        until_ms=int(now * 1000),
        seen=seen,
        changes=changed,
        only_last_change=why_only_last,
        is_whole=log.is_whole and not seen.is_full,
    )


def _changes(
    function: Function, since: float, now: float
) -> tuple[list[PastChange], str]:
    """Return when it was changed; if AWS tells of the last change only, also why."""
    known, why = [], ""
    try:
        with Console(stderr=True).status("Looking for its deployments ..."):
            known = changes(function, since, now)
    except AwsError as error:
        why = error.code
    # The function says so at once, CloudTrail some minutes later.
    last = function.modified_ms
    if last is not None and not any(
        abs(last - one.at_ms) <= DEPLOYMENT_MS for one in known
    ):
        known.append(PastChange(last, "changed"))
    return sorted(known, key=lambda one: one.at_ms), why
