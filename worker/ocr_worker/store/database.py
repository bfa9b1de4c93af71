"""The database file: private to its user, shared between processes, and perhaps deleted meanwhile."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path

from ocr_worker.errors import OutputPermissionError
from ocr_worker.files.private import close_to_others
from ocr_worker.store.faults import meaning
from ocr_worker.store.schema import migrate

BUSY_SECONDS = 2
STORE = "jobs.sqlite3"
_OURS = {"jobs", "tmp", "cache", "server"}
"""Other names in the state folder."""


class StoreFile:
    """A connection to the database; each thread needs its own."""

    def __init__(self, state_dir: Path) -> None:
        """Open and migrate it; raises as `JobStore`."""
        self._path = path = state_dir / STORE
        try:
            _close_folder(state_dir)
            # Its log files take over the mode, so it must be right before they are there.
            path.touch(mode=0o600)
            for file in state_dir.glob(f"{STORE}*"):
                close_to_others(file)
            self._open(path)
            self._status = path.stat()
        except (sqlite3.Error, OSError) as error:
            raise (
                meaning(error, f"the state folder {state_dir}")
                or OutputPermissionError(
                    f"The state folder {state_dir} can't be used ({error}). Set OCR_WORKER_STATE_DIR to a folder that can be written."
                )
            ) from error

    @property
    def is_there(self) -> bool:
        """Whether the file still exists under its path: writes to a deleted one would be lost."""
        try:
            return os.path.samestat(self._path.stat(), self._status)
        except OSError:
            return False

    def _open(self, path: Path) -> None:
        try:
            self.db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            self.db.execute("PRAGMA journal_mode=WAL")
            self.db.execute("PRAGMA synchronous=NORMAL")
            self.db.execute("PRAGMA foreign_keys=ON")
            migrate(self.db, path)
        except sqlite3.OperationalError:
            # SQLite does not say why it can't make a file beside; we can.
            with tempfile.TemporaryFile(dir=path.parent) as probe:
                probe.write(b"-")
            raise


def _close_folder(state_dir: Path) -> None:
    """Make the state folder; an existing one is made private, unless it has other people's files."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if all(path.name in _OURS or path.name.startswith(STORE) for path in state_dir.iterdir()):
        close_to_others(state_dir)
