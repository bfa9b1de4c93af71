"""Windows alone: who dies with whom, orders to end, line ends, and paths that only Windows has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

if sys.platform != "win32":
    pytest.skip("tells of what only Windows has", allow_module_level=True)

from ocr_worker.cli.commands.doctor import _one_line_pdf
from ocr_worker.store.job_store import JobStore
from tests.e2e import tree
from tests.e2e.host import Host, Launch, StartWorker
from tests.e2e.material import Material
from tests.faults.host import nothing_is_left
from tests.keys import SEEN, at_a_console, listening
from tests.limits import HANG_SECONDS, IS_WINE

if sys.platform == "win32":
    from tests.files.handles import READ, SHARE_READ, WRITE, held

assert sys.platform == "win32"

DOOMED_HOST = Path(__file__).with_name("doomed_host.py")
PROMISED_SECONDS = 2.0
WAYS = ("host", "host behind a launcher", "worker")


@contextmanager
def doomed_host(way: str, material: Material, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A host process whose worker is in the middle of a long page."""
    batch = {
        "command": "ocr_batch",
        "files": [str(material.slow)],
        "output_dir": str(folder / "out"),
    }
    order = json.dumps({"way": "launcher" if "launcher" in way else "direct", "batch": json.dumps(batch)})
    environment = {**os.environ, "OCR_WORKER_STATE_DIR": str(folder / "state")}
    host = subprocess.Popen([sys.executable, DOOMED_HOST, order], env=environment)
    try:
        with closing(JobStore(folder / "state")) as store:
            tree.wait_until(lambda: is_in_work(store), "a page in work")
        yield host
    finally:
        host.kill()
        host.wait(HANG_SECONDS)
        tree.kill_all(folder / "state")


def is_in_work(store: JobStore) -> bool:
    jobs = store.jobs(None, 0, 1)
    return any(page.attempts == 1 for job in jobs for page in store.pages(job.job_id, 1))


def seconds_until_gone(way: str, material: Material, folder: Path) -> float:
    """From the kill to the end of the worker's last process."""
    with doomed_host(way, material, folder) as host:
        # One may end as it is asked.
        words = {process: tree.words(process) for process in tree.alive(folder / "state")}
        [worker] = [process for process in words if words[process][1:] == ["-m", "ocr_worker"]]
        # Each console has a process of the system's that ends with it.
        doomed = [worker, *(process for process in words if "page-process" in words[process])]
        assert len(doomed) >= 2
        begun = time.monotonic()
        if way == "worker":
            worker.kill()
        else:
            host.kill()
        tree.wait_until(
            lambda: not any(map(psutil.Process.is_running, doomed)), "the worker's processes are gone"
        )
        return time.monotonic() - begun


@pytest.mark.parametrize("way", WAYS)
def test_when_host_or_worker_is_killed_in_mid_page_the_whole_tree_goes(
    way: str, material: Material, tmp_path: Path
) -> None:
    assert seconds_until_gone(way, material, tmp_path) < HANG_SECONDS


@pytest.mark.faults_long
@pytest.mark.timeout(20 * HANG_SECONDS)
def test_of_twenty_kills_each_takes_the_whole_tree_within_the_time_that_is_promised(
    material: Material, tmp_path: Path
) -> None:
    times = list[float]()
    for number in range(20):
        way = WAYS[number % len(WAYS)]
        times.append(seconds_until_gone(way, material, tmp_path / str(number)))
        sys.stderr.write(f"{way}: gone after {times[-1]:.2f} s\n")

    assert max(times) < PROMISED_SECONDS


@pytest.fixture
def breakable(start_worker: StartWorker, tmp_path: Path) -> tuple[Host, Path]:
    """A worker, and the file that tells it of a key."""
    order = tmp_path / "break"
    return start_worker(Launch(command=listening(order))), order


def assert_a_key_ends_its_job(worker: Host, order: Path, key: str, page: Path, out: Path) -> None:
    """`key` is pressed by writing it into `order`, in mid-page."""
    job = worker.batch([page], out)
    worker.wait_in_work(job, 1)

    order.write_text(key)
    ended = worker.wait_end(job)

    assert (ended["status"], ended["reason"]) == ("cancelled", key)
    assert worker.exit_code() == 128 + signal.Signals[key]
    tree.wait_gone(worker.state)


@pytest.mark.parametrize("key", ["SIGINT", "SIGBREAK"])
def test_ctrl_c_and_ctrl_break_end_the_job_with_its_terminal_event_and_the_worker_with_its_code(
    breakable: tuple[Host, Path], material: Material, tmp_path: Path, key: str
) -> None:
    worker, order = breakable
    assert_a_key_ends_its_job(worker, order, key, material.slow, tmp_path / "out")


@pytest.mark.parametrize("key", ["SIGINT", "SIGBREAK"])
def test_a_key_that_the_system_sends_to_the_console_ends_job_and_worker_alike(
    start_worker: StartWorker, material: Material, tmp_path: Path, key: str
) -> None:
    if IS_WINE and key == "SIGBREAK":
        pytest.skip("Wine's consoles know no Ctrl-Break")
    order = tmp_path / "press"
    worker = start_worker(Launch(command=at_a_console(order), flags=subprocess.CREATE_NO_WINDOW))
    assert_a_key_ends_its_job(worker, order, key, material.slow, tmp_path / "out")


def test_ctrl_break_ends_a_worker_that_waits_for_commands(breakable: tuple[Host, Path]) -> None:
    worker, order = breakable
    worker.ask("ping")

    order.write_text("SIGBREAK")

    assert worker.exit_code() == 128 + signal.SIGBREAK


def test_a_worker_that_is_terminated_takes_its_pages_along_and_leaves_its_job_to_be_resumed(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    first = start_worker()
    job = first.batch(
        [material.quick, material.pdf(tmp_path / "in.pdf", "qm")], tmp_path / "out", max_workers=1
    )
    first.wait_in_work(job, 2, page=2)
    first.process.terminate()
    tree.wait_gone(first.state)

    second = start_worker()
    (found,) = second.ask("list_jobs")["data"]["jobs"]
    second.ask("resume", job_id=job)
    ended = second.wait_end(job)

    assert (found["job_id"], found["state"]) == (job, "interrupted")
    assert (ended["status"], len(ended["successful"])) == ("completed", 2)
    nothing_is_left(tmp_path / "out")
    assert [page.attempts for page in second.store.pages(job, 2)] == [1, 2]


def test_files_that_other_programs_hold_are_locked_and_done_in_the_retry(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    copied, viewed = material.quick_files(tmp_path / "in", 2)
    output = tmp_path / "out" / f"{viewed.stem}.pdf"
    output.parent.mkdir()
    output.write_bytes(b"old")
    with held(copied, WRITE, 0), held(output, READ, SHARE_READ):
        job = worker.batch(
            [copied, viewed], output.parent, on_existing="overwrite", max_lock_wait_seconds=0.1
        )
        ended = worker.wait_end(job)
    kept = output.read_bytes()

    worker.ask("retry_failed", job_id=job)
    again = worker.wait_end(job, runs=2)
    free = worker.wait_end(worker.batch([copied], output.parent))

    assert [(one["file"], one["reason"]) for one in ended["skipped"]] == [(str(copied), "locked")]
    assert [(one["file"], one["code"]) for one in ended["failed"]] == [(str(viewed), "locked")]
    assert kept == b"old"
    assert (again["failed"], len(again["successful"]), len(free["successful"])) == ([], 1, 1)
    assert output.read_bytes().startswith(b"%PDF")
    nothing_is_left(output.parent)


def test_devices_among_the_inputs_cost_themselves_alone(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    devices = [tmp_path / name for name in ("nul", "CON", "com9")]

    ended = worker.wait_end(worker.batch([*devices, material.quick], tmp_path / "out", outputs=["txt"]))

    assert len(ended["successful"]) == 1
    assert {one["code"] for one in ended["failed"]} <= {"not_regular", "not_found"}
    assert len(ended["failed"]) == len(devices)


@pytest.mark.parametrize("flag", [subprocess.DETACHED_PROCESS, subprocess.CREATE_NO_WINDOW])
def test_a_command_at_the_end_of_a_batch_opens_no_window_where_nobody_has_a_console_to_see(
    material: Material, tmp_path: Path, flag: int
) -> None:
    hook = tmp_path / "hook.py"
    hook.write_text(f"{SEEN}\nopen('seen', 'w').write(str(seen))")
    words = [sys.executable, "-m", "ocr_worker", "batch", str(material.quick), "-o", str(tmp_path / "out")]

    done = subprocess.run(
        [*words, "--on-finish", f'"{sys.executable}" "{hook}"'], creationflags=flag, cwd=tmp_path,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HANG_SECONDS,
        env={**os.environ, "OCR_WORKER_STATE_DIR": str(tmp_path / "state")},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "seen").read_text() == "(0, True)", done.stderr


def test_what_the_code_page_of_a_pipe_lacks_is_printed_escaped(tmp_path: Path) -> None:
    paper = tmp_path / "ä日本.pdf"
    paper.write_bytes(_one_line_pdf("A line"))

    said = subprocess.run(
        [sys.executable, "-m", "ocr_worker", "inspect", str(paper)],
        capture_output=True, timeout=HANG_SECONDS,
        env={**os.environ, "OCR_WORKER_STATE_DIR": str(tmp_path), "PYTHONIOENCODING": "cp850", "COLUMNS": "300"},
    )  # fmt: skip

    assert said.returncode == 0, said.stderr
    assert r"ä\u65e5\u672c.pdf" in said.stdout.decode("cp850")


def test_lines_end_as_the_protocol_says_and_commands_may_end_as_windows_has_it(tmp_path: Path) -> None:
    commands = b'{"command":"hello","protocol":[1]}\r\n{"command":"ping","id":7}\r\n'

    said = subprocess.run(
        [sys.executable, "-m", "ocr_worker"], input=commands, capture_output=True, timeout=HANG_SECONDS,
        env={**os.environ, "OCR_WORKER_STATE_DIR": str(tmp_path)},
    )  # fmt: skip

    events = [json.loads(line) for line in said.stdout.splitlines()]
    assert b"\r" not in said.stdout
    assert [event["type"] for event in events] == ["result", "result"]
    assert said.returncode == 0


@pytest.mark.parametrize("folder", ["плохие имена 日本", "d" * 120])
def test_names_that_windows_alone_finds_hard_come_out_as_files(
    worker: Host, material: Material, tmp_path: Path, folder: str
) -> None:
    place = Path(f"\\\\?\\{tmp_path}", folder, folder)
    place.mkdir(parents=True)
    names = ["Ünï ß.png", "a.b..png", "x" * 150 + ".png"]
    files = [place / name for name in names]
    for file in files:
        file.write_bytes(material.quick.read_bytes())

    job = worker.batch(
        [Path(str(file).removeprefix("\\\\?\\")) for file in files],
        tmp_path / folder / "out",
        outputs=["txt"],
    )
    ended = worker.wait_end(job)

    assert ended["failed"] == []
    outputs = [Path(done["output"]) for done in ended["successful"]]
    assert len(outputs) == len(names)
    assert all(output.read_text(encoding="utf-8").strip() for output in outputs)
