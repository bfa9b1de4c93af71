"""Do one shard: its inputs are fetched ahead, the ordinary batch reads them, what has ended is put, and at last the marker."""

from __future__ import annotations

import logging
import os
import queue
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from ocr_worker import __version__
from ocr_worker.errors import FAILURES, CrashedError, InvalidParamsError, OcrError, UnreachableError
from ocr_worker.files.bounded import Look
from ocr_worker.files.sweep import leave_temp_folder, make_temp_folder
from ocr_worker.jobs.requests import Asked, job_request
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.model.events import FileDone, JobEnded, JobFailed
from ocr_worker.model.sharding import AGAIN, DONE, OURS, ShardEnd, ShardOrder
from ocr_worker.model.tasks import Failure
from ocr_worker.processes.guard import guard_of_page_processes
from ocr_worker.processes.pool import make_pool
from ocr_worker.settings import Settings
from ocr_worker.shards.delivery import Delivery, Tally
from ocr_worker.shards.earlier import Earlier
from ocr_worker.shards.gated_pool import Arrived, GatedPool
from ocr_worker.shards.marker import FailedFile, Marker, put_marker, read_marker
from ocr_worker.shards.places import Place, place
from ocr_worker.shards.plan import Plan, load_plan, load_shard
from ocr_worker.shards.rows import Row, done_folder_key, files_key, tries_key
from ocr_worker.shards.staging import Copies, Room, Stager
from ocr_worker.shards.tries import Past, Try, look_back, read_notes

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

LOOK_SECONDS = 0.1
"""How often to look for a signal, or for a thread that broke."""
PUT_SECONDS = 8.0
"""After an order to end: what is finished is put within this time."""
NOTE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Shard:
    """What is to be done, and where it goes."""

    plan: Plan
    number: int
    hash: str
    rows: tuple[Row, ...]
    out: Place


class EndedError(Exception):
    """An end was ordered while a store was waited for."""


def run_shard(order: ShardOrder) -> ShardEnd:
    """Do a shard, unless it is done.

    Raises:
        InvalidParamsError: the plan has no such shard.
        OcrError: what another try may mend is told by the exit code of the error's kind.
    """
    try:
        shard = _unless_ended(order, lambda: _shard(order))
        marker = _unless_ended(order, lambda: read_marker(shard.out, shard.number, shard.hash))
        if marker is not None:
            return _end(shard, DONE, "done before", marker)
        past = _unless_ended(order, lambda: _past(shard, order))
    except EndedError as error:
        return ShardEnd(code=AGAIN, message=str(error), shard=order.index)
    with _scratch(order.scratch) as scratch:
        return _Run(shard, order, scratch, past).run()


def _unless_ended(order: ShardOrder, call: Callable[[], Answer], grace_seconds: float = 0.0) -> Answer:
    """What a call of stores comes to, in a thread that holds up no exit: a store may take for ever.

    Raises:
        EndedError: there is no answer, so long after an end was ordered.
    """
    look, until = Look(call), None
    while not look.wait(LOOK_SECONDS):
        if (number := order.stopped_by()) is None:
            continue
        until = until or time.monotonic() + grace_seconds
        if time.monotonic() >= until:
            raise EndedError(f"ended by signal {number}")
    return look.answer("The store")


def _shard(order: ShardOrder) -> Shard:
    plans, out = place(order.plan), place(order.out)
    plan = load_plan(plans)
    if not 0 <= order.index < plan.shards:
        raise InvalidParamsError(
            f"There is no shard {order.index}: the plan has {plan.shards}, from 0.", field="index"
        )
    shard_hash, rows = load_shard(plans, plan, order.index)
    return Shard(plan, order.index, shard_hash, rows, out)


def _past(shard: Shard, order: ShardOrder) -> Past:
    return look_back(shard.out, shard.number, shard.hash, lambda seconds: _wait(order, seconds))


def _wait(order: ShardOrder, seconds: float) -> None:
    """Or until an end is ordered."""
    until = time.monotonic() + seconds
    while order.stopped_by() is None and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)


class _Run:
    """One try."""

    def __init__(self, shard: Shard, order: ShardOrder, scratch: Path, past: Past) -> None:
        self._shard, self._order, self._past = shard, order, past
        self._begun, self._trouble = time.time(), queue.SimpleQueue[Exception]()
        self._outputs = _made(scratch / "out")
        self._settings = _settings(order.settings, scratch, past)
        self._options = shard.plan.job_options(1 if past.is_suspect else None)
        self._given_up = [row for row in shard.rows if row.url in past.given_up]
        wanted = tuple(row for row in shard.rows if row.url not in past.given_up)
        self._copies = Copies(wanted, _made(scratch / "in"))
        self._rows = {str(self._copies.path(row)): row for row in wanted}
        self._room = Room.of_disk(scratch, self._settings.page_processes)
        self._note = Try(
            shard.out, shard.number, shard.hash, processes=self._settings.page_processes,
            past=past,
        )  # fmt: skip
        self._delivery = Delivery(shard.out, files_key(shard.number), self._put, self._trouble.put)

    def run(self) -> ShardEnd:
        for row in self._given_up:
            error = CrashedError(
                f"{row.url} was in work when two tries of its shard died, so it was given up."
            )
            self._delivery.tally.fail(row.url, error.code, error.message)
        how = "died"
        try:
            _unless_ended(self._order, self._begin)
            end = self._do()
            how = "done" if end.code == DONE else "again" if end.code == AGAIN else "failed"
        except EndedError as error:
            how = "again"
            return self._stopped(AGAIN, str(error))
        except OcrError as error:
            how = "again" if error.retryable else "failed"
            return _end(self._shard, AGAIN if error.retryable else OURS, error.message, self._delivery.tally)
        else:
            return end
        finally:
            self._room.close()
            self._note.end(how, NOTE_SECONDS)

    def _begin(self) -> None:
        self._note.begin()
        number = self._shard.number
        for folder in (files_key(number), tries_key(number), done_folder_key(number)):
            self._shard.out.sweep(folder)

    def _do(self) -> ShardEnd:
        if self._rows and (end := self._read()) is not None:
            return end
        tally = self._delivery.tally
        if tally.blocking is not None:
            return _end(self._shard, AGAIN, tally.blocking, tally)
        return _unless_ended(self._order, self._mark, PUT_SECONDS)

    def _mark(self) -> ShardEnd:
        marker = self._marker()
        put_marker(self._shard.out, marker)
        return _end(self._shard, DONE, "done", marker)

    def _read(self) -> ShardEnd | None:
        """Read the files and put what comes of them; None when that is all, else why not."""
        # Page processes inherit it: two tries at once put the same PDFs.
        os.environ.setdefault("SOURCE_DATE_EPOCH", str(self._shard.plan.planned))
        inbox: queue.Queue[object] = queue.Queue()
        stager = self._stager(inbox)
        guard = guard_of_page_processes()
        below = make_pool(self._settings.page_processes, self._settings, guard, inbox.put)
        pool = GatedPool(below, inbox.put, lambda path: self._note.working(self._rows[path].url))
        with Runtime(self._settings, guard=guard, inbox=inbox, pool=pool) as runtime:
            accepted = runtime.admit(job_request(self._asked()))
            stager.start()
            trouble = self._follow(runtime, accepted.job_id)
        if trouble is not None:
            self._delivery.finish(PUT_SECONDS)
            return trouble
        return self._put_the_rest()

    def _asked(self) -> Asked:
        return Asked(tuple(self._rows), str(self._outputs), self._options)

    def _stager(self, inbox: queue.Queue[object]) -> Stager:
        def arrived(row: Row, failure: Failure | None) -> None:
            inbox.put(Arrived(str(self._copies.path(row)), failure))

        kinds, out = self._options.page.outputs, self._shard.out
        earlier = _unless_ended(self._order, lambda: Earlier(out, self._shard.number, kinds, self._outputs))
        return Stager(self._copies, self._room, earlier, arrived, self._trouble.put)

    def _follow(self, runtime: Runtime, job_id: str) -> ShardEnd | None:
        """Hand over each file that ends; what ended the job before its end."""
        end: ShardEnd | None = None
        with runtime.subscribe(job_id) as events:
            while True:
                event = events.get(LOOK_SECONDS)
                if isinstance(event, FileDone):
                    self._delivery.put(self._rows[event.result.file], event.result, Path(event.result.file))
                elif isinstance(event, JobEnded | JobFailed):
                    return end or self._end_of_job(event)
                if end is None and (end := self._ordered_end()) is not None:
                    runtime.call(lambda service: service.interrupt("shard"))

    def _end_of_job(self, event: JobEnded | JobFailed) -> ShardEnd | None:
        if isinstance(event, JobFailed):
            failure = event.failure
            return self._stopped(AGAIN if failure.retryable else OURS, failure.message)
        if event.run.status == "completed":
            return None
        return self._stopped(AGAIN, f"the batch was {event.run.status} ({event.run.reason})")

    def _put_the_rest(self) -> ShardEnd | None:
        while not self._delivery.finish(LOOK_SECONDS):
            if (end := self._ordered_end()) is not None:
                self._delivery.finish(PUT_SECONDS)
                return end
        return None

    def _ordered_end(self) -> ShardEnd | None:
        """Why to stop now: a signal, or a thread that broke."""
        if (number := self._order.stopped_by()) is not None:
            return self._stopped(AGAIN, f"ended by signal {number}")
        if self._trouble.empty():
            return None
        error = self._trouble.get()
        if isinstance(error, OcrError):
            return self._stopped(AGAIN if FAILURES[error.code].retryable else OURS, error.message)
        log.error("a thread of the shard failed", exc_info=error)
        return self._stopped(OURS, f"{type(error).__name__}: {error}")

    def _stopped(self, code: int, message: str) -> ShardEnd:
        self._room.close()
        return _end(self._shard, code, message, self._delivery.tally)

    def _put(self, row: Row, pages: int) -> None:
        self._room.give(row)
        self._note.done_with(row.url, pages)

    def _marker(self) -> Marker:
        tally, now = self._delivery.tally, time.time()
        return Marker(
            shard=self._shard.number, hash=self._shard.hash, files=dict(tally.files),
            failed=tuple(FailedFile(**one) for one in sorted(tally.failed, key=lambda one: one["url"])),
            pages=tally.pages, failed_pages=tally.failed_pages, tries=self._past.tries + 1, begun=self._begun, ended=now,
            core_seconds=(now - self._begun) * self._settings.page_processes + self._core_seconds_before(),
            versions={"ocr_sidecar": __version__},
        )  # fmt: skip

    def _core_seconds_before(self) -> float:
        if not self._past.tries:
            return 0.0
        notes = read_notes(self._shard.out, self._shard.number).values()
        return sum((note.seen - note.begun) * note.processes for note in notes if note.begun < self._begun)


def _end(shard: Shard, code: int, message: str, done: Tally | Marker) -> ShardEnd:
    codes: Sequence[str] = (
        [one["code"] for one in done.failed] if isinstance(done, Tally) else [one.code for one in done.failed]
    )
    return ShardEnd(
        code=code, message=message, shard=shard.number, files=dict(done.files), pages=done.pages,
        failed={name: codes.count(name) for name in sorted(set(codes))},
        seconds=done.ended - done.begun if isinstance(done, Marker) else 0.0,
    )  # fmt: skip


def _settings(settings: Settings, scratch: Path, past: Past) -> Settings:
    """A state folder of its own, and few processes where what is in work may end them all."""
    processes = 1 if past.is_suspect else settings.page_processes
    return replace(settings, state_dir=scratch / "state", page_processes=processes)


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder


@contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    """A folder on the local disk. What a killed try left there is removed by the next one on this machine."""
    # In a folder of our own, which goes at the end: the parent is the user's.
    ours = parent / "ocr-shards"
    folder = make_temp_folder(ours)
    if parent.absolute() not in folder.absolute().parents:
        # Elsewhere nobody said that there is room for gigabytes.
        folder.rmdir()
        raise UnreachableError(
            f"{parent} takes no files: make room there, or name another folder by --scratch."
        )
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        leave_temp_folder(ours)
