"""Who is dead is known though another has its number by now; where /proc shows nothing the living are not taken for dead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from ocr_worker.files.liveness import UNTOLD, birth, is_dead, own_mark
from ocr_worker.files.sweep import sweep_folders, sweep_parts
from tests.faults.privileges import CAP_SYS_ADMIN, need

SUCCESSOR = """
import os, time
from pathlib import Path
from ocr_worker.files.liveness import is_dead, own_mark

def fork(say):
    told, tell = os.pipe()
    go, let_go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(let_go)
        os.write(tell, say().encode())
        os.read(go, 1)
        os._exit(0)
    os.close(go)
    return pid, os.read(told, 100).decode(), let_go

first, mark, let_go = fork(own_mark)
alive = is_dead(mark)
os.close(let_go)
os.waitpid(first, 0)
# Births are told in ticks, and no number is given again within one of itself.
while int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK")) <= int(mark.rpartition("-")[2]) + 1:
    pass
Path("/proc/sys/kernel/ns_last_pid").write_text(str(first - 1))
second, other, _ = fork(own_mark)
print(first == second, alive, is_dead(mark), is_dead(other))
"""


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


def test_whoever_gets_the_number_of_a_dead_process_is_not_taken_for_it(tmp_path: Path) -> None:
    mark, born = own_mark(), birth(os.getpid())
    assert mark == f"{mark[:8]}-{os.getpid()}-{born}"
    earlier = f"{mark[:8]}-{os.getpid()}-{born}0"
    for name in (mark, earlier):
        (tmp_path / name).mkdir()
        (tmp_path / f".ocr-{name}-0123456789abcdef.part").touch()

    sweep_folders(tmp_path)
    sweep_parts(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {mark, f".ocr-{mark}-0123456789abcdef.part"}


def test_a_mark_of_an_earlier_version_tells_no_birth(tmp_path: Path) -> None:
    earlier = own_mark().rpartition("-")[0]

    assert not is_dead(earlier)


def test_who_can_not_be_seen_is_not_taken_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocr_worker.files.liveness.birth", lambda _: UNTOLD)

    assert not is_dead(own_mark())


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux, which lets root choose the next number")
def test_a_number_that_is_given_again_is_seen() -> None:
    need(CAP_SYS_ADMIN, "choose the number of a process")
    words = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", SUCCESSOR]

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.stdout.split() == ["True", "False", "True", "False"], done.stderr
