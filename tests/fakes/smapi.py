"""Amazon's Skill Management API on loopback: the few calls that a skill needs.

It keeps to what Amazon does: a manifest is built after the answer, the endpoint must
let this very skill call it, a build resets account linking, and an account linking is
needed before the skill can be switched on. Paths and answers are those of
https://developer.amazon.com/en-US/docs/alexa/smapi/skill-operations.html
"""

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

VENDOR = "M0VENDOR"
ACCESS_TOKEN = "Atza|made-up-access"
REFRESH_TOKEN = "Atzr|made-up-refresh"
CLIENT_SECRET = "made-up-messaging-secret"
#: Where the endpoint of a skill may be: https://developer.amazon.com/docs/smapi/
ENDPOINT_REFUSED = (
    "The trigger setting for the Lambda {arn} is invalid. Please make sure that "
    '"Alexa Smart Home" is selected for the event source type and try again.'
)


@dataclass
class Skill:
    """A skill in development, as Amazon keeps it."""

    skill_id: str
    manifest: dict[str, Any]
    build: dict[str, Any] = field(default_factory=lambda: {"status": "SUCCEEDED"})
    polls_left: int = 0
    account_linking: dict[str, Any] | None = None
    enabled: bool = False

    @property
    def names(self) -> dict[str, str]:
        locales = self.manifest["publishingInformation"]["locales"]
        return {locale: about["name"] for locale, about in locales.items()}


class Hangup(Exception):  # noqa: N818 - no error: the connection ends without an answer
    """The call was carried out, but the answer is lost."""


@dataclass
class Refusal:
    """What to answer to one operation instead of doing it."""

    status: int
    body: dict[str, Any]


class Smapi:
    """Use as a context manager; `url` is its address.

    Attributes:
        skills: What there is, by skill id.
        calls: The operations that were asked for, in their order.
        permitted: Skills that may call the function; set by the owner of the function.
        refusals: By operation, what to answer instead; each is used once.
        lost: Operations that are done, but whose answer is lost; each once.
        pause: An operation that is done, and then waits for `resumed` to be set.
        broken: Manifests with an endpoint fail to build, with these words.
    """

    def __init__(self, *, page: int = 50) -> None:
        self.skills: dict[str, Skill] = {}
        self.calls: list[str] = []
        self.permitted: set[str] = set()
        self.refusals: dict[str, Refusal] = {}
        self.lost: set[str] = set()
        self.broken: str | None = None
        self.pause: str | None = None
        self.paused = threading.Event()
        self.resumed = threading.Event()
        self._page = page
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_why: object) -> None:
        self.resumed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(self, name: str, locale: str = "en-US", api: str = "smartHome") -> Skill:
        """Put a skill there that somebody else has made."""
        manifest = {
            "publishingInformation": {"locales": {locale: {"name": name}}},
            "apis": {api: {}},
        }
        return self._new(manifest)

    # -- The operations

    def handle(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        url = urlsplit(target)
        for name, its_method, pattern in OPERATIONS:
            match = re.fullmatch(pattern, url.path)
            if match and method == its_method:
                with self._lock:
                    self.calls.append(name)
                    if refusal := self.refusals.pop(name, None):
                        return refusal.status, refusal.body
                    query = {k: v[0] for k, v in parse_qs(url.query).items()}
                    answer: tuple[int, Any] = getattr(self, f"_{name}")(
                        query, body, *match.groups()
                    )
                    if name in self.lost:
                        self.lost.remove(name)
                        raise Hangup
                if name == self.pause:
                    self.paused.set()
                    self.resumed.wait(60)
                    raise Hangup
                return answer
        return 404, {"message": f"No such resource: {method} {url.path}"}

    def _token(self, _query: dict[str, str], body: Any) -> tuple[int, Any]:
        assert body["grant_type"] == "refresh_token"
        assert body["refresh_token"] == REFRESH_TOKEN
        return 200, {
            "access_token": ACCESS_TOKEN,
            "refresh_token": REFRESH_TOKEN,
            "token_type": "bearer",
            "expires_in": 3600,
        }

    def _list(self, query: dict[str, str], _body: Any) -> tuple[int, Any]:
        assert query["vendorId"] == VENDOR
        first = int(query.get("nextToken", "0"))
        last = first + self._page
        found = list(self.skills.values())
        answer: dict[str, Any] = {
            "skills": [
                {
                    "skillId": skill.skill_id,
                    "stage": "development",
                    "apis": list(skill.manifest["apis"]),
                    "publicationStatus": "DEVELOPMENT",
                    "lastUpdated": "2025-04-01T12:00:00.000Z",
                    "nameByLocale": skill.names,
                }
                for skill in found[first:last]
            ],
            "isTruncated": last < len(found),
        }
        if last < len(found):
            answer["nextToken"] = str(last)
        return 200, answer

    def _create(self, _query: dict[str, str], body: Any) -> tuple[int, Any]:
        assert body["vendorId"] == VENDOR
        skill = self._new(body["manifest"])
        self._start_build(skill, body["manifest"])
        return 202, {"skillId": skill.skill_id}

    def _status(
        self, _query: dict[str, str], _body: Any, skill_id: str
    ) -> tuple[int, Any]:
        if (skill := self.skills.get(skill_id)) is None:
            return 404, {"message": f"Skill {skill_id} not found."}
        if skill.polls_left:
            skill.polls_left -= 1
            return 200, {"manifest": {"lastUpdateRequest": {"status": "IN_PROGRESS"}}}
        return 200, {"manifest": {"eTag": "abc", "lastUpdateRequest": skill.build}}

    def _update(
        self, _query: dict[str, str], body: Any, skill_id: str
    ) -> tuple[int, Any]:
        if skill_id not in self.skills:
            return 404, {"message": f"Skill {skill_id} not found."}
        self._start_build(self.skills[skill_id], body["manifest"])
        return 202, {}

    def _link(
        self, _query: dict[str, str], body: Any, skill_id: str
    ) -> tuple[int, Any]:
        self.skills[skill_id].account_linking = body["accountLinkingRequest"]
        return 204, None

    def _enable(
        self, _query: dict[str, str], _body: Any, skill_id: str
    ) -> tuple[int, Any]:
        if self.skills[skill_id].account_linking is None:
            return 400, {"message": "Account linking must be configured first."}
        self.skills[skill_id].enabled = True
        return 204, None

    def _delete(
        self, _query: dict[str, str], _body: Any, skill_id: str
    ) -> tuple[int, Any]:
        if self.skills.pop(skill_id, None) is None:
            return 404, {"message": f"Skill {skill_id} not found."}
        return 204, None

    def _credentials(
        self, _query: dict[str, str], _body: Any, skill_id: str
    ) -> tuple[int, Any]:
        credentials = {
            "clientId": f"amzn1.application-oa2-client.{skill_id[-12:]}",
            "clientSecret": CLIENT_SECRET,
        }
        return 200, {"skillMessagingCredentials": credentials}

    def _new(self, manifest: dict[str, Any]) -> Skill:
        number = len(self.skills) + 1
        skill_id = f"amzn1.ask.skill.{number:08d}-0000-4000-8000-000000000000"
        self.skills[skill_id] = Skill(skill_id, manifest)
        return self.skills[skill_id]

    def _start_build(self, skill: Skill, manifest: dict[str, Any]) -> None:
        """Build it; the caller sees the result only when it asks for the status."""
        skill.polls_left = 1
        api = manifest["apis"]["smartHome"]
        places = [api, *api.get("regions", {}).values()]
        arns = [one["endpoint"]["uri"] for one in places if "endpoint" in one]
        words = self.broken
        if arns and skill.skill_id not in self.permitted:
            words = ENDPOINT_REFUSED.format(arn=arns[0])
        if words:
            skill.build = {"status": "FAILED", "errors": [{"message": words}]}
            return
        skill.manifest = manifest
        skill.build = {"status": "SUCCEEDED", "version": "1"}
        skill.account_linking = None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        smapi = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                text = self.rfile.read(length)
                body = json.loads(text) if text else None
                known = self.headers.get("Authorization", "")
                answer: Any
                if not self.path.startswith("/auth/") and ACCESS_TOKEN not in known:
                    status, answer = 401, {"message": "Token is invalid/expired"}
                else:
                    try:
                        status, answer = smapi.handle(self.command, self.path, body)
                    except Hangup:
                        self.close_connection = True
                        return
                data = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                if status == 202:
                    skill_id = answer.get("skillId") or self.path.split("/")[3]
                    self.send_header(
                        "Location", f"/v1/skills/{skill_id}/status?resource=manifest"
                    )
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


#: Name, method and path; a group of the path is the skill id.
OPERATIONS = (
    ("delete", "DELETE", "/v1/skills/([^/]+)"),
    ("token", "POST", "/auth/o2/token"),
    ("list", "GET", "/v1/skills"),
    ("create", "POST", "/v1/skills"),
    ("status", "GET", "/v1/skills/([^/]+)/status"),
    ("update", "PUT", "/v1/skills/([^/]+)/stages/development/manifest"),
    ("link", "PUT", "/v1/skills/([^/]+)/stages/development/accountLinkingClient"),
    ("enable", "PUT", "/v1/skills/([^/]+)/stages/development/enablement"),
    ("credentials", "GET", "/v1/skills/([^/]+)/credentials"),
)


def cli_config() -> str:
    """Return what `ask configure` leaves in ~/.ask/cli_config."""
    token = {
        "access_token": "Atza|outdated",
        "refresh_token": REFRESH_TOKEN,
        "token_type": "bearer",
        "expires_in": 3600,
        "expires_at": "2020-01-01T00:00:00.000Z",
    }
    profile = {"token": token, "vendor_id": VENDOR, "aws_profile": None}
    return json.dumps({"profiles": {"default": profile}, "share_usage": False})
