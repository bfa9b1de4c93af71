"""Samples of more than 8 bits: what they mean, where Pillow does not tell or reads them wrongly; and as 8-bit grey."""

from __future__ import annotations

import sys
from itertools import product
from typing import Any

from PIL import Image, ImageChops, ImageMath, ImagePalette, TiffImagePlugin

from ocr_worker.engines.images.filters import grey_range
from ocr_worker.errors import UnsupportedTypeError

_BITS, _COMPRESSION, _PHOTOMETRIC, _FORMAT, _PALETTE = 258, 259, 262, 339, 320
_FAXES = {2, 3, 4}
_MIN_IS_WHITE, _UNSIGNED, _SIGNED = 0, 1, 2
_LARGEST = 3e38
"""Beyond lie infinities; what is no number is in no order with it."""
_PLANES = {"R", "G", "B", "A"}


_LEFT_OUT = {
    (b"MM", 0, _UNSIGNED, 16): ("I;16B", "I;16B"),
    (b"II", 0, _UNSIGNED, 32): ("I", "I;32N"),
    (b"MM", 0, _UNSIGNED, 32): ("I", "I;32B"),
    (b"MM", 1, _UNSIGNED, 32): ("I", "I;32B"),
    (b"II", 0, _SIGNED, 16): ("I", "I;16S"),
    (b"MM", 0, _SIGNED, 16): ("I", "I;16BS"),
    (b"II", 0, _SIGNED, 32): ("I", "I;32S"),
    (b"MM", 0, _SIGNED, 32): ("I", "I;32BS"),
}
"""Kinds of grey that Pillow's table lacks: by the order of bytes, what 0 is (0: white), whether there is a sign, and bits."""
_UNPACKED = {"I;16BS": "I;16NS", "I;32B": "I;32N", "I;32BS": "I;32NS", "F;32BF": "F;32NF"}
"""What libtiff unpacks is in the machine's order, and Pillow takes it for the file's."""


def teach_pillow() -> None:
    """What its table of TIFFs leaves out."""
    for (order, white, sign, bits), modes in _LEFT_OUT.items():
        TiffImagePlugin.OPEN_INFO.setdefault((order, white, (sign,), 1, (bits,), ()), modes)
    for order, alpha in product((b"II", b"MM"), (1, 2)):
        # What lies under the inks' alpha is shown, as other viewers do.
        TiffImagePlugin.OPEN_INFO.setdefault((order, 5, (1,), 1, (8,) * 5, (alpha,)), ("CMYK", "CMYKX"))


def mend_tiles(image: Image.Image) -> None:
    """Have the selected picture of a TIFF read as its samples lie. Call it before decoding.

    Raises UnsupportedTypeError for planes of 16 bits of other colours than RGB.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        image.tile = [_unpacked(tile) for tile in image.tile]
        if _PHOTOMETRIC not in image.tag_v2 and image.tag_v2.get(_COMPRESSION) not in _FAXES:
            image.tile = [_not_inverted(tile) for tile in image.tile]
        _mend_palette(image)
        if image.mode in ("RGB", "RGBA", "CMYK", "LA"):
            _mend_planes(image)


def _unpacked(tile: Any) -> Any:
    if tile.codec_name != "libtiff" or tile.args[0] not in _UNPACKED:
        return tile
    return tile._replace(args=(_UNPACKED[tile.args[0]], *tile.args[1:]))


def _not_inverted(tile: Any) -> Any:
    """Where nothing says what 0 is, Pillow takes it for white. Source: libtiff, `TIFFRGBAImageBegin`."""
    kind, args = ("", ()) if not tile.args else (tile.args[0], tile.args[1:])
    kind = kind if isinstance(tile.args, tuple) else tile.args
    name, _, order = str(kind).partition(";")
    if name not in ("1", "L"):
        return tile
    plain = f"{name};{order.replace('I', '')}".removesuffix(";")
    return tile._replace(args=(plain, *args) if isinstance(tile.args, tuple) else plain)


def _mend_palette(image: TiffImagePlugin.TiffImageFile) -> None:
    """Some programs write its colours in 8 bits where there are 16: all would be black. Source: libtiff, `checkcmap`."""
    colours = image.tag_v2.get(_PALETTE, ())
    if image.mode == "P" and colours and max(colours) < 256:
        image.palette = ImagePalette.raw("RGB;L", bytes(colours))


def _mend_planes(image: TiffImagePlugin.TiffImageFile) -> None:
    """Where colours lie one after the other in 16 bits, Pillow takes each byte for a sample."""
    planes = [_plane(tile) for tile in image.tile]
    if max(image.tag_v2.get(_BITS, (8,))) != 16 or "" in planes:
        return
    if not _PLANES.issuperset(planes) or image.mode == "LA":
        raise UnsupportedTypeError(
            f"its colours are {image.mode} in separate planes of 16 bits; save it in RGB, or with 8 bits"
        )
    order = ";16B" if image.tag_v2.prefix == b"MM" else ";16L"
    image.tile = [
        tile._replace(args=(plane + order, *(tile.args or ())[1:]))
        for plane, tile in zip(planes, image.tile, strict=True)
    ]


def _plane(tile: Any) -> str:
    """The one colour that this tile is of, stored as it is; none for others."""
    colour = tile.args[0] if tile.codec_name == "raw" and isinstance(tile.args, tuple) else ""
    return colour if len(colour) == 1 else ""


def to_8_bits(image: Image.Image) -> Image.Image:
    """Grey, dark on light as it was meant. What is no number is paper."""
    if _is_unsigned_32(image):
        # Pillow takes the upper half for negative numbers; the highest byte alone is what is wanted.
        native = image.tobytes()
        grey = Image.frombytes("L", image.size, native[3::4] if sys.byteorder == "little" else native[::4])
        return ImageChops.invert(grey) if is_inverted(image) else grey
    # Of 16 bits in an order that is not the machine's, Pillow knows no range.
    plain = image.convert("F")
    known = ImageMath.lambda_eval(lambda given: abs(given["im"]) <= _LARGEST, im=plain).convert("L")
    holes = known.point(lambda value: 0 if value else 255)
    if holes.getbbox():
        plain.paste(0.0, mask=holes)
    grey = _scaled(plain, _top(image))
    grey = ImageChops.invert(grey) if is_inverted(image) else grey
    if holes.getbbox():
        grey.paste(255, mask=holes)
    return grey


def is_inverted(image: Image.Image) -> bool:
    """Whether 0 is white: Pillow turns that round for 8 bits and less."""
    return _tag(image, _PHOTOMETRIC, 1) == _MIN_IS_WHITE


def is_plain_16(image: Image.Image) -> bool:
    """Whether its samples can go into a PNG as they are."""
    return image.mode == "I;16" and not is_inverted(image) and _tag(image, _BITS, 16) == 16


def _scaled(image: Image.Image, top: float) -> Image.Image:
    lowest, highest = grey_range(image)
    low, high = min(0.0, lowest), max(highest, 255.0 if top > 1 and highest <= 255 else top)
    grey: Image.Image = image.point(lambda value: value * (255.0 / (high - low)) - low * 255.0 / (high - low))
    return grey.convert("L")


def _top(image: Image.Image) -> float:
    """What white is."""
    if image.mode == "F":
        return 1.0
    bits = _tag(image, _BITS, 16)
    signed = _tag(image, _FORMAT, _UNSIGNED) == _SIGNED
    # Numbers of 32 bits seldom use them: most come from programs that count to 65,535.
    return float((1 << min(bits, 16) - signed * (bits <= 16)) - 1)


def _is_unsigned_32(image: Image.Image) -> bool:
    return (
        image.mode == "I"
        and _tag(image, _BITS, 16) == 32
        and _tag(image, _FORMAT, _UNSIGNED) == _UNSIGNED
        and grey_range(image)[0] < 0
    )


def _tag(image: Image.Image, tag: int, usual: int) -> int:
    tags = getattr(image, "tag_v2", {})
    found = tags.get(tag, usual)
    return int(found[0] if isinstance(found, tuple) else found)
