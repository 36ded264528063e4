"""`ask smapi`: Amazon's own command for skills, run as a child process."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ha_bridge.redaction import REDACTED, Secret
from ha_bridge_ops import grammar
from ha_bridge_ops.errors import CommandError, RefusedError
from ha_bridge_ops.local.ask import NEEDED
from ha_bridge_ops.local.processes import (
    TooMuchError,
    inherited,
    output_of,
    secrets_of,
)
from ha_bridge_ops.outside import LIMIT, quoted, visible, without
from ha_bridge_ops.typed import typed

#: Pages of the list of skills, of up to 50 each.
MAX_PAGES = 40

#: Seconds for all of them.
LISTING_S = 120

#: Bytes that one call may write; a page of the list has some 100 000.
MAX_OUTPUT = 2_000_000

#: Complaints of one refusal that are shown.
_SHOWN = 8

#: A client id or secret of Amazon's.
_CREDENTIAL = re.compile(r"[!-~]{1,500}")

#: A token of Amazon's login, which `ask` keeps for itself and sends along.
_LOGIN = re.compile(r"Atz[a-z](?:\||%7C|\\u007c)[^\s\"'\\<>&,;)}]+", re.IGNORECASE)

#: How lines begin that Node puts around an error: warnings, and the code it came from.
_OF_NODE = ("(node:", "(Use `node", "throw ")

#: What Amazon names the next page by, which is given back as an argument.
_TOKEN = re.compile(r"[!-~]{1,10000}")

#: Seconds for one call; Amazon answers within two or three.
TIMEOUT_S = 120

#: Seconds for Amazon to build a manifest; it takes some five.
BUILD_TIMEOUT_S = 120

#: How `ask` marks what it says in debug mode, which alone has Amazon's own words: its
#: plain error is no more than “Request failed with status code 400”.  The same output
#: has tokens in it, so nothing else of it is ever shown.
_STATUS = re.compile(r"^status code: (\d{3})", re.MULTILINE)
_BODY = re.compile(r"^Response body: (.*)$", re.MULTILINE)
_RESPONSE = re.compile(r"^Response:$", re.MULTILINE)


class Refused(RefusedError):  # noqa: N818 - it says what happened
    """Amazon, or `ask` itself, did not do what it was asked for. Exit status 1."""

    def __init__(self, words: str, status: int | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.status = status
        """Of the HTTP answer; None if there was none."""

    @property
    def is_final(self) -> bool:
        """Whether Amazon has surely not done it."""
        return self.status is not None and 400 <= self.status < 500  # noqa: PLR2004


#: Signs that the ASK CLI has no account to work with.
_NOT_LOGGED_IN = ("cli_config", "refresh_token", "invalid/expired")


class AskCli:
    """The ASK CLI that is installed here.

    Args:
        command: How to call it; a text may have several words, as `npx ask-cli`.
        profile: Its profile; None for the one it takes by itself.
        timeout_s: Seconds that it may take for one call.
        build_timeout_s: Seconds that Amazon may take to build a manifest.
        run: Runs it; as output_of.

    Raises:
        CommandError: There is no such command.
    """

    def __init__(
        self,
        command: str | Sequence[str],
        profile: str | None = None,
        timeout_s: float = TIMEOUT_S,
        build_timeout_s: float = BUILD_TIMEOUT_S,
        *,
        run: Callable[..., subprocess.CompletedProcess[str]] = output_of,
    ) -> None:
        if isinstance(command, str):
            try:
                command = shlex.split(command, posix=os.name == "posix")
            except ValueError:
                raise CommandError(
                    "--ask-command has a quotation mark that is not closed."
                ) from None
        words = [*command] or [""]
        program = shutil.which(words[0])
        if program is None:
            raise CommandError(
                f"There is no command {typed(words[0], 'of that name')} here. Install "
                "Amazon's ASK CLI (npm install -g ask-cli) and log in with "
                "`ask configure`; or leave --apply out and type what is printed."
            )
        self._output_of = run
        self._command = [program, *words[1:], "smapi"]
        self._profile = ["--profile", profile] if profile else []
        self._timeout_s = timeout_s
        self.build_timeout_s = build_timeout_s
        self._sent: list[Secret] = []

    def hide(self, sent: Secret) -> None:
        """Leave a secret that Amazon is sent out of whatever it says back."""
        self._sent.append(sent)

    def create(self, manifest: Path) -> str:
        """Create a skill, and return its id."""
        answer = self._run("create-skill-for-vendor", "--manifest", f"file:{manifest}")
        found = grammar.skill_id(str(answer.get("skillId")))
        if found is None:
            raise Refused(f"Amazon gave no skill id: {quoted(answer.get('skillId'))}.")
        return found

    def skills(self) -> Iterator[dict[str, Any]]:
        """Give a summary of every skill of the account, a page at a time.

        Raises:
            Refused: Amazon did not list them, or the list has no end.
        """
        give_up = time.monotonic() + LISTING_S
        number = 0
        page: list[str] = ["--max-results", "50"]
        tokens: set[str] = set()
        for _ in range(MAX_PAGES):
            answer = self._run("list-skills-for-vendor", *page)
            skills = answer.get("skills")
            listed = skills if isinstance(skills, list) else []
            number += len(listed)
            yield from (one for one in listed if isinstance(one, dict))
            token = answer.get("nextToken")
            if not isinstance(token, str) or not token:
                return
            is_one = _TOKEN.fullmatch(token) and token not in tokens
            if not is_one or time.monotonic() > give_up:
                break
            tokens.add(token)
            page = ["--max-results", "50", f"--next-token={token}"]
        raise Refused(
            f"Amazon's list of skills has no end: {number} so far. "
            "Name the skill with --skill-id."
        )

    def build(self, skill_id: str) -> dict[str, Any]:
        """Return how the last change of the manifest went."""
        answer = self._run("get-skill-status", "-s", skill_id, "--resource", "manifest")
        manifest = answer.get("manifest")
        last = manifest.get("lastUpdateRequest") if isinstance(manifest, dict) else None
        return last if isinstance(last, dict) else {}

    def update(self, skill_id: str, manifest: Path) -> None:
        """Change the manifest; Amazon builds it after the answer."""
        stage = ("-s", skill_id, "-g", "development")
        self._run("update-skill-manifest", *stage, "--manifest", f"file:{manifest}")

    def link(self, skill_id: str, account_linking: Path) -> None:
        """Change how accounts are linked."""
        stage = ("-s", skill_id, "-g", "development")
        document = f"file:{account_linking}"
        self._run(
            "update-account-linking-info", *stage, "--account-linking-request", document
        )

    def enable(self, skill_id: str) -> None:
        """Switch the skill on for the developer's own account."""
        self._run("set-skill-enablement", "-s", skill_id, "-g", "development")

    def delete(self, skill_id: str) -> None:
        """Delete a skill."""
        self._run("delete-skill", "-s", skill_id)

    def log_in(self) -> bool:
        """Let `ask configure` ask the user; return whether it ended well."""
        has_browser = sys.platform != "linux" or any(
            os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
        )
        how = [] if has_browser else ["--no-browser"]  # it prints an address then
        command = [*self._command[:-1], "configure", *self._profile, *how]
        done = subprocess.run(command, env=inherited(*NEEDED), check=False)
        return done.returncode == 0

    def credentials(self, skill_id: str) -> tuple[str, str]:
        """Return the client id and secret with which events are sent to Alexa."""
        answer = self._run("get-skill-credentials", "-s", skill_id)
        given = answer.get("skillMessagingCredentials")
        found = [
            given.get(name) if isinstance(given, dict) else None
            for name in ("clientId", "clientSecret")
        ]
        client_id, client_secret = (
            one if isinstance(one, str) and _CREDENTIAL.fullmatch(one) else None
            for one in found
        )
        if client_id is None or client_secret is None:
            raise Refused("Amazon gave no credentials for proactive mode.")
        return client_id, client_secret

    def _run(self, *arguments: str) -> dict[str, Any]:
        try:
            done = self._output_of(
                [*self._command, *arguments, *self._profile, "--debug"],
                environ=inherited(*NEEDED),
                timeout=self._timeout_s,
                limit=MAX_OUTPUT,
            )
        except TooMuchError:
            raise Refused(f"`ask` wrote over {MAX_OUTPUT} bytes.") from None
        except subprocess.TimeoutExpired:
            raise Refused(
                f"`ask` gave no answer within {self._timeout_s:g} s."
            ) from None
        except OSError as error:
            raise Refused(f"`ask` could not be started: {error.strerror}.") from None
        if done.returncode:
            raise refusal(self._without_secrets(done.stderr))
        return answered(self._without_secrets(done.stdout))

    def _without_secrets(self, text: str) -> str:
        known = [*self._sent, *secrets_of(inherited(*NEEDED))]
        return without(known, _LOGIN.sub(REDACTED, text))


def answered(stdout: str) -> dict[str, Any]:
    """Return the body of the answer in what `ask … --debug` printed."""
    mark = _RESPONSE.search(stdout)
    text = stdout[mark.end() :] if mark else stdout
    try:
        shown, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
    except (ValueError, RecursionError):
        return {}  # “Command executed successfully!”
    body = shown.get("body", shown) if mark else shown
    if isinstance(body, str):
        body = _json(body) if body else {}
    return body if isinstance(body, dict) else {}


def refusal(stderr: str) -> Refused:
    """Return what was refused, in the words of who refused it."""
    statuses = _STATUS.findall(stderr)
    bodies = _BODY.findall(stderr)
    status = int(statuses[-1]) if statuses else None
    words = ""
    if status is not None and status >= 400 and bodies:  # noqa: PLR2004 - HTTP's errors
        words = in_words(_json(bodies[-1]))
    words = words or _own_words(stderr)
    if any(sign in words for sign in _NOT_LOGGED_IN) and "ask configure" not in words:
        words = f"{words.rstrip('.')}. Log in with `ask configure`."
    return Refused(words, status)


def in_words(body: Any) -> str:
    """Return an error in Amazon's words: its message, and what it complains of."""
    if not isinstance(body, dict):
        return ""
    parts = [body.get("message") or body.get("error_description")]
    for key in ("violations", "errors"):
        details = body.get(key)
        shown = details[:_SHOWN] if isinstance(details, list) else []
        parts += [
            one.get("message") or one.get("code")
            for one in shown
            if isinstance(one, dict)
        ]
    texts = (_one_line(part) for part in parts if isinstance(part, str))
    return " ".join(dict.fromkeys(text for text in texts if text))


def _one_line(text: str) -> str:
    return visible(" ".join(text[: 4 * LIMIT].split()))


def _own_words(stderr: str) -> str:
    """Return what `ask` itself complains of: no stack trace, and no debug output."""
    stderr = re.split(r"^-+ Debug Mode -+$", stderr, maxsplit=1, flags=re.MULTILINE)[0]
    _, mark, text = stderr.partition("[Error]: ")
    shown = _json(text) if mark else None
    if isinstance(shown, dict):
        said = shown.get("message") or shown.get("errorMessage")
        if said:
            return _one_line(str(said))
    every = (line.strip() for line in (text or stderr).splitlines())
    lines = [line for line in every if line and not line.startswith(_OF_NODE)]
    errors = [line for line in lines if "Error" in line]
    return _one_line((errors or lines or ["`ask` ended without a word."])[0])


def _json(text: str) -> Any:
    try:
        return json.JSONDecoder().raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError):
        return None
