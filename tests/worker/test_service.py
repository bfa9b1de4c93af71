"""The service, driven by hand where the loop's order of messages and ticks would hide a gap."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.corpora import Sample
from ocr_worker.caller import Surroundings
from ocr_worker.jobs import JobEvent, Origin, ProgressMade
from ocr_worker.options import make_request
from ocr_worker.page_slot import SlotMessage
from ocr_worker.service import OCRBatchService
from ocr_worker.settings import Settings

LIMIT_SECONDS = 60


@pytest.mark.timeout(2 * LIMIT_SECONDS)
def test_what_was_heard_before_a_pause_is_told_though_no_tick_has_taken_it_in(
    sample: Callable[[str], Sample], tmp_path: Path
) -> None:
    inbox, events = queue.Queue[SlotMessage](), list[JobEvent]()
    settings = Settings(tmp_path / "state", page_processes=1)
    service = OCRBatchService(around=Surroundings(settings, inbox.put, events.append, progress_seconds=1000))
    try:
        request = make_request([sample("scanned_pdf").path], tmp_path / "out", {})
        job, _ = service.submit(request, Origin("ocr_batch", None))
        service.advance()
        while not service.store.pages(job, 1):
            service.handle(inbox.get(timeout=LIMIT_SECONDS))
            service.tick()

        service.handle(inbox.get(timeout=LIMIT_SECONDS))
        service.pause([job])
    finally:
        service.cleanup()

    told = [event.fields["current"] for event in events if isinstance(event, ProgressMade)]
    assert told == [0, 1]
