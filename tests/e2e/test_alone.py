"""A page reads the same alone and in company, on one process and on several. Asked as a program does it, by the Python client."""

from __future__ import annotations

import sys
from pathlib import Path

from ocr_client import Client
from samples import build
from tests.limits import HANG_SECONDS


def test_a_page_alone_and_one_of_a_batch_have_the_same_text(tmp_path: Path) -> None:
    pages = [build(kind, tmp_path / "in")[0].path for kind in ("receipt", "letters", "two_columns")]
    with Client(
        "tests", command=(sys.executable, "-m", "ocr_worker"), state_dir=tmp_path / "state",
        environment={"OCR_WORKER_PAGE_PROCESSES": "2"},
    ) as ocr:  # fmt: skip
        alone = [read(ocr, [page], tmp_path / page.stem, 2)[0] for page in pages]
        one_by_one = read(ocr, pages, tmp_path / "one", 1)
        side_by_side = read(ocr, pages, tmp_path / "two", 2)

    assert all(alone)
    assert alone == one_by_one == side_by_side


def read(ocr: Client, pages: list[Path], out: Path, processes: int) -> list[str]:
    job = ocr.batch(pages, out, {"max_workers": processes, "outputs": ["txt"]})
    assert job.result(HANG_SECONDS)["status"] == "completed"
    return [(out / f"{page.stem}.txt").read_text(encoding="utf-8") for page in pages]
