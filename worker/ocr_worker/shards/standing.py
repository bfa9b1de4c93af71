"""How far a plan is, by its markers and the notes of tries. Nothing else is kept."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ocr_worker.model.sharding import Standing
from ocr_worker.shards.marker import Marker, parse_marker
from ocr_worker.shards.places import Place, place, read_all
from ocr_worker.shards.plan import Plan, load_plan
from ocr_worker.shards.planning import read_hashes
from ocr_worker.shards.rows import FOLDER_SHARDS, done_key
from ocr_worker.shards.tries import OLD_SECONDS, SILENT_SECONDS, read_notes

RECENT_SECONDS = 3600.0
MOST_NOTES = 20_000
"""Shards whose tries are looked at: as many as can be at work at once."""


def standing(plan_url: str, out_url: str, price: float | None = None) -> Standing:
    """Raises NotFoundError, UnreachableError."""
    plans, out = place(plan_url), place(out_url)
    plan, found, now = load_plan(plans), _Found(), time.time()
    for folder in range(-(-plan.shards // FOLDER_SHARDS)):
        found.take_folder(plans, out, plan, folder)
    found.look_for_tries(out, now)
    return found.standing(plan, now, price)


def done_markers(plans: Place, out: Place, plan: Plan, folder: int) -> Iterator[tuple[int, Marker | None]]:
    """Each shard of a folder with its marker, where it is done."""
    there = out.names(f"done/{folder:04}")
    first = folder * FOLDER_SHARDS
    numbers = range(first, min(first + FOLDER_SHARDS, plan.shards))
    present = [number for number in numbers if done_key(number).rpartition("/")[2] in there]
    contents = zip(present, read_all(out, [done_key(number) for number in present]), strict=True)
    # Markers of another plan count for nothing.
    hashes = read_hashes(plans, folder) if present else []
    markers = {
        number: marker for number, content in contents
        if (marker := parse_marker(content)) is not None and marker.hash == hashes[number - first]
    }  # fmt: skip
    for number in numbers:
        yield number, markers.get(number)


@dataclass(slots=True)
class _Found:
    done: int = 0
    files: int = 0
    pages: int = 0
    core_seconds: float = 0.0
    begun: float = float("inf")
    failed: Counter[str] = field(default_factory=Counter)
    missing: list[int] = field(default_factory=list)
    running: int = 0
    oldest: float | None = None
    recent: list[tuple[float, int]] = field(default_factory=list)
    """When shards ended, and of how many pages."""

    def take_folder(self, plans: Place, out: Place, plan: Plan, folder: int) -> None:
        for number, marker in done_markers(plans, out, plan, folder):
            if marker is None:
                self.missing.append(number)
            else:
                self._take(marker)

    def _take(self, marker: Marker) -> None:
        self.done += 1
        self.files += sum(marker.files.values())
        self.pages += marker.pages
        self.core_seconds += marker.core_seconds
        self.begun = min(self.begun, marker.begun)
        self.failed.update(one.code for one in marker.failed)
        if time.time() - marker.ended < RECENT_SECONDS:
            self.recent.append((marker.ended, marker.pages))

    def look_for_tries(self, out: Place, now: float) -> None:
        """Of shards that are not done."""
        tried = {
            folder: set(out.folders(f"tries/{folder:04}"))
            for folder in {n // FOLDER_SHARDS for n in self.missing}
        }
        at_work = [n for n in self.missing if f"{n:07}" in tried[n // FOLDER_SHARDS]]
        for number in at_work[:MOST_NOTES]:
            notes = read_notes(out, number).values()
            self.core_seconds += sum((note.seen - note.begun) * note.processes for note in notes)
            alive = [note for note in notes if note.ended is None and now - note.seen < OLD_SECONDS]
            if any(now - note.seen < SILENT_SECONDS for note in alive):
                self.running += 1
                self.pages += max(note.pages for note in alive)
                ages = [now - note.begun for note in alive]
                self.oldest = max([*ages, self.oldest or 0.0])

    def standing(self, plan: Plan, now: float, price: float | None) -> Standing:
        rate = self._rate(now)
        share = self.files / plan.files if plan.files else 1.0
        pages_left = self.pages / share - self.pages if share else 0.0
        core_hours = self.core_seconds / 3600
        return Standing(
            shards=plan.shards, done=self.done, running=self.running,
            waiting=plan.shards - self.done - self.running, files=plan.files, files_done=self.files,
            failed=dict(sorted(self.failed.items())), pages=self.pages, oldest_try_seconds=self.oldest,
            pages_per_second=rate, eta_seconds=pages_left / rate if rate else None, core_hours=core_hours,
            cost=None if price is None else core_hours * price, missing=tuple(self.missing),
        )  # fmt: skip

    def _rate(self, now: float) -> float:
        """Pages a second of the last hour, or since the first shard was begun where that is less."""
        if not self.recent:
            return 0.0
        seconds = min(RECENT_SECONDS, now - self.begun)
        return sum(pages for _, pages in self.recent) / seconds if seconds > 0 else 0.0
