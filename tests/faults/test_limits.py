"""A page process is held to limits by the system itself, whatever it is made to do."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from ocr_worker.engines.ocr.registry import installed_engines
from ocr_worker.processes import limits, seccomp
from ocr_worker.settings import settings_from_environment
from tests.e2e.tree import wait_until
from tests.faults.host import Spawn, Worker
from tests.limits import HANG_SECONDS

ENDLESS = """
from ocr_worker.processes import limits
limits.TASK_CPU_SECONDS = 1
limits.Limits(4096 * 2**20).allow_task()
while True:
    pass
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, which Linux has")
def test_a_page_process_has_limits_of_memory_time_files_and_dumps(
    worker: Worker, page: Path, out: Path
) -> None:
    worker.batch([page], out)

    processes = worker.page_processes()

    assert processes
    for process in processes:
        wait_until(partial(_has_begun, process.pid), "the process has limited itself")
        soft = _soft_limits(process.pid)
        assert int(soft["address space"]) == settings_from_environment().memory_limit_mib << 20
        assert soft["core file size"] == "0"
        for name in ("cpu time", "file size", "open files"):
            assert int(soft[name]) > 0
        assert process.nice() > 0
        session = Path(f"/proc/{process.pid}/autogroup")
        if session.exists():
            niceness = limits.SESSION_NICENESS if process.cmdline()[-1] == "pages" else 0
            assert session.read_text(encoding="ascii").endswith(f" nice {niceness}\n")


@pytest.mark.skipif(not seccomp.is_available(), reason="this kernel has no filter of system calls")
@pytest.mark.parametrize("engine", ["tesserocr", "tesseract"])
def test_each_thread_of_a_page_process_that_has_seen_a_file_is_held_by_the_filter(
    engine: str, worker: Worker, page: Path, out: Path
) -> None:
    if engine not in installed_engines():
        pytest.skip(f"needs the engine {engine}")
    assert worker.batch([page], out, engine=engine)["failed"] == []
    worker.ask("inspect", file=str(page))

    threads = [
        thread
        for process in worker.page_processes()
        for thread in Path(f"/proc/{process.pid}/task").iterdir()
    ]

    assert len(threads) > 2
    for thread in threads:
        status = (thread / "status").read_text(encoding="utf-8")
        assert re.findall(r"^(?:Seccomp|NoNewPrivs):\s+(\d)", status, re.MULTILINE) == ["1", "2"]


def _soft_limits(pid: int) -> dict[str, str]:
    limits = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    return dict(re.findall(r"^Max (.+?)  +(\d+|unlimited) ", limits, re.MULTILINE))


def _has_begun(pid: int) -> bool:
    """One that is being warmed up may not have come so far yet; of processor time it allows some for each task."""
    soft = _soft_limits(pid)
    return "unlimited" not in (soft["address space"], soft["cpu time"])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_task_that_nobody_stops_ends_when_its_processor_time_is_spent() -> None:
    ended = subprocess.run([sys.executable, "-c", ENDLESS], timeout=HANG_SECONDS, check=False)

    assert ended.returncode == -signal.SIGXCPU


@pytest.mark.needs("prlimit")
@pytest.mark.parametrize(("files", "code"), [(8, None), (12, "busy")])
def test_a_worker_that_may_open_next_to_nothing_says_so_and_that_it_is_not_its_fault(
    files: int, code: str | None, tmp_path: Path, page: Path
) -> None:
    """With 8 it can't begin."""
    lines = json.dumps({"command": "ocr_batch", "files": [str(page)], "output_dir": str(tmp_path / "out")})

    done = subprocess.run(
        ["prlimit", f"--nofile={files}", *Spawn().command], input=lines, capture_output=True, text=True,
        timeout=HANG_SECONDS, check=False, env={**os.environ, "OCR_WORKER_STATE_DIR": str(tmp_path / "state")},
    )  # fmt: skip

    events = [json.loads(line) for line in done.stdout.splitlines()]
    if code is None:
        assert (done.returncode, events) == (2, [])
        assert "can't start" in done.stderr
    else:
        assert done.returncode == 0
        assert (events[-1]["type"], events[-1]["data"]["code"]) == ("error", code), events[-1]
        assert events[-1]["data"]["retryable"]
