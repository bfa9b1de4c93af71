"""Image files through Pillow: how many pages they have, and each page as one grey bitmap, right side up, dark on light."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageFilter, ImageOps, UnidentifiedImageError

from ocr_worker.engines.grey import GreyImage
from ocr_worker.errors import CorruptError, TooLargeError, UnsupportedTypeError

FAINTEST_INK = 40
"""Grey levels: less contrast than this is not stretched to black, as it may be noise."""
MAX_FRAMES = 10_000
"""To find a frame takes a walk along all before it."""
LONGEST_SIDE_PX = 32_767
"""The most that Tesseract takes."""
SANE_DPI = (70.0, 2400.0)
MOST_STRETCHED = 4.5
"""Of any pixel: a coarse fax has 204 by 98 dots an inch, a fine one 204 by 391."""
MOST_STRETCHED_PIXELS = 64_000_000
SQUARE_ENOUGH = 1.02
_GOOD_QUALITY = 90
_FIRST_LYING = 5
"""From this EXIF orientation on, rows are stored as columns."""
_FORMATS = {
    "png": "PNG",
    "jpeg": "JPEG",
    "tiff": "TIFF",
    "bmp": "BMP",
    "gif": "GIF",
    "webp": "WEBP",
    "pnm": "PPM",
}
_UNREADABLE = {"LAB"}
_A4_LONG_SIDE_INCHES = 11.69
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
)
"""What Pillow's readers raise on broken files. MemoryError stays what it is."""


@contextmanager
def opened(path: Path, kind: str, max_pixels: float) -> Iterator[Image.Image]:
    """Open as exactly this kind of image. Raises CorruptError, TooLargeError: sizes are checked before decoding."""
    # Our own limit is checked per call: Pillow's is global, and only warns up to twice its value.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with path.open("rb") as stream, Image.open(stream, formats=[_FORMATS[kind]]) as image:
            check_size(image, path, max_pixels)
            yield image
    except UnidentifiedImageError as error:
        raise CorruptError(
            f"{path.name} looks like {kind}, but can't be read as such; save it again"
        ) from error
    except BROKEN as error:
        raise CorruptError(f"{path.name} is damaged or cut short; save or scan it again") from error


def check_size(image: Image.Image, path: Path, max_pixels: float) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise CorruptError(f"{path.name} says it is {width} x {height} pixels; save it again")
    if width * height > max_pixels:
        raise TooLargeError(
            f"{path.name} has {width} x {height} pixels; at most {max_pixels:,} are allowed (max_pixels)"
        )


def count_frames(image: Image.Image) -> int:
    """Pages of the file: frames of a TIFF; animations count as one. Raises TooLargeError above MAX_FRAMES."""
    if image.format != "TIFF":
        return 1
    count = 0
    try:
        while count <= MAX_FRAMES:
            image.seek(count)
            count += 1
    except EOFError:
        image.seek(0)
        return count
    raise TooLargeError(f"The file has more than {MAX_FRAMES:,} frames; split it")


def is_animated(image: Image.Image) -> bool:
    return image.format not in ("TIFF", "MPO") and bool(getattr(image, "is_animated", False))


def is_jpeg(image: Image.Image) -> bool:
    """MPO is a JPEG with more of them behind it, as phones add a preview: the first one is the photo."""
    return image.format in ("JPEG", "MPO")


def select_frame(image: Image.Image, path: Path, page: int, max_pixels: float) -> None:
    if page > 1:
        image.seek(page - 1)
        check_size(image, path, max_pixels)


def read_grey(image: Image.Image) -> GreyImage:
    """Decode the selected frame as it is to be recognised."""
    (across, down), estimated = resolution(image)
    orientation = exif_orientation(image)
    if is_jpeg(image) and image.mode == "RGB":
        # The decoder then skips the colours, and gives the very luma that converting would.
        image.draft("L", image.size)
    image.load()
    picture = turn_by_exif(to_grey(image), orientation)
    return GreyImage(picture, across, estimated, down if down != across else None)


def to_grey(image: Image.Image) -> Image.Image:
    """8-bit grey: 16 bits are scaled, transparency lies on white, or on black when the text itself is white."""
    if image.mode in _UNREADABLE:
        raise UnsupportedTypeError(f"its colours are {image.mode}; save it in grey or RGB")
    if is_deep(image):
        return _scale_to_8_bits(image)
    if image.mode == "CMYK":
        return _true_inks(image).convert("RGB").convert("L")
    if has_alpha(image):
        return _flatten(image.convert("LA" if image.mode in ("1", "L", "LA", "La") else "RGBA"))
    return image if image.mode == "L" else image.convert("L")


def _true_inks(image: Image.Image) -> Image.Image:
    """Pillow takes each CMYK JPEG for one of Adobe's, which are inverted; one without Adobe's marker is not."""
    inverted = is_jpeg(image) and "adobe" not in image.info
    return ImageChops.invert(image) if inverted else image


def is_deep(image: Image.Image) -> bool:
    """Whether its samples have more than 8 bits: Pillow clips those, whatever it converts them to."""
    return image.mode.startswith("I") or image.mode == "F"


def has_alpha(image: Image.Image) -> bool:
    return image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info


def backdrop_is_dark(image: Image.Image) -> bool:
    """Whether what shows of a transparent picture is so light that it was made for a dark ground."""
    alpha = image.getchannel("A")
    clear = alpha.histogram()
    seen = image.convert("L").histogram(alpha.point(lambda a: 255 if a > 127 else 0).convert("1"))
    return sum(clear[:128]) > 0 and sum(seen) > 0 and sum(seen[200:]) > 0.9 * sum(seen)


def resolution(image: Image.Image) -> tuple[tuple[float, float], bool]:
    """Dots per inch across and down the page as displayed, and whether they are estimated. Ask before decoding.

    Without sane metadata a page counts as A4 on its long side.
    """
    if stated := _stated_dpi(image.info.get("dpi")):
        lies = stated[0] != stated[1] and _stored_orientation(image) >= _FIRST_LYING
        return (stated[::-1] if lies else stated), False
    dpi = float(min(600, max(150, round(max(image.size) / _A4_LONG_SIDE_INCHES))))
    return (dpi, dpi), True


def size_points(image: Image.Image) -> tuple[float, float]:
    """Of the page as displayed. Ask before decoding."""
    (across, down), _ = resolution(image)
    width, height = image.size[::-1] if exif_orientation(image) >= _FIRST_LYING else image.size
    return width * 72 / across, height * 72 / down


def turn_by_exif(picture: Image.Image, orientation: int) -> Image.Image:
    steps = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    return picture.transpose(steps[orientation]) if orientation in steps else picture


def exif_orientation(image: Image.Image) -> int:
    """How the decoded picture still has to be turned."""
    # Pillow turns a TIFF as it decodes it, and says its size as turned.
    return 1 if image.format == "TIFF" else _stored_orientation(image)


def _stored_orientation(image: Image.Image) -> int:
    if image.format == "PNG":
        # To ask it is to decode it. What is broken then is more than its EXIF, and would not be told a second time.
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


def _scale_to_8_bits(image: Image.Image) -> Image.Image:
    top = 65_535.0 if image.mode.startswith("I") else 1.0
    # Of 16 bits in an order that is not the machine's, Pillow knows no range.
    image = image.convert("F")
    lowest, highest = grey_range(image)
    low, high = min(0.0, lowest), max(highest, 255.0 if top > 1 and highest <= 255 else top)
    grey: Image.Image = image.point(lambda value: value * (255.0 / (high - low)) - low * 255.0 / (high - low))
    return grey.convert("L")


def _flatten(image: Image.Image) -> Image.Image:
    ground = Image.new("L", image.size, 0 if backdrop_is_dark(image) else 255)
    ground.paste(image.convert("L"), mask=image.getchannel("A"))
    return ground


def without_alpha(image: Image.Image) -> Image.Image:
    """The picture in its colours, on the ground that recognition gave it."""
    if not has_alpha(image):
        return image
    if is_deep(image):
        return to_grey(image)
    clear = image.convert("RGBA")
    ground = Image.new("RGB", image.size, "black" if backdrop_is_dark(clear) else "white")
    ground.paste(clear, mask=clear.getchannel("A"))
    return ground


def invert(picture: Image.Image) -> Image.Image:
    return ImageOps.invert(picture)


def grey_range(picture: Image.Image) -> tuple[float, float]:
    low, high = picture.getextrema()
    return float(low), float(high)  # type: ignore[arg-type]


def dark_share(picture: Image.Image) -> float:
    """How much of the picture is nearer to black, by a thumbnail of it."""
    small = picture.reduce(8) if min(picture.size) >= 64 else picture
    counts = small.histogram()
    return sum(counts[:128]) / max(1, sum(counts))


def turn(picture: Image.Image, clockwise: int) -> Image.Image:
    steps = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
    return picture.transpose(steps[clockwise]) if clockwise in steps else picture


def backdrop(picture: Image.Image) -> Image.Image:
    """The paper without the ink, a sixteenth of the size."""
    return picture.reduce(16).filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.GaussianBlur(2))


def unevenness(backdrop: Image.Image) -> int:
    """Grey levels between the darker and the lighter parts of the paper, a twentieth at each end left out."""
    return _level(backdrop, 0.95) - _level(backdrop, 0.05)


def flatten(picture: Image.Image, backdrop: Image.Image) -> Image.Image:
    """Ink on even white: how much darker each pixel is than the paper about it, stretched to full black."""
    ink = ImageChops.subtract(backdrop.resize(picture.size, Image.Resampling.BILINEAR), picture)
    black = max(FAINTEST_INK, _level(ink, 0.995))
    return ink.point([255 - min(255, round(level * 255 / black)) for level in range(256)])


def _level(picture: Image.Image, share: float) -> int:
    """The grey level that this share of the pixels does not exceed."""
    counts, wanted, seen = picture.histogram(), share * picture.width * picture.height, 0
    for level, count in enumerate(counts):
        seen += count
        if seen >= wanted:
            return level
    return 255


def shrink(picture: Image.Image, across: float, down: float) -> Image.Image:
    """Smaller by factors below 1. Bilinear: measured to blur noise away and letters not."""
    size = max(1, round(picture.width * across)), max(1, round(picture.height * down))
    return picture.resize(size, Image.Resampling.BILINEAR)


def straighten(picture: Image.Image, degrees: float) -> Image.Image:
    """Turn back a page that is skewed clockwise by so much, keeping its size."""
    return picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)


def remove_speckles(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.MedianFilter(3))


def packed(picture: Image.Image) -> bytes:
    """As PNG, or as a good JPEG where that takes less: pages of print lose nothing, and photos take no megabytes."""
    whole, close = io.BytesIO(), io.BytesIO()
    picture.save(whole, "PNG", compress_level=4)
    picture.save(close, "JPEG", quality=_GOOD_QUALITY, subsampling=0)
    return min(whole.getvalue(), close.getvalue(), key=len)


def squared(picture: Image.Image, across: float, down: float) -> Image.Image:
    """With pixels of the same size both ways: as fine as the finer of the two, if that costs no more than so many pixels."""
    if max(across, down) <= SQUARE_ENOUGH * min(across, down):
        return picture
    width, height = picture.width / across, picture.height / down
    finest = max(across, down)
    dpi = finest if width * height * finest**2 <= MOST_STRETCHED_PIXELS else min(across, down)
    size = max(1, round(width * dpi)), max(1, round(height * dpi))
    return picture.resize(size, Image.Resampling.BICUBIC)


def fit(picture: Image.Image) -> Image.Image:
    """Scale down what is longer than Tesseract takes."""
    longest = max(picture.size)
    if longest <= LONGEST_SIDE_PX:
        return picture
    width, height = (max(1, side * LONGEST_SIDE_PX // longest) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.BOX)
