"""The template says what the function and its tests take for granted."""

from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from ha_bridge import token_endpoint
from ha_bridge.bridge import BUDGET_S, RESERVE_S
from ha_bridge.errors import BridgeError
from ha_bridge.settings import GATE_VARIABLES, VARIABLES, Settings
from ha_bridge_ops.local import build
from ha_bridge_ops.local.lambda_runtime import MEMORY_MB, PYTHON_VERSIONS, TIMEOUT_S

ROOT = Path(__file__).parents[2]


TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text())
FUNCTION_ID = "HaBridge"
FUNCTION = TEMPLATE["Resources"][FUNCTION_ID]
TOKEN_FUNCTION = TEMPLATE["Resources"]["TokenFunction"]
PROPERTIES: dict[str, Any] = FUNCTION["Properties"]
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]


def parameter(variable: str) -> dict[str, Any]:
    """Return the parameter that a variable of the function takes its value from."""
    reference = PROPERTIES["Environment"]["Variables"][variable]
    assert list(reference) == ["Ref"]
    found: dict[str, Any] = PARAMETERS[reference["Ref"]]
    return found


def test_the_runtime_is_the_first_that_the_tests_use() -> None:
    """What the emulator runs is what AWS runs."""
    assert PROPERTIES["Runtime"] == f"python{PYTHON_VERSIONS[0]}"


def test_sam_local_runs_it_on_any_pc() -> None:
    """By default; whoever wants the cheaper processor says so."""
    assert PROPERTIES["Architectures"] == [{"Ref": "Architecture"}]
    assert PARAMETERS["Architecture"]["Default"] == "x86_64"


def test_memory_and_timeout_are_those_of_the_emulator() -> None:
    """They are written down twice, and must not part."""
    assert PROPERTIES["MemorySize"] == {"Ref": "MemorySize"}
    assert PARAMETERS["MemorySize"]["Default"] == MEMORY_MB
    assert PROPERTIES["Timeout"] == TIMEOUT_S


def test_the_bridge_gives_up_before_lambda_does() -> None:
    """A directive that Lambda ends has no answer at all."""
    assert PROPERTIES["Timeout"] > BUDGET_S + RESERVE_S


def test_the_handler_is_there() -> None:
    """Lambda looks it up by this name."""
    module, _, name = PROPERTIES["Handler"].rpartition(".")
    assert f"\ndef {name}(event: object" in (ROOT / f"{module}.py").read_text()


def test_the_variables_are_those_that_the_function_reads() -> None:
    """`sam local invoke --env-vars` sets only what the template declares."""
    assert set(PROPERTIES["Environment"]["Variables"]) == set(VARIABLES)


def test_only_the_address_must_be_given() -> None:
    """Every other variable has a default, and a safe one."""
    defaults = {name: parameter(name)["Default"] for name in VARIABLES}
    with pytest.raises(BridgeError, match="BASE_URL is not set") as caught:
        Settings.from_environ(defaults)
    assert not any(name in str(caught.value) for name in set(VARIABLES) - {"BASE_URL"})
    settings = Settings.from_environ({**defaults, "BASE_URL": "https://home.test"})
    assert settings.verify_tls
    assert not settings.debug
    assert settings.long_lived_access_token is None
    assert not settings.gate


@pytest.mark.parametrize("variable", ["LONG_LIVED_ACCESS_TOKEN", *GATE_VARIABLES])
def test_a_secret_is_shown_nowhere(variable: str) -> None:
    """Neither CloudFormation's console nor this file tells it."""
    secret = parameter(variable)
    assert secret["NoEcho"] is True
    assert secret["Default"] == ""


def test_the_log_is_json() -> None:
    """The fields of the one line a directive are for queries."""
    assert PROPERTIES["LoggingConfig"]["LogFormat"] == "JSON"


def test_every_default_is_off_or_harmless() -> None:
    """The template can be read without a value for any parameter."""
    defaults = {name: parameter["Default"] for name, parameter in PARAMETERS.items()}
    assert defaults == {
        "SkillId": "",
        "BaseUrl": "",
        "NotVerifySsl": "false",
        "Debug": "false",
        "LongLivedAccessToken": "",
        "SecretParameter": "",
        "ExtraHeaders": "",
        "ClientCertificate": "",
        "CaCertificate": "",
        "TokenEndpoint": "false",
        "LinkClientSecret": "",
        "LogRetentionDays": 30,
        "MemorySize": 256,
        "Architecture": "x86_64",
        "KeepWarm": "false",
        "AlarmEmail": "",
        "Dashboard": "false",
    }


def test_the_makefile_builds_it() -> None:
    """SAM runs the target named after the function, in the Makefile of ContextPath."""
    assert FUNCTION["Metadata"]["BuildMethod"] == "makefile"
    assert (ROOT / FUNCTION["Metadata"]["ContextPath"]).resolve() == ROOT
    makefile = (ROOT / "Makefile").read_text()
    assert f"\nbuild-{FUNCTION_ID}:\n" in makefile
    python = PROPERTIES["Runtime"].removeprefix("python")
    assert python == build.VERSION


def test_both_functions_have_one_package() -> None:
    """Which SAM builds for each."""
    same = ("CodeUri", "Runtime", "Architectures", "MemorySize")
    theirs = TOKEN_FUNCTION["Properties"]
    assert {key: theirs[key] for key in same} == {key: PROPERTIES[key] for key in same}
    assert TOKEN_FUNCTION["Metadata"] == FUNCTION["Metadata"]
    assert "\nbuild-TokenFunction: build-HaBridge\n" in (ROOT / "Makefile").read_text()


def test_the_token_function_has_its_variables_and_no_token() -> None:
    """Its own two, and those of the bridge that say where and how."""
    variables = TOKEN_FUNCTION["Properties"]["Environment"]["Variables"]
    shared = set(VARIABLES) - {"DEBUG", "LONG_LIVED_ACCESS_TOKEN"}
    assert set(variables) == shared | set(token_endpoint.VARIABLES)
    ours = PROPERTIES["Environment"]["Variables"]
    assert all(variables[name] == ours[name] for name in shared)
    module, _, name = TOKEN_FUNCTION["Properties"]["Handler"].rpartition(".")
    assert f"\ndef {name}(event: object" in (ROOT / f"{module}.py").read_text()


def test_the_token_function_gives_up_before_amazon_does() -> None:
    """Which waits 4.5 s, and before Lambda does."""
    assert token_endpoint.BUDGET_S < 4.5
    assert TOKEN_FUNCTION["Properties"]["Timeout"] > token_endpoint.BUDGET_S


def test_the_client_secret_is_shown_nowhere() -> None:
    """It is what lets Amazon in."""
    assert PARAMETERS["LinkClientSecret"]["NoEcho"] is True


def test_a_build_copies_no_virtual_environments() -> None:
    """SAM copies CodeUri before it builds; in the checkout lie .venv and .tools."""
    code = (ROOT / PROPERTIES["CodeUri"]).resolve()
    assert code.is_relative_to(ROOT)
    assert code != ROOT
