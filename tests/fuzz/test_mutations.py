"""Mutated files through the real worker: each ends in one list, with a code, and costs nobody else.

The same files on every machine, or as many as OCR_FUZZ_SECONDS allow (`make faults`)."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pikepdf
import pytest

from ocr_protocol.codes import RETRYABLE
from tests.faults.host import Event, Worker, left_behind, running
from tests.fuzz.mutations import mutated

SECONDS = float(os.environ.get("OCR_FUZZ_SECONDS", "0"))
FIRST = int(os.environ.get("OCR_FUZZ_FIRST", "1"))
BATCH = 40
FEWEST = 400
"""So many are tried however little time there is."""
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
FOUND = (11, 43, 75, 83, 768, 1013, 1066, 1082, 1320, 2552, 7705)
"""Numbers that found a fault once."""


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with running(tmp_path_factory.mktemp("fuzz")) as worker:
        yield worker


def test_mutations_that_found_a_fault_once_do_not_any_more(fuzzed: Worker) -> None:
    assert _faults(fuzzed, list(FOUND)) == []


@pytest.mark.timeout(SECONDS + 180)
def test_mutated_files_end_with_a_code_and_cost_nobody_else(fuzzed: Worker) -> None:
    end, numbers, faults = time.monotonic() + SECONDS, count(FIRST, BATCH), list[str]()

    while (first := next(numbers)) < FIRST + FEWEST or time.monotonic() < end:
        faults += _faults(fuzzed, list(range(first, first + BATCH)))

    assert faults == []
    assert fuzzed.ask("ping")["data"]["state"] == "idle"
    assert left_behind(fuzzed.home) == []
    assert list(fuzzed.temp.iterdir()) == []


def _faults(worker: Worker, numbers: list[int]) -> list[str]:
    """What is wrong with what became of the files that these numbers make."""
    folder = worker.home / f"in{numbers[0]}"
    folder.mkdir(exist_ok=True)
    for number in numbers:
        name, content = mutated(number)
        (folder / name).write_bytes(content)
    before = _hashes(folder)
    job = worker.start_batch(
        folder.iterdir(),
        worker.home / f"out{numbers[0]}",
        stop_on_error_threshold=1.0,
        page_timeout_seconds=20,
    )
    data = worker.ended(job, 170)
    ends = [entry["file"] for key in ("successful", "failed", "skipped") for entry in data[key]]
    assert sorted(ends) == sorted(str(path) for path in folder.iterdir())
    assert _hashes(folder) == before
    return [f for e in data["failed"] if (f := _odd_failure(e))] + [
        f for e in data["successful"] if (f := _odd_success(e))
    ]


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


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
