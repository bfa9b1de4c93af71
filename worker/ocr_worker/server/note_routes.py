"""/api/batch: the eight endpoints of the design note, with its own words, over the same jobs."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sse_starlette import EventSourceResponse

from ocr_worker.errors import JobActiveError
from ocr_worker.jobs import queries
from ocr_worker.model.events import FileDone, JobEnded, JobFailed, ProgressMade
from ocr_worker.model.fields import timestamp
from ocr_worker.model.jobs import ACTIVE, JobId
from ocr_worker.model.results import JobSummary
from ocr_worker.server import note_wire as wire
from ocr_worker.server import requests
from ocr_worker.server.desk import Desk
from ocr_worker.server.feed import LINE, Face, News, Standing
from ocr_worker.server.forms import Form, is_form, read_form
from ocr_worker.server.keeping import forget
from ocr_worker.server.problems import RefusedError
from ocr_worker.server.shared import DeskOf, JobIdPath, file_name, stored_job
from ocr_worker.server.streams import documented, event_stream, seen, sse
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredFile, StoredJob

REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": wire.Refused, "description": "Refused; the error says why."},
    "5XX": {"model": wire.Refused, "description": "Failed; the error says why."},
    422: {"model": wire.Refused, "description": "A field is missing or invalid."},
}
router = APIRouter(prefix="/api/batch", tags=["design note"], responses=REFUSALS)

MOST_JOBS = 1000
_START = wire.Start.model_json_schema(ref_template="#/components/schemas/Note{model}")
_PARTS = {f"Note{name}": schema for name, schema in _START.pop("$defs", {}).items()}
SCHEMAS = {**_PARTS, "NoteStart": _START}
"""Of the body of `start`, which is read here, as it may be a form."""
_FORM = {
    "type": "object",
    "required": ["files"],
    "properties": {
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1},
        "options": {"$ref": "#/components/schemas/NoteOptions"},
    },
}
_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/NoteStart"}},
        "multipart/form-data": {
            "schema": _FORM,
            "encoding": {"options": {"contentType": "application/json"}},
        },
    },
}


@router.post("/start", openapi_extra={"requestBody": _BODY})
async def start_batch(request: Request, desk: DeskOf) -> wire.Started:
    """Start a batch of `items`, of `files` by path, or of uploaded files (a form with `files` and `options`)."""
    if is_form(request.headers):
        start, files, order = await _from_form(request, desk)
        folder = await requests.output_dir(desk, start.options.output_dir)
    else:
        start = _parsed(await request.body())
        folder = await requests.output_dir(desk, start.options.output_dir)
        files, order = await asyncio.to_thread(_named, start, desk, folder)
    chosen = start.options
    if folder is None and "uploads" not in order and len({file.parent for file in files}) == 1:
        # The note's back end writes results beside the images, and finds them there the next time.
        folder = files[0].parent
    options = {
        "chunk_size": chosen.chunk_size,
        "retries": chosen.retry_count,
        "on_existing": chosen.on_existing,
        "languages": chosen.languages,
        "outputs": chosen.outputs,
    }
    accepted = await requests.start(desk, requests.Wanted(files, options, folder, order=order))
    effective = wire.EffectiveOptions(
        chunkSize=chosen.chunk_size, retryCount=chosen.retry_count, overwrite=chosen.overwrite
    )
    return wire.Started(jobId=accepted.job_id, totalItems=accepted.file_count, options=effective)


@router.get(
    "/progress/{job_id}",
    response_class=EventSourceResponse,
    responses=documented(("progress", "item", "complete", "error")),
)
async def watch_progress(
    job_id: JobIdPath,
    desk: DeskOf,
    request: Request,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> Response:
    """Events `progress`, `item` (one has ended) and, at last, `complete` or `error`; a heartbeat every 30 seconds."""
    await desk.find_interrupted()
    after = seen(last_event_id)
    job = await desk.read(lambda store: stored_job(store, job_id))
    if job.state not in ACTIVE and last_event_id is not None and after >= job.last_seq:
        return Response(status_code=204)
    face = Face("note", partial(_event, desk, _Names(desk, job_id)))
    return event_stream(desk.hub.watch(job_id, after, face, request.scope.get(LINE)), desk.options.limits)


@router.get("/status/{job_id}")
async def show_status(
    job_id: JobIdPath,
    desk: DeskOf,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=0, le=10_000)] = 10_000,
) -> wire.JobStatus:
    """A job with its items."""
    await desk.find_interrupted()

    def read(store: JobStore) -> wire.JobStatus:
        job = stored_job(store, job_id)
        names = _Names(desk, job_id)
        items = [names.item(file) for file in store.files(job_id, None, offset, limit)]
        told = _job(queries.job_summary(store, job))
        return wire.JobStatus(**told.model_dump(), error=_why(job), items=items)

    return await desk.read(read)


@router.post("/pause/{job_id}")
async def pause_batch(job_id: JobIdPath, desk: DeskOf) -> wire.Done:
    """Start no more items of a job."""
    await desk.pause(job_id)
    return await _done(desk, job_id, {"paused"})


@router.post("/resume/{job_id}")
async def resume_batch(job_id: JobIdPath, desk: DeskOf) -> wire.Done:
    """Go on with a job that is paused, or that ended before it was complete."""
    await desk.resume(job_id, {})
    return await _done(desk, job_id, {"pending", "processing", "completed"})


@router.post("/cancel/{job_id}")
async def cancel_batch(job_id: JobIdPath, desk: DeskOf) -> wire.Done:
    """End a job; finished items stay."""
    await desk.cancel(job_id)
    return await _done(desk, job_id, {"cancelled"})


@router.get("/jobs")
async def list_batches(desk: DeskOf) -> wire.Jobs:
    """The newest 1,000 jobs."""
    await desk.find_interrupted()

    def read(store: JobStore) -> wire.Jobs:
        found, total = queries.job_list(store, queries.Wanted(), 0, MOST_JOBS)
        return wire.Jobs(jobs=[_job(summary) for summary in found], total=total)

    return await desk.read(read)


@router.delete("/job/{job_id}")
async def delete_batch(job_id: JobIdPath, desk: DeskOf) -> wire.Deleted:
    """Delete a job that has ended."""
    await forget(desk, job_id)
    return wire.Deleted(jobId=job_id, message="The job is deleted.")


async def _from_form(request: Request, desk: Desk) -> tuple[wire.Start, list[Path], dict[str, Any]]:
    form = await read_form(request, desk.uploads, desk.options.limits.uploads)
    try:
        start = _asked_by(form)
    except BaseException:
        for upload in form.uploads:
            desk.uploads.remove(upload.upload_id)
        raise
    order = {
        "uploads": [upload.upload_id for upload in form.uploads],
        "paths": [upload.name for upload in form.uploads],
    }
    return start, [upload.path for upload in form.uploads], order


def _named(start: wire.Start, desk: Desk, folder: Path | None) -> tuple[list[Path], dict[str, Any]]:
    """The files of a batch that names them. Of several names for one file the first counts: it becomes one item."""
    if start.items:
        first = dict[Path, wire.Item]()
        for item in start.items:
            first.setdefault(desk.places.named(item.path), item)
        items = first.values()
        return list(first), {"ids": [item.id for item in items], "paths": [item.path for item in items]}
    paths = dict[Path, str]()
    for named in start.files or ():
        place = desk.places.named(named)
        for path in requests.found(desk, named, folder, wire.MOST_ITEMS):
            paths.setdefault(
                path, named if path == place else f"{named.rstrip('/')}/{path.relative_to(place).as_posix()}"
            )
        requests.require_few(paths, wire.MOST_ITEMS)
    return list(paths), {"paths": list(paths.values())}


def _asked_by(form: Form) -> wire.Start:
    """What a form asks for; its files are uploads."""
    if not form.uploads:
        raise RefusedError(422, "files: the form has no file.")
    try:
        options = json.loads(form.fields.get("options") or "{}")
    except (ValueError, RecursionError) as error:
        raise RefusedError(422, f"options: it is no JSON: {error}.") from error
    return _parsed(
        json.dumps({"files": [upload.name for upload in form.uploads], "options": options}).encode()
    )


def _parsed(body: bytes) -> wire.Start:
    try:
        return wire.Start.model_validate_json(body)
    except ValidationError as error:
        told = [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_input=False)]
        raise RequestValidationError(told) from error


async def _done(desk: Desk, job_id: JobId, wanted: set[str]) -> wire.Done:
    """Raises JobActiveError where an order came too late, or was not for a job in such a state."""
    job = await desk.read(lambda store: stored_job(store, job_id))
    status = wire.STATUS[job.state]
    if status not in wanted:
        raise JobActiveError(f"Job {job_id} is {status}: nothing was done.")
    return wire.Done(jobId=job_id, status=status)


class _Names:
    """The client's own ids and paths of items."""

    def __init__(self, desk: Desk, job_id: JobId) -> None:
        order = desk.places.order(job_id) or {}
        self._places = desk.places
        self._ids: list[str | int] = order.get("ids", [])
        self._paths: list[str] = order.get("paths", [])

    def item(self, file: StoredFile) -> wire.ItemStatus:
        at, outcome = file.number - 1, file.outcome
        error = outcome.error if outcome else None
        return wire.ItemStatus(
            id=self._ids[at] if at < len(self._ids) else file.number,
            path=self._paths[at] if at < len(self._paths) else file_name(file, self._places),
            status=file.state,
            pages=file.pages,
            confidence=outcome.confidence if outcome else None,
            error=self._places.without_paths(error.message) if error else None,
            skipReason=outcome.reason if outcome else None,
        )


async def _event(desk: Desk, names: _Names, news: News) -> bytes:
    match news:
        case Standing(summary):
            return sse("progress", _job(summary).model_dump())
        case ProgressMade(job_id, progress):
            summary = await _summary(desk, job_id)
            told = {**_job(summary).model_dump(), "progress": progress.percent}
            message = desk.places.without_paths(progress.message)
            return sse("progress", {**told, "message": message, "etaSeconds": progress.eta_seconds})
        case FileDone(job_id, number, seq, _):
            item = await desk.read(lambda store: names.item(store.file(job_id, number)))
            return sse("item", {"jobId": job_id, **item.model_dump()}, seq)
        case JobEnded(job_id, _, seq):
            return sse("complete", _job(await _summary(desk, job_id)).model_dump(), seq)
        case JobFailed(job_id, failure, seq):
            error = desk.places.without_paths(failure.message)
            return sse("error", {"jobId": job_id, "error": error, "code": failure.code}, seq)


async def _summary(desk: Desk, job_id: JobId) -> JobSummary:
    return await desk.read(lambda store: queries.job_summary(store, stored_job(store, job_id)))


def _job(summary: JobSummary) -> wire.NoteJob:
    return wire.NoteJob(
        jobId=summary.job_id,
        status=wire.STATUS[summary.state],
        stats=wire.NoteStats(**{name: getattr(summary.stats, name) for name in wire.NoteStats.model_fields}),
        progress=round(100 * summary.pages_done / max(1, summary.pages_total), 1),
        createdAt=timestamp(summary.created_at),
        updatedAt=timestamp(summary.updated_at),
    )


def _why(job: StoredJob) -> str | None:
    return job.reason if wire.STATUS[job.state] == "failed" else None
