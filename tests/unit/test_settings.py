"""The environment: what is forgiven, and what is a clear complaint."""

import pytest

from ha_bridge.errors import BridgeError, Failure
from ha_bridge.redaction import Secret
from ha_bridge.settings import Settings

HOME = "https://home.example.org"


def settings(**environ: str) -> Settings:
    return Settings.from_environ({"BASE_URL": HOME, **environ})


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (HOME, HOME),
        (f"{HOME}/", HOME),
        (f"  {HOME}// \n", HOME),
        (f"{HOME}/api", HOME),
        (f"{HOME}/api/", HOME),
        (f"{HOME}:443", HOME),
        (f"{HOME}:8123/", f"{HOME}:8123"),
        (f"{HOME}/ha/", f"{HOME}/ha"),
        (f"{HOME}/ha/api/", f"{HOME}/ha"),
        (f"{HOME}/my-api", f"{HOME}/my-api"),
        ("HTTPS://Home.Example.Org", HOME),
        ("http://192.168.1.9:8123", "http://192.168.1.9:8123"),
        ("https://[2001:db8::1]:8123", "https://[2001:db8::1]:8123"),
        ("https://häuschen.example", "https://xn--huschen-5wa.example"),
        (f"{HOME}/höhle", f"{HOME}/h%C3%B6hle"),
    ],
)
def test_base_url_is_forgiving(text: str, address: str) -> None:
    """Spaces, trailing slashes and /api are what people copy."""
    assert str(settings(BASE_URL=text).address) == address


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "not set"),
        ("   ", "not set"),
        ("home.example.org", "https://"),
        ("ftp://home.example.org", "https://"),
        ("//home.example.org", "https://"),
        ("https://", "host name"),
        ("https://:443", "host name"),
        ("https://home.example.org:99999", "valid URL"),
        ("https://home.example.org:x", "valid URL"),
        ("https://home.example.org:0", "port 0"),
        ("https://[::1", "valid URL"),
        ("https://ä..b", "valid URL"),
        ("https://user:hunter2@home.example.org", "user name or password"),
        ("https://home.example.org?token=hunter2", "without ? or #"),
        ("https://home.example.org/#hunter2", "without ? or #"),
        ("https://home.example.org?", "without ? or #"),
        ("https://home. example.org", "invisible"),
        ("https://home.example.org/\x00", "invisible"),
    ],
)
def test_a_wrong_base_url_is_named_and_not_repeated(text: str, word: str) -> None:
    """The complaint names variable and reason; a password in the URL stays unsaid."""
    with pytest.raises(BridgeError) as caught:
        settings(BASE_URL=text)
    assert caught.value.failure is Failure.WRONG_SETTING
    assert "BASE_URL" in caught.value.message
    assert word in caught.value.message
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "xn"),
    [
        ("https://stra\u00dfe.example", "xn--strae-oqa.example"),
        ("https://fa\u00df.de", "xn--fa-hia.de"),
        ("https://\u03b2\u03cc\u03bb\u03bf\u03c2.example", "xn--nxasmm1c.example"),
        ("https://a\u200db.example", "xn--ab-m1t.example"),
        ("https://a\u200cb.example", "xn--ab-j1t.example"),
    ],
    ids=["strasse", "fass", "final sigma", "joiner", "non-joiner"],
)
def test_a_name_never_becomes_that_of_another_domain(text: str, xn: str) -> None:
    """Old and new rules for such names differ: the token would go to a stranger."""
    try:
        host, refusal = settings(BASE_URL=text).address.host, ""
    except BridgeError as error:
        host, refusal = "", error.message
    # It is understood as browsers do, or not at all.
    assert host == xn or "BASE_URL" in refusal


def test_a_usual_international_name_is_understood() -> None:
    """As every browser writes it, or it is asked for in that form."""
    for text in ("https://xn--bcher-kva.example", "https://xn--strae-oqa.example"):
        assert settings(BASE_URL=text).address.host == text.removeprefix("https://")


@pytest.mark.parametrize("url", [HOME, "https://straight.example"])
def test_a_trailing_dot_is_forgiven(url: str) -> None:
    """It resolves as well, but no certificate has it."""
    assert settings(BASE_URL=f"{url}.").address.host == url.removeprefix("https://")


def test_missing_base_url_is_a_complaint() -> None:
    """The one required variable."""
    with pytest.raises(BridgeError, match="BASE_URL is not set"):
        Settings.from_environ({})


@pytest.mark.parametrize("text", ["true", "True", "TRUE", "1", "yes", "on", " on "])
def test_yes_in_any_spelling(text: str) -> None:
    """A switch that says yes."""
    assert settings(NOT_VERIFY_SSL=text).verify_tls is False
    assert settings(DEBUG=text).debug is True


@pytest.mark.parametrize("text", ["", " ", "false", "False", "0", "no", "off", "OFF"])
def test_no_in_any_spelling_means_no(text: str) -> None:
    """NOT_VERIFY_SSL=False must not switch verification off."""
    assert settings(NOT_VERIFY_SSL=text).verify_tls is True
    assert settings(DEBUG=text).debug is False


@pytest.mark.parametrize("text", ["maybe", "2", "ture", "y e s"])
def test_anything_else_is_a_complaint(text: str) -> None:
    """A typing error neither switches verification off nor goes unseen."""
    with pytest.raises(BridgeError, match="NOT_VERIFY_SSL must be true or false"):
        settings(NOT_VERIFY_SSL=text)


def test_all_complaints_come_at_once() -> None:
    """One correction, one deployment."""
    with pytest.raises(BridgeError) as caught:
        settings(BASE_URL="x", NOT_VERIFY_SSL="x", DEBUG="x")
    for name in ("BASE_URL", "NOT_VERIFY_SSL", "DEBUG"):
        assert name in caught.value.message


def test_the_token_hides_itself() -> None:
    """A settings value can be printed without harm."""
    read = settings(LONG_LIVED_ACCESS_TOKEN=" hunter2\n")
    assert read.long_lived_access_token == Secret("hunter2")
    assert "hunter2" not in repr(read)
    assert settings(LONG_LIVED_ACCESS_TOKEN=" ").long_lived_access_token is None


def test_what_is_better_changed_is_warned_of() -> None:
    """No verification and plain http work, but not in silence."""
    assert settings().warnings == ()
    assert "NOT_VERIFY_SSL" in settings(NOT_VERIFY_SSL="on").warnings[0]
    assert "http" in settings(BASE_URL="http://192.168.1.9").warnings[0]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (HOME, "home.example.org"),
        (f"{HOME}:8123", "home.example.org:8123"),
        ("http://[::1]:8123", "[::1]:8123"),
        ("http://home:80", "home"),
    ],
)
def test_host_header_has_a_port_only_where_it_is_needed(url: str, host: str) -> None:
    """As browsers write it."""
    assert settings(BASE_URL=url).address.authority == host
