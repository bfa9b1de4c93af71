"""How a worker feels to its host: time to answer, to cancel, to end and to start, and what it costs when it rests."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import img2pdf
import psutil

from bench.host import Event, WorkerHost
from bench.meter import tree_cpu_seconds, tree_pss
from ocr_worker.store.job_store import JobStore
from samples import save_slow_page

QUESTIONS = 50
ROUNDS = 5
REST_SECONDS = 10
LIMIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Figure:
    """Measurements of one thing, and what the contract allows at the median and at worst."""

    name: str
    unit: str
    values: tuple[float, ...]
    most_median: float
    most_worst: float

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def worst(self) -> float:
        return max(self.values)

    def missed(self) -> str | None:
        if self.median <= self.most_median and self.worst <= self.most_worst:
            return None
        return (
            f"{self.name}: median {self.median:.1f} and worst {self.worst:.1f} {self.unit}, "
            f"where {self.most_median:g} and {self.most_worst:g} are promised"
        )


def measure(folder: Path) -> list[Figure]:
    """Measure everything, one worker after another; about two minutes."""
    slow = save_slow_page(folder)
    book = folder / "slow.pdf"
    book.write_bytes(img2pdf.convert([str(slow)] * 12))
    return [
        _start(folder),
        *_answers(folder, book),
        *_cancels(folder, book),
        *(_end(folder, book, name, way) for name, way in ENDS.items()),
        *_rest(folder, slow),
    ]


def table(figures: list[Figure]) -> str:
    """The figures as a table of Markdown."""
    rows = [
        f"| {one.name} | {one.median:.1f} {one.unit} | {one.worst:.1f} {one.unit} "
        f"| {one.most_median:g} / {one.most_worst:g} {one.unit} | {len(one.values)} |"
        for one in figures
    ]
    return "\n".join(["| what | median | worst | promised | measured |", "|---|---|---|---|---|", *rows])


def _start(folder: Path) -> Figure:
    def once() -> float:
        begin = time.monotonic()
        with WorkerHost(folder / "start", LIMIT_SECONDS) as host:
            host.ask("hello", protocol=[1])
            return _ms_since(begin)

    once()  # The first reads the libraries from disk, which an app pays once a day.
    return Figure("spawn to the answer to `hello`", "ms", _rounds(once), 400, 1000)


def _answers(folder: Path, book: Path) -> Iterator[Figure]:
    with WorkerHost(folder / "answers", LIMIT_SECONDS) as host:
        job = _begin(host, book, folder / "answers")
        questions: dict[str, dict[str, object]] = {
            "ping": {},
            "inspect": {"file": str(book)},
            "get_job": {"job_id": job},
            "list_jobs": {},
        }
        for command, fields in questions.items():

            def once(command: str = command, fields: dict[str, object] = fields) -> float:
                begin = time.monotonic()
                host.ask(command, **fields)
                return _ms_since(begin)

            yield Figure(f"`{command}`, every core busy", "ms", _rounds(once, QUESTIONS), 50, 250)
        host.send("cancel")


def _cancels(folder: Path, book: Path) -> Iterator[Figure]:
    answered, ended = list[float](), list[float]()
    with WorkerHost(folder / "cancels", LIMIT_SECONDS) as host:
        for _ in range(ROUNDS):
            _begin(host, book, folder / "cancels")
            begin = time.monotonic()
            host.send("cancel")
            _wait(host, lambda event: event["data"].get("kind") == "cancel")
            answered.append(_ms_since(begin))
            _wait(host, lambda event: event["data"].get("kind") == "batch")
            ended.append(_ms_since(begin))
    yield Figure("`cancel` to its `info`, mid-page", "ms", tuple(answered), 50, 250)
    yield Figure("`cancel` to the terminal event, mid-page", "ms", tuple(ended), 1000, 1000)


ENDS: dict[str, Callable[[WorkerHost], object]] = {
    "`shutdown now` to the last process gone, mid-page": lambda host: host.send("shutdown", mode="now"),
    "SIGTERM to the last process gone, mid-page": lambda host: host.process.terminate(),
    "SIGKILL to the last process gone, mid-page": lambda host: host.process.kill(),
    "host gone to the last process gone, mid-page": lambda host: host.process.stdout and host.process.stdout.close(),
}  # fmt: skip


def _end(folder: Path, book: Path, name: str, way: Callable[[WorkerHost], object]) -> Figure:
    def once() -> float:
        with WorkerHost(folder / "ends", LIMIT_SECONDS) as host:
            _begin(host, book, folder / "ends")
            worker = psutil.Process(host.process.pid)
            tree = worker.children(recursive=True)
            begin = time.monotonic()
            way(host)
            host.process.wait()
            while any(_lives(process) for process in tree):
                time.sleep(0.005)
            return _ms_since(begin)

    return Figure(name, "ms", _rounds(once), 2000, 2000)


def _rest(folder: Path, page: Path) -> Iterator[Figure]:
    with _environment("OCR_WORKER_IDLE_SECONDS", "1"), WorkerHost(folder / "rest", LIMIT_SECONDS) as host:
        host.batch([page], folder / "rested")
        worker = psutil.Process(host.process.pid)
        deadline = time.monotonic() + 30
        # The guard stays.
        while len(worker.children(recursive=True)) > 1:
            if time.monotonic() > deadline:
                raise RuntimeError("the page processes do not retire")
            time.sleep(0.1)
        before = tree_cpu_seconds(worker)
        time.sleep(REST_SECONDS)
        share = 100 * (tree_cpu_seconds(worker) - before) / REST_SECONDS
        yield Figure("memory (PSS) at rest, page processes retired", "MB", (tree_pss(worker) / 1e6,), 60, 60)
        yield Figure("processor at rest, of one core", "%", (share,), 0.5, 0.5)


def _begin(host: WorkerHost, book: Path, folder: Path) -> str:
    """Start a batch and return its job once as many pages are in work as can be, and the engine at them for a while."""
    host.send(
        "ocr_batch", files=[str(book)], output_dir=str(folder / "out"), options={"on_existing": "overwrite"}
    )
    job = str(_wait(host, lambda event: event["data"].get("kind") == "accepted")["job_id"])
    store = JobStore(folder / "state")
    while len(store.pages(job, 1)) < len(os.sched_getaffinity(0)):
        time.sleep(0.05)
    store.close()
    worker = psutil.Process(host.process.pid)
    begun = tree_cpu_seconds(worker)
    while tree_cpu_seconds(worker) < begun + 0.5:
        time.sleep(0.05)
    return job


def _wait(host: WorkerHost, match: Callable[[Event], bool]) -> Event:
    for event in host.events():
        if event["type"] == "error":
            raise RuntimeError(f"the worker refused: {event['data']}")
        if match(event):
            return event
    raise RuntimeError("the worker ended before its answer")


def _rounds(once: Callable[[], float], count: int = ROUNDS) -> tuple[float, ...]:
    return tuple(once() for _ in range(count))


def _ms_since(begin: float) -> float:
    return (time.monotonic() - begin) * 1000


def _lives(process: psutil.Process) -> bool:
    """Whether it still runs: the dead whom init has not waited for yet hold nothing any more."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
