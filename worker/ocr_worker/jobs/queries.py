"""What the store knows, as the plain data of answers and results. Read when the host is ready for it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ocr_worker.errors import JobNotFoundError
from ocr_worker.model.jobs import JobId, JobState, RunEnd
from ocr_worker.store.job_store import GONE, JobStore
from ocr_worker.store.records import StoredFile, StoredJob, Tally
from ocr_worker.store.statistics import manifest_path, statistics, timestamp

MOST_LISTED = 10_000
"""Files in a result; above it counts stand for the lists."""

ASKED_AT_ONCE = 500
"""SQLite takes so many values in a statement on any system."""


def batch_result(
    store: JobStore, job_id: JobId, run: RunEnd, most_listed: int = MOST_LISTED
) -> dict[str, Any]:
    """The `data` of a job's terminal result: all files of the job, earlier runs included."""
    job = store.job(job_id)
    if job is None:
        raise JobNotFoundError(GONE)
    stats = store.stats(job_id)
    fields = {
        "kind": "batch",
        "status": run.status,
        "reason": run.reason,
        "dry_run": job.options.dry_run or None,
        "total_files": stats["total"],
        "total_pages_processed": store.pages_recognised(job_id),
        "duration_seconds": round(job.worked_seconds, 3),
        "statistics": {**statistics(store, job), "end_time": timestamp(run.ended_at)},
        "manifest": None
        if job.options.dry_run
        else str(manifest_path(Path(os.fsdecode(job.output_path)), job_id)),
    }
    if stats["total"] > most_listed:
        counts = {
            "successful": stats["completed"],
            "completed_with_errors": store.incomplete(job_id),
            "failed": stats["failed"],
            "skipped": stats["skipped"],
        }
        return {**fields, "counts": counts}
    return {**fields, **_lists(store, job_id)}


def file_done(store: JobStore, job_id: JobId, number: int) -> dict[str, Any]:
    """The `data` of a `file_done`."""
    file = store.file(job_id, number)
    outcome = file.outcome or {}
    return {
        "kind": "file_done",
        "message": _sentence(file, outcome),
        "pages": file.pages,
        **outcome,
        "file": file.file,
    }


def job_summary(store: JobStore, job: StoredJob) -> dict[str, Any]:
    return job_summaries(store, [job])[0]


def job_summaries(store: JobStore, jobs: Sequence[StoredJob]) -> list[dict[str, Any]]:
    """What `list_jobs` tells of each job, asked of the store for hundreds at once."""
    if len(jobs) > ASKED_AT_ONCE:
        return job_summaries(store, jobs[:ASKED_AT_ONCE]) + job_summaries(store, jobs[ASKED_AT_ONCE:])
    job_ids = [job.job_id for job in jobs]
    tallies, begun = store.tallies(job_ids), Counter[JobId]()
    for job_id, _, pages, done in store.begun_files(job_ids):
        begun[job_id] += min(done, pages - 1)
    return [_summary(job, tallies[job.job_id], begun[job.job_id]) for job in jobs]


def _summary(job: StoredJob, tally: Tally, begun_pages: int) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "state": job.state,
        "created_at": timestamp(job.created_at),
        "updated_at": timestamp(job.updated_at),
        "output_dir": job.output_dir,
        "priority": job.priority,
        "stats": tally.stats,
        "pages_done": tally.pages_ended + begun_pages,
        "pages_total": tally.pages_total,
    }


def job_list(store: JobStore, state: JobState | None, offset: int, limit: int) -> dict[str, Any]:
    """The `data` of `list_jobs`."""
    jobs = job_summaries(store, store.jobs(state, offset, limit))
    return {"kind": "jobs", "jobs": jobs, "total": store.job_count(state)}


def job_data(store: JobStore, job_id: JobId, offset: int, limit: int) -> dict[str, Any]:
    """The `data` of `get_job`.

    Raises:
        JobNotFoundError: it was deleted meanwhile.
    """
    if (job := store.job(job_id)) is None:
        raise JobNotFoundError(f"There is no job {job_id}. list_jobs names those that there are.")
    files = job_files(store, job_id, offset, limit)
    return {"kind": "job", **job_summary(store, job), "statistics": statistics(store, job), "files": files}


def job_files(store: JobStore, job_id: JobId, offset: int, limit: int) -> list[dict[str, Any]]:
    """Files numbered from `offset` + 1 on."""
    return [_job_file(file) for file in store.files(job_id, None, offset, limit)]


def _lists(store: JobStore, job_id: JobId) -> dict[str, list[dict[str, Any]]]:
    lists: dict[str, list[dict[str, Any]]] = {"successful": [], "failed": [], "skipped": []}
    for file in store.files(job_id, None, 0, MOST_LISTED):
        outcome = file.outcome or {}
        if file.state == "completed":
            lists["successful"].append(
                {**outcome, "file": file.file, "pages": file.pages or outcome["pages"]}
            )
        elif file.state == "failed":
            error = outcome["error"]
            entry = {
                "file": file.file,
                "error": error["message"],
                "code": error["code"],
                "retryable": error["retryable"],
            }
            lists["failed"].append({**entry, "page": outcome.get("page")})
        elif file.state == "skipped":
            lists["skipped"].append(
                {"file": file.file, "reason": outcome["reason"], "output": outcome.get("output")}
            )
    return lists


def _job_file(file: StoredFile) -> dict[str, Any]:
    return {"file": file.file, "pages": file.pages, "status": file.state, **(file.outcome or {})}


def _sentence(file: StoredFile, outcome: dict[str, Any]) -> str:
    if file.state == "failed":
        return str(outcome["error"]["message"])
    if file.state == "skipped":
        return f"Skipped {file.file}: {outcome['reason']}"
    bad = len(outcome.get("failed_pages", ()))
    return f"Finished {file.file}" + (f", but {bad} of its {file.pages} pages failed" if bad else "")
