"""What the template takes and what it refuses, and with which words."""

import re
from unicodedata import category, normalize

import pytest

from ha_bridge_ops.outside import is_visible
from tests.aws.cloudformation import (
    BASE_URL,
    REGION,
    SKILL_ID,
    RefusedError,
    checked,
    read_template,
)

TEMPLATE = read_template()
PARAMETERS = TEMPLATE["Parameters"]
PEM = "-----BEGIN CERTIFICATE----- MIIB -----END CERTIFICATE-----"
REFERENCES = [
    "ssm:/home/token",
    "secretsmanager:home/token",
    "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf",
]
GOOD = {
    "SkillId": ["", SKILL_ID],
    "BaseUrl": [
        BASE_URL,
        "https://home.example.org:8443",
        "https://home.example.org/path/to/it",
        "https://203.0.113.7",
        "https://haus.müller.example",
        "https://佐々木.example",
        "https://ev.gəncə.example",
        "https://дом.example",
        "https://[2001:db8::1]:8123",
        "https://[1:2:3:4:5:6:7:8]",
        "https://[1:2:3:4:5:6:7::]",
        "https://[::2:3:4:5:6:7:8]",
        "https://[1:2:3:4:5:6:203.0.113.7]",
        "https://[::]",
        "https://[::2:3:4:5:6:203.0.113.7]",
        "https://203.0.113.7:8123/a",
        "https://203.0.113.77",
        "https://203.0.113.7.nip.example",
        "https://home.7up.example",
        "https://home.example.7up",
        "https://[::ffff:203.0.113.7]:65535",
        f"https://{'a' * 63}.example.org/{'b' * 100}",
        f"https://{'a.' * 125}org:65535",
        "https://home.example.org/a%20b/~me",
    ],
    "NotVerifySsl": ["true", "false"],
    "Debug": ["true", "false"],
    "LongLivedAccessToken": [
        "",
        "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.a-_b",
        "ssm:/home/token",
        "secretsmanager:home/token",
        "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf",
    ],
    "SecretParameter": [
        "",
        "/home/token",
        "ssm:/home/token",
        "secretsmanager:home/token",
        "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf",
    ],
    "ExtraHeaders": ["", '{"X-Key": "a{b}"}', '{\n"X-Key": "a"\n}', *REFERENCES],
    "ClientCertificate": ["", PEM, f"Bag Attributes\n{PEM}", *REFERENCES],
    "CaCertificate": ["", PEM, *REFERENCES],
    "TokenEndpoint": ["false"],
    "LinkClientSecret": ["", "x" * 20, "a-b_c~" * 9, *REFERENCES],
    "LogRetentionDays": ["1", "30", "731"],
    "MemorySize": ["128", "256", "10240"],
    "Architecture": ["x86_64", "arm64"],
    "KeepWarm": ["true", "false"],
    "AlarmEmail": ["", "me@example.org", "me+alexa@mail.example.co.uk"],
    "Dashboard": ["true", "false"],
}
BAD = {
    "SkillId": [
        "12345678-1234-1234-1234-123456789abc",
        "amzn1.ask.skill.1234",
        f"{SKILL_ID}0",
        f"amzn1.ask.skill.{'-' * 36}",
        f" {SKILL_ID}",
        "amzn1.ask.skill.*",
        "amzn1.ask.skill.12345678-1234-1234-1234-123456789ABC",
    ],
    "BaseUrl": [
        "http://home.example.org",
        "home.example.org",
        "https://",
        "https://home.example.org/",
        "https://home.example.org/api",
        "https://home.example.org/path/",
        "https://home.example.org/path/api",
        "https://home.example.org?a=b",
        "https://home.example.org#a",
        "https://user:word@home.example.org",
        "https://home.example.org ",
        "https://home example.org",
        "https://home.example.org;id",
        "https://haus.größe.example",
        "https://σπίτι-μας.example",
        'https://home".example.org',
        "https://$(id).example.org",
        "https://h`id`",
        "https://h|id",
        "https://h&id",
        "https://h\\x",
        "https://h'x'",
        "https://h<x>",
        "https://\u202ehome.example.org",
        "https://home\u200b.example.org",
        "https://home\u070f.example.org",
        "https://home\u1680.example.org",
        "https://home..example.org",
        "https://home\x00.example.org",
        "https://home\x1b[2J.example.org",
        "https://home.example.org/$(id)",
        "https://home.example.org/a;b",
        "https://-home.example.org",
        "https://home.example.org-",
        "https://home.example.org:port",
        "https://home.example.org:0",
        "https://home.example.org:65536",
        "https://home\u037e.example.org",
        "https://home\u1fef.example.org",
        "https://home\u3164.example.org",
        "https://\u3231.example.org",
        "https://[1.2.3.4]",
        "https://[:::]",
        "https://[1::2::3]",
        "https://[1:2:3:4:5:6:7:8:9]",
        "https://[1:2:3:4:5:6:7]",
        "https://[:1::]",
        "https://[1::2:3:4:5:6:7:8]",
        "https://[1::2:3:4:5:6:203.0.113.7]",
        "https://[::1:]",
        "https://[::1.2.3.4.5]",
        "https://[::256.1.1.1]",
        "https://256.256.256.256",
        "https://1.2.3.4.5",
        "https://home.example.1:8123",
        "https://home-.example.org",
        "https://home.-example.org",
        "https://home.example.org/%zz",
        "https://home.example.org/%00",
        f"https://{'a' * 64}.example.org",
        f"https://{'a.' * 130}org",
        f"https://{'a.' * 125}exam",
    ],
    "NotVerifySsl": ["", "True", "yes"],
    "Debug": ["", "TRUE", "1"],
    "LongLivedAccessToken": ["a b", "token\n", "\u201ctoken\u201d"],
    "SecretParameter": [
        "home/token",
        "ssm:home",
        "ssm:/home/*",
        "/home/token ",
        "s3:/home",
        "secretsmanager:",
        "secretsmanager:*",
        "secretsmanager:home-??????",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf",
        "secretsmanager:arn:aws:secretsmanager:eu-west-1:123456789012:secret:*",
    ],
    "ExtraHeaders": ["X-Key: a", "ssm:headers", "ssm:/home/*", "secretsmanager:*"],
    "ClientCertificate": ["client.pem", "ssm:/home/*", "s3:/home", "secretsmanager:"],
    "CaCertificate": ["/etc/ssl/ca.pem", "ssm:/home/*", "secretsmanager:a-??????"],
    "TokenEndpoint": ["", "True", "yes"],
    "LinkClientSecret": ["short", "x" * 19, "with spaces in its middle", "ä" * 20],
    "LogRetentionDays": ["", "0", "2", "forever"],
    "MemorySize": ["", "127", "10241", "much"],
    "Architecture": ["", "x86", "ARM64"],
    "KeepWarm": ["", "on"],
    "AlarmEmail": [
        *("me", "me@home", "me @example.org", "a@b.c, d@e.f", "me@x;id.org"),
        *("me\x00@example.org", "me\u202e@example.org", "<me>@example.org"),
    ],
    "Dashboard": ["", "on"],
}


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in table.items() for value in values]


def test_every_parameter_is_tried() -> None:
    """Both ways."""
    assert set(GOOD) == set(BAD) == set(PARAMETERS)


@pytest.mark.parametrize(("name", "value"), cases(GOOD))
def test_a_good_value_is_taken(name: str, value: str) -> None:
    """As it is."""
    values = checked(TEMPLATE, {"BaseUrl": BASE_URL, name: value}, REGION)
    assert values[name] == value


@pytest.mark.parametrize(("name", "value"), cases(BAD))
def test_a_bad_value_is_refused(name: str, value: str) -> None:
    """With a sentence that names the parameter and says what it must be."""
    with pytest.raises(RefusedError, match=rf"^{name} must .*\.$"):
        checked(TEMPLATE, {"BaseUrl": BASE_URL, name: value}, REGION)


@pytest.mark.parametrize("name", [n for n in GOOD if "AllowedPattern" in PARAMETERS[n]])
def test_no_line_follows_a_good_value(name: str) -> None:
    """Not even if AWS should search for the pattern, and not match all of a value."""
    for value in GOOD[name]:
        if "BEGIN" in value:  # PEM is of lines
            continue
        for end in ("\n", "\r\n", "\u2028"):
            assert not re.search(PARAMETERS[name]["AllowedPattern"], value + end)


def test_a_host_has_only_letters_that_stay_letters() -> None:
    """IDNA makes nothing of one that a shell minds, and each can be seen."""
    takes = re.compile(PARAMETERS["BaseUrl"]["AllowedPattern"]).fullmatch
    taken = [one for one in map(chr, range(0x80, 0x10000)) if takes(f"https://a{one}b")]
    assert len(taken) > 40_000
    for one in taken:
        assert not re.search(r"[\0-,./:-@[-`{-\x7f]", normalize("NFKC", one)), ascii(
            one
        )
        assert is_visible(one) or category(one) in ("Mn", "Mc", "Me", "Cn"), ascii(one)


def test_an_address_must_be_given() -> None:
    """To deploy; `sam local invoke` asks no rule, and takes it from env.json."""
    with pytest.raises(RefusedError, match="BaseUrl is missing"):
        checked(TEMPLATE, {}, REGION)
    assert PARAMETERS["BaseUrl"]["Default"] == ""


def test_a_token_endpoint_must_have_its_secret() -> None:
    """Without one nobody could pass."""
    given = {"BaseUrl": BASE_URL, "TokenEndpoint": "true"}
    with pytest.raises(RefusedError, match="ha-bridge skill has made"):
        checked(TEMPLATE, given, REGION)
    assert checked(TEMPLATE, {**given, "LinkClientSecret": "ssm:/home/link"}, REGION)


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "us-west-2"])
def test_alexas_regions_are_taken(region: str) -> None:
    """With nothing but the address."""
    assert checked(TEMPLATE, {"BaseUrl": BASE_URL}, region)


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-2", "ap-northeast-1"])
def test_another_region_is_refused(region: str) -> None:
    """There Alexa would never find it, and never say so."""
    with pytest.raises(RefusedError, match="eu-west-1") as caught:
        checked(TEMPLATE, {"BaseUrl": BASE_URL}, region)
    assert "sam deploy --config-env na, eu or fe" in str(caught.value)


def test_rule_and_mapping_know_the_same_regions() -> None:
    """CloudFormation refuses a region that the mapping lacks, too."""
    (assertion,) = TEMPLATE["Rules"]["Region"]["Assertions"]
    known, _ = assertion["Assert"]["Fn::Contains"]
    assert set(known) == set(TEMPLATE["Mappings"]["Regions"])


@pytest.mark.parametrize("name", list(PARAMETERS))
def test_the_patterns_mean_the_same_in_java(name: str) -> None:
    """CloudFormation reads them as Java does; only what both know is in use."""
    pattern = PARAMETERS[name].get("AllowedPattern", "")
    groups = set(re.findall(r"\(\?<?.", pattern))
    assert groups <= {"(?!", "(?=", "(?<!", "(?<="}
    assert set(re.findall(r"\\(\w)", pattern)) <= {"s", "S"}
    # It stands in the console, which shows nothing else.
    assert PARAMETERS[name]["Description"].isascii()
    assert PARAMETERS[name]["ConstraintDescription"].isascii()
