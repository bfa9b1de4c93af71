"""Image files as PDFs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocr_worker.engines.images.image_to_pdf import picture_pdf
from ocr_worker.errors import CorruptError
from tests.faults import pictures


def test_a_picture_that_was_read_is_never_replaced_by_a_blank_page(tmp_path: Path) -> None:
    torn = tmp_path / "torn.tif"
    torn.write_bytes(pictures.saved(pictures.sheet(), "TIFF")[:-100_000])

    with pytest.raises(CorruptError, match=r"torn\.tif"):
        picture_pdf(torn, "tiff", {1: (595.0, 842.0)}, 10**9)
    assert len(picture_pdf(torn, "tiff", {1: None}, 10**9).pages) == 1
