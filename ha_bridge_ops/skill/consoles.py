"""The way to a skill by hand: commands to type, and fields of the consoles."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ha_bridge_ops.aws.deploy import command
from ha_bridge_ops.outside import quoted
from ha_bridge_ops.regions import REGIONS
from ha_bridge_ops.skill.documents import SCOPE, Folder, Skill

#: What the options of `ha-bridge skill` are by default.
NAME: Final = "Home Assistant"
FOLDER: Final = Path("skill-package")

#: The name of the stack in samconfig.toml.
STACK: Final = "ha-bridge"

#: Where the secret of account linking is kept for the token endpoint.
PARAMETER: Final = "/ha-bridge/link-client-secret"

#: Stands in a command for what the first one prints.
SOME_SKILL_ID: Final = "$SKILL_ID"

#: Stands where the function is not known yet.
SOME_ARN: Final = "the function's ARN"


#: Columns of a terminal that has the usual width.
COLUMNS: Final = 80

#: A word of a command, with its option before it.
_WORD: Final = re.compile(r"(?:--?[a-z-]+ (?!-))?(?:'[^']*'|\"[^\"]*\"|\S)+")


@dataclass(frozen=True)
class Command:
    """Something to type."""

    what: str
    line: str


@dataclass(frozen=True)
class Entry:
    """Something to put into a field of a console."""

    page: str
    field: str
    value: str


def folded(line: str) -> str:
    """Return a command in several lines that may be pasted as they are."""
    lines = [""]
    for word in _WORD.findall(line):
        if lines[-1].strip() and len(lines[-1]) + len(word) + len(" \\") > COLUMNS:
            lines[-1] += "\\"
            lines.append("    ")
        lines[-1] += f"{word} "
    return "\n".join(one.rstrip() for one in lines)


def commands(skill: Skill, folder: Folder, skill_id: str | None) -> list[Command]:
    """Return what creates the skill, in the order that works.

    The permission comes before the endpoint, because Amazon tries it out. Account
    linking comes after, because a change of the manifest resets it.

    Args:
        skill: As it should be.
        folder: Where its documents are.
        skill_id: Of a skill that exists already; None if it must be made.
    """
    its_id = skill_id or SOME_SKILL_ID
    stage = f"-s {_word(its_id)} -g development"

    def document(path: object) -> str:
        return shlex.quote(f"file:{path}")

    found = []
    if skill_id is None:
        found = [
            Command(
                "Create the skill, still without a function. This prints the skill id:",
                f"ask smapi create-skill-for-vendor "
                f"--manifest {document(folder.create)}",
            ),
            Command("Keep the id for the next commands:", "SKILL_ID=amzn1.ask.skill.…"),
        ]
    found.append(
        Command(
            "Let this skill, and no other, call the function:",
            deploy(skill, its_id, folder),
        )
    )
    if skill.function is None:
        found.append(
            Command(
                "Put the function into skill.json:",
                f"{again(skill, folder)} --stack {STACK}",
            )
        )
    found += [
        Command(
            "Name the function to the skill:",
            f"ask smapi update-skill-manifest {stage} "
            f"--manifest {document(folder.manifest)}",
        ),
        Command(
            "Link accounts; again after each change of the manifest, which resets it:",
            f"ask smapi update-account-linking-info {stage} "
            f"--account-linking-request {document(folder.account_linking)}",
        ),
        Command(
            "Switch the skill on for your own account:",
            f"ask smapi set-skill-enablement {stage}",
        ),
    ]
    if skill.proactive:
        found.append(
            Command(
                "Show the client id and secret for Home Assistant's secrets.yaml:",
                f"ask smapi get-skill-credentials -s {_word(its_id)}",
            )
        )
    return found


def switched_on_by_hand(words: str) -> str:
    """Return what to do where Amazon did not switch the skill on, in its words."""
    return (
        "\nAmazon did not switch the skill on for your own account: "
        f"{quoted(words, 300)}\nIf it is missing in the Alexa app, open its page Test "
        "in the Alexa developer console,\nand set “Skill testing is enabled in” to "
        "Development."
    )


def again(skill: Skill, folder: Folder) -> str:
    """Return the command that makes these documents."""
    words = ["ha-bridge", "skill", "--base-url", str(skill.address)]
    for locale in skill.locales:
        words += ["--locale", locale]
    if skill.proactive:
        words.append("--proactive")
    if skill.token_endpoint:
        words.append("--token-endpoint")
    if skill.authorize_url:
        words += ["--authorize-url", skill.authorize_url]
    if skill.token_url and not skill.token_endpoint:
        words += ["--token-url", skill.token_url]
    if skill.name != NAME:
        words += ["--name", skill.name]
    if folder.path != FOLDER:
        words += ["--folder", str(folder.path)]
    return shlex.join(words)


def deploy(skill: Skill, skill_id: str, folder: Folder) -> str:
    """Return what lets a skill call the function."""
    env, base_url = skill.region.samconfig_env, str(skill.address)
    if not skill.token_endpoint:
        return command(env, base_url, _word(skill_id))
    # From a file, so that the secret stands in no history of a shell.
    keep = (
        f"aws ssm put-parameter --region {skill.region.aws_region} --overwrite "
        f"--type SecureString --name {PARAMETER} "
        f"--value {shlex.quote(f'file://{folder.client_secret}')}"
    )
    extra = ("TokenEndpoint=true", f"LinkClientSecret=ssm:{PARAMETER}")
    return f"{keep} && {command(env, base_url, _word(skill_id), extra)}"


def permit(skill: Skill, skill_id: str) -> str:
    """Return what lets a skill call a function that was not deployed with SAM."""
    function = shlex.quote(skill.function or "ha-bridge")
    return (
        f"aws lambda add-permission --region {skill.region.aws_region} "
        f"--function-name {function} --statement-id alexa "
        "--action lambda:InvokeFunction "
        "--principal alexa-connectedhome.amazon.com "
        f"--event-source-token {_word(skill_id)}"
    )


def _word(skill_id: str) -> str:
    """Return a skill id for a shell; the variable stays one."""
    return skill_id if skill_id == SOME_SKILL_ID else shlex.quote(skill_id)


def entries(skill: Skill, skill_id: str | None, folder: Folder) -> list[Entry]:
    """Return the fields of the consoles, in the order in which they come."""
    found: list[Entry] = []

    def page(title: str, *fields: tuple[str, str]) -> None:
        found.extend(Entry(title, field, value) for field, value in fields)

    its_id = skill_id or "Your Skill ID, from the page above"
    region = skill.region
    page(
        "https://developer.amazon.com/alexa/console/ask, Create Skill",
        ("Skill name", skill.name),
        ("Primary locale", skill.locales[0]),
        ("Type of experience", "Smart Home"),
        ("Model", "Smart Home"),
        ("Hosting", "Provision your own"),
    )
    page(
        f"AWS Lambda, {region.console('functions')}, your function, Add trigger",
        ("Source", "Alexa"),
        ("Alexa product", "Alexa Smart Home"),
        ("Skill ID verification", "Enable"),
        ("Skill ID", its_id),
    )
    places = {"NA": "North America", "EU": "Europe, India", "FE": "Far East"}
    page(
        "Alexa console, Smart Home",
        ("Payload version", "v3"),
        ("Default endpoint", skill.function or SOME_ARN),
        *(
            (places[one.key], skill.functions[one.key])
            for one in REGIONS
            if one.key in skill.functions
        ),
    )
    page(
        "Alexa console, Account Linking",
        ("Auth Code Grant", "chosen"),
        ("Web Authorization URI", skill.authorization_uri),
        ("Access Token URI", skill.access_token_uri),
        ("Client ID", region.client_id),
        ("Secret", f"what is in {folder.client_secret}"),
        ("Authentication Scheme", "Credentials in request body"),
        ("Scope", SCOPE),
        ("Domain list", "leave it empty"),
        ("Token expiration time", "leave it empty"),
    )
    if skill.proactive:
        page(
            "Alexa console, Permissions",
            ("Send Alexa Events", "on"),
            ("Alexa Client Id", "into secrets.yaml as alexa_client_id"),
            ("Alexa Client Secret", "into secrets.yaml as alexa_client_secret"),
        )
    return found
