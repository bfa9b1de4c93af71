"""The stored outcome of a file, and the error that a user sees when a run breaks."""

from __future__ import annotations

import os
from functools import cached_property

from ocr_worker.errors import InternalError, OcrError
from ocr_worker.jobs.course import FileEnds
from ocr_worker.jobs.file_window import FileWindow, OpenFile
from ocr_worker.model.results import FileOutcome, Rehearsal
from ocr_worker.model.tasks import Composed, FailedPage, Failure, Opened, Outcome, Source
from ocr_worker.store.faults import meaning
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredFile

OVERHEAD_BYTES = 8192
"""What a page adds to its file at most: text layer, txt and JSON, as a rule of thumb for dry runs."""


class FileOutcomes:
    """Of the files of one run, where they depend on it."""

    def __init__(self, window: FileWindow, store: JobStore) -> None:
        self._window, self._store = window, store

    def composed(
        self, file: OpenFile, composed: Composed, failed_pages: tuple[FailedPage, ...]
    ) -> FileOutcome:
        assert file.opened is not None
        outputs = composed.outputs
        return FileOutcome(
            status="completed_with_errors" if failed_pages else "completed",
            pages=file.opened.pages,
            output=_main(outputs),
            outputs=outputs,
            warnings=(*file.opened.warnings, *composed.warnings),
            failed_pages=failed_pages,
            confidence=composed.confidence,
        )

    def rehearsed(self, file: OpenFile, opened: Opened) -> FileOutcome:
        """What a dry run tells of a good file: what it is, what would be written, and what that would take."""
        rate = self._measured_rate
        scans = opened.pages - opened.survey["pages_with_text"]
        outputs = self._window.outputs(file.stored)
        return FileOutcome(
            status="completed",
            pages=opened.pages,
            output=_main(outputs),
            outputs=outputs,
            warnings=tuple(opened.warnings),
            rehearsal=Rehearsal(
                survey=opened.survey,
                needed_bytes=int(opened.survey["bytes"] * 1.02) + OVERHEAD_BYTES * opened.pages,
                free_bytes=self._window.free_bytes,
                estimated_seconds=round(scans / rate, 1) if rate else None,
            ),
        )

    def other(self, stored: StoredFile, end: FileEnds) -> FileOutcome:
        """Of a file that was not done: settled before any work, skipped, or failed."""
        match end.reason:
            case "verdict":
                assert stored.verdict is not None
                return stored.verdict
            case "up_to_date":
                outputs = self._window.outputs(stored)
                return FileOutcome(
                    status="skipped", reason="up_to_date", output=_main(outputs), outputs=outputs
                )
            case "locked":
                return FileOutcome(status="skipped", reason="locked")
            case _:
                assert end.failure is not None
                name = Source(os.fsdecode(stored.path)).name
                failure = end.failure.with_name(name)
                return FileOutcome(status="failed", error=failure, page=end.page)

    @cached_property
    def _measured_rate(self) -> float | None:
        """Pages a second on this machine, asked for once: the answer takes longer than looking at a file."""
        return self._store.measured_rate()


def run_error(error: Exception, job_id: str) -> OcrError:
    """What a run's fault means to the user."""
    if isinstance(error, OcrError):
        return error
    ours = meaning(error) or InternalError(f"{type(error).__name__}: the log on stderr has the details.")
    ours.message = f"OCR batch failed: {ours.message} Then resume job {job_id}."
    return ours


def failure_of(outcome: Outcome) -> Failure:
    """What a task ended with, where that is not what was asked for."""
    if isinstance(outcome, Failure):
        return outcome
    return Failure.of(InternalError(f"The page process answered with {type(outcome).__name__}."))


def _main(outputs: dict[str, str]) -> str:
    return outputs.get("pdf") or next(iter(outputs.values()))
