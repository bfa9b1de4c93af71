"""The service, driven by hand where the loop's order of messages and ticks would hide a gap."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ocr_worker.jobs.requests import make_request
from ocr_worker.jobs.runtime import Surroundings
from ocr_worker.jobs.service import JobService
from ocr_worker.model.jobs import JobEvent, JobFailed, JobId, Origin, ProgressMade
from ocr_worker.processes.slot import SlotMessage
from ocr_worker.settings import Settings
from ocr_worker.store.job_store import JobStore
from samples import Sample
from tests.limits import HANG_SECONDS


@dataclass(frozen=True, slots=True)
class Desk:
    """A service with one page process, and what it has said."""

    service: JobService
    inbox: queue.Queue[SlotMessage]
    events: list[JobEvent]

    def begin(self, file: Path, output_dir: Path) -> JobId:
        """Start a job, and hear the end of its first page, which no tick has taken in yet."""
        job, _ = self.service.submit(make_request([file], output_dir, {}), Origin("ocr_batch", None))
        self.service.advance()
        while not self.service.store.pages(job, 1):
            self.service.handle(self.inbox.get(timeout=HANG_SECONDS))
            self.service.tick()
        self.service.handle(self.inbox.get(timeout=HANG_SECONDS))
        return job


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    inbox, events = queue.Queue[SlotMessage](), list[JobEvent]()
    settings = Settings(tmp_path / "state", page_processes=1)
    around = Surroundings(settings, inbox.put, events.append, progress_seconds=1000)
    service = JobService(around)
    yield Desk(service, inbox, events)
    service.cleanup()


def test_what_was_heard_before_a_pause_is_told_though_no_tick_has_taken_it_in(
    desk: Desk, sample: Callable[[str], Sample], tmp_path: Path
) -> None:
    job = desk.begin(sample("scanned_pdf").path, tmp_path / "out")

    desk.service.pause([job])

    told = [event.fields["current"] for event in desk.events if isinstance(event, ProgressMade)]
    assert told == [0, 1]


def test_a_job_that_ends_by_what_was_heard_before_a_pause_is_not_paused(
    desk: Desk, sample: Callable[[str], Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    job = desk.begin(sample("scanned_pdf").path, tmp_path / "out")
    monkeypatch.setattr(JobStore, "page_ended", break_down)

    desk.service.pause([job])

    ended = desk.service.store.job(job)
    assert ended
    assert ended.state == "failed"
    assert isinstance(desk.events[-1], JobFailed)
