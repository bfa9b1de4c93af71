"""Read results, lists and details of jobs from the store."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from ocr_worker.errors import JobNotFoundError
from ocr_worker.model.events import RunEnd
from ocr_worker.model.jobs import JobId, JobState
from ocr_worker.model.results import (
    BatchResult,
    FileCounts,
    FileOutcome,
    FileResult,
    FileTally,
    JobDetails,
    JobFile,
    JobSummary,
)
from ocr_worker.store.job_store import GONE, JobStore
from ocr_worker.store.records import StoredFile, StoredJob, Tally
from ocr_worker.store.statistics import manifest_path, moment, statistics

MOST_LISTED = 10_000
"""Files in a result; above it counts stand for the lists."""
ASKED_AT_ONCE = 500
"""SQLite takes so many values in a statement on any system."""
_OUTCOME = tuple(each.name for each in fields(FileOutcome))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs are asked for; None stands for all."""

    state: JobState | None = None
    client: str | None = None


def batch_result(store: JobStore, job_id: JobId, run: RunEnd, most_listed: int = MOST_LISTED) -> BatchResult:
    """How a run of a job ended, with all files of the job, those of earlier runs included."""
    job = store.job(job_id)
    if job is None:
        raise JobNotFoundError(GONE)
    stats = store.stats(job_id)
    lists_files = stats["total"] <= most_listed
    ended = list(_ended_files(store, job_id)) if lists_files else []
    took = statistics(store, job)
    return BatchResult(
        job_id=job_id,
        status=run.status,
        reason=run.reason,
        dry_run=job.options.dry_run,
        successful=tuple(file for file in ended if file.status not in ("failed", "skipped")),
        failed=tuple(file for file in ended if file.status == "failed"),
        skipped=tuple(file for file in ended if file.status == "skipped"),
        counts=FileCounts(
            successful=stats["completed"],
            completed_with_errors=store.incomplete(job_id),
            failed=stats["failed"],
            skipped=stats["skipped"],
        ),
        lists_files=lists_files,
        total_files=stats["total"],
        total_pages_processed=store.pages_recognised(job_id),
        duration_seconds=round(job.worked_seconds, 3),
        statistics=replace(took, end_time=moment(run.ended_at)),
        manifest=None
        if job.options.dry_run
        else str(manifest_path(Path(os.fsdecode(job.output_path)), job_id)),
    )


def file_result(file: StoredFile) -> FileResult:
    """How a file ended."""
    assert file.outcome is not None
    known = {name: getattr(file.outcome, name) for name in _OUTCOME}
    return FileResult(**{**known, "pages": known["pages"] or file.pages}, file=file.file)


def file_done(store: JobStore, job_id: JobId, number: int) -> FileResult:
    """How a file of a job ended."""
    file = store.file(job_id, number)
    if file.outcome is None:
        raise JobNotFoundError(GONE)
    return file_result(file)


def job_summary(store: JobStore, job: StoredJob) -> JobSummary:
    return job_summaries(store, [job])[0]


def job_summaries(store: JobStore, jobs: Sequence[StoredJob]) -> list[JobSummary]:
    """Jobs as a list shows them, asked of the store for hundreds at once."""
    if len(jobs) > ASKED_AT_ONCE:
        return job_summaries(store, jobs[:ASKED_AT_ONCE]) + job_summaries(store, jobs[ASKED_AT_ONCE:])
    job_ids = [job.job_id for job in jobs]
    tallies, begun = store.tallies(job_ids), Counter[JobId]()
    for job_id, _, pages, done in store.begun_files(job_ids):
        begun[job_id] += min(done, pages - 1)
    return [_summary(job, tallies[job.job_id], begun[job.job_id]) for job in jobs]


def job_list(store: JobStore, wanted: Wanted, offset: int, limit: int) -> tuple[list[JobSummary], int]:
    """Jobs, newest first, and how many there are in all."""
    found = store.jobs(wanted.state, offset, limit, wanted.client)
    return job_summaries(store, found), store.job_count(wanted.state, wanted.client)


def job_details(store: JobStore, job_id: JobId, offset: int, limit: int) -> JobDetails:
    """A job with its files numbered from `offset` + 1 on.

    Raises:
        JobNotFoundError: it was deleted meanwhile.
    """
    if (job := store.job(job_id)) is None:
        raise JobNotFoundError(f"There is no job {job_id} in the list of jobs.")
    return JobDetails(
        summary=job_summary(store, job),
        statistics=statistics(store, job),
        files=tuple(job_files(store, job_id, offset, limit)),
    )


def job_files(store: JobStore, job_id: JobId, offset: int, limit: int) -> list[JobFile]:
    """Files numbered from `offset` + 1 on."""
    return [
        JobFile(file=file.file, state=file.state, pages=file.pages, outcome=file.outcome)
        for file in store.files(job_id, None, offset, limit)
    ]


def _ended_files(store: JobStore, job_id: JobId) -> Iterator[FileResult]:
    for file in store.files(job_id, None, 0, MOST_LISTED):
        if file.outcome is not None and file.state in ("completed", "failed", "skipped"):
            yield file_result(file)


def _summary(job: StoredJob, tally: Tally, begun_pages: int) -> JobSummary:
    return JobSummary(
        job_id=job.job_id,
        state=job.state,
        created_at=moment(job.created_at),
        updated_at=moment(job.updated_at),
        output_dir=job.output_dir,
        client=job.client,
        priority=job.priority,
        stats=FileTally(**tally.stats),
        pages_done=tally.pages_ended + begun_pages,
        pages_total=tally.pages_total,
    )
