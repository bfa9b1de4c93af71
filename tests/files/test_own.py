"""A file of ours that is missing is our fault."""

from __future__ import annotations

import pytest

from ocr_worker.errors import InternalError
from ocr_worker.files.own import own_file


def test_a_file_of_ours_is_read() -> None:
    assert own_file("ocr_worker.outputs", "glyphless.ttf")[:4] == b"\0\1\0\0"


def test_a_file_of_ours_that_is_missing_is_our_fault_and_names_the_way_out() -> None:
    with pytest.raises(InternalError, match=r"^A file of ocr-sidecar .*lost\.ttf.*Install ocr-sidecar again"):
        own_file("ocr_worker.outputs", "lost.ttf")
