"""What the settings of an old script become, and which cannot be taken over."""

import json
from pathlib import Path

import boto3
import pytest

from tests.ops.adopt.world import (
    Aws,
    Old,
    code_now,
    configuration_now,
    ha_alexa,
    haaska,
    haaska_of_version_2,
    haaska_with,
    script,
    something_else,
    typed,
)


@pytest.mark.parametrize(
    ("old", "arguments", "said"),
    [
        (something_else(), (), "stays as it is"),
        (script(NOT_VERIFY_SSL="False"), ("--yes",), "--no-verify-tls"),
        (haaska(bearer_token="ey"), (), "--linked-with-home"),
        (haaska(ssl_client=["a.pem"]), (), "CLIENT_CERTIFICATE"),
        (haaska(ssl_verify="a.pem"), (), "CA_CERTIFICATE"),
        (haaska(password="secret"), (), "password"),
        (haaska(ssl_verify="False"), ("--yes",), "--no-verify-tls"),
        (haaska(ha_cert="a.pem", ssl_verify="a.pem"), (), "CA_CERTIFICATE"),
        (haaska_of_version_2(), (), "payload version 2"),
        (haaska(url=5), (), "BASE_URL"),
        (haaska(url=None), (), "BASE_URL"),
        (haaska_with("{"), (), "no JSON object"),
        (haaska_with("[" * 100_000), (), "no JSON object"),
        (haaska_with("[]"), (), "no JSON object"),
        (script(NOT_VERIFY_SSL="nein"), ("--yes",), "--no-verify-tls"),
        (script(NOT_VERIFY_SSL=" "), ("--yes",), "--no-verify-tls"),
        (script(NOT_VERIFY_SSL="0"), (), "--no-verify-tls"),
        (script(BASE_URL="https://a b"), (), "BASE_URL"),
        (script(BASE_URL="https://\x1b[31mhome"), (), "BASE_URL"),
        (haaska(url="not a url"), (), "BASE_URL"),
        (script(BASE_URL=""), (), "BASE_URL"),
    ],
    ids=lambda value: "" if not isinstance(value, str) else value,
)
def test_what_cannot_be_taken_over_is_said(
    aws: Aws, empty: Path, old: Old, arguments: tuple[str, ...], said: str
) -> None:
    """In a sentence, before anything is changed or kept."""
    aws.put(old)
    done = typed(aws, *arguments)
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.output.split())
    assert code_now() == old.code
    assert not list(empty.iterdir())
    assert not [name for name in aws.calls if name.startswith("update")]


@pytest.mark.parametrize(
    ("old", "arguments", "expected"),
    [
        (script(), (), {"BASE_URL": "https://home.example.org"}),
        (
            script(NOT_VERIFY_SSL="False"),
            ("--verify-tls",),
            {"BASE_URL": "https://home.example.org", "NOT_VERIFY_SSL": "false"},
        ),
        (
            script(NOT_VERIFY_SSL="False"),
            ("--no-verify-tls",),
            {"BASE_URL": "https://home.example.org", "NOT_VERIFY_SSL": "true"},
        ),
        (
            script(
                NOT_VERIFY_SSL="True", DEBUG="off", LONG_LIVED_ACCESS_TOKEN="t" * 20
            ),
            (),
            {
                "BASE_URL": "https://home.example.org",
                "NOT_VERIFY_SSL": "True",
                "DEBUG": "false",
                "LONG_LIVED_ACCESS_TOKEN": "t" * 20,
            },
        ),
        (
            script(LONG_LIVED_ACCESS_TOKEN="t" * 20, MINE="kept"),
            (),
            {"BASE_URL": "https://home.example.org", "MINE": "kept"},
        ),
        (
            script(NOT_VERIFY_SSL="0" + "t" * 20, DEBUG="0" + "t" * 20),
            ("--verify-tls",),
            {
                "BASE_URL": "https://home.example.org",
                "NOT_VERIFY_SSL": "false",
                "DEBUG": "false",
            },
        ),
        (
            haaska(ssl_verify=False, debug=True, bearer_token="t" * 20),
            ("--linked-with-home",),
            {
                "BASE_URL": "https://home.example.org:8123",
                "NOT_VERIFY_SSL": "true",
                "DEBUG": "true",
            },
        ),
        (
            haaska(ssl_verify="false", debug="False"),
            ("--verify-tls",),
            {"BASE_URL": "https://home.example.org:8123"},
        ),
        (
            haaska(ssl_verify=""),
            (),
            {
                "BASE_URL": "https://home.example.org:8123",
                "NOT_VERIFY_SSL": "true",
            },
        ),
        (
            haaska_with(
                '{"ha_cert": false, "ha_url": "https://home.example.org:8123/api///"}'
            ),
            (),
            {
                "BASE_URL": "https://home.example.org:8123",
                "NOT_VERIFY_SSL": "true",
            },
        ),
    ],
    ids=[
        *("as it is", "verify", "no verify", "any text", "without effect", "a secret"),
        "haaska",
        *("in quotation marks", "empty", "older names"),
    ],
)
def test_settings_mean_what_they_meant(
    aws: Aws,
    empty: Path,  # noqa: ARG001 - a fixture for its effect
    old: Old,
    arguments: tuple[str, ...],
    expected: dict[str, str],
) -> None:
    """What changes its meaning is said; no secret is."""
    aws.put(old)
    done = typed(aws, "--yes", *arguments)
    assert done.exit_code == 0, done.output
    assert configuration_now()["Environment"]["Variables"] == expected
    assert "t" * 20 not in done.output
    shown = [
        name for name, value in expected.items() if old.variables.get(name) != value
    ]
    assert all(name in done.output for name in shown)


def test_a_service_token_of_cloudflares_is_taken_along(
    aws: Aws,
    empty: Path,  # noqa: ARG001 - a fixture for its effect
) -> None:
    """From the Parameter Store, where ha-alexa has it; it is not shown."""
    aws.put(ha_alexa(NOT_VERIFY_SSL="1"))
    store = boto3.client("ssm", region_name="eu-west-1")
    for name, value in (("id", "an-id-of-mine"), ("secret", "a-secret-of-mine")):
        store.put_parameter(
            Name=f"/ha-alexa/cloudflare-client-{name}", Value=value, Type="SecureString"
        )
    done = typed(aws, "--yes")
    assert done.exit_code == 0, done.output
    variables = configuration_now()["Environment"]["Variables"]
    assert json.loads(variables.pop("EXTRA_HEADERS")) == {
        "CF-Access-Client-Id": "an-id-of-mine",
        "CF-Access-Client-Secret": "a-secret-of-mine",
    }
    assert variables == {"BASE_URL": "https://home.example.org", "NOT_VERIFY_SSL": "1"}
    assert "of-mine" not in done.output


@pytest.mark.parametrize(
    ("answer", "expected"), [("y", "false"), ("n", "true")], ids=["on", "off"]
)
def test_what_may_be_meant_either_way_is_asked(
    aws: Aws,
    empty: Path,  # noqa: ARG001 - a fixture for its effect
    answer: str,
    expected: str,
) -> None:
    """NOT_VERIFY_SSL=False has switched the check of the certificate off until now."""
    aws.put(script(NOT_VERIFY_SSL="False"))
    done = typed(aws, answer=f"{answer}\ny\n")
    assert done.exit_code == 0, done.output
    assert "any text is a yes" in done.output
    variables = configuration_now()["Environment"]["Variables"]
    assert variables["NOT_VERIFY_SSL"] == expected
