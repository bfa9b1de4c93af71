"""Draws word boxes over a page's picture, for people who would rather look."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from PIL import Image, ImageDraw

from ocr_worker.engines.images import filters, headers, image_files
from ocr_worker.engines.pdf import pdfium
from ocr_worker.engines.pdf.pdf_file import open_pdf

Shape = tuple[tuple[int, int, int, int], "float | None"]
"""A box and the confidence of what is in it."""
_LONGEST_SIDE_PX = 2000
_SURE, _FAIR, _POOR, _OWN = (0, 140, 60), (215, 140, 0), (205, 20, 40), (40, 90, 200)


class Origin(Protocol):
    """Where a page comes from."""

    @property
    def place(self) -> str: ...

    @property
    def password(self) -> str | None: ...


def page_picture(source: Origin, kind: str, page: int, turned: int) -> Image.Image:
    """The upright page in colour, of a size to look at."""
    path = Path(source.place)
    picture = _pdf_picture(path, page, source.password) if kind == "pdf" else _image_picture(path, kind, page)
    picture = filters.turn(picture, turned)
    picture.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX))
    return picture


def draw_boxes(picture: Image.Image, shapes: Iterable[Shape], size: tuple[int, int]) -> Image.Image:
    """Outline boxes given in pixels of a page of `size`: green for sure, amber for fair, red for poor, blue for the file's own text."""
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    across, up = picture.width / max(1, size[0]), picture.height / max(1, size[1])
    for (left, top, right, bottom), confidence in shapes:
        box = (left * across - 1, top * up - 1, max(left, right) * across + 1, max(top, bottom) * up + 1)
        colour = _colour(confidence)
        pen.rectangle(box, fill=(*colour, 40), outline=(*colour, 255), width=2)
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def _colour(confidence: float | None) -> tuple[int, int, int]:
    if confidence is None:
        return _OWN
    return _SURE if confidence >= 85 else _FAIR if confidence >= 60 else _POOR


def _pdf_picture(source: Path, page: int, password: str | None) -> Image.Image:
    document = open_pdf(source, password)
    try:
        shown = pdfium.load_page(document.rendering, page)
        picture: Image.Image = shown.render(scale=_LONGEST_SIDE_PX / max(shown.get_size())).to_pil()
        return picture.convert("RGB")
    finally:
        document.close()


def _image_picture(source: Path, kind: str, page: int) -> Image.Image:
    with image_files.opened(source, kind, math.inf) as opened:
        image_files.select_page(opened, source, page, math.inf)
        image = image_files.decode(opened, source).picture
        picture = filters.turn_by_exif(image_files.without_alpha(image), headers.exif_orientation(image))
        grey = picture.mode.startswith("I") or picture.mode == "F"
        return (image_files.to_grey(picture) if grey else picture).convert("RGB")
