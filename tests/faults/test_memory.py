"""INPUTS.md, line 26: a document of thousands of pages needs no more memory at its end than at its start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.faults import documents
from tests.faults.host import Event, Worker, descendants, running

PAGES = 5_000
MIB = 1 << 20


@pytest.mark.faults_long
@pytest.mark.timeout(900)
def test_a_document_of_5000_pages_takes_flat_memory(tmp_path: Path, out: Path) -> None:
    file = tmp_path / "long.pdf"
    file.write_bytes(documents.many_pages(PAGES))

    with running(tmp_path / "home") as worker:
        job = worker.start_batch([file], out, outputs=["pdf", "txt", "json"])
        sizes = dict(_sizes(worker, job))
        end = worker.events[-1]["data"]

    assert [(e["file"], e["pages"]) for e in end["successful"]] == [(str(file), PAGES)]
    early, late = _peak(sizes, 0.2, 0.5), _peak(sizes, 0.5, 1.0)
    assert late < early * 1.1 + 20 * MIB, (early // MIB, late // MIB)
    assert max(sizes.values()) < 600 * MIB
    assert end["statistics"]["peak_rss_bytes"] < 600 * MIB


def _sizes(worker: Worker, job: str) -> Iterator[tuple[float, int]]:
    """At each news of the job: the share of its pages that are done, and the resident memory of the whole tree."""
    while (event := worker.wait(lambda e: e.get("job_id") == job))["type"] != "result":
        yield _share(event), _resident(worker)


def _share(event: Event) -> float:
    return float(event["data"].get("percent", 100)) / 100


def _resident(worker: Worker) -> int:
    total = 0
    for process in [psutil.Process(worker.process.pid), *descendants(worker.process.pid)]:
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total


def _peak(sizes: dict[float, int], start: float, end: float) -> int:
    return max(size for share, size in sizes.items() if start <= share <= end)
