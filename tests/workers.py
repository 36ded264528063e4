"""Which tests go together when several processes share them: `pytest -n 2`.

A file goes to one worker, as its fixtures are made once a worker; but what runs a Home
Assistant goes by release too.  All of the newest come first, then all of the oldest, so
that a worker starts each of them once.
"""

import re
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

#: Files that stay whole, as what all of their tests need takes a minute to make.
DEAR = {"tests/aws/test_deployed.py", "tests/contract/test_wheel.py"}

_RELEASE = re.compile(r"\bHA-[\d.]*\d")


class ByFileAndRelease(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out the tests in the order in which they would run in one process."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, name = nodeid.partition("::")
        release = _RELEASE.search(name)
        if release is None or file in DEAR:
            return file
        return f"{file} {release[0]}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFileAndRelease:
    """In the order of one process, too: whatever is long comes first."""
    config.option.loadscopereorder = False
    return ByFileAndRelease(config, log)
