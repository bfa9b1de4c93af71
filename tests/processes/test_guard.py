"""The host is seen to be gone without a word to it."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
from contextlib import suppress

import psutil
import pytest

from ocr_worker.files.liveness import birth
from ocr_worker.processes.guard import Guard, HostGone, HostWatch, undelivered, watch_host
from tests.e2e.tree import wait_until
from tests.limits import HANG_SECONDS


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)


def test_a_host_that_reads_is_there_and_one_that_closed_its_end_is_gone() -> None:
    read, write = os.pipe()
    watch = HostWatch(write)

    there = watch.gone(None, 0)
    os.close(read)
    gone = watch.gone(None, HANG_SECONDS)
    os.close(write)

    assert there is None
    assert gone == "stdout has no reader"


def test_a_full_pipe_is_no_sign_of_a_host_that_is_gone() -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    with suppress(BlockingIOError):
        while os.write(write, b"x" * 65536):
            continue

    assert HostWatch(write).gone(None, 0) is None
    os.close(read)
    os.close(write)


def test_a_parent_that_died_is_gone_even_before_anybody_waited_for_it() -> None:
    read, write = os.pipe()
    watch, parent = HostWatch(write), sleeper()

    there = watch.gone(parent.pid, 0)
    parent.kill()
    os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT)
    gone = watch.gone(parent.pid, 0)

    assert there is None
    assert gone is not None
    assert str(parent.pid) in gone
    parent.communicate()
    os.close(read)
    os.close(write)


def test_a_process_that_got_the_number_of_the_parent_is_not_the_parent() -> None:
    read, write = os.pipe()
    births = iter(["then", "then", "later"])
    watch = HostWatch(write, lambda _: next(births))

    gone = [watch.gone(1234, 0) for _ in range(3)]
    os.close(read)
    os.close(write)

    assert gone == [None, None, "the host's process 1234 has ended"]


def test_birth_tells_processes_apart_and_the_dead_have_none() -> None:
    one, other = sleeper(), sleeper()

    births = birth(one.pid), birth(other.pid), birth(one.pid)
    one.kill()
    one.communicate()
    dead = birth(one.pid)
    other.kill()
    other.communicate()

    assert births[0] == births[2] is not None
    assert births[1] is not None
    assert dead is None


def test_the_watching_thread_posts_once_the_host_is_gone() -> None:
    read, write = os.pipe()
    posted: queue.Queue[HostGone] = queue.Queue()
    watch_host(write, lambda: None, posted.put)

    os.close(read)

    assert posted.get(timeout=HANG_SECONDS) == HostGone("stdout has no reader")


def test_a_worker_without_a_guard_may_give_it_any_order() -> None:
    guard = Guard()

    guard.adopt(1)
    guard.release(1)
    guard.watch_parent(1)
    guard.end_within_grace()


GUARDED = """
import signal, subprocess, sys
from ocr_worker.processes.guard import start_guard
signal.signal(signal.SIGTERM, lambda *_: None)
guard = start_guard(1, 0.3)
child = subprocess.Popen(["/bin/sh", "-c", "sleep 600 & sleep 600"], start_new_session=True, stdout=subprocess.DEVNULL)
guard.adopt(child.pid)
print(child.pid, flush=True)
if sys.argv[1] == "order":
    guard.end_within_grace()
if sys.argv[1] == "parent":
    guard.watch_parent(int(sys.argv[2]))
# One C loop: it holds the interpreter lock and looks at no signal.
sum(range(10**15))
"""


@pytest.mark.parametrize("end", ["order", "SIGTERM", "SIGKILL", "group killed", "stdout closed", "parent"])
def test_a_worker_that_cannot_act_is_ended_with_all_that_its_children_started(end: str) -> None:
    with sleeper() as parent:
        command = [sys.executable, "-c", GUARDED, end, str(parent.pid)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as worker:
            assert worker.stdout
            child = int(worker.stdout.readline())

            if end.startswith("SIG"):
                worker.send_signal(signal.Signals[end])
            elif end == "group killed":
                os.killpg(worker.pid, signal.SIGKILL)
            elif end == "stdout closed":
                worker.stdout.close()
            elif end == "parent":
                parent.kill()

            assert worker.wait(HANG_SECONDS) == -signal.SIGKILL
        wait_until(lambda: not living_members(child), "the child's group is gone", HANG_SECONDS)
        parent.kill()


STOPPED = """
import os, signal, subprocess, sys
import psutil
from ocr_worker.processes.guard import start_guard
guard = start_guard(1, 0.3)
[process] = psutil.Process().children()
while not (any("_ctypes" in one.path for one in process.memory_maps()) and process.status() == "sleeping"):
    pass
process.suspend()
child = subprocess.Popen(["/bin/sh", "-c", "sleep 600"], start_new_session=True, stdout=subprocess.DEVNULL)
guard.adopt(child.pid)
for _ in range(20_000):
    guard.adopt(999_999_999)
    guard.release(999_999_999)
print(child.pid, process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone wakes it")
def test_a_guard_that_was_stopped_holds_up_nobody_and_does_its_work_once_the_worker_is_dead() -> None:
    command = [sys.executable, "-c", STOPPED]

    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=HANG_SECONDS, check=False)

    child, guard = map(int, done.stdout.split())
    wait_until(lambda: not living_members(child), "the child's group is gone", HANG_SECONDS)
    wait_until(lambda: not living_members(guard), "the guard is gone", HANG_SECONDS)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells")
def test_signals_that_a_process_has_not_taken_are_seen_unless_it_blocks_them() -> None:
    with sleeper() as process:
        process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        waits = undelivered(process.pid)
        process.kill()
    command = [
        sys.executable,
        "-c",
        "import signal, sys; signal.pthread_sigmask(0, {15}); print(flush=True); sys.stdin.read()",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        other.send_signal(signal.SIGTERM)
        blocked = undelivered(other.pid)

    assert signal.SIGTERM in waits
    assert blocked == set()
    assert undelivered(process.pid) == set()


SLOW_TO_LEAVE = """
import os, time, psutil
from ocr_worker.processes.guard import start_guard
leave = os.setsid
os.setsid = lambda: (time.sleep(0.3), leave())
start_guard(1, 0.3)
[guard] = psutil.Process().children()
print(os.getpgid(guard.pid) != os.getpgid(0))
"""


def test_a_guard_that_is_slow_to_leave_the_workers_group_is_waited_for() -> None:
    command = [sys.executable, "-c", SLOW_TO_LEAVE]

    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_SECONDS, check=True)

    assert done.stdout == "True\n"


def living_members(group: int) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["status"])
        if process.info["status"] != psutil.STATUS_ZOMBIE and group_of(process.pid) == group
    ]


def group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
