"""Whole batches through the service with a pool that needs no process, and what crosses between two messages."""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.errors import BusyError, JobActiveError
from ocr_worker.jobs import admission, planner
from ocr_worker.jobs.effort import PAGE_WEIGHT
from ocr_worker.jobs.service import JobService
from ocr_worker.library.requests import make_request
from ocr_worker.model.events import FileEnded, JobEnded, JobEvent, JobFailed, ProgressMade
from ocr_worker.model.jobs import JobId
from ocr_worker.model.results import Accepted
from ocr_worker.model.tasks import ComposeTask, Failure, Opened, OpenTask, Outcome, PageTask, Task
from ocr_worker.settings import Settings
from ocr_worker.store.job_store import JobStore
from tests.e2e.tree import wait_until
from tests.limits import HANG_SECONDS
from tests.processes.fake_pool import PAGES, FakePool, well


@dataclass
class Desk:
    """A service with a fake pool, and what it has said."""

    folder: Path
    outcome: Callable[[Task], Outcome | None] = well
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inbox, self.events = queue.Queue[Any](), list[JobEvent]()
        self.pool = FakePool(self.inbox.put, outcome=self._outcome_of)
        settings = Settings(self.folder / "state", page_processes=2, **self.settings)
        self.service = JobService(settings, self.pool, self, progress_seconds=0)

    def _outcome_of(self, task: Task) -> Outcome | None:
        return self.outcome(task)

    def on_event(self, event: JobEvent) -> None:
        self.service.leases.on_event(event)
        self.events.append(event)

    def submit(self, files: int = 2, **options: Any) -> JobId:
        """Have a job admitted, and nothing of it begun."""
        names = [str(self.folder / f"{number}.png") for number in range(1, files + 1)]
        accepted = self.service.admit(make_request(names, self.folder / "out", options))
        while not accepted.done():
            self.service.step()
        return accepted.result().job_id

    def step(self) -> bool:
        """The next message or tick; whether there was one."""
        due = self.service.next_step()
        if due is not None and due <= time.monotonic():
            self.service.step()
        elif not self.inbox.empty():
            self.service.handle(self.inbox.get())
        else:
            return False
        return True

    def run(self) -> None:
        while self.step():
            continue

    def times_left(self) -> dict[int | None, float | None]:
        """By the page that ended last."""
        told = [event.progress for event in self.events if isinstance(event, ProgressMade)]
        return {progress.page: progress.eta_seconds for progress in told}

    def ends(self) -> list[str]:
        return [event.run.status for event in self.events if isinstance(event, JobEnded)]

    def told(self) -> list[int]:
        return [event.progress.current for event in self.events if isinstance(event, ProgressMade)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.service.close(at_once=False)


def test_a_whole_batch_runs_to_its_end(desk: Desk) -> None:
    job = desk.submit(files=5)

    desk.run()

    assert desk.ends() == ["completed"]
    assert [event.seq for event in desk.events if isinstance(event, FileEnded | JobEnded)] == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]
    stored = desk.service.store.job(job)
    assert stored is not None
    assert (stored.state, stored.last_seq, stored.pages_read) == ("completed", 6, 5 * PAGES)
    assert desk.service.state == "idle"


def test_the_time_left_goes_by_the_sizes_of_pages_and_what_they_took(desk: Desk) -> None:
    sizes = Opened("pdf", 3, "0" * 64, (1, 1, 1), (1000, 1000, 8000))
    desk.outcome = lambda task: sizes if isinstance(task, OpenTask) else well(task)
    desk.pool.took = lambda _: (2.0, False)

    desk.submit(files=1, max_workers=1)
    desk.run()

    told = desk.times_left()
    assert told[1] == pytest.approx(2.0 / (1000 + PAGE_WEIGHT) * (9000 + 2 * PAGE_WEIGHT), abs=0.2)
    assert told[None] is None


def test_what_a_process_does_for_the_first_time_is_no_measure_of_the_time_left(desk: Desk) -> None:
    desk.pool.took = lambda task: (
        (3.0, True) if isinstance(task, PageTask) and task.page == 1 else (1.0, False)
    )

    desk.submit(files=1, max_workers=1)
    desk.run()

    # Of the two seconds that the first page took longer, two thirds are believed.
    assert desk.times_left()[2] == pytest.approx((3.0 + 1.0 - 2.0 * 2 / 3) / 2, abs=0.2)


def test_a_page_that_fails_twice_and_then_is_read_costs_two_retries(desk: Desk) -> None:
    failures = iter([Failure("engine", "no", retryable=True)] * 2)
    desk.outcome = lambda task: next(failures, well(task)) if isinstance(task, PageTask) else well(task)
    job = desk.submit(files=1)

    while not desk.ends():
        if not desk.step():
            # What is put off is due when its time has come.
            for run in desk.service._runs:
                run.course.shift(-10)
            desk.service.step()

    stored = desk.service.store.job(job)
    assert stored is not None
    assert stored.retries == 2


def test_jobs_run_one_after_the_other_the_higher_priority_first(desk: Desk) -> None:
    first = desk.submit(files=1)
    while not desk.pool.started:
        desk.step()
    low, high = desk.submit(files=1), desk.submit(files=1, priority=5)

    desk.run()

    ended = [event.job_id for event in desk.events if isinstance(event, JobEnded)]
    assert ended == [first, high, low]


def test_what_was_heard_before_a_pause_is_told_though_no_tick_has_taken_it_in(desk: Desk) -> None:
    job = desk.submit(files=1)
    while not any(isinstance(task, PageTask) for task in desk.pool.started):
        desk.step()
    desk.service.handle(desk.inbox.get())

    desk.service.pause([job])
    before = desk.told()[-1]
    desk.run()

    assert before >= 1
    assert desk.service.paused(job) == [job]
    assert desk.ends() == []
    desk.service.unpause([job])
    desk.run()
    assert desk.ends() == ["completed"]


def test_a_job_that_ends_by_what_was_heard_before_a_pause_is_not_paused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    job = desk.submit(files=1)
    while not any(isinstance(task, PageTask) for task in desk.pool.started):
        desk.step()
    monkeypatch.setattr(JobStore, "page_ended", break_down)
    desk.service.handle(desk.inbox.get())

    desk.service.pause([job])

    ended = desk.service.store.job(job)
    assert ended
    assert ended.state == "failed"
    assert isinstance(desk.events[-1], JobFailed)


def test_a_cancelled_job_can_be_resumed_and_its_done_pages_are_not_read_again(desk: Desk) -> None:
    job = desk.submit(files=3)
    while sum(isinstance(task, ComposeTask) for task in desk.pool.started) < 1:
        desk.step()

    desk.service.cancel(job)
    desk.run()
    before = len(desk.pool.started)
    accepted = desk.service.resume(job, {})
    desk.run()

    assert desk.ends() == ["cancelled", "completed"]
    assert accepted is not None
    assert 0 < accepted.file_count <= 3
    pages = [(task.source.path, task.page) for task in desk.pool.started if isinstance(task, PageTask)]
    assert len(pages) - len(set(pages)) <= desk.pool.size
    assert len(desk.pool.started) > before


def test_failed_files_alone_are_done_again(desk: Desk) -> None:
    desk.outcome = lambda task: (
        Failure("corrupt", "bad", retryable=False)
        if isinstance(task, PageTask) and task.source.path.endswith("1.png")
        else well(task)
    )
    job = desk.submit(files=2)
    desk.run()
    desk.outcome = well
    begun = len(desk.pool.started)

    accepted = desk.service.retry_failed(job, {})
    desk.run()

    assert accepted is not None
    assert accepted.file_count == 1
    assert {Path(task.source.path).name for task in desk.pool.started[begun:]} == {"1.png"}  # type: ignore[union-attr]
    assert desk.service.store.stats(job)["completed"] == 2
    assert desk.service.retry_failed(job, {}) is None


def test_a_cancel_reaches_a_request_that_is_not_a_job_yet(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    files = [f"{number}.png" for number in range(20_000)]
    accepted = desk.service.admit(make_request(files, tmp_path / "out", {}))
    (job,) = desk.service.active(None)

    desk.service.cancel(job)
    while not accepted.done():
        desk.service.step()
    desk.run()

    assert accepted.result().file_count == 20_000
    assert desk.ends() == ["cancelled"]
    desk.service.close(at_once=True)


def test_an_interrupt_refuses_what_is_not_a_job_yet_and_leaves_nothing_of_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    files = [f"{number}.png" for number in range(20_000)]
    accepted = desk.service.admit(make_request(files, tmp_path / "out", {}))

    desk.service.interrupt("SIGTERM")

    assert isinstance(accepted.exception(timeout=0), BusyError)
    assert desk.service.store.job_count(None) == 0
    assert not list((tmp_path / "state" / "jobs").glob("*.lock"))
    desk.service.close(at_once=True)


def stepped(service: JobService) -> bool:
    service.step()
    return True


def test_a_request_whose_folder_does_not_answer_holds_up_those_to_it_and_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def prepare(folder: Path, sent: str) -> None:
        if folder.name == "dead":
            answered.wait(HANG_SECONDS)
        prepare_folder(folder, sent)

    prepare_folder = admission._prepare_folder
    monkeypatch.setattr(admission, "_prepare_folder", prepare)
    service = Desk(tmp_path).service

    def admitted(name: str) -> Future[Accepted]:
        return service.admit(make_request([str(tmp_path / "1.png")], tmp_path / name, {}))

    monkeypatch.setattr(planner, "SILENT_SECONDS", HANG_SECONDS)
    dead = admitted("dead")
    wait_until(lambda: stepped(service) and not service.urgent, "the first is begun")
    behind, other = admitted("dead"), admitted("other")
    is_urgent = service.urgent
    monkeypatch.setattr(planner, "SILENT_SECONDS", 0.05)
    wait_until(lambda: stepped(service) and other.done(), "the other is admitted")
    are_admitted = (dead.done(), behind.done())
    answered.set()
    wait_until(lambda: stepped(service) and dead.done() and behind.done(), "all are admitted")

    assert not is_urgent
    assert are_admitted == (False, False)
    assert [job.output_dir for job in service.store.jobs(None, 0, 9)] == [
        str(tmp_path / name) for name in ("other", "dead", "dead")
    ]


def book(pages: int) -> Callable[[Task], Outcome | None]:
    """A file of so many pages."""
    opened = Opened("pdf", pages, "0" * 64, (1, 1, 1), (1,) * pages)
    return lambda task: opened if isinstance(task, OpenTask) else well(task)


def test_the_end_of_a_page_and_the_begin_of_the_next_are_one_transaction(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages, desk.outcome = 200, book(200)
    # Progress is stored by the clock.
    monkeypatch.setattr(desk.service, "_progress_seconds", HANG_SECONDS)
    desk.submit(files=1)
    statements = list[str]()
    desk.service.store._db.set_trace_callback(statements.append)

    desk.run()

    assert desk.ends() == ["completed"]
    is_open, stored = False, 0
    for word in (statement.split()[0] for statement in statements):
        stored += word == "COMMIT" or (not is_open and word in ("INSERT", "UPDATE", "DELETE"))
        is_open = word == "BEGIN" or (is_open and word not in ("COMMIT", "ROLLBACK"))
    assert pages < stored < pages + 20


def test_what_is_told_or_given_out_is_stored_before(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.outcome, early = book(20), list[object]()
    job = desk.submit(files=2)
    start, on_event = desk.pool.start, desk.on_event

    def tried(task: Task) -> bool:
        number = int(Path(task.source.path).stem)  # type: ignore[union-attr]
        if isinstance(task, PageTask):
            return any(page.page == task.page and page.attempts for page in other.pages(job, number))
        step = other.whole_file(job, number)
        return step is not None and step.attempts > 0

    def look_and_start(ticket: int, task: Task, limit_seconds: float) -> None:
        early.extend([] if tried(task) else [task])
        start(ticket, task, limit_seconds)

    def look_and_hear(event: JobEvent) -> None:
        match event:
            case ProgressMade(_, progress):
                stored = other.job(job)
                is_stored = stored is not None and stored.percent >= progress.percent
                is_stored &= other.pages_recognised(job) >= progress.current
            case FileEnded(_, number, seq):
                is_stored = other.file(job, number).outcome is not None
                is_stored &= [end for end, _ in other.files_ended_after(job, seq - 1, 9)] == [seq]
            case _:
                is_stored = not isinstance(event, JobEnded) or not other.unfinished()
        early.extend([] if is_stored else [event])
        on_event(event)

    monkeypatch.setattr(desk.pool, "start", look_and_start)
    monkeypatch.setattr(desk, "on_event", look_and_hear)
    with closing(JobStore(desk.folder / "state")) as other:
        desk.run()

    assert desk.ends() == ["completed"]
    assert len(desk.told()) > 20
    assert early == []


def test_what_makes_a_manifest_due_is_stored_before(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread may read the store at once, and while a file is in work nothing has it write once more."""
    desk.outcome, early, told = book(3), list[str](), list[str]()
    manifests, job = desk.service.leases.manifests, desk.submit(files=2)

    def states(store: JobStore) -> list[object]:
        stored = store.job(job)
        return [stored and stored.state, *(store.file(job, number).state for number in (1, 2))]

    def looked_at(name: str, due: Callable[..., None]) -> Callable[..., None]:
        def look_and_tell(*given: Any) -> None:
            told.append(name)
            early.extend([] if states(other) == states(desk.service.store) else [name])
            due(*given)

        return look_and_tell

    for name in ("run_begun", "file_changed", "state_changed"):
        monkeypatch.setattr(manifests, name, looked_at(name, getattr(manifests, name)))
    with closing(JobStore(desk.folder / "state")) as other:
        desk.step()
        desk.service.pause([job])
        desk.service.unpause([job])
        desk.run()

    assert desk.ends() == ["completed"]
    assert told.count("file_changed") == 4
    assert {"run_begun", "state_changed"} < set(told)
    assert early == []


def test_when_nothing_is_to_do_all_is_stored_and_others_may_write(desk: Desk) -> None:
    desk.outcome = lambda task: None if isinstance(task, PageTask) and task.page > 4 else book(9)(task)
    job = desk.submit(files=1)

    desk.run()

    with (
        closing(JobStore(desk.folder / "state")) as stored,
        closing(
            sqlite3.connect(desk.folder / "state" / "jobs.sqlite3", isolation_level=None, timeout=0)
        ) as other,
    ):
        assert stored.pages_recognised(job) == 4
        other.execute("BEGIN IMMEDIATE")


def test_what_can_not_be_stored_fails_its_job_and_is_done_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.outcome, commit, broken = book(9), JobStore.commit, list[str]()
    job = desk.submit(files=1)

    def break_once(store: JobStore) -> None:
        if (
            store is desk.service.store
            and not broken
            and any(isinstance(task, PageTask) and task.page == 6 for task in desk.pool.started)
        ):
            broken.append("")
            store._db.rollback()
            raise sqlite3.OperationalError("disk I/O error")
        commit(store)

    monkeypatch.setattr(JobStore, "commit", break_once)
    desk.run()
    (failed,) = [event for event in desk.events if isinstance(event, JobFailed)]
    left = desk.service.store.job(job)
    desk.service.resume(job, {})
    desk.run()

    assert left is not None
    assert (left.state, failed.failure.code) == ("failed", "output_permission")
    assert desk.ends() == ["completed"]
    assert desk.service.store.pages_recognised(job) == 9


def test_no_more_jobs_wait_than_the_limit(tmp_path: Path) -> None:
    desk = Desk(tmp_path, settings={"queue_limit": 1})
    desk.submit(files=1)

    with pytest.raises(BusyError, match="1 jobs are waiting"):
        desk.submit(files=1)

    desk.service.close(at_once=False)


def test_a_draining_service_ends_paused_jobs_and_takes_no_more(desk: Desk) -> None:
    job = desk.submit(files=1)
    desk.service.pause([job])

    desk.service.drain()
    desk.run()

    stored = desk.service.store.job(job)
    assert stored is not None
    assert (stored.state, stored.reason) == ("stopped", "paused")
    with pytest.raises(BusyError, match="shutting down"):
        desk.submit(files=1)


def test_a_job_of_another_service_is_not_ours_to_cancel_nor_taken_for_a_dead_ones(
    desk: Desk, tmp_path: Path
) -> None:
    job = desk.submit(files=1)
    other = Desk(tmp_path)

    with pytest.raises(JobActiveError):
        other.service.active(job)
    other.service.leases.find_interrupted()

    stored = desk.service.store.job(job)
    assert stored is not None
    assert stored.state == "queued"
    other.service.close(at_once=False)
