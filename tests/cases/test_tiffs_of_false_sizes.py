"""TIFFs that say false lengths of their strips, or a smaller picture than they hold: read, or told (issue 12)."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from PIL import Image

from ocr_worker.engines.images.image_files import BEYOND
from tests.cases import packed
from tests.cases.test_torn_image_files import read, unlike, written
from tests.cases.test_what_viewers_forgive import with_tag
from tests.faults.pictures import saved
from tests.pages.desk import Desk

Change = Callable[[bytes], bytes]
_OFFSETS, _LENGTHS = 273, 279


def strips(packing: str) -> bytes:
    if packing != "deflate":
        return packed.tiff_of(packed.tiff_parts(packing, tiled=False), packing, tiled=False)
    parts = [zlib.compress(part) for part in packed.tiff_parts("raw", tiled=False)]
    return with_tag(259, 8)(packed.tiff_of(parts, "raw", tiled=False))


def entry_of(content: bytes, tag: int) -> int:
    """Where the directory has it."""
    (at,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, at)
    entries = range(at + 2, at + 2 + 12 * count, 12)
    return next(entry for entry in entries if struct.unpack_from("<H", content, entry) == (tag,))


def with_lengths(change: Callable[[int], int]) -> Change:
    def changed(content: bytes) -> bytes:
        made = bytearray(content)
        (count, at) = struct.unpack_from("<II", content, entry_of(content, _LENGTHS) + 4)
        for place in range(at, at + 4 * count, 4):
            struct.pack_into("<I", made, place, change(*struct.unpack_from("<I", content, place)))
        return bytes(made)

    return changed


def of_the_first_alone(content: bytes) -> bytes:
    made, entry = bytearray(content), entry_of(content, _LENGTHS)
    (at,) = struct.unpack_from("<I", content, entry + 8)
    struct.pack_into("<II", made, entry + 4, 1, *struct.unpack_from("<I", content, at))
    return bytes(made)


FALSE: dict[str, Change] = {
    "half": with_lengths(lambda length: length // 2),
    "a few less": with_lengths(lambda length: length - 9),
    "one": with_lengths(lambda _: 1),
    "more": with_lengths(lambda length: 9 * length),
    "unpacked": with_lengths(lambda _: packed.SIZE[0] * 200),
    "first": of_the_first_alone,
    "none": with_tag(_LENGTHS, None),
}


@pytest.mark.parametrize(
    ("packing", "said"),
    [
        *product(["deflate", "tiff_lzw", "jpeg", "group4", "raw"], FALSE),
        *product(["group3", "tiff_ccitt"], ["half", "one", "none"]),
    ],
)
def test_strips_are_read_whatever_lengths_the_file_says_they_have(
    packing: str, said: str, tmp_path: Path
) -> None:
    content = strips(packing)
    whole = read(written(tmp_path, "scan.tiff", content))

    done = read(written(tmp_path, "false.tiff", FALSE[said](content)))

    assert done.warnings == ()
    # Nobody misses the last two rows of a fax or a JPEG.
    assert unlike(done.picture, whole.picture) < 1


@pytest.mark.parametrize("packing", ["group4", "group3", "tiff_ccitt"])
def test_one_strip_that_is_said_to_have_one_row_has_them_all(packing: str, tmp_path: Path) -> None:
    content = saved(
        packed.page().convert("1", dither=Image.Dither.NONE), "TIFF", compression=packing, strip_size=1 << 30
    )
    whole = read(written(tmp_path, "scan.tiff", content))

    done = read(written(tmp_path, "false.tiff", with_tag(278, 1)(content)))

    assert done.warnings == ()
    assert unlike(done.picture, whole.picture) < 1


@pytest.mark.parametrize("packing", ["group4", "group3"])
def test_rows_that_are_strips_of_their_own_and_are_not_there_are_told(packing: str, tmp_path: Path) -> None:
    a_row = packed.SIZE[0] // 8
    content = saved(
        packed.page().convert("1", dither=Image.Dither.NONE), "TIFF", compression=packing, strip_size=a_row
    )
    made, (count, at) = bytearray(content), struct.unpack_from("<II", content, entry_of(content, 273) + 4)
    assert count == packed.SIZE[1]
    for place in range(at + 4 * (count - count // 10), at + 4 * count, 4):
        struct.pack_into("<I", made, place, len(content) + 1000)

    done = read(written(tmp_path, "rows.tiff", bytes(made)))

    assert done.warnings == ("A picture is cut short: about 10 % of it are missing",)


SMALLER: dict[str, Change] = {
    "bits": with_tag(258, None),
    "height": with_tag(257, packed.SIZE[1] // 2),
}


@pytest.mark.parametrize(
    ("packing", "said"), [("raw", "bits"), ("raw", "height"), ("tiff_lzw", "height"), ("jpeg", "height")]
)
def test_a_picture_that_is_larger_than_the_file_says_is_told(packing: str, said: str, tmp_path: Path) -> None:
    done = read(written(tmp_path, "small.tiff", SMALLER[said](strips(packing))))

    assert done.warnings == (BEYOND,)


@pytest.mark.parametrize("packing", ["group4", "group3", "tiff_ccitt"])
@pytest.mark.parametrize("height", [10, packed.SIZE[1] // 2])
def test_a_fax_in_one_strip_that_is_higher_than_the_file_says_is_told(
    height: int, packing: str, tmp_path: Path
) -> None:
    content = saved(
        packed.page().convert("1", dither=Image.Dither.NONE), "TIFF", compression=packing, strip_size=1 << 30
    )

    whole = read(written(tmp_path, "whole.tiff", content))
    done = read(written(tmp_path, "low.tiff", with_tag(257, height)(content)))

    assert (whole.warnings, done.warnings) == ((), (BEYOND,))


def test_a_jpeg_as_programs_packed_it_in_a_tiff_at_first_is_read(desk: Desk) -> None:
    picture = saved(packed.page(), "JPEG", quality=90)
    content = with_tag(278, packed.SIZE[1])(packed.tiff_of([picture], "jpeg", tiled=False))
    for tag, value in ((259, 6), (513, 8), (514, len(picture))):
        content = with_tag(tag, value)(content)
    path = written(desk.folder, "old.tif", content)

    done = desk.process(path)

    assert done.pages[0].status == "ok"
    assert all(words in done.text for words in packed.WORDS)
    with Image.open(io.BytesIO(picture)) as alone:
        assert unlike(read(written(desk.folder, "old.tiff", content)).picture, alone.convert("L")) == 0
