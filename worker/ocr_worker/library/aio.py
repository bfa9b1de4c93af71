"""The sidecar for asyncio: the same calls, awaited. Waiting happens in threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from typing_extensions import ParamSpec, Self, Unpack

from ocr_worker.files.paths import AnyPath
from ocr_worker.jobs.subscriptions import Heard
from ocr_worker.library.options import Options
from ocr_worker.library.pictures import Picture
from ocr_worker.library.sidecar import Job, Sidecar
from ocr_worker.model.page import Page
from ocr_worker.model.results import BatchResult, Inspection

P = ParamSpec("P")
T = TypeVar("T")
LOOK_SECONDS = 0.1
"""How long a thread waits for an event at a time, so that a cancelled task leaves no thread behind."""


class AsyncJob:
    """A job, running or ended. Iterate it with `async for` in one task; any task may await its other methods."""

    def __init__(self, job: Job) -> None:
        self._job = job
        # Events are read from the store, whose connection belongs to one thread.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="job")

    @property
    def job_id(self) -> str:
        """The id of the job."""
        return self._job.job_id

    @property
    def file_count(self) -> int:
        """Files of this run."""
        return self._job.file_count

    async def __aiter__(self) -> AsyncIterator[Heard]:
        """ProgressMade and FileDone as they happen, and at last JobEnded or JobFailed."""
        while not self._job.has_ended:
            event = await self._in_thread(self._job.next_event, LOOK_SECONDS)
            if event is not None:
                yield event

    async def result(self) -> BatchResult:
        """Wait for the end of the job. Result and errors are those of `Job.result`."""
        async for _ in self:
            continue
        try:
            return await self._in_thread(self._job.result)
        finally:
            self._thread.shutdown(wait=False)

    async def cancel(self) -> None:
        """End the job within a second, in the middle of a page. Finished files stay."""
        await asyncio.to_thread(self._job.cancel)

    async def pause(self) -> None:
        """Start no more pages; finish those that have begun."""
        await asyncio.to_thread(self._job.pause)

    async def resume(self) -> None:
        """Go on after a pause."""
        await asyncio.to_thread(self._job.resume)

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(call, *args, **kwargs))


class AsyncSidecar:
    """`Sidecar` for asyncio.

    async with AsyncSidecar() as sidecar:
        job = await sidecar.start(["scan.pdf"], "out")
        async for event in job:
            print(event)
        result = await job.result()
    """

    def __init__(self, *, state_dir: AnyPath | None = None, max_workers: int | None = None) -> None:
        """Start nothing yet.

        Args:
            state_dir: where jobs are stored; by default OCR_WORKER_STATE_DIR or the user's state folder.
            max_workers: most page processes; by default one per processor.
        """
        self._sidecar = Sidecar(state_dir=state_dir, max_workers=max_workers)

    async def start(
        self, files: AnyPath | Iterable[AnyPath], output_dir: AnyPath, **options: Unpack[Options]
    ) -> AsyncJob:
        """Start a batch. Arguments and errors are those of `Sidecar.start`."""
        return AsyncJob(await asyncio.to_thread(self._sidecar.start, files, output_dir, **options))

    async def read_page(
        self,
        image: AnyPath | bytes | Picture,
        page: int = 1,
        password: str | None = None,
        **options: Unpack[Options],
    ) -> Page:
        """Read one image or page. Arguments and errors are those of `Sidecar.read_page`."""
        return await asyncio.to_thread(self._sidecar.read_page, image, page, password, **options)

    async def inspect(self, file: AnyPath, password: str | None = None) -> Inspection:
        """Say what a file is, without OCR. Arguments and errors are those of `Sidecar.inspect`."""
        return await asyncio.to_thread(self._sidecar.inspect, file, password)

    async def close(self) -> None:
        """End all page processes and close the store. Running jobs can be resumed."""
        await asyncio.to_thread(self._sidecar.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
