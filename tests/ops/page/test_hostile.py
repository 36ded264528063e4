"""What is refused: nothing is done, nothing is shown, one clear answer."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ha_bridge_ops.endpoints.limits import LOOKED_AT
from ha_bridge_ops.page import app
from ha_bridge_ops.page import server as page_server
from ha_bridge_ops.page.guard import CSRF_HEADER, HEADERS, MAX_BODY
from tests.directives import TOKEN
from tests.hostile import MARK, ODD, TEXTS, assert_harmless, places
from tests.ops.page.conftest import DOOR, HOSTILE, LAMP, Client, Opened, TableHome
from tests.worlds.devices import ENDPOINT, STATE

ACT = json.dumps(
    {"id": "light#desk", "control": "Alexa.PowerController", "value": "on"}
).encode()


def assert_refused(client: Client, status: int, body: bytes, expected: int) -> None:
    """One sentence, in which nothing of the home stands."""
    assert status == expected, body
    text = body.decode()
    sentence = json.loads(text)["problem"] if text.startswith("{") else text
    assert re.fullmatch(r"[A-Z][^\n]+\.\n?", sentence), sentence
    for secret in ("Desk", "desk", TOKEN, client.csrf, client.server.sessions.cookie):
        assert secret not in text


#: What is wrong with a change: headers that replace the right ones, and the status.
CHANGES = {
    "rebinding": ({"Host": "attacker.example:{port}"}, 421),
    "rebinding to localhost": ({"Host": "localhost:{port}"}, 421),
    "another port": ({"Host": "127.0.0.1:1"}, 421),
    "no port": ({"Host": "127.0.0.1"}, 421),
    "a dot behind": ({"Host": "127.0.0.1.:{port}"}, 421),
    "no host": ({"Host": ""}, 400),
    "two hosts": ({"host": "attacker.example"}, 400),
    "another origin": ({"Origin": "https://attacker.example"}, 403),
    "another port's origin": ({"Origin": "http://127.0.0.1:1"}, 403),
    "origin null": ({"Origin": "null"}, 403),
    "no origin": ({"Origin": ""}, 403),
    "another site": ({"Sec-Fetch-Site": "cross-site"}, 403),
    "the same site": ({"Sec-Fetch-Site": "same-site"}, 403),
    "no cookie": ({"Cookie": ""}, 403),
    "a made-up cookie": ({"Cookie": "{cookie}=x"}, 403),
    "no CSRF token": ({CSRF_HEADER: ""}, 403),
    "a made-up CSRF token": ({CSRF_HEADER: "x" * 43}, 403),
    "a CSRF token of other letters": ({CSRF_HEADER: "\xe9"}, 403),
    "a form": ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "a form with a file": ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
    "plain text": ({"Content-Type": "text/plain"}, 415),
    "JSON in disguise": ({"Content-Type": "text/plain; application/json"}, 415),
    "no type": ({"Content-Type": ""}, 415),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_that_is_not_the_pages_own(what: str, opened: Opened) -> None:
    """The lamp stays as it is."""
    home = TableHome()
    client = opened(home)
    replaced, expected = CHANGES[what]
    names = {"port": client.server.port, "cookie": client.server.sessions.cookie}
    wrong = {key: value.format(**names) for key, value in replaced.items()}
    answer, body = client.ask("POST", "/api/act", {**client.allowed, **wrong}, ACT)
    if expected == 400:  # refused before it gets to us
        assert answer.status == expected
    else:
        assert_refused(client, answer.status, body, expected)
    assert home.told == []
    # And all that was wrong, was that.
    answer, body = client.ask("POST", "/api/act", client.allowed, ACT)
    assert answer.status == 200
    assert "TurnOn light#desk" in home.told


@pytest.mark.parametrize(
    ("method", "expected"),
    [("GET", 405), ("PUT", 405), ("DELETE", 405), ("OPTIONS", 405), ("TRACE", 405)],
)
@pytest.mark.parametrize("path", ["/api/act", "/api/say", "/api/choice", "/api/states"])
def test_a_change_is_a_post(
    method: str, path: str, expected: int, opened: Opened
) -> None:
    """A GET could be a picture in a mail; a preflight is not answered."""
    home = TableHome()
    client = opened(home)
    answer, body = client.ask(method, path, client.allowed)
    assert_refused(client, answer.status, body, expected)
    assert answer.getheader("Access-Control-Allow-Origin") is None
    assert home.told == []


#: Bodies, and the status.
BODIES = {
    "broken": (b'{"id": ', 400),
    "empty": (b"", 400),
    "not text": (b"\xff\xfe", 400),
    "a list": (b"[]", 400),
    "a number": (b"1e999", 400),
    "too deep": (b"[" * 100_000, 400),
    "too large": (b'{"id": "' + b"x" * MAX_BODY + b'"}', 413),
    "another endpoint": (b'{"id": "light#none", "control": "x", "value": 1}', 404),
    "no endpoint": (b"{}", 404),
    "an endpoint that is a list": (b'{"id": [], "control": {}}', 404),
    "another control": (b'{"id": "light#desk", "control": "Alexa.Lock"}', 400),
    "another value": (
        b'{"id": "light#desk", "control": "Alexa.PowerController", "value": {}}',
        400,
    ),
}


@pytest.mark.parametrize("what", BODIES)
def test_bodies_that_say_nothing(what: str, opened: Opened) -> None:
    """One sentence, and no directive."""
    home = TableHome()
    client = opened(home)
    body, expected = BODIES[what]
    answer, text = client.ask("POST", "/api/act", client.allowed, body)
    assert answer.status == expected
    problem = json.loads(text)["problem"]
    assert problem.endswith(".")
    assert "\n" not in problem
    assert set(home.told) <= {"Discover"}


def test_a_body_without_length_is_not_read_for_ever(opened: Opened) -> None:
    """Sent in pieces, it is given up at the limit."""
    client = opened(TableHome())
    head = [f"{name}: {value}" for name, value in client.allowed.items()]
    with socket.create_connection(("127.0.0.1", client.server.port), 30) as line:
        lines = ["POST /api/act HTTP/1.1", f"Host: {client.host}", *head]
        lines += ["Transfer-Encoding: chunked", "", ""]
        line.sendall("\r\n".join(lines).encode())
        piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        try:
            for _ in range(MAX_BODY // 0x10000 + 2):
                line.sendall(piece)
        except OSError:
            pass  # it has hung up meanwhile
        assert b" 413 " in line.recv(200)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Host": "attacker.example"}, 421),
        ({"Host": "localhost:{port}"}, 421),
        ({"Cookie": ""}, 403),
        ({"Cookie": "{cookie}=guessed"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://attacker.example"}, 403),
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/", "/api/home", "/static/app.js", "/nothing"])
def test_what_is_not_shown_to_others(
    path: str, headers: dict[str, str], expected: int, opened: Opened
) -> None:
    """Not even which paths there are."""
    home = TableHome()
    client = opened(home)
    names = {"port": client.server.port, "cookie": client.server.sessions.cookie}
    wrong = {key: value.format(**names) for key, value in headers.items()}
    answer, body = client.ask("GET", path, {"Cookie": client.cookie, **wrong})
    assert_refused(client, answer.status, body, expected)
    assert home.told == []


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static/..%5capp.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/app.js%00.css",
        "/static/",
        "//attacker.example/",
        "/.env",
        "/templates/index.html",
        "/api/",
        "/api/home/",
        "/docs",
    ],
)
def test_path_tricks(path: str, opened: Opened) -> None:
    """A path is a key in a table of five files."""
    client = opened(TableHome())
    answer, body = client.ask("GET", path, {"Cookie": client.cookie})
    assert_refused(client, answer.status, body, 404)


def test_the_address_works_once(opened: Opened) -> None:
    """It sets a cookie that scripts and other sites do not get, and is gone."""
    client = opened(TableHome())
    server = client.server
    assert server.sessions.one_time == ""
    for token in ("", "x", "%e9", "%00"):
        answer, body = client.ask("GET", f"/open?token={token}")
        assert_refused(client, answer.status, body, 403)
        assert answer.getheader("Set-Cookie") is None


def test_the_cookie(opened: Opened) -> None:
    """HttpOnly, SameSite=Strict, and the address leads away from the token."""
    client = opened(TableHome())
    client.server.sessions.one_time = "another-one"
    url = urlsplit(client.server.address)
    answer, _ = client.ask("GET", f"{url.path}?{url.query}")
    assert answer.status == 303
    assert answer.getheader("Location") == "/"
    cookie = answer.getheader("Set-Cookie") or ""
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    # Used twice by a browser that is in, it does no harm.
    again, _ = client.ask("GET", f"{url.path}?{url.query}", {"Cookie": client.cookie})
    assert again.status == 303


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/api/home", "/nothing"])
@pytest.mark.parametrize("is_in", [True, False])
def test_every_answer_has_the_headers(
    *, path: str, is_in: bool, opened: Opened
) -> None:
    """Refusals too: nothing is kept, framed, guessed or loaded from elsewhere."""
    client = opened(TableHome())
    answer, _ = client.ask("GET", path, {"Cookie": client.cookie if is_in else ""})
    for name, value in HEADERS.items():
        assert answer.getheader(name) == value
    policy = answer.getheader("Content-Security-Policy") or ""
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.getheader("Server") is None


def test_it_listens_on_loopback_only(opened: Opened) -> None:
    """Whatever other addresses this machine has."""
    port = opened(TableHome()).server.port
    listening = [
        line.split()[1]
        for name in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in _lines(name)
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    ]
    assert listening == [f"0100007F:{port:04X}"]


def _lines(path: str) -> list[str]:
    listed = Path(path)
    return listed.read_text().splitlines()[1:] if listed.exists() else []


# -- What opens


OPEN = {"id": "lock#front", "control": "Alexa.LockController", "value": "unlock"}


def test_nothing_is_unlocked_unless_it_was_allowed(opened: Opened) -> None:
    """Neither by a button nor by a sentence, nor if the page says that it is agreed."""
    home = TableHome()
    client = opened(home)
    for agreed in (False, True, "true", 1):
        status, answer = client.post("/api/act", **OPEN, agreed=agreed)
        assert (status, "--allow-unlock" in answer["problem"]) == (403, True)
        status, answer = client.post(
            "/api/say", sentence="unlock the front door", agreed=agreed
        )
        assert (status, "--allow-unlock" in answer["problem"]) == (403, True)
    assert set(home.told) <= {"Discover", "ReportState lock#front"}
    # Locking is nobody's danger.
    status, _ = client.post("/api/act", **{**OPEN, "value": "lock"})
    assert status == 200


def test_what_is_allowed_is_asked_first(opened: Opened) -> None:
    """Only a yes that is one sends it."""
    home = TableHome()
    client = opened(home, may_open=True)
    for agreed in (None, False, "true", 1):
        status, answer = client.post("/api/act", **OPEN, agreed=agreed)
        assert (status, answer) == (409, {"question": "Unlock “Front door”?"})
    assert "Unlock lock#front" not in home.told
    status, answer = client.post("/api/act", **OPEN, agreed=True)
    assert status == 200
    assert answer["exchange"]["changes"][0]["after"] == "unlocked"
    assert home.told.count("Unlock lock#front") == 1


# -- What is shown


def test_the_token_never_gets_to_the_page(opened: Opened) -> None:
    """Home Assistant echoes it, and a message might hold it."""
    home = TableHome()
    client = opened(home)
    shown = [client.ask("GET", "/", {"Cookie": client.cookie})[1].decode()]
    shown += [json.dumps(client.get("/api/home"))]
    shown += [json.dumps(client.post("/api/say", sentence="turn on the desk lamp"))]
    home.error = "INTERNAL_ERROR"
    shown += [json.dumps(client.get("/api/home"))]
    shown += [json.dumps(client.post("/api/say", sentence="turn on the desk lamp"))]
    for text in shown:
        assert TOKEN not in text
    assert "It failed with" in shown[3]


def test_an_event_file_has_no_token(opened: Opened) -> None:
    """It is there to be shown to others."""
    client = opened(TableHome())
    _, answer = client.post("/api/say", sentence="turn on the desk lamp")
    event = json.loads(answer["exchange"]["file"])
    assert event["directive"]["endpoint"]["scope"] == {"type": "BearerToken"}
    assert event["directive"]["header"]["name"] == "TurnOn"


def test_a_hostile_name_is_a_text(opened: Opened) -> None:
    """It stands in JSON, and nowhere in the page itself."""
    home = TableHome([{**LAMP, "friendlyName": HOSTILE}, DOOR])
    client = opened(home)
    answer, page = client.ask("GET", "/", {"Cookie": client.cookie})
    assert b"onerror" not in page
    answer, body = client.ask("GET", "/api/home", {"Cookie": client.cookie})
    assert answer.getheader("Content-Type") == "application/json"
    assert json.loads(body)["endpoints"][0]["name"] == HOSTILE


PLACES = dict(places(ENDPOINT))


@pytest.mark.parametrize("place", PLACES)
def test_an_odd_device_breaks_no_page(place: str, opened: Opened) -> None:
    """Texts and other shapes at any place: the page answers, and shows all of it."""
    put = PLACES[place]
    odd = [put(one) for one in (*TEXTS, *ODD)]
    home = TableHome([one for one in odd if isinstance(one, dict)])
    client = opened(home)
    status, found = client.get("/api/home")
    assert status == 200, found
    for one in found["endpoints"]:
        for key in ("name", "kind", "entity", "category", "abilities"):
            assert one[key].isprintable()
            assert len(one[key]) <= 300
        for trouble in one["troubles"]:
            assert_harmless(trouble["saw"] + trouble["means"] + trouble["fix"])
            assert MARK not in trouble["paste"]
    ids = [one["id"] for one in found["endpoints"]]
    for start in range(0, len(ids), 30):
        status, told = client.post("/api/states", ids=ids[start : start + 30])
        assert status == 200, told
    for sentence in ("turn on the blind", "open the blind", f"set {MARK} to 5"):
        status, told = client.post("/api/say", sentence=sentence)
        assert status < 500, told
    chosen = [{"id": one, "name": "x"} for one in ids]
    status, told = client.post("/api/choice", chosen=chosen, locale="en-GB")
    assert status < 500, told


STATE_PLACES = dict(places(STATE["context"]))


@pytest.mark.parametrize("place", STATE_PLACES)
def test_an_odd_state_breaks_no_page(place: str, opened: Opened) -> None:
    """Whatever Home Assistant says of a device."""
    put = STATE_PLACES[place]

    class Odd(TableHome):
        said: Any = None

        def invoke(self, event: Any) -> dict[str, Any]:
            if event["directive"]["header"]["name"] == "Discover":
                return super().invoke(event)
            return {**STATE, "context": put(self.said)}

    home = Odd([ENDPOINT])
    client = opened(home)
    (blind,) = client.get("/api/home")[1]["endpoints"]
    deep: list[Any] = []
    for _ in range(980):
        deep = [deep]
    for home.said in (*TEXTS, *ODD, deep):
        status, told = client.post("/api/states", ids=[blind["id"]])
        assert status == 200, told
        shown = told["states"][blind["id"]]
        assert shown["summary"].isprintable()
        assert all(one["text"].isprintable() for one in shown["readings"])


def test_a_name_that_cannot_be_shown_is_not_renamed(opened: Opened) -> None:
    """What was only ticked keeps its name, however the page has to show it."""
    names = [
        "",
        "  ",
        "a\u202eb",
        "\U0001f3f3\ufe0f\u200d\U0001f308",
        " Lamp ",
        "x" * 300,
    ]
    home = TableHome([{**LAMP, "endpointId": f"light#{n}"} for n in range(len(names))])
    for endpoint, name in zip(home.endpoints, names, strict=True):
        endpoint["friendlyName"] = name
    client = opened(home)
    _, found = client.get("/api/home")
    chosen = [{"id": one["id"], "name": one["name"]} for one in found["endpoints"]]
    _, told = client.post("/api/choice", chosen=chosen, locale="en-GB")
    assert "renamed" not in told["words"]
    assert "name:" not in told["block"]


def texts_in(value: Any) -> Iterator[str]:
    """Give the texts and names in JSON, except ids: those are never shown."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from texts_in(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            if key != "id":
                yield from texts_in(one)


class Saying(TableHome):
    """A home that says one thing to whatever it is asked, or to all but Discover."""

    def __init__(self, *, always: bool) -> None:
        super().__init__()
        self.always = always
        self.said: dict[str, Any] = {}

    def invoke(self, event: Any) -> dict[str, Any]:
        is_discover = event["directive"]["header"]["name"] == "Discover"
        return super().invoke(event) if is_discover and not self.always else self.said


@pytest.mark.parametrize("always", [True, False], ids=["discovery", "directive"])
def test_whatever_is_answered_is_shown_as_text(*, always: bool, opened: Opened) -> None:
    """Error, answer, log line and event: all of it can be seen, and has an end."""
    home = Saying(always=False)
    client = opened(home)
    client.get("/api/home")
    home.always = always
    for text in TEXTS:
        header = {"name": "ErrorResponse"}
        payload = {"type": text, "message": f"{text} {TOKEN}", text: text}
        home.said = {"event": {"header": header, "payload": payload}}
        told = [client.get("/api/home")] if always else []
        told += [client.post("/api/act", **json.loads(ACT))]
        told += [client.post("/api/say", sentence="turn on the desk lamp")]
        for status, answer in told:
            assert status == 200
            for one in texts_in(answer):
                assert_harmless(one)
                assert len(one) <= 10_000
                assert TOKEN not in one


def test_a_token_in_an_id_is_not_told(opened: Opened) -> None:
    """Nor in a sentence about what cannot be done."""
    client = opened(TableHome([{**LAMP, "endpointId": f"light#{TOKEN}!"}]))
    (one,) = client.get("/api/home")[1]["endpoints"]
    assert TOKEN not in json.dumps(one)
    chosen = [{"id": f"light#{TOKEN}!", "name": TOKEN, "category": TOKEN}]
    status, told = client.post("/api/choice", chosen=chosen, locale=TOKEN)
    assert status == 400
    assert TOKEN not in json.dumps(told)


@pytest.mark.parametrize(
    "device",
    [{}, {"friendlyName": "Lamp"}, {"endpointId": "light#a", "friendlyName": "Lamp"}],
    ids=["nothing", "a name", "all the same"],
)
def test_a_home_without_end_is_shown_in_part(
    device: dict[str, Any], opened: Opened
) -> None:
    """What is wrong with so many alike is said of each a few times, not thousands."""
    client = opened(TableHome([device] * 90_000))
    status, found = client.get("/api/home")
    assert status == 200
    assert len(found["endpoints"]) == LOOKED_AT
    assert all(len(one["troubles"]) < 10 for one in found["endpoints"])
    assert len(json.dumps(found)) < 2_000_000


def test_what_is_wrong_with_thousands_is_said_in_few_words(opened: Opened) -> None:
    """Each has a device of its own: all of it would be 24 MB, and take a minute."""
    wrong = {"friendlyName": "Q1_" + "x" * 200, "displayCategories": [], "x": "y" * 99}
    devices = [{**wrong, "endpointId": f"light#a{one}"} for one in range(LOOKED_AT)]
    few, many = (
        opened(TableHome(some)).get("/api/home")[1] for some in (devices[:9], devices)
    )
    assert all(len(one["troubles"]) > 5 for one in few["endpoints"])
    assert all(len(one["troubles"]) == 1 for one in many["endpoints"])
    assert all(one["troubles"][0]["status"] == "failed" for one in many["endpoints"])
    assert len(json.dumps(many)) < 4_000_000


def test_a_slow_home_is_not_asked_for_all_states(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty times eight seconds would keep everything else from being asked."""
    monkeypatch.setattr(app, "_STATES_S", -1.0)
    client = opened(TableHome())
    answer = client.post("/api/states", ids=["light#desk"])
    assert answer == (200, {"states": {}, "left": ["light#desk"]})


def test_two_at_once_do_no_harm(opened: Opened) -> None:
    """Each has its own port and cookie, and lets in nobody of the other."""
    one, other = opened(TableHome()), opened(TableHome())
    assert one.server.sessions.cookie != other.server.sessions.cookie
    answer, _ = other.ask("GET", "/", {"Cookie": one.cookie})
    assert answer.status == 403
    both = f"{one.cookie}; {other.cookie}"
    for client in (one, other):
        assert client.ask("GET", "/", {"Cookie": both})[0].status == 200


def test_who_asks_for_nothing_keeps_no_place(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More connections than there are places, with half a head each or none."""
    monkeypatch.setattr(page_server, "_PATIENCE_S", 0.2)
    client = opened(TableHome())
    with ExitStack() as stack:
        for number in range(2 * page_server._AT_ONCE):
            one = stack.enter_context(
                socket.create_connection(("127.0.0.1", client.server.port), 60)
            )
            one.sendall(b"GET / HTTP/1.1\r\n" * (number % 2))
            stack.callback(ended, one)
    answer, _ = client.ask("GET", "/", {"Cookie": client.cookie})
    assert answer.status == 200


def ended(one: socket.socket) -> None:
    """Wait until the other side has ended a connection."""
    with suppress(ConnectionError):
        assert one.recv(1) == b""
