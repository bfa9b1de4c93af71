"""Image files through Pillow: opened within limits, and each page as one grey bitmap, right side up, dark on light."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageChops, UnidentifiedImageError

from ocr_worker.engines.images import samples
from ocr_worker.engines.images.filters import turn_by_exif
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.images.headers import (
    BROKEN,
    exif_orientation,
    has_alpha,
    is_deep,
    is_jpeg,
    resolution,
)
from ocr_worker.errors import CorruptError, TooLargeError, UnsupportedTypeError

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


@contextmanager
def opened(path: Path, kind: str, max_pixels: float) -> Iterator[Image.Image]:
    """Open as exactly this kind of image. Raises CorruptError, TooLargeError: sizes are checked before decoding."""
    # Our own limit is checked per call: Pillow's is global, and only warns up to twice its value.
    Image.MAX_IMAGE_PIXELS = None
    samples.teach_pillow()
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


def select_frame(image: Image.Image, path: Path, page: int, max_pixels: float) -> None:
    if page > 1:
        image.seek(page - 1)
        check_size(image, path, max_pixels)
    samples.mend_planes(image)


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
        return samples.to_8_bits(image)
    if image.mode == "CMYK":
        return _true_inks(image).convert("RGB").convert("L")
    if has_alpha(image):
        return _flatten(image.convert("LA" if image.mode in ("1", "L", "LA", "La") else "RGBA"))
    return image if image.mode == "L" else image.convert("L")


def _true_inks(image: Image.Image) -> Image.Image:
    """Pillow takes each CMYK JPEG for one of Adobe's, which are inverted; one without Adobe's marker is not."""
    inverted = is_jpeg(image) and "adobe" not in image.info
    return ImageChops.invert(image) if inverted else image


def backdrop_is_dark(image: Image.Image) -> bool:
    """Whether what shows of a transparent picture is so light that it was made for a dark ground."""
    alpha = image.getchannel("A")
    clear = alpha.histogram()
    seen = image.convert("L").histogram(alpha.point(lambda a: 255 if a > 127 else 0).convert("1"))
    return sum(clear[:128]) > 0 and sum(seen) > 0 and sum(seen[200:]) > 0.9 * sum(seen)


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
