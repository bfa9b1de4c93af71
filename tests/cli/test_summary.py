"""What is said after a batch: the command that goes on is named where it may help."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from ocr_worker.cli.summary import summary
from ocr_worker.errors import FAILURES
from ocr_worker.model.jobs import JobId
from ocr_worker.model.results import BatchResult, FileCounts, FileResult, Statistics
from ocr_worker.model.tasks import FailedPage, Failure
from rigs.papers import write_papers
from tests.cli.command import Command

RETRY = "Retry the failed files with: "


def said(*codes: str, lists_files: bool = True, successful: tuple[FileResult, ...] = ()) -> str:
    """After a batch of files of which some failed with these codes."""
    failed = tuple(
        FileResult(
            file=f"{code}.pdf", status="failed", error=Failure(code, "It failed.", FAILURES[code].retryable)
        )
        for code in codes
    )
    numbers = {name: 0 for name in Statistics.__dataclass_fields__ if not name.endswith("_time")}
    return summary(
        BatchResult(
            job_id=JobId("job"), status="completed", reason=None, dry_run=False, successful=successful, skipped=(),
            failed=failed if lists_files else (), lists_files=lists_files, total_files=len(codes), total_pages_processed=0,
            counts=FileCounts(successful=0, completed_with_errors=0, failed=len(codes), skipped=0), duration_seconds=1.0,
            statistics=Statistics(start_time=datetime.now(timezone.utc), end_time=None, **numbers), manifest=None,
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    "code",
    ["not_found", "not_regular", "permission", "empty", "unsupported_type", "corrupt", "encrypted", "bad_password", "signed",
     "xfa", "too_large", "no_pages", "output_conflict", "bad_name", "internal"],
)  # fmt: skip
def test_no_retry_is_named_where_it_would_end_the_same(code: str) -> None:
    assert RETRY not in said(code)
    assert RETRY in said(code, "timeout")


@pytest.mark.parametrize(
    "code",
    ["locked", "unreachable", "timeout", "engine", "engine_missing", "language_missing", "output_permission", "output_exists",
     "no_space", "changed", "crashed", "node_lost"],
)  # fmt: skip
def test_a_retry_is_named_where_it_may_pass(code: str) -> None:
    assert RETRY in said(code)


def test_of_pages_that_failed_the_first_are_told_with_what_happened() -> None:
    failed = tuple(FailedPage(number, "failed", "engine", f"Reason {number}.") for number in range(2, 7))
    book = FileResult(file="book.pdf", status="completed_with_errors", pages=9, failed_pages=failed)

    lines = said(successful=(book,)).splitlines()

    at = lines.index("  book.pdf: done, but for pages 2, 3, 4, 5, 6")
    assert lines[at + 1 : at + 4] == [f"    page {number}: Reason {number}." for number in (2, 3, 4)]
    assert "Reason 5" not in "".join(lines)


def test_of_more_files_than_are_listed_some_may_pass() -> None:
    assert RETRY in said("corrupt", lists_files=False)


def test_a_batch_of_which_a_text_file_failed_names_no_retry(ocr: Command) -> None:
    write_papers(ocr.home / "in", 1)
    (ocr.home / "in" / "note.pdf").write_text("no PDF", encoding="utf-8")

    done = ocr("batch", "in", "-o", "out")

    assert done.returncode == 1
    assert "[unsupported_type]" in done.stdout
    assert RETRY not in done.stdout
