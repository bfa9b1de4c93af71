"""/api/v1: put right what was misread. The words of a page are replaced, and all outputs of its file are written anew."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from fastapi import APIRouter

from ocr_worker.files.sweep import make_temp_folder
from ocr_worker.model.tasks import CorrectTask, Source
from ocr_worker.server import wire
from ocr_worker.server.desk import Desk
from ocr_worker.server.download import open_for_clients
from ocr_worker.server.result_routes import stored_file
from ocr_worker.server.results import page_of, results_of, source_of
from ocr_worker.server.shared import (
    REFUSALS,
    DeskOf,
    JobIdPath,
    NumberPath,
    file_name,
    stored_job,
)
from ocr_worker.store.records import StoredFile

router = APIRouter(prefix="/api/v1", tags=["results"], responses=REFUSALS)


@router.post("/jobs/{job_id}/files/{number}/pages/{page}/words")
async def correct_words(
    job_id: JobIdPath, number: NumberPath, page: NumberPath, body: wire.Corrections, desk: DeskOf
) -> wire.PageResult:
    """Put other words in the places of those that were misread, and write all outputs of the file anew.

    A PDF that was read with `existing_text: force` was painted anew, and can only be read again.
    """
    file = await stored_file(desk, job_id, number)
    job = await desk.read(lambda store: stored_job(store, job_id))
    outputs = await asyncio.to_thread(_open_outputs, desk, file)
    # A temporary one of this process: what a killed one leaves is taken away by the next.
    folder = await asyncio.to_thread(make_temp_folder, desk.runtime.settings.jobs_dir)
    try:
        task = CorrectTask(
            Source(str(source_of(file))), job.options.page, file.sha256 or "", str(folder), outputs, page,
            tuple((one.word, one.text) for one in body.words),
        )  # fmt: skip
        await desk.correct(task, file_name(file, desk.places))
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def read() -> wire.PageResult:
        with results_of(desk.places, file) as stream:
            return page_of(stream, page)

    return await asyncio.to_thread(read)


def _open_outputs(desk: Desk, file: StoredFile) -> dict[str, str]:
    """Where the outputs are, if clients may have all of them and their source. Raises RefusedError."""
    results_of(desk.places, file).close()
    outputs = dict(file.outcome.outputs) if file.outcome else {}
    for path in (source_of(file), *map(Path, outputs.values())):
        open_for_clients(desk.places, path).close()
    return outputs
