"""`batch_<id>_manifest.json` in the output folder: the readable copy of a job.

The format is that of the fourth design note, version 1, with the state `completed` written `complete`; docs/outputs.md
describes it and manifest.schema.json is its JSON Schema.
"""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, BinaryIO

from ocr_worker.errors import BusyError
from ocr_worker.files.atomic import FolderId, publish_all, staging
from ocr_worker.files.paths import written
from ocr_worker.model.fields import outcome_fields, statistics_fields, timestamp
from ocr_worker.model.jobs import JobId
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredFile, StoredJob
from ocr_worker.store.statistics import manifest_path, moment, statistics

VERSION = 1
CHUNK_FILES = 500
MOST_TRIES = 5
STATES = {"completed": "complete"}
NONE_KNOWN: Mapping[JobId, FolderId | None] = MappingProxyType({})


def write_manifest(
    store: JobStore,
    job_id: JobId,
    folders: Mapping[JobId, FolderId | None] = NONE_KNOWN,
    broken_off: threading.Event | None = None,
) -> Path | None:
    """Write a job's manifest as the store knows it now, whole or not at all; None for a dry run or a job that is gone.

    Args:
        store: with the job.
        job_id: of the job.
        folders: which one a job's must be, looked up at each step; it may be any where there is none.
        broken_off: when set, the write ends.

    Raises:
        OcrError: the output folder can't be written, is not that of `folders`, or the write was broken off.
    """
    path, job = None, store.job(job_id)
    for _ in range(MOST_TRIES):
        if job is None or job.options.dry_run:
            return path
        path = _write_as_it_is(store, job, folders, broken_off)
        # Another process may have taken the job up, or ended it, and written before us what is newer than ours.
        was, job = job.state, store.job(job_id)
        if job is None or job.state == was:
            return path
    return path


def _write_as_it_is(
    store: JobStore,
    job: StoredJob,
    folders: Mapping[JobId, FolderId | None],
    broken_off: threading.Event | None,
) -> Path:
    job_id = job.job_id
    path = manifest_path(Path(os.fsdecode(job.output_path)), job_id)
    head = _head(store, job)

    def write(stream: BinaryIO) -> None:
        text = io.TextIOWrapper(stream, encoding="ascii", newline="\n")
        _write(text, head, _items(store, job_id), broken_off or threading.Event())
        text.detach()

    # The run of a job that waited may begin, and find its folder, while this is written.
    with staging(path, write, folders.get(job_id)) as staged:
        publish_all([staged], folders.get(job_id))
    return path


def _head(store: JobStore, job: StoredJob) -> dict[str, Any]:
    return {
        "version": VERSION,
        "batch_id": job.job_id,
        "output_dir": job.output_dir,
        "start_time": timestamp(moment(job.started_at or job.created_at)),
        "end_time": timestamp(moment(job.ended_at)) if job.ended_at else None,
        "metadata": _metadata(store, job),
    }


def _write(
    stream: IO[str], head: dict[str, Any], items: Iterable[dict[str, Any]], broken_off: threading.Event
) -> None:
    stream.write(json.dumps(head, indent=1)[:-2] + ',\n "queue": {"items": [')
    for number, item in enumerate(items):
        if broken_off.is_set():
            raise BusyError("the worker is to end at once")
        stream.write(("," if number else "") + "\n  " + json.dumps(item))
    stream.write("\n ]}\n}\n")


def _metadata(store: JobStore, job: StoredJob) -> dict[str, Any]:
    return {
        "state": STATES.get(job.state, job.state),
        "reason": job.reason,
        "priority": job.priority,
        "options": job.options.to_fields(),
        "stats": store.stats(job.job_id),
        "pages_processed": store.pages_recognised(job.job_id),
        "retries": job.retries,
        "duration_seconds": round(job.worked_seconds, 3),
        "statistics": statistics_fields(statistics(store, job)),
    }


def _items(store: JobStore, job_id: JobId) -> Iterator[dict[str, Any]]:
    after = 0
    while files := store.files(job_id, None, after, CHUNK_FILES):
        yield from map(_item, files)
        after = files[-1].number


def _item(file: StoredFile) -> dict[str, Any]:
    outcome = outcome_fields(file.outcome) if file.outcome else {}
    good: dict[str, Any] = {
        name: outcome[name] for name in ("status", "confidence", "failed_pages") if name in outcome
    }
    if "outputs" in outcome:
        outputs = {kind: written(path) for kind, path in outcome["outputs"].items()}
        good |= {"output": written(outcome["output"]), "outputs": outputs}
    return {
        "file": file.file,
        "status": STATES.get(file.state, file.state),
        "pages": file.pages,
        "start_time": timestamp(moment(file.started_at)) if file.started_at else None,
        "end_time": timestamp(moment(file.ended_at)) if file.ended_at else None,
        "error": outcome.get("error"),
        "skip_reason": outcome.get("reason"),
        "result": good if file.state == "completed" else None,
    }
