"""What commands look up in the store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ocr_worker.cli.options import worker_settings
from ocr_worker.jobs import queries
from ocr_worker.model.jobs import RESUMABLE, JobId
from ocr_worker.model.results import FileOutcome, JobFile
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.leases import JobLeases
from ocr_worker.store.records import StoredJob

CHUNK = 1000
"""Most rows in memory at once."""
ENDED = ("completed", "failed", "skipped")


@contextmanager
def opened_jobs() -> Iterator[JobLeases]:
    """The stored jobs, without a runtime."""
    leases = JobLeases(worker_settings())
    try:
        yield leases
    finally:
        leases.close(at_once=False)


def last_unfinished(store: JobStore, output_dir: Path | None) -> JobId | None:
    """The most recent job that can be resumed, of an output folder or of all."""
    place = None if output_dir is None else os.path.realpath(output_dir)
    for job in all_jobs(store, None):
        folder = os.path.realpath(os.fsdecode(job.output_path))
        if job.state in RESUMABLE and not job.options.dry_run and place in (None, folder):
            return job.job_id
    return None


def all_jobs(store: JobStore, state: str | None) -> Iterator[StoredJob]:
    """Newest first."""
    for start in range(0, store.job_count(state), CHUNK):
        yield from store.jobs(state, start, CHUNK)


def passwords(store: JobStore, job_id: JobId, word: str | None) -> dict[str, str]:
    """One password for all files of a job, by their paths."""
    if word is None:
        return {}
    return {
        os.fsdecode(file.path): word
        for number in _starts(store, job_id)
        for file in store.files(job_id, None, number, CHUNK)
    }


def ended_files(store: JobStore, job_id: JobId) -> set[str]:
    """The files that have ended for good: not locked, nor stopped by a full disk."""
    return {
        file.file
        for start in _starts(store, job_id)
        for file in store.files(job_id, None, start, CHUNK)
        if file.state in ENDED and not _waits(file.outcome)
    }


def _waits(outcome: FileOutcome | None) -> bool:
    if outcome is None:
        return False
    failed = outcome.error is not None and outcome.error.code in ("locked", "no_space")
    return failed or outcome.reason == "locked"


def _starts(store: JobStore, job_id: JobId) -> range:
    return range(0, store.stats(job_id)["total"], CHUNK)


def files_of(store: JobStore, job_id: JobId) -> Iterator[JobFile]:
    """All files of a job, in the order of the request."""
    for start in _starts(store, job_id):
        yield from queries.job_files(store, job_id, start, CHUNK)
