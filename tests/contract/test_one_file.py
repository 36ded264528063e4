"""The function as one file: for the editor of the Lambda console, and in a template."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
import uv
from samtranslator.yaml_helper import yaml_parse

from ha_bridge_ops.local import one_file
from tests.directives import TOKEN, event
from tests.fakes.behaviours import answer_directive, reply
from tests.fakes.server import Server

ROOT = Path(__file__).parents[2]
TEXT = one_file.lambda_function()
TEMPLATE = one_file.cloudformation()

#: Invokes it with the events of stdin, and writes the answers.
INVOKE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import lambda_function
for line in sys.stdin:
    print(json.dumps(lambda_function.lambda_handler(json.loads(line), None)))
print(json.dumps(lambda_function.urllib3.__version__))
"""


def test_it_is_the_same_each_time() -> None:
    """A release has one checksum."""
    assert one_file.lambda_function() == TEXT
    assert TEXT.isascii()


def test_nothing_is_missing_in_it() -> None:
    """Every function and class of the core, once; and no import of the core is left."""
    names = [
        node.name
        for path in [*(ROOT / "ha_bridge").glob("*.py"), ROOT / "lambda_function.py"]
        if path.stem != "token_endpoint"  # another function's
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    ]
    tree = ast.parse(TEXT)
    found = [
        node.name
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    ]
    assert len(found) == len(set(found))
    assert len(found) == len(names)
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
        )
    }
    assert imported - sys.stdlib_module_names == {"urllib3", "boto3", "botocore"}


@pytest.mark.parametrize("text", [TEXT, one_file.token_function()], ids=["", "token"])
def test_every_name_in_it_is_defined(tmp_path: Path, text: str) -> None:
    """As ruff sees it; a name that two modules have could be lost."""
    file = tmp_path / "lambda_function.py"
    file.write_text(text, "ascii")
    rules = ("--isolated", "--select", "F,E9,PLE", "--target-version", "py313")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ruff")), "check", *rules, str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "digest"),
    [
        ("1.26.20", "0ed14ccfbf1c30a9072c7ca157e4319b70d65f623e91e7b32fadb2853431016e"),
        ("2.0.7", "fdb6d215c776278489906c2f8916e6e7d4f5a9b602ccbcfdf7f016fc8da0596e"),
        ("2.8.0", "0cf3cae568d36aa9576b28dfb35f11328f1cb974ca7647d9475ebb86c75ac6e3"),
    ],
)
def test_any_urllib3_of_a_runtime_will_do(
    tmp_path: Path, version: str, digest: str
) -> None:
    """AWS does not say which one it has; answers are compressed, cut, and refused."""
    (tmp_path / "lambda_function.py").write_text(TEXT, "ascii")
    subprocess.run(
        [
            *(uv.find_uv_bin(), "pip", "install", "--quiet", "--require-hashes"),
            *("--only-binary", ":all:", "--target", str(tmp_path)),
            *("--requirement", "-"),
        ],
        input=f"urllib3=={version} --hash=sha256:{digest}",
        text=True,
        check=True,
    )
    turn_on = event("turn_on", TOKEN)
    behaviours = (answer_directive, answer_directive, reply(502), answer_directive)
    with Server(behaviours) as server:
        done = subprocess.run(
            [sys.executable, "-I", "-c", INVOKE, str(tmp_path)],
            env={"BASE_URL": server.url},
            input="\n".join([json.dumps(turn_on)] * 4),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    *answers, used = map(json.loads, done.stdout.splitlines())
    assert used == version
    names = [answer["event"]["header"]["name"] for answer in answers]
    assert names == ["Response", "Response", "ErrorResponse", "Response"]


def test_the_template_is_plain_cloudformation() -> None:
    """The SAM template's resources, and no transform; small enough for the console.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    """
    ours = yaml_parse(TEMPLATE)
    sam = yaml_parse((ROOT / "template.yaml").read_text("utf-8"))
    assert len(TEMPLATE) < 1_000_000
    assert TEMPLATE.isascii()
    assert "Transform" not in ours
    for part in ("Parameters", "Mappings", "Rules", "Conditions", "Outputs"):
        assert ours[part] == sam[part]
    codes = {"HaBridge": TEXT, "TokenFunction": one_file.token_function()}
    for name, code in codes.items():
        function = ours["Resources"].pop(name)
        theirs = sam["Resources"].pop(name)
        properties = function["Properties"]
        assert properties.pop("Code") == {"ZipFile": code}
        assert properties.pop("Handler") == "index.lambda_handler"
        del theirs["Properties"]["CodeUri"], theirs["Properties"]["Handler"]
        assert properties == theirs["Properties"]
        assert function["Type"] == "AWS::Lambda::Function"
        assert function.get("Condition") == theirs.get("Condition")
    assert ours["Resources"] == sam["Resources"]
