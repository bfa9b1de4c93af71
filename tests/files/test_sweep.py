"""What a killed process left is removed, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_worker.files.liveness import own_mark
from ocr_worker.files.sweep import remove_tree, sweep_folders, sweep_parts


def dead_mark() -> str:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return f"{own_mark().partition('-')[0]}-{process.pid}"


def test_parts_of_dead_processes_go_and_those_of_living_ones_and_all_else_stay(tmp_path: Path) -> None:
    kept = {
        f".ocr-{own_mark()}-0123456789abcdef.part",
        ".ocr-00000000-1-0123456789abcdef.part",
        ".ocr-notes.part",
        "scan.pdf",
        ".hidden",
        "x.part",
    }
    for name in (*kept, f".ocr-{dead_mark()}-0123456789abcdef.part"):
        (tmp_path / name).touch()

    sweep_parts(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == kept


def test_folders_of_dead_processes_go(tmp_path: Path) -> None:
    for name in (own_mark(), dead_mark(), "00000000-1", "tessdata"):
        (tmp_path / name / "deep").mkdir(parents=True)

    sweep_folders(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {own_mark(), "00000000-1", "tessdata"}


def test_a_folder_that_is_not_there_is_swept_already(tmp_path: Path) -> None:
    sweep_parts(tmp_path / "none")
    sweep_folders(tmp_path / "none")


@pytest.mark.skipif(sys.platform == "win32", reason="a path has an end there")
def test_a_folder_is_removed_however_deep_it_is_and_no_link_in_it_or_for_it_is_followed(
    tmp_path: Path,
) -> None:
    """As a process may leave it that a hostile file has taken over."""
    victim, name = tmp_path / "victim", dead_mark()
    (victim / "deep").mkdir(parents=True)
    (victim / "file").touch()
    (tmp_path / name).mkdir()
    at = os.open(tmp_path / name, os.O_RDONLY)
    for number in range(sys.getrecursionlimit() + 100):
        os.symlink(victim, f"link{number}", dir_fd=at)
        os.mkdir("deeper", dir_fd=at)
        inner = os.open("deeper", os.O_RDONLY, dir_fd=at)
        os.fchmod(at, 0)
        os.close(at)
        at = inner
    os.close(at)

    sweep_folders(tmp_path)
    (tmp_path / name).symlink_to(victim)
    sweep_folders(tmp_path)
    remove_tree(tmp_path / name)

    assert {path.name for path in tmp_path.iterdir()} == {"victim", name}
    assert {path.name for path in victim.iterdir()} == {"deep", "file"}
