"""How long uploads and results are kept: by age, and by the room that all of them take."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ocr_worker.errors import JobActiveError, JobNotFoundError, OcrError
from ocr_worker.model.jobs import ACTIVE, JobId
from ocr_worker.model.serving import ServiceLimits
from ocr_worker.server.desk import Desk
from ocr_worker.server.places import Places
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredJob

log = logging.getLogger(__name__)

ROUND_SECONDS = 300.0
ROOM_SECONDS = 1.0
"""Between two tries to make room: each counts all that is kept."""
LEAST_SECONDS = 3600.0
"""How old an upload is at least when it goes without having been used: it may still be coming."""


def unused_seconds(limits: ServiceLimits) -> float:
    """How long an upload is kept that no job has."""
    return max(limits.kept_seconds, LEAST_SECONDS)


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
    ended = await desk.read(lambda store: sorted(_ended(store, places), key=_ended_at))
    in_use = await desk.read(lambda store: _in_use(store, places))
    await asyncio.to_thread(_remove_unused, places, in_use, now - unused_seconds(limits))
    before = desk.uploads.kept_bytes
    found = await asyncio.to_thread(
        lambda: desk.uploads.bytes_to_come() + _size(places.uploads, places.results, places.pictures)
    )
    # What was announced meanwhile may have come too late to be seen.
    desk.uploads.kept_bytes = found + max(0, desk.uploads.kept_bytes - before)
    users = await asyncio.to_thread(_users, places)
    for job in ended:
        is_old = _ended_at(job) < now - limits.kept_seconds
        if is_old or desk.uploads.kept_bytes > limits.kept_bytes:
            desk.uploads.kept_bytes -= await _forget_if_ended(desk, job.job_id, users)


async def make_room(desk: Desk, size: int) -> None:
    """Remove as many ended jobs, the oldest first, as a new upload needs; none if all of them would not do."""
    async with desk.making_room:
        since = time.monotonic() - desk.made_room_at
        if desk.uploads.has_room(size) or since < ROOM_SECONDS:
            return
        # What was deleted since it was counted last may do.
        await tidy(desk, time.time())
        desk.made_room_at = time.monotonic()
        users = await asyncio.to_thread(_users, desk.places)
        for job_id in await _oldest(desk, desk.uploads.missing_bytes(size)):
            desk.uploads.kept_bytes -= await _forget_if_ended(desk, job_id, users)


async def _oldest(desk: Desk, missing: int) -> list[JobId]:
    """The ended jobs whose folders have so many bytes; none if all have less."""
    ended = await desk.read(lambda store: sorted(_ended(store, desk.places), key=_ended_at))
    found, left = list[JobId](), missing
    for job in ended:
        if left <= 0:
            break
        found.append(job.job_id)
        left -= await asyncio.to_thread(_size, *_folders(desk.places, job))
    return found if left <= 0 else []


async def forget(desk: Desk, job_id: JobId) -> None:
    """Delete a job that has ended, with what the service keeps of it alone. Raises JobActiveError, JobNotFoundError."""
    await _forget(desk, job_id, await asyncio.to_thread(_users, desk.places))


async def _forget_if_ended(desk: Desk, job_id: JobId, users: Counter[Path]) -> int:
    """The same, but nothing of a job that somebody has deleted, or goes on with, meanwhile."""
    with suppress(JobActiveError, JobNotFoundError):
        return await _forget(desk, job_id, users)
    return 0


async def _forget(desk: Desk, job_id: JobId, users: Counter[Path]) -> int:
    """The bytes that went; `users` counts the jobs that have a folder."""
    job = await desk.order(lambda service: service.leases.get(job_id))
    folders = _folders(desk.places, job)
    await desk.order(lambda service: service.leases.delete(job_id))
    users.subtract(folders)
    return await asyncio.to_thread(
        _remove, desk.places, job_id, [folder for folder in folders if users[folder] <= 0]
    )


def _ended(store: JobStore, places: Places) -> Iterator[StoredJob]:
    for job_id in places.orders_kept():
        job = store.job(job_id)
        if job is not None and job.state not in ACTIVE:
            yield job


def _ended_at(job: StoredJob) -> float:
    return job.ended_at or job.updated_at


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
    results = Path(os.fsdecode(job.output_path))
    own = (results,) if results.parent == places.results else ()
    return (*own, *_uploads(places, job.job_id))


def _uploads(places: Places, job_id: JobId) -> set[Path]:
    return {places.uploads / upload_id for upload_id in places.uploads_of(job_id)}


def _users(places: Places) -> Counter[Path]:
    """How many jobs have each upload: a file may be read again, with other options."""
    return Counter(folder for job_id in places.orders_kept() for folder in _uploads(places, job_id))


def _remove_unused(places: Places, in_use: set[Path], before: float) -> None:
    """Remove uploads and results that no job has, and pictures, once they are old."""
    for folder in (*places.uploads.iterdir(), *places.results.iterdir()):
        if folder not in in_use and _is_from_before(folder, before):
            shutil.rmtree(folder, ignore_errors=True)
    for picture in places.pictures.iterdir():
        if _is_from_before(picture, before):
            picture.unlink(missing_ok=True)


def _is_from_before(path: Path, moment: float) -> bool:
    """Whether it is that old; what a client has taken back meanwhile is not."""
    try:
        return path.stat().st_mtime < moment
    except OSError:
        return False


def _remove(places: Places, job_id: JobId, folders: Sequence[Path]) -> int:
    """The bytes that went."""
    size = _size(*folders)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    for picture in places.pictures.glob(f"{job_id}-*"):
        picture.unlink(missing_ok=True)
    places.forget_order(job_id)
    return size


def _size(*folders: Path) -> int:
    """Of the files in them that are still there when it is their turn: jobs move theirs, and clients delete some."""
    found = (Path(place, name) for folder in folders for place, _, names in os.walk(folder) for name in names)
    return sum(map(_bytes, found))


def _bytes(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0
