"""A reduced picture in a TIFF is a thumbnail, and a mask is no page either (case 13)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pikepdf
import pytest

from ocr_worker.errors import OcrError
from tests.cases.verdicts import file_of
from tests.faults.pictures import saved, sheet, tiff_of_frames
from tests.pages.desk import Desk

NEW_SUBFILE, SUBFILE = 254, 255
THUMBNAILS = {
    "reduced": (NEW_SUBFILE, 1),
    "mask": (NEW_SUBFILE, 4),
    "reduced-page": (NEW_SUBFILE, 3),
    "old": (SUBFILE, 2),
}


def tiff(*pages: tuple[str, tuple[int, int] | None], big: bool = False) -> bytes:
    """A picture for each text, with the tag that says its kind."""
    frames = []
    for text, tag in pages:
        frame = sheet(text).convert("1") if tag is None else sheet(text).reduce(4).convert("1")
        frame.encoderinfo = {"dpi": (200, 200), "tiffinfo": dict([tag] if tag else [])}
        frames.append(frame)
    first = frames[0].encoderinfo
    return saved(frames[0], "TIFF", save_all=True, append_images=frames[1:], big_tiff=big, **first)


@pytest.mark.parametrize("make", [tiff, partial(tiff, big=True)], ids=["classic", "big"])
@pytest.mark.parametrize("kind", THUMBNAILS)
def test_thumbnails_are_no_pages(kind: str, make: Callable[..., bytes], desk: Desk) -> None:
    tag = THUMBNAILS[kind]
    content = make(("Harvest moon", None), ("Little", tag), ("Silver river", None), ("Small", tag))

    done = desk.process(file_of(desk, content, "scan.tif"))

    assert done.opened.pages == 2
    assert [text.split() for text in done.text.split("\f")[:2]] == [["Harvest", "moon"], ["Silver", "river"]]
    assert [page["width_points"] for page in desk.inspect(desk.folder / "scan.tif")["page_list"]] == [
        230.4,
        230.4,
    ]
    with pikepdf.open(done.outputs["pdf"]) as written:
        assert len(written.pages) == 2


def test_a_thumbnail_before_its_page_is_passed_over(desk: Desk) -> None:
    content = tiff(("Little", (NEW_SUBFILE, 1)), ("Harvest moon", None))

    done = desk.process(file_of(desk, content, "scan.tif"))

    assert (done.opened.pages, done.text.split()) == (1, ["Harvest", "moon"])


def test_a_file_of_thumbnails_alone_is_taken_as_it_is(desk: Desk) -> None:
    opened = desk.open(file_of(desk, tiff(("One", (NEW_SUBFILE, 1)), ("Two", (NEW_SUBFILE, 1))), "scan.tif"))

    assert opened.pages == 2


def test_too_many_pictures_are_still_too_many(desk: Desk) -> None:
    with pytest.raises(OcrError) as caught:
        desk.open(file_of(desk, tiff_of_frames(10_001), "many.tif"))

    assert caught.value.code == "too_large"
