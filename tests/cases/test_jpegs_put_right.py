"""JPEGs of which something beside the picture's data is wrong, or their finest scans are missing, or their restart markers."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pikepdf import Name

from ocr_worker.engines.images import jpeg_stream
from ocr_worker.engines.images.cut_short import DAMAGED
from ocr_worker.errors import CorruptError
from ocr_worker.model.tasks import PageDone
from tests.cases import packed
from tests.cases.test_09_jpegs_every_viewer_shows import GREY, has_words, of_height
from tests.cases.test_torn_image_files import read, unlike, written
from tests.cases.verdicts import page_of
from tests.faults.pictures import saved
from tests.pages.desk import Desk

Change = Callable[[bytes], bytes]


def jpeg(**options: Any) -> bytes:
    return saved(packed.page(), "JPEG", quality=90, dpi=(200, 200), **options)


def scans(content: bytes) -> tuple[jpeg_stream.Scan, ...]:
    found = jpeg_stream.layout(content)
    assert found is not None
    return found.scans


def segment(marker: int, body: bytes) -> Change:
    added = bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body
    return lambda content: content[:2] + added + content[2:]


def of_band(first: int, last: int) -> Change:
    """The header of its scan says that it has these coefficients alone."""

    def change(content: bytes) -> bytes:
        at = scans(content)[0].start
        return content[: at - 3] + bytes([first, last]) + content[at - 1 :]

    return change


FORGIVEN: dict[str, Change] = {
    "half-an-end": lambda content: content[:-1],
    "filled-end": lambda content: content[:-2] + b"\xff\xff\xff",
    "short-jfif": segment(0xE0, b"JFIF\0"),
    "short-profile": segment(0xE2, b"ICC_PROFILE\0\1"),
    "short-adobe": segment(0xEE, b"Adobe"),
    "no-length": lambda content: content[:2] + b"\xff\xe5\0\1" + content[2:],
    "odd-band": of_band(5, 63),
    "no-band": of_band(0, 0),
    "another-behind": lambda content: content[:-2] + saved(packed.page().rotate(180), "JPEG"),
    "its-twin-behind": lambda content: content[:-2] + content[2:],
}


@pytest.mark.parametrize("change", FORGIVEN)
def test_what_is_wrong_beside_the_picture_costs_nothing(change: str, tmp_path: Path) -> None:
    right = read(written(tmp_path, "right.jpeg", jpeg()))

    done = read(written(tmp_path, "odd.jpeg", FORGIVEN[change](jpeg())))

    assert done.warnings == ()
    assert unlike(done.picture, right.picture) == 0


def colours(**options: Any) -> bytes:
    return saved(packed.page().convert("RGB"), "JPEG", quality=90, progressive=True, **options)


@pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
@pytest.mark.parametrize("count", [5, 7, 9])
def test_a_progressive_picture_without_its_last_bits_is_read_and_told(
    count: int, end: bytes, tmp_path: Path
) -> None:
    content = colours()
    assert len(scans(content)) == 10

    done = read(written(tmp_path, "rough.jpeg", content[: scans(content)[count - 1].end] + end))

    assert "cut short" in " ".join(done.warnings)
    assert unlike(done.picture, packed.page()) < 3


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_progressive_picture_of_which_there_is_a_blur_alone_is_damaged(count: int, tmp_path: Path) -> None:
    content = colours()

    with pytest.raises(CorruptError):
        read(written(tmp_path, "blurred.jpeg", content[: scans(content)[count - 1].end] + b"\xff\xd9"))


def test_a_progressive_picture_whose_foot_is_a_blur_is_damaged(tmp_path: Path) -> None:
    content = colours()
    luma = scans(content)[4]

    with pytest.raises(CorruptError):
        read(written(tmp_path, "blurred.jpeg", content[: (luma.start + luma.end) // 2]))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("times", [1.5, 3])
def test_a_picture_that_says_it_is_higher_than_its_data_is_read_and_told(
    times: float, options: dict[str, Any], tmp_path: Path
) -> None:
    content = of_height(int(times * packed.SIZE[1]))(jpeg(**options))

    done = read(written(tmp_path, "high.jpeg", content))

    assert done.warnings == (DAMAGED,)
    assert unlike(done.picture.crop((0, 0, *packed.SIZE)), packed.page()) < 3


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 4}])
@pytest.mark.parametrize("height", [1, packed.SIZE[1] // 2])
def test_a_picture_that_says_it_is_lower_than_its_data_is_told(
    height: int, options: dict[str, Any], tmp_path: Path
) -> None:
    done = read(written(tmp_path, "low.jpeg", of_height(height)(jpeg(**options))))

    assert done.warnings == (DAMAGED,)


def beside_a_margin(content: bytes) -> bytes:
    return packed.drawn(content, [Name.DCTDecode], GREY, 20)


def wrong_mark(content: bytes) -> bytes:
    at = [found.start() for found in re.finditer(rb"\xff[\xd0-\xd7]", content)][20]
    return content[: at + 1] + bytes([0xD0 + (content[at + 1] - 0xD0 + 3) % 8]) + content[at + 2 :]


def without_last_bits(content: bytes) -> bytes:
    return content[: scans(content)[-1].start - 10]


@pytest.mark.parametrize(
    ("options", "change"),
    [({"restart_marker_rows": 1}, wrong_mark), ({"progressive": True}, without_last_bits)],
)
def test_what_pdfium_would_leave_grey_or_black_is_read_and_told(
    options: dict[str, Any], change: Change, desk: Desk
) -> None:
    done = page_of(desk, beside_a_margin(change(jpeg(**options))))

    assert isinstance(done, PageDone), done
    assert re.search("is damaged|cut short", " ".join(done.warnings))
    assert has_words(desk)


def test_a_table_of_steps_with_a_0_is_told(tmp_path: Path) -> None:
    content = jpeg()
    at = content.index(b"\xff\xdb") + 5

    done = read(written(tmp_path, "void.jpeg", content[:at] + b"\0" + content[at + 1 :]))

    assert done.warnings == (DAMAGED,)


@pytest.mark.parametrize("height", [9_999_999_999, -1])
def test_a_height_that_no_jpeg_has_is_not_that_of_the_picture(height: int, desk: Desk) -> None:
    done = page_of(desk, packed.drawn(jpeg(), [Name.DCTDecode], {**GREY, "Height": height}))

    assert not isinstance(done, PageDone)
    assert done.code in ("corrupt", "too_large")
