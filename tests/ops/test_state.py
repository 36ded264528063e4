"""What a command remembers is on the disk before the act, and one runs at a time."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.state import Journal, alone_in, write_private


def test_what_is_written_is_read_by_the_next_run(tmp_path: Path) -> None:
    """An entry is replaced as a whole; those of others stay."""
    path = tmp_path / "state.json"
    Journal(path, "work").write({"creating": "Home"})
    Journal(path, "home").write({"skill_id": "x"})
    Journal(path, "work").write({"skill_id": "y"})
    assert Journal(path, "work").read() == {"skill_id": "y"}
    assert Journal(path, "home").read() == {"skill_id": "x"}
    assert Journal(path, "nobody").read() == {}
    assert sorted(one.name for one in tmp_path.iterdir()) == ["state.json"]


def test_no_file_is_an_empty_journal(tmp_path: Path) -> None:
    """The first run has nothing to remember."""
    assert Journal(tmp_path / "state.json", "work").read() == {}


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", '{"work": 1}', "\xff", "[" * 100_000),
        f'{{"work": {{"a": [{"{}," * 20_000}{{}}]}}}}',
    ],
    ids=range(7),
)
def test_a_broken_file_is_not_overwritten(tmp_path: Path, text: str) -> None:
    """It says what to do; what was in it may matter."""
    path = tmp_path / "state.json"
    path.write_text(text, "latin-1")
    journal = Journal(path, "work")
    for act in (journal.read, lambda: journal.write({"skill_id": "x"})):
        with pytest.raises(CommandError, match=r"cannot be read\. Delete it"):
            act()
    assert path.read_text("latin-1") == text


def test_a_folder_that_is_none_is_named_by_its_cause(tmp_path: Path) -> None:
    """Nothing is there to be deleted, and nobody is told to."""
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "file/state.json", "work")
    with pytest.raises(CommandError, match="Not a directory") as raised:
        journal.read()
    assert "Delete" not in raised.value.message


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The folder has gone meanwhile."""
    journal = Journal(tmp_path / "gone/state.json", "work")
    with pytest.raises(CommandError, match="cannot be written: No such file"):
        journal.write({"skill_id": "x"})


def test_a_disk_that_is_full_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing beside it; the file is named."""
    write_private(tmp_path / "client-secret.txt", "old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CommandError, match=r"secret\.txt cannot be written: No space"):
        write_private(tmp_path / "client-secret.txt", "new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_link_beside_it_leads_nowhere(tmp_path: Path) -> None:
    """What somebody has put where it is prepared is not written through."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "state.json.new").symlink_to(victim)
    Journal(tmp_path / "state.json", "work").write({"skill_id": "x"})
    assert victim.read_text() == "mine"
    assert json.loads((tmp_path / "state.json").read_text()) == {
        "work": {"skill_id": "x"}
    }


def test_a_second_command_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    """In another process, which sees the lock at once."""
    code = (
        "import sys; from pathlib import Path;"
        "from ha_bridge_ops.state import alone_in;"
        "exec('with alone_in(Path(sys.argv[1])): print(1)')"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    root = Path(__file__).parents[2]
    with alone_in(tmp_path):
        refused = subprocess.run(
            command, cwd=root, capture_output=True, text=True, check=False
        )
    assert "Another `ha-bridge` is at work" in refused.stderr
    assert refused.stdout == ""
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_what_cannot_be_locked_is_named(tmp_path: Path) -> None:
    """In one sentence, as any other file."""
    (tmp_path / ".lock").mkdir()
    with (
        pytest.raises(CommandError, match=r"\.lock cannot be locked: "),
        alone_in(tmp_path),
    ):
        pytest.fail("it was")
