"""How long uploads and results are kept: by age, and by the room that all of them take."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ocr_worker.errors import OcrError
from ocr_worker.model.jobs import ACTIVE, JobId
from ocr_worker.server.desk import Desk
from ocr_worker.server.places import Places
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredJob

log = logging.getLogger(__name__)

ROUND_SECONDS = 300.0
LEAST_SECONDS = 3600.0
"""How old an upload is at least when it goes without having been used: it may still be coming."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A job of the service and the folders that it keeps for it."""

    job: StoredJob
    folders: tuple[Path, ...]

    @property
    def ended_at(self) -> float:
        return self.job.ended_at or self.job.updated_at


async def keep_house(desk: Desk) -> None:
    """For as long as the service runs."""
    while True:
        try:
            await tidy(desk, time.time())
        except (OcrError, OSError, sqlite3.Error):
            log.exception("old results can't be removed")
        await asyncio.sleep(ROUND_SECONDS)


async def tidy(desk: Desk, now: float) -> None:
    """Remove what is too old; then, while all of it takes too much room, what ended first."""
    limits, places = desk.options.limits, desk.places
    await desk.find_interrupted()
    ended = await desk.read(lambda store: sorted(_ended(store, places), key=lambda kept: kept.ended_at))
    in_use = await desk.read(lambda store: _in_use(store, places))
    await asyncio.to_thread(_remove_unused, places, in_use, now - max(limits.kept_seconds, LEAST_SECONDS))
    desk.uploads.kept_bytes = await asyncio.to_thread(_size, places.uploads, places.results, places.pictures)
    for kept in ended:
        is_old = kept.ended_at < now - limits.kept_seconds
        if is_old or desk.uploads.kept_bytes > limits.kept_bytes:
            desk.uploads.kept_bytes -= await asyncio.to_thread(_size, *kept.folders)
            await forget(desk, kept.job.job_id)


async def forget(desk: Desk, job_id: JobId) -> None:
    """Delete a job that has ended, with what the service keeps of it. Raises JobActiveError, JobNotFoundError."""
    job = await desk.order(lambda service: service.leases.get(job_id))
    folders = _folders(desk.places, job)
    await desk.order(lambda service: service.leases.delete(job_id))
    await asyncio.to_thread(_remove, desk.places, job_id, folders)


def _ended(store: JobStore, places: Places) -> Iterator[_Kept]:
    for job_id in places.orders_kept():
        job = store.job(job_id)
        if job is not None and job.state not in ACTIVE:
            yield _Kept(job, _folders(places, job))


def _in_use(store: JobStore, places: Places) -> set[Path]:
    """Folders that some job has; of orders without a job nothing is left."""
    used = set[Path]()
    for job_id in places.orders_kept():
        job = store.job(job_id)
        if job is None:
            places.forget_order(job_id)
        else:
            used.update(_folders(places, job))
    return used


def _folders(places: Places, job: StoredJob) -> tuple[Path, ...]:
    """Those of its uploads, and that of its results if it is the service's."""
    order = places.order(job.job_id) or {}
    results = Path(os.fsdecode(job.output_path))
    own = (results,) if results.parent == places.results else ()
    return (*own, *(places.uploads / upload_id for upload_id in order.get("uploads", ())))


def _remove_unused(places: Places, in_use: set[Path], before: float) -> None:
    """Remove uploads and results that no job has, and pictures, once they are old."""
    for folder in (*places.uploads.iterdir(), *places.results.iterdir()):
        if folder not in in_use and folder.stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)
    for picture in places.pictures.iterdir():
        if picture.stat().st_mtime < before:
            picture.unlink(missing_ok=True)


def _remove(places: Places, job_id: JobId, folders: tuple[Path, ...]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    for picture in places.pictures.glob(f"{job_id}-*"):
        picture.unlink(missing_ok=True)
    places.forget_order(job_id)


def _size(*folders: Path) -> int:
    return sum(path.lstat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
