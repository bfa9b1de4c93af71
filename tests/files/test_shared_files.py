"""Windows alone: files that other programs hold, with real handles."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

if sys.platform != "win32":
    pytest.skip("tells of sharing violations, which Windows has", allow_module_level=True)

from ocr_worker.errors import LockedError, NotFoundError, NotRegularError, OcrError
from ocr_worker.files.atomic import Staged, held_folder, part_beside, write_whole
from ocr_worker.files.paths import absolute_path
from ocr_worker.files.regular import WAITS, open_regular, read_regular
from ocr_worker.model.tasks import Source
from ocr_worker.outputs.publishing import publish_set
from ocr_worker.pages.source_file import require_unchanged

if sys.platform == "win32":
    import _winapi

    from tests.files.handles import READ, SHARE_READ, WRITE, held, let_go

assert sys.platform == "win32"


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


@pytest.mark.parametrize("device", ["nul", "NUL", "con", "aux", "com9", r"\\.\nul", "nul."])
def test_a_device_is_no_file_in_whatever_folder_it_is_named(tmp_path: Path, device: str) -> None:
    path = device if device.startswith("\\") else str(tmp_path / device)

    with pytest.raises((NotRegularError, NotFoundError)):
        require_unchanged(Source(absolute_path(path)))


def test_a_pipe_that_nobody_writes_to_holds_nobody_up() -> None:
    name = f"\\\\.\\pipe\\ocr-{os.getpid()}"
    pipe = _winapi.CreateNamedPipe(name, _winapi.PIPE_ACCESS_DUPLEX, 0, 1, 512, 512, 0, 0)
    try:
        with pytest.raises(OcrError):
            require_unchanged(Source(name))
    finally:
        _winapi.CloseHandle(pipe)


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
    folder = absolute_path(os.fspath(tmp_path / ("d" * 150) / ("e" * 150)))
    os.makedirs(folder)  # noqa: PTH103  # as text

    write_whole(Path(folder, "f" * 150 + ".txt"), b"whole")

    assert folder.startswith("\\\\?\\")
    assert read_regular(Path(folder, "f" * 150 + ".txt")) == b"whole"
