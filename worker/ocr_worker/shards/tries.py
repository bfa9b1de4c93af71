"""The tries of a shard: each keeps a note in the store of what it has in work, so that the next knows what ended it.

A try that ends by order, or done, says so in its note. One that does not has died.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from secrets import token_hex
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ocr_worker.errors import OcrError
from ocr_worker.files.liveness import is_dead, own_mark
from ocr_worker.shards.places import Place, read_if_there
from ocr_worker.shards.rows import tries_key

log = logging.getLogger(__name__)

BEAT_SECONDS = 10.0
"""How often a note is renewed where nothing happens."""
SILENT_SECONDS = 3 * BEAT_SECONDS + 5
"""A try whose note has not moved for so long is dead."""
OLD_SECONDS = 600.0
"""A note of that age needs no watching, whatever clocks do."""
LEAST_SECONDS = 1.0
"""Between two writes of a note: a card is read in less, and each put costs a store's time and ours."""
SUSPECT_TRIES = 2
"""After so many deaths a shard is done by one page process."""


class Note(BaseModel):
    """What a try says of itself."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    hash: str
    """Of the shard, as this try has it."""
    begun: float
    seen: float
    """When it was written, in seconds since 1970 by the clock of its machine."""
    beats: int
    mark: str
    """Names the process among those of all machines."""
    processes: int
    ended: str | None = None
    working: tuple[str, ...] = ()
    """URLs of what is in work."""
    given_up: tuple[str, ...] = ()
    """URLs of files that are held to have ended tries."""
    files: int = 0
    pages: int = 0
    """Done by this try so far."""


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier tries of a shard left."""

    tries: int = 0
    deaths: int = 0
    given_up: frozenset[str] = frozenset()

    @property
    def is_suspect(self) -> bool:
        """Whether what is in it may end more than a page process."""
        return self.deaths >= SUSPECT_TRIES


def read_notes(where: Place, number: int) -> dict[str, Note]:
    """The notes of a shard's tries by key, the oldest first."""
    folder = tries_key(number)
    keys = [f"{folder}/{name}" for name in sorted(where.names(folder)) if name.endswith(".json")]
    # One by one: there are few, and threads that read them would hold up an exit where the store hangs.
    notes = ((key, _read(read_if_there(where, key))) for key in keys)
    return {key: note for key, note in notes if note is not None}


def _read(content: bytes | None) -> Note | None:
    try:
        return None if content is None else Note.model_validate_json(content)
    except ValidationError:
        return None


def look_back(
    where: Place, number: int, shard_hash: str, sleep: Callable[[float], None] = time.sleep
) -> Past:
    """What earlier tries of the same shard left. Waits for a silence where that decides about a file."""
    notes = {key: note for key, note in read_notes(where, number).items() if note.hash == shard_hash}
    silent = {key: note for key, note in notes.items() if note.ended is None}
    if len(silent) >= SUSPECT_TRIES and not all(map(_is_known_dead, silent.values())):
        # Two tries that are at work at once do no harm; to take them for dead would.
        sleep(SILENT_SECONDS)
        later = read_notes(where, number)
        silent = {
            key: note for key, note in silent.items() if key in later and _has_stopped(note, later[key])
        }
    else:
        silent = {key: note for key, note in silent.items() if _is_known_dead(note)}
    before = frozenset[str]().union(*(note.given_up for note in notes.values()))
    return Past(len(notes), len(silent), before | _suspects(list(silent.values())))


def _is_known_dead(note: Note) -> bool:
    return is_dead(note.mark) or time.time() - note.seen > OLD_SECONDS


def _has_stopped(note: Note, later: Note) -> bool:
    return later.ended is None and (_is_known_dead(later) or later.beats == note.beats)


def _suspects(dead: Sequence[Note]) -> frozenset[str]:
    """The file that was in work at both of the last two deaths."""
    if len(dead) < SUSPECT_TRIES:
        return frozenset()
    both = frozenset(dead[-1].working) & frozenset(dead[-2].working)
    # Of several any may be it. With one page process the next death tells.
    return both if len(both) == 1 else frozenset()


@dataclass(slots=True)
class _State:
    working: dict[str, None] = field(default_factory=dict)
    files: int = 0
    pages: int = 0
    ended: str | None = None


class Try:
    """This try's note, kept up by a thread of its own: no page waits for a store."""

    def __init__(self, where: Place, number: int, shard_hash: str, *, processes: int, past: Past) -> None:
        """Write nothing yet."""
        now = time.time()
        begun = datetime.fromtimestamp(now, timezone.utc)
        # What is suspect is named before it can end anything.
        self._pause_seconds = 0.0 if past.is_suspect else LEAST_SECONDS
        self._where, self._key = where, f"{tries_key(number)}/{begun:%Y%m%dT%H%M%S.%f}-{token_hex(4)}.json"
        self._fixed: dict[str, Any] = {
            "hash": shard_hash, "begun": now, "mark": own_mark(), "processes": processes, "given_up": sorted(past.given_up),
        }  # fmt: skip
        self._state, self._beats = _State(), 0
        self._news, self._moved = threading.Condition(), False
        self._thread = threading.Thread(target=self._keep_up, name="note", daemon=True)

    def begin(self) -> None:
        """Write the note, and keep it up from now on."""
        self._write()
        with self._news:
            if self._state.ended is None:
                self._thread.start()

    def working(self, url: str) -> None:
        with self._news:
            self._state.working[url] = None
            self._tell()

    def done_with(self, url: str, pages: int) -> None:
        with self._news:
            self._state.working.pop(url, None)
            self._state.files += 1
            self._state.pages += pages
            self._tell()

    def end(self, how: str, seconds: float) -> None:
        """Say that it has ended, and how, within so many seconds."""
        with self._news:
            self._state.ended = how
            self._tell()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _tell(self) -> None:
        self._moved = True
        self._news.notify_all()

    def _keep_up(self) -> None:
        has_ended = False
        while not has_ended:
            with self._news:
                self._news.wait_for(lambda: self._state.ended is not None, self._pause_seconds)
                self._news.wait_for(lambda: self._moved, BEAT_SECONDS)
                self._moved, has_ended = False, self._state.ended is not None
            try:
                self._write()
            except (OcrError, OSError) as error:
                # The pages do not depend on it.
                log.warning("the note of this try can't be written: %s", error)

    def _write(self) -> None:
        with self._news:
            self._beats += 1
            said = {
                "working": list(self._state.working), "files": self._state.files, "pages": self._state.pages,
                "ended": self._state.ended, "beats": self._beats, "seen": time.time(),
            }  # fmt: skip
        self._where.write(self._key, json.dumps({**self._fixed, **said}).encode("ascii"))
