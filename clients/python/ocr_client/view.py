"""What both clients show of their jobs and of their worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ocr_client.core import Core, State
from ocr_client.errors import WorkerGoneError
from ocr_client.metrics import Metrics
from ocr_client.run import Run
from ocr_client.settings import Settings
from ocr_client.wire_types import HelloData, ProgressData


@contextmanager
def until_restarted() -> Iterator[None]:
    """What a job's user wants of it is heeded though its worker dies: the next one is told."""
    try:
        yield
    except WorkerGoneError as error:
        if not error.retryable:
            raise


class JobView:
    def __init__(self, core: Core, run: Run) -> None:
        self._core, self._run = core, run

    @property
    def job_id(self) -> str:
        return self._run.job_id

    @property
    def total_files(self) -> int:
        return self._run.total_files

    @property
    def progress(self) -> ProgressData | None:
        """The newest."""
        return self._run.progress

    @property
    def ended(self) -> bool:
        return self._run.ended


class ClientView:
    def __init__(self, name: str, **settings: Any) -> None:
        """`settings` are the other fields of `Settings`."""
        self._core = Core(Settings(name, **settings))

    @property
    def state(self) -> State:
        return self._core.state

    @property
    def metrics(self) -> Metrics:
        return self._core.metrics

    @property
    def hello(self) -> HelloData | None:
        """What the worker says of itself; it may be another than at the start."""
        return self._core.hello

    @property
    def worker_pid(self) -> int | None:
        """None while there is none."""
        return self._core.worker_pid
