"""The stack that the template makes, in moto's CloudFormation."""

import ast
import json
from typing import Any

import pytest

from ha_bridge.own_events import REQUESTS
from tests.aws.cloudformation import ACCOUNT, BASE_URL, REGION, SKILL_ID, STACK, Stack

pytestmark = [
    pytest.mark.usefixtures("aws"),
    # moto's CloudFormation knows neither metric filters nor alarms: see NOT_IN_MOTO.
    pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning"),
]

#: What is always there.
ALWAYS = {"HaBridge", "Role", "LogGroup"}

#: The token endpoint.
TOKEN_PARTS = {
    "TokenFunction",
    "TokenRole",
    "TokenLogGroup",
    "TokenApi",
    "TokenIntegration",
    "TokenRoute",
    "TokenStage",
    "TokenTrigger",
}

#: A parameter with a value: what it adds.
OPTIONAL = [
    ({"SkillId": SKILL_ID}, {"AlexaTrigger"}),
    ({"KeepWarm": "true"}, {"WarmSchedule", "WarmTrigger"}),
    (
        {"AlarmEmail": "me@example.org"},
        {
            "AlarmTopic",
            "FunctionFailedAlarm",
            "SuccessAlarm",
            "LatencyAlarm",
            "ThrottlesAlarm",
            "SilenceAlarm",
            "DirectiveDurations",
            "FailedDirectives",
        },
    ),
    (
        {"Dashboard": "true"},
        {"DirectiveDashboard", "DirectiveDurations", "DirectiveErrors"},
    ),
    ({"SecretParameter": "/home/token"}, {"SecretPolicy"}),
    ({"ExtraHeaders": "ssm:/home/headers"}, {"ExtraHeadersPolicy"}),
    ({"ClientCertificate": "secretsmanager:client"}, {"ClientCertificatePolicy"}),
    ({"CaCertificate": "ssm:/home/ca"}, {"CaCertificatePolicy"}),
    ({"TokenEndpoint": "true", "LinkClientSecret": "x" * 20}, TOKEN_PARTS),
    (
        {"TokenEndpoint": "true", "LinkClientSecret": "ssm:/home/link"},
        TOKEN_PARTS | {"LinkClientSecretPolicy"},
    ),
    ({"LinkClientSecret": "ssm:/home/link"}, set()),
]

#: Made by the template, but not by moto's CloudFormation; the tests read them.
NOT_IN_MOTO = {
    "AWS::Logs::MetricFilter",
    "AWS::CloudWatch::Alarm",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
}


def statements(stack: Stack, role: str | None = None) -> list[dict[str, Any]]:
    """Return all that a role may do; by default the function's."""
    iam = stack.client("iam")
    name = (role or stack.function["Role"]).rpartition("/")[2]
    assert not iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    found = []
    for policy in sorted(iam.list_role_policies(RoleName=name)["PolicyNames"]):
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)[
            "PolicyDocument"
        ]
        if isinstance(document, str):  # moto has it as Python would write it
            document = ast.literal_eval(document)
        found += document["Statement"]
    return found


MAY_LOG = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{STACK}:*",
}


def test_an_address_alone_makes_a_function_that_nobody_can_invoke() -> None:
    """The first deployment, when the skill does not exist yet."""
    stack = Stack()
    assert stack.resources == ALWAYS
    assert stack.trigger_policy() == []
    function = stack.function
    assert function["FunctionName"] == STACK
    assert function["Runtime"] == "python3.13"
    assert function["Handler"] == "lambda_function.lambda_handler"
    assert function["Timeout"] == 9
    assert function["MemorySize"] == 256
    assert function["Environment"]["Variables"] == {
        "BASE_URL": BASE_URL,
        "NOT_VERIFY_SSL": "false",
        "DEBUG": "false",
        "LONG_LIVED_ACCESS_TOKEN": "",
        "EXTRA_HEADERS": "",
        "CLIENT_CERTIFICATE": "",
        "CA_CERTIFICATE": "",
    }


def test_the_role_may_write_to_its_log_and_nothing_else() -> None:
    """And only Lambda may take it."""
    stack = Stack({"SkillId": SKILL_ID, "KeepWarm": "true", "Dashboard": "true"})
    assert statements(stack) == [MAY_LOG]
    (role,) = stack.client("iam").list_roles()["Roles"]
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]


SECRETS = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret"


@pytest.mark.parametrize(
    ("reference", "action", "resource"),
    [
        (
            "/home/token",
            "ssm:GetParameter",
            f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/home/token",
        ),
        (
            "ssm:/home/token",
            "ssm:GetParameter",
            f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/home/token",
        ),
        (
            "secretsmanager:home/token",
            "secretsmanager:GetSecretValue",
            f"{SECRETS}:home/token-??????",
        ),
        (
            f"secretsmanager:{SECRETS}:home-AbCdEf",
            "secretsmanager:GetSecretValue",
            f"{SECRETS}:home-AbCdEf",
        ),
    ],
)
def test_a_named_secret_may_be_read_and_no_other(
    reference: str, action: str, resource: str
) -> None:
    """One action, one resource."""
    stack = Stack({"SecretParameter": reference})
    extra = {"Effect": "Allow", "Action": action, "Resource": resource}
    assert statements(stack) == [MAY_LOG, extra]


@pytest.mark.parametrize("name", ["ExtraHeaders", "ClientCertificate", "CaCertificate"])
@pytest.mark.parametrize(
    ("reference", "action", "resource"),
    [
        (
            "ssm:/home/gate",
            "ssm:GetParameter",
            f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/home/gate",
        ),
        (
            "secretsmanager:home/gate",
            "secretsmanager:GetSecretValue",
            f"{SECRETS}:home/gate-??????",
        ),
        (
            f"secretsmanager:{SECRETS}:gate-AbCdEf",
            "secretsmanager:GetSecretValue",
            f"{SECRETS}:gate-AbCdEf",
        ),
    ],
)
def test_what_opens_a_closed_home_may_be_read_where_it_is_kept(
    name: str, reference: str, action: str, resource: str
) -> None:
    """The reference is enough, and gives no right to anything else."""
    stack = Stack({name: reference})
    extra = {"Effect": "Allow", "Action": action, "Resource": resource}
    assert statements(stack) == [MAY_LOG, extra]


TOKEN = {"TokenEndpoint": "true", "LinkClientSecret": "ssm:/home/link"}


def test_the_token_endpoint_has_a_narrow_role_of_its_own() -> None:
    """Its log, its secret, and what opens the home; no long-lived token."""
    stack = Stack(
        {**TOKEN, "SecretParameter": "/home/token", "ExtraHeaders": "ssm:/home/gate"}
    )
    client = stack.client("lambda")
    found = client.get_function_configuration(FunctionName=f"{STACK}-token")
    parameter = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"
    allowed = [
        (one["Action"], one["Resource"]) for one in statements(stack, found["Role"])
    ]
    log = str(MAY_LOG["Resource"]).removesuffix(":*") + "-token:*"
    assert sorted(map(str, allowed)) == sorted(
        map(
            str,
            [
                (MAY_LOG["Action"], log),
                ("ssm:GetParameter", f"{parameter}/home/gate"),
                ("ssm:GetParameter", f"{parameter}/home/link"),
            ],
        )
    )
    variables = found["Environment"]["Variables"]
    assert variables["LINK_CLIENT_ID"] == "https://layla.amazon.com/"
    assert variables["LINK_CLIENT_SECRET"] == "ssm:/home/link"
    assert "LONG_LIVED_ACCESS_TOKEN" not in variables


def test_only_the_api_may_invoke_it_and_only_by_the_one_route() -> None:
    """Throttled before the function; every other path is a 404 there."""
    stack = Stack(TOKEN)
    parts = {
        name: stack.template["Resources"][name]["Properties"] for name in TOKEN_PARTS
    }
    assert parts["TokenTrigger"]["Principal"] == "apigateway.amazonaws.com"
    source = parts["TokenTrigger"]["SourceArn"]["Fn::Sub"]
    assert source.endswith(":${TokenApi}/*/POST/auth/token")
    assert parts["TokenRoute"]["RouteKey"] == "POST /auth/token"
    assert parts["TokenIntegration"]["PayloadFormatVersion"] == "2.0"
    limits = parts["TokenStage"]["DefaultRouteSettings"]
    assert limits == {"ThrottlingRateLimit": 2, "ThrottlingBurstLimit": 10}
    assert stack.trigger_policy() == [], "and nobody may invoke the other function"


def test_what_opens_a_closed_home_may_be_kept_in_the_variables() -> None:
    """Then no secret need be read."""
    pem = "-----BEGIN CERTIFICATE----- MIIB -----END CERTIFICATE-----"
    given = {
        "ExtraHeaders": '{"X-Key": "ssm:/no/reference"}',
        "ClientCertificate": pem,
        "CaCertificate": pem,
    }
    stack = Stack(given)
    assert statements(stack) == [MAY_LOG]
    variables = stack.function["Environment"]["Variables"]
    assert variables["EXTRA_HEADERS"] == given["ExtraHeaders"]
    assert variables["CLIENT_CERTIFICATE"] == variables["CA_CERTIFICATE"] == pem


@pytest.mark.parametrize(("given", "added"), OPTIONAL)
def test_an_optional_part_is_there_only_if_wanted(
    given: dict[str, str], added: set[str]
) -> None:
    """And brings nothing else along."""
    stack = Stack(given)
    assert stack.resources == ALWAYS | added
    created = {
        resource["LogicalResourceId"]
        for resource in stack.client("cloudformation").list_stack_resources(
            StackName=STACK
        )["StackResourceSummaries"]
        if resource["LogicalResourceId"].strip()
    }
    in_moto = {
        name
        for name in stack.resources
        if stack.template["Resources"][name]["Type"] not in NOT_IN_MOTO
    }
    assert created == in_moto


def test_every_resource_is_in_the_table() -> None:
    """One that is new arrives with its row."""
    wanted = ALWAYS.union(*(added for _, added in OPTIONAL))
    assert set(Stack().template["Resources"]) == wanted


def test_all_parts_at_once() -> None:
    """They do not stand in each other's way."""
    every = {name: value for part, _ in OPTIONAL for name, value in part.items()}
    stack = Stack(every)
    assert stack.resources == set(stack.template["Resources"])


def test_only_smart_home_and_only_this_skill_may_invoke() -> None:
    """Without the token any skill that knows the ARN could."""
    stack = Stack({"SkillId": SKILL_ID})
    (statement,) = stack.trigger_policy()
    assert statement["Effect"] == "Allow"
    assert statement["Principal"] == "alexa-connectedhome.amazon.com"
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == stack.function["FunctionArn"]
    # moto does not keep the token: this is what CloudFormation is told.
    trigger = stack.template["Resources"]["AlexaTrigger"]["Properties"]
    assert trigger["EventSourceToken"] == {"Ref": "SkillId"}


def test_the_skill_may_come_later() -> None:
    """The second deployment gives its id, and all else stays."""
    stack = Stack({"MemorySize": "512"})
    assert stack.trigger_policy() == []
    stack.update({"SkillId": SKILL_ID})
    (statement,) = stack.trigger_policy()
    assert statement["Principal"] == "alexa-connectedhome.amazon.com"
    assert stack.function["MemorySize"] == 512


def test_the_log_is_kept_for_so_many_days() -> None:
    """Lambda's own log groups are kept for ever."""
    stack = Stack({"LogRetentionDays": "7"})
    (group,) = stack.client("logs").describe_log_groups()["logGroups"]
    assert group["logGroupName"] == stack.outputs["LogGroup"] == f"/aws/lambda/{STACK}"
    assert group["retentionInDays"] == 7


@pytest.mark.parametrize(("debug", "level"), [("true", "DEBUG"), ("false", "INFO")])
def test_debug_is_seen_in_the_log(debug: str, level: str) -> None:
    """Lambda drops what is below the level; moto does not keep the setting."""
    stack = Stack({"Debug": debug})
    logging = stack.template["Resources"]["HaBridge"]["Properties"]["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    assert logging["LogGroup"] == {"Ref": "LogGroup"}
    condition, if_true, if_false = logging["ApplicationLogLevel"]["Fn::If"]
    assert (if_true if stack.holds(condition) else if_false) == level
    assert stack.function["Environment"]["Variables"]["DEBUG"] == debug


def test_what_is_given_reaches_the_function() -> None:
    """The rest of the parameters."""
    stack = Stack(
        {
            "BaseUrl": "https://other.example.org:8443/ha",
            "NotVerifySsl": "true",
            "LongLivedAccessToken": "ssm:/home/token",
            "MemorySize": "512",
            "Architecture": "arm64",
        }
    )
    function = stack.function
    assert function["MemorySize"] == 512
    # moto has it x86_64 always: this is what CloudFormation is told.
    properties = stack.template["Resources"]["HaBridge"]["Properties"]
    assert properties["Architectures"] == [{"Ref": "Architecture"}]
    variables = function["Environment"]["Variables"]
    assert variables["BASE_URL"] == "https://other.example.org:8443/ha"
    assert variables["NOT_VERIFY_SSL"] == "true"
    assert variables["LONG_LIVED_ACCESS_TOKEN"] == "ssm:/home/token"


def test_the_schedule_sends_the_event_of_our_own() -> None:
    """Each minute, and only this rule may invoke the function."""
    stack = Stack({"KeepWarm": "true"})
    events = stack.client("events")
    (rule,) = events.list_rules()["Rules"]
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert rule["State"] == "ENABLED"
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"] == stack.function["FunctionArn"]
    assert json.loads(target["Input"]) == {"ha_bridge": {"warm": {}}}
    assert "warm" in REQUESTS
    (statement,) = stack.trigger_policy()
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": rule["Arn"]}}


def test_the_alarms_write_to_the_address() -> None:
    """AWS asks the recipient first."""
    stack = Stack({"AlarmEmail": "me@example.org"})
    (subscription,) = stack.client("sns").list_subscriptions()["Subscriptions"]
    assert subscription["Protocol"] == "email"
    assert subscription["Endpoint"] == "me@example.org"
    for name in (
        "FunctionFailedAlarm",
        "SuccessAlarm",
        "LatencyAlarm",
        "ThrottlesAlarm",
    ):
        alarm = stack.template["Resources"][name]["Properties"]
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(
    ("region", "client_id"),
    [
        ("us-east-1", "https://pitangui.amazon.com/"),
        ("eu-west-1", "https://layla.amazon.com/"),
        ("us-west-2", "https://alexa.amazon.co.jp/"),
    ],
)
def test_the_outputs_are_ready_to_paste(region: str, client_id: str) -> None:
    """Into the skill and its account linking."""
    stack = Stack(region=region)
    assert stack.outputs == {
        "FunctionArn": f"arn:aws:lambda:{region}:{ACCOUNT}:function:{STACK}",
        "AuthorizationUri": f"{BASE_URL}/auth/authorize",
        "AccessTokenUri": f"{BASE_URL}/auth/token",
        "ClientId": client_id,
        "Scope": "smart_home",
        "LogGroup": f"/aws/lambda/{STACK}",
        "CheckCommand": f"ha-bridge check --aws --function {STACK} --region {region}",
    }


def test_the_token_is_shown_nowhere() -> None:
    """CloudFormation's console shows outputs and parameters to whoever may look."""
    stack = Stack({"LongLivedAccessToken": "hunter2"})
    assert "hunter2" not in str(stack.outputs)
    # moto shows it all the same: this is what CloudFormation is told.
    assert stack.template["Parameters"]["LongLivedAccessToken"]["NoEcho"] is True


def test_it_all_goes_away() -> None:
    """Nothing is kept when the stack is deleted, the log included."""
    stack = Stack({"SkillId": SKILL_ID})
    stack.client("cloudformation").delete_stack(StackName=STACK)
    assert stack.client("logs").describe_log_groups()["logGroups"] == []
    assert stack.client("lambda").list_functions()["Functions"] == []
    assert stack.client("iam").list_roles()["Roles"] == []
