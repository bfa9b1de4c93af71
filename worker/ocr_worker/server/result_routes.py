"""/api/v1: what was read. Results with words and boxes, pictures of pages, downloads, a zip, search."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from ocr_worker.model.tasks import PictureTask, Source
from ocr_worker.server import wire
from ocr_worker.server.archive import zipped
from ocr_worker.server.desk import Desk
from ocr_worker.server.download import FileAnswer, open_for_clients, plain_name
from ocr_worker.server.problems import RefusedError
from ocr_worker.server.results import Place, Search, outputs_of, page_of, results_of, source_of
from ocr_worker.server.shared import (
    REFUSALS,
    DeskOf,
    JobIdPath,
    NumberPath,
    file_name,
    stored_job,
    told_file,
)
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredFile

router = APIRouter(prefix="/api/v1", tags=["results"], responses=REFUSALS)

PICTURE_PX, THUMBNAIL_PX = 1600, 240
SEARCH_SECONDS = 5.0
MOST_FOUND = 200
LEFT_OUT = "left_out.txt"
"""In a zip, the names of outputs that were not there, or that clients may not have."""
_TYPES = {
    "pdf": "application/pdf",
    "txt": "text/plain; charset=utf-8",
    "json": "application/json",
    "hocr": "application/xhtml+xml",
    "alto": "application/xml",
}
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


def _file(*media: str) -> dict[int | str, dict[str, Any]]:
    # What is JSON is anything that JSON can be.
    content = {kind: {} if kind == _TYPES["json"] else _BINARY for kind in media}
    return {
        200: {"content": content, "description": "The file."},
        206: {"content": content, "description": "The range that was asked for."},
        304: {"description": "It has not changed."},
    }


@router.get("/jobs/{job_id}/files/{number}")
async def show_file(job_id: JobIdPath, number: NumberPath, desk: DeskOf) -> wire.File:
    """Show a file of a job."""
    return told_file(await stored_file(desk, job_id, number), desk.places)


@router.get(
    "/jobs/{job_id}/files/{number}/outputs/{kind}", response_class=Response, responses=_file(*_TYPES.values())
)
async def download(job_id: JobIdPath, number: NumberPath, kind: wire.OutputKind, desk: DeskOf) -> Response:
    """Download an output of a file, whole or by range."""
    file = await stored_file(desk, job_id, number)
    outputs = file.outcome.outputs if file.outcome else {}
    if kind not in outputs:
        raise RefusedError(404, f"The file has no output {kind}.")
    path = Path(outputs[kind])
    # Not here: the disk may hang.
    return await asyncio.to_thread(
        lambda: FileAnswer(open_for_clients(desk.places, path), _TYPES[kind], path.name)
    )


@router.get("/jobs/{job_id}/files/{number}/pages/{page}")
async def show_page(job_id: JobIdPath, number: NumberPath, page: NumberPath, desk: DeskOf) -> wire.PageResult:
    """What was read on a page: its text, lines, and words with boxes and confidence."""
    file = await stored_file(desk, job_id, number)

    def read() -> wire.PageResult:
        with results_of(desk.places, file) as stream:
            return page_of(stream, page)

    return await asyncio.to_thread(read)


@router.get(
    "/jobs/{job_id}/files/{number}/pages/{page}/picture",
    response_class=Response,
    responses=_file("image/jpeg"),
)
async def show_picture(job_id: JobIdPath, number: NumberPath, page: NumberPath, desk: DeskOf) -> Response:
    """A picture of a page, upright: boxes of its words fit once they are scaled from `width_px` and `height_px`."""
    return await _picture(desk, await stored_file(desk, job_id, number), _Wanted(job_id, page, PICTURE_PX))


@router.get(
    "/jobs/{job_id}/files/{number}/pages/{page}/thumbnail",
    response_class=Response,
    responses=_file("image/jpeg"),
)
async def show_thumbnail(job_id: JobIdPath, number: NumberPath, page: NumberPath, desk: DeskOf) -> Response:
    """A small picture of a page."""
    return await _picture(desk, await stored_file(desk, job_id, number), _Wanted(job_id, page, THUMBNAIL_PX))


@router.get(
    "/jobs/{job_id}/archive",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": _BINARY}, "description": "A zip of all outputs so far."}},
)
async def download_all(job_id: JobIdPath, desk: DeskOf) -> Response:
    """Download all outputs of a job as one zip."""
    paths = await desk.search(lambda store: list(outputs_of(store, stored_job(store, job_id).job_id)))
    shown = f'attachment; filename="ocr_{job_id}.zip"'
    return StreamingResponse(
        zipped(_opened(desk, paths)), media_type="application/zip", headers={"Content-Disposition": shown}
    )


@router.get("/search")
async def search(
    desk: DeskOf,
    q: Annotated[str, Query(min_length=1, max_length=200)],
    limit: Annotated[int, Query(ge=1, le=MOST_FOUND)] = 50,
    place: Annotated[str | None, Query(alias="next", pattern=wire.PLACE)] = None,
) -> wire.SearchResult:
    """Search the text of all results, newest job first, whatever the case of its letters."""
    words = " ".join(q.split())
    if not words:
        raise RefusedError(422, "q: search for something.")
    return await desk.search(Search(desk.places, words, limit, SEARCH_SECONDS, Place.parsed(place)).run)


@dataclass(frozen=True, slots=True)
class _Wanted:
    job_id: str
    page: int
    longest_px: int


async def _picture(desk: Desk, file: StoredFile, wanted: _Wanted) -> Response:
    made = await asyncio.to_thread(_results_at, desk, file)
    # Results that were made anew have another picture.
    name = f"{wanted.job_id}-{file.number}-{wanted.page}-{wanted.longest_px}-{made:x}.jpg"
    kept = desk.places.pictures / name
    if not kept.exists():
        assert file.outcome is not None
        shown = await asyncio.to_thread(_shown, desk, source_of(file))
        task = PictureTask(shown, file.outcome.outputs["json"], wanted.page, wanted.longest_px, str(kept))
        await desk.draw(task, file_name(file, desk.places))
    return FileAnswer(open_for_clients(desk.places, kept), "image/jpeg")


def _results_at(desk: Desk, file: StoredFile) -> int:
    """When the results were made. Raises RefusedError."""
    with results_of(desk.places, file) as results:
        return os.fstat(results.fileno()).st_mtime_ns


def _shown(desk: Desk, source: Path) -> Source:
    """The source, if clients may have it. Raises RefusedError."""
    open_for_clients(desk.places, source).close()
    return desk.places.fixed(source)


async def stored_file(desk: Desk, job_id: str, number: int) -> StoredFile:
    """Raises JobNotFoundError, RefusedError."""

    def read(store: JobStore) -> StoredFile:
        stored_job(store, job_id)
        found = store.files(job_id, None, number - 1, 1)
        if not found or found[0].number != number:
            raise RefusedError(404, f"The job has no file {number}.")
        return found[0]

    return await desk.read(read)


def _opened(desk: Desk, paths: list[Path]) -> Iterator[tuple[str, IO[bytes]]]:
    """Those that are there, and that clients may have, and at last a list of the others, if any."""
    left_out = list[str]()
    for path in paths:
        try:
            yield plain_name(path.name), open_for_clients(desk.places, path)
        except RefusedError:
            left_out.append(plain_name(path.name))
    if left_out:
        with TemporaryFile() as told:
            told.write("\n".join([*left_out, ""]).encode())
            told.seek(0)
            yield LEFT_OUT, told
