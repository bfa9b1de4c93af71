"""What is told of a job whose place in the store another process has changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ocr_worker.jobs.runtime import Runtime
from ocr_worker.model.events import JobEnded, RunEnd
from ocr_worker.settings import Settings
from ocr_worker.stdio.hello import Session
from ocr_worker.stdio.job_events import EventPublisher, Origin
from ocr_worker.stdio.streams import Writer
from ocr_worker.store.job_store import JobStore
from tests.store.records import new_files, stored_job


@dataclass
class SlowHost:
    """Reads when it is told to."""

    drafts: list[Callable[[], Any]] = field(default_factory=list)

    def put(self, draft: Callable[[], Any]) -> None:
        self.drafts.append(draft)

    def read(self) -> list[Any]:
        return [draft() for draft in self.drafts]


@dataclass
class Settled:
    settings: Settings

    def await_manifest(self, job_id: str) -> None:
        """Its manifest is written."""


def test_a_job_that_was_deleted_before_its_result_was_read_is_told_as_gone_and_not_as_our_fault(
    tmp_path: Path,
) -> None:
    host = SlowHost()
    runtime = cast("Runtime", Settled(Settings(tmp_path / "state", page_processes=1)))
    publisher = EventPublisher(cast("Writer", host), runtime, Session())
    with closing(JobStore(tmp_path / "state")) as store:
        store.add_job(stored_job(state="completed"), new_files(1))
        publisher.expect("job", Origin("ocr_batch", 7))
        publisher.on_event(JobEnded("job", RunEnd("completed", None, 1.0), 1))

        store.delete_job("job")
        (event,) = host.read()

    assert (event.type, event.id, event.data.code) == ("error", 7, "job_not_found")
    assert "deleted before its result was read" in event.data.message
    assert not publisher.is_unread("job")
