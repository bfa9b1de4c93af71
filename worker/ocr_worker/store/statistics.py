"""What a job took and came to, counted over all its runs: for answers, results and manifests."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from ocr_worker.errors import FAILURES
from ocr_worker.model.jobs import JobId
from ocr_worker.model.results import Statistics
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredJob

_OF_THE_INPUT = frozenset(code for code, kind in FAILURES.items() if kind.blame == "input")


def statistics(store: JobStore, job: StoredJob) -> Statistics:
    """Of all runs of a job so far; what a run at work has spent counts when a file of it ends."""
    stats, pages, worked = store.stats(job.job_id), store.pages_recognised(job.job_id), job.worked_seconds
    by_code = store.failures(job.job_id)
    by_input = sum(count for code, count in by_code.items() if code in _OF_THE_INPUT)
    ended = stats["completed"] + stats["failed"] + stats["skipped"]
    return Statistics(
        start_time=moment(job.started_at or job.created_at),
        end_time=moment(job.ended_at) if job.ended_at else None,
        duration_seconds=round(worked, 3),
        pages=pages,
        pages_per_second=round(pages / worked, 3) if worked else 0.0,
        files_per_second=round(ended / worked, 3) if worked else 0.0,
        failed_by_input=by_input,
        failed_by_worker=stats["failed"] - by_input,
        retries=job.retries,
        cleanups=job.cleanups,
        worker_restarts=job.worker_restarts,
        peak_rss_bytes=job.peak_rss_bytes,
    )


def moment(seconds: float) -> datetime:
    """Seconds since the epoch as a time that says that it is UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc)


def manifest_path(folder: Path, job_id: JobId) -> Path:
    """Where a job's manifest lies."""
    return folder / f"batch_{job_id}_manifest.json"
