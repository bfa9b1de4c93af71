"""Half a page is never plain `completed`: a table of filters and cuts (issue 13, item 4)."""

from __future__ import annotations

import io
import random
import re
import struct
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from pikepdf import Name, Stream
from PIL import Image

from ocr_worker.engines.pdf.coded_lengths import jpx_share
from ocr_worker.engines.pdf.streams import held
from ocr_worker.model.tasks import Failure, PageDone
from tests.cases import packed
from tests.cases.verdicts import file_of, page_of
from tests.faults import pictures
from tests.long_rows import first
from tests.pages.desk import Desk

CUTS = first(2, (0.5, 0.99, 0.2, 0.8))


@pytest.mark.parametrize("share", CUTS)
@pytest.mark.parametrize("packing", packed.PICTURES)
def test_a_picture_that_is_cut_short_is_told(packing: str, share: float, desk: Desk) -> None:
    done = page_of(desk, packed.pictured(packing, packed.cut(share)))

    if isinstance(done, Failure):
        assert done.code == "corrupt"
    else:
        assert "cut short" in " ".join(done.warnings)


@pytest.mark.parametrize("packing", packed.PICTURES)
def test_a_whole_picture_is_read_without_a_word(packing: str, desk: Desk) -> None:
    done = page_of(desk, packed.pictured(packing))

    assert isinstance(done, PageDone), done
    assert done.warnings == ()
    assert done.words >= 10


INLINE = [packing for packing in packed.PICTURES if packing not in packed.NOT_INLINE]


@pytest.mark.parametrize("share", CUTS)
@pytest.mark.parametrize("packing", INLINE)
def test_a_picture_in_the_content_that_is_cut_short_is_told(packing: str, share: float, desk: Desk) -> None:
    done = page_of(desk, packed.inline(packing, packed.cut(share)))

    if isinstance(done, Failure):
        assert done.code == "corrupt"
    else:
        assert "cut short" in " ".join(done.warnings)


@pytest.mark.parametrize("packing", INLINE)
def test_a_whole_picture_in_the_content_is_read_without_a_word(packing: str, desk: Desk) -> None:
    done = page_of(desk, packed.inline(packing))

    assert isinstance(done, PageDone), done
    assert done.warnings == ()
    assert done.words >= 10


@pytest.mark.parametrize(("share", "told"), [(0.6, "corrupt"), (0.9, "cut short"), (1.0, "blank")])
def test_a_picture_of_which_only_white_is_there_is_no_blank_page(share: float, told: str, desk: Desk) -> None:
    white = bytes([255]) * (packed.SIZE[0] * packed.SIZE[1])
    content = packed.drawn(packed.cut(share)(white), [], packed.PICTURES["none"][2])

    done = page_of(desk, content)

    said = done.code if isinstance(done, Failure) else " ".join((done.status, *done.warnings))
    assert told in said


@pytest.mark.long
@pytest.mark.parametrize("packing", ["lzw", "runs"])
def test_how_much_there_is_of_a_large_picture_is_known_too(packing: str) -> None:
    side = 1500
    grain = Image.frombytes("L", (side, side), random.Random(1).randbytes(side * side))
    coding, filters = {"lzw": ("tiff_lzw", Name.LZWDecode), "runs": ("packbits", Name.RunLengthDecode)}[
        packing
    ]
    content = packed.strip(grain, coding) + (b"\x80" if packing == "runs" else b"")
    assert len(content) > 2_000_000

    shares = [_share(packed.cut(share)(content), side, filters) for share in (1.0, 0.99, 0.5)]

    assert shares == [1.0, pytest.approx(0.99, abs=0.01), pytest.approx(0.5, abs=0.01)]


@pytest.mark.parametrize("count", range(1, 25))
def test_a_jpeg_2000_whose_tile_comes_in_parts_is_whole(count: int) -> None:
    content = saved_in_parts(count)

    assert jpx_share(content) == 1
    assert jpx_share(content[: len(content) * 3 // 4]) == pytest.approx(0.75, abs=0.1)


def saved_in_parts(count: int) -> bytes:
    """The data of its one tile, in so many parts of a tile."""
    stream = pictures.saved(packed.page(), "JPEG2000", no_jp2=True)
    start = stream.index(b"\xff\x90")
    data = stream[stream.index(b"\xff\x93", start) + 2 : -2]
    step = -(-len(data) // count)
    pieces = [data[number * step : (number + 1) * step] for number in range(count)]
    head = b"\xff\x90\0\x0a\0\0"
    parts = (
        head + struct.pack(">IBB", len(piece) + 14, number, count) + b"\xff\x93" + piece
        for number, piece in enumerate(pieces)
    )
    return stream[:start] + b"".join(parts) + b"\xff\xd9"


def _share(content: bytes, side: int, filters: Name) -> float:
    pdf = pikepdf.new()
    image = Stream(pdf, b"", Width=side, Height=side, ColorSpace=Name.DeviceGray, BitsPerComponent=8)
    image.write(content, filter=filters)
    return held(image).share


@pytest.mark.parametrize("share", CUTS)
@pytest.mark.parametrize("packing", packed.CONTENTS)
def test_a_content_that_is_cut_short_is_told(packing: str, share: float, desk: Desk) -> None:
    done = page_of(desk, packed.typed(packing, packed.cut(share)))

    if isinstance(done, Failure):
        assert done.code == "corrupt"
        assert share < 0.99, "so little is forgiven, with a warning"
    else:
        assert share > 0.5
        assert "breaks off" in " ".join(done.warnings)


@pytest.mark.parametrize("packing", packed.CONTENTS)
def test_a_whole_content_is_kept_without_a_word(packing: str, desk: Desk) -> None:
    done = page_of(desk, packed.typed(packing))

    assert isinstance(done, PageDone), done
    assert (done.status, done.warnings) == ("has_text", ())


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6])
def test_a_tiff_that_lacks_its_last_pages_says_so(share: float, desk: Desk) -> None:
    whole = pictures.one_turned_frame()

    opened = desk.open(file_of(desk, whole, "whole.tif"))
    cut = desk.open(file_of(desk, packed.cut(share)(whole), "cut.tif"))

    assert (opened.pages, opened.warnings) == (3, ())
    assert cut.pages < 3
    assert "cut short" in " ".join(cut.warnings)


@pytest.mark.parametrize("rows", [None, 64])
@pytest.mark.parametrize("coding", ["group4", "group3"])
def test_a_fax_whose_strips_break_off_says_so(coding: str, rows: int | None, desk: Desk) -> None:
    """The file is whole, and its data were cut before it was written: libtiff fills up what is missing."""
    options = {"strip_size": rows * packed.SIZE[0] // 8} if rows else {"strip_size": 1 << 30}
    whole = pictures.saved(packed.page().convert("1"), "TIFF", compression=coding, dpi=(200, 200), **options)

    good, bad = page_of(desk, whole, "a.tif"), page_of(desk, _shortened(whole), "b.tif")

    assert isinstance(good, PageDone)
    assert good.warnings == ()
    assert isinstance(bad, Failure) or "cut short" in " ".join(bad.warnings)


TORN_PARTS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "first-half": lambda parts: [parts[0][: len(parts[0]) // 2], *parts[1:]],
    "all-shorter": lambda parts: [part[: len(part) * 7 // 10] for part in parts],
    "last-one-gone": lambda parts: parts[:-1],
    "last-one-empty": lambda parts: [*parts[:-1], b""],
}  # fmt: skip
"""What befalls the strips or tiles of a TIFF that is whole as a file."""


@pytest.mark.parametrize("torn", TORN_PARTS)
@pytest.mark.parametrize("kind", ["strips", "tiles"])
@pytest.mark.parametrize("packing", ["raw", "group4", "tiff_lzw", "jpeg"])
def test_a_tiff_whose_strips_or_tiles_break_off_says_so(
    packing: str, kind: str, torn: str, desk: Desk
) -> None:
    tiled = kind == "tiles"
    parts = packed.tiff_parts(packing, tiled=tiled)

    good = page_of(desk, packed.tiff_of(parts, packing, tiled=tiled), "a.tif")
    bad = page_of(desk, packed.tiff_of(TORN_PARTS[torn](parts), packing, tiled=tiled), "b.tif")

    assert isinstance(good, PageDone)
    assert (good.status, good.warnings) == ("ok", ())
    if isinstance(bad, Failure):
        assert bad.code == "corrupt"
    else:
        assert re.search("cut short|is damaged", " ".join(bad.warnings))


def _shortened(tiff: bytes) -> bytes:
    """Its last strip says that it is two thirds as long as it was, and there is nothing behind that."""
    with Image.open(io.BytesIO(tiff)) as picture:
        tags: Any = picture
        starts, lengths = tags.tag_v2[273], tags.tag_v2[279]
    said, rest = struct.pack("<I", lengths[-1]), lengths[-1] * 2 // 3
    at = tiff.rindex(said, tiff.index(struct.pack("<HH", 279, 4)) if len(lengths) == 1 else 0)
    made = bytearray(tiff[:at] + struct.pack("<I", rest) + tiff[at + 4 :])
    made[starts[-1] + rest : starts[-1] + lengths[-1]] = bytes(lengths[-1] - rest)
    return bytes(made)
