"""Windows alone: files that other programs hold, with real handles."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

if sys.platform != "win32":
    pytest.skip("tells of sharing violations, which Windows has", allow_module_level=True)

from ocr_worker.errors import LockedError, NotRegularError
from ocr_worker.files.atomic import Staged, held_folder, part_beside
from ocr_worker.files.regular import WAITS, open_regular, read_regular
from ocr_worker.model.tasks import Source
from ocr_worker.outputs.publishing import publish_set
from ocr_worker.pages.source_file import require_unchanged

if sys.platform == "win32":
    import _winapi

assert sys.platform == "win32"

READ, WRITE, SHARE_READ = 0x80000000, 0x40000000, 0x1


@contextmanager
def held(path: Path, access: int, share: int) -> Iterator[list[int]]:
    """A program that has the file open so, until the block ends or the list is emptied by `let_go`."""
    handles = [_winapi.CreateFile(str(path), access, share, 0, _winapi.OPEN_EXISTING, 0, 0)]
    try:
        yield handles
    finally:
        let_go(handles)


def let_go(handles: list[int]) -> None:
    while handles:
        _winapi.CloseHandle(handles.pop())


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.png"
    path.write_bytes(b"a picture\r\n\x1a")
    return path


def test_an_input_that_is_being_copied_is_locked_after_some_tries(scan: Path) -> None:
    waits: list[float] = []

    with held(scan, WRITE, 0):
        with pytest.raises(PermissionError) as refused:
            open_regular(scan, waits.append)
        with pytest.raises(LockedError, match=r"scan\.png"):
            require_unchanged(Source(str(scan)))

    assert refused.value.winerror == 32
    assert waits == list(WAITS)


def test_an_input_that_becomes_free_in_time_is_read_as_it_is(scan: Path) -> None:
    with held(scan, WRITE, 0) as handles, open_regular(scan, lambda _: let_go(handles)) as stream:
        assert stream.read() == b"a picture\r\n\x1a"


def test_who_reads_an_input_stands_in_nobodys_way(scan: Path) -> None:
    with open_regular(scan):
        scan.rename(scan.with_name("moved.png"))
        scan.with_name("moved.png").unlink()


def test_a_folder_is_no_file_that_may_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(NotRegularError):
        require_unchanged(Source(str(tmp_path)))


def test_nobody_moves_an_output_folder_while_files_are_moved_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()

    with held_folder(folder), pytest.raises(PermissionError):
        folder.rename(tmp_path / "moved")
    folder.rename(tmp_path / "moved")

    assert [path.name for path in tmp_path.iterdir()] == ["moved"]


def test_an_output_that_a_viewer_has_open_is_locked_and_stays(tmp_path: Path) -> None:
    target = tmp_path / "scan.pdf"
    target.write_bytes(b"old")
    staged = Staged(part_beside(target), target)
    staged.temporary.write_bytes(b"new")

    with held(target, READ, SHARE_READ), pytest.raises(LockedError, match=r"scan\.pdf"):
        publish_set([staged], lambda _: True)
    kept = read_regular(target)
    publish_set([staged], lambda _: True)

    assert kept == b"old"
    assert target.read_bytes() == b"new"
    assert {path.name for path in tmp_path.iterdir()} - {staged.temporary.name} == {"scan.pdf"}


def test_an_output_whose_viewer_closes_it_in_time_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "scan.pdf"
    target.write_bytes(b"old")
    staged = Staged(part_beside(target), target)
    staged.temporary.write_bytes(b"new")

    with held(target, READ, SHARE_READ) as handles:
        staged.publish(lambda _: let_go(handles))

    assert target.read_bytes() == b"new"


def test_a_path_that_is_too_long_for_windows_is_used_all_the_same(tmp_path: Path) -> None:
    from ocr_worker.files.atomic import write_whole
    from ocr_worker.files.paths import absolute_path

    folder = absolute_path(os.fspath(tmp_path / ("d" * 150) / ("e" * 150)))
    os.makedirs(folder)  # noqa: PTH103  # as text

    write_whole(Path(folder, "f" * 150 + ".txt"), b"whole")

    assert folder.startswith("\\\\?\\")
    assert read_regular(Path(folder, "f" * 150 + ".txt")) == b"whole"
