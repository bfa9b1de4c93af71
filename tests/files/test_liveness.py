"""Where /proc is not there, or hides the processes of others, the living are not taken for dead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from ocr_worker.files.liveness import birth, is_dead, own_mark
from ocr_worker.files.sweep import sweep_parts


@pytest.fixture
def no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(path: Path) -> NoReturn:
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_bytes", absent)


@pytest.mark.usefixtures("no_proc")
def test_without_proc_the_living_live_and_the_dead_are_dead(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    here = own_mark().partition("-")[0]
    mine, dead = f".ocr-{own_mark()}-00.part", f".ocr-{here}-{process.pid}-00.part"
    for name in (mine, dead):
        (tmp_path / name).touch()

    sweep_parts(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == [mine]
    assert birth(os.getpid()) == birth(os.getpid()) is not None
    assert is_dead(f"{here}-{2**40}")


@pytest.mark.usefixtures("no_proc")
def test_the_process_of_another_user_that_is_hidden_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_ours(pid: int, number: int) -> NoReturn:
        raise PermissionError(pid, number)

    monkeypatch.setattr(os, "kill", not_ours)

    assert birth(1) is not None
