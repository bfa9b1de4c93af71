"""Image files as PDFs of their true size: JPEG and PNG streams go in as they are, all else losslessly packed."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import img2pdf
import pikepdf
from PIL import Image, ImageStat

from ocr_worker.engines.images import chunks, filters, headers, image_files, jpeg_stream, samples, tiff
from ocr_worker.engines.images.profiles import drop_foreign_profiles
from ocr_worker.errors import InternalError, OcrError

Points = tuple[float, float]
_TURNS_ONLY = {1, 3, 6, 8}
"""EXIF orientations that a page's /Rotate can express; the others mirror."""
_LYING = {6, 8}
_SAME = 3.0
"""Grey levels."""
_ORIENTING = {b"eXIf", b"tEXt", b"zTXt", b"iTXt"}
"""Chunks of a PNG that may hold one."""


def picture_pdf(path: Path, kind: str, sizes: Mapping[int, Points | None], max_pixels: int) -> pikepdf.Pdf:
    """A page for each page number in `sizes`, as large as displayed; None for one that could not be read.

    Raises CorruptError for a frame that was read before, and now can't be: its page must not be blank.
    """
    pdf = pikepdf.new()
    with image_files.opened(path, kind, max_pixels) as image:
        for number, points in sizes.items():
            try:
                image_files.select_page(image, path, number, max_pixels)
                page = _page(image, path, kind, points or headers.size_points(image))
            except (OcrError, *headers.BROKEN):
                if points:
                    raise
                # A frame that could not be read keeps its place, so that page numbers stay true.
                pdf.add_blank_page()
                continue
            with pikepdf.open(io.BytesIO(page)) as single:
                drop_foreign_profiles(single)
                pdf.pages.extend(single.pages)
    return pdf


def image_object(pdf: pikepdf.Pdf, picture: bytes) -> pikepdf.Object:
    """A PNG or JPEG as a stream of this PDF."""
    converted = img2pdf.convert(picture, engine=img2pdf.Engine.internal)
    with pikepdf.open(io.BytesIO(converted)) as single:
        (image,) = single.pages[0].resources.XObject.values()
        return pdf.copy_foreign(image)


def _page(image: Image.Image, path: Path, kind: str, points: Points) -> bytes:
    content = _own_stream(image, path, kind)
    if kind == "tiff" or not content:
        image = image_files.decode(image, path).picture
    if kind == "tiff":
        content = _checked(content, image)
    kept = bool(content)
    content = content or _packed(image)
    by_reader = kept and kind == "jpeg"
    turn = img2pdf.Rotation.ifvalid if by_reader else img2pdf.Rotation.none
    lies = by_reader and headers.exif_orientation(image) in _LYING
    try:
        converted: bytes = img2pdf.convert(
            content,
            layout_fun=_layout(points[::-1] if lies else points),
            rotation=turn,
            first_frame_only=True,
            engine=img2pdf.Engine.internal,
        )
    except (
        img2pdf.ImageOpenError,
        img2pdf.JpegColorspaceError,
        img2pdf.AlphaChannelError,
        *headers.BROKEN,
    ) as error:
        if not kept:
            raise InternalError(f"{path.name} can't be put into a PDF: {error}") from error
        picture = image if kind == "tiff" else image_files.decode(image, path).picture
        converted = img2pdf.convert(
            _packed(picture), layout_fun=_layout(points), rotation=img2pdf.Rotation.none
        )
    return converted


def _layout(points: Points) -> Callable[[int, int, object], tuple[float, float, float, float]]:
    return lambda _across, _down, _dpi: (*points, *points)


def _own_stream(image: Image.Image, path: Path, kind: str) -> bytes:
    """The file's own, where that can be embedded; else nothing."""
    if kind == "tiff":
        return tiff.packed_jpeg(image, path) or b""
    if kind not in ("jpeg", "png"):
        return b""
    content = path.read_bytes()
    if kind == "jpeg":
        right = jpeg_stream.put_right(content)
        content = right.whole() if right else b""
        if image_files.has_unmarked_inversion(image, path):
            return b""
    elif chunks.png(content) is not None:
        return b""
    return content if _is_kept(image, kind, content) else b""


def _checked(content: bytes, image: Image.Image) -> bytes:
    """If it looks like the picture that it was taken from; else nothing."""
    if not content:
        return b""
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as other:
        if other.size != image.size:
            return b""
        near = [ImageStat.Stat(one.convert("RGB").reduce(8)).mean for one in (other, image)]
    return content if all(abs(a - b) < _SAME for a, b in zip(*near, strict=True)) else b""


def _is_kept(image: Image.Image, kind: str, content: bytes) -> bool:
    """Whether the file's own stream can be embedded."""
    if kind == "jpeg":
        found = jpeg_stream.layout(content)
        plain = found is not None and found.is_plain
        return plain and headers.is_jpeg(image) and headers.exif_orientation(image) in _TURNS_ONLY
    chunks = _png_chunks(content) if kind == "png" else set()
    return (
        bool(chunks)
        # To ask a PNG for its orientation is to decode it, so only one that may have it is asked.
        and (chunks.isdisjoint(_ORIENTING) or headers.exif_orientation(image) == 1)
        and not (image.mode == "P" and "icc_profile" in image.info)
        and not headers.has_alpha(image)
        and headers.animation_frames(image) == 1
    )


def _png_chunks(content: bytes) -> set[bytes]:
    """Their kinds; none if one says falsely how long it is: Pillow forgives what img2pdf does not."""
    at, kinds = len(b"\x89PNG\r\n\x1a\n"), set()
    while at < len(content):
        kinds.add(content[at + 4 : at + 8])
        at += 12 + int.from_bytes(content[at : at + 4], "big")
    return kinds if at == len(content) else set()


def _packed(image: Image.Image) -> bytes:
    """One that is decoded."""
    orientation = headers.exif_orientation(image)
    if headers.is_deep(image) and not headers.has_alpha(image) and not samples.is_plain_16(image):
        # What the samples mean is told by the file, and no more by a picture made from it.
        picture = filters.turn_by_exif(image_files.to_grey(image), orientation)
    else:
        picture = filters.turn_by_exif(image_files.without_alpha(image), orientation)
    target = io.BytesIO()
    if picture.mode == "1":
        # A copy leaves the file's own tags behind, which may be such as can't be written.
        picture.copy().save(target, "TIFF", compression="group4")
    elif picture.mode == "CMYK":
        picture.copy().save(target, "TIFF")
    else:
        _save_png(_packable(picture), target)
    return target.getvalue()


def _save_png(picture: Image.Image, target: io.BytesIO) -> None:
    # A palette can't carry a colour profile into a PDF.
    profile = None if picture.mode == "P" else picture.info.get("icc_profile")
    try:
        picture.save(target, "PNG", compress_level=4, icc_profile=profile)
    except headers.BROKEN:
        # There are palettes that Pillow reads and can't write.
        target.seek(0)
        target.truncate()
        picture.convert("RGB").save(target, "PNG", compress_level=4)


def _packable(picture: Image.Image) -> Image.Image:
    """As a PNG can hold it."""
    if picture.mode in ("L", "RGB", "P", "I;16"):
        return picture
    return image_files.to_grey(picture) if headers.is_deep(picture) else picture.convert("RGB")
