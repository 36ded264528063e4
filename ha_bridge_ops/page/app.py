"""The page: what is asked for, and what is answered."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from ha_bridge import __version__
from ha_bridge.redaction import Secret
from ha_bridge_ops.check.catalogue import PARTS
from ha_bridge_ops.endpoints.capabilities import (
    categories_of,
    entity_of,
    id_of,
    name_of,
)
from ha_bridge_ops.endpoints.controls import controls
from ha_bridge_ops.endpoints.exposure import Entity, configuration, in_words
from ha_bridge_ops.endpoints.limits import CATEGORIES, MAX_ENDPOINTS, MAX_NAME
from ha_bridge_ops.endpoints.sentences import examples_for
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.outside import hidden_in, quoted, visible, without
from ha_bridge_ops.page import contents
from ha_bridge_ops.page.guard import Guard, RefusedError, Sessions, body_of
from ha_bridge_ops.page.home import (
    Discovery,
    Home,
    MayOpenError,
    NotThereError,
    findings_of,
    looks,
)
from ha_bridge_ops.regions import LOCALES

_FOLDER: Final = Path(__file__).parent

_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

#: All files there are; a path that is asked for is a key here and never a path.
_STATIC: Final = {
    path.name: (path.read_bytes(), _TYPES[path.suffix])
    for path in sorted((_FOLDER / "static").iterdir())
    if path.suffix in _TYPES
}

#: Endpoints whose state is asked for at once.
_AT_ONCE: Final = 30

#: Seconds after which no other is asked for: each may take eight.
_STATES_S: Final = 8.0

_SENTENCE: Final = 300


@dataclass(frozen=True)
class Shown:
    """What is shown, and what never is.

    Args:
        home: Asked for everything.
        where: The home's address, for the heading.
        variables: What `check` looks at.
        secrets: Gives what is taken out of every answer.
        is_demo: Whether it is the demo's home.
    """

    home: Home
    where: str
    variables: Mapping[str, str] = field(repr=False)
    secrets: Callable[[], Sequence[Secret]] = tuple
    is_demo: bool = False


def application(shown: Shown, sessions: Sessions, port: int) -> ASGIApp:
    """Return the page, guarded."""
    page = _Page(shown)
    app = Starlette(
        routes=[
            Route("/", page.index),
            Route("/static/{name}", _static),
            Route("/api/home", page.discovery),
            Route("/api/states", page.states, methods=["POST"]),
            Route("/api/act", page.act, methods=["POST"]),
            Route("/api/say", page.say, methods=["POST"]),
            Route("/api/choice", page.choice, methods=["POST"]),
            Route("/api/check", page.check, methods=["POST"]),
        ],
        exception_handlers={
            HTTPException: _not_here,
            RefusedError: _refused,
            NotThereError: _not_there,
            CommandError: page.cannot,
            Exception: _unexpected,
        },
    )
    app.router.redirect_slashes = False
    return Guard(app, port=port, sessions=sessions)


class _Page:
    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._home = shown.home
        environment = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._template = environment.get_template("index.html")

    async def index(self, request: Request) -> Response:
        """Show the page itself; its contents are fetched by it."""
        return HTMLResponse(
            self._template.render(
                csrf=request.scope["csrf"],
                where=visible(self._shown.where),
                version=__version__,
                categories=sorted(CATEGORIES),
                locales=sorted(LOCALES),
                parts=PARTS,
                is_demo=self._shown.is_demo,
                may_open=self._home.may_open,
            )
        )

    async def discovery(self, _request: Request) -> Response:
        """Ask for the endpoints anew."""
        return self._json(await run_in_threadpool(self._discover))

    def _discover(self) -> dict[str, Any]:
        found = self._home.discover()
        if found.error:
            return {"error": visible(found.error), "message": visible(found.message)}
        wrong = findings_of(found.endpoints)
        return {
            "milliseconds": round(found.milliseconds),
            "limit": MAX_ENDPOINTS,
            "examples": examples_for(found.endpoints),
            "endpoints": [
                contents.card(one, wrong.get(id_of(one), ())) for one in found.endpoints
            ],
        }

    async def states(self, request: Request) -> Response:
        """Say how some endpoints are."""
        asked = (await body_of(request)).get("ids")
        ids = asked[:_AT_ONCE] if isinstance(asked, list) else []
        return self._json(await run_in_threadpool(self._states, ids))

    def _states(self, ids: Sequence[object]) -> dict[str, Any]:
        known = self._home.known
        found: dict[str, Any] = {}
        until = time.monotonic() + _STATES_S
        for place, one in enumerate(ids):
            if time.monotonic() > until:
                return {"states": found, "left": ids[place:]}
            try:
                endpoint = known.find(one)
            except NotThereError:
                continue
            found[id_of(endpoint)] = contents.state(endpoint, self._home)
        return {"states": found}

    async def act(self, request: Request) -> Response:
        """Tell an endpoint what a control was set to."""
        body = await body_of(request)
        return await self._answered(self._act, body)

    def _act(self, body: Mapping[str, Any]) -> dict[str, Any]:
        endpoint = self._home.known.find(body.get("id"))
        # Degrees of which kind, only its state says.
        needs_state = str(body.get("control", "")).startswith("Alexa.Thermostat")
        state = self._home.state(endpoint) if needs_state else ()
        for control in controls(endpoint, state):
            if control.id == body.get("control"):
                order = control.order(body.get("value"))
                agreed = body.get("agreed") is True
                done = self._home.tell(endpoint, order, is_agreed=agreed)
                return {"exchange": contents.exchange(done)}
        raise ValueError("It has no such control.")

    async def say(self, request: Request) -> Response:
        """Do what a sentence means."""
        body = await body_of(request)
        return await self._answered(self._say, body)

    def _say(self, body: Mapping[str, Any]) -> dict[str, Any]:
        sentence, chosen = body.get("sentence"), body.get("id")
        if not isinstance(sentence, str) or len(sentence) > _SENTENCE:
            raise ValueError(f"A sentence has up to {_SENTENCE} characters.")
        understood, done = self._home.say(
            sentence,
            chosen if isinstance(chosen, str) else None,
            is_agreed=body.get("agreed") is True,
        )
        return {
            "heard": visible(understood.name),
            "hit": contents.brief(understood.endpoint) if understood.endpoint else None,
            "others": [contents.brief(one) for one in understood.others],
            "problem": visible(understood.problem),
            "exchange": contents.exchange(done) if done else None,
        }

    async def _answered(
        self,
        do: Callable[[Mapping[str, Any]], dict[str, Any]],
        body: Mapping[str, Any],
    ) -> Response:
        try:
            return self._json(await run_in_threadpool(do, body))
        except ValueError as error:
            return self._json({"problem": visible(error)}, HTTPStatus.BAD_REQUEST)
        except MayOpenError as held:
            name = name_of(held.endpoint)
            if not self._home.may_open:
                problem = (
                    f"{quoted(name, MAX_NAME)} could open your home, so nothing was "
                    "sent. To allow it, start ha-bridge page with --allow-unlock."
                )
                return self._json({"problem": problem}, HTTPStatus.FORBIDDEN)
            question = {"question": contents.question(held)}
            return self._json(question, HTTPStatus.CONFLICT)

    async def choice(self, request: Request) -> Response:
        """Make the block of what was chosen."""
        body = await body_of(request)
        return self._json(await run_in_threadpool(self._choose, body))

    def _choose(self, body: Mapping[str, Any]) -> dict[str, Any]:
        known = self._home.known
        items = body.get("chosen")
        chosen = [
            _chosen(known, one)
            for one in (items if isinstance(items, list) else [])
            if isinstance(one, dict)
        ]
        if not chosen:
            return {
                "words": "Nothing is chosen: Alexa would see no device.",
                "block": "",
            }
        block = configuration(str(body.get("locale", "")), entities=chosen)
        return {"words": in_words(len(known.endpoints), chosen), "block": block}

    async def cannot(self, _request: Request, error: Exception) -> Response:
        """Say what cannot be done; Home Assistant's words may be in it."""
        assert isinstance(error, CommandError)  # noqa: S101 - starlette's table
        said = {"problem": error.format_message()}
        return self._json(said, HTTPStatus.BAD_REQUEST)

    async def check(self, _request: Request) -> Response:
        """Give the findings of check, a line each, as they come."""
        return StreamingResponse(self._findings(), media_type="application/x-ndjson")

    def _findings(self) -> Iterator[str]:
        for title, finding in looks(self._shown.variables):
            yield self._clean({**contents.finding(finding), "title": title}) + "\n"

    def _json(self, value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
        return Response(self._clean(value), status, media_type="application/json")

    def _clean(self, value: object) -> str:
        """Return an answer in which no secret stands, whoever put it there."""
        hide = partial(without, self._shown.secrets())
        return json.dumps(hidden_in(value, hide))


def _chosen(known: Discovery, item: Mapping[str, Any]) -> Entity:
    """Return what was chosen, with name and category only where they are others."""
    endpoint = known.find(item.get("id"))
    name, kind = (str(item.get(key) or "").strip() for key in ("name", "category"))
    kinds = categories_of(endpoint)
    # The page was shown what can be seen of a name, and sends it back as it was.
    its_own = (name_of(endpoint), contents.brief(endpoint)["name"].strip())
    return Entity(
        entity_of(endpoint),
        "" if name in its_own else name,
        "" if kinds[:1] == (kind,) else kind,
    )


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    content, kind = _STATIC[name]
    return Response(content, media_type=kind)


def _problem(request: Request, message: str, status: int) -> Response:
    if request.url.path.startswith("/api/"):
        text = json.dumps({"problem": message})
        return Response(text, status, media_type="application/json")
    return Response(message + "\n", status, media_type="text/plain")


async def _not_here(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return _problem(request, "That is asked for in another way.", status)
    return _problem(request, "There is nothing here.", status)


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RefusedError) else HTTPStatus.FORBIDDEN
    return _problem(request, str(error), status)


async def _not_there(request: Request, error: Exception) -> Response:
    return _problem(request, str(error), HTTPStatus.NOT_FOUND)


async def _unexpected(request: Request, error: Exception) -> Response:
    # The kind, not the text: that could hold anything.
    message = f"The page failed ({type(error).__name__}); please report it."
    return _problem(request, message, HTTPStatus.INTERNAL_SERVER_ERROR)
