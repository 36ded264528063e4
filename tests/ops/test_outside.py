"""What comes from outside: shown as text, whatever it is."""

import io
import json
import logging
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.table import Table
from rich.text import Text

from ha_bridge.redaction import Secret
from ha_bridge_ops import grammar
from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.outside import (
    LIMIT,
    code_span,
    fenced,
    hidden_in,
    known,
    one_of,
    quoted,
    to_json,
    visible,
    without,
)
from ha_bridge_ops.strangers import for_strangers
from ha_bridge_ops.terminal import (
    Console,
    LogFormatter,
    answer_to,
    decision_on,
    echo,
)
from tests.hostile import SECRETS, TEXTS, WRITTEN, assert_harmless, assert_hidden

ANY_TEXT = st.text() | st.text(st.characters())


@given(ANY_TEXT)
def test_all_of_it_can_be_seen(text: str) -> None:
    """In one line, and no longer than it may be."""
    for shown in (visible(text), quoted(text), known(text)):
        assert shown.isprintable()
        assert len(shown) <= LIMIT
    assert quoted(text).count("”") == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Küche", "Küche"),
        ("a\tb\nc", "a␉b␊c"),
        ("\x1b[2J\x7f", "␛[2J␡"),
        ("\x9b31m", "\ufffd31m"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("a\u2028b", "a\ufffdb"),
        ("\ud800", "\ufffd"),
        ("a\xa0b", "a b"),
        ("a\u3164\u034fb\U000e0100", "a\ufffd\ufffdb\ufffd"),
        ("e" + "\u0301" * 9, "e" + "\u0301" * 4 + "\ufffd" * 5),
        ("\u0301e \ufe0f", "\ufffde \ufffd"),
        ("x" * 301, "x" * 299 + "…"),
    ],
)
def test_what_cannot_be_seen_gets_a_sign(text: str, shown: str) -> None:
    """Letters of any language stay."""
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "مصباح غرفة النوم",
        "מנורת שָׁלוֹם",
        "शयनकक्ष की बत्ती",
        "ไฟห้องน้ำ",
        "Đèn phòng ngủ",
        "Cafe\u0301",
        "居間の照明 パ\u309a",
        "☀\ufe0f 1\ufe0f⃣ ❤\ufe0f",
    ],
)
def test_letters_of_any_language_stay(text: str) -> None:
    """With their marks, and the look of a picture."""
    assert visible(text) == text
    assert to_json(text) == f'"{text}"'


def printed(show: Callable[[Console], None]) -> str:
    """Return what a terminal would get."""
    file = io.StringIO()
    show(Console(file=file, force_terminal=True, width=200))
    return file.getvalue()


@pytest.mark.parametrize("text", TEXTS)
def test_no_way_to_a_terminal_is_open(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A str, a Text with a style, a cell, a rule, a spinner, an error, a question."""
    table = Table("head")
    table.add_row(text)
    link = Text(text, style="link https://evil.example")
    for one in (text, link, table):
        assert_harmless(printed(lambda console, one=one: console.print(one)))  # type: ignore[misc]
    assert_harmless(printed(lambda console: console.rule(text)))
    with Console(file=io.StringIO(), force_terminal=True).status(text) as status:
        assert status.status == Text(text)
    echo(text)
    CommandError(text).show()
    monkeypatch.setattr("sys.stdin", io.StringIO("y\nx\n"))
    assert decision_on(text)
    assert answer_to(text) == "x"
    for stream in capsys.readouterr():
        assert_harmless(stream)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "%s", (text,), None)
    assert_harmless(LogFormatter().format(record))
    assert LogFormatter(hide=lambda _text: "hidden").format(record) == "hidden"


@given(st.recursive(ANY_TEXT | st.floats(allow_nan=False), st.lists))
def test_json_says_what_it_said(value: object) -> None:
    """And every character of it can be seen."""
    text = to_json(value)
    assert json.loads(text) == value
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "text",
    [
        *TEXTS,
        "a` ![x](https://evil.example/p.png) `b",
        "`",
        "``x`",
        "a|b",
        " ",
        "```\n</code>",
    ],
)
def test_markdown_shows_it_as_code(text: str) -> None:
    """As GitHub and Discourse render: no link, no image, no HTML, and no other cell."""
    renderer = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(
        "table"
    )
    page = f"| a |\n|---|\n| {code_span(text)} |"
    block = "\n".join(fenced(text))
    assert_harmless(block)
    for source in (page, block):
        kinds = {
            child.type
            for token in renderer.parse(source)
            for child in (token, *(token.children or ()))
        }
        assert not kinds & {"image", "link_open", "html_inline", "html_block"}, source
        assert "code_inline" in kinds or "fence" in kinds or not visible(text).strip()


# -- secrets ---------------------------------------------------------------------------


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("password", SECRETS)
def test_a_secret_is_hidden_however_it_is_written(password: str, how: str) -> None:
    """Of any length; short ones where they are words."""
    written = WRITTEN[how](password)
    for text in (f"You typed {written} here", json.dumps(f"You typed {written} here")):
        shown = without([Secret(password)], text)
        assert_hidden(password, written, shown)
        assert "here" in shown


def test_a_part_of_a_long_secret_is_hidden() -> None:
    """A server may have cut it."""
    token = f"eyJ{'k9Zq' * 40}"
    assert token[20:60] not in without([Secret(token)], f"token {token[20:60]}…")
    assert without([Secret(token)], "nothing of it") == "nothing of it"


def test_texts_are_looked_through_at_once() -> None:
    """Whatever stands in them, or in two of them: one by one takes a minute."""
    secret = "correct horse battery"
    looked: list[str] = []

    def hide(text: str) -> str:
        looked.append(text)
        return without([Secret(secret)], text)

    texts = ["\n\0\n", '"', '""', "correct horse", " battery", f"a {secret} b"]
    assert hidden_in({"b": texts, secret: 1}, hide) == {
        "b": [*texts[:3], "<redacted>", " battery", "a <redacted> b"],
        "<redacted>": 1,
    }
    assert len(looked) == 1


def test_no_secret_is_none() -> None:
    """An empty one stands in every text."""
    assert without([Secret(""), Secret(" ")], "a b") == "a b"


# -- for a forum -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("2a02:810d:1234::77: Network is unreachable", "2a02"),
        ("from 2a02:810d:1234:0:0:0:0:77, refused", "810d"),
        ("[2a02:810d::77]:443", "810d"),
        ("::ffff:93.184.216.34 is reached", "93.184"),
        ("203.0.113.9 and 93.184.216.34", "93.184"),
        ("host 93-184-216-34.dyn.example.net", "93-184"),
        ("it is for smith.duckdns.org", "smith"),
        ("HTTP 200 “smith-family: log in”", "smith"),
        ("owner@smith.example", "smith"),
        ("arn:aws:sts::123456789012:assumed-role/x/smith", "smith"),
        ("function in 123456789012", "123456789012"),
        ("function in 1234-5678-9012", "5678"),
        ("smith.example:8123 refused", "smith"),
        ("at https://smith.example/", "smith"),
        ("at https://home.example.org/smith-family", "smith"),
        ("https://anna:smith@home.example.org/", "smith"),
        ("http://smith-nas:8123", "smith"),
        ("http://3405803785/", "3405803785"),
        ("дом.рф refused", "дом"),
        ("smith.py and smith.md", "smith"),
        ("smith.cloudflareaccess.com", "smith"),
        ("smith.example.org", "smith"),
        ("*.smith.example.", "smith"),
        ("anna@smith refused", "smith"),
        ("  light.smith_bedroom:", "smith"),
        ("scene.007", "007"),
        ("/aws/lambda/smith-home", "smith"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:smith", "smith"),
        ("ssm:/smith/token: ParameterNotFound", "smith"),
        ("check --function smith-home --region eu-west-1", "smith"),
        ("aws lambda x --qualifier smith --statement-id y", "smith"),
        ("aws lambda x --statement-id smith", "smith"),
        ("aws lambda x --profile smith", "smith"),
        ("no file /home/smith/.env", "smith"),
        ("no file C:\\Users\\smith\\.env", "smith"),
        ("aa:bb:cc:dd:ee:ff", "bb:cc"),
        ("AA-BB-CC-DD-EE-FF", "BB-CC"),
        ("ip-93-184-216-34 refused", "93-184"),
        ("x93.184.216.34", "93.184"),
        ("093.184.216.34", "93.184"),
        ("34.216.184.93.in-addr.arpa", "216.184"),
        ("2002:5db8:d822::1", "5db8"),
        ("2001:0:5db8:d822::", "5db8"),
        ("fe80::5efe:93.184.216.34%smith", "93.184"),
        ("fe80::211:22ff:fe33:4455%eth0", "22ff"),
        ("address:2a02:810d:0:0:0:0:0:77:443", "810d"),
        ("“52.5200, 13.4050”", "52"),
        ("“+49 170 1234567”", "170"),
        ("“93 184 216 34”", "93"),
        ("“Home 93.184.216.34”", "93"),
        ("“nginx/93.184.216.34”", "93"),
        ("“\uff19\uff13.184.216.34”", "184"),
    ],
)
def test_strangers_are_not_told_where_it_is(text: str, gone: str) -> None:
    """Nor whose it is."""
    assert gone not in for_strangers(text)


@pytest.mark.parametrize(
    "part", ["a", "-", "a-", "a.", "1.", "1-", "@", "\\\\", "%", ":"]
)
def test_long_texts_are_read_once(part: str) -> None:
    """What is longer than anybody writes is no work of hours."""
    assert for_strangers(part * 20_000)


@pytest.mark.parametrize(
    "text",
    [
        "HTTP 403 from nginx/1.18.0 “403 Forbidden”",
        "192.168.1.4 is private",
        "TLS 31, the first byte 204",
        "issued by “Let's Encrypt”",
        "nslookup home.example.org 1.1.1.1",
        "skill amzn1.ask.skill.… may",
        "put it into configuration.yaml",
        "HTTP 521 from cloudflare “error code: 521”",
        "it is at https://home.example.org:8123/auth/token",
        "python3.13, supported until 2029-06-30",
        "it ended 2026-11-26 10:22 UTC",
    ],
)
def test_strangers_see_what_helps_them(text: str) -> None:
    """What everybody's server says is nobody's own."""
    assert for_strangers(text) == text


# -- what is pasted --------------------------------------------------------------------

GRAMMARS = (
    grammar.aws_region,
    grammar.base_url,
    grammar.entity_id,
    grammar.function_name,
    grammar.host,
    grammar.log_group,
    grammar.skill_id,
    grammar.statement_id,
)


@pytest.mark.parametrize("read", GRAMMARS)
@pytest.mark.parametrize("text", TEXTS)
def test_what_is_written_anew_is_a_word(
    read: Callable[[str], str | None], text: str
) -> None:
    """Nothing hostile is of any grammar, alone or around what is good."""
    for good in ("", "light.hall", "https://home.example.org", "ha-bridge"):
        for given_text in (text + good, good + text, good + text + good):
            written = read(given_text)
            if written is not None:
                assert re.fullmatch(r"(?!-)[A-Za-z0-9_/.:~\[\]@$#-]+", written)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("https://home.example.org/api/", "https://home.example.org"),
        ("https://[2001:db8::1]:8123", "https://[2001:db8::1]:8123"),
        ("https://höhle.example", "https://xn--hhle-5qa.example"),
        ("https://h;id", None),
        ("https://$(id)", None),
        ("https://h`x`", None),
        ("https://u:p@h", None),
        ('https://h"x', None),
        ("https://h/a b", None),
        ("-https://h", None),
        # cmd would put a variable's value there.
        ("https://h/%LONG_LIVED_ACCESS_TOKEN%", None),
        ("https://h/%20x%20", None),
    ],
)
def test_an_address_is_written_anew(text: str, written: str | None) -> None:
    """As BASE_URL has it, or not at all."""
    assert grammar.base_url(text) == written


def test_a_word_of_a_kind() -> None:
    """Any other is quoted."""
    assert one_of("NO_SUCH_ENDPOINT", grammar.ERROR_TYPE) == "NO_SUCH_ENDPOINT"
    assert one_of("x”\x1b", grammar.ERROR_TYPE) == '“x"␛”'
    assert one_of(["A"], grammar.ERROR_TYPE) == "“['A']”"
