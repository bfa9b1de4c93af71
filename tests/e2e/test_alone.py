"""A page reads the same alone and in company, on one process and on several."""

from __future__ import annotations

from pathlib import Path

from samples import build
from tests.e2e.host import Host, Launch, StartWorker


def test_a_page_alone_and_one_of_a_batch_have_the_same_text(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    pages = [build(kind, tmp_path / "in")[0].path for kind in ("receipt", "letters", "two_columns")]
    worker = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "2"}))

    alone = [read(worker, [page], tmp_path / page.stem, 2)[0] for page in pages]
    one_by_one = read(worker, pages, tmp_path / "one", 1)
    side_by_side = read(worker, pages, tmp_path / "two", 2)

    assert all(alone)
    assert alone == one_by_one == side_by_side


def read(worker: Host, pages: list[Path], out: Path, processes: int) -> list[str]:
    job = worker.batch(pages, out, max_workers=processes, outputs=["txt"])
    assert worker.wait_end(job)["status"] == "completed"
    return [(out / f"{page.stem}.txt").read_text(encoding="utf-8") for page in pages]
