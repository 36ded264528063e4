"""docs/check-json.md describes every key of the JSON, and shows no other."""

import json
import re
from pathlib import Path
from typing import Any

from ha_bridge_ops.check.model import Finding, Status, Told
from ha_bridge_ops.check.output import JSON_VERSION, as_json

PAGE = (Path(__file__).parents[2] / "docs/check-json.md").read_text("utf-8")


def shape(value: Any) -> Any:
    """Return the keys and types of a value."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return type(value).__name__


def keys(value: Any) -> set[str]:
    """Return all keys in a value."""
    if isinstance(value, dict):
        return set(value).union(*(keys(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(keys(one) for one in value))
    return set()


def made(*rows: tuple[str, str, str]) -> Any:
    told = Told("missing", Status.FAILED, "seen", "means", "fix", "paste")
    finding = Finding("ha.smart_home", Status.FAILED, "seen", (told,), rows)
    return json.loads(as_json([finding], "0.1.0"))


def test_the_example_has_the_shape_of_the_real_thing() -> None:
    """Keys, types and version are those that the command prints."""
    block = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    example = json.loads(block[1])
    assert shape(example) == shape(made())
    assert example["version"] == JSON_VERSION


def test_every_key_is_described() -> None:
    """A key that is new has a sentence."""
    table = "".join(re.findall(r"^\| `.*$", PAGE, re.MULTILINE))
    for key in keys(made(("TLS", "1 ms", "2 ms"))):
        assert re.search(rf"\b{key}\b", table), key
