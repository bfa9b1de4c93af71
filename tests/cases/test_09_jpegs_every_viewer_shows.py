"""JPEGs that every viewer shows are read: no end marker, bytes before the start, a late height, a wrong one (case 09)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Name

from ocr_worker.engines.images import jpeg_stream
from ocr_worker.model.tasks import Failure, PageDone
from tests.cases import packed
from tests.cases.verdicts import file_of, page_of
from tests.faults.pictures import saved
from tests.long_rows import first
from tests.pages.desk import Desk

GREY = {"ColorSpace": Name.DeviceGray, "BitsPerComponent": 8}
RGB = {"ColorSpace": Name.DeviceRGB, "BitsPerComponent": 8}


def without_end(jpeg: bytes) -> bytes:
    return jpeg[:-2]


def after_a_line_end(jpeg: bytes) -> bytes:
    return b"\r\n" + jpeg


def of_height(height: int) -> Callable[[bytes], bytes]:
    """Its frame header says so; the data are what they were."""

    def change(jpeg: bytes) -> bytes:
        found = jpeg_stream.layout(jpeg)
        assert found is not None
        at = found.frame_at + 5
        return jpeg[:at] + height.to_bytes(2, "big") + jpeg[at + 2 :]

    return change


def with_late_height(jpeg: bytes) -> bytes:
    """The number of lines stands behind the scan, as from a camera that scans paper of any length."""
    late = b"\xff\xdc\0\4" + packed.SIZE[1].to_bytes(2, "big")
    return of_height(0)(jpeg)[:-2] + late + b"\xff\xd9"


CHANGES = {
    "no-end": without_end,
    "line-end-before": after_a_line_end,
    "65000-high": of_height(65_000),
    "100-high": of_height(100),
    "late-height": with_late_height,
}
CODINGS: dict[str, dict[str, int | bool]] = {
    "plain": {},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_rows": 1},
}


@pytest.mark.parametrize("coding", first(2, CODINGS))
@pytest.mark.parametrize("change", CHANGES)
def test_a_page_of_such_a_jpeg_is_read(change: str, coding: str, desk: Desk) -> None:
    jpeg = CHANGES[change](saved(packed.page(), "JPEG", quality=90, **CODINGS[coding]))

    done = page_of(desk, packed.drawn(jpeg, [Name.DCTDecode], GREY))

    assert isinstance(done, PageDone), done
    assert done.status == "ok"
    assert has_words(desk)


@pytest.mark.parametrize("change", CHANGES)
def test_the_scan_that_is_the_page_is_read_from_such_a_jpeg(change: str, desk: Desk) -> None:
    jpeg = CHANGES[change](saved(packed.page().convert("RGB"), "JPEG", quality=90))
    scan = packed.filling(jpeg, [Name.DCTDecode], RGB)

    done = desk.process(file_of(desk, scan, "scan.pdf"))

    assert [page.status for page in done.pages] == ["ok"]
    assert all(words in done.text for words in packed.WORDS)
    with pikepdf.open(done.outputs["pdf"]) as written:
        assert written.pages[0].Resources.XObject.Im0.read_raw_bytes() == jpeg


@pytest.mark.parametrize("change", ["no-end", "line-end-before", "late-height"])
def test_an_image_file_of_such_a_jpeg_is_read(change: str, desk: Desk) -> None:
    jpeg = CHANGES[change](saved(packed.page(), "JPEG", quality=90, dpi=(200, 200)))

    done = desk.process(file_of(desk, jpeg, "scan.jpg"))

    assert done.pages[0].warnings == ()
    assert all(words in done.text for words in packed.WORDS)
    assert _embedded(done.outputs["pdf"]) == saved(packed.page(), "JPEG", quality=90, dpi=(200, 200))


def test_an_image_file_that_says_it_is_far_too_high_is_read(desk: Desk) -> None:
    jpeg = of_height(65_000)(saved(packed.page(), "JPEG", quality=90, dpi=(200, 200)))

    done = desk.process(file_of(desk, jpeg, "scan.jpg"))

    assert all(words in done.text for words in packed.WORDS)
    assert done.record["pages"][0]["height_px"] == packed.SIZE[1]


@pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
def test_half_a_jpeg_is_corrupt_even_if_somebody_closed_it(end: bytes, desk: Desk) -> None:
    jpeg = saved(packed.page(), "JPEG", quality=90, dpi=(200, 200))

    done = page_of(desk, jpeg[: len(jpeg) // 2] + end, "half.jpg")

    assert isinstance(done, Failure)
    assert done.code == "corrupt"


def test_of_a_jpeg_that_lacks_its_foot_the_rest_is_read_with_a_warning(desk: Desk) -> None:
    jpeg = saved(packed.page(), "JPEG", quality=90, dpi=(200, 200))

    done = page_of(desk, jpeg[: len(jpeg) * 95 // 100], "foot.jpg")

    assert isinstance(done, PageDone)
    assert "cut short" in " ".join(done.warnings)


def has_words(desk: Desk) -> bool:
    done = desk.process(desk.folder / "file.pdf")
    return all(words in done.text for words in packed.WORDS)


def _embedded(path: Path) -> bytes:
    with pikepdf.open(path) as written:
        images = [
            x for x in written.objects if isinstance(x, pikepdf.Stream) and x.get("/Subtype") == Name.Image
        ]
        (image,) = images
        return bytes(image.read_raw_bytes())
