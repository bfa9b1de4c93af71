"""Image files through Pillow: opened within limits, and each page as one grey bitmap, right side up, dark on light."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, ImageChops, ImageStat, UnidentifiedImageError

from ocr_worker.engines.images import (
    chunks,
    filters,
    jpeg_damage,
    jpeg_stream,
    samples,
    tiff,
    tiff_parts,
    torn,
    torn_tiff,
)
from ocr_worker.engines.images.complaints import heard
from ocr_worker.engines.images.cut_short import TORN_SHARE, flaws
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
from ocr_worker.errors import CorruptError, OcrError, TooLargeError, UnsupportedTypeError

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


CLEAR = "The picture is clear throughout: viewers show nothing of it, though there is something in it"
BEYOND = "The file holds more of a picture than it says it does: what viewers don't show of it was not read"
_ORIENTATION = 274
_COARSE = 8
_Right = jpeg_stream.Layout | chunks.Right | None
_RIGHT = "ocr_worker: right"
"""Where Pillow keeps what is known of a file: what was put right of it."""
_FIRST = "ocr_worker: first"
"""Why the first page of a TIFF can't be read, where others can."""
_FOREIGN = re.compile(
    r"unknown pixel mode|unknown data organization|cannot handle|unsupported|not supported|not available|not configured"
    r"|cannot determine|only supports|Inappropriate|^(?!2[57]\d$)\d+$",
    re.IGNORECASE,
)
"""How Pillow and its libraries say that they don't know a kind; a bare number is a TIFF's compression, or a tag that it lacks."""


@contextmanager
def opened(path: Path, kind: str, max_pixels: float) -> Iterator[Image.Image]:
    """Open as exactly this kind of image. Raises CorruptError, UnsupportedTypeError, TooLargeError.

    Sizes are checked before decoding.
    """
    # Our own limit is checked per call: Pillow's is global, and only warns up to twice its value.
    Image.MAX_IMAGE_PIXELS = None
    samples.teach_pillow()
    try:
        with path.open("rb") as stream, _open_right(stream, kind) as image:
            check_size(image, path, max_pixels)
            yield image
    except UnidentifiedImageError as error:
        raise CorruptError(
            f"{path.name} looks like {kind}, but can't be read as such; save it again"
        ) from error
    except BROKEN as error:
        if kind == "tiff" and _is_unknown_to_pillow(path):
            raise _unsupported(path) from error
        if kind == "tiff" and _frames(path).breaks_off:
            raise CorruptError(f"{path.name} is damaged or cut short; save or scan it again") from error
        if kind == "jpeg" and jpeg_stream.is_unknown(path.read_bytes()):
            raise _unsupported(path) from error
        raise refusal(error, path) from error


def _open_right(stream: BinaryIO, kind: str) -> Image.Image:
    right = _put_right(stream, kind)
    try:
        image = _open(_source(stream, right), _FORMATS[kind])
    except BROKEN as error:
        stream.seek(0)
        rest = tiff.with_first_put_by(stream.read()) if kind == "tiff" else None
        if rest is None:
            raise
        image = _open(io.BytesIO(rest), _FORMATS[kind])
        image.info[_FIRST] = error
    image.info[_RIGHT] = right
    return image


def _is_unknown_to_pillow(path: Path) -> bool:
    """Whether it is a BigTIFF whose high bytes come first, which it takes for a plain one."""
    with path.open("rb") as stream:
        return stream.read(4) == b"MM\0+"


def _put_right(stream: BinaryIO, kind: str) -> _Right:
    """The picture as every viewer takes it; None where it is that already, or is left to Pillow."""
    if kind not in ("jpeg", "png", "webp"):
        return None
    content = stream.read()
    stream.seek(0)
    match kind:
        case "jpeg":
            return None if jpeg_stream.is_foreign(content) else jpeg_stream.put_right(content)
        case "png":
            return chunks.png(content)
        case _:
            return chunks.webp(content)


def _source(stream: BinaryIO, right: _Right) -> BinaryIO:
    match right:
        case jpeg_stream.Layout():
            return io.BytesIO(right.whole())
        case chunks.Right():
            return io.BytesIO(right.content)
        case None:
            return stream


def _open(source: BinaryIO, kind: str) -> Image.Image:
    try:
        return Image.open(source, formats=[kind])
    except UnidentifiedImageError:
        # Pillow keeps the reason to itself.
        source.seek(0)
        Image.init()
        return Image.OPEN[kind][0](source, "")


def refusal(error: Exception | None, path: Path, complaints: Iterable[str] = ()) -> OcrError:
    """What it means that an image can't be opened or decoded."""
    causes = (error, error.__cause__, error.__context__) if error else ()
    if any(_FOREIGN.search(text) for text in (*map(str, filter(None, causes)), *complaints)):
        return _unsupported(path)
    return CorruptError(f"{path.name} is damaged or cut short; save or scan it again")


def _unsupported(path: Path) -> UnsupportedTypeError:
    return UnsupportedTypeError(
        f"{path.name} is of a kind that can't be read here; save it as PNG, or print it to a PDF"
    )


def count_pages(image: Image.Image, path: Path) -> int:
    """Of a TIFF, pictures that are pages; animations count as one. Raises TooLargeError for too many."""
    return len(_frames(path).pages) if image.format == "TIFF" else 1


def breaks_off(image: Image.Image, path: Path) -> bool:
    """Whether a TIFF ends before its last picture."""
    return image.format == "TIFF" and _frames(path).breaks_off


def _frames(path: Path) -> tiff.Frames:
    with path.open("rb") as stream:
        return tiff.frames(stream)


def check_size(image: Image.Image, path: Path, max_pixels: float) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise CorruptError(f"{path.name} says it is {width} x {height} pixels; save it again")
    if width * height > max_pixels:
        raise TooLargeError(
            f"{path.name} has {width} x {height} pixels; at most {max_pixels:,} are allowed (`max_pixels`)"
        )


def select_page(image: Image.Image, path: Path, page: int, max_pixels: float) -> None:
    if image.format != "TIFF":
        return
    frames = _frames(path).pages
    if page > len(frames):
        raise CorruptError(f"{path.name} has no page {page}; save it again")
    if not frames[page - 1] and (error := image.info.get(_FIRST)):
        raise refusal(error, path)
    if frames[page - 1]:
        image.seek(frames[page - 1])
        check_size(image, path, max_pixels)
    samples.mend_tiles(image)


def read_grey(image: Image.Image, path: Path) -> GreyImage:
    """Decode the selected frame as it is to be recognised. Raises CorruptError, UnsupportedTypeError."""
    shown_as = _shown_as(image)
    if is_jpeg(image) and image.mode == "RGB":
        # The decoder then skips the colours, and gives the very luma that converting would.
        image.draft("L", image.size)
    decoded = decode(image, path)
    said = (*decoded.flaws, CLEAR) if _hides_all(decoded.picture) else decoded.flaws
    return shown_as(to_grey(decoded.picture), said)


def read_telling_colour(image: Image.Image, path: Path) -> GreyImage | None:
    """The frame in the one of its colours that shows what its grey does not; None of most."""
    if image.mode in ("1", "L", "LA") or is_deep(image) or image.mode in _UNREADABLE:
        return None
    shown_as = _shown_as(image)
    decoded = decode(image, path)
    colour = filters.telling_colour(without_alpha(decoded.picture).convert("RGB"))
    return None if colour is None else shown_as(colour, decoded.flaws)


def _shown_as(image: Image.Image) -> Callable[[Image.Image, tuple[str, ...]], GreyImage]:
    """Makes of its decoded greys, and what is wrong with them, what is displayed; asked for before it is decoded."""
    (across, down), estimated = resolution(image)
    orientation = exif_orientation(image)

    def made(greys: Image.Image, flaws: tuple[str, ...]) -> GreyImage:
        picture = turn_by_exif(greys, orientation)
        return GreyImage(picture, across, estimated, down if down != across else None, flaws)

    return made


def _hides_all(image: Image.Image) -> bool:
    """Whether it is clear throughout, and has something in it that is not shown."""
    if not _is_clear(image):
        return False
    low, high = filters.grey_range(image.convert("L"))
    return high > low and not _is_all_clear(image)


@dataclass(frozen=True, slots=True)
class Decoded:
    picture: Image.Image
    """The frame that was selected; of a torn file another one, in which paper stands for what is missing."""
    flaws: tuple[str, ...]
    """What is to be said of it."""


def decode(image: Image.Image, path: Path) -> Decoded:
    """Load the selected frame. Raises CorruptError, UnsupportedTypeError."""
    if image.format == "TIFF":
        image, share, said = _decode_tiff(image, path)
    else:
        beyond = (BEYOND,) if torn.holds_more(image, path.stat().st_size) else ()
        image = _loaded(image, path)
        share, is_damaged = _held(image.info.get(_RIGHT))
        said = (*flaws(share, is_damaged=is_damaged), *beyond)
    if share < TORN_SHARE:
        raise CorruptError(f"{path.name} is damaged or cut short; save or scan it again")
    return Decoded(image, flaws(share) or said)


def _loaded(image: Image.Image, path: Path) -> Image.Image:
    failed: Exception | None = None
    try:
        image.load()
        right = image.info.get(_RIGHT)
        is_filled = isinstance(right, chunks.Right) and right.is_filled
        if not is_filled and not torn.may_lack_its_foot(image):
            return image
    except BROKEN as error:
        failed = error
    right = torn.completed(image, path.read_bytes())
    if right is not None:
        image = Image.open(io.BytesIO(right.content), formats=["PNG", "GIF", "BMP", "PPM", "WEBP"])
        image.info[_RIGHT] = right
        # What is still wrong with it is to be heard here.
        image.load()
    elif failed is not None:
        # What it means is told by whoever opened the file.
        raise failed
    return image


def _held(right: _Right) -> tuple[float, bool]:
    """How much of the picture is there, and whether that is damaged."""
    match right:
        case jpeg_stream.Layout():
            return jpeg_damage.look(right)
        case chunks.Right():
            return right.share, right.is_damaged
        case None:
            return 1.0, False


def _decode_tiff(image: Image.Image, path: Path) -> tuple[Image.Image, float, tuple[str, ...]]:
    """With the share of it that is there."""
    number, tags, share = image.tell(), getattr(image, "tag_v2", {}), tiff_parts.share(image, path)
    if tiff.is_old_jpeg(tags) and (picture := _old_jpeg(tags, path)) is not None:
        return picture, 1.0, ()
    error, lines = _loaded_heard(image)
    # What libtiff fills a fax or a JPEG up with may be black, or lie in the file in spite of what that says.
    if error is None and not (share < 1 and (tiff_parts.is_fax(tags) or tiff.is_jpeg(tags))):
        if share >= 1 and _has_damaged_jpeg(tags, path):
            return image, share, flaws(share, is_damaged=True)
        said = [
            f"The picture is damaged, and its decoder says so: {line}" for line in tiff.of_pictures(lines)
        ]
        return image, share, (*said[:1], *_beyond(tags, path))
    right = torn_tiff.completed(tags, number, path.read_bytes())
    if right is None and error is None:
        return image, share, ()
    if right is not None:
        image = Image.open(io.BytesIO(right.content), formats=["TIFF"])
        image.seek(number)
        samples.mend_tiles(image)
        error, lines = _loaded_heard(image)
    if right is None or error is not None:
        raise refusal(error, path, lines) from error
    return image, right.share, ()


def _old_jpeg(tags: Any, path: Path) -> Image.Image | None:
    """Decoded, and turned as libtiff turns others."""
    content = tiff.old_jpeg(tags, path.read_bytes())
    if content is None:
        return None
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
        picture.load()
        return turn_by_exif(picture, tags.get(_ORIENTATION, 1))


def _beyond(tags: Any, path: Path) -> tuple[str, ...]:
    with path.open("rb") as stream:
        return (BEYOND,) if tiff_parts.holds_more(tags, stream) else ()


def _has_damaged_jpeg(tags: Any, path: Path) -> bool:
    with path.open("rb") as stream:
        found = map(jpeg_stream.layout, tiff.jpegs(tags, stream))
    return any(one is not None and jpeg_damage.is_damaged(one) for one in found)


def _loaded_heard(image: Image.Image) -> tuple[Exception | None, list[str]]:
    """What became of it, and what its decoder said."""
    with heard() as lines:
        try:
            image.load()
            error = None
        except BROKEN as broken:
            error = broken
    return error, lines


def to_grey(image: Image.Image) -> Image.Image:
    """8-bit grey: 16 bits are scaled, transparency lies on white, or on black when the text itself is white."""
    if image.mode in _UNREADABLE:
        raise UnsupportedTypeError(f"its colours are {image.mode}; save it in grey or RGB")
    if is_deep(image):
        return samples.to_8_bits(image)
    if image.mode == "CMYK":
        return _true_inks(image).convert("RGB").convert("L")
    if _is_all_clear(image):
        return image.convert("RGB").convert("L")
    if has_alpha(image):
        return _flatten(image.convert("LA" if image.mode in ("1", "L", "LA", "La") else "RGBA"))
    return image if image.mode == "L" else image.convert("L")


def _true_inks(image: Image.Image) -> Image.Image:
    """Pillow takes each CMYK JPEG for one of Adobe's, which are inverted."""
    return ImageChops.invert(image) if _is_plain_cmyk(image) else image


def _is_plain_cmyk(image: Image.Image) -> bool:
    """Whether a JPEG of four inks, without Adobe's mark, is not inverted: paper is light in whichever way it is meant."""
    if not is_jpeg(image) or image.mode != "CMYK" or "adobe" in image.info:
        return False
    small = image.reduce(_COARSE) if min(image.size) >= _COARSE else image
    light, other = (
        ImageStat.Stat(one.convert("RGB").convert("L")).mean[0] for one in (small, ImageChops.invert(small))
    )
    return other >= light


def has_unmarked_inversion(image: Image.Image, path: Path) -> bool:
    """Whether a JPEG has inverted inks and does not say so: browsers know it, readers of PDFs don't."""
    if not is_jpeg(image) or image.mode != "CMYK" or "adobe" in image.info:
        return False
    return not _is_plain_cmyk(decode(image, path).picture)


def backdrop_is_dark(image: Image.Image) -> bool:
    """Whether what shows of a transparent picture is so light that it was made for a dark ground."""
    alpha = image.getchannel("A")
    clear = alpha.histogram()
    seen = image.convert("L").histogram(alpha.point(lambda a: 255 if a > 127 else 0).convert("1"))
    return sum(clear[:128]) > 0 and sum(seen) > 0 and sum(seen[200:]) > 0.9 * sum(seen)


def _is_all_clear(image: Image.Image) -> bool:
    """Of a TIFF or BMP: programs leave the fourth channel empty, and viewers pass over it."""
    return image.format in ("TIFF", "BMP") and image.mode == "RGBA" and _is_clear(image)


def _is_clear(image: Image.Image) -> bool:
    return image.mode in ("LA", "RGBA") and image.getchannel("A").getextrema() == (0, 0)


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
    if _is_all_clear(image):
        return image.convert("RGB")
    clear = image.convert("RGBA")
    ground = Image.new("RGB", image.size, "black" if backdrop_is_dark(clear) else "white")
    ground.paste(clear, mask=clear.getchannel("A"))
    return ground
