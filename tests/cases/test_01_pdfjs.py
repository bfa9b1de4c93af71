"""Case 01: of a page that lies a little askew pdf.js, and with it Firefox, gives the lines, not one word a line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr import tessdata
from ocr_worker.engines.ocr.tesserocr_engine import TesserocrEngine
from ocr_worker.model.page import Page
from samples import Sample
from tests.readers.made_pages import mixed_sizes, one_column, save_layer, two_columns
from tests.readers.texts import pdfjs_lines, require


@pytest.mark.parametrize("make", [one_column, two_columns, mixed_sizes])
@pytest.mark.parametrize("degrees", [0, 0.2, -0.2, 0.7, 1.3])
def test_lines_stay_lines(make: Callable[[float], Page], degrees: float, tmp_path: Path) -> None:
    require("pdf.js")
    page = make(degrees)

    lines = pdfjs_lines(save_layer(page, tmp_path / "layer.pdf"))

    assert len([line for line in lines if line.strip()]) <= 1.5 * len(page.lines)


def test_lines_of_a_scan_that_was_read_stay_lines(sample: Callable[[str], Sample], tmp_path: Path) -> None:
    require("pdf.js")
    with Image.open(sample("clean").path) as picture:
        askew = picture.convert("L").crop((0, 0, picture.width, 1200)).rotate(0.2, fillcolor=255)
    data = tessdata.find_tessdata(["eng"])["eng"].parent
    read = TesserocrEngine(("eng",), data).recognise(GreyImage(askew, 300))
    page = Page(1, "ok", askew.width, askew.height, dpi=300, lines=read)

    lines = pdfjs_lines(save_layer(page, tmp_path / "layer.pdf"))

    assert len(read) >= 10
    assert len([line for line in lines if line.strip()]) <= 1.5 * len(read)
