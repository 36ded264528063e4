"""Files that are written as a whole, or not at all."""

import errno
from pathlib import Path

import pytest

from ha_bridge_ops.errors import CommandError
from ha_bridge_ops.files import replacing, write_text


def half(path: Path) -> None:
    """Write as far as there is room."""
    with replacing(path) as new:
        new.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("before", [None, "whole"])
def test_nothing_half_written_is_taken_for_whole(
    tmp_path: Path, before: str | None
) -> None:
    """On a disk that gets full, what was there stays, and nothing lies beside it."""
    path = tmp_path / "lambda_function.py"
    if before:
        path.write_text(before)
    with pytest.raises(CommandError, match=r"function\.py cannot be written: No space"):
        half(path)
    left = [one.read_text() for one in tmp_path.iterdir()]
    assert left == ([before] if before else [])


@pytest.mark.parametrize("name", [".", "gone/picture.svg", "x" * 300])
def test_what_cannot_be_written_is_one_sentence(tmp_path: Path, name: str) -> None:
    """A folder, a folder that is not there, and a name that no disk has."""
    with pytest.raises(CommandError, match="cannot be written: ") as raised:
        write_text(tmp_path / name, "")
    assert "\n" not in raised.value.message


def test_a_link_stays_one(tmp_path: Path) -> None:
    """What it leads to is written."""
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_text() == "new"
