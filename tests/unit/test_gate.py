"""The three settings that open a closed home: what is mended, what is a complaint."""

import base64
import json
import os
import ssl
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from ha_bridge.certificates import facts
from ha_bridge.errors import BridgeError, Failure
from ha_bridge.gate import Gate, load_client, parse_client, parse_headers
from ha_bridge.redaction import Secret
from ha_bridge.secrets import SecretReader
from ha_bridge.settings import Settings
from tests.fakes import pem

HOME = "https://home.example.org"
VALUE = "hunter2-and-more"

CA = pem.authority()
CLIENT = pem.issued(CA, "the bridge")
STRANGER = pem.issued(CA, "somebody else")


def read(url: str = HOME, **environ: str) -> Settings:
    return Settings.from_environ({"BASE_URL": url, **environ})


def complaint(url: str = HOME, **environ: str) -> str:
    with pytest.raises(BridgeError) as caught:
        read(url, **environ)
    assert caught.value.failure is Failure.WRONG_SETTING
    return caught.value.message


# -- EXTRA_HEADERS ---------------------------------------------------------------------

HEADERS = {"CF-Access-Client-Id": "ab.access", "CF-Access-Client-Secret": VALUE}


def test_headers_are_read_and_hidden() -> None:
    """As the page of Secrets Manager stores them, too."""
    found = read(EXTRA_HEADERS=f"  {json.dumps(HEADERS)}\n")
    assert parse_headers(found.gate["EXTRA_HEADERS"].reveal()) == HEADERS
    assert VALUE not in repr(found)


WRONG_HEADERS = {
    "no JSON": ("X-Key: hunter2-and-more", "line 1, column 1"),
    "curly quotes": ("{“X-Key”: “hunter2-and-more”}", "column 2"),
    "a list": ('["hunter2-and-more"]', "not a JSON object"),
    "a text": ('"hunter2-and-more"', "not a JSON object"),
    "a number of a thousand digits": ("1" * 9999, "not a JSON object"),
    "nested without end": ("[" * 100_000, "JSON"),
    "a number": ('{"X-Key": 1}', "for X-Key that is no text"),
    "nothing": ('{"X-Key": ""}', "for X-Key that cannot stand"),
    "a line break": ('{"X-Key": "a\\r\\nX-Admin: hunter2-and-more"}', "for X-Key"),
    "a space at an end": ('{"X-Key": "hunter2-and-more "}', "for X-Key"),
    "an umlaut": ('{"X-Key": "hunter2-and-möre"}', "for X-Key"),
    "a colon in the name": ('{"X-Key: hunter2-and-more": "1"}', "after X-Key"),
    "no name": ('{"": "hunter2-and-more"}', "at its first letter"),
    "a line break in the name": ('{"X-Key\\r\\nhunter2-and-more": "1"}', "after X-Key"),
    "twice": ('{"X-Key": "hunter2-and-more", "x-key": "2"}', "twice"),
    "a name in the value": (
        '{"X-Key": "x-key: hunter2-and-more"}',
        "for X-Key that begins with that name",
    ),
    "a reference misspelt": ("SSM:/hunter2-and-more", "write ssm:/name"),
    **{
        f"name and value exchanged: {said}": (text, said)
        for text, said in {
            '{"hunter2ahunter2b": 7}': "like a secret) that is no text",
            '{"0-hunter2": "0-hunter2: x"}': "like a secret) that begins with",
            '{"0-hunter2": " x"}': "like a secret) that cannot stand",
            '{"hunter2x4b/zz==": "X-Key"}': "after … (a name like a secret)",
            '{"0-hunter2": "a", "0-Hunter2": "b"}': "twice: … (a name like a secret)",
            '{"content-hunter2x4b": "X"}': "the header … (a name like a secret)",
        }.items()
    },
    "too many": (json.dumps({f"X-{n}": "hunter2-and-more" for n in range(11)}), "10"),
    "too large": (json.dumps({"X-Key": "hunter2-and-more" * 300}), "4096"),
}


@pytest.mark.parametrize("name", WRONG_HEADERS)
def test_wrong_headers_are_named_and_never_repeated(name: str) -> None:
    """Variable, header and reason; the value may be the secret."""
    text, word = WRONG_HEADERS[name]
    said = complaint(EXTRA_HEADERS=text)
    assert "EXTRA_HEADERS" in said
    assert word in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "HOST",
        "content-length",
        "Content-Type",
        "Transfer-Encoding",
        "Connection",
        "accept-encoding",
        "TE",
        "Expect",
        "Upgrade",
        "Proxy-Authorization",
        "Forwarded",
        "X-Forwarded-For",
        "Cookie",
    ],
)
def test_what_is_not_theirs_to_set_is_refused(name: str) -> None:
    """The header is named, its value is not."""
    said = complaint(EXTRA_HEADERS=json.dumps({name: VALUE}))
    assert f"EXTRA_HEADERS must not have the header {name}" in said
    assert VALUE not in said


def test_headers_do_not_travel_in_clear() -> None:
    """But on this machine, for a test."""
    text = json.dumps(HEADERS)
    assert "in clear" in complaint("http://192.168.1.9:8123", EXTRA_HEADERS=text)
    assert read("http://127.0.0.1:8123", EXTRA_HEADERS=text).gate


# -- CLIENT_CERTIFICATE ----------------------------------------------------------------


def _spoilt(text: str) -> dict[str, str]:
    return {
        "as it is": text,
        "CRLF": text.replace("\n", "\r\n"),
        "spaces for newlines": text.replace("\n", " "),
        "\\n for newlines": text.replace("\n", "\\n"),
        "\\r\\n for newlines": text.replace("\n", "\\r\\n"),
        "\\\\n for newlines": text.replace("\n", "\\\\n"),
        "no newlines at all": text.replace("\n", ""),
        "indented": text.replace("\n", "\n    "),
        "talk between": f"Bag Attributes\n  friendlyName: me\n{text}\nsubject=CN=me",
        "in quotes": f'"{text}"',
        "as base64": base64.b64encode(text.encode()).decode(),
        "as JSON": json.dumps({"pem": text}),
    }


KEY_FIRST = CLIENT.key_pem() + CLIENT.certificate_pem
OLD_KEY = CLIENT.certificate_pem + CLIENT.key_pem(form=PrivateFormat.TraditionalOpenSSL)
CHAIN_FIRST = CA.certificate_pem + CLIENT.pem
OTHER_KIND = pem.of_another_kind()
GOOD = {
    **_spoilt(CLIENT.pem),
    **{f"key first, {name}": text for name, text in _spoilt(KEY_FIRST).items()},
    "a key of old": OLD_KEY,
    "the authority first": CHAIN_FIRST,
    "the authority first, with a key of another kind": (
        OTHER_KIND.certificate_pem + CLIENT.pem
    ),
    "the same key twice": CLIENT.pem + CLIENT.key_pem(),
    "after an invisible mark": f"\ufeff{CLIENT.pem}",
    "JSON of two": json.dumps(
        {"certificate": CLIENT.certificate_pem, "key": CLIENT.key_pem()}
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_client_certificate_is_mended(name: str) -> None:
    """Consoles, shells and JSON lose newlines; nobody should have to know."""
    mended = parse_client(GOOD[name])
    load_client(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), mended)
    assert mended.startswith(CLIENT.certificate_pem)
    assert read(CLIENT_CERTIFICATE=GOOD[name]).gate


@given(st.lists(st.sampled_from([" ", "\n", "\r\n", "\\n", "", "\t", "\\r\\n"])))
@settings(max_examples=50, deadline=None)
def test_any_mixture_of_lost_newlines_is_mended(ends: list[str]) -> None:
    """The same certificate and key come out, whatever the way did to the lines."""
    lines = CLIENT.pem.split("\n")
    ends += ["\n"] * (len(lines) - len(ends))
    text = "".join(map("".join, zip(lines, ends, strict=False)))
    assert parse_client(text) == CLIENT.pem


WRONG_CLIENTS = {
    "PKCS#12": (base64.b64encode(CLIENT.pkcs12()).decode(), "openssl pkcs12"),
    "a sentence": ("my certificate", "-----BEGIN"),
    "a file name": ("/home/me/client.pem", "-----BEGIN"),
    "no key": (CLIENT.certificate_pem, "no key: (umask 077; cat"),
    "no certificate": (CLIENT.key_pem(), "no certificate: (umask 077; cat"),
    "an encrypted key": (
        CLIENT.certificate_pem + CLIENT.key_pem(b"hunter2"),
        "openssl pkey -in",
    ),
    "an encrypted key of old": (
        CLIENT.certificate_pem
        + CLIENT.key_pem(b"hunter2", PrivateFormat.TraditionalOpenSSL),
        "openssl pkey -in",
    ),
    "another's key": (CLIENT.certificate_pem + STRANGER.key_pem(), "not the cert"),
    "a key of another kind": (
        CLIENT.certificate_pem + OTHER_KIND.key_pem(),
        "not the cert",
    ),
    "two keys": (CLIENT.pem + STRANGER.key_pem(), "more than one key"),
    "cut off": (CLIENT.pem.replace("MII", "", 1), "was all of it copied"),
}


@pytest.mark.parametrize("name", WRONG_CLIENTS)
def test_a_wrong_client_certificate_is_a_sentence_with_its_cure(name: str) -> None:
    """OpenSSL says the same of nearly all of them; this does not."""
    text, word = WRONG_CLIENTS[name]
    said = complaint(CLIENT_CERTIFICATE=text)
    assert "CLIENT_CERTIFICATE has" in said
    assert word in said
    assert text not in said


@pytest.mark.parametrize("name", ["CLIENT_CERTIFICATE", "CA_CERTIFICATE"])
@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hunter2-AbCdEf",
        "SSM:/hunter2",
        "secretmanager:hunter2",
        "/home/hunter2/client.pem",
        "~/hunter2.pem",
        "C:\\hunter2.pem",
        "file:///hunter2.pem",
    ],
)
def test_a_place_that_is_not_known_is_told_from_a_broken_text(
    name: str, text: str
) -> None:
    """The two that are known are named; what was typed is not repeated."""
    said = complaint(**{name: text})
    assert f"{name} has a place in it that cannot be read" in said
    assert "ssm:/name, secretsmanager:name-or-arn, or the text" in said
    assert "hunter2" not in said


def test_headers_after_an_invisible_mark_are_read() -> None:
    """As Windows' editors leave it at the beginning."""
    assert dict(parse_headers('\ufeff{"X-Key": "1"}')) == {"X-Key": "1"}


def test_a_key_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With memfd there is none, and without it is gone at once."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    load_client(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), CLIENT.pem)

    def none_here(*_: object) -> int:
        raise OSError("not on this system")

    monkeypatch.setattr(os, "memfd_create", none_here)
    load_client(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), CLIENT.pem)
    assert list(tmp_path.iterdir()) == []


# -- CA_CERTIFICATE --------------------------------------------------------------------


@pytest.mark.parametrize("text", _spoilt(CA.certificate_pem).values())
def test_an_authority_is_mended_too(text: str) -> None:
    """And it is the only one that is trusted."""
    gate = Gate(read(CA_CERTIFICATE=text).gate)
    [trusted] = gate.context(time.monotonic() + 60).get_ca_certs()
    assert trusted["subject"] == ((("commonName", "Our own authority"),),)


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        ({"CA_CERTIFICATE": "/etc/ssl/ca.pem"}, "-----BEGIN"),
        ({"CA_CERTIFICATE": CA.pem}, "private key"),
        ({"CA_CERTIFICATE": CA.certificate_pem[:200]}, "-----BEGIN"),
        (
            {"CA_CERTIFICATE": CA.certificate_pem, "NOT_VERIFY_SSL": "true"},
            "take NOT_VERIFY_SSL away",
        ),
        ({"CA_CERTIFICATE": CA.certificate_pem, "BASE_URL": "http://home"}, "https"),
    ],
)
def test_a_wrong_authority_is_a_complaint(environ: dict[str, str], word: str) -> None:
    """Also one that contradicts another setting."""
    with pytest.raises(BridgeError) as caught:
        read(**{"url": HOME, **environ} if "BASE_URL" not in environ else environ)
    assert "CA_CERTIFICATE" in caught.value.message
    assert word in caught.value.message


def test_strictness_is_relaxed_for_it_and_nothing_else() -> None:
    """Name and time are still checked."""
    given_one = Gate(read(CA_CERTIFICATE=CA.certificate_pem).gate)
    context = given_one.context(time.monotonic() + 60)
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_what_a_certificate_says_is_read() -> None:
    """Subject and end, for the check."""
    told = facts(CLIENT.pem)
    assert told is not None
    assert told.subject == "the bridge"
    assert told.not_after == int(CLIENT.certificate.not_valid_after_utc.timestamp())
    assert facts("-----BEGIN CERTIFICATE-----MIIB-----END CERTIFICATE-----") is None


# -- references ------------------------------------------------------------------------


class Store:
    """AWS's Parameter Store, counting."""

    def __init__(self, **kept: str) -> None:
        self.kept = kept
        self.asked: list[str] = []

    def get_parameter(self, **query: object) -> dict[str, dict[str, str]]:
        name = str(query["Name"]).strip("/")
        self.asked.append(name)
        return {"Parameter": {"Value": self.kept[name]}}


def from_store(store: Store, **environ: str) -> Gate:
    return Gate(read(**environ).gate, SecretReader(lambda _service: store))


def soon() -> float:
    return time.monotonic() + 60


def test_references_are_read_once() -> None:
    """An object of headers stays one, where a token would be unwrapped."""
    store = Store(headers='{"X-Key": "one"}', client=CLIENT.pem)
    gate = from_store(
        store, EXTRA_HEADERS="ssm:/headers", CLIENT_CERTIFICATE="ssm:/client"
    )
    for _ in range(3):
        assert gate.headers(soon()) == {"X-Key": "one"}
        gate.context(soon())
    assert sorted(store.asked) == ["client", "headers"]


def test_a_refused_one_is_read_anew() -> None:
    """A token that was rotated in the Parameter Store works with the next directive."""
    store = Store(headers='{"X-Key": "one"}')
    gate = from_store(store, EXTRA_HEADERS="ssm:/headers")
    assert gate.headers(soon()) == {"X-Key": "one"}
    store.kept["headers"] = '{"X-Key": "two"}'
    gate.forget()
    assert gate.headers(soon()) == {"X-Key": "two"}


@pytest.mark.parametrize(
    ("kept", "failure", "word"),
    [
        ("no JSON: hunter2-and-more", Failure.WRONG_SETTING, "EXTRA_HEADERS is no"),
        ("   ", Failure.SECRET_UNAVAILABLE, "ssm:/headers: it is empty"),
    ],
)
def test_a_fault_in_a_reference_is_told_when_it_is_read(
    kept: str, failure: Failure, word: str
) -> None:
    """And mended there it works, without a new deployment."""
    store = Store(headers=kept)
    gate = from_store(store, EXTRA_HEADERS="ssm:/headers")
    with pytest.raises(BridgeError, match=word) as caught:
        gate.headers(soon())
    assert caught.value.failure is failure
    assert "hunter2" not in caught.value.message
    store.kept["headers"] = '{"X-Key": "mended"}'
    assert gate.headers(soon()) == {"X-Key": "mended"}


def test_a_missing_secret_names_its_variable() -> None:
    """There may be three of them."""
    gate = from_store(Store(), CA_CERTIFICATE="ssm:/gone")
    with pytest.raises(BridgeError, match=r"CA_CERTIFICATE, ssm:/gone: KeyError"):
        gate.context(soon())


# -- being refused ---------------------------------------------------------------------

EXPIRED = pem.issued(CA, "late", not_after=pem.NOW - pem.DAY)


def gate_of(**environ: str) -> Gate:
    gate = Gate({name: Secret(text) for name, text in environ.items()})
    gate.resolve(soon())
    return gate


ACCESS = {"EXTRA_HEADERS": json.dumps(HEADERS)}
HALF = {"EXTRA_HEADERS": '{"CF-Access-Client-Id": "ab.access"}'}
SECRET = {"EXTRA_HEADERS": '{"X-Key": "hunter2-and-more"}'}
CERTIFICATE = {"CLIENT_CERTIFICATE": CLIENT.pem}

REFUSALS: dict[str, tuple[dict[str, str], Failure, str, str]] = {
    "Access, token wrong": (ACCESS, Failure.ACCESS, "HTTP 403", "Service Auth"),
    "Access, half a token": (HALF, Failure.ACCESS, "HTTP 403", "no CF-Access-Client-S"),
    "Access, another header": (SECRET, Failure.ACCESS, "", "no CF-Access-Client-Id"),
    "Access, a certificate": (
        CERTIFICATE,
        Failure.ACCESS,
        "HTTP 302",
        "EXTRA_HEADERS is missing",
    ),
    "a certificate is wanted": (
        SECRET,
        Failure.CLIENT_CERTIFICATE,
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "CLIENT_CERTIFICATE is missing",
    ),
    "another authority": (
        CERTIFICATE,
        Failure.CLIENT_CERTIFICATE,
        "TLSV1_ALERT_UNKNOWN_CA",
        "another authority",
    ),
    "expired": (
        {"CLIENT_CERTIFICATE": EXPIRED.pem},
        Failure.CLIENT_CERTIFICATE,
        "HTTP 400",
        f"expired on {(pem.NOW - pem.DAY):%Y-%m-%d}",
    ),
    "a rule": (SECRET, Failure.FIREWALL, "HTTP 403", "EXTRA_HEADERS is not what"),
    "a rule about certificates": (
        CERTIFICATE,
        Failure.FIREWALL,
        "HTTP 403",
        "CLIENT_CERTIFICATE is refused",
    ),
    "a login page": (SECRET, Failure.PORTAL, "HTTP 302", "EXTRA_HEADERS is not what"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_says_which_setting_and_why(name: str) -> None:
    """Missing, mistyped, expired or not allowed, as far as it can be known."""
    environ, failure, detail, word = REFUSALS[name]
    told = gate_of(**environ).judge(BridgeError(failure, detail, status=403))
    assert told.failure is Failure.NOT_ADMITTED
    assert told.failure.error_type == "BRIDGE_UNREACHABLE"
    assert word in told.message
    assert "hunter2" not in told.message
    assert told.status == 403


@pytest.mark.parametrize(
    ("environ", "failure"),
    [
        (SECRET, Failure.TIMED_OUT),
        (SECRET, Failure.REFUSED_TOKEN),
        (SECRET, Failure.GATEWAY),
        ({"CA_CERTIFICATE": CA.certificate_pem}, Failure.ACCESS),
    ],
)
def test_what_is_no_refusal_stays_what_it_is(
    environ: dict[str, str], failure: Failure
) -> None:
    """These settings explain only what they could have changed."""
    error = BridgeError(failure, "HTTP 403")
    assert gate_of(**environ).judge(error) is error


def test_an_unknown_authority_points_at_the_setting() -> None:
    """It replaces the public ones, which surprises."""
    gate = gate_of(CA_CERTIFICATE=CA.certificate_pem)
    told = gate.judge(BridgeError(Failure.UNTRUSTED_CERTIFICATE, "unable to get"))
    assert told.failure is Failure.UNTRUSTED_CERTIFICATE
    assert "CA_CERTIFICATE" in told.message


@pytest.mark.parametrize("secret", ["4f1c9a2b77d04f1c9a2b77d0", "0-hunter2-and-more"])
def test_a_name_that_is_like_a_secret_is_hidden_too(secret: str) -> None:
    """Somebody has exchanged name and value."""
    gate = gate_of(EXTRA_HEADERS=json.dumps({secret: "X-Key", "X-Plain": VALUE}))
    told = json.dumps(gate.describe(soon()))
    assert "X-Plain" in told
    assert secret not in told + gate.hide(f"got {secret}")


@pytest.mark.parametrize(
    "name", ["CF-Access-Client-Id", "X-2FA-Token", "X_API_KEY", "X-B3"]
)
def test_usual_names_are_told(name: str) -> None:
    """Digits and all."""
    gate = gate_of(EXTRA_HEADERS=json.dumps({name: VALUE}))
    assert gate.describe(soon())["headers"] == [name]


def test_what_a_gate_repeats_is_hidden() -> None:
    """Some pages and headers show what they were sent."""
    told = gate_of(**SECRET).judge(
        BridgeError(Failure.GATEWAY, "HTTP 502 by 'hunter2-and-more'")
    )
    assert "hunter2" not in told.message
    assert told.failure is Failure.GATEWAY


def test_what_is_told_of_the_settings_has_no_values() -> None:
    """Names of headers, a subject, a date."""
    gate = gate_of(**ACCESS, **CERTIFICATE, CA_CERTIFICATE=CA.certificate_pem)
    told = json.dumps(gate.describe(soon()))
    assert "CF-Access-Client-Secret" in told
    assert "the bridge" in told
    for secret in (VALUE, "BEGIN", *CLIENT.pem.split("\n")[1:3]):
        assert secret not in told
