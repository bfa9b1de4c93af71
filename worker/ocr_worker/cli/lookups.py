"""What commands look up in the store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ocr_worker.cli.options import worker_settings
from ocr_worker.jobs import queries
from ocr_worker.jobs.runtime import Surroundings
from ocr_worker.jobs.service import JobService
from ocr_worker.model.jobs import RESUMABLE, JobId
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredJob

CHUNK = 1000
"""Rows that are in memory at once."""
ENDED = ("completed", "failed", "skipped")


@contextmanager
def opened_service() -> Iterator[JobService]:
    """The service for a look at its store, without page processes."""
    around = Surroundings(worker_settings(), lambda _: None, lambda _: None)
    service = JobService(around)
    try:
        yield service
    finally:
        service.cleanup()


def last_unfinished(service: JobService, output_dir: Path | None) -> JobId | None:
    """The most recent job that can be resumed, of an output folder or of all."""
    place = None if output_dir is None else os.path.realpath(output_dir)
    for job in all_jobs(service.store, None):
        folder = os.path.realpath(os.fsdecode(job.output_path))
        if job.state in RESUMABLE and not job.options.dry_run and place in (None, folder):
            return job.job_id
    return None


def all_jobs(store: JobStore, state: str | None) -> Iterator[StoredJob]:
    """Newest first."""
    for start in range(0, store.job_count(state), CHUNK):
        yield from store.jobs(state, start, CHUNK)


def passwords(store: JobStore, job_id: JobId, word: str | None) -> dict[str, str]:
    if word is None:
        return {}
    return {
        os.fsdecode(file.path): word
        for number in _starts(store, job_id)
        for file in store.files(job_id, None, number, CHUNK)
    }


def ended_files(store: JobStore, job_id: JobId) -> set[str]:
    """The files, as they were sent, whose end waits for nothing: no lock to be let go, no disk to be cleared."""
    return {
        file.file
        for start in _starts(store, job_id)
        for file in store.files(job_id, None, start, CHUNK)
        if file.state in ENDED and not _waits(file.outcome or {})
    }


def _waits(outcome: dict[str, Any]) -> bool:
    return outcome.get("reason") == "locked" or outcome.get("error", {}).get("code") in ("locked", "no_space")


def _starts(store: JobStore, job_id: JobId) -> range:
    return range(0, store.stats(job_id)["total"], CHUNK)


def files_of(store: JobStore, job_id: JobId) -> Iterator[dict[str, Any]]:
    for start in _starts(store, job_id):
        yield from queries.job_files(store, job_id, start, CHUNK)
