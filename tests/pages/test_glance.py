"""An empty page is known by a small drawing; whatever could be read on it shows even there."""

from __future__ import annotations

from pathlib import Path

import img2pdf
import pytest
from PIL import Image, ImageDraw

from ocr_worker.engines.pdf.pdf_file import open_pdf
from ocr_worker.pages.rendering import load_sheet, shows_nothing

A4_AT_300 = (2480, 3508)


def test_an_empty_scan_is_seen_to_be_empty_at_a_glance(tmp_path: Path) -> None:
    path = _scan(tmp_path, Image.new("L", A4_AT_300, 255))

    assert _shows_nothing(path)


def test_a_scan_that_is_black_from_edge_to_edge_is_not_taken_for_nothing(tmp_path: Path) -> None:
    path = _scan(tmp_path, Image.new("L", A4_AT_300, 0))

    assert not _shows_nothing(path)


@pytest.mark.parametrize(("box", "level"), [((1201, 1703, 1201, 1703), 0), ((500, 500, 700, 520), 245)])
def test_one_dot_or_a_faint_line_is_not_taken_for_nothing(
    tmp_path: Path, box: tuple[int, int, int, int], level: int
) -> None:
    image = Image.new("L", A4_AT_300, 255)
    ImageDraw.Draw(image).rectangle(box, fill=level)
    path = _scan(tmp_path, image)

    assert not _shows_nothing(path)


def _scan(folder: Path, image: Image.Image) -> Path:
    picture, path = folder / "scan.png", folder / "scan.pdf"
    image.save(picture, dpi=(300, 300))
    path.write_bytes(img2pdf.convert(picture.read_bytes()))
    return path


def _shows_nothing(path: Path) -> bool:
    pdf = open_pdf(path, None)
    try:
        return shows_nothing(load_sheet(pdf, 1))
    finally:
        pdf.close()
