"""TIFFs with a channel beyond their colours: what is in the colours is read, whatever lies in the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from ocr_worker.engines.images import image_files
from tests.cases.test_what_viewers_forgive import with_tag
from tests.faults.pictures import saved, sheet

SHEET = sheet()


def with_empty_alpha() -> bytes:
    return saved(Image.merge("RGBA", (SHEET, SHEET, SHEET, Image.new("L", SHEET.size, 0))), "TIFF")


def inks_with_alpha(alpha: int) -> bytes:
    """Which Pillow does not write: a grey picture five times as wide, told to be of five channels."""
    pixels = b"".join(bytes([0, 0, 0, 255 - level, 255]) for level in SHEET.tobytes())
    content = saved(Image.frombytes("L", (5 * SHEET.width, SHEET.height), pixels), "TIFF", strip_size=1 << 30)
    for tag, value in ((256, SHEET.width), (262, 5), (277, 5), (338, alpha)):
        content = with_tag(tag, value)(content)
    return content


KINDS: dict[str, Callable[[], bytes]] = {
    "empty": with_empty_alpha,
    "empty-and-not-named": lambda: with_tag(338, None)(with_empty_alpha()),
    "inks": lambda: inks_with_alpha(2),
    "inks-associated": lambda: inks_with_alpha(1),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_tiff_with_a_fourth_or_fifth_channel_shows_its_colours(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    path.write_bytes(KINDS[kind]())

    with image_files.opened(path, "tiff", 10**8) as image:
        image_files.select_page(image, path, 1, 10**8)
        shown = image_files.read_grey(image, path).picture

    assert ImageStat.Stat(ImageChops.difference(shown, SHEET)).mean[0] < 1


def test_a_png_that_is_clear_all_over_shows_nothing(tmp_path: Path) -> None:
    """It says so itself, and so show viewers."""
    path = tmp_path / "clear.png"
    Image.merge("LA", (SHEET, Image.new("L", SHEET.size, 0))).save(path)

    with image_files.opened(path, "png", 10**8) as image:
        assert image_files.read_grey(image, path).picture.getextrema() == (255, 255)
