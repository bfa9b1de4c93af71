"""The luma of JPEGs that lie in a PDF. Viewers fill up what is missing and say nothing."""

from __future__ import annotations

import io

from PIL import Image

from ocr_worker.engines.images import headers, jpeg_damage, jpeg_stream
from ocr_worker.engines.images.cut_short import TORN_SHARE, flaws
from ocr_worker.errors import CorruptError


def luma(content: bytes, colours: int, size: tuple[int, int]) -> tuple[Image.Image, tuple[str, ...]] | None:
    """The JPEG in 8-bit grey, and what is wrong with it; None if it is not of this size, or of so many colours.

    Raises CorruptError when it can't be decoded, or too little of it.
    """
    if jpeg_stream.is_foreign(content):
        # Looked through with the page's other pictures, and drawn.
        return None
    try:
        right = jpeg_stream.put_right(content, size)
        if right is None:
            raise ValueError("no JPEG")
        with _opened(right.whole()) as picture:
            fits = picture.size == size and len(picture.getbands()) == colours
            if not fits:
                return None
            is_grey, decoded = picture.mode == "L", _decoded(picture)
            share, is_damaged = jpeg_damage.look(right, decoded if is_grey else None)
            if share < TORN_SHARE:
                raise ValueError("not enough of a JPEG")
            return decoded, flaws(share, is_damaged=is_damaged)
    except headers.BROKEN as error:
        raise CorruptError(
            "its picture is damaged or cut short; get the file again, or scan it anew"
        ) from error


def _opened(content: bytes) -> Image.Image:
    # Sizes are checked here, call by call; Pillow's own limit is global.
    Image.MAX_IMAGE_PIXELS = None
    return Image.open(io.BytesIO(content), formats=["JPEG"])


def _decoded(picture: Image.Image) -> Image.Image:
    picture.draft("L", picture.size)
    if picture.mode != "L":
        return picture.convert("L")
    # Converting would copy it.
    picture.load()
    return picture
