"""JPEGs that lie in PDFs."""

from __future__ import annotations

import pytest
from PIL import Image

from ocr_worker.engines.pdf import jpeg
from ocr_worker.errors import CorruptError
from tests.faults import pictures


def test_a_scan_beyond_pillows_own_limit_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    scan = pictures.jpeg()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)

    found = jpeg.luma(scan, 1, pictures.SIZE)

    assert found is not None
    picture, flaws = found
    assert (picture.mode, picture.size, flaws) == ("L", pictures.SIZE, ())


def test_a_jpeg_of_another_size_than_it_should_have_is_not_decoded() -> None:
    assert jpeg.luma(pictures.jpeg(), 1, (1, 1)) is None


def test_a_torn_jpeg_is_corrupt() -> None:
    with pytest.raises(CorruptError):
        jpeg.luma(pictures.jpeg()[:3000], 1, pictures.SIZE)
