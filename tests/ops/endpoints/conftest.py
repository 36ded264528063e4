"""A home as Home Assistant's demo describes itself to Alexa."""

import json
from pathlib import Path
from typing import Any

import pytest

#: Recorded from Home Assistant 2025.4.4, without the ids of the installation.
HOME = Path(__file__).with_name("home.json")


@pytest.fixture(scope="session")
def home() -> list[dict[str, Any]]:
    """Its endpoints."""
    endpoints: list[dict[str, Any]] = json.loads(HOME.read_text())
    return endpoints
