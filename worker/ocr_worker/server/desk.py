"""What routes ask of the runtime and of the store; nothing here holds up the event loop."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar

from ocr_worker.errors import JobActiveError, JobNotFoundError, OcrError
from ocr_worker.jobs.one_off import Question, failed
from ocr_worker.jobs.requests import Asked, job_request
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.jobs.service import JobService
from ocr_worker.model.jobs import ACTIVE, JobId, JobState
from ocr_worker.model.results import Accepted
from ocr_worker.model.serving import ServiceOptions
from ocr_worker.model.tasks import Composed, CorrectTask, Drawn, Outcome
from ocr_worker.server.moment import Moment
from ocr_worker.server.places import Places
from ocr_worker.server.uploads import Uploads
from ocr_worker.server.watching import Hub
from ocr_worker.store.job_lock import JobLock, Request, who_holds
from ocr_worker.store.job_store import JobStore, open_store, store_as_it_is

T = TypeVar("T")
Where = Literal["here", "elsewhere", "ended"]
ANSWER_SECONDS = 5.0
"""How long an order to another process waits to be carried out; it looks every half a second."""
LOOK_SECONDS = 0.1
INTERRUPTED_SECONDS = 1.0
"""How often to look for jobs whose process has died."""
PICTURE_SECONDS = 60.0
CORRECT_SECONDS = 300.0
"""A book of a thousand pages is composed in one."""


class Desk:
    """For the thread of the event loop."""

    def __init__(self, options: ServiceOptions, runtime: Runtime, places: Places) -> None:
        self.options, self.runtime, self.places = options, runtime, places
        self.started: float = time.time()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._store: JobStore | None = None
        self._own_store: JobStore | None = None
        """For the event loop's thread, which asks it for its version alone."""
        self._opened = 0
        self._looked_at = 0.0
        self._correcting = asyncio.Lock()
        self.making_room = asyncio.Lock()
        self.made_room_at: float = -math.inf
        self.moment: Moment = Moment(self._version)
        self.hub: Hub = Hub(
            runtime, self._reader, self.find_interrupted, self.moment, options.limits.kept_batches
        )
        self.uploads: Uploads = Uploads(places.uploads, options.limits, places.uploads_in_use)

    # Reading

    async def read(self, query: Callable[[JobStore], T]) -> T:
        """Ask the store something short."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._asked, query)

    async def search(self, query: Callable[[JobStore], T]) -> T:
        """Ask the store and results something that may take long."""
        return await asyncio.to_thread(self._asked_apart, query)

    @property
    def has_to_look(self) -> bool:
        """Whether `find_interrupted` has something to do."""
        return time.monotonic() - self._looked_at > INTERRUPTED_SECONDS

    def _version(self) -> tuple[int, int, int] | None:
        if self.has_to_look:
            return None
        try:
            store = store_as_it_is(self._own_store, self.runtime.settings.state_dir)
            if store is not self._own_store:
                self._own_store, self._opened = store, self._opened + 1
            written = store.version
        except (OcrError, sqlite3.Error):
            return None
        return self._opened, written, self.places.orders_version

    async def find_interrupted(self) -> None:
        """Have jobs of dead processes marked; now and then is enough."""
        if self.has_to_look:
            self._looked_at = time.monotonic()
            await self.order(lambda service: service.leases.find_interrupted())

    def _asked(self, query: Callable[[JobStore], T]) -> T:
        self._store = store_as_it_is(self._store, self.runtime.settings.state_dir)
        return query(self._store)

    def _asked_apart(self, query: Callable[[JobStore], T]) -> T:
        with open_store(self.runtime.settings.state_dir) as store:
            return query(store)

    # Orders

    async def order(self, call: Callable[[JobService], T]) -> T:
        """Run a call in the runtime's thread."""
        return await asyncio.wrap_future(self.runtime.submit(call))

    async def start(self, asked: Asked) -> Accepted:
        """Admit a job, and wait until all of it is stored. Raises OcrError."""
        request = await asyncio.to_thread(job_request, asked)
        stored = await self.order(lambda service: service.admit(request))
        return await asyncio.wrap_future(stored)

    async def pause(self, job_id: JobId) -> None:
        """Start no more pages of a job, whichever process has it. Nothing happens to one that has ended."""

        def here(service: JobService) -> None:
            if job_id not in service.paused(job_id):
                service.pause([job_id])

        await self._where_it_is(job_id, here, "pause", lambda state: state not in ("queued", "running"))

    async def cancel(self, job_id: JobId) -> None:
        """End a job, whichever process has it; one that was interrupted is cancelled for good."""
        where = await self._where_it_is(
            job_id, lambda service: service.cancel(job_id), "cancel", lambda state: state not in ACTIVE
        )
        if where == "ended":
            await self.order(lambda service: service.leases.mark_cancelled(job_id))

    async def resume(self, job_id: JobId, passwords: dict[str, str]) -> None:
        """Go on with a job that is paused, or start a new run of one that ended before it was complete."""
        where = await self._where_it_is(
            job_id, lambda service: service.unpause([job_id]), "resume", lambda state: state != "paused"
        )
        if where == "ended":
            await self.order(lambda service: service.resume(job_id, passwords))

    async def retry(self, job_id: JobId, passwords: dict[str, str]) -> None:
        await self.order(lambda service: service.retry_failed(job_id, passwords))

    async def draw(self, question: Question, name: str) -> None:
        """Have a page process draw a picture. Raises OcrError."""
        outcome = await self._ask(question, PICTURE_SECONDS)
        if not isinstance(outcome, Drawn):
            raise failed(outcome, name, PICTURE_SECONDS)

    async def correct(self, task: CorrectTask, name: str) -> None:
        """Have a page process write outputs anew, one file after the other. Raises OcrError."""
        async with self._correcting:
            outcome = await self._ask(task, CORRECT_SECONDS)
        if not isinstance(outcome, Composed):
            raise failed(outcome, name, CORRECT_SECONDS)

    async def close(self) -> None:
        """End all watchers, and close the store."""
        self.hub.close()
        await asyncio.get_running_loop().run_in_executor(self._reader, self._close_store)
        self._reader.shutdown(wait=False)
        if self._own_store is not None:
            self._own_store.close()

    async def _where_it_is(
        self,
        job_id: JobId,
        here: Callable[[JobService], None],
        request: Request,
        done: Callable[[JobState], bool],
    ) -> Where:
        """Give an order here, or ask the process that has the job for it; where that was."""

        def give(service: JobService) -> Where:
            where = _whereabouts(service, job_id)
            if where == "here":
                here(service)
            return where

        where = await self.order(give)
        if where == "elsewhere":
            await self._ask_owner(job_id, request, done)
        self.hub.look(job_id)
        return where

    async def _ask_owner(self, job_id: JobId, request: Request, done: Callable[[JobState], bool]) -> None:
        """Raises JobActiveError if the process that has the job does not answer."""
        jobs_dir = self.runtime.settings.jobs_dir
        if done(await self._state(job_id)):
            return
        JobLock.ask(jobs_dir, job_id, request)
        try:
            until = time.monotonic() + ANSWER_SECONDS
            while time.monotonic() < until:
                await asyncio.sleep(LOOK_SECONDS)
                if done(await self._state(job_id)):
                    return
        finally:
            JobLock.ask_no_more(jobs_dir, job_id, request)
        holder = await asyncio.to_thread(who_holds, jobs_dir, job_id)
        who = f"process {holder.pid} ({holder.name})" if holder else "another process"
        raise JobActiveError(f"Job {job_id} is held by {who}, which does not answer. Send the order there.")

    async def _state(self, job_id: JobId) -> JobState:
        job = await self.read(lambda store: store.job(job_id))
        if job is None:
            raise JobNotFoundError(f"There is no job {job_id}.")
        return job.state

    async def _ask(self, question: Question, limit_seconds: float) -> Outcome:
        asked = await self.order(lambda _: self.runtime.ask_here(question, limit_seconds))
        return await asyncio.wrap_future(asked)

    def _close_store(self) -> None:
        if self._store is not None:
            self._store.close()


def _whereabouts(service: JobService, job_id: JobId) -> Where:
    """Raises JobNotFoundError."""
    try:
        return "here" if service.active(job_id) else "ended"
    except JobActiveError:
        return "elsewhere"


def no_job(job_id: JobId) -> OcrError:
    return JobNotFoundError(f"There is no job {job_id}.")
