"""TIFFs that Pillow alone reads wrongly or not at all: with a channel beyond their colours, or pixels that share theirs."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from ocr_worker.engines.images import image_files
from tests.cases.test_what_viewers_forgive import with_tag
from tests.cases.verdicts import failure_of
from tests.faults.pictures import saved, sheet
from tests.pages.desk import Desk

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


def shared_colours() -> bytes:
    """Four pixels with one pair of colours, which nothing packs."""
    (width, height), pixels = SHEET.size, SHEET.tobytes()
    blocks = b"".join(
        bytes([*pixels[at : at + 2], *pixels[at + width : at + width + 2], 128, 128])
        for top in range(0, height, 2)
        for at in range(top * width, (top + 1) * width, 2)
    )
    content = saved(Image.frombytes("L", (width * 3 // 2, height), blocks), "TIFF", strip_size=1 << 30)
    for tag, value in ((256, width), (262, 6), (277, 3)):
        content = with_tag(tag, value)(content)
    return content


KINDS: dict[str, Callable[[], bytes]] = {
    "empty": with_empty_alpha,
    "empty-and-not-named": lambda: with_tag(338, None)(with_empty_alpha()),
    "inks": lambda: inks_with_alpha(2),
    "inks-associated": lambda: inks_with_alpha(1),
    "shared-colours": shared_colours,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_tiff_of_a_rare_kind_is_seen_as_it_is_meant(kind: str, tmp_path: Path) -> None:
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


def test_a_big_tiff_whose_high_bytes_come_first_is_unsupported_and_not_damaged(desk: Desk) -> None:
    pixels = SHEET.tobytes()
    tags = {
        256: SHEET.width,
        257: SHEET.height,
        258: 8,
        259: 1,
        262: 1,
        273: 16,
        277: 1,
        278: SHEET.height,
        279: len(pixels),
    }
    entries = b"".join(struct.pack(">HHQQ", tag, 16, 1, value) for tag, value in tags.items())
    head = struct.pack(">2sHHHQ", b"MM", 43, 8, 0, 16 + len(pixels))

    content = head + pixels + struct.pack(">Q", len(tags)) + entries + bytes(8)

    assert failure_of(desk, content, "scan.tif").code == "unsupported_type"
