"""Images for the table of inputs, drawn and, where no library writes them so, put together byte by byte."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageCms, ImageDraw, ImageFont

TEXT = "Harvest moon"
SIZE = 640, 200
_ORIENTATION = 0x0112


def sheet(
    text: str = TEXT, size: tuple[int, int] = SIZE, at: tuple[int, int] = (60, 60), height: int = 60
) -> Image.Image:
    """Black words on white, 8-bit grey."""
    picture = Image.new("L", size, 255)
    ImageDraw.Draw(picture).text(at, text, fill=0, font=ImageFont.load_default(height))
    return picture


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def png(text: str = TEXT) -> bytes:
    return saved(sheet(text), "PNG", dpi=(200, 200))


def jpeg(picture: Image.Image | None = None, **options: Any) -> bytes:
    return saved(picture or sheet(), "JPEG", quality=92, dpi=(200, 200), **options)


def turned_by_exif(orientation: int, kind: str = "JPEG") -> bytes:
    """Stored so that a viewer which obeys the orientation shows it upright."""
    return saved(undone(sheet(), orientation), kind, dpi=(200, 200), exif=_orienting(orientation))


def one_turned_frame() -> bytes:
    """A TIFF of three frames, of which the last lies on its side."""
    frames = [sheet("First"), sheet("Second"), undone(sheet("Third"), 6)]
    frames[2].encoderinfo = {"tiffinfo": {_ORIENTATION: 6}}
    return saved(frames[0], "TIFF", save_all=True, append_images=frames[1:], dpi=(200, 200))


def undone(upright: Image.Image, orientation: int) -> Image.Image:
    """The picture as it is stored under this orientation."""
    steps = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return upright.transpose(steps[orientation]) if orientation in steps else upright


def _orienting(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    return exif


def cmyk_jpeg() -> bytes:
    """Inverted, with Adobe's marker, as Photoshop and Pillow write it."""
    return jpeg(sheet().convert("RGB").convert("CMYK"))


def phone_photo() -> bytes:
    """A photo with its preview behind it (MPO), stored on its side."""
    exif, preview = _orienting(6), sheet().reduce(4)
    lying = undone(sheet(), 6)
    return saved(lying, "MPO", save_all=True, append_images=[preview], quality=92, dpi=(200, 200), exif=exif)


def plain_cmyk_jpeg() -> bytes:
    """Not inverted, and without Adobe's marker."""
    cyan, magenta, yellow, black = sheet().convert("RGB").convert("CMYK").split()
    inverted = Image.merge("CMYK", [band.point(lambda v: 255 - v) for band in (cyan, magenta, yellow, black)])
    content = jpeg(inverted)
    start = content.index(b"\xff\xee")
    return content[:start] + content[start + 2 + int.from_bytes(content[start + 2 : start + 4], "big") :]


def deep_png() -> bytes:
    """16 bits whose darkest value is above 255: clipped, all would be white."""
    return saved(
        sheet().convert("I").point(lambda v: v * 128 + 20_000).convert("I;16"), "PNG", dpi=(200, 200)
    )


def deep(kind: str, mode: str) -> bytes:
    """Samples of 16 or 32 bits, or numbers from 0 to 1."""
    if mode == "F":
        return saved(sheet().convert("F").point(lambda v: v * (1 / 255) + 0), kind, dpi=(200, 200))
    samples = sheet().convert("I").point(lambda v: v * 128 + 20_000)
    if mode == "I;16B":
        little = samples.convert("I;16").tobytes()
        big = bytes(byte for pair in zip(little[1::2], little[::2], strict=True) for byte in pair)
        return saved(Image.frombytes(mode, SIZE, big), kind, dpi=(200, 200))
    return saved(samples.convert(mode), kind, dpi=(200, 200))


def deep_clear_png() -> bytes:
    """16 bits, and one value of them is transparent."""
    content = deep_png()
    at = content.index(b"IDAT") - 4
    return content[:at] + _chunk(b"tRNS", struct.pack(">H", 65_535)) + content[at:]


def lab_tiff() -> bytes:
    grey = Image.new("L", SIZE, 128)
    return saved(Image.merge("LAB", (sheet(), grey, grey)), "TIFF", dpi=(200, 200))


def on_clear(text_value: int) -> bytes:
    """Words of one grey value on a transparent ground."""
    ink = sheet().point(lambda v: 255 - v)
    picture = Image.new("RGBA", SIZE, (text_value, text_value, text_value, 0))
    picture.putalpha(ink)
    return saved(picture, "PNG", dpi=(200, 200))


def clear_palette() -> bytes:
    picture = sheet().convert("RGB").quantize(8)
    return saved(picture, "PNG", transparency=picture.getpixel((0, 0)), dpi=(200, 200))


def white_on_black() -> bytes:
    return saved(sheet().point(lambda v: 255 - v), "PNG", dpi=(200, 200))


def animation(kind: str) -> bytes:
    more = [sheet(f"Frame {number}").convert("RGB") for number in (2, 3)]
    return saved(sheet().convert("RGB"), kind, save_all=True, append_images=more, duration=100)


def mixed_tiff() -> bytes:
    """Three frames: black and white at 200, grey at 300, colour at 100 dots per inch."""
    target = io.BytesIO()
    frames = [sheet("First").convert("1"), sheet("Second"), sheet("Third").convert("RGB")]
    for frame, dpi in zip(frames, (200, 300, 100), strict=True):
        frame.encoderinfo = {"dpi": (dpi, dpi)}
    frames[0].save(target, "TIFF", save_all=True, append_images=frames[1:], dpi=(200, 200))
    return target.getvalue()


def looping_tiff() -> bytes:
    """One directory, which names itself as the next."""
    content = bytearray(saved(sheet(), "TIFF"))
    start = struct.unpack_from("<I", content, 4)[0]
    count = struct.unpack_from("<H", content, start)[0]
    struct.pack_into("<I", content, start + 2 + 12 * count, start)
    return bytes(content)


def tiff_of_frames(count: int) -> bytes:
    """Frames of a pixel each, put together byte by byte: Pillow takes a minute to write so many."""
    tags = [
        (256, 3, 1),
        (257, 3, 1),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (278, 3, 1),
        (279, 4, 1),
    ]
    size = 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    starts = [12 + size * number for number in range(count)]
    frames = (struct.pack("<H", len(tags)) + entries + struct.pack("<I", after) for after in [*starts[1:], 0])
    return b"II*\0" + struct.pack("<I", starts[0]) + bytes(4) + b"".join(frames)


def junk_png() -> bytes:
    """Whole as a file, but of its pixels the lower ones are junk."""
    header = struct.pack(">IIBBBBB", *SIZE, 8, 0, 0, 0, 0)
    packed = zlib.compress(
        b"".join(b"\0" + sheet().tobytes()[n : n + SIZE[0]] for n in range(0, SIZE[0] * SIZE[1], SIZE[0]))
    )
    torn = packed[: len(packed) * 3 // 4] + b"\xff" * (len(packed) // 4)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", torn) + _chunk(b"IEND", b"")


def huge_png(width: int, height: int) -> bytes:
    """A header that promises more pixels than there are."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + _chunk(b"IEND", b"")
    )


def long_strip() -> bytes:
    """Longer than Tesseract takes; its words stand near the far end."""
    return saved(sheet(size=(40_000, 200), at=(39_000, 60)), "PNG", dpi=(200, 200))


def with_resolution(dpi: float | None) -> bytes:
    return saved(sheet(), "JPEG") if dpi is None else saved(sheet(), "TIFF", dpi=(dpi, dpi))


def fax(orientation: int = 1) -> bytes:
    """A coarse fax, half as fine down as across, as it is stored under this orientation."""
    page = (
        sheet()
        .convert("RGB")
        .resize((SIZE[0], SIZE[1] // 2), Image.Resampling.BOX)
        .convert("1", dither=Image.Dither.NONE)
    )
    stored = undone(page, orientation)
    dpi = (200, 100) if stored.size == page.size else (100, 200)
    return saved(stored, "TIFF", compression="group4", dpi=dpi, tiffinfo={_ORIENTATION: orientation})


def oblong_jpeg(orientation: int = 1) -> bytes:
    """Half as fine across as down."""
    stored = undone(sheet().resize((SIZE[0] // 2, SIZE[1]), Image.Resampling.BOX), orientation)
    dpi = (100, 200) if orientation == 1 else (200, 100)
    return saved(stored, "JPEG", quality=92, dpi=dpi, exif=_orienting(orientation))


def with_bad_profile() -> bytes:
    return jpeg(
        sheet().convert("RGB"),
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()[:200],
    )


def blank(size: tuple[int, int] = SIZE) -> bytes:
    return saved(Image.new("L", size, 255), "PNG", dpi=(200, 200))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
