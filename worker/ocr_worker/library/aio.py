"""The sidecar for asyncio: the same calls, awaited. Waiting is done in threads, so no event loop is held up."""

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
from ocr_worker.library.sidecar import Job, SavesPicture, Sidecar
from ocr_worker.model.page import Page
from ocr_worker.model.results import BatchResult, Inspection

P = ParamSpec("P")
T = TypeVar("T")
LOOK_SECONDS = 0.1
"""How long a thread waits for news at a time, so that a task that is cancelled leaves none behind."""


class AsyncJob:
    """A job at work, or ended. Iterate it with `async for` in one task; its other methods may be awaited by any."""

    def __init__(self, job: Job) -> None:
        self._job = job
        # A listener reads the store, whose connection is one thread's.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="job")

    @property
    def job_id(self) -> str:
        return self._job.job_id

    @property
    def file_count(self) -> int:
        return self._job.file_count

    async def __aiter__(self) -> AsyncIterator[Heard]:
        """ProgressMade and FileDone as they happen, and at last JobEnded or JobFailed."""
        while not self._job.has_ended:
            event = await self._in_thread(self._job.next_event, LOOK_SECONDS)
            if event is not None:
                yield event

    async def result(self) -> BatchResult:
        """Wait for the end, and say how the run ended. Raises as `Job.result`."""
        async for _ in self:
            continue
        try:
            return await self._in_thread(self._job.result)
        finally:
            self._thread.shutdown(wait=False)

    async def cancel(self) -> None:
        """End it within a second, in mid-page; what is finished stays."""
        await asyncio.to_thread(self._job.cancel)

    async def pause(self) -> None:
        """Start no more pages; those at work are finished."""
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
            state_dir: where jobs are remembered; by default the user's, or that of OCR_WORKER_STATE_DIR.
            max_workers: page processes at most; by default one a processor.
        """
        self._sidecar = Sidecar(state_dir=state_dir, max_workers=max_workers)

    async def start(
        self, files: AnyPath | Iterable[AnyPath], output_dir: AnyPath, **options: Unpack[Options]
    ) -> AsyncJob:
        """Begin a batch. Arguments and errors are those of `Sidecar.start`."""
        return AsyncJob(await asyncio.to_thread(self._sidecar.start, files, output_dir, **options))

    async def read_page(
        self,
        image: AnyPath | bytes | SavesPicture,
        page: int = 1,
        password: str | None = None,
        **options: Unpack[Options],
    ) -> Page:
        """Read one picture or page in memory. Arguments and errors are those of `Sidecar.read_page`."""
        return await asyncio.to_thread(self._sidecar.read_page, image, page, password, **options)

    async def inspect(self, file: AnyPath, password: str | None = None) -> Inspection:
        """Say what a file is, without recognition. Raises OcrError, which names the file."""
        return await asyncio.to_thread(self._sidecar.inspect, file, password)

    async def close(self) -> None:
        """End all page processes and let the store go; jobs at work can be resumed."""
        await asyncio.to_thread(self._sidecar.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
