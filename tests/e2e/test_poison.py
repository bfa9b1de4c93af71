"""An input that ends the worker itself, in whatever step, is given up after some runs, and the job goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.host import Launch, StartWorker
from tests.e2e.material import Material
from tests.long_rows import first

DEATHS = 3
"""After two it is worked on last and alone; the third tells that it was the cause."""
POISON = """
import os, signal, sys
from pathlib import Path
from ocr_worker.processes import machine
machine._VMSTAT = Path(os.environ["POISONED_MACHINE"])
def end_the_worker(event, arguments):
    if event == os.environ["POISONED_CALL"] and os.environ["POISONED_PATH"] in str(arguments):
        os.write(order, b"x")
        signal.pause()
if "page-process" in sys.orig_argv:
    heard, order = os.pipe()
    worker = os.getppid()
    # A page process may not, but this one comes before it is confined.
    if os.fork() == 0:
        os.close(order)
        if os.read(heard, 1):
            # As it would be had the machine run out of memory.
            ended = int(machine._VMSTAT.read_text().split()[1]) + 1
            machine._VMSTAT.write_text(f"oom_kill {ended}")
            os.kill(worker, signal.SIGKILL)
        os._exit(0)
    os.close(heard)
    sys.addaudithook(end_the_worker)
"""


def poisoned(folder: Path, call: str, path: str) -> Launch:
    """A worker that is killed when one of its page processes does this to such a path."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(POISON, encoding="utf-8")
    (folder / "vmstat").write_text("oom_kill 0", encoding="ascii")
    told = {"POISONED_CALL": call, "POISONED_PATH": path, "POISONED_MACHINE": str(folder / "vmstat")}
    return Launch({"PYTHONPATH": str(folder), **told})


@pytest.mark.parametrize(
    ("call", "path"),
    first(1, [("os.rename", "/1/1.page"), ("open", "poison.png"), ("os.link", "poison.pdf")]),
    ids=["recognised", "opened", "composed"],
)
def test_a_file_that_ends_the_worker_whenever_it_is_worked_on_is_given_up(
    start_worker: StartWorker, material: Material, tmp_path: Path, call: str, path: str
) -> None:
    launch, poison = poisoned(tmp_path / "hook", call, path), tmp_path / "poison.png"
    shutil.copy(material.quick, poison)
    host = start_worker(launch)
    job = host.batch([poison, material.quick], tmp_path / "out", max_workers=1, retries=0)
    for _ in range(DEATHS):
        host.exit_code()
        host = start_worker(launch)
        host.send("resume", job_id=job)

    ended = host.wait_end(job)

    assert ended["status"] == "completed"
    assert [file["file"] for file in ended["successful"]] == [str(material.quick)]
    (failed,) = ended["failed"]
    assert (failed["code"], failed["retryable"]) == ("crashed", True)
    assert "poison.png" in failed["error"]
