"""What an opened image file says of itself, before its frame is decoded: frames, kind of pixels, resolution, orientation."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from typing import Any

from PIL import Image

SANE_DPI = (70.0, 2400.0)
MOST_STRETCHED = 4.5
"""Of any pixel: a coarse fax has 204 by 98 dots an inch, a fine one 204 by 391."""
_FIRST_LYING = 5
"""From this EXIF orientation on, rows are stored as columns."""
_A4_LONG_SIDE_INCHES = 11.69
_FILLERS, _ROUNDED = (72, 96), 1
"""Dots an inch that cameras and web tools write without having measured any; in dots a centimetre, 71.1 and 96.5."""
_LARGEST_FILLED_INCHES = 17.0
"""The long side of the largest sheet of which such a resolution is believed: A3 and ledger paper."""
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    ZeroDivisionError,
    struct.error,
    zlib.error,
)
"""What Pillow's readers raise on broken files. MemoryError stays what it is."""


def animation_frames(image: Image.Image) -> int:
    """How many there are of a moving picture; 1 for any other, and for one whose later frames are torn."""
    if image.format in ("TIFF", "MPO"):
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except (*BROKEN, MemoryError):
        return 1
    finally:
        with suppress(*BROKEN):
            image.seek(0)


def is_jpeg(image: Image.Image) -> bool:
    """MPO is a JPEG with more of them behind it, as phones add a preview: the first one is the photo."""
    return image.format in ("JPEG", "MPO")


def is_deep(image: Image.Image) -> bool:
    """Whether its samples have more than 8 bits: Pillow clips those, whatever it converts them to."""
    return image.mode.startswith("I") or image.mode == "F"


def has_alpha(image: Image.Image) -> bool:
    return image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info


def resolution(image: Image.Image) -> tuple[tuple[float, float], bool]:
    """Dots per inch across and down the page as displayed, and whether they are estimated. Ask before decoding.

    Without sane metadata, and with a filler that would make a sheet of more than 17 inches, a page counts as A4 on its long side.
    """
    if (stated := _stated_dpi(image.info.get("dpi"))) and not is_filler(image, stated):
        lies = stated[0] != stated[1] and _stored_orientation(image) >= _FIRST_LYING
        return (stated[::-1] if lies else stated), False
    dpi = float(min(600, max(150, round(max(image.size) / _A4_LONG_SIDE_INCHES))))
    return (dpi, dpi), True


def is_filler(image: Image.Image, stated: tuple[float, float]) -> bool:
    """Whether a resolution was made up by what wrote the file."""
    fills = all(any(abs(dpi - filler) < _ROUNDED for filler in _FILLERS) for dpi in stated)
    return fills and max(image.size) > _LARGEST_FILLED_INCHES * min(stated)


def size_points(image: Image.Image) -> tuple[float, float]:
    """Of the page as displayed. Ask before decoding."""
    (across, down), _ = resolution(image)
    width, height = image.size[::-1] if exif_orientation(image) >= _FIRST_LYING else image.size
    return width * 72 / across, height * 72 / down


def exif_orientation(image: Image.Image) -> int:
    """How the decoded picture still has to be turned."""
    # Pillow turns a TIFF as it decodes it, and says its size as turned.
    return 1 if image.format == "TIFF" else _stored_orientation(image)


def _stored_orientation(image: Image.Image) -> int:
    if image.format == "PNG":
        # To ask it is to decode it, which whoever reads it has done: what is broken then is told there.
        with suppress(*BROKEN):
            image.load()
    # A broken EXIF block costs the orientation, not the page.
    try:
        return int(image.getexif().get(0x0112, 1))
    except BROKEN:
        return 1


def _stated_dpi(stated: Any) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in stated)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    low, high = SANE_DPI
    sane = low <= x <= high and low <= y <= high and max(x, y) <= MOST_STRETCHED * min(x, y)
    return (x, y) if sane else None
