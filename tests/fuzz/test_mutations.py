"""Mutated files through the real worker: each ends in one list, with a code, and costs nobody else.

In `make test` the same 200 files always; in `make faults` others each time, for OCR_FUZZ_SECONDS.
What finds a fault is kept in build/fuzz: once it is mended, move it to tests/fuzz/found."""

from __future__ import annotations

import gzip
import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest

from ocr_protocol.codes import RETRYABLE
from tests.faults import documents
from tests.faults.host import Event, Worker, nothing_is_left, running
from tests.fuzz.mutations import FIRST, LONG, found, keep, mutated
from tests.limits import HANG_SECONDS

SECONDS = float(os.environ["OCR_FUZZ_SECONDS"]) if LONG else math.inf
BATCH = 40
MOST = sys.maxsize if LONG else 200
CODES = {
    "corrupt",
    "unsupported_type",
    "too_large",
    "no_pages",
    "encrypted",
    "bad_password",
    "signed",
    "xfa",
    "empty",
    "timeout",
}
"""What a damaged file may be; `internal`, `crashed` and the others would be our fault."""


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with running(tmp_path_factory.mktemp("fuzz")) as worker:
        yield worker


def test_mutations_that_found_a_fault_once_do_not_any_more(fuzzed: Worker) -> None:
    assert len(found()) > 10
    assert _faults(fuzzed, "found", found()) == []


@pytest.mark.timeout(SECONDS + 3 * HANG_SECONDS if LONG else 3 * HANG_SECONDS)
def test_mutated_files_end_with_a_code_and_cost_nobody_else(fuzzed: Worker) -> None:
    end, faults = time.monotonic() + SECONDS, list[str]()

    for first in range(FIRST, FIRST + MOST, BATCH):
        faults += _faults(fuzzed, str(first), dict(mutated(first + n) for n in range(BATCH)))
        if time.monotonic() > end:
            break

    assert faults == []
    assert fuzzed.ask("ping")["data"]["state"] == "idle"
    nothing_is_left(fuzzed.home)
    assert list(fuzzed.temp.iterdir()) == []


def test_a_hang_says_which_file_it_was_and_keeps_it(
    fuzzed: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fuzzed, "ended", _never)

    (fault,) = _faults(fuzzed, "hang", {"7-slow.pdf": documents.many_pages(2_000)})

    assert "7-slow.pdf" in fault
    assert gzip.decompress((tmp_path / "build" / "fuzz" / "7-slow.pdf.gz").read_bytes()).startswith(b"%PDF")
    fuzzed.send("cancel")


def _never(job: str) -> Event:
    raise AssertionError(f"waited for {job} in vain")


def _faults(worker: Worker, name: str, files: dict[str, bytes]) -> list[str]:
    """What is wrong with what became of these files; those are kept."""
    folder = worker.home / f"in-{name}"
    folder.mkdir()
    for file, content in files.items():
        (folder / file).write_bytes(content)
    out, options = worker.home / f"out-{name}", {"stop_on_error_threshold": 1.0, "page_timeout_seconds": 20}
    job = worker.start_batch(folder.iterdir(), out, **options)
    try:
        data = worker.ended(job)
    except AssertionError as error:
        odd = {file: str(error) for file in folder.iterdir() if str(file) not in _done(worker, job)}
    else:
        _is_whole(data, folder, files)
        odd = _odd_ends(data)
    return [f"{what} ({file.name}, kept as {keep(file)})" for file, what in odd.items()]


def _done(worker: Worker, job: str) -> set[str]:
    said = [e["data"] for e in worker.events if e.get("job_id") == job]
    return {data["file"] for data in said if data.get("kind") == "file_done"}


def _is_whole(data: Event, folder: Path, files: dict[str, bytes]) -> None:
    """Every file is in one list, and as it was."""
    ends = [entry["file"] for key in ("successful", "failed", "skipped") for entry in data[key]]
    assert sorted(ends) == sorted(str(folder / file) for file in files)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files


def _odd_ends(data: Event) -> dict[Path, str]:
    failures = {Path(entry["file"]): _odd_failure(entry) for entry in data["failed"]}
    successes = {Path(entry["file"]): _odd_success(entry) for entry in data["successful"]}
    return {file: what for file, what in (failures | successes).items() if what}


def _odd_failure(entry: Event) -> str | None:
    odd = entry["code"] not in CODES or entry["retryable"] is not (entry["code"] in RETRYABLE)
    return (
        f"{entry['code']}: {entry['error']}"
        if odd or Path(entry["file"]).name not in entry["error"]
        else None
    )


def _odd_success(entry: Event) -> str | None:
    if odd := [page for page in entry.get("failed_pages", []) if page["code"] not in CODES]:
        return f"{entry['file']}: {odd}"
    try:
        with pikepdf.open(entry["output"]) as pdf:
            return None if len(pdf.pages) == entry["pages"] else f"{entry['file']}: pages differ"
    except pikepdf.PdfError as error:
        return f"{entry['file']}: the output can't be opened: {error}"
