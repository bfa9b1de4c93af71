"""One runtime, any number of faces: threads that ask, listeners that are slow, an owner that is stopped."""

from __future__ import annotations

import os
import queue
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.engines.ocr import registry
from ocr_worker.errors import InternalError, LanguageMissingError
from ocr_worker.jobs import admission
from ocr_worker.jobs.file_window import FileWindow
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.jobs.subscriptions import Heard
from ocr_worker.library.requests import make_request
from ocr_worker.model.events import FileDone, JobEnded, ProgressMade
from ocr_worker.model.jobs import JobRequest
from ocr_worker.model.tasks import WarmTask
from ocr_worker.settings import Settings
from ocr_worker.store.job_store import JobStore
from tests.conftest import REPOSITORY
from tests.limits import HANG_SECONDS
from tests.processes.fake_pool import PAGES, FakePool

JOBS = REPOSITORY / "worker" / "ocr_worker"


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    inbox = queue.SimpleQueue[Any]()
    settings = Settings(tmp_path / "state", page_processes=2)
    with Runtime(settings, inbox=inbox, pool=FakePool(inbox.put), progress_seconds=0) as runtime:
        yield runtime


def request(tmp_path: Path, files: int = 3, folder: str = "out") -> JobRequest:
    return make_request([str(tmp_path / f"{number}.png") for number in range(files)], tmp_path / folder, {})


def seqs(heard: list[Heard]) -> list[int]:
    return [event.seq for event in heard if not isinstance(event, ProgressMade)]


def test_a_face_hears_of_its_job_in_order_and_last_of_its_end(runtime: Runtime, tmp_path: Path) -> None:
    job = runtime.admit(request(tmp_path)).job_id

    with runtime.subscribe(job) as events:
        heard = list(events)

    assert seqs(heard) == [1, 2, 3, 4]
    assert [event.result.status for event in heard if isinstance(event, FileDone)] == ["completed"] * 3
    assert isinstance(heard[-1], JobEnded)


def test_what_happened_before_a_call_is_stored_when_it_is_answered(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_ended, unstored = JobStore.page_ended, list[bool]()

    def end_and_ask(store: JobStore, *page: Any) -> None:
        page_ended(store, *page)
        runtime.post(lambda: unstored.append(store._db.in_transaction))

    monkeypatch.setattr(JobStore, "page_ended", end_and_ask)
    list(runtime.subscribe(runtime.admit(request(tmp_path)).job_id))

    assert unstored == [False] * 3 * PAGES


def test_two_faces_on_one_runtime_each_see_their_own_job_and_a_third_sees_both(
    runtime: Runtime, tmp_path: Path
) -> None:
    everything = runtime.subscribe()
    heard: dict[str, list[Heard]] = {}

    def face(folder: str) -> None:
        job = runtime.admit(request(tmp_path, folder=folder)).job_id
        with runtime.subscribe(job) as events:
            heard[job] = list(events)

    threads = [threading.Thread(target=face, args=(folder,)) for folder in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    both = list[Heard]()
    while sum(isinstance(event, JobEnded) for event in both) < 2:
        event = everything.get(60)
        assert event is not None
        both.append(event)
    everything.close()

    assert len(heard) == 2
    for job, own in heard.items():
        assert {event.job_id for event in own} == {job}
        assert seqs(own) == [1, 2, 3, 4]
        assert seqs([event for event in both if event.job_id == job]) == [1, 2, 3, 4]


def test_who_comes_later_hears_what_was_missed_from_the_store(runtime: Runtime, tmp_path: Path) -> None:
    job = runtime.admit(request(tmp_path, files=5)).job_id
    list(runtime.subscribe(job))

    with runtime.subscribe(job, after_seq=3) as events:
        late = list(events)
    with runtime.subscribe(job, after_seq=6) as events:
        nothing = events.get(0)

    assert seqs(late) == [4, 5, 6]
    assert nothing is None


def test_a_listener_that_never_reads_holds_nobody_up_and_keeps_no_more_than_the_newest(
    runtime: Runtime, tmp_path: Path
) -> None:
    idle = runtime.subscribe()
    job = runtime.admit(request(tmp_path, files=300)).job_id
    with runtime.subscribe(job) as events:
        heard = list(events)

    kept = (len(idle._progress), len(idle._files), len(idle._ends))
    read = [idle.get(10) for _ in range(302)]
    idle.close()

    assert seqs(heard) == list(range(1, 302))
    assert kept == (1, 0, 1)
    assert seqs([event for event in read if event is not None]) == list(range(1, 302))


def test_a_new_run_counts_on_so_that_watchers_miss_nothing(runtime: Runtime, tmp_path: Path) -> None:
    job = runtime.admit(request(tmp_path, files=2)).job_id
    list(runtime.subscribe(job))
    runtime.call(lambda service: service.store.set_file(job, 1, state="failed"))

    runtime.call(lambda service: service.retry_failed(job, {}))
    with runtime.subscribe(job, after_seq=3) as events:
        again = list(events)

    assert seqs(again) == [4, 5]


def test_an_error_is_the_askers_and_the_runtime_goes_on(runtime: Runtime) -> None:
    with pytest.raises(ZeroDivisionError):
        runtime.call(lambda _: 1 / 0)

    assert runtime.call(lambda service: service.state) == "idle"


def test_a_closed_runtime_says_so(tmp_path: Path) -> None:
    runtime = Runtime(Settings(tmp_path / "state", page_processes=1)).start()
    waiting = runtime.subscribe()
    runtime.close()

    with pytest.raises(InternalError, match="closed"):
        runtime.call(lambda service: service.state)
    assert waiting.get() is None
    runtime.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_signal_that_takes_long_does_not_make_a_wait_last_for_ever(runtime: Runtime) -> None:
    """As after a sleep of the machine: the time is up when the signal comes."""
    events, heard = runtime.subscribe(), list[int]()

    def hear(number: int, _: object) -> None:
        heard.append(number)
        threading.Event().wait(0.2)

    before = signal.signal(signal.SIGUSR1, hear)
    try:
        main = threading.get_ident()
        threading.Timer(0.02, signal.pthread_kill, [main, signal.SIGUSR1]).start()
        while not heard:
            assert events.get(0.05) is None
    finally:
        signal.signal(signal.SIGUSR1, before)
        events.close()

    assert heard == [signal.SIGUSR1]


def test_a_given_pool_is_heard_before_there_is_work_and_closed_if_there_never_is(tmp_path: Path) -> None:
    inbox = queue.SimpleQueue[Any]()
    pool = FakePool(inbox.put)
    runtime = Runtime(Settings(tmp_path / "state", page_processes=1), inbox=inbox, pool=pool)
    pool.start(1, WarmTask(), 1.0)

    runtime._step()
    runtime.close()

    assert pool.free() == pool.size
    assert pool.closed
    assert not (tmp_path / "state").exists()


def test_time_in_which_the_process_was_stopped_moves_all_deadlines(tmp_path: Path) -> None:
    class Stopped(queue.Queue[Any]):
        """Whoever waits here is stopped for longer than it wanted to wait."""

        def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002
            clock.now += (timeout or 0) + 100
            raise queue.Empty

    clock, moved = Clock(), list[float]()
    runtime = Runtime(Settings(tmp_path / "state", page_processes=1), inbox=Stopped())
    runtime.service.shift = moved.append  # type: ignore[method-assign, assignment]
    runtime.after(3, lambda: None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic", clock)
        runtime._step()

    assert moved == [pytest.approx(100)]


def test_so_does_time_in_which_it_was_stopped_in_the_midst_of_a_step(tmp_path: Path) -> None:
    clock, moved = Clock(1), list[float]()

    def stopped() -> None:
        clock.now += 100

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic", clock)
        runtime = Runtime(Settings(tmp_path / "state", page_processes=1))
        runtime.service.shift = moved.append  # type: ignore[method-assign, assignment]
        runtime.post(stopped)
        runtime.after(0, lambda: None)
        runtime._step()
        runtime._step()

    assert moved == [pytest.approx(100)]


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_ticks_are_called_in_the_runtime_alone_and_on_a_node_by_its_own_thread() -> None:
    ticking = re.compile(r"pool\.tick\b|service\.step\b|requests\.step\b")
    found = {
        Path(os.path.relpath(path, JOBS)).as_posix()
        for path in JOBS.rglob("*.py")
        if ticking.search(path.read_text(encoding="utf-8"))
    }

    assert found == {"cluster/node.py", "jobs/runtime.py"}


def test_a_run_begins_when_the_disk_of_its_output_folder_answers_and_nobody_waits_for_that(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = _hang(monkeypatch, FileWindow, "_made")
    job = runtime.admit(request(tmp_path)).job_id

    meanwhile = runtime.call(lambda service: service.state)
    runtime.call(lambda service: service.pause([job]))
    paused = runtime.call(lambda service: service.state)
    runtime.call(lambda service: service.unpause([job]))
    answers.set()
    with runtime.subscribe(job) as events:
        heard = list(events)

    assert (meanwhile, paused) == ("running", "paused")
    assert isinstance(heard[-1], JobEnded)


def test_who_resumes_a_job_does_not_wait_for_the_disk_of_its_output_folder(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = runtime.admit(request(tmp_path, files=2)).job_id
    list(runtime.subscribe(job))
    runtime.call(lambda service: service.store.set_file(job, 1, state="failed"))
    answers = _hang(monkeypatch, admission, "_prepare_folder")

    accepted = runtime.call(lambda service: service.retry_failed(job, {}))
    answers.set()
    with runtime.subscribe(job, after_seq=3) as events:
        again = list(events)

    assert accepted is not None
    assert isinstance(again[-1], JobEnded)


def test_language_data_is_looked_for_beside_the_loop(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder may lie on a disk that does not answer; what is missing is told when it does, and no job is left."""
    answers = _hang(monkeypatch, registry, "require")
    options = {"tessdata_dir": str(tmp_path), "languages": "deu"}
    asked = make_request([str(tmp_path / "page.png")], tmp_path / "out", options)

    accepted = runtime.call(lambda service: service.admit(asked))
    meanwhile = runtime.call(lambda service: service.state)
    answers.set()

    assert meanwhile == "running"
    with pytest.raises(LanguageMissingError):
        accepted.result(HANG_SECONDS)
    assert runtime.call(lambda service: service.store.unfinished()) == {}


def _hang(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> threading.Event:
    """Have a look at a disk wait until the event is set."""
    look, answers = getattr(owner, name), threading.Event()

    def hang(*arguments: object) -> object:
        answers.wait(HANG_SECONDS)
        return look(*arguments)

    monkeypatch.setattr(owner, name, hang)
    monkeypatch.setattr("ocr_worker.jobs.file_window.MOST_LOOKS", 1_000_000)
    return answers
