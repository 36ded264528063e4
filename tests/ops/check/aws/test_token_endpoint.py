"""The token endpoint in AWS: there or not, reached or not, as it should be or not."""

import json
from typing import Any

import boto3
import pytest

from ha_bridge_ops.check.model import Status
from tests.worlds.cloud import NAME, REGION, Cloud
from tests.worlds.home import URL, assert_only

TOKENS = f"{NAME}-token"
SECRET = "secret-of-the-skill-0123456789"
LINK = {
    "LINK_CLIENT_ID": "https://layla.amazon.com/",
    "LINK_CLIENT_SECRET": SECRET,
}

#: As the Lambda console adds them for a function URL without authentication.
URL_STATEMENTS = [
    {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "lambda:InvokeFunctionUrl",
        "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
    },
    {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "lambda:InvokeFunction",
        "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
    },
]


def deploy(cloud: Cloud, *, name: str = TOKENS, **variables: str) -> None:
    """Make bridge and token endpoint; nothing leads to the latter yet."""
    cloud.deploy()
    known = cloud.known
    cloud.deploy(
        name=name,
        Handler="token_function.lambda_handler",
        variables={**LINK, **variables},
    )
    cloud.known = known
    cloud.statements_of[name] = []


def add_api(cloud: Cloud, *routes: str, in_a_list: bool = False) -> str:
    """Put an API in front of it, and return where it is asked."""
    client = boto3.client("apigatewayv2", region_name=REGION)
    api = client.create_api(Name=TOKENS, ProtocolType="HTTP")["ApiId"]
    for route in routes:
        client.create_route(ApiId=api, RouteKey=route)
    arn = f"arn:aws:execute-api:{REGION}:123456789012:{api}/*/POST/auth/token"
    cloud.statements_of[TOKENS] = [
        {
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Condition": {"ArnLike": {"AWS:SourceArn": [arn] if in_a_list else arn}},
        }
    ]
    return f"https://{api}.execute-api.{REGION}.amazonaws.com/auth/token"


def add_url(cloud: Cloud, name: str = TOKENS) -> str:
    """Give it a function URL, and return where that is asked."""
    made = boto3.client("lambda", region_name=REGION).create_function_url_config(
        FunctionName=name, AuthType="NONE"
    )
    cloud.statements_of[name] = URL_STATEMENTS
    return f"{made['FunctionUrl'].rstrip('/')}/auth/token"


def test_there_need_be_none(cloud: Cloud) -> None:
    """A home that lets /auth/token pass does without."""
    cloud.deploy()
    found = cloud.look()["aws.token_endpoint"]
    assert found.status is Status.OK
    assert "Amazon asks Home Assistant itself" in found.saw


@pytest.mark.parametrize("in_a_list", [False, True])
def test_as_the_template_makes_it(in_a_list: bool, cloud: Cloud) -> None:  # noqa: FBT001
    """It is found, and not taken for a second bridge."""
    deploy(cloud)
    url = add_api(cloud, "POST /auth/token", in_a_list=in_a_list)
    found = cloud.look(token_url=url)
    assert found["aws.function"].status is Status.OK
    assert (found["aws.token_endpoint"].status, found["aws.token_endpoint"].saw) == (
        Status.OK,
        url,
    )
    assert SECRET not in json.dumps([one.as_json() for one in found.values()])


def test_as_the_console_makes_it(cloud: Cloud) -> None:
    """Any name, and a function URL; what has the same home belongs to the bridge."""
    deploy(cloud, name="alexa-tokens")
    url = add_url(cloud, "alexa-tokens")
    found = cloud.look()["aws.token_endpoint"]
    assert (found.status, found.saw) == (Status.OK, url)


@pytest.mark.parametrize("missing", URL_STATEMENTS, ids=["InvokeFunction", "…Url"])
def test_a_function_url_with_one_permission(
    missing: dict[str, Any], cloud: Cloud
) -> None:
    """AWS answers 403 since October 2025, in words that name no permission."""
    deploy(cloud)
    add_url(cloud)
    cloud.statements_of[TOKENS] = [one for one in URL_STATEMENTS if one != missing]
    found = cloud.look()
    assert_only(
        found,
        "aws.token_endpoint",
        "half_open",
        fix=f"--function-name {TOKENS}",
        skipped=set(),
    )


@pytest.mark.parametrize(
    ("changed", "is_open"),
    [
        ({"Action": "lambda:*"}, True),
        ({"Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": [True]}}}, True),
        (
            {"Condition": {"StringNotEquals": {"lambda:FunctionUrlAuthType": "NONE"}}},
            False,
        ),
        (
            {
                "Condition": {
                    "Bool": {"lambda:InvokedViaFunctionUrl": "true"},
                    "StringEquals": {"aws:PrincipalOrgID": "o-1"},
                }
            },
            False,
        ),
    ],
)
def test_a_function_url_with_other_permissions(
    changed: dict[str, Any],
    is_open: bool,  # noqa: FBT001
    cloud: Cloud,
) -> None:
    """Both must let anybody in, by the URL, however they are written."""
    deploy(cloud)
    add_url(cloud)
    first, second = URL_STATEMENTS
    cloud.statements_of[TOKENS] = [first, {**second, **changed}]
    causes = cloud.look()["aws.token_endpoint"].causes
    assert causes == (() if is_open else ("half_open",))


@pytest.mark.parametrize(
    "url",
    [
        *("https://evil.example/", "https://x.lambda-url.evil.example/"),
        *("https://x.lambda-url.eu-west-1.on.aws/?x=1 or curl x|sh",),
        "https://x.lambda-url.eu-west-1.on.aws.evil.example/",
    ],
)
def test_what_is_no_function_url_is_not_shown(url: str, cloud: Cloud) -> None:
    """It is to be entered where the skill gets its tokens."""
    deploy(cloud)
    add_url(cloud)
    cloud.urls_of[TOKENS] = url
    found = cloud.look()["aws.token_endpoint"]
    assert (found.status, found.saw) == (
        Status.SKIPPED,
        "AWS refused to show it: UnreadableAnswer",
    )


def test_no_way_leads_to_it(cloud: Cloud) -> None:
    """Neither API nor function URL."""
    deploy(cloud)
    fix = "TokenEndpoint=true"
    assert_only(cloud.look(), "aws.token_endpoint", "no_way", fix=fix, skipped=set())


@pytest.mark.parametrize("routes", [(), ("GET /auth/token",), None], ids=str)
def test_an_api_without_the_route(routes: tuple[str, ...] | None, cloud: Cloud) -> None:
    """Or an API that somebody has deleted."""
    deploy(cloud)
    url = add_api(cloud, *(routes or ()))
    if routes is None:
        api = url.removeprefix("https://").partition(".")[0]
        boto3.client("apigatewayv2", region_name=REGION).delete_api(ApiId=api)
    fix = "Delete the function “ha-bridge-token”"
    assert_only(cloud.look(), "aws.token_endpoint", "no_route", fix=fix, skipped=set())


def test_an_address_at_which_nothing_answers(cloud: Cloud) -> None:
    """What the skill was told, and what there is."""
    cloud.deploy()
    gone = "https://gone.execute-api.eu-west-1.amazonaws.com/auth/token"
    found = cloud.look(token_url=gone)["aws.token_endpoint"]
    assert found.causes == ("missing",)
    assert found.saw == f"no function here answers “{gone}”"
    assert "TokenEndpoint=true" in found.paste


def test_an_address_of_another(cloud: Cloud) -> None:
    """Such as that of a stack that was made anew."""
    deploy(cloud)
    url = add_api(cloud, "POST /auth/token")
    gone = "https://gone.execute-api.eu-west-1.amazonaws.com/auth/token"
    found = cloud.look(token_url=gone)["aws.token_endpoint"]
    assert found.causes == ("other_url",)
    assert "Access Token URI" in found.fix
    assert url in found.saw


@pytest.mark.parametrize(
    ("variables", "cause", "word"),
    [
        ({"LINK_CLIENT_SECRET": ""}, "closed", "not set"),
        ({"LINK_CLIENT_SECRET": "short"}, "closed", "too short"),
        ({"LINK_CLIENT_SECRET": "ssm:/ha-bridge/link"}, None, ""),
        ({"LINK_CLIENT_ID": "https://layla.amazon.com"}, "client_id", "layla"),
        ({"LINK_CLIENT_ID": "https://pitangui.amazon.com/"}, "client_id", "pitangui"),
        ({"LINK_CLIENT_ID": "hunter2" * 4}, "client_id", "no address"),
        ({"BASE_URL": "https://old.example.org"}, "differs", "BASE_URL"),
        ({"EXTRA_HEADERS": '{"X-Key": "hunter2"}'}, "differs", "EXTRA_HEADERS"),
    ],
)
def test_its_settings(
    variables: dict[str, str], cause: str | None, word: str, cloud: Cloud
) -> None:
    """What Amazon sends must be let in, and the home be the bridge's."""
    deploy(cloud, **variables)
    add_api(cloud, "POST /auth/token")
    found = cloud.look()["aws.token_endpoint"]
    assert found.causes == ((cause,) if cause else ())
    assert word in found.saw
    shown = json.dumps(found.as_json())
    assert "hunter2" not in shown
    assert "short" not in shown.replace("too short", "")


def test_it_is_switched_off(cloud: Cloud) -> None:
    """A reserved concurrency of 0, which is how a function is stopped in a hurry."""
    deploy(cloud)
    add_api(cloud, "POST /auth/token")
    cloud.reserved[TOKENS] = {"ReservedConcurrentExecutions": 0}
    assert_only(
        cloud.look(),
        "aws.token_endpoint",
        "switched_off",
        fix="delete-function-concurrency",
        skipped=set(),
    )


@pytest.mark.parametrize("call", ["get_routes", "get_function_url_config"])
def test_what_aws_does_not_show_is_not_judged(call: str, cloud: Cloud) -> None:
    """All else is looked at all the same."""
    deploy(cloud)
    add_api(cloud, "POST /auth/token")
    cloud.refused = {call}
    found = cloud.look()
    assert found["aws.token_endpoint"].status is Status.SKIPPED
    assert "AccessDeniedException" in found["aws.token_endpoint"].saw
    assert found["aws.role"].status is Status.OK
    assert URL in found["address.https"].saw or found["address.https"].saw
