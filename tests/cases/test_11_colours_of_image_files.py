"""The PDF of a picture looks like the picture in every viewer, whatever its samples mean and whatever its profile is for.

From darktable #18815, typst #3024, ImageMagick #2070 and OpenPDF #73.
"""

from __future__ import annotations

import math
import subprocess
import zlib
from array import array
from collections.abc import Callable
from pathlib import Path
from struct import pack

import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat

from ocr_worker.engines.images.image_files import CLEAR
from tests.cases.shown import LINES, sheet, words_of
from tests.pages.desk import Desk

SHEET = sheet(LINES[:2], (1000, 360)).point(lambda level: 20 + level * 230 // 255)
LEVELS = SHEET.tobytes()
INT, FLOAT, SIGNED = 1, 3, 2


def tiff(
    bits: int,
    planes: list[bytes],
    *,
    white: int = 1,
    kind: int = INT,
    big: bool = False,
    packed: bool = False,
    palette: list[int] | None = None,
) -> bytes:
    """Of one plane: grey, 0 being white or black (`white` 0 or 1). Of three: RGB, one plane after the other."""
    order, colours = ">" if big else "<", len(planes)
    strips = [zlib.compress(plane) for plane in planes] if packed else planes
    tags = {
        256: ("I", [SHEET.width]), 257: ("I", [SHEET.height]), 258: ("H", [bits] * colours),
        259: ("H", [8 if packed else 1]), 262: ("H", [2 if colours == 3 else white]), 277: ("H", [colours]),
        278: ("I", [SHEET.height]), 284: ("H", [2 if colours == 3 else 1]), 339: ("H", [kind] * colours),
    }  # fmt: skip
    if palette:
        tags[262], tags[320] = ("H", [3]), ("H", palette)
    starts = [8 + sum(map(len, strips[:number])) for number in range(colours)]
    tags[273], tags[279] = ("I", starts), ("I", list(map(len, strips)))
    directory = 8 + sum(map(len, strips))
    behind, entries, more = directory + 2 + 12 * len(tags) + 4, b"", b""
    for tag, (letter, values) in sorted(tags.items()):
        value = pack(f"{order}{len(values)}{letter}", *values)
        if len(value) > 4:
            value, more = pack(f"{order}I", behind + len(more)), more + value
        entries += pack(f"{order}HHI", tag, {"H": 3, "I": 4}[letter], len(values)) + value.ljust(4, b"\0")
    head = (b"MM\0*" if big else b"II*\0") + pack(f"{order}I", directory)
    return head + b"".join(strips) + pack(f"{order}H", len(tags)) + entries + bytes(4) + more


def samples(letter: str, change: Callable[[int], float], *, big: bool = False) -> bytes:
    values = array(letter, [change(level) if letter in "fd" else int(change(level)) for level in LEVELS])
    if big:
        values.byteswap()
    return values.tobytes()


TIFFS = {
    "16 bits, 0 is white": lambda: tiff(16, [samples("H", lambda level: 65_535 - 257 * level)], white=0),
    "16 bits, 0 is white, high byte first": lambda: tiff(
        16, [samples("H", lambda level: 65_535 - 257 * level, big=True)], white=0, big=True
    ),
    "16 bits with a sign": lambda: tiff(16, [samples("h", lambda level: 128 * level)], kind=SIGNED),
    "12 bits": lambda: tiff(12, [_twelve_bits()]),
    "32 bits without a sign": lambda: tiff(32, [samples("I", lambda level: 16_843_009 * level)]),
    "32 bits, high byte first": lambda: tiff(
        32, [samples("I", lambda level: 16_843_009 * level, big=True)], big=True
    ),
    "32 bits, 0 is white": lambda: tiff(
        32, [samples("I", lambda level: 16_843_009 * (255 - level))], white=0
    ),
    "32 bits with a sign, high byte first, packed": lambda: tiff(
        32, [samples("i", lambda level: 257 * level, big=True)], kind=SIGNED, big=True, packed=True
    ),
    "float, high byte first, packed": lambda: tiff(
        32, [samples("f", lambda level: level / 255, big=True)], kind=FLOAT, big=True, packed=True
    ),
    "float, 0 is white": lambda: tiff(32, [samples("f", lambda level: 1 - level / 255)], white=0, kind=FLOAT),
    "float with holes": lambda: tiff(32, [_with_holes(math.nan)], kind=FLOAT),
    "float with infinities": lambda: tiff(32, [_with_holes(math.inf)], kind=FLOAT),
    "a palette of 16 bits": lambda: tiff(8, [LEVELS], palette=[257 * level for level in range(256)] * 3),
    "a palette of 8 bits": lambda: tiff(8, [LEVELS], palette=list(range(256)) * 3),
    "planes of 8 bits": lambda: tiff(8, [LEVELS] * 3),
    "planes of 16 bits": lambda: tiff(16, [samples("H", lambda level: 257 * level)] * 3),
    "planes of 16 bits, high byte first": lambda: tiff(
        16, [samples("H", lambda level: 257 * level, big=True)] * 3, big=True
    ),
    "planes of 16 bits, packed": lambda: tiff(16, [samples("H", lambda level: 257 * level)] * 3, packed=True),
}


@pytest.mark.needs("pdftoppm")
@pytest.mark.parametrize("kind", TIFFS)
def test_a_tiff_looks_in_its_pdf_as_its_samples_mean(kind: str, desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    path.write_bytes(TIFFS[kind]())

    _assert_looks_alike(path, desk)


def _profile(space: str) -> bytes:
    if space == "broken":
        return b"no profile at all" * 20
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB" if space == "LAB" else "sRGB")).tobytes()
    return profile[:16] + b"GRAY" + profile[20:] if space == "GRAY" else profile


@pytest.mark.needs("pdftoppm")
@pytest.mark.parametrize("space", ["GRAY", "LAB", "broken", "sRGB"])
@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (mode, kind)
        for mode in ("RGB", "L", "CMYK")
        for kind in ("png", "jpg", "tif")
        if (mode, kind) != ("CMYK", "png")
    ],
)
def test_a_profile_that_is_for_other_colours_changes_none(
    mode: str, space: str, kind: str, desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / f"scan.{kind}"
    SHEET.convert(mode).save(path, icc_profile=_profile(space), dpi=(150, 150))

    _assert_looks_alike(path, desk)


def _assert_looks_alike(path: Path, desk: Desk) -> None:
    done = desk.process(path)

    pdf, drawn = done.outputs["pdf"], path.with_name("poppler")
    assert [line for line in done.text.splitlines() if line] == list(LINES[:2])
    subprocess.run(["pdftoppm", "-r", "72", "-gray", "-singlefile", pdf, drawn], check=True)
    in_pdfium = pypdfium2.PdfDocument(pdf)[0].render(scale=1).to_pil().convert("L")
    for picture in (in_pdfium, Image.open(drawn.with_suffix(".pgm"))):
        assert ImageStat.Stat(picture).mean[0] == pytest.approx(ImageStat.Stat(SHEET).mean[0], abs=5)


def _with_holes(hole: float) -> bytes:
    values = array("f", [level / 255 for level in LEVELS])
    for at in range(0, len(values), 5_000):
        values[at] = hole
    values[: SHEET.width] = array("f", [hole] * SHEET.width)
    return values.tobytes()


def _twelve_bits() -> bytes:
    pairs = zip(LEVELS[::2], LEVELS[1::2], strict=True)
    return b"".join(pack(">I", (16 * one) << 12 | 16 * other)[1:] for one, other in pairs)


@pytest.mark.parametrize("name", ["scan.png", "scan.jpg", "scan.pdf"])
def test_print_that_only_its_colour_tells_from_its_ground_is_read(
    name: str, desk: Desk, tmp_path: Path
) -> None:
    picture = ImageOps.colorize(sheet(), (200, 60, 60), (60, 130, 60))
    path = tmp_path / name
    picture.save(path, resolution=150, dpi=(150, 150))

    done = desk.process(path)

    greys = picture.convert("L").resize((62, 88)).getextrema()
    assert greys[1] - greys[0] <= 4  # type: ignore[operator]
    assert (done.pages[0].status, done.text.split()) == ("ok", words_of())


@pytest.mark.parametrize("is_inverted", [True, False])
def test_inks_of_a_jpeg_without_adobes_mark_are_those_that_leave_its_paper_light(
    desk: Desk, tmp_path: Path, *, is_inverted: bool
) -> None:
    """Browsers take them for inverted, readers of PDFs don't."""
    inks = SHEET.convert("CMYK")
    path = tmp_path / "inks.jpg"
    # Pillow inverts them as Adobe does.
    (inks if is_inverted else ImageChops.invert(inks)).save(path, quality=95, dpi=(150, 150))
    content = path.read_bytes()
    at = content.index(b"\xff\xee")
    path.write_bytes(content[:at] + content[at + 2 + int.from_bytes(content[at + 2 : at + 4], "big") :])

    done = desk.process(path)

    assert done.text.split() == words_of(LINES[:2])
    shown = pypdfium2.PdfDocument(done.outputs["pdf"])[0].render(scale=1).to_pil().convert("L")
    assert ImageStat.Stat(shown).mean[0] == pytest.approx(ImageStat.Stat(SHEET).mean[0], abs=5)


def test_a_page_of_one_colour_is_blank(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "green.png"
    Image.new("RGB", (1240, 1754), (60, 130, 60)).save(path, dpi=(150, 150))

    assert desk.process(path).pages[0].status == "blank"


def _bmp_with_empty_alpha(picture: Image.Image) -> bytes:
    """With a head that names a fourth channel, in which nothing is."""
    rows = Image.merge("RGBA", (*[picture] * 3, Image.new("L", picture.size, 0))).tobytes(
        "raw", "BGRA", 0, -1
    )
    head = pack("<IiiHHIIiiII", 108, *picture.size, 1, 32, 3, len(rows), 5906, 5906, 0, 0)
    masks = pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    start = 14 + 108
    return b"BM" + pack("<IHHI", start + len(rows), 0, 0, start) + head + masks + bytes(52) + rows


def test_an_empty_fourth_channel_of_a_bmp_hides_nothing(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "scan.bmp"
    path.write_bytes(_bmp_with_empty_alpha(sheet()))

    done = desk.process(path)

    assert (done.text.split(), done.pages[0].warnings) == (words_of(), ())


@pytest.mark.parametrize(("hidden", "told"), [(sheet(), (CLEAR,)), (Image.new("L", (600, 800), 255), ())])
def test_a_clear_picture_with_something_in_it_says_so(
    hidden: Image.Image, told: tuple[str, ...], desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "clear.png"
    Image.merge("LA", (hidden, Image.new("L", hidden.size, 0))).save(path, dpi=(150, 150))

    done = desk.process(path)

    assert (done.pages[0].status, done.pages[0].warnings) == ("blank", told)
