"""What Amazon's ASK CLI 2.30.7 does for the few commands that are needed, in `--debug`.

It speaks to the service that ASK_SMAPI_SERVER_BASE_URL names, reads ~/.ask/cli_config
as the real one does, says what that one says, and where, and keeps its arguments in
the file that ASK_FAKE_LOG names. tests/ops/skill drives the real one likewise.
"""

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

Answer = tuple[int, Any, list[str]]


def main() -> None:
    with Path(os.environ["ASK_FAKE_LOG"]).open("a") as log:
        log.write(f"{json.dumps(sys.argv[1:])}\n")
    parser = argparse.ArgumentParser()
    parser.add_argument("smapi", choices=["smapi"])
    parser.add_argument("command")
    parser.add_argument("-s", "--skill-id")
    parser.add_argument("-g", "--stage", default="development")
    parser.add_argument("-p", "--profile", default="default")
    parser.add_argument("--manifest", "--account-linking-request", dest="document")
    parser.add_argument("--resource")
    parser.add_argument("--max-results")
    parser.add_argument("--next-token")
    parser.add_argument("--debug", action="store_true")
    options = parser.parse_args()
    config = Path.home() / ".ask/cli_config"
    if not config.is_file():
        refuse(f"File {config} not exists.")
    profiles = json.loads(config.read_text())["profiles"]
    if options.profile not in profiles:
        refuse(f"Can't resolve profile [{options.profile}] as it doesn't exist.")
    vendor = profiles[options.profile]["vendor_id"]
    body = None
    if options.document:
        body = json.loads(Path(options.document.removeprefix("file:")).read_text())
    skill = f"/v1/skills/{options.skill_id}"
    query = {"vendorId": vendor, "nextToken": options.next_token}
    listing = urlencode({key: value for key, value in query.items() if value})
    token = {"grant_type": "refresh_token", **profiles[options.profile]["token"]}
    status, answer, debug = ask("POST", "/auth/o2/token", token, {})
    authorization = {"Authorization": f"Bearer {answer['access_token']}"}
    method, path = {
        "create-skill-for-vendor": ("POST", "/v1/skills"),
        "list-skills-for-vendor": ("GET", f"/v1/skills?{listing}"),
        "get-skill-status": ("GET", f"{skill}/status?resource=manifest"),
        "update-skill-manifest": ("PUT", f"{skill}/stages/{options.stage}/manifest"),
        "update-account-linking-info": (
            "PUT",
            f"{skill}/stages/{options.stage}/accountLinkingClient",
        ),
        "set-skill-enablement": ("PUT", f"{skill}/stages/{options.stage}/enablement"),
        "get-skill-credentials": ("GET", f"{skill}/credentials"),
        "delete-skill": ("DELETE", skill),
    }[options.command]
    if method == "POST":
        body = {**(body or {}), "vendorId": vendor}
    status, answer, more = ask(method, path, body, authorization)
    if status >= 400:
        said = f"Client Error: AxiosError: Request failed with status code {status}"
        refuse(f"The request to {path} failed. {said}", *debug, *more)
    full = {"body": answer or {}, "headers": {}, "statusCode": status}
    sys.stdout.write(
        f"Operation: {options.command}\nPayload:\n{json.dumps(body, indent=2)}\n\n"
        f"Response:\n{json.dumps(full, indent=2)}\n\n\n"
    )
    tell(*debug, *more)


def here(
    command: Sequence[str], *, environ: Mapping[str, str], **_limits: object
) -> subprocess.CompletedProcess[str]:
    """Run it in this process, much sooner than in another; as output_of."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    arguments = [*command][[*command].index("smapi") - 1 :]
    with (
        mock.patch.object(sys, "argv", arguments),
        mock.patch.dict(os.environ, environ),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            status = int(str(end.code))
    return subprocess.CompletedProcess(
        [*command], status, out.getvalue(), err.getvalue()
    )


def ask(method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
    """Return status and body of an answer, and what debug mode says of it."""
    base = os.environ["ASK_SMAPI_SERVER_BASE_URL"]
    data = None if body is None else json.dumps(body).encode()
    request = Request(base + path, data, headers, method=method)  # noqa: S310
    try:
        with urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
            status, text = response.status, response.read().decode()
    except HTTPError as error:
        status, text = error.code, error.read().decode()
        error.close()
    except (OSError, HTTPException):
        refuse(f"The request to {path} failed. Client Error: Error: socket hang up")
    debug = [
        f"{method.lower()} {base}{path}",
        f"status code: {status} Something",
        f"Request headers: {json.dumps(headers)}",
        f"Request body: {json.dumps(body)}",
        *([f"Response body: {text}"] if text else []),
    ]
    return status, json.loads(text) if text else None, debug


def refuse(message: str, *debug: str) -> Any:
    error = {"message": f"Call to service failed: {message}", "stack": "Error: at …"}
    sys.stderr.write(f"[Error]: {json.dumps(error, indent=2)}\n")
    tell(*debug)
    raise SystemExit(1)


def tell(*debug: str) -> None:
    mark = "-------------------- Debug Mode --------------------"
    sys.stderr.write("\n\n".join(["", mark, *debug, ""]))


if __name__ == "__main__":
    main()
