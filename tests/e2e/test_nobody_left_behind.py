"""However the host or the worker ends, no process of the worker stays, and the exit code says what happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from ocr_worker.store.job_store import JobStore
from tests.e2e import tree
from tests.e2e.host import Host, Launch, StartWorker
from tests.e2e.material import Material
from tests.hold import Hold
from tests.limits import HANG_SECONDS

DOOMED_HOST = Path(__file__).with_name("doomed_host.py")
HANG = """
import os, signal
if "page-process" not in " ".join(open("/proc/self/cmdline").read().split("\\0")):
    # sum over a range is one C loop: it holds the interpreter lock and looks at no signal.
    signal.signal(signal.SIGUSR1, lambda *_: sum(range(10**15)))
"""


def slow_job(host: Host, material: Material, folder: Path, **options: Any) -> str:
    """Start a job with one file done and a long page in work."""
    files = [*material.quick_files(folder / "in", 1), material.pdf(folder / "in" / "slow.pdf", "hh")]
    job = host.batch(files, folder / "out", **options)
    host.wait_file_done(job)
    host.wait_in_work(job, 2)
    return job


@contextmanager
def doomed_host(way: str, material: Material, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A host process in the middle of a long page; it, its launcher and the worker are gone in the end."""
    batch = {
        "command": "ocr_batch",
        "files": [str(material.pdf(folder / "slow.pdf", "hh"))],
        "output_dir": str(folder / "out"),
    }
    order = json.dumps({"way": way, "batch": json.dumps(batch)})
    own = {"OCR_WORKER_STATE_DIR": str(folder / "state")}
    environment = {**os.environ, **Hold(folder).environment(own)}
    host = subprocess.Popen([sys.executable, DOOMED_HOST, order], env=environment, start_new_session=True)
    try:
        tree.wait_until(lambda: tree.page_processes(folder / "state"), "a page process at work")
        yield host
    finally:
        with suppress(ProcessLookupError):
            os.killpg(host.pid, signal.SIGKILL)
        host.wait(HANG_SECONDS)
        tree.kill_all(folder / "state")


def worker_processes(state: Path) -> set[psutil.Process]:
    """The worker's own processes, without the host and its launcher."""
    return {*tree.alive(state)} - {*tree.named(state, DOOMED_HOST.name)}


@pytest.mark.parametrize("way", ["direct", "launcher"])
def test_when_the_host_is_killed_in_mid_page_the_whole_tree_goes(
    way: str, material: Material, tmp_path: Path
) -> None:
    with doomed_host(way, material, tmp_path) as host:
        host.kill()

        tree.wait_until(lambda: not worker_processes(tmp_path / "state"), "the worker's processes are gone")


def test_when_nobody_reads_stdout_any_more_the_tree_goes_and_the_job_is_interrupted(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = slow_job(worker, material, tmp_path)

    worker.stop_reading()

    assert worker.exit_code() == 0
    tree.wait_gone(worker.state)
    assert JobStore(worker.state).jobs(None, 0, 9)[0].state == "interrupted"
    assert JobStore(worker.state).jobs(None, 0, 9)[0].job_id == job


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_the_job_with_its_terminal_event_and_the_worker_with_its_code(
    worker: Host, material: Material, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    job = slow_job(worker, material, tmp_path)

    worker.process.send_signal(number)
    ended = worker.wait_end(job)

    assert worker.exit_code() == code
    tree.wait_gone(worker.state)
    assert (ended["status"], ended["reason"]) == ("cancelled", number.name)
    assert len(ended["successful"]) == 1
    assert JobStore(worker.state).jobs(None, 0, 9)[0].state == "interrupted"


def test_shutdown_now_ends_the_job_and_the_worker_with_code_0(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = slow_job(worker, material, tmp_path)

    acknowledged = worker.ask("shutdown", mode="now")
    ended = worker.wait_end(job)

    assert acknowledged["type"] == "info"
    assert (ended["status"], ended["reason"]) == ("cancelled", "shutdown")
    assert worker.exit_code() == 0
    tree.wait_gone(worker.state)


@pytest.mark.parametrize(("how", "code"), [("shutdown", 0), ("SIGTERM", 143), ("SIGINT", 130)])
def test_jobs_that_wait_and_paused_ones_end_with_the_worker_and_are_found_interrupted(
    worker: Host, material: Material, tmp_path: Path, how: str, code: int
) -> None:
    jobs = [worker.batch([material.held], tmp_path / str(number)) for number in range(4)]
    worker.wait_in_work(jobs[0], 1)
    worker.ask("pause", job_id=jobs[0])
    worker.wait_in_work(jobs[1], 1)
    worker.ask("pause", job_id=jobs[2])

    if how == "shutdown":
        worker.send("shutdown", mode="now")
    else:
        worker.process.send_signal(signal.Signals[how])

    assert worker.exit_code() == code
    ends = [[end["data"] for end in worker.of(job, "batch")] for job in jobs]
    assert [[(end["status"], end["reason"]) for end in of_one] for of_one in ends] == [
        [("cancelled", how)]
    ] * 4
    tree.wait_gone(worker.state)
    assert {job.state for job in JobStore(worker.state).jobs(None, 0, 9)} == {"interrupted"}


def test_a_drain_finishes_what_was_accepted_and_takes_no_more(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = worker.batch([material.quick], tmp_path / "out")

    worker.ask("shutdown", mode="drain")
    refused = worker.ask("ocr_batch", files=[str(material.quick)], output_dir=str(tmp_path / "out2"))

    assert refused["data"]["code"] == "busy"
    assert worker.wait_end(job)["status"] == "completed"
    assert worker.exit_code() == 0
    tree.wait_gone(worker.state)


def test_at_the_end_of_stdin_what_was_accepted_is_finished(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    commands = [
        {"command": "ocr_batch", "files": [str(material.quick)], "output_dir": str(tmp_path / name)}
        for name in ("one", "two")
    ]

    worker.send_bytes("\n".join(map(json.dumps, commands)).encode("ascii"))
    worker.stdin.close()

    assert worker.exit_code() == 0
    assert [event["data"]["status"] for event in worker.events if event["type"] == "result"] == [
        "completed"
    ] * 2


def test_a_host_may_ask_that_the_end_of_stdin_alone_is_the_end(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    worker.ask("hello", protocol=[1], on_stdin_end="shutdown")
    job = slow_job(worker, material, tmp_path)

    worker.stdin.close()

    assert worker.wait_end(job)["reason"] == "stdin_end"
    assert worker.exit_code() == 0
    tree.wait_gone(worker.state)


def test_a_paused_job_is_stopped_when_no_command_can_come_and_the_page_in_work_is_finished(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    host = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "1"}))
    job = host.batch([material.pdf(tmp_path / "scan.pdf", "qhq")], tmp_path / "out")
    waiting = host.batch([material.quick], tmp_path / "out2")
    host.wait_in_work(job, 1, page=2)
    host.ask("pause")

    host.stdin.close()
    host.hold.let_go()
    ends = [host.wait_end(one) for one in (job, waiting)]

    assert [(end["status"], end["reason"]) for end in ends] == [("stopped", "paused")] * 2
    assert ends[0]["total_pages_processed"] == 2
    assert host.exit_code() == 0


def test_a_worker_killed_in_mid_page_takes_its_page_processes_along(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    slow_job(worker, material, tmp_path)

    worker.process.kill()

    tree.wait_gone(worker.state)


def test_a_worker_killed_in_mid_page_takes_the_tesseract_command_along(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    worker.batch([material.slow], tmp_path / "out", engine="tesseract")
    tree.wait_until(lambda: tree.named(worker.state, "tesseract"), "tesseract at work")

    worker.process.kill()

    tree.wait_gone(worker.state)


def test_a_cancel_ends_the_tesseract_command_too(worker: Host, material: Material, tmp_path: Path) -> None:
    job = worker.batch([material.slow], tmp_path / "out", engine="tesseract")
    tree.wait_until(lambda: tree.named(worker.state, "tesseract"), "tesseract at work")

    worker.send("cancel")
    worker.wait_end(job)

    tree.wait_until(
        lambda: not tree.named(worker.state, "tesseract"),
        "tesseract is gone",
    )


BROKEN = """
import sys
from ocr_worker.__main__ import main
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.stdio.streams import Reader

def fail(*_):
    raise RuntimeError("a fault of ours")

{broken} = fail
sys.argv = ["ocr-worker"]
sys.exit(main())
"""


@pytest.mark.parametrize("broken", ["Reader._read", "Runtime._take"])
def test_a_fault_in_a_thread_or_in_the_loop_is_logged_and_ends_the_worker_with_code_1(
    start_worker: StartWorker, broken: str
) -> None:
    host = start_worker(Launch(command=(sys.executable, "-c", BROKEN.format(broken=broken))))
    with suppress(BrokenPipeError):
        host.send("ping")

    assert host.exit_code() == 1
    tree.wait_gone(host.state)
    assert "RuntimeError: a fault of ours" in host.log.read_text(encoding="utf-8")


def test_an_exit_that_a_library_holds_up_is_ended_by_force(start_worker: StartWorker, tmp_path: Path) -> None:
    hold = "import atexit, threading\natexit.register(threading.Event().wait)\n"
    (tmp_path / "sitecustomize.py").write_text(hold, encoding="utf-8")
    host = start_worker(Launch({"PYTHONPATH": str(tmp_path)}))
    host.ask("ping")

    host.stdin.close()

    assert host.exit_code() == -signal.SIGKILL


def start_detached(start_worker: StartWorker, material: Material, folder: Path, engine: str) -> Host:
    """A worker in a process group of its own, with a long page in the hands of an engine."""
    detached = "import os, sys; os.setsid(); from ocr_worker.__main__ import main; sys.exit(main())"
    one = {"OCR_WORKER_PAGE_PROCESSES": "1"}
    host = start_worker(Launch(one, command=(sys.executable, "-c", detached)))
    job = host.batch([material.slow], folder / "out", engine=engine)
    host.wait_in_work(job, 1)
    assert len(members(host)["guard"]) == 1
    if engine == "tesseract":
        # The command is asked for its version first.
        tree.wait_until(lambda: list(host.state.rglob("*.pgm")), "a page for tesseract")
        tree.wait_until(lambda: tree.named(host.state, "tesseract"), "tesseract at work")
    return host


def members(host: Host) -> dict[str, list[psutil.Process]]:
    """The worker's own processes by what they are; the commands of page processes are not among them."""
    worker = psutil.Process(host.process.pid)
    pages = [child for child in worker.children() if "page-process" in child.cmdline()]
    guards = [child for child in worker.children() if child not in pages]
    return {"worker": [worker], "guard": guards, "page processes": pages}


@pytest.mark.parametrize("engine", ["tesserocr", "tesseract"])
def test_a_kill_of_the_workers_process_group_takes_the_whole_tree(
    start_worker: StartWorker, material: Material, tmp_path: Path, engine: str
) -> None:
    host = start_detached(start_worker, material, tmp_path, engine)

    os.killpg(host.process.pid, signal.SIGKILL)

    tree.wait_gone(host.state)


@pytest.mark.parametrize("engine", ["tesserocr", "tesseract"])
@pytest.mark.parametrize("kills", ["guard, worker", "guard, page processes, worker"])
def test_without_a_guard_the_whole_tree_goes_all_the_same(
    start_worker: StartWorker, material: Material, tmp_path: Path, engine: str, kills: str
) -> None:
    host = start_detached(start_worker, material, tmp_path, engine)
    doomed = [process for name in kills.split(", ") for process in members(host)[name]]
    # A stopped worker can't clean up between two kills.
    host.process.send_signal(signal.SIGSTOP)

    tree.kill(doomed)

    tree.wait_gone(host.state)


@pytest.mark.parametrize("end", ["SIGTERM", "stdout closed"])
def test_a_main_process_that_hangs_with_the_interpreter_lock_held_is_ended_by_force(
    start_worker: StartWorker, material: Material, tmp_path: Path, end: str
) -> None:
    (tmp_path / "hang").mkdir()
    (tmp_path / "hang" / "sitecustomize.py").write_text(HANG, encoding="utf-8")
    host = start_worker(Launch({"PYTHONPATH": str(tmp_path / "hang")}))
    slow_job(host, material, tmp_path)
    used = host.cpu_seconds()

    host.process.send_signal(signal.SIGUSR1)
    tree.wait_until(lambda: host.cpu_seconds() > used + 0.3, "the main process spins")
    if end == "SIGTERM":
        host.process.terminate()
    else:
        host.stop_reading()

    assert host.exit_code() == -signal.SIGKILL
    tree.wait_gone(host.state)
