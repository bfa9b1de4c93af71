"""A kind of picture that nobody here can read is `unsupported_type`: the file is whole, and to save it again as it is won't help."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest
from pikepdf import Name

from ocr_worker.model.tasks import PageDone
from tests.cases import packed
from tests.cases.lossless import lossless_jpeg
from tests.cases.verdicts import failure_of, file_of, page_of
from tests.faults.pictures import saved, sheet
from tests.pages.desk import Desk

WIDTH, HEIGHT = 64, 48
GREY = {"ColorSpace": Name.DeviceGray, "BitsPerComponent": 8}
BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, FORMAT = 258, 259, 262, 277, 339
SHORT, LONG = 3, 4


def tiff(sample_bytes: int, **tags: Any) -> bytes:
    """Of so many bytes a pixel; the tags are those that are not of a plain grey picture."""
    data = bytes(WIDTH * HEIGHT * sample_bytes)
    values = {
        256: WIDTH, 257: HEIGHT, BITS: 8, COMPRESSION: 1, PHOTOMETRIC: 1, 273: 0, SAMPLES: 1, 278: HEIGHT, 279: len(data),
    }  # fmt: skip
    values |= {int(name.removeprefix("tag")): value for name, value in tags.items()}
    values[273] = 8 + 2 + 12 * len(values) + 4
    entries = b"".join(struct.pack("<HHII", tag, LONG, 1, value) for tag, value in sorted(values.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(values)) + entries + bytes(4) + data


FOREIGN = {
    "doubles": tiff(8, tag258=64, tag339=3),
    "half-floats": tiff(2, tag258=16, tag339=3),
    "64-bit": tiff(8, tag258=64),
    "complex": tiff(8, tag258=64, tag339=6),
    "camera-raw": tiff(2, tag258=16, tag262=32803),
    "jpeg-2000": tiff(1, tag259=34712),
    "jbig": tiff(1, tag259=34661),
    "own-packing": tiff(1, tag259=65000),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_tiff_of_a_kind_that_is_not_read_is_unsupported(kind: str, desk: Desk) -> None:
    failure = failure_of(desk, FOREIGN[kind], "scan.tif")

    assert failure.code == "unsupported_type"
    assert "scan.tif" in failure.message
    assert "save it" in failure.message


def test_the_plain_one_that_they_are_made_from_is_read(desk: Desk) -> None:
    assert desk.open(file_of(desk, tiff(1), "scan.tif")).pages == 1


@pytest.mark.parametrize("frame", [0xC3, 0xC5, 0xCB, 0xF7])
def test_a_jpeg_of_another_process_is_unsupported(frame: int, desk: Desk) -> None:
    """Lossless with 12 bits, hierarchical, lossless arithmetic, JPEG-LS."""
    jpeg = bytearray(saved(sheet(), "JPEG"))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 1] = frame
    if frame == 0xC3:
        jpeg[at + 4] = 12

    assert failure_of(desk, bytes(jpeg), "scan.jpg").code == "unsupported_type"


def test_a_page_with_such_a_jpeg_is_unsupported(desk: Desk) -> None:
    jpeg = saved(packed.page(), "JPEG").replace(b"\xff\xc0", b"\xff\xc5", 1)

    failure = failure_of(desk, packed.drawn(jpeg, [Name.DCTDecode], GREY))

    assert failure.code == "unsupported_type"
    assert "file.pdf (page 1)" in failure.message


@pytest.mark.parametrize("make", [packed.drawn, packed.filling])
def test_a_page_of_a_lossless_jpeg_is_read(make: Callable[..., bytes], desk: Desk) -> None:
    done = page_of(desk, make(lossless_jpeg(packed.page()), [Name.DCTDecode], GREY))

    assert isinstance(done, PageDone), done
    assert done.words >= 10


def test_a_torn_file_is_damaged(desk: Desk) -> None:
    tiff = saved(sheet(), "TIFF")

    assert failure_of(desk, tiff[: len(tiff) // 2], "scan.tif").code == "corrupt"


def test_a_lossless_jpeg_is_read_and_packed_so_that_viewers_show_it(desk: Desk) -> None:
    import pypdfium2

    done = desk.process(file_of(desk, lossless_jpeg(sheet()), "scan.jpg"))

    assert done.text.split() == ["Harvest", "moon"]
    document = pypdfium2.PdfDocument(done.outputs["pdf"])
    shown = document[0].render(scale=200 / 72, grayscale=True).to_pil()
    document.close()
    assert sum(shown.histogram()[:100]) == pytest.approx(sum(sheet().histogram()[:100]), rel=0.2)
