"""Pictures in memory keep their resolution, where they have one."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from ocr_worker.library.pictures import image_bytes


def kept(dpi: object, mode: str) -> object:
    picture = Image.new(mode, (20, 20), 255)
    picture.info["dpi"] = dpi
    with Image.open(io.BytesIO(bytes(image_bytes(picture)))) as found:
        return found.info.get("dpi")


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_resolution_is_kept(mode: str) -> None:
    assert kept((300, 200), mode) == pytest.approx((300, 200), abs=0.1)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
@pytest.mark.parametrize("dpi", [300, (300,), ("x", "y"), (-5, -5), (1e9, 1e9), (float("nan"), 72), None])
def test_a_resolution_that_is_none_is_left_out(dpi: object, mode: str) -> None:
    assert kept(dpi, mode) in (None, (1, 1))
