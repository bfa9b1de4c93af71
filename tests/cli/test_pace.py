"""How much is done at once, and how fast."""

from __future__ import annotations

import subprocess

import psutil
import pytest

from rigs.papers import write_papers
from tests.cli.command import Command
from tests.limits import HANG_SECONDS


@pytest.mark.parametrize(
    ("words", "configured", "processes"),
    [
        (("--max-workers", "1"), "2", 1),
        (("--max-workers", "2"), "", 2),
        ((), "2", 2),
        ((), "", 3),
        (("--max-workers", "9"), "", 3),
    ],
)
def test_a_batch_has_as_many_page_processes_as_it_may(
    ocr: Command, words: tuple[str, ...], configured: str, processes: int
) -> None:
    write_papers(ocr.home / "in", 6)
    command = Command(
        ocr.home, {"OCR_WORKER_PAGE_PROCESSES": "3", "OCR_WORKER_DEFAULT_MAX_WORKERS": configured}
    )

    with command.start("batch", "in", "-o", "out", "-v", "--pages-per-minute", "1", *words) as process:
        wait_for_first(process)
        found = [
            child for child in psutil.Process(process.pid).children() if "page-process" in child.cmdline()
        ]
        end(ocr, process)

    assert len(found) == processes


def test_after_the_first_page_of_a_minute_the_others_wait(ocr: Command) -> None:
    write_papers(ocr.home / "in", 6)

    with ocr.start("batch", "in", "-o", "out", "-v", "--pages-per-minute", "1") as process:
        wait_for_first(process)
        # In the time of another batch all others would be done.
        other = ocr.answer("batch", "in", "-o", "elsewhere")
        end(ocr, process)

    slow = next(job for job in ocr.answer("jobs") if job["job_id"] != other["job_id"])
    assert len(other["successful"]) == 6
    assert slow["stats"]["completed"] == 1


def wait_for_first(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    while "Finished" not in process.stderr.readline():
        assert process.poll() is None


def end(ocr: Command, process: subprocess.Popen[str]) -> None:
    ocr.interrupt(process)
    process.communicate(timeout=HANG_SECONDS)
