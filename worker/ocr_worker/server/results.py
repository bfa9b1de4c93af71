"""Read results of ours from `_ocr_results.json`, page by page, and search them."""

from __future__ import annotations

import json
import math
import os
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from ocr_worker.errors import CorruptError
from ocr_worker.model.jobs import JobId
from ocr_worker.outputs.results_file import SCHEMA
from ocr_worker.server import wire
from ocr_worker.server.download import open_for_clients
from ocr_worker.server.places import Places
from ocr_worker.server.problems import RefusedError
from ocr_worker.server.shared import file_name
from ocr_worker.store.job_store import JobStore
from ocr_worker.store.records import StoredFile

CHUNK = 200
EXCERPT = 60
"""Characters before and after what was found."""
_NOT_OURS = "These are no OCR results of this program"
LONGEST_LINE = 64 * 2**20
"""Bytes of a page: none of ours has a hundredth of it."""


def results_of(places: Places, file: StoredFile) -> BinaryIO:
    """The open results of a file. Raises RefusedError."""
    outputs = file.outcome.outputs if file.outcome else {}
    if "json" not in outputs:
        raise RefusedError(404, "The file has no results.")
    return open_for_clients(places, Path(outputs["json"]))


def page_of(stream: BinaryIO, page: int) -> wire.PageResult:
    """A page of results. Raises RefusedError, CorruptError."""
    head, records = _pages(stream)
    for record in records:
        if record["page"] == page:
            try:
                return wire.PageResult(**{**record, "page_count": head["page_count"]})
            except (ValidationError, KeyError) as error:
                raise CorruptError(_NOT_OURS) from error
    raise RefusedError(404, f"The results have no page {page}.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a search goes on: behind a page of a file."""

    created_at: float = math.inf
    job_id: JobId = ""
    number: int = 0
    page: int = 0

    @classmethod
    def parsed(cls, text: str | None) -> Place:
        """What `str` gave; the newest job for None."""
        if text is None:
            return cls()
        created_at, job_id, number, page = text.split("-")
        return cls(float(created_at), job_id, int(number), int(page))

    def __str__(self) -> str:
        return f"{self.created_at:.7f}-{self.job_id}-{self.number}-{self.page}"


@dataclass(slots=True)
class Search:
    """A search in all results, newest job first, within a limit of time and of pages found."""

    places: Places
    words: str
    most: int
    seconds: float
    begin: Place
    found: list[wire.Found] = field(default_factory=list)

    def run(self, store: JobStore) -> wire.SearchResult:
        """Look through one file at least, so that it comes to an end however short the time is."""
        further = self._run(store)
        return wire.SearchResult(found=self.found, complete=further is None, next=further and str(further))

    def _run(self, store: JobStore) -> Place | None:
        """Where to go on."""
        until = math.inf
        for place, file in _files_with_results(store, self.begin):
            if time.monotonic() > until:
                return place
            until = min(until, time.monotonic() + self.seconds)
            # What is gone, was changed by somebody, or is not for clients: nothing can be found there.
            with suppress(RefusedError, CorruptError), results_of(self.places, file) as stream:
                further = self._look_through(place, file, stream)
                if further is not None:
                    return further
        return None

    def _look_through(self, place: Place, file: StoredFile, stream: BinaryIO) -> Place | None:
        """Where to go on, if there are more pages with these words than may be told of."""
        wanted = self.words.casefold()
        for record in _pages(stream)[1]:
            text = " ".join(str(record["text"]).split())
            at = text.casefold().find(wanted)
            if at < 0 or record["page"] <= place.page:
                continue
            if len(self.found) == self.most:
                return replace(place, page=record["page"] - 1)
            self.found.append(
                wire.Found(
                    job_id=place.job_id,
                    number=file.number,
                    name=file_name(file, self.places),
                    page=record["page"],
                    excerpt=excerpt(text, at, len(wanted)),
                )
            )
        return None


def excerpt(text: str, at: int, length: int) -> str:
    """Whole words around what was found, which is told by its place and length in the case-folded text."""
    # ß is ss there.
    ends = list(accumulate(len(letter.casefold()) for letter in text))
    first, last = bisect_right(ends, at), bisect_left(ends, at + length) + 1
    begin, end = max(0, first - EXCERPT), min(len(text), last + EXCERPT)
    if begin > 0:
        begin = max(begin, text.find(" ", begin - 1, first) + 1)
    if end < len(text) and (space := text.rfind(" ", last, end + 1)) >= 0:
        end = space
    return text[begin:end]


def outputs_of(store: JobStore, job_id: str) -> Iterator[Path]:
    """The outputs of a job."""
    after = 0
    while files := store.files(job_id, "completed", after, CHUNK):
        after = files[-1].number
        for file in files:
            yield from map(Path, file.outcome.outputs.values() if file.outcome else ())


def _files_with_results(store: JobStore, begin: Place) -> Iterator[tuple[Place, StoredFile]]:
    """From a place on; each with its own."""
    # The last of them is the first of the next.
    jobs = store.jobs_from(begin.created_at, begin.job_id, CHUNK + 1)
    while jobs:
        for job in jobs[:CHUNK]:
            is_first = job.job_id == begin.job_id
            after = begin.number - 1 if is_first else 0
            while files := store.files(job.job_id, "completed", after, CHUNK):
                after = files[-1].number
                for file in files:
                    page = begin.page if is_first and file.number == begin.number else 0
                    yield Place(job.created_at, job.job_id, file.number, page), file
        further = jobs[CHUNK:]
        jobs = store.jobs_from(further[0].created_at, further[0].job_id, CHUNK + 1) if further else []


def _pages(stream: BinaryIO) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    """The head of results, and their pages one by one: each has a line of its own."""
    try:
        head = json.loads(stream.readline(LONGEST_LINE).rstrip(b",\n") + b"}")
        is_ours = head["schema"] == SCHEMA
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorruptError(_NOT_OURS) from error
    if not is_ours:
        raise CorruptError(_NOT_OURS)
    return head, _records(stream)


def _records(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    stream.readline(LONGEST_LINE)
    while (line := stream.readline(LONGEST_LINE)).startswith(b"{"):
        try:
            record = json.loads(line.rstrip(b",\n"))
        except (ValueError, RecursionError) as error:
            raise CorruptError(_NOT_OURS) from error
        if type(record.get("page")) is not int or type(record.get("text")) is not str:
            raise CorruptError(_NOT_OURS)
        yield record


def source_of(file: StoredFile) -> Path:
    return Path(os.fsdecode(file.path))
