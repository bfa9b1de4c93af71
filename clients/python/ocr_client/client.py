"""The client for programs with threads: every call waits for its answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, cast

from ocr_client.core import Core
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


class Job(JobView):
    """A batch at work. Iterate it for its events; the last one is its end."""

    def __iter__(self) -> Iterator[Event]:
        """Events as they come, to the end; of progress only the newest, for a slow reader."""
        while (event := self._run.next()) is not None:
            yield event

    def next(self, timeout: float | None = None) -> Event | None:
        """The next event; None after the last one, or when the time is up."""
        return self._run.next(timeout)

    def result(self, timeout: float | None = None) -> BatchData:
        """Wait for the end.

        Raises:
            OcrError: the run failed; `worker_gone`, if its worker crashed too often or was stopped.
            TimeoutError: it has not ended yet.
        """
        return self._run.result.result(timeout)

    def pause(self) -> None:
        """Start no more pages. An event of kind `paused` tells when none is in work any more."""
        with until_restarted():
            self._core.steer(self._run, "pause").result()

    def resume(self) -> None:
        """Go on after a pause."""
        with until_restarted():
            self._core.steer(self._run, "run").result()

    def cancel(self) -> None:
        """Stop it; its result then has the status `cancelled`."""
        with until_restarted():
            self._core.steer(self._run, "cancel").result()


class Client(ClientView):
    """A worker that is started, watched, restarted and ended: `with Client("my-app") as ocr: ...`.

    Every method raises OcrError if the worker refuses, and WorkerGoneError if it dies before it answers.
    """

    def start(self) -> HelloData:
        """Start the worker. Raises WorkerGoneError."""
        return self._core.start()

    def stop(self) -> None:
        """End the worker: its jobs are cancelled and can be resumed."""
        self._core.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def batch(
        self,
        files: Sequence[AnyPath],
        output_dir: AnyPath,
        options: BatchOptions | None = None,
        *,
        priority: int = 0,
    ) -> Job:
        """Begin to recognise files."""
        return cast("Job", self._opened(open_batch(self._core, files, output_dir, options, priority)))

    def resume(self, job_id: str, passwords: Mapping[str, str] | None = None) -> Job | None:
        """Go on with a job that was interrupted, cancelled or stopped; None if nothing is left to do."""
        return self._opened(reopen(self._core, "resume", job_id, passwords))

    def retry_failed(self, job_id: str, passwords: Mapping[str, str] | None = None) -> Job | None:
        """Try the failed files of an ended job again; None if there are none."""
        return self._opened(reopen(self._core, "retry_failed", job_id, passwords))

    def interrupted(self) -> list[JobSummary]:
        """Jobs of this program that an earlier life of it has left: `resume` goes on with them."""
        return self.list_jobs(state="interrupted", client=self._core.name)["jobs"]

    def list_jobs(
        self, *, state: JobState | None = None, client: str | None = None, offset: int = 0, limit: int = 1000
    ) -> JobsData:
        """Jobs of the state folder, newest first."""
        return cast(
            "JobsData",
            self._ask("list_jobs", state=state, client=client, offset=offset, limit=limit),
        )

    def get_job(self, job_id: str, *, offset: int = 0, limit: int = 1000) -> JobData:
        """A job and a page of its files."""
        return cast("JobData", self._ask("get_job", job_id=job_id, offset=offset, limit=limit))

    def delete_job(self, job_id: str) -> None:
        """Forget a job that has ended; its outputs stay."""
        self._ask("delete_job", job_id=job_id)

    def cancel(self, job_id: str | None = None) -> None:
        """Stop a job, be it another process's, or all of this worker."""
        self._core.cancel(job_id).result()

    def inspect(self, file: AnyPath, password: str | None = None) -> InspectData:
        """What a file is."""
        return cast("InspectData", self._ask("inspect", file=wire_path(file), password=password))

    def ping(self) -> PingData:
        return cast("PingData", self._ask("ping"))

    def send(self, command: str, **fields: object) -> Future[Event]:
        """Send any command; the future has its answer."""
        return self._core.ask(command, **fields)

    def _ask(self, command: str, **fields: object) -> object:
        return self._core.ask(command, **fields).result()["data"]

    def _opened(self, answer: Future[Run | None]) -> Job | None:
        run = answer.result()
        return None if run is None else Job(self._core, run)


def open_batch(
    core: Core, files: Sequence[AnyPath], output_dir: AnyPath, options: BatchOptions | None, priority: int
) -> Future[Run | None]:
    """Send a batch, its paths made absolute."""
    given: dict[str, Any] = {**(options or {})}
    for name in ("passwords", "tessdata_dirs", "tessdata_dir", "no_links_below"):
        if name in given:
            given[name] = _absolute(given[name])
    return core.open(
        "ocr_batch",
        given.get("passwords", {}),
        files=[wire_path(file) for file in files],
        output_dir=wire_path(output_dir),
        options=given,
        priority=priority,
    )


def reopen(core: Core, command: str, job_id: str, passwords: Mapping[str, str] | None) -> Future[Run | None]:
    """Send a command that begins a new run of a job."""
    words: dict[str, str] = _absolute(passwords or {})
    return core.open(command, words, job_id=job_id, passwords=words or None)


def _absolute(paths: Any) -> Any:
    if isinstance(paths, Mapping):
        return {wire_path(path): word for path, word in paths.items()}
    return [wire_path(path) for path in paths] if isinstance(paths, list | tuple) else wire_path(paths)
