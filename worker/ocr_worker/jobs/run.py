"""One run of one job: carry out what its course decides."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ocr_worker.jobs import course
from ocr_worker.jobs.file_window import FileWindow, RunOrder
from ocr_worker.jobs.in_flight import InFlightTasks
from ocr_worker.jobs.journal import RunJournal
from ocr_worker.jobs.outcomes import run_error
from ocr_worker.jobs.run_context import RunContext
from ocr_worker.jobs.task_ends import TaskEnds
from ocr_worker.model.results import FileOutcome
from ocr_worker.processes.pool import TaskEnded
from ocr_worker.store.records import StoredJob


class JobRun:
    """Owned by one thread, which calls `advance` after changes and `tick` when time has passed."""

    def __init__(self, job: StoredJob, order: RunOrder, context: RunContext) -> None:
        self.job, self.has_begun, self.ended = job, False, False
        self._pool, self._manifests = context.pool, context.leases.manifests
        self.window = FileWindow(job, order, context.store, context.settings.jobs_dir)
        self.in_flight = InFlightTasks(job, self.window, context)
        self.journal = RunJournal(job, context, self.in_flight)
        self.course = self.journal.course(order.only)
        self._ends = TaskEnds(job, self.window, self.course, self.journal, context)

    def begin(self) -> None:
        """Prepare the output folder and publish where the run starts; where the folder's disk does not answer, later."""
        if not self.window.prepare_folder():
            return
        self.in_flight.warm()
        self.journal.run_begun()
        # Before anybody hears of the run: from here on its folder is this one, wherever the path leads.
        self._manifests.run_begun(self.job.job_id, self.window.folder_id)
        self.journal.tell(at_once=True)
        if self.course.paused:
            self.journal.paused()
            self._manifests.state_changed(self.job.job_id)
        self.has_begun = True

    def advance(self) -> None:
        """Carry out all steps that the course allows now."""
        self.journal.tell_rest()
        if not self.has_begun:
            return
        self._look_at_pool()
        self.course.begin_turn()
        while not self.ended and (step := self.course.next_step(time.monotonic(), *self.in_flight.room())):
            if isinstance(step, course.Feed):
                self._feed()
            elif isinstance(step, course.RunEnds):
                self._apply([step])
            else:
                self._start(step)
        self._ends.results.discard()

    def task_ended(self, ended: TaskEnded) -> bool:
        """Handle the end of a task; False if it belongs to another run."""
        task = self.in_flight.end(ended)
        if task is not None:
            self._apply(*self._ends.task_ended(task, ended.outcome))
            self.journal.stop_clock_at_rest()
        return task is not None

    def tick(self) -> None:
        """Do one thing that is due: begin, publish progress, or else give up overdue files."""
        if not self.has_begun:
            if time.monotonic() >= self.window.look_again_at:
                self.begin()
        elif not self.journal.tell():
            self._look_at_pool()
            self._apply(self.course.overdue(time.monotonic()))

    def next_tick(self) -> float | None:
        """When `tick` or `advance` is due, on the monotonic clock."""
        if not self.has_begun:
            return self.window.look_again_at
        due = (self.course.next_due(time.monotonic()), self.journal.throttle.due())
        return min((at for at in due if at is not None), default=None)

    def pause(self) -> None:
        """Start nothing more and let tasks in work finish. Publish progress now."""
        self.course.paused = True
        for number, page in reversed(self.in_flight.recall()):
            self.course.put_back(number, page)
        self.journal.paused()

    def unpause(self) -> None:
        self.course.paused = False
        self.journal.unpaused()

    def stop(self, end: course.RunEnds) -> None:
        """End the run now: kill its tasks, keep finished files, make the others pending again."""
        self._apply([end])

    def fail(self, error: Exception) -> None:
        """End the run because of the store, its disk, or a bug."""
        self.ended = True
        self.in_flight.abandon()
        self.journal.run_failed(run_error(error, self.job.job_id))

    def _look_at_pool(self) -> None:
        """The pool may have changed between two turns; no clock of a file runs while nobody works on it."""
        self.journal.look_at_crew()
        self.course.most_files = max(course.MOST_FILES, 2 * self._pool.size)
        self.course.hold(self.in_flight.held_files(), time.monotonic())

    def _start(self, task: course.Task) -> None:
        self.in_flight.start(task)
        self.journal.task_started(self.window.files[task.number])

    def _feed(self) -> None:
        file = self.window.read_next()
        if file is None:
            self.course.exhausted()
            return
        past = self._ends.results.past(file.number)
        self._apply(self.course.admit(file.number, file.name, file.stored.verdict, past))

    def _apply(self, effects: Sequence[course.Effect], outcome: FileOutcome | None = None) -> None:
        for effect in effects:
            if not self.ended:
                self._carry_out(effect, outcome)

    def _carry_out(self, effect: course.Effect, outcome: FileOutcome | None) -> None:
        match effect:
            case course.Retry(number, page):
                self.journal.retried(self.window.files[number].name, page)
            case course.PageLost(number, failed, ended):
                self._ends.count_page(number, failed.page, ended)
            case course.Redo(number, failure):
                self._apply(self._ends.redo(number, failure))
            case course.Drop(number):
                self.in_flight.drop(number)
            case course.FileEnds(number, state):
                stored = self.window.files.pop(number).stored
                self.journal.file_ended(stored, state, outcome or self._ends.outcomes.other(stored, effect))
            case course.RunEnds():
                self._end(effect)

    def _end(self, end: course.RunEnds) -> None:
        unstarted, self.ended = self.in_flight.kill(), True
        self.journal.run_ended(end, unstarted)
        self._ends.results.discard()
        self.window.leave_results()
