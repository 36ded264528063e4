"""Token, devices and directives: one thing is broken in each test."""

import pytest

from ha_bridge.redaction import Secret
from ha_bridge_ops.check.model import Status
from tests.fakes.behaviours import after, hang_up, raw, reply, reply_json, silence
from tests.fakes.server import Behaviour
from tests.ops.check.conftest import Serve
from tests.worlds.home import (
    TOKEN,
    USUAL,
    assert_only,
    context,
    endpoint,
    event,
    findings,
    home,
    ids,
    jwt,
    links_after,
    listing,
    paths,
    plain,
    report_only,
)

#: Links that need a list of devices.
LISTED = links_after("discovery.count")

#: What a home of numbered lamps is warned of as well.
NUMBERED = USUAL | {"discovery.names"}

# -- token -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "cause", "fix"),
    [
        ("Atza|IwEBIJ4", "amazon", "https://home.example.org/auth/token"),
        ("my-old-api-password", "not_a_token", "LONG_LIVED_ACCESS_TOKEN="),
        ("a.b.c", "not_a_token", "LONG_LIVED_ACCESS_TOKEN="),
        (jwt(header={"alg": "RS256"}), "foreign", "LONG_LIVED_ACCESS_TOKEN="),
    ],
    ids=["Amazon's", "a password", "dots only", "somebody else's"],
)
def test_a_doubtful_token_is_not_sent(
    token: str, cause: str, fix: str, serve: Serve
) -> None:
    """Home Assistant would count it as a failed login."""
    server = serve(home())
    found = findings(context(server.port, token=token))
    skipped = links_after("token.kind")
    assert_only(found, "token.kind", cause, fix=fix, skipped=skipped)
    assert paths(server) == ["GET /api/alexa/smart_home"]


def test_an_expired_token_is_not_sent(serve: Serve) -> None:
    """Its end can be read without anybody's key."""
    server = serve(home())
    found = findings(context(server.port, token=jwt({"exp": 1_700_000_000})))
    skipped = links_after("token.expired")
    assert_only(found, "token.expired", "expired", fix="profile", skipped=skipped)
    assert "2023-11-14" in found["token.expired"].saw
    assert len(server.requests) == 1


def test_the_clock_is_the_contexts(serve: Serve) -> None:
    """Another year, another finding."""
    server = serve(home())
    later = context(server.port, now=lambda: 5_000_000_000.0)
    assert findings(later)["token.expired"].causes == ("expired",)


@pytest.mark.parametrize(
    ("behaviour", "cause", "saw"),
    [
        (plain(401, "401: Unauthorized"), "refused", "HTTP 401: 401: Unauthorized"),
        (reply(401, b"<html>"), "blocked", "HTTP 401 from another server"),
        (reply(403, b"", {"Server": "nginx"}), "blocked", "HTTP 403 from nginx"),
    ],
)
def test_a_token_that_is_refused(
    behaviour: Behaviour, cause: str, saw: str, serve: Serve
) -> None:
    """By Home Assistant, or by something in front of it; it is sent once."""
    fix = "Local access only" if cause == "refused" else "POST"
    server = serve(home(discover=behaviour))
    found = findings(context(server.port))
    skipped = links_after("token.accepted")
    assert_only(found, "token.accepted", cause, fix=fix, skipped=skipped)
    assert found["token.accepted"].saw == saw
    assert len(server.requests) == 2


def test_without_alexa_the_token_is_tried_elsewhere(serve: Serve) -> None:
    """So that one run shows both faults, if there are two."""

    def other(exchange: object) -> None:
        target = exchange.request.target  # type: ignore[attr-defined]
        is_api = target == "/api/"
        body = {"message": "API running."} if is_api else {"providers": PROVIDERS}
        reply_json(body)(exchange)  # type: ignore[arg-type]

    server = serve(home(get=plain(404, "404: Not Found"), other=other))
    found = findings(context(server.port))
    assert_only(
        found,
        "ha.smart_home",
        "missing",
        fix="alexa:\n  smart_home:",
        skipped=links_after("token.accepted"),
    )
    assert paths(server)[1:] == ["GET /auth/providers", "GET /api/"]


PROVIDERS = [{"name": "Home Assistant Local", "id": None, "type": "homeassistant"}]


def test_a_stranger_who_says_404_gets_no_token(serve: Serve) -> None:
    """Other programs answer in the same words."""
    server = serve(home(get=plain(404, "404: Not Found")))
    found = findings(context(server.port))
    assert found["token.accepted"].status is Status.SKIPPED
    assert not any("authorization" in one.headers for one in server.requests)


def test_a_token_that_is_kept_in_aws(serve: Serve) -> None:
    """It is fetched only with --aws, and shown nowhere."""
    server = serve(home())
    found = findings(context(server.port, token="ssm:/ha/token"))
    assert "--aws" in found["token.kind"].saw

    class Store:
        def get_parameter(self, **_request: object) -> object:
            return {"Parameter": {"Value": TOKEN}}

    with_aws = context(
        server.port, token="ssm:/ha/token", aws=lambda _service, _region: Store()
    )
    assert findings(with_aws)["token.accepted"].status is Status.OK
    assert Secret(TOKEN) in with_aws.secrets


def test_a_token_in_aws_that_cannot_be_read(serve: Serve) -> None:
    """The rest is looked at, and nothing is sent."""

    class Store:
        def get_parameter(self, **_request: object) -> object:
            raise type("ClientError", (Exception,), {})("no")

    server = serve(home())
    found = findings(context(server.port, token="ssm:/t", aws=lambda *_names: Store()))
    assert found["token.kind"].status is Status.SKIPPED
    assert "it cannot be read: " in found["token.kind"].saw
    assert not any("authorization" in one.headers for one in server.requests)


def test_a_token_in_aws_that_is_broken_is_told_without_its_text(serve: Serve) -> None:
    """A line break came in when it was pasted; it is sent to nobody."""
    broken = f"{TOKEN[:60]}\n{TOKEN[60:]}"

    class Store:
        def get_parameter(self, **_request: object) -> object:
            return {"Parameter": {"Value": broken}}

    server = serve(home())
    found = findings(context(server.port, token="ssm:/t", aws=lambda *_names: Store()))
    assert found["token.kind"].causes == ("not_a_token",)
    assert TOKEN[:20] not in str(found)
    assert not any("authorization" in one.headers for one in server.requests)


def test_a_token_whose_end_cannot_be_read(serve: Serve) -> None:
    """It is not called expired for that, and Home Assistant decides."""
    made = context(serve(home()).port, token=jwt({"exp": "soon"}))
    found = findings(made)["token.expired"]
    assert found.status is Status.SKIPPED
    assert found.saw == "its end cannot be read"


# -- discovery -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "cause", "fix"),
    [
        (listing(), "none", "filter:"),
        (
            listing(*(endpoint(f"Lamp {number}") for number in range(301))),
            "too_many",
            "filter:",
        ),
        (plain(500, "500 Internal Server Error"), "error", "exclude_entities"),
        (
            reply_json(event("ErrorResponse", {"type": "INTERNAL_ERROR"})),
            "error",
            "log",
        ),
        (reply_json({"hello": "world"}), "not_an_answer", "Update"),
        (reply_json([]), "not_an_answer", "Update"),
        (reply(418, b"I'm a teapot"), "not_an_answer", "Update"),
        (raw(b"nonsense\r\n\r\n"), "not_an_answer", "Update"),
    ],
)
def test_no_list_that_alexa_takes(
    behaviour: Behaviour, cause: str, fix: str, serve: Serve
) -> None:
    """Each in its own words; what lists no devices leaves nothing to look at."""
    found = findings(context(serve(home(discover=behaviour)).port))
    assert_only(found, "discovery.count", cause, fix=fix, warned=NUMBERED)
    if cause != "too_many":
        why = {found[f"discovery.{one}"].saw for one in ("endpoints", "names", "use")}
        assert why == {"there is no list of devices"}
    if cause == "too_many":
        assert ids(found, Status.SKIPPED) == set()
        assert "301" in found["discovery.count"].saw


def test_a_discovery_that_takes_too_long(serve: Serve) -> None:
    """Alexa waits 8 s."""
    found = findings(context(serve(home(discover=silence)).port))
    skipped = {"token.accepted"} | LISTED
    assert_only(found, "discovery.count", "timeout", fix="fewer", skipped=skipped)


ABLE = endpoint()["capabilities"]


@pytest.mark.parametrize(
    ("changes", "cause", "fix"),
    [
        ({"endpointId": "light#ä"}, "bad_id", "Rename"),
        ({"endpointId": "x" * 257}, "bad_id", "Rename"),
        ({"friendlyName": ""}, "bad_name", "light.hall:"),
        ({"friendlyName": "la" * 65}, "bad_name", "light.hall:"),
        ({"description": "x" * 129}, "bad_name", "light.hall:"),
        ({"capabilities": []}, "capabilities", "- light.hall"),
        ({"capabilities": ABLE[:1] * 101}, "capabilities", "- light.hall"),
        ({"displayCategories": None}, "category", "display_categories"),
        ({"displayCategories": []}, "category", "display_categories"),
        ({"displayCategories": ["TOASTER"]}, "category", "display_categories"),
        ({"displayCategories": [{}]}, "category", "display_categories"),
    ],
)
def test_a_device_that_alexa_does_not_take(
    changes: dict[str, object], cause: str, fix: str, serve: Serve
) -> None:
    """It is named, and so is its entity."""
    hall = endpoint("Hall lamp", endpointId="light#hall")
    devices = listing(endpoint(), {**hall, **changes})
    found = findings(context(serve(home(discover=devices)).port))
    # What has no capabilities is of no use either.
    warned = USUAL | ({"discovery.use"} if cause == "capabilities" else set())
    link = "discovery.endpoints"
    assert_only(found, link, cause, fix=fix, warned=warned, skipped=set())
    is_warning = cause == "category"
    status = Status.WARNING if is_warning else Status.FAILED
    assert found["discovery.endpoints"].status is status


def test_two_devices_with_one_id(serve: Serve) -> None:
    """Alexa knows them apart by nothing else."""
    devices = listing(endpoint(), endpoint(friendlyName="Other"))
    found = findings(context(serve(home(discover=devices)).port))
    assert_only(found, "discovery.endpoints", "same_id", fix="Rename", skipped=set())


def test_many_faults_are_told_shortly(serve: Serve) -> None:
    """The first five of a kind, and how many more."""
    many = [endpoint(f"Lamp {n}", displayCategories=None) for n in range(40)]
    found = findings(context(serve(home(discover=listing(*many))).port))
    assert "; and 35 more, which" in found["discovery.endpoints"].saw


def test_the_same_name_twice(serve: Serve) -> None:
    """As it is spoken: case and spaces are not heard."""
    devices = listing(
        endpoint("Bed Light"), endpoint("bed  light", endpointId="light#x")
    )
    found = findings(context(serve(home(discover=devices)).port))
    assert_only(
        found, "discovery.duplicate_names", "duplicates", fix="Rename", skipped=set()
    )
    assert "“bed light”" in found["discovery.duplicate_names"].saw


@pytest.mark.parametrize(
    ("name", "cause", "saw"),
    [
        ("Kitchen", "group_word", "“Kitchen”: a room or a group"),
        ("TV 2000", "hard", "“TV 2000”: it has digits"),
    ],
)
def test_a_name_that_means_something_else(
    name: str, cause: str, saw: str, serve: Serve
) -> None:
    """It is a warning, with what to write instead: a mere name fails nothing."""
    found = findings(context(serve(home(discover=listing(endpoint(name)))).port))
    assert_only(found, "discovery.names", cause, fix="        name: ", skipped=set())
    assert found["discovery.names"].status is Status.WARNING
    assert found["discovery.names"].saw == saw


@pytest.mark.parametrize(
    ("changes", "cause", "fix"),
    [
        (
            {"displayCategories": ["CAMERA"], "capabilities": ABLE[:1]},
            "no_stream",
            "https",
        ),
        ({"capabilities": ABLE[:1]}, "nothing", "- light.hall"),
        (
            {"capabilities": [{**ABLE[1], "properties": {"retrievable": False}}]},
            "no_state",
            "need not do anything",
        ),
    ],
)
def test_a_device_of_little_use(
    changes: dict[str, object], cause: str, fix: str, serve: Serve
) -> None:
    """It is a warning, which names the device."""
    devices = listing(
        endpoint(), endpoint("Hall lamp", endpointId="light#hall", **changes)
    )
    found = findings(context(serve(home(discover=devices)).port))
    assert_only(found, "discovery.use", cause, fix=fix, skipped=set())
    assert found["discovery.use"].status is Status.WARNING
    assert found["discovery.use"].saw.startswith("“Hall lamp”: no")


@pytest.mark.parametrize(("size", "cause"), [(5, "large"), (6, "too_large")])
def test_a_list_that_lambda_does_not_pass_on(
    size: int, cause: str, serve: Serve
) -> None:
    """6 MB, and a warning before that."""
    devices = listing(endpoint(cookie={"x": "y" * (size * 1024 * 1024)}))
    found = findings(context(serve(home(discover=devices)).port))
    skipped = set() if cause == "large" else {"discovery.count"} | LISTED
    skipped -= {"discovery.size"}
    assert_only(found, "discovery.size", cause, fix="filter:", skipped=skipped)


# -- directives ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "saw"),
    [
        (
            reply_json(event("ErrorResponse", {"type": "INTERNAL_ERROR"})),
            "INTERNAL_ERROR",
        ),
        (reply_json(event("Response", {})), "a Response"),
        (reply_json({}), "not an event"),
        (plain(500, "500 Internal Server Error"), "HTTP 500"),
        (hang_up, "RemoteDisconnected"),
    ],
)
def test_a_device_that_does_not_report(
    behaviour: Behaviour, saw: str, serve: Serve
) -> None:
    """Listed, but it cannot say how it is; what it did instead is told."""
    found = findings(context(serve(home(report=behaviour)).port))
    link = "directive.report_state"
    assert found[link].saw == f"“light.desk_lamp”: {saw}"
    skipped = {"directive.time"} if behaviour is hang_up else set()
    assert_only(found, link, "failed", fix="light.desk_lamp", skipped=skipped)


@pytest.mark.slow
def test_a_device_that_never_reports(serve: Serve) -> None:
    """Alexa would hang up: it does not count as fine."""
    found = findings(context(serve(home(report=after(9, REPORT))).port))
    assert found["directive.report_state"].causes == ("failed",)
    assert "no answer within 8 s" in found["directive.report_state"].saw
    assert found["directive.time"].status is Status.SKIPPED


def test_a_few_devices_of_different_kinds_are_asked(serve: Serve) -> None:
    """Not all of them, and none that has no state."""
    lamps = [endpoint(f"Lamp {number}") for number in range(9)]
    scene = endpoint(
        "Scene", capabilities=ABLE[:1], displayCategories=["SCENE_TRIGGER"]
    )
    plugs = [endpoint(f"Plug {n}", displayCategories=["SMARTPLUG"]) for n in range(9)]
    server = serve(home(discover=listing(scene, *lamps, *plugs)))
    found = findings(context(server.port))
    assert found["directive.report_state"].status is Status.OK
    asked = [
        one.json["directive"]["endpoint"]["endpointId"] for one in server.requests[2:]
    ]
    assert asked == ["light#lamp_0", "light#plug_0"]


def test_nothing_that_can_be_asked(serve: Serve) -> None:
    """A home of scenes only."""
    scene = endpoint("Scene", capabilities=ABLE[:1])
    found = findings(context(serve(home(discover=listing(scene))).port))
    assert ids(found, Status.FAILED) == set()
    assert ids(found, Status.SKIPPED) == {"directive.report_state", "directive.time"}


def test_a_slow_home(serve: Serve) -> None:
    """A warning at three seconds, with the part that takes longest."""
    found = findings(context(serve(home(report=after(3.1, REPORT))).port))
    assert_only(
        found, "directive.time", "slow", fix="Home Assistant is busy", skipped=set()
    )
    assert "TLS" in found["directive.time"].saw


REPORT = reply_json(event("StateReport", {}))


@pytest.mark.parametrize(
    ("part", "words"),
    [("resolve", "name server"), ("connect", "router"), ("tls", "proxy")],
)
def test_too_slow_for_alexa(part: str, words: str, serve: Serve) -> None:
    """The function gives up after 7 s; which part it was is said."""
    slow = context(serve(home()).port)
    assert slow.evidence is not None
    report = {**slow.evidence.report}
    report[part] = {**report[part], "ms": 7100.0}
    report_only(slow, report)
    assert_only(findings(slow), "directive.time", "too_slow", fix=words, skipped=set())
