"""What is stored and told of a file that has ended, and what a fault of a run means to the user."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ocr_worker.errors import CrashedError, InternalError, OcrError, no_space
from ocr_worker.jobs.file_window import FileInWork, JobWindow
from ocr_worker.model.tasks import Composed, FailedPage, Failure, Opened, Outcome, Source
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredFile
from ocr_worker.store.schema import store_error

OVERHEAD_BYTES = 8192
"""What a page adds to its file at most: text layer, txt and JSON, as a rule of thumb for dry runs."""


class FileOutcomes:
    """Of the files of one run, where they depend on it."""

    def __init__(self, window: JobWindow, store: JobStore) -> None:
        self._window, self._store = window, store

    def composed(
        self, file: FileInWork, opened: Opened, composed: Composed, failed_pages: Sequence[FailedPage]
    ) -> dict[str, Any]:
        fields = self._good(file, opened, "completed_with_errors" if failed_pages else "completed")
        fields["warnings"] += composed.warnings
        if failed_pages:
            fields["failed_pages"] = [
                {"page": p.page, "code": p.code, "error": p.error} for p in failed_pages
            ]
        return {**fields, "confidence": composed.confidence}

    def dry_run(self, file: FileInWork, opened: Opened) -> dict[str, Any]:
        """What a dry run tells of a good file: what it is, what would be written, and what that would take."""
        rate = self._measured_rate
        scans = opened.pages - opened.survey["pages_with_text"]
        needed = int(opened.survey["bytes"] * 1.02) + OVERHEAD_BYTES * opened.pages
        return {
            **self._good(file, opened, "completed"),
            "survey": opened.survey,
            "needed_bytes": needed,
            "free_bytes": free_bytes(self._window.folder),
            "estimated_seconds": round(scans / rate, 1) if rate else None,
        }

    def up_to_date(self, file: FileInWork) -> dict[str, Any]:
        return {"status": "skipped", "reason": "up_to_date", **self._outputs(file)}

    def _good(self, file: FileInWork, opened: Opened, status: str) -> dict[str, Any]:
        return {
            "status": status,
            "pages": opened.pages,
            "warnings": list(opened.warnings),
            **self._outputs(file),
        }

    @cached_property
    def _measured_rate(self) -> float | None:
        """Pages a second on this machine, asked for once: the answer takes longer than looking at a file."""
        return self._store.measured_rate()

    def _outputs(self, file: FileInWork) -> dict[str, Any]:
        outputs = self._window.outputs(file.stored)
        return {"output": outputs.get("pdf") or next(iter(outputs.values())), "outputs": outputs}


def locked_outcome() -> dict[str, Any]:
    """Another program would not let the file go."""
    return {"status": "skipped", "reason": "locked"}


def failed_outcome(failure: Failure, page: int | None) -> dict[str, Any]:
    error = {"code": failure.code, "message": failure.message, "retryable": failure.retryable}
    return {"status": "failed", "error": error, "page": page}


def fatal_outcome(file: StoredFile, deaths: int) -> dict[str, Any]:
    """The outcome of a file that is not tried again."""
    name = Source(os.fsdecode(file.path)).name
    error = CrashedError(f"{name}: the worker ended {deaths} times while this file was opened or written")
    fields = {"code": error.code, "message": error.message, "retryable": error.retryable}
    return {"status": "failed", "error": fields}


def free_bytes(folder: Path) -> int:
    """Room on the disk that holds a folder, or will hold it once it is made."""
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return shutil.disk_usage(place).free


def run_error(error: Exception, job_id: str) -> OcrError:
    """What a run's fault means to the user."""
    if isinstance(error, OcrError):
        return error
    ours = no_space(error, getattr(error, "filename", None)) or (
        store_error(error)
        if isinstance(error, sqlite3.Error)
        else InternalError(f"{type(error).__name__}: the log on stderr has the details.")
    )
    ours.message = f"OCR batch failed: {ours.message} Then resume job {job_id}."
    return ours


def failure_of(outcome: Outcome) -> Failure:
    if isinstance(outcome, Failure):
        return outcome
    return Failure("internal", f"The page process answered with {type(outcome).__name__}.", retryable=False)
