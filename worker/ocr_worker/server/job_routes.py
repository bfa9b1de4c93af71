"""/api/v1/jobs: start jobs, list them, order them about, and watch them."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from sse_starlette import EventSourceResponse

from ocr_protocol.commands import JobState
from ocr_worker.jobs import queries
from ocr_worker.model.events import FileDone, JobEnded, JobFailed, ProgressMade
from ocr_worker.model.fields import statistics_fields
from ocr_worker.model.jobs import ACTIVE, JobId
from ocr_worker.model.results import Progress
from ocr_worker.server import requests, wire
from ocr_worker.server.desk import Desk
from ocr_worker.server.feed import LINE, Face, News, Standing
from ocr_worker.server.keeping import forget
from ocr_worker.server.places import Places
from ocr_worker.server.shared import (
    REFUSALS,
    DeskOf,
    JobIdPath,
    stored_job,
    told_file,
    told_job,
    told_jobs,
)
from ocr_worker.server.streams import documented, event_stream, seen, sse
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.statistics import statistics

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"], responses=REFUSALS)

_PROGRESS = (
    "current", "total", "percent", "file_index", "page", "page_count", "file_count", "completed", "failed", "skipped",
    "elapsed_seconds", "eta_seconds", "pages_per_second",
)  # fmt: skip
Offset = Annotated[int, Query(ge=0, le=2**53)]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.post("", status_code=201)
async def start_job(job: wire.NewJob, desk: DeskOf, response: Response) -> wire.Accepted:
    """Start a job. It waits for those before it, and its events can be watched at once."""
    folder = await requests.output_dir(desk, job.output_dir)
    # Of ten thousand paths, links take seconds to resolve; those of a disk that hangs, for ever.
    files, passwords = await asyncio.to_thread(_found, desk, job, folder)
    order = {"uploads": [asked.upload for asked in job.files if isinstance(asked, wire.UploadedFile)]}
    options = job.options.model_dump(exclude_unset=True)
    wanted = requests.Wanted(files, options, folder, passwords, job.priority, order)
    accepted = await requests.start(desk, wanted)
    response.headers["Location"] = f"/api/v1/jobs/{accepted.job_id}"
    return wire.Accepted(job_id=accepted.job_id, file_count=accepted.file_count)


@router.get("")
async def list_jobs(
    desk: DeskOf, state: JobState | None = None, offset: Offset = 0, limit: Limit = 100
) -> wire.JobList:
    """List jobs, newest first: those of this service, of the command line and of apps of the same user."""
    await desk.find_interrupted()

    def read(store: JobStore) -> wire.JobList:
        jobs = store.jobs(state, offset, limit)
        return wire.JobList(jobs=told_jobs(store, jobs, desk.places), total=store.job_count(state))

    return await desk.read(read)


@router.get("/{job_id}")
async def show_job(job_id: JobIdPath, desk: DeskOf) -> wire.JobDetails:
    """Show a job with its statistics."""
    await desk.find_interrupted()

    def read(store: JobStore) -> wire.JobDetails:
        job = stored_job(store, job_id)
        told = told_job(store, job, queries.job_summary(store, job), desk.places)
        spent = wire.Statistics(**statistics_fields(statistics(store, job)))
        return wire.JobDetails(**told.model_dump(), statistics=spent)

    return await desk.read(read)


@router.delete("/{job_id}", status_code=204)
async def delete_job(job_id: JobIdPath, desk: DeskOf) -> None:
    """Delete a job that has ended, with the uploads and results that the service keeps of it."""
    await forget(desk, job_id)


@router.post("/{job_id}/pause")
async def pause_job(job_id: JobIdPath, desk: DeskOf) -> wire.Job:
    """Start no more pages of a job, whichever process has it. A job that has ended stays as it is."""
    await desk.pause(job_id)
    return await _job(desk, job_id)


@router.post("/{job_id}/resume")
async def resume_job(job_id: JobIdPath, desk: DeskOf, body: wire.Passwords | None = None) -> wire.Job:
    """Go on with a job that is paused, or that ended before it was complete. A complete one stays as it is."""
    await desk.resume(job_id, await _passwords(desk, job_id, body))
    return await _job(desk, job_id)


@router.post("/{job_id}/cancel")
async def cancel_job(job_id: JobIdPath, desk: DeskOf) -> wire.Job:
    """End a job at once, whichever process has it. Finished files stay, and the rest can be resumed."""
    await desk.cancel(job_id)
    return await _job(desk, job_id)


@router.post("/{job_id}/retry")
async def retry_job(job_id: JobIdPath, desk: DeskOf, body: wire.Passwords | None = None) -> wire.Job:
    """Retry the failed files of a job that has ended. One without any stays as it is."""
    await desk.retry(job_id, await _passwords(desk, job_id, body))
    return await _job(desk, job_id)


@router.get("/{job_id}/files")
async def list_files(
    job_id: JobIdPath, desk: DeskOf, offset: Offset = 0, limit: Limit = 1000
) -> wire.FileList:
    """List the files of a job, in the order of the request."""

    def read(store: JobStore) -> wire.FileList:
        stored_job(store, job_id)
        files = store.files(job_id, None, offset, limit)
        total = store.stats(job_id)["total"]
        return wire.FileList(files=[told_file(file, desk.places) for file in files], total=total)

    return await desk.read(read)


@router.get(
    "/{job_id}/events",
    response_class=EventSourceResponse,
    responses=documented(("job", "progress", "file", "end", "broken")),
)
async def watch_job(
    job_id: JobIdPath,
    desk: DeskOf,
    request: Request,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
    after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Response:
    """Watch a job up to the end of its run.

    `job` is the job as it stands, first of all and when its state changes; then come `progress`, `file` (one has ended)
    and, at last, `end` or `broken`. `Last-Event-ID` replays what came after that event from the store; so does `after`,
    for browsers, which send that header only when they lost a connection.
    """
    await desk.find_interrupted()
    has_seen = last_event_id is not None or after is not None
    since = max(seen(last_event_id), after or 0)
    job = await desk.read(lambda store: stored_job(store, job_id))
    if job.state not in ACTIVE and has_seen and since >= job.last_seq:
        return Response(status_code=204)
    face = Face("v1", partial(_event, desk))
    return event_stream(desk.hub.watch(job_id, since, face, request.scope.get(LINE)), desk.options.limits)


def _found(desk: Desk, job: wire.NewJob, folder: Path | None) -> tuple[list[Path], dict[str, str]]:
    """The files of a job, and passwords by their paths. Raises RefusedError, and as `requests.found`."""
    files, passwords = list[Path](), dict[str, str]()
    for asked in job.files:
        if isinstance(asked, wire.UploadedFile):
            found = [desk.uploads.complete(asked.upload).path]
        else:
            found = requests.found(desk, asked.path, folder, wire.MOST_FILES)
        files += found
        requests.require_few(files, wire.MOST_FILES)
        if asked.password is not None:
            passwords.update(dict.fromkeys(map(str, found), asked.password))
    return files, passwords


async def _event(desk: Desk, news: News) -> bytes:
    match news:
        case Standing(summary):
            job = await _job(desk, summary.job_id)
            return sse("job", job.model_dump(mode="json"))
        case ProgressMade(_, progress):
            return sse("progress", _progress(progress, desk.places))
        case FileDone(job_id, number, seq, _):
            file = await desk.read(lambda store: told_file(store.file(job_id, number), desk.places))
            return sse("file", file.model_dump(mode="json"), seq)
        case JobEnded(_, run, seq):
            return sse("end", {"status": run.status, "reason": run.reason}, seq)
        case JobFailed(_, failure, seq):
            message = desk.places.without_paths(failure.message)
            return sse("broken", {**failure.to_fields(), "message": message}, seq)


def _progress(progress: Progress, places: Places) -> dict[str, Any]:
    """Progress without paths: the file that is in work has a name."""
    told = {name: getattr(progress, name) for name in _PROGRESS}
    named = None if progress.file is None else places.label(progress.file)
    working = [{"file_index": task.file_index, "page": task.page} for task in progress.working]
    return {**told, "file": named, "working": working, "message": places.without_paths(progress.message)}


async def _job(desk: Desk, job_id: JobId) -> wire.Job:
    def read(store: JobStore) -> wire.Job:
        job = stored_job(store, job_id)
        return told_job(store, job, queries.job_summary(store, job), desk.places)

    return await desk.read(read)


async def _passwords(desk: Desk, job_id: JobId, body: wire.Passwords | None) -> dict[str, str]:
    """Passwords by path, of those by the number of the file."""
    given = [(one.number, one.password) for one in body.passwords] if body else []
    return await desk.read(
        lambda store: {
            os.fsdecode(file.path): word
            for number, word in given
            for file in store.files(job_id, None, number - 1, 1)
        }
    )
