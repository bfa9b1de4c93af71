"""What macOS gets of ours, run on Linux: each of our modules takes the system for macOS (`tests/e2e/macos`).

So page processes get no signal when the worker dies, there is no sandbox and no /proc, and memory is watched instead of
limited. What macOS itself does differently is not shown.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e import tree
from tests.e2e.host import Host, Launch, StartWorker
from tests.e2e.material import Material
from tests.faults import documents
from tests.faults.host import nothing_is_left
from tests.hold import Hold
from tests.limits import HANG_SECONDS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="has Linux stand for macOS")

MACOS = Path(__file__).with_name("macos")
DOOMED_HOST = Path(__file__).with_name("doomed_host.py")
OWN = {"PYTHONPATH": str(MACOS), "OCR_WORKER_PAGE_PROCESSES": "2", "OCR_WORKER_MEMORY_LIMIT_MIB": "300"}


@pytest.fixture
def worker(start_worker: StartWorker) -> Host:
    return start_worker(Launch(OWN))


@pytest.fixture
def in_work(worker: Host, material: Material, tmp_path: Path) -> str:
    """A job of which a page is in work."""
    job = worker.batch([material.quick, material.held], tmp_path / "out")
    worker.hold.wait()
    return job


def test_files_are_read_and_one_that_takes_too_much_memory_is_too_large(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    bomb = tmp_path / "bomb.pdf"
    bomb.write_bytes(documents.flate_bomb())

    ended = worker.wait_end(worker.batch([bomb, material.quick], tmp_path / "out"))

    assert [one["file"] for one in ended["successful"]] == [str(material.quick)]
    assert [one["code"] for one in ended["failed"]] == ["too_large"]
    nothing_is_left(tmp_path / "out")


def test_a_signal_ends_the_job_and_the_worker_with_its_code(worker: Host, in_work: str) -> None:
    worker.process.send_signal(signal.SIGTERM)

    assert worker.wait_end(in_work)["reason"] == "SIGTERM"
    assert worker.exit_code() == 128 + signal.SIGTERM
    tree.wait_gone(worker.state)


@pytest.mark.usefixtures("in_work")
def test_when_nobody_reads_stdout_any_more_the_tree_goes(worker: Host) -> None:
    worker.stop_reading()

    assert worker.exit_code() == 0
    tree.wait_gone(worker.state)


@pytest.mark.usefixtures("in_work")
@pytest.mark.parametrize("is_alone", [False, True])
def test_a_worker_that_is_killed_takes_its_page_processes_along_even_after_its_guard(
    worker: Host, *, is_alone: bool
) -> None:
    guards = [
        one for one in psutil.Process(worker.process.pid).children() if "page-process" not in one.cmdline()
    ]
    assert len(guards) == 1
    if is_alone:
        # A stopped worker can't end between the two.
        worker.process.send_signal(signal.SIGSTOP)
        tree.kill(guards)

    worker.process.kill()

    tree.wait_gone(worker.state)


@pytest.fixture
def host(material: Material, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A host process of whose batch a page is in work, by a worker behind a launcher that holds its pipes."""
    batch = {
        "command": "ocr_batch",
        "files": [str(material.held)],
        "output_dir": str(tmp_path / "out"),
    }
    order = json.dumps({"way": "launcher", "batch": json.dumps(batch)})
    hold = Hold(tmp_path)
    own = {**OWN, "OCR_WORKER_STATE_DIR": str(tmp_path / "state")}
    host = subprocess.Popen(
        [sys.executable, DOOMED_HOST, order],
        env={**os.environ, **hold.environment(own)},
        start_new_session=True,
    )
    hold.wait()
    yield host
    with suppress(ProcessLookupError):
        os.killpg(host.pid, signal.SIGKILL)
    host.wait(HANG_SECONDS)
    tree.kill_all(tmp_path / "state")


def test_when_the_host_is_killed_the_whole_tree_goes(host: subprocess.Popen[bytes], tmp_path: Path) -> None:
    state = tmp_path / "state"

    host.kill()

    tree.wait_until(
        lambda: not {*tree.alive(state)} - {*tree.named(state, DOOMED_HOST.name)},
        "the worker's processes are gone",
    )
