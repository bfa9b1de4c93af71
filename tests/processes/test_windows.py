"""Windows alone: who ends whom by job objects and handles, with real processes."""

from __future__ import annotations

import ctypes
import os
import queue
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import ocr_worker

if sys.platform != "win32":
    pytest.skip("tells of job objects, which Windows has", allow_module_level=True)

from ocr_worker.model.tasks import Failure, InspectTask, Source
from ocr_worker.processes.guard import Guard, HostGone, watch_host
from ocr_worker.processes.pool import PagePool, TaskEnded
from ocr_worker.settings import Settings
from tests.e2e.tree import wait_until
from tests.faults import documents
from tests.keys import SEEN
from tests.limits import HANG_SECONDS, IS_WINE

if sys.platform == "win32":
    from ocr_worker.processes import windows
    from ocr_worker.processes.windows_guard import JobGuard, ParentWatch, PipeWatch

assert sys.platform == "win32"

GRACE_SECONDS = 0.5


def sleeper(**options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, **options)


def test_a_reader_that_closed_its_end_is_gone_and_one_that_is_slow_is_not() -> None:
    read, write = os.pipe()
    watch = PipeWatch(write)
    os.write(write, b"x" * 512)

    there = watch.gone(None, 0)
    os.close(read)
    gone = watch.gone(None, 0)
    os.close(write)

    assert there is None
    assert gone == "stdout has no reader"


def test_what_is_no_pipe_has_no_reader_that_could_go(tmp_path: Path) -> None:
    with (tmp_path / "answers").open("wb") as file:
        assert PipeWatch(file.fileno()).gone(None, 0) is None


def test_a_parent_is_gone_when_it_ends_and_one_that_never_was_is_gone_at_once() -> None:
    parent, watch = sleeper(), ParentWatch()

    there = watch.gone(parent.pid, 0)
    parent.kill()
    gone = watch.gone(parent.pid, HANG_SECONDS)
    parent.communicate()

    assert there is None
    assert gone == f"the host's process {parent.pid} has ended"
    assert ParentWatch().gone(2**31 - 4, 0) is not None


def test_the_watching_threads_post_what_they_see() -> None:
    read, write = os.pipe()
    posted: queue.Queue[HostGone] = queue.Queue()
    watch_host(write, lambda: None, posted.put)

    os.close(read)

    assert posted.get(timeout=HANG_SECONDS) == HostGone("stdout has no reader")


WORKER = """
import subprocess, sys
from ocr_worker.processes.windows_guard import JobGuard
guard = JobGuard({grace})
begun = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=0).wait()"
child = subprocess.Popen([sys.executable, "-c", begun], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
guard.adopt(child.pid)
print(child.pid, flush=True)
sys.stdin.readline()
if sys.argv[1] == "order":
    guard.end_within_grace()
if sys.argv[1] == "parent":
    guard.watch_parent(int(sys.argv[2]))
print("hangs", flush=True)
# One C loop: it holds the interpreter lock.
sum(range(10**15))
"""


@pytest.mark.parametrize("end", ["order", "parent", "kill"])
def test_a_worker_that_holds_the_interpreter_lock_ends_with_all_that_its_children_started(end: str) -> None:
    parent = sleeper()
    command = [sys.executable, "-c", WORKER.format(grace=GRACE_SECONDS), end, str(parent.pid)]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert worker.stdin
    assert worker.stdout
    child = psutil.Process(int(worker.stdout.readline()))
    wait_until(child.children, "the child's own child")
    left = [child, *child.children()]

    worker.stdin.write(b"go\n")
    worker.stdin.flush()
    worker.stdout.readline()
    if end == "parent":
        parent.kill()
    elif end == "kill":
        worker.kill()

    worker.wait(HANG_SECONDS)
    wait_until(lambda: not any(map(is_there, left)), "the child and its child are gone")
    parent.kill()
    parent.communicate()
    worker.communicate()


def is_there(process: psutil.Process) -> bool:
    return process.is_running()


def test_a_guard_without_a_grace_ends_nobody_and_takes_one_that_is_dead() -> None:
    guard, dead = JobGuard(), sleeper()
    dead.kill()
    dead.communicate()

    guard.adopt(dead.pid)
    guard.watch_parent(dead.pid)
    guard.end_within_grace()
    guard.release(dead.pid)


HELD = """
import os, subprocess, sys
from ocr_worker.processes.windows import Job, hold_for_good
job = Job()
job.take(os.getpid())
job.allow(10)
hold_for_good(256 * 2**20, 1)
{bomb}
"""
BOMBS = {
    "memory": "held = [bytearray(16 * 2**20) for _ in range(64)]",
    "processes": "subprocess.run([sys.executable, '-c', ''], check=True)",
    "time": "job.allow(1)\nwhile True: pass",
}


@pytest.mark.skipif(IS_WINE, reason="Wine takes the limits of a job object, and keeps none of them")
@pytest.mark.parametrize("bomb", BOMBS)
def test_the_system_holds_a_process_to_the_limits_of_its_job_objects(bomb: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELD.format(bomb=BOMBS[bomb])], capture_output=True, timeout=HANG_SECONDS
    )

    assert done.returncode != 0
    assert b"MemoryError" in done.stderr or bomb != "memory"


def test_limits_of_job_objects_lie_where_the_system_looks_for_them() -> None:
    """By winnt.h: Wine looks at the size and the flags alone."""
    extended, basic = windows._ExtendedLimits, windows._BasicLimits

    assert (ctypes.sizeof(extended), ctypes.sizeof(basic)) == (144, 64)
    assert (extended.basic.offset, extended.process_memory.offset) == (0, 112)
    assert (basic.process_time.offset, basic.flags.offset, basic.processes.offset) == (0, 16, 40)


def test_limits_of_job_objects_are_taken_within_another_job_and_spare_what_stays_below_them() -> None:
    guard = JobGuard()
    command = [sys.executable, "-c", f"input()\n{HELD.format(bomb='')}print('well')"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    guard.adopt(child.pid)

    said, _ = child.communicate(b"go\n", HANG_SECONDS)

    assert said.strip() == b"well"


def test_a_page_process_that_takes_too_much_memory_is_ended_and_the_page_is_too_large(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.pdf"
    bomb.write_bytes(documents.flate_bomb())
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    pool = PagePool(1, Settings(tmp_path / "state", 1, memory_limit_mib=300), Guard(), inbox.put)
    try:
        pool.start(1, InspectTask(Source(str(bomb))), HANG_SECONDS)
        ended = await_end(pool, inbox)
    finally:
        pool.close()

    assert isinstance(ended.outcome, Failure)
    # Windows refuses the memory, which not every library survives; Wine does not, so that the worker ends the process.
    assert ended.outcome.code in (("too_large",) if IS_WINE else ("too_large", "crashed"))
    assert "memory" in ended.outcome.message


def await_end(pool: PagePool, inbox: queue.SimpleQueue[Any]) -> TaskEnded:
    while True:
        pool.tick()
        with suppress(queue.Empty):
            for ended in pool.handle(inbox.get(timeout=0.1)):
                return ended


def test_a_library_that_asks_a_shell_about_windows_goes_on_without_an_answer_where_no_command_may_be_started() -> (
    None
):
    asked = (
        "import platform; from ocr_worker.processes.sandbox import confine; confine((), '.', None);"
        " print(platform.uname().system)"
    )

    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True)

    assert said.stdout.strip() == "Windows", said.stderr


def test_in_a_virtual_environment_a_page_process_is_the_interpreter_and_not_what_starts_it(
    tmp_path: Path,
) -> None:
    """Else limits and measures would be those of a process that only waits."""
    (tmp_path / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\n", encoding="utf-8")
    starter = str(tmp_path / "Scripts" / "python.exe")
    package = Path(ocr_worker.__file__).parents[1]
    environment = {**os.environ, "__PYVENV_LAUNCHER__": starter, "PYTHONPATH": str(package)}
    asked = (
        "import sys; from ocr_worker.processes.slot import interpreter; print(sys.executable, *interpreter())"
    )

    said = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True)

    told = {"__PYVENV_LAUNCHER__": starter}
    assert said.stdout.strip() == f"{starter} {sys.executable} {told}", said.stderr


def test_a_page_process_inherits_no_handle_of_ours(tmp_path: Path) -> None:
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    read, write = os.pipe()
    os.set_inheritable(write, True)  # noqa: FBT003  # it takes no names
    pool = PagePool(1, Settings(tmp_path / "state", page_processes=1), Guard(), inbox.put)
    try:
        pool.warm(1, None)
        inbox.get(timeout=HANG_SECONDS)

        os.close(write)

        # The end of the pipe: nobody else holds it.
        assert os.read(read, 1) == b""
    finally:
        pool.close()
        os.close(read)


TELLS = f"""
import os, subprocess, sys
if "page-process" in sys.orig_argv:
    del os.environ["PYTHONPATH"]
    asked = "{SEEN}; print(*seen)"
    inner = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    {SEEN}
    with open(os.environ["TOLD"], "w") as told:
        print(*seen, inner, file=told)
"""


def test_neither_a_page_process_nor_a_command_that_it_starts_has_a_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(TELLS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    pool = PagePool(1, Settings(tmp_path / "state", page_processes=1), Guard(), inbox.put)
    try:
        pool.warm(1, None)
        inbox.get(timeout=HANG_SECONDS)
    finally:
        pool.close()

    assert (tmp_path / "told").read_text().split() == ["0", "True", "0", "True"]
