"""What never stands in a log."""

import ast
import gzip
import re
import tracemalloc
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from ha_bridge.echoes import without
from ha_bridge.redaction import (
    REDACTED,
    Redacted,
    Secret,
    redacted,
    secrets_of,
)
from tests.directives import SECRETS, event
from tests.hostile import SECRETS as TEXTS
from tests.hostile import WRITTEN, assert_hidden


def test_every_secret_of_every_directive_is_redacted() -> None:
    """Token, grant code and correlation token, at any depth."""
    for name in ("turn_on", "discovery", "accept_grant"):
        message = event(name)
        shown = repr(redacted([message, {"again": message}]))
        assert not [secret for secret in SECRETS if secret in shown]
        assert message["directive"]["header"]["name"] in shown


def test_a_camera_address_is_a_secret() -> None:
    """Home Assistant puts a token into its query."""
    stream = {"uri": "https://x?token=hunter2", "protocol": "HLS"}
    answer = {"cameraStreams": [stream], "imageUri": "https://x?token=hunter2"}
    assert "hunter2" not in repr(redacted(answer))


#: What a camera and an Echo tell each other: how to reach and to trust one another.
SDP = "v=0\r\na=ice-ufrag:Yx7q\r\na=ice-pwd:hunter2\r\nc=IN IP4 192.168.1.17\r\n"


@pytest.mark.parametrize("key", ["offer", "answer"])
def test_a_session_with_a_camera_is_a_secret(key: str) -> None:
    """Password, fingerprint and addresses of the home; also where it is repeated."""
    message = {
        "payload": {"sessionId": "s", key: {"format": "SDP", "value": SDP}},
        "said": [f"cannot read {SDP}"],
    }
    shown = str(Redacted(message))
    assert "hunter2" not in shown
    assert "192.168.1.17" not in shown
    assert "sessionId" in shown


def test_the_original_is_left_alone() -> None:
    """It still has to be sent."""
    message = event("turn_on")
    redacted(message)
    assert message == event("turn_on")


def test_keys_are_recognised_in_any_case() -> None:
    """HTTP's Authorization and OAuth's access_token too."""
    message = {"Authorization": "x", "ACCESS_TOKEN": "x", "clientSecret": "x", "a": "b"}
    assert redacted(message) == {
        "Authorization": REDACTED,
        "ACCESS_TOKEN": REDACTED,
        "clientSecret": REDACTED,
        "a": "b",
    }


SECRET_KEYS = """
access_token accessToken authorization client_secret clientSecret code correlationToken
cookie imageUri password refresh_token refreshToken token uri userId
"""


@pytest.mark.parametrize("key", SECRET_KEYS.split())
def test_each_of_these_keys_is_secret(key: str) -> None:
    """Each of them alone, wherever it stands."""
    assert "hunter2" not in repr(redacted({"a": [{key: "hunter2"}]}))


def test_a_secret_shows_itself_only_when_asked() -> None:
    """Not in repr, str or a formatted text."""
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret!r} {secret} {[secret]}"
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2")
    assert secret != "hunter2"


def test_a_secret_that_a_server_repeats_is_hidden() -> None:
    """Whole, cut, or in the letters of a host; from the message or beside it."""
    secrets = secrets_of({"token": "Secret-Bearer-Token-7f3a"}, Secret("Lent-Token-91"))
    for said in (
        "by 'Secret-Bearer-Token-7f3a'",
        "to https://secret-bearer-token-7f3a.x",
        "by 'Secret-Bearer-To'",
        "by 'Lent-Token-91'",
    ):
        shown = without(said, secrets)
        assert REDACTED in shown
        assert "earer" not in shown
        assert "91" not in shown
    assert without("HTTP 500 by 'nginx'", secrets) == "HTTP 500 by 'nginx'"


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("secret", TEXTS)
def test_a_secret_is_hidden_however_it_is_repeated(secret: str, how: str) -> None:
    """In a text, in an object, under any key; a server may do as it likes."""
    written = WRITTEN[how](secret)
    said = f"No {written} here"
    beside = {"scope": {"token": secret}}
    for message in (said, {"a": [said], written: 1}):
        for shown in (
            str(Redacted(message, beside=beside)),
            str(Redacted(message, secrets=[Secret(secret)])),
            without(said, secrets_of(beside)),
        ):
            assert_hidden(secret, written, shown)
    assert "here" in str(Redacted(said, beside=beside))


#: How a secret may be packed more than once, or written in numbers or apart.
PACKED: dict[str, Callable[[bytes], str]] = {
    "hexadecimal of base64": lambda data: b64encode(data).hex(),
    "base64 of hexadecimal": lambda data: b64encode(data.hex().encode()).decode(),
    "hexadecimal twice": lambda data: data.hex().encode().hex(),
    "base64 behind a word": lambda data: (
        "token_" + b64encode(data.hex().encode()).decode()
    ),
    "base64 behind three letters": lambda data: (
        "Abc" + b64encode(data.hex().encode()).decode()
    ),
    "hexadecimal twice, behind a digit": lambda data: "7" + data.hex().encode().hex(),
    "three times": lambda data: b64encode(data.hex().encode()).hex(),
    "code points": lambda data: " ".join(f"U+{one:04X}" for one in data),
    "octal digits": lambda data: "".join(f"\\{one:o}" for one in data),
    "UTF-16 in base64": lambda data: b64encode(utf_16(data)).decode(),
    "UTF-16 in hexadecimal": lambda data: utf_16(data).hex(),
    "gzip in base64": lambda data: b64encode(gzip.compress(data)).decode(),
    "a list of numbers": lambda data: str([*data]),
    "an array of a program": lambda data: ", ".join(f"0x{one:02x}" for one in data),
    "bytes apart": lambda data: f"k={data.hex(' ')}",
    "letters apart": lambda data: " ".join(data.decode()),
}


def utf_16(data: bytes) -> bytes:
    return data.decode().encode("utf-16-le")


@pytest.mark.parametrize("how", PACKED)
@pytest.mark.parametrize(
    "secret", ["1234", "hunter2", "Passw0rd-x9", "7c1e5a9b3d0f" * 4]
)
def test_a_secret_is_hidden_however_it_is_packed(secret: str, how: str) -> None:
    """Long or short, one way within the other; what stands around it stays."""
    written = PACKED[how](secret.encode())
    shown = without(f"No {written} here", [secret])
    assert written[2:14] not in shown
    assert shown.startswith("No ")
    assert shown.endswith(" here")
    assert without("No authorization/sent_12-3.4", [secret]) == (
        "No authorization/sent_12-3.4"
    )


@pytest.mark.parametrize(
    ("secret", "written"),
    [
        ("it's-me", "it&apos;s-me"),  # XML
        ("k\xe4se12", "k&auml;se12"),  # PHP
        ('a"b<c>1', "a&#34;b&lt;c&gt;1"),  # Go: by number and by name
        ("R&D-4", "R&amp;amp;D-4"),
        ("a\u2242\u0338b1", "a&nesim;b1"),  # a name of two letters
        ("p\xe4\U0001f600rd", "p\\xE4\\U0001F600rd"),  # Python, YAML
        ("it's1", "it''s1"),  # YAML, SQL
        ("coco123", "cococo123"),  # its beginning, and again
        ("bbabaabaabaaaababbbbabb", "bbabaabaabaaaababbbbabbabaabaabaaaa"),
    ],
)
def test_a_secret_is_hidden_as_others_write_it(secret: str, written: str) -> None:
    """By names of letters, doubled, or behind a part of itself."""
    shown = without(f"No {written} here", [secret])
    assert re.fullmatch("No (co)?<redacted>(abaabaabaaaa|) here", shown)
    assert without("R&D; &nosuch; x", [secret]) == "R&D; &nosuch; x"


@pytest.mark.parametrize("letters", range(8, 12))
def test_the_beginning_of_a_secret_is_hidden_where_a_text_was_cut(letters: int) -> None:
    """It has fewer letters than are looked for elsewhere."""
    secret = "7c1e5a9b3d0f4826b7a1e93c"
    for written in (secret[:letters], secret.encode().hex()[: 2 * letters]):
        assert without(f"by {written}", [secret]) == f"by {REDACTED}"
        assert without(f"'{written}…'", [secret]) == f"'{REDACTED}…'"
    packed = b64encode(secret[:letters].encode().hex().encode()).decode()
    assert packed[:9] not in without(f"by '{packed}…' to_nobody_at_all", [secret])
    assert secret[:letters] in without(f"{secret[:letters]} by", [secret])


def test_what_is_cut_off_takes_no_secret_apart() -> None:
    """Half of one would be found by nobody."""
    token = "".join(f"{number:05}" for number in range(200))
    for length in range(249_000, 250_100, 100):
        shown = str(Redacted("x " * (length // 2) + token, secrets=[Secret(token)]))
        assert token[:12] not in shown


def test_a_long_text_is_looked_through_like_a_short_one() -> None:
    """Who sends much beside a secret hides it no better."""
    token = "Secret-Bearer-Token-7f3a"
    for between in ".", ", ", "\u200b":
        said = f"{between.join(token)} {'x' * 30_000}"
        assert "7" not in without(said, [token])


def test_a_letter_that_becomes_two_moves_nothing() -> None:
    """In small letters it is one and a dot, and places would be others."""
    assert without("\u0130\u0130 tok-1234-x", ["TOK-1234-X"]) == (
        f"\u0130\u0130 {REDACTED}"
    )


def test_it_takes_little_time() -> None:
    """Letters that are again and again those of a secret too: no product of both."""
    token = "ab" * 100 + "c"
    shown = without("ab" * 100_000, [token])
    assert shown == REDACTED
    for piece in (token[:5], token[:11]):
        without(f"{piece}-" * 20_000, [token])


def test_many_parts_of_a_secret_take_little_memory() -> None:
    """Half a million of them fit into a text that Lambda passes on."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiI1ZjM4ZmQ3YiJ9.Q9c3Vx8zP1rT6yW2bN"
    parts = (token[n : n + 12] + "." for n in range(0, len(token) - 12, 6))
    said = "".join(parts) * 900  # not so small that it is unpacked too
    tracemalloc.start()
    shown = without(said, [token])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert token[6:18] not in shown
    assert peak < 18 * len(said)


def test_gzip_is_unpacked_with_care() -> None:
    """Broken, it is a word as any other; of a large one only the beginning is read."""
    secret = "7c1e5a9b3d0f4826b7a1e93c"
    bomb = b64encode(gzip.compress(bytes(30_000_000))).decode()
    broken = b64encode(gzip.compress(secret.encode())[:10] + b"\xff" * 9).decode()
    tracemalloc.start()
    for word in (bomb, broken):
        assert without(f"No {word} here", [secret]) == f"No {word} here"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_a_message_without_bounds_is_not_shown_whole() -> None:
    """Deep, long, or full of secrets: it costs neither the answer nor the log."""
    deep: object = "x"
    for _ in range(900):
        deep = [deep]
    assert "too deeply" in str(redacted(deep))
    assert "too deeply" in str(Redacted(deep))
    assert len(str(Redacted({"x": "y" * 1_000_000}))) < 300_000
    many = [{"token": f"secret-{number}"} for number in range(10_000)]
    assert "secret-" not in str(Redacted(many))


#: Fields in which a secret may be, as text.
TELLING = frozenset(
    {"arguments", "body", "code", "environ", "headers", "keys", "learnt"}
) | {"log", "parameters", "properties", "variables"}

ROOT = Path(__file__).parents[2]


def test_no_repr_of_a_class_with_fields_tells_a_secret() -> None:
    """A traceback or a failed assertion shows it; what is a Secret hides itself."""
    classes = [
        node
        for room in ("ha_bridge", "ha_bridge_ops")
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ClassDef)
        and "__repr__" not in [getattr(one, "name", "") for one in node.body]
    ]
    fields = [
        (one.name, field)
        for one in classes
        for field in one.body
        if isinstance(field, ast.AnnAssign) and ast.unparse(field.target) in TELLING
    ]
    assert len(fields) > 9
    assert not [
        (name, ast.unparse(field))
        for name, field in fields
        if "repr=False" not in ast.unparse(field)
        and "Secret" not in ast.unparse(field.annotation)
    ]


def test_a_token_beside_a_message_is_not_in_it() -> None:
    """The one of LONG_LIVED_ACCESS_TOKEN stands in no event."""
    assert "lent-token" not in str(
        Redacted("it is lent-token", secrets=[Secret("lent-token")])
    )


def test_what_stands_beside_is_hidden_where_it_is_repeated() -> None:
    """An answer may hold the token of the directive that it answers."""
    asked = event("turn_on")
    token = asked["directive"]["endpoint"]["scope"]["token"]
    shown = str(Redacted({"said": f"no user has {token}"}, beside=asked))
    assert token not in shown
    assert "no user has" in shown
