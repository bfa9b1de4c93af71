"""A page that is one white image is known for empty from the image's stream alone; a single other pixel is seen."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import img2pdf
import pikepdf
import pytest
from PIL import Image

from ocr_worker.engines.images import filters
from ocr_worker.engines.pdf import pdfium, streams
from ocr_worker.engines.pdf.pdf_file import open_pdf
from ocr_worker.model.tasks import PageSettings
from ocr_worker.pages.blank import white_pictures
from ocr_worker.pages.rendering import load_sheet
from tests.pages.desk import Desk

ROWS_OF_EVERY_FILTER = bytes.fromhex("00ffffffff 01ff000000 0200000000 0380000000 0400000000")
TEXT = PageSettings(outputs=("txt",))
PNG_ROWS = pikepdf.Dictionary(Predictor=15, Colors=1, BitsPerComponent=8, Columns=4)


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
@pytest.mark.parametrize("width", [2480, 1001])
def test_a_white_scan_is_white(tmp_path: Path, mode: str, width: int) -> None:
    path = _scan(tmp_path, Image.new(mode, (width, 700), "white"))

    assert _is_white(path)


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
@pytest.mark.parametrize("place", [(0, 0), (1000, 699), (1000, 0), (500, 350)])
def test_one_black_dot_is_seen(tmp_path: Path, mode: str, place: tuple[int, int]) -> None:
    image = Image.new(mode, (1001, 700), "white")
    image.putpixel(place, 0 if mode != "RGB" else (0, 0, 0))

    assert not _is_white(_scan(tmp_path, image))


def test_the_faintest_other_grey_is_seen(tmp_path: Path) -> None:
    assert not _is_white(_scan(tmp_path, Image.new("L", (1000, 700), 254)))


def test_every_filter_of_a_png_is_undone(tmp_path: Path) -> None:
    path = _page(tmp_path, zlib.compress(ROWS_OF_EVERY_FILTER), DecodeParms=PNG_ROWS)

    assert _is_white(path)
    assert _drawn_range(path) == (255, 255)


def test_filtered_rows_that_are_no_white_are_not_taken_for_it(tmp_path: Path) -> None:
    for place in range(len(ROWS_OF_EVERY_FILTER)):
        rows = bytearray(ROWS_OF_EVERY_FILTER)
        rows[place] ^= 0x40

        assert not _is_white(_page(tmp_path, zlib.compress(bytes(rows)), DecodeParms=PNG_ROWS))


@pytest.mark.parametrize(
    "stream",
    [
        zlib.compress(b"\xff" * 20)[:-1],
        zlib.compress(b"\xff" * 20)[:-4] + b"\0\0\0\0",
        zlib.compress(b"\xff" * 19),
        zlib.compress(b"\xff" * 21),
        b"",
    ],
    ids=["cut short", "wrong checksum", "too little", "too much", "nothing"],
)
def test_a_stream_that_does_not_prove_itself_whole_is_not_white(tmp_path: Path, stream: bytes) -> None:
    assert _is_white(_page(tmp_path, zlib.compress(b"\xff" * 20)))

    assert not _is_white(_page(tmp_path, stream))


@pytest.mark.parametrize(
    "entries",
    [{"Decode": pikepdf.Array([1, 0])}, {"ColorSpace": pikepdf.Name.DeviceCMYK}, {"ImageMask": True}],
    ids=["inverted", "inks", "stencil"],
)
def test_samples_that_may_mean_something_else_are_not_white(
    tmp_path: Path, entries: dict[str, object]
) -> None:
    assert not _is_white(_page(tmp_path, zlib.compress(b"\xff" * 20), **entries))


def test_a_white_image_with_anything_beside_it_is_left_to_a_drawing(tmp_path: Path) -> None:
    white = _page(tmp_path, zlib.compress(b"\xff" * 20))
    state, line, note = (tmp_path / name for name in ("state.pdf", "line.pdf", "note.pdf"))
    with pikepdf.open(white) as pdf:
        pdf.pages[0].Resources.ExtGState = pikepdf.Dictionary(
            G=pikepdf.Dictionary(BM=pikepdf.Name.Difference)
        )
        pdf.save(state)
    with pikepdf.open(white) as pdf:
        pdf.pages[0].contents_add(b"0 0 m 50 50 l S")
        pdf.save(line)
    with pikepdf.open(white) as pdf:
        box = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Square, Rect=[5, 5, 50, 50])
        pdf.pages[0].Annots = pikepdf.Array([pdf.make_indirect(box)])
        pdf.save(note)

    assert [_is_white(path) for path in (white, state, line, note)] == [True, False, False, False]


def test_a_page_without_anything_is_white(tmp_path: Path) -> None:
    path = tmp_path / "empty.pdf"
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(path)

    assert _is_white(path)


def test_a_picture_larger_than_allowed_is_not_unpacked(tmp_path: Path) -> None:
    assert not _is_white(_scan(tmp_path, Image.new("1", (1000, 700), 1)), max_pixels=699_999)


def test_a_picture_that_is_too_rich_to_be_white_is_not_unpacked(tmp_path: Path) -> None:
    white = zlib.compress(b"\xff" * 20)
    padded = white + bytes(2000)

    assert not _is_white(_page(tmp_path, padded))


def test_a_white_picture_is_unpacked_once_and_a_grey_one_is_still_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[object] = []
    held = streams.held

    def noted(image: Any) -> streams.Held:
        measured.append(image)
        return held(image)

    monkeypatch.setattr(streams, "held", noted)

    white = Desk(tmp_path).process(_scan(tmp_path, Image.new("L", (1000, 700), 255)), TEXT)
    measured_of_white = len(measured)
    grey = Desk(tmp_path).process(_scan(tmp_path, Image.new("L", (1000, 700), 254)), TEXT)

    assert [one.pages[0].status for one in (white, grey)] == ["blank", "blank"]
    assert (measured_of_white, len(measured)) == (0, 1)


def _scan(folder: Path, image: Image.Image) -> Path:
    picture, path = io.BytesIO(), folder / "scan.pdf"
    image.save(picture, "PNG", dpi=(300, 300))
    path.write_bytes(img2pdf.convert(picture.getvalue()))
    return path


def _page(folder: Path, stream: bytes, **entries: object) -> Path:
    """A page filled by an image of 4 x 5 grey pixels, as this stream."""
    path = folder / "page.pdf"
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(100, 100))
        image = pikepdf.Stream(pdf, b"")
        image.write(stream, filter=pikepdf.Name.FlateDecode)
        fields = {
            "Width": 4,
            "Height": 5,
            "BitsPerComponent": 8,
            "ColorSpace": pikepdf.Name.DeviceGray,
        } | entries
        for name, value in fields.items():
            image[f"/{name}"] = value
        image.Subtype = pikepdf.Name.Image
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=image))
        page.Contents = pdf.make_stream(b"q 100 0 0 100 0 0 cm /I Do Q")
        pdf.save(path, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return path


def _is_white(path: Path, max_pixels: int = 1_000_000_000) -> bool:
    pdf = open_pdf(path, None)
    try:
        return white_pictures(pdf, load_sheet(pdf, 1), max_pixels) is not None
    finally:
        pdf.close()


def _drawn_range(path: Path) -> tuple[float, float]:
    pdf = open_pdf(path, None)
    try:
        return filters.grey_range(pdfium.render(load_sheet(pdf, 1).page, 300))
    finally:
        pdf.close()
