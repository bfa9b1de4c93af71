"""Colour profiles that came into a PDF with a picture: one for other colours than the picture's turns it black in some viewers."""

from __future__ import annotations

from typing import Any

import pikepdf
from pikepdf import Array, Name

_SPACES = {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4}
_DEVICES = {1: Name.DeviceGray, 3: Name.DeviceRGB, 4: Name.DeviceCMYK}
_KINDS = {b"scnr", b"mntr", b"prtr", b"spac"}
_HEADER_BYTES = 128


def drop_foreign_profiles(pdf: pikepdf.Pdf) -> None:
    """Leave the plain colours of a picture whose profile is broken, or is one for others."""
    for image in pdf.objects:
        if isinstance(image, pikepdf.Stream) and image.get("/Subtype") == Name.Image:
            space = image.get("/ColorSpace")
            if (plain := _plain(space)) is not None:
                image.ColorSpace = plain
            elif isinstance(space, Array) and len(space) == 4 and (plain := _plain(space[1])) is not None:
                # A palette of such colours.
                space[1] = plain


def _plain(space: Any) -> Any:
    """What stands in for the space; None where it may stay."""
    if not isinstance(space, Array) or len(space) != 2 or space[0] != Name.ICCBased:
        return None
    colours = int(space[1].get("/N", 0))
    return None if _fits(space[1], colours) else _DEVICES.get(colours)


def _fits(profile: Any, colours: int) -> bool:
    try:
        content: bytes = profile.read_bytes()
    except (pikepdf.PdfError, RuntimeError):
        return False
    is_profile = len(content) > _HEADER_BYTES and content[36:40] == b"acsp" and content[12:16] in _KINDS
    return is_profile and _SPACES.get(content[16:20]) == colours
