"""All that is known about jobs, in SQLite: the truth after a crash. Its format is not the wire's.

One instance serves one thread. A commit survives the death of any process (WAL, synchronous=NORMAL).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ocr_worker.errors import JobNotFoundError
from ocr_worker.model.jobs import FileState, JobId, JobOptions, JobState
from ocr_worker.model.tasks import PageStatus
from ocr_worker.store.database import BUSY_SECONDS, StoreFile
from ocr_worker.store.faults import told
from ocr_worker.store.records import (
    NewFile,
    RunEnding,
    StoredFile,
    StoredJob,
    StoredPage,
    Tally,
    dump_outcome,
    load_outcome,
)

PART_ROWS = 5000
"""Rows of a deleted job that are removed in one transaction."""
TURN_SECONDS = 0.003
MOMENT_SECONDS = 0.05
"""How long `begin` waits for another process."""
GONE = "the folder was deleted, or the job in it, while the worker ran; start the batch again"


def store_as_it_is(known: JobStore | None, state_dir: Path) -> JobStore:
    """The open store, or a new one if the state folder was deleted since."""
    return known if known is not None and known.is_there else JobStore(state_dir)


@contextmanager
def open_store(state_dir: Path) -> Iterator[JobStore]:
    """A store of one's own for a moment. Raises as `JobStore`; faults of the store within are such errors too."""
    store = JobStore(state_dir)
    try:
        yield store
    except sqlite3.Error as error:
        raise told(error) from error
    finally:
        store.close()


class JobStore:
    """Jobs, files and pages. Every call is one transaction, but for those between `begin` and `commit`, which are one."""

    def __init__(self, state_dir: Path) -> None:
        """Open the store and migrate it.

        Raises:
            OutputPermissionError: the state folder can't be made or written.
            NoSpaceError: its disk is full, or has no room for another name.
            InternalError: the store is from a newer version or is no database.
        """
        self.state_dir = state_dir
        self._file = StoreFile(state_dir)
        self._db = self._file.db

    @property
    def is_there(self) -> bool:
        """Whether the file still exists under its path: writes to a deleted one would be lost."""
        return self._file.is_there

    @property
    def version(self) -> int:
        """It changes whenever another connection has written."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        self._db.close()

    def begin(self) -> bool:
        """Begin a transaction if none is open; False if another process is writing. Other faults appear at the write itself."""
        if self._db.in_transaction:
            return True
        try:
            self._db.execute(f"PRAGMA busy_timeout = {MOMENT_SECONDS * 1000:.0f}")
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            return "locked" not in str(error)
        finally:
            with suppress(sqlite3.Error):
                self._db.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        return True

    def commit(self) -> None:
        """Store what was written since `begin`, for good. Raises sqlite3.Error: nothing of it is stored."""
        try:
            self._db.commit()
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                self._db.rollback()
            raise

    def can_write(self) -> bool:
        """Whether no other process is writing."""
        if self._db.in_transaction:
            return True
        is_free = self.begin()
        self._db.rollback()
        return is_free

    def add_job(self, job: StoredJob, files: Iterable[NewFile] = ()) -> None:
        """Add a job with its files; those of an `admitting` job follow by `add_files`."""
        fields = {name: getattr(job, name) for name in StoredJob.__slots__}
        fields["options"] = json.dumps(job.options.to_fields())
        with self._transaction():
            marks = ", ".join(f":{name}" for name in fields)
            self._db.execute(f"INSERT INTO jobs ({', '.join(fields)}) VALUES ({marks})", fields)
            self._insert_files(job.job_id, 0, files)

    def add_files(self, job_id: JobId, after: int, files: Iterable[NewFile]) -> None:
        """Add files to a job, numbered from `after` + 1."""
        with self._transaction():
            self._insert_files(job_id, after, files)

    def job(self, job_id: JobId) -> StoredJob | None:
        return next(self._jobs("WHERE job_id = ? AND state <> 'admitting'", (job_id,)), None)

    def has(self, job_id: JobId) -> bool:
        """Whether the job is known, be it one that is still admitted."""
        return self._db.execute("SELECT 1 FROM jobs WHERE job_id = ?", (job_id,)).fetchone() is not None

    def jobs(self, state: str | None, offset: int, limit: int, client: str | None = None) -> list[StoredJob]:
        """Newest first."""
        where, given = _matching(state, client)
        order = "ORDER BY created_at DESC, job_id DESC LIMIT ? OFFSET ?"
        return list(self._jobs(f"{where} {order}", (*given, limit, offset)))

    def jobs_from(self, created_at: float, job_id: JobId, limit: int) -> list[StoredJob]:
        """Newest first, from this one on, or the next if it is gone."""
        where = "WHERE (created_at, job_id) <= (?, ?) ORDER BY created_at DESC, job_id DESC LIMIT ?"
        return list(self._jobs(where, (created_at, job_id, limit)))

    def job_count(self, state: str | None, client: str | None = None) -> int:
        where, given = _matching(state, client)
        return int(self._db.execute(f"SELECT count(*) FROM jobs {where}", given).fetchone()[0])

    def unfinished(self) -> dict[JobId, JobState]:
        """Jobs that a worker, dead or alive, has begun and not ended, with their states."""
        rows = self._db.execute(
            "SELECT job_id, state FROM jobs WHERE state IN ('admitting', 'queued', 'running', 'paused')"
        )
        return dict(rows)

    def to_come(self) -> list[StoredJob]:
        """Jobs that will go on by themselves: those of a worker, and those that an app resumes."""
        return list(self._jobs("WHERE state IN ('queued', 'running', 'paused', 'interrupted')", ()))

    def names_to_come(self, job_id: JobId) -> Iterator[tuple[bytes, bytes]]:
        """Output name and input of each file that has not ended."""
        yield from self._db.execute(
            "SELECT name, path FROM files WHERE job_id = ? AND ended_at IS NULL AND name IS NOT NULL",
            (job_id,),
        )

    def update_job(self, job_id: JobId, **fields: object) -> None:
        fields["updated_at"] = time.time()
        names = ", ".join(f"{name} = :{name}" for name in fields)
        self._db.execute(f"UPDATE jobs SET {names} WHERE job_id = :job_id", {**fields, "job_id": job_id})

    def end_run(self, end: RunEnding) -> None:
        """Store the end of a run; its files in work are pending again."""
        with self._transaction():
            for number, page in end.unstarted:
                self.page_unstarted(end.job_id, number, page)
            self.reopen_files(end.job_id, "processing")
            self.update_job(end.job_id, **end.fields)

    def delete_job(self, job_id: JobId, rest: Callable[[float], None] = time.sleep) -> None:
        """Delete a job in parts, so that others can write in between."""
        self.update_job(job_id, state="admitting")
        for table, key in (("pages", "number, page"), ("files", "number")):
            while self._delete_part(job_id, table, key):
                # SQLite lets no one in who sleeps while the lock is free for a moment only.
                rest(TURN_SECONDS)
        self._db.execute("DELETE FROM jobs WHERE job_id = ?", (job_id,))

    def _delete_part(self, job_id: JobId, table: str, key: str) -> bool:
        """Delete the first rows of a job in a table; return whether there may be more."""
        mine = f"FROM {table} WHERE job_id = ?"
        end = self._db.execute(
            f"SELECT {key} {mine} ORDER BY {key} LIMIT 1 OFFSET {PART_ROWS}", (job_id,)
        ).fetchone()
        if end is None:
            self._db.execute(f"DELETE {mine}", (job_id,))
            return False
        self._db.execute(f"DELETE {mine} AND ({key}) < ({_marks(end)})", (job_id, *end))
        return True

    def stats(self, job_id: JobId) -> dict[str, int]:
        """Number of files by state."""
        return self.tallies([job_id])[job_id].stats

    def failures(self, job_id: JobId) -> dict[str, int]:
        """Number of failed files by code."""
        rows = self._db.execute(
            "SELECT json_extract(outcome, '$.error.code'), count(*) FROM files"
            " WHERE job_id = ? AND state = 'failed' GROUP BY 1",
            (job_id,),
        )
        return dict(rows)

    def incomplete(self, job_id: JobId) -> int:
        """Number of completed files with failed pages."""
        found = self._db.execute(
            "SELECT count(*) FROM files WHERE job_id = ? AND state = 'completed'"
            " AND json_extract(outcome, '$.status') = 'completed_with_errors'",
            (job_id,),
        )
        return int(found.fetchone()[0])

    def tallies(self, job_ids: Sequence[JobId]) -> dict[JobId, Tally]:
        """Files by state, and pages, of each job; a file that was never opened counts as one page."""
        found = {job_id: Tally() for job_id in job_ids}
        rows = self._db.execute(
            "SELECT job_id, state, count(*), sum(CASE WHEN ended_at IS NOT NULL THEN coalesce(pages, 1) ELSE 0 END),"
            f" sum(coalesce(pages, 1)) FROM files WHERE job_id IN ({_marks(job_ids)}) GROUP BY job_id, state",
            job_ids,
        )
        for job_id, state, files, ended, total in rows:
            tally = found[job_id]
            tally.stats[state] += files
            tally.stats["total"] += files
            tally.pages_ended += ended
            tally.pages_total += total
        return found

    def begun_files(self, job_ids: Sequence[JobId]) -> list[tuple[JobId, int, int, int]]:
        """Job, number, pages, and pages with a result, of each opened file that has not ended."""
        rows = self._db.execute(
            "SELECT f.job_id, f.number, f.pages, count(p.status) FROM files f LEFT JOIN pages p USING (job_id, number)"
            f" WHERE f.job_id IN ({_marks(job_ids)}) AND f.ended_at IS NULL AND f.pages IS NOT NULL"
            " GROUP BY f.job_id, f.number",
            job_ids,
        )
        return list(rows)

    def bytes_to_come(self, job_id: JobId) -> int:
        """Of the files that have not ended, as far as that is known."""
        found = self._db.execute(
            "SELECT coalesce(sum(bytes), 0) FROM files WHERE job_id = ? AND ended_at IS NULL", (job_id,)
        )
        return int(found.fetchone()[0])

    def pages_recognised(self, job_id: JobId) -> int:
        """Pages with a result, of all files."""
        found = self._db.execute(
            "SELECT count(*) FROM pages WHERE job_id = ? AND status IS NOT NULL", (job_id,)
        )
        return int(found.fetchone()[0])

    def measured_rate(self) -> float | None:
        """Pages per second on this machine, from the last jobs; None before the first."""
        row = self._db.execute(
            "SELECT sum(pages_read), sum(worked_seconds) FROM (SELECT pages_read, worked_seconds FROM jobs"
            " WHERE state = 'completed' AND pages_read > 0 ORDER BY created_at DESC LIMIT 20)"
        ).fetchone()
        return row[0] / row[1] if row[0] and row[1] else None

    def files(self, job_id: JobId, state: FileState | None, after: int, limit: int) -> list[StoredFile]:
        """Files in the order of the request, after number `after`."""
        where, given = ("AND state = ?", (state,)) if state else ("", ())
        rows = self._db.execute(
            f"SELECT {_FILE_COLUMNS} FROM files WHERE job_id = ? AND number > ? {where} ORDER BY number LIMIT ?",
            (job_id, after, *given, limit),
        )
        return [_file(row) for row in rows]

    def files_ended_after(self, job_id: JobId, seq: int, limit: int) -> list[tuple[int, StoredFile]]:
        """Files that ended after `seq`, in that order, each with its own `seq`."""
        rows = self._db.execute(
            f"SELECT seq, {_FILE_COLUMNS} FROM files WHERE job_id = ? AND seq > ? ORDER BY seq LIMIT ?",
            (job_id, seq, limit),
        )
        return [(row[0], _file(row[1:])) for row in rows]

    def file_numbers(self, job_id: JobId, state: FileState) -> list[int]:
        rows = self._db.execute("SELECT number FROM files WHERE job_id = ? AND state = ?", (job_id, state))
        return [row[0] for row in rows]

    def file(self, job_id: JobId, number: int) -> StoredFile:
        row = self._db.execute(
            f"SELECT {_FILE_COLUMNS} FROM files WHERE job_id = ? AND number = ?", (job_id, number)
        ).fetchone()
        if row is None:
            raise JobNotFoundError(GONE)
        return _file(row)

    def set_file(self, job_id: JobId, number: int, **fields: Any) -> None:
        if "outcome" in fields:
            fields["outcome"] = dump_outcome(fields["outcome"])
        names = ", ".join(f"{name} = :{name}" for name in fields)
        self._db.execute(
            f"UPDATE files SET {names} WHERE job_id = :job_id AND number = :number",
            {**fields, "job_id": job_id, "number": number},
        )

    def end_file(self, job_id: JobId, number: int, account: Mapping[str, object], **fields: Any) -> None:
        """Store the outcome of a file, together with the totals of its job, so that a crash loses neither."""
        with self._transaction():
            self.set_file(job_id, number, **fields)
            # It is the worker's deaths that are counted across runs, not what its pages did of themselves.
            self.forget_attempts(job_id, number)
            self.update_job(job_id, **account)

    def reopen_files(self, job_id: JobId, state: FileState) -> None:
        """Make files pending again; their page results stay."""
        self._db.execute(
            "UPDATE files SET state = 'pending', outcome = NULL, ended_at = NULL, seq = NULL WHERE job_id = ? AND state = ?",
            (job_id, state),
        )

    def pages(self, job_id: JobId, number: int) -> list[StoredPage]:
        rows = self._db.execute(
            "SELECT page, attempts, alone, status FROM pages WHERE job_id = ? AND number = ? AND page > 0"
            " ORDER BY page",
            (job_id, number),
        )
        return [StoredPage(*row) for row in rows]

    def whole_file(self, job_id: JobId, number: int) -> StoredPage | None:
        """The attempts of steps of the whole file: opening, composing."""
        row = self._db.execute(
            "SELECT page, attempts, alone, status FROM pages WHERE job_id = ? AND number = ? AND page = 0",
            (job_id, number),
        ).fetchone()
        return StoredPage(*row) if row else None

    def page_started(self, job_id: JobId, number: int, page: int, alone: str | None = None) -> None:
        """Count an attempt before it starts, so that an input that kills the worker leaves a trace.

        Args:
            job_id: the job.
            number: of the file.
            page: of the file; 0 for a step of the whole file.
            alone: the machine's state, where nothing else is at work beside it.
        """
        self._db.execute(
            "INSERT INTO pages (job_id, number, page, attempts, alone) VALUES (?, ?, ?, 1, ?)"
            " ON CONFLICT DO UPDATE SET attempts = attempts + 1, alone = excluded.alone",
            (job_id, number, page, alone),
        )

    def page_unstarted(self, job_id: JobId, number: int, page: int) -> None:
        """Take back an attempt that ended, or that an order ended."""
        self._db.execute(
            "UPDATE pages SET attempts = attempts - 1, alone = NULL WHERE job_id = ? AND number = ? AND page = ?",
            (job_id, number, page),
        )

    def forget_attempts(self, job_id: JobId, number: int) -> None:
        """Reset the attempts of pages without a result."""
        self._db.execute(
            "UPDATE pages SET attempts = 0, alone = NULL WHERE job_id = ? AND number = ? AND status IS NULL",
            (job_id, number),
        )

    def page_ended(self, job_id: JobId, number: int, page: int, status: PageStatus) -> None:
        """Store that a page has its result."""
        self._db.execute(
            "UPDATE pages SET status = ? WHERE job_id = ? AND number = ? AND page = ?",
            (status, job_id, number, page),
        )

    def forget_pages(self, job_id: JobId, number: int) -> None:
        self._db.execute("DELETE FROM pages WHERE job_id = ? AND number = ?", (job_id, number))

    def _transaction(self) -> sqlite3.Connection:
        """A transaction, or the one that is open: `with` ends it."""
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")
        return self._db

    def _jobs(self, where: str, given: tuple[object, ...]) -> Iterator[StoredJob]:
        for row in self._db.execute(f"SELECT {', '.join(StoredJob.__slots__)} FROM jobs {where}", given):
            fields = dict(zip(StoredJob.__slots__, row, strict=True))
            yield StoredJob(**{**fields, "options": JobOptions.from_fields(json.loads(fields["options"]))})

    def _insert_files(self, job_id: JobId, after: int, files: Iterable[NewFile]) -> None:
        self._db.executemany(
            "INSERT INTO files (job_id, number, file, path, name, verdict, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (job_id, n, f.file, f.path, f.name, f.verdict and dump_outcome(f.verdict), f.bytes)
                for n, f in enumerate(files, after + 1)
            ),
        )


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _matching(state: str | None, client: str | None) -> tuple[str, tuple[str, ...]]:
    tests, given = ("state = ?", [state]) if state else ("state <> 'admitting'", list[str]())
    if client is not None:
        tests, given = f"{tests} AND client = ?", [*given, client]
    return f"WHERE {tests}", tuple(given)


_FILE_COLUMNS = ", ".join(StoredFile.__slots__)


def _file(row: tuple[Any, ...]) -> StoredFile:
    fields = dict(zip(StoredFile.__slots__, row, strict=True))
    for name in ("verdict", "outcome"):
        fields[name] = load_outcome(fields[name])
    return StoredFile(**fields)
