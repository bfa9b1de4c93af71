"""What is shown of a run without a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ocr_worker.cli.display import PlainView
from ocr_worker.model.results import Progress

PROGRESS = Progress(
    current=105, total=300, message="Processing", percent=35.0, file="in/long.pdf", file_index=1, page=105,
    page_count=300, file_count=1, completed=0, failed=0, skipped=0, elapsed_seconds=70.0, eta_seconds=130.0,
    pages_per_second=1.5, working=(),
)  # fmt: skip


def test_a_long_file_is_told_page_by_page(capsys: pytest.CaptureFixture[str]) -> None:
    PlainView("normal").progress(PROGRESS)

    assert capsys.readouterr().err == (
        "0/1 (0 ok, 0 failed, 0 skipped) Elapsed 1:10, ETA 2:10; 35 %, 1.5 pages/s, in/long.pdf page 105/300\n"
    )


def test_before_the_first_page_there_is_none_to_name(capsys: pytest.CaptureFixture[str]) -> None:
    PlainView("normal").progress(
        replace(PROGRESS, file=None, page=None, page_count=None, pages_per_second=0.0)
    )

    assert capsys.readouterr().err.endswith("ETA 2:10; 35 %, 0.0 pages/s\n")
