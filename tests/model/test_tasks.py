"""What page processes are told, and what they answer."""

from __future__ import annotations

import pytest

from ocr_worker.model.tasks import Failure


@pytest.mark.parametrize(
    ("page", "says"), [(3, "scan.pdf (page 3): it is corrupt"), (None, "scan.pdf: it is corrupt")]
)
def test_a_failure_names_the_file_once(page: int | None, says: str) -> None:
    named = Failure("corrupt", "it is corrupt", retryable=False).with_name("scan.pdf", page)

    assert named.message == says
    assert named.with_name("scan.pdf", page) == named
