"""Admit requests: store them as jobs one after the other, in slices, so that commands are still answered."""

from __future__ import annotations

import os
import secrets
import time
from collections import deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ocr_worker.errors import OutputPermissionError, no_space, unreachable
from ocr_worker.files.bounded import MOMENT_SECONDS, Look, nearest
from ocr_worker.jobs.course import RunEnds
from ocr_worker.jobs.file_window import RunOrder
from ocr_worker.jobs.output_names import Namespace, plan_outputs
from ocr_worker.jobs.planner import Planner
from ocr_worker.jobs.requests import input_file, require_languages
from ocr_worker.model.jobs import JobId, JobRequest
from ocr_worker.model.results import Accepted
from ocr_worker.store.deferred_writes import store_is_held
from ocr_worker.store.faults import told
from ocr_worker.store.job_store import JobStore, open_store
from ocr_worker.store.leases import JobLeases
from ocr_worker.store.records import NewFile, StoredJob

SLICE_SECONDS = 0.01
GAP_SECONDS = 0.002
"""Pause between two slices, so that other messages are not slowed down."""
PATIENCE_SECONDS = 2.0
"""How long a request waits for a store that another process has locked."""


class Admission:
    """Stores a request in slices. Nobody sees the job before all its files are stored."""

    def __init__(self, request: JobRequest, store: JobStore) -> None:
        """Store nothing yet: the job is locked first."""
        options, now = request.options, time.time()
        self.job = StoredJob(
            job_id=_new_job_id(datetime.now().astimezone()), state="admitting", reason=None, priority=request.priority,
            output_dir=request.output_dir_sent, output_path=os.fsencode(request.output_dir), options=options,
            created_at=now, updated_at=now, started_at=None, ended_at=None, worked_seconds=0.0, retries=0,
            worker_restarts=0, cleanups=0, percent=0.0, peak_rss_bytes=0, client=request.client, pid=os.getpid(),
        )  # fmt: skip
        self.file_count, self._request, self._store = 0, request, store
        self._planner: Planner | None = None

    def step(self, seconds: float = 1.0) -> bool:
        """Store for about this long; return whether all is stored.

        Raises:
            OcrError: languages are missing, or the output folder can't be made or written, or does not answer.
        """
        if self._planner is None:
            # Not before: the requests that came before this one are jobs by now, and their names are taken.
            others = self._store.state_dir if self._store.to_come() else None
            self._planner = Planner(lambda: _plan(self._request, others))
            self._store.add_job(self.job)
        else:
            # Who has just asked is told at once if that can be; who has waited does not hold up others.
            seconds = 0.0 if seconds <= SLICE_SECONDS else seconds
        files, is_done = self._planner.take(seconds)
        self._keep(files)
        return is_done

    @property
    def is_silent(self) -> bool:
        """Whether it waits for a disk that seems not to answer."""
        return self._planner is not None and self._planner.is_silent

    @property
    def folder(self) -> str:
        """Of its outputs, by its letters."""
        return os.path.normcase(self._request.output_dir)

    def stop(self) -> None:
        """Plan no further."""
        if self._planner is not None:
            self._planner.stop()

    def _keep(self, files: list[NewFile]) -> None:
        if files:
            self._store.add_files(self.job.job_id, self.file_count, files)
            self.file_count += len(files)


@dataclass(slots=True, eq=False)
class Arrival:
    """A request that is not a job yet. Later commands already apply to it."""

    admission: Admission
    order: RunOrder
    accepted: Future[Accepted] = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)
    was_stepped: bool = False
    is_stored: bool = False
    """All is stored and the caller knows; the job is yet to be queued."""
    paused: bool = False
    stop: RunEnds | None = None
    """Set if it was cancelled before it was stored."""

    @property
    def job_id(self) -> JobId:
        return self.admission.job.job_id


class AdmissionQueue:
    """Requests in the order of their arrival; one whose disk does not answer holds up those to its folder alone."""

    def __init__(self, leases: JobLeases) -> None:
        self._leases = leases
        self.arrivals: deque[Arrival] = deque()
        self._turns = 0
        self.next_slice_at = 0.0
        """When the next slice is due, on the monotonic clock."""

    def add(self, request: JobRequest) -> Future[Accepted]:
        """Append a request; `step` stores it.

        Raises:
            OutputPermissionError: the state folder can't be made or written.
        """
        admission = Admission(request, self._leases.store)
        self._leases.acquire(admission.job.job_id)
        arrival = Arrival(admission, RunOrder(request.passwords))
        self.arrivals.append(arrival)
        return arrival.accepted

    @property
    def has_new(self) -> bool:
        """Whether one that need not wait for others has just come."""
        return any(not arrival.was_stepped for arrival in self._able())

    def next(self) -> Arrival:
        """Whose turn it is."""
        able = self._able()
        self._turns += 1
        return able[self._turns % len(able)]

    def _able(self) -> list[Arrival]:
        """The oldest; while that is silent, also the next one that goes elsewhere, and so on."""
        able, passed = list[Arrival](), set[str]()
        for arrival in self.arrivals:
            if arrival.admission.folder not in passed:
                able.append(arrival)
                if not arrival.admission.is_silent:
                    break
            passed.add(arrival.admission.folder)
        return able

    def step(self, arrival: Arrival) -> None:
        """Store a slice of a request; resolve its future once all of it is stored."""
        arrival.was_stepped = True
        try:
            arrival.is_stored = self._may_write(arrival) and arrival.admission.step(SLICE_SECONDS)
        except Exception as error:  # noqa: BLE001  # handed on, and logged there
            self.refuse(arrival, error)
            return
        if arrival.is_stored:
            self._leases.store.update_job(arrival.job_id, state="queued")
            count = arrival.admission.file_count
            arrival.accepted.set_result(Accepted(arrival.job_id, count, count))
        else:
            self.next_slice_at = time.monotonic() + GAP_SECONDS

    def refuse(self, arrival: Arrival, error: Exception) -> None:
        """Remove a request from the store, and fail its future."""
        self.arrivals.remove(arrival)
        arrival.admission.stop()
        self._leases.withdraw(arrival.job_id)
        arrival.accepted.set_exception(told(error))

    def refuse_all(self, error: Exception) -> None:
        """Refuse all requests that are not stored yet."""
        for arrival in [arrival for arrival in self.arrivals if not arrival.is_stored]:
            self.refuse(arrival, error)

    def ids(self) -> list[JobId]:
        return [arrival.job_id for arrival in self.arrivals]

    def paused(self) -> set[JobId]:
        return {arrival.job_id for arrival in self.arrivals if arrival.paused}

    def set_paused(self, job_ids: Collection[JobId], *, paused: bool) -> None:
        for arrival in self.arrivals:
            if arrival.job_id in job_ids:
                arrival.paused = paused

    def stop(self, job_id: JobId | None, end: RunEnds) -> None:
        """Mark one request, or all, to end as soon as it is a job."""
        for arrival in self.arrivals:
            if job_id in (None, arrival.job_id):
                arrival.stop = arrival.stop or end

    def _may_write(self, arrival: Arrival) -> bool:
        if self._leases.store_is_free():
            return True
        if time.monotonic() - arrival.since > PATIENCE_SECONDS:
            raise store_is_held()
        return False


def require_folder(job: StoredJob) -> None:
    """Make sure that a resumed job has its output folder. What does not say so at once, the run waits for.

    Raises:
        OutputPermissionError, UnreachableError: it can't be made or written.
    """
    if not job.options.dry_run:
        folder = Path(os.fsdecode(job.output_path))
        look = Look(lambda: _prepare_folder(folder, job.output_dir))
        if look.wait(MOMENT_SECONDS):
            look.answer(folder)


def _plan(request: JobRequest, state_dir: Path | None) -> Iterator[NewFile | None]:
    """Look for the languages, make or check the output folder, and settle the names in it. Runs in the planner's thread.

    Args:
        request: what is to be planned.
        state_dir: where the store is, if other jobs have still names to write.
    """
    options = request.options
    require_languages(options)
    prepare = _foresee_folder if options.dry_run else _prepare_folder
    prepare(request.output_dir, request.output_dir_sent)
    promised = dict[str, str]()
    if state_dir is not None:
        with open_store(state_dir) as store:
            promised = _promised(store, request.output_dir)
    space = Namespace(request.output_dir, options.page.outputs, options.on_existing, promised)
    yield from plan_outputs(map(input_file, request.files), space)


def _promised(store: JobStore, folder: Path) -> dict[str, str]:
    """Names that other jobs have yet to write into a folder, and their inputs."""
    jobs = [job for job in store.to_come() if not job.options.dry_run]
    here = [job for job in jobs if _is_same(Path(os.fsdecode(job.output_path)), folder)]
    return {
        os.fsdecode(name): os.fsdecode(path) for job in here for name, path in store.names_to_come(job.job_id)
    }


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


def _foresee_folder(folder: Path, sent: str) -> None:
    """Refuse what `_prepare_folder` would refuse, without making a folder."""
    try:
        place = nearest(folder)
    except FileNotFoundError as error:
        raise OutputPermissionError(
            f"The output folder {sent} can't be made: {error.strerror}. Choose another."
        ) from error
    if not place.is_dir():
        raise OutputPermissionError(
            f"The output folder {sent} can't be made: {place} is not a folder. Choose another."
        )
    if not os.access(place, os.W_OK | os.X_OK):
        raise OutputPermissionError(f"The output folder {sent} can't be written. Choose another.")


def _prepare_folder(folder: Path, sent: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        place = f"the output folder {sent}"
        raise (
            no_space(error, place)
            or unreachable(error, place)
            or OutputPermissionError(f"The output folder {sent} can't be made: {reason}. Choose another.")
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputPermissionError(f"The output folder {sent} can't be written. Choose another.")


def _new_job_id(now: datetime) -> JobId:
    return f"{now:%Y%m%d_%H%M%S}_{secrets.token_hex(4)}"
