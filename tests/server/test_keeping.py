"""What is kept is counted and tidied while jobs and clients are at it."""

from __future__ import annotations

import asyncio
import os
import queue
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.errors import JobActiveError, JobNotFoundError, OcrError
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.library.requests import make_request
from ocr_worker.model.serving import ServiceLimits, ServiceOptions
from ocr_worker.server import keeping
from ocr_worker.server.desk import Desk
from ocr_worker.server.places import Places
from ocr_worker.settings import Settings
from tests.processes.fake_pool import FakePool

LATER = 10.0**11


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Two jobs that have ended, with an upload each, all of it too old by `LATER`."""
    inbox = queue.SimpleQueue[Any]()
    with Runtime(
        Settings(tmp_path / "state", page_processes=1), inbox=inbox, pool=FakePool(inbox.put)
    ) as runtime:
        places = Places(tmp_path / "state", ())
        made = Desk(ServiceOptions(port=0, limits=ServiceLimits()), runtime, places)
        for number in range(2):
            accepted = runtime.admit(
                make_request([str(tmp_path / f"{number}.png")], places.new_results(), {})
            )
            list(runtime.subscribe(accepted.job_id))
            upload = made.uploads.create(f"{number}.png", 100)
            places.keep_order(accepted.job_id, {"uploads": [upload.upload_id]})
        yield made


def tidied(desk: Desk, now: float = LATER) -> None:
    async def tidy() -> None:
        try:
            await keeping.tidy(desk, now)
        finally:
            await desk.close()

    asyncio.run(tidy())


def test_what_goes_while_it_is_looked_at_keeps_nothing_else_from_being_tidied(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    unused = [desk.uploads.create("unused.png", 10).path.parent for _ in range(2)]
    walk, rmtree = os.walk, shutil.rmtree

    def walk_too_late(place: Path) -> Iterator[tuple[str, list[str], list[str]]]:
        for folder, folders, names in walk(place):
            yield folder, folders, ["gone", *names]

    def remove_both(folder: Path, **options: Any) -> None:
        for each in (folder, *(unused if folder in unused else ())):
            rmtree(each, **options)

    monkeypatch.setattr(os, "walk", walk_too_late)
    monkeypatch.setattr(shutil, "rmtree", remove_both)
    tidied(desk)

    assert [list(place.iterdir()) for place in (desk.places.uploads, desk.places.orders)] == [[], []]


@pytest.mark.parametrize("error", [JobActiveError("it goes on"), JobNotFoundError("it is gone")])
def test_a_job_that_somebody_goes_on_with_or_deletes_keeps_no_other_from_being_tidied(
    desk: Desk, error: OcrError, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = desk.places.orders_kept()
    forget = keeping._forget

    async def refused(desk: Desk, job_id: str, users: Any) -> int:
        if job_id == first:
            raise error
        return await forget(desk, job_id, users)

    monkeypatch.setattr(keeping, "_forget", refused)
    tidied(desk)

    assert desk.places.orders_kept() == [first]


def test_an_upload_that_is_announced_while_they_are_counted_takes_room(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = keeping._size

    def counted(*folders: Path) -> int:
        found = size(*folders)
        desk.uploads.create("late.png", 5000)
        return found

    monkeypatch.setattr(keeping, "_size", counted)

    # Nothing is old yet, so nothing goes.
    tidied(desk, 0.0)

    assert desk.uploads.kept_bytes >= 5000
