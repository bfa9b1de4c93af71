"""What the routes share: the desk, parameters by their patterns, and jobs and files as they are told."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi import Path as InPath

from ocr_worker.jobs import queries
from ocr_worker.model.fields import summary_fields
from ocr_worker.model.jobs import JobId
from ocr_worker.model.results import FileOutcome, JobSummary
from ocr_worker.server import wire
from ocr_worker.server.desk import Desk, no_job
from ocr_worker.server.places import Places
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredFile, StoredJob


async def _desk(request: Request) -> Desk:
    # Not a plain function: each request would wait for a thread that runs it.
    found = request.app.state.desk
    assert isinstance(found, Desk)
    return found


DeskOf = Annotated[Desk, Depends(_desk)]
JobIdPath = Annotated[str, InPath(pattern=wire.JOB_ID)]
NumberPath = Annotated[int, InPath(ge=1, le=10**9)]
REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": wire.Refusal, "description": "Refused; the error says why."},
    "5XX": {"model": wire.Refusal, "description": "Failed; the error says why."},
    422: {"model": wire.Refusal, "description": "A field is missing, unknown or invalid."},
}


def stored_job(store: JobStore, job_id: JobId) -> StoredJob:
    """Raises JobNotFoundError."""
    job = store.job(job_id)
    if job is None:
        raise no_job(job_id)
    return job


def told_job(store: JobStore, job: StoredJob, summary: JobSummary, places: Places) -> wire.Job:
    fields = summary_fields(summary)
    del fields["output_dir"]
    first = store.files(job.job_id, None, 0, 1)
    title = file_name(first[0], places) if first else ""
    return wire.Job(**fields, title=title, reason=job.reason, dry_run=job.options.dry_run, seq=job.last_seq)


def told_jobs(store: JobStore, jobs: list[StoredJob], places: Places) -> list[wire.Job]:
    summaries = queries.job_summaries(store, jobs)
    return [told_job(store, job, summary, places) for job, summary in zip(jobs, summaries, strict=True)]


def told_file(file: StoredFile, places: Places) -> wire.File:
    outcome = file.outcome
    name = file_name(file, places)
    if outcome is None:
        status: Any = file.state if file.state in ("pending", "processing") else "pending"
        return wire.File(number=file.number, name=name, status=status, pages=file.pages)
    return wire.File(
        number=file.number,
        name=name,
        status=outcome.status,
        pages=outcome.pages or file.pages,
        confidence=outcome.confidence,
        reason=outcome.reason,
        error=_problem(outcome, places),
        failed_pages=[
            wire.FailedPage(page=bad.page, code=bad.code, error=places.without_paths(bad.error))
            for bad in outcome.failed_pages
        ],
        warnings=[places.without_paths(text) for text in outcome.warnings or ()],
        outputs=[kind for kind in outcome.outputs if places.is_open(Path(outcome.outputs[kind]))],
    )


def file_name(file: StoredFile, places: Places) -> str:
    """What clients call a file."""
    return places.label(os.fsdecode(file.path) or file.file).encode("utf-8", "replace").decode()


def _problem(outcome: FileOutcome, places: Places) -> wire.Problem | None:
    if outcome.error is None:
        return None
    told = asdict(outcome.error)
    return wire.Problem(
        code=told["code"], message=places.without_paths(told["message"]), retryable=told["retryable"]
    )
