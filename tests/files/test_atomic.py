"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from ocr_worker.errors import LockedError, NoSpaceError, OutputExistsError, OutputPermissionError
from ocr_worker.files.atomic import Staged, staging, write_whole


def test_nothing_but_the_target_is_left_after_a_write(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", b"whole")

    assert [(place.name, place.read_bytes()) for place in tmp_path.iterdir()] == [("a.txt", b"whole")]


def test_the_temporary_file_is_hidden_and_ends_in_part(tmp_path: Path) -> None:
    seen: list[str] = []

    def write(stream: BinaryIO) -> None:
        stream.write(b"x")
        seen.extend(found.name for found in tmp_path.iterdir())

    with staging(tmp_path / ("n" * 240 + ".txt"), write) as staged:
        staged.publish()

    assert [(name[0], name[-5:]) for name in seen] == [(".", ".part")]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, NoSpaceError),
        (errno.EDQUOT, NoSpaceError),
        (errno.EROFS, OutputPermissionError),
        (errno.EACCES, OutputPermissionError),
    ],
)
def test_a_write_that_fails_says_why_and_leaves_the_old_output_whole(
    number: int, expected: type[Exception], tmp_path: Path
) -> None:
    target = tmp_path / "a.txt"
    target.write_bytes(b"old")

    def fail(stream: BinaryIO) -> None:
        stream.write(b"half")
        raise OSError(number, os.strerror(number))

    with pytest.raises(expected, match=r"a\.txt"), staging(target, fail):
        pass

    assert [(place.name, place.read_bytes()) for place in tmp_path.iterdir()] == [("a.txt", b"old")]


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EACCES, errno.EPERM])
def test_a_target_in_use_is_tried_three_times_with_growing_waits(number: int, tmp_path: Path) -> None:
    waits: list[float] = []
    staged = Staged(tmp_path / "temporary", tmp_path / "a.txt")

    with pytest.raises(LockedError, match=r"a\.txt"):
        staged.publish(waits.append, _viewer(3, number))

    assert len(waits) == 2
    assert waits[1] > waits[0]


def test_a_target_that_becomes_free_in_time_is_replaced(tmp_path: Path) -> None:
    staged = Staged(tmp_path / "temporary", tmp_path / "a.txt")
    staged.temporary.write_bytes(b"new")

    staged.publish(lambda seconds: None, _viewer(2, errno.EBUSY))

    assert staged.target.read_bytes() == b"new"


def _viewer(holds: int, number: int) -> Callable[[Path, Path], object]:
    """A program that holds the target open for so many tries, as on Windows."""
    left = iter(range(holds))

    def move(source: Path, target: Path) -> object:
        if next(left, None) is not None:
            raise OSError(number, os.strerror(number))
        return source.replace(target)

    return move


def test_a_folder_at_the_target_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()

    with pytest.raises(OutputExistsError):
        write_whole(tmp_path / "a.txt", b"x")

    assert [place.name for place in tmp_path.iterdir()] == ["a.txt"]


def test_a_missing_folder_is_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(OutputPermissionError):
        write_whole(tmp_path / "gone" / "a.txt", b"x")
