"""JPEGs that lie in a PDF: their luma, and whether they are whole. Viewers fill up what is missing and say nothing."""

from __future__ import annotations

import io

from PIL import Image

from ocr_worker.engines.images import headers
from ocr_worker.errors import CorruptError

_START = b"\xff\xd8"
_SMALLER = 8
"""A drawing so much smaller takes all of the JPEG's bits, but little time."""


def luma(content: bytes, colours: int, size: tuple[int, int]) -> Image.Image | None:
    """The JPEG in 8-bit grey; None if it is not of this size, or of so many colours. Raises CorruptError when it is damaged or cut short."""
    try:
        with _opened(content) as picture:
            fits = picture.size == size and len(picture.getbands()) == colours
            return _decoded(picture, 1) if fits else None
    except headers.BROKEN as error:
        raise CorruptError(
            "its picture is damaged or cut short; get the file again, or scan it anew"
        ) from error


def is_whole(content: bytes, most_pixels: int) -> bool:
    """Whether it can be decoded to its last row; True also if it is larger than it may be, as nobody will decode it."""
    try:
        # As PDFium does: what comes before the start is passed over.
        with _opened(content[max(0, content.find(_START)) :]) as picture:
            return picture.width * picture.height > most_pixels or bool(_decoded(picture, _SMALLER))
    except headers.BROKEN:
        return False


def _opened(content: bytes) -> Image.Image:
    # Sizes are checked here, call by call; Pillow's own limit is global.
    Image.MAX_IMAGE_PIXELS = None
    return Image.open(io.BytesIO(content), formats=["JPEG"])


def _decoded(picture: Image.Image, smaller: int) -> Image.Image:
    picture.draft("L", (max(1, picture.width // smaller), max(1, picture.height // smaller)))
    if picture.mode != "L":
        return picture.convert("L")
    # Converting would copy it.
    picture.load()
    return picture
