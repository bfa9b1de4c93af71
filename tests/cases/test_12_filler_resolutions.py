"""Cases 12 and 26: 72 and 96 dpi of phones, cameras and web tools are no resolution where they would make a sheet over 17 inches.

From react-native-image-to-pdf #18, and the 55 of 160 image files of a field collection that say 96 or less.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from ocr_worker.engines.images import headers
from samples import Sample
from tests.pages.desk import Desk

A4_POINTS = 842


@pytest.mark.parametrize("dpi", [72, 96])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_a_page_that_states_a_filler_is_about_as_large_as_a4(
    desk: Desk, sample: Callable[[str], Sample], tmp_path: Path, dpi: int, suffix: str
) -> None:
    path = tmp_path / f"page{suffix}"
    Image.open(sample("letters").path).convert("L").save(path, dpi=(dpi, dpi))

    done = desk.process(path)

    [page] = done.record["pages"]
    assert page["dpi_estimated"] is True
    assert max(page["width_points"], page["height_points"]) == pytest.approx(A4_POINTS, rel=0.01)
    assert "resolution" in " ".join(done.opened.warnings)
    with pikepdf.open(done.outputs["pdf"]) as pdf:
        assert float(pdf.pages[0].mediabox[3]) == pytest.approx(A4_POINTS, rel=0.01)


@pytest.mark.parametrize("dots", [28, 38])
def test_a_filler_in_dots_a_centimetre_is_one(dots: int) -> None:
    target = io.BytesIO()
    Image.new("L", (3024, 4032), 255).save(target, "JPEG")
    content = bytearray(target.getvalue())
    at = content.index(b"JFIF\0") + 7
    content[at : at + 5] = struct.pack(">BHH", 2, dots, dots)

    with Image.open(io.BytesIO(content)) as image:
        (across, down), is_estimated = headers.resolution(image)

    assert is_estimated
    assert across == down == pytest.approx(345, abs=1)


@pytest.mark.parametrize(("dpi", "size"), [(72, (1200, 800)), (96, (1280, 720)), (100, (1700, 2200))])
def test_a_resolution_that_makes_a_sheet_of_some_known_size_is_believed(
    desk: Desk, tmp_path: Path, dpi: int, size: tuple[int, int]
) -> None:
    path = tmp_path / "screen.png"
    Image.new("L", size, 255).save(path, dpi=(dpi, dpi))

    done = desk.process(path)

    [page] = done.record["pages"]
    assert page["dpi_estimated"] is False
    assert page["width_points"] == pytest.approx(size[0] * 72 / dpi, rel=0.01)
    assert not done.opened.warnings


def test_a_resolution_that_was_asked_for_goes_before_an_estimate(
    desk: Desk, sample: Callable[[str], Sample], tmp_path: Path
) -> None:
    from ocr_worker.model.tasks import PageSettings

    path = tmp_path / "page.jpg"
    Image.open(sample("letters").path).save(path, dpi=(72, 72))

    done = desk.process(path, PageSettings(dpi=200))

    [page] = done.record["pages"]
    assert (page["dpi"], page["dpi_estimated"]) == (200, False)
    assert done.opened.warnings == ()
