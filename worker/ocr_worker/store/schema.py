"""Tables and migrations of the store."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ocr_worker.errors import InternalError

MIGRATIONS = (
    """
    CREATE TABLE jobs (
        job_id TEXT PRIMARY KEY, state TEXT NOT NULL, reason TEXT, priority INTEGER NOT NULL,
        output_dir TEXT NOT NULL, output_path BLOB NOT NULL, options TEXT NOT NULL,
        created_at REAL NOT NULL, updated_at REAL NOT NULL, started_at REAL, ended_at REAL,
        worked_seconds REAL NOT NULL DEFAULT 0, retries INTEGER NOT NULL DEFAULT 0,
        worker_restarts INTEGER NOT NULL DEFAULT 0, cleanups INTEGER NOT NULL DEFAULT 0, percent REAL NOT NULL DEFAULT 0, peak_rss_bytes INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE files (
        job_id TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, number INTEGER NOT NULL,
        file TEXT NOT NULL, path BLOB NOT NULL, name BLOB, verdict TEXT,
        state TEXT NOT NULL DEFAULT 'pending', pages INTEGER, sha256 TEXT, outcome TEXT, started_at REAL, ended_at REAL,
        PRIMARY KEY (job_id, number)
    ) WITHOUT ROWID;
    CREATE INDEX files_by_state ON files (job_id, state);
    CREATE TABLE pages (
        job_id TEXT NOT NULL, number INTEGER NOT NULL, page INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0, status TEXT,
        PRIMARY KEY (job_id, number, page),
        FOREIGN KEY (job_id, number) REFERENCES files ON DELETE CASCADE
    ) WITHOUT ROWID;
    """,
    "ALTER TABLE jobs ADD COLUMN pages_read INTEGER NOT NULL DEFAULT 0",
    """
    ALTER TABLE jobs ADD COLUMN last_seq INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE files ADD COLUMN seq INTEGER;
    CREATE INDEX files_by_seq ON files (job_id, seq) WHERE seq IS NOT NULL;
    ALTER TABLE pages ADD COLUMN alone TEXT
    """,
    """
    ALTER TABLE jobs ADD COLUMN client TEXT;
    ALTER TABLE jobs ADD COLUMN pid INTEGER;
    ALTER TABLE files ADD COLUMN bytes INTEGER
    """,
)


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Migrate a store.

    Raises:
        InternalError: it is from a newer version.
    """
    if _version(db, path) == len(MIGRATIONS):
        return
    db.execute("BEGIN IMMEDIATE")
    with db:
        # Asked again inside the transaction: two workers may start on one new folder.
        for statement in ";".join(MIGRATIONS[_version(db, path) :]).split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _version(db: sqlite3.Connection, path: Path) -> int:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise InternalError(
            f"{path} was written by a newer version. Update ocr-sidecar, or set OCR_WORKER_STATE_DIR elsewhere."  # noqa: S608  # a sentence
        )
    return version
