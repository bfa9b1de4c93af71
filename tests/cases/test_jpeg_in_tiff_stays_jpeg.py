"""A TIFF that is packed as JPEG goes into the PDF as that JPEG: packed anew without loss it took three times the room (issue 12, item 6)."""

from __future__ import annotations

import io
from typing import Any

import pikepdf
import pypdfium2
import pytest
from pikepdf import Name
from PIL import Image, ImageChops, ImageFilter

from tests.cases.verdicts import file_of
from tests.faults.pictures import saved, sheet, undone
from tests.pages.desk import Desk

SIZE = 640, 416


def photo(mode: str) -> Image.Image:
    """Words on a ground of many colours, that only JPEG packs well."""
    noise = Image.effect_noise(SIZE, 40).filter(ImageFilter.GaussianBlur(1))
    ground = Image.merge("RGB", (noise, noise.rotate(180), noise.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    ground = ground.point(lambda value: min(255, value // 2 + 120))
    words = Image.new("L", SIZE, 255)
    words.paste(sheet(), (0, 100))
    ground.paste((20, 20, 60), mask=words.point(lambda value: 255 - value))
    return ground.convert(mode)


PACKINGS: dict[str, dict[str, Any]] = {
    "one-strip": {"strip_size": 1 << 30},
    "strips": {"strip_size": SIZE[0] * 3 * 64},
    "many-strips": {"strip_size": SIZE[0] * 3 * 16},
}


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("packing", PACKINGS)
def test_the_pdf_holds_the_jpeg_of_the_tiff(packing: str, mode: str, desk: Desk) -> None:
    picture = photo(mode)
    tiff = saved(picture, "TIFF", compression="jpeg", quality=85, dpi=(200, 200), **PACKINGS[packing])

    done = desk.process(file_of(desk, tiff, "photo.tif"))

    packing, packed = _image(done.outputs["pdf"])
    assert packing == "/DCTDecode"
    assert len(packed) < 1.1 * len(tiff)
    assert done.text.split() == ["Harvest", "moon"]
    _looks_alike(done.outputs["pdf"], tiff)


def test_colours_stored_as_rgb_stay_what_they_are(desk: Desk) -> None:
    """Only the TIFF says that its JPEG has no luma."""
    tiff = saved(photo("RGB"), "TIFF", compression="jpeg", dpi=(200, 200), tiffinfo={262: 2})

    _looks_alike(desk.process(file_of(desk, tiff, "photo.tif")).outputs["pdf"], tiff)


def test_one_that_lies_on_its_side_is_packed_upright(desk: Desk) -> None:
    lying = undone(photo("RGB"), 6)
    tiff = saved(lying, "TIFF", compression="jpeg", dpi=(200, 200), tiffinfo={0x0112: 6})

    done = desk.process(file_of(desk, tiff, "photo.tif"))

    assert done.text.split() == ["Harvest", "moon"]
    _looks_alike(done.outputs["pdf"], saved(photo("RGB"), "PNG"))


def _image(path: Any) -> tuple[Any, bytes]:
    """How the one picture of a PDF is packed, and the packed bytes."""
    with pikepdf.open(path) as written:
        (image,) = (
            x for x in written.objects if isinstance(x, pikepdf.Stream) and x.get("/Subtype") == Name.Image
        )
        packing = image.Filter[0] if isinstance(image.Filter, pikepdf.Array) else image.Filter
        return str(packing), image.read_raw_bytes()


def _looks_alike(pdf: Any, picture: bytes) -> None:
    document = pypdfium2.PdfDocument(pdf)
    shown = document[0].render(scale=200 / 72).to_pil().convert("RGB")
    document.close()
    with Image.open(io.BytesIO(picture)) as original:
        due = original.convert("RGB").resize(shown.size)
    difference = ImageChops.difference(shown, due).reduce(4)
    assert max(high for _, high in difference.getextrema()) < 40  # type: ignore[misc]
