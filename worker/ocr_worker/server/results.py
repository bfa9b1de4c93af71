"""Read results of ours from `_ocr_results.json`, page by page, and search them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from ocr_worker.errors import CorruptError
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


@dataclass(slots=True)
class Search:
    """A search in all results, newest job first, within a limit of time and of pages found."""

    places: Places
    words: str
    most: int
    seconds: float
    found: list[wire.Found] = field(default_factory=list)

    def run(self, store: JobStore) -> wire.SearchResult:
        until, wanted = time.monotonic() + self.seconds, self.words.casefold()
        for job_id, file in _files_with_results(store):
            if time.monotonic() > until or len(self.found) >= self.most:
                return wire.SearchResult(found=self.found, complete=False)
            try:
                with results_of(self.places, file) as stream:
                    self._look_through(job_id, file, stream, wanted)
            except (RefusedError, CorruptError):
                # Gone, changed by somebody, or not for clients: nothing can be found there.
                continue
        return wire.SearchResult(found=self.found, complete=True)

    def _look_through(self, job_id: str, file: StoredFile, stream: BinaryIO, wanted: str) -> None:
        for record in _pages(stream)[1]:
            text = " ".join(str(record["text"]).split())
            at = text.casefold().find(wanted)
            if at >= 0 and len(self.found) < self.most:
                excerpt = text[max(0, at - EXCERPT) : at + len(wanted) + EXCERPT]
                name = file_name(file, self.places)
                self.found.append(
                    wire.Found(
                        job_id=job_id, number=file.number, name=name, page=record["page"], excerpt=excerpt
                    )
                )


def outputs_of(store: JobStore, job_id: str) -> Iterator[Path]:
    """The outputs of a job."""
    after = 0
    while files := store.files(job_id, "completed", after, CHUNK):
        after = files[-1].number
        for file in files:
            yield from map(Path, file.outcome.outputs.values() if file.outcome else ())


def _files_with_results(store: JobStore) -> Iterator[tuple[str, StoredFile]]:
    for start in range(0, store.job_count(None), CHUNK):
        for job in store.jobs(None, start, CHUNK):
            after = 0
            while files := store.files(job.job_id, "completed", after, CHUNK):
                after = files[-1].number
                yield from ((job.job_id, file) for file in files)


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
