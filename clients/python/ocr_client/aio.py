"""The client for programs on an asyncio loop. The worker is heard in threads: no limit of a StreamReader applies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ocr_client.client import open_batch, reopen
from ocr_client.core import Core
from ocr_client.errors import OcrError
from ocr_client.run import Run
from ocr_client.view import ClientView, JobView, until_restarted
from ocr_client.wire import AnyPath, wire_path
from ocr_client.wire_types import (
    BatchData,
    BatchOptions,
    Event,
    HelloData,
    InspectData,
    JobData,
    JobsData,
    JobState,
    JobSummary,
    PingData,
)

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")


async def _wait(future: Future[T]) -> T:
    """Who gives up waiting leaves the answer to come."""
    return await asyncio.wrap_future(future)


class AsyncJob(JobView):
    """A batch at work. `async for` gives its events; the last one is its end."""

    def __init__(self, core: Core, run: Run) -> None:
        super().__init__(core, run)
        self._news = asyncio.Event()
        loop = asyncio.get_running_loop()
        run.listen(lambda: _call_soon(loop, self._news.set))

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Events as they come, to the end; of progress only the newest, for a slow reader."""
        while True:
            self._news.clear()
            # Asked before: what comes after the end was seen would be missed.
            ended = self._run.ended
            while (event := self._run.poll()) is not None:
                yield event
            if ended:
                return
            if not self._run.ended:
                await self._news.wait()

    async def result(self) -> BatchData:
        """Wait for the end.

        Raises:
            OcrError: the run failed; `worker_gone`, if its worker crashed too often or was stopped.
        """
        return await _wait(self._run.result)

    async def pause(self) -> None:
        """Start no more pages. An event of kind `paused` tells when none is in work any more."""
        with until_restarted():
            await _wait(self._core.steer(self._run, "pause"))

    async def resume(self) -> None:
        """Go on after a pause."""
        with until_restarted():
            await _wait(self._core.steer(self._run, "run"))

    async def cancel(self) -> None:
        """Stop it; its result then has the status `cancelled`."""
        with until_restarted():
            await _wait(self._core.steer(self._run, "cancel"))


class AsyncClient(ClientView):
    """A worker that is started, watched, restarted and ended: `async with AsyncClient("my-app") as ocr: ...`.

    Every method raises OcrError if the worker refuses, and WorkerGoneError if it dies before it answers.
    """

    async def start(self) -> HelloData:
        """Start the worker; who gives up waiting has ended it. Raises WorkerGoneError."""
        starting = asyncio.get_running_loop().run_in_executor(None, self._core.start)
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await self.stop()
            with suppress(OcrError):
                await starting
            raise

    async def stop(self) -> None:
        """End the worker: its jobs are cancelled and can be resumed."""
        await asyncio.to_thread(self._core.stop)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def batch(
        self,
        files: Sequence[AnyPath],
        output_dir: AnyPath,
        options: BatchOptions | None = None,
        *,
        priority: int = 0,
    ) -> AsyncJob:
        """Begin to recognise files."""
        opened = await self._opened(open_batch(self._core, files, output_dir, options, priority))
        return cast("AsyncJob", opened)

    async def resume(self, job_id: str, passwords: Mapping[str, str] | None = None) -> AsyncJob | None:
        """Go on with a job that was interrupted, cancelled or stopped; None if nothing is left to do."""
        return await self._opened(reopen(self._core, "resume", job_id, passwords))

    async def retry_failed(self, job_id: str, passwords: Mapping[str, str] | None = None) -> AsyncJob | None:
        """Try the failed files of an ended job again; None if there are none."""
        return await self._opened(reopen(self._core, "retry_failed", job_id, passwords))

    async def interrupted(self) -> list[JobSummary]:
        """Jobs of this program that an earlier life of it has left: `resume` goes on with them."""
        return (await self.list_jobs(state="interrupted", client=self._core.name))["jobs"]

    async def list_jobs(
        self, *, state: JobState | None = None, client: str | None = None, offset: int = 0, limit: int = 1000
    ) -> JobsData:
        """Jobs of the state folder, newest first."""
        asked = self._ask("list_jobs", state=state, client=client, offset=offset, limit=limit)
        return cast("JobsData", await asked)

    async def get_job(self, job_id: str, *, offset: int = 0, limit: int = 1000) -> JobData:
        """A job and a page of its files."""
        return cast("JobData", await self._ask("get_job", job_id=job_id, offset=offset, limit=limit))

    async def delete_job(self, job_id: str) -> None:
        """Forget a job that has ended; its outputs stay."""
        await self._ask("delete_job", job_id=job_id)

    async def cancel(self, job_id: str | None = None) -> None:
        """Stop a job, be it another process's, or all of this worker."""
        await _wait(self._core.cancel(job_id))

    async def inspect(self, file: AnyPath, password: str | None = None) -> InspectData:
        """What a file is."""
        return cast("InspectData", await self._ask("inspect", file=wire_path(file), password=password))

    async def ping(self) -> PingData:
        return cast("PingData", await self._ask("ping"))

    async def send(self, command: str, **fields: object) -> Event:
        """Send any command and wait for its answer."""
        return await _wait(self._core.ask(command, **fields))

    async def _ask(self, command: str, **fields: object) -> object:
        return (await self.send(command, **fields))["data"]

    async def _opened(self, answer: Future[Run | None]) -> AsyncJob | None:
        run = await _wait(answer)
        return None if run is None else AsyncJob(self._core, run)


def _call_soon(loop: asyncio.AbstractEventLoop, call: Any) -> None:
    # A loop that is closed has nobody who listens.
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)
