"""The workflows on GitHub: what they may do, and the issue that the daily one opens."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
DAILY = ROOT / ".github/workflows/newest-home-assistant.yml"

TITLE = "Home Assistant 2026.12.0: the live tests fail"

#: Stands in for GitHub's command: has some issues, and writes down what it is told.
GH = """#!/bin/sh
case "$1 $2" in
  "issue list") cat "$ISSUES" ;;
  *) printf '%s\\n' "$@" >"$TOLD" ;;
esac
"""


#: What GitHub, PyPI and the OpenSSF give to attach, publish and look.
MAY_RUN_WITH_RIGHTS = {
    "",  # a command
    "actions/attest-build-provenance",
    "actions/checkout",  # which runs nothing of what it fetches
    "actions/download-artifact",
    "github/codeql-action/analyze",
    "github/codeql-action/init",
    "github/codeql-action/upload-sarif",
    "ossf/scorecard-action",
    "pypa/gh-action-pypi-publish",
}


#: What a job may ever write.
WRITES = {"issues", "contents", "id-token", "attestations", "security-events"}


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_pinned_and_may_do_little(path: Path) -> None:
    """Actions by commit, with the version beside it; no right but what a job needs."""
    for line in path.read_text().splitlines():
        if "uses:" in line:
            assert re.search(r"uses: [\w/-]+@[0-9a-f]{40} # v\d", line), line
    workflow = read(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        writes = {name for name, right in job["permissions"].items() if right != "read"}
        assert writes <= WRITES
        if writes:  # then no code of ours runs beside it, nor of others than these
            used = {step.get("uses", "").partition("@")[0] for step in job["steps"]}
            assert used <= MAY_RUN_WITH_RIGHTS
            runs = [step.get("run", "") for step in job["steps"]]
            assert not any(one.startswith(("make", ".")) for one in runs)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_workflow_runs_is_there(path: Path) -> None:
    """Each make target and each program of the project."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for job in read(path)["jobs"].values():
        for step in job["steps"]:
            command = step.get("run", "")
            assert set(re.findall(r"^make ([a-z-]+)", command, re.MULTILINE)) <= targets
            if command.startswith("."):
                program = command.split()[0]
                assert os.access(ROOT / program, os.X_OK)


FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml"))


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_asks_for_the_check(path: Path) -> None:
    """In the form that leaves out tokens and address; for trouble it must be there."""
    fields = {field.get("id"): field for field in read(path)["body"]}
    asked = fields["check"]
    assert "--markdown" in asked["attributes"]["label"]
    is_required = asked.get("validations", {}).get("required", False)
    assert is_required is (path.stem == "it-does-not-work")


def test_new_versions_are_proposed_of_all_that_is_pinned() -> None:
    """Actions and packages, each week."""
    found = read(ROOT / ".github/dependabot.yml")["updates"]
    assert {one["package-ecosystem"] for one in found} == {"github-actions", "pip"}
    assert all(one["schedule"]["interval"] == "weekly" for one in found)


def tell(folder: Path, version: str, *issues: str) -> list[str] | None:
    """Run what opens an issue; return gh's arguments, or None if it opened none."""
    (folder / "gh").write_text(GH)
    (folder / "gh").chmod(0o755)
    (folder / "issues").write_text("".join(f"{title}\n" for title in issues))
    told = folder / "told"
    subprocess.run(
        ["/bin/bash", "-c", read(DAILY)["jobs"]["tell"]["steps"][0]["run"]],
        env={
            "PATH": f"{folder}:{os.environ['PATH']}",
            "ISSUES": str(folder / "issues"),
            "TOLD": str(told),
            "RELEASE": version,
            "RUN": "https://github.com/someone/ha-bridge/actions/runs/1",
        },
        check=True,
        timeout=60,
    )
    return told.read_text().splitlines() if told.exists() else None


def test_an_issue_names_the_release_and_the_run(tmp_path: Path) -> None:
    """And what to type."""
    told = tell(tmp_path, "2026.12.0", "Something else")
    assert told is not None
    assert told[:4] == ["issue", "create", "--title", TITLE]
    assert "actions/runs/1" in told[5]
    assert any("`make live RELEASE=2026.12.0`" in line for line in told)


def test_there_is_one_issue_a_release(tmp_path: Path) -> None:
    """Not one a day."""
    assert tell(tmp_path, "2026.12.0", "Something else", TITLE) is None


@pytest.mark.parametrize("version", ["", "$(touch gone)", "2026.12.0\n## Owned", "x"])
def test_no_other_words_come_into_an_issue(tmp_path: Path, version: str) -> None:
    """The release may be unknown, for even to find it may fail."""
    told = tell(tmp_path, version)
    assert told is not None
    assert told[3] == "Home Assistant of today: the live tests fail"
    assert any("`make live RELEASE=newest`" in line for line in told)
    assert "Owned" not in "".join(told)
