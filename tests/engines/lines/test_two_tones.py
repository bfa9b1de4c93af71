"""A page in black and white is the one that libtesseract itself makes."""

from __future__ import annotations

import io

import pytest

pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)

import numpy as np
import tesserocr
from PIL import Image, ImageOps

from ocr_worker.engines.ocr.lines.two_tones import in_two_tones
from tests.faults import pictures


def noise(low: int, high: int, size: tuple[int, int]) -> Image.Image:
    chance = np.random.default_rng(5)
    return Image.fromarray(chance.integers(low, high, size[::-1]).astype(np.uint8))


def print_on(share: float) -> Image.Image:
    """Grey paper of which this share is dark."""
    page = noise(150, 256, (301, 200))
    page.paste(noise(0, 110, (301, round(200 * share))), (0, 0))
    return page


PAGES = {
    "print": pictures.sheet("Harvest moon rises", (1203, 300), (100, 100)),
    "light print": ImageOps.invert(pictures.sheet("Harvest moon rises", (1201, 300), (100, 100))),
    **{f"{share:.0%} dark": print_on(share) for share in (0.1, 0.3, 0.5, 0.7, 0.9)},
    "grain": noise(0, 256, (97, 64)),
    "two greys": Image.fromarray(np.array([[10, 200] * 20] * 40, np.uint8)),
    "one grey": Image.new("L", (50, 40), 90),
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_what_is_light_and_what_is_dark_is_what_libtesseract_says(page: Image.Image) -> None:
    api = tesserocr.PyTessBaseAPI(init=False)
    api.InitForAnalysePage()
    width, height = page.size
    api.SetImageBytes(page.tobytes(), width, height, 1, width)
    known = api.GetThresholdedImage()

    made = Image.open(io.BytesIO(in_two_tones(page).bitmap(0, height)))

    assert made.convert("1").tobytes() == known.convert("1").tobytes()


def test_a_part_of_it_has_these_rows() -> None:
    page = in_two_tones(PAGES["print"])
    whole = Image.open(io.BytesIO(page.bitmap(0, page.height)))

    part = Image.open(io.BytesIO(page.bitmap(70, 201)))

    assert part.tobytes() == whole.crop((0, 70, 1203, 201)).tobytes()
