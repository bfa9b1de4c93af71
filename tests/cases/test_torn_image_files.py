"""Image files short of a few bytes or of a part: what is there is read, and told to be a part (issue 12)."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from PIL import Image, ImageChops, ImageStat

from ocr_worker.engines.images import image_files
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.errors import CorruptError, TooLargeError, UnsupportedTypeError
from tests.cases import packed, runs
from tests.cases.test_what_viewers_forgive import with_tag
from tests.cases.verdicts import failure_of, file_of
from tests.faults.pictures import saved
from tests.pages.desk import Desk

_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png_of(data: bytes, interlaced: int = 0) -> bytes:
    """Of these packed rows, each of its chunks sound."""
    header = struct.pack(">IIBBBBB", *packed.SIZE, 8, 0, 0, 0, interlaced)
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def interlaced_png() -> bytes:
    """Which Pillow does not write."""
    (width, height), pixels, raw = packed.SIZE, packed.page().tobytes(), b""
    for left, top, across, down in _ADAM7:
        rows = (pixels[y * width + left : (y + 1) * width : across] for y in range(top, height, down))
        raw += b"".join(b"\0" + row for row in rows)
    return png_of(zlib.compress(raw), interlaced=1)


def rows_of_png() -> bytes:
    (width, height), pixels = packed.SIZE, packed.page().tobytes()
    return b"".join(b"\0" + pixels[y * width : (y + 1) * width] for y in range(height))


def plain_pnm() -> bytes:
    (width, height), pixels = packed.SIZE, packed.page().tobytes()
    rows = (" ".join(map(str, pixels[y * width : (y + 1) * width])) for y in range(height))
    return f"P2\n# by hand\n{width} {height}\n255\n".encode("ascii") + "\n".join(rows).encode("ascii") + b"\n"


def colours() -> Image.Image:
    return packed.page().convert("RGB")


FILES: dict[str, Callable[[], bytes]] = {
    "grey.png": lambda: saved(packed.page(), "PNG"),
    "interlaced.png": interlaced_png,
    "palette.png": lambda: saved(colours().quantize(16), "PNG"),
    "bits.png": lambda: saved(packed.page().convert("1"), "PNG"),
    "clear.png": lambda: saved(packed.page().convert("LA"), "PNG"),
    "interlaced.gif": lambda: saved(packed.page(), "GIF"),
    "rows.gif": lambda: saved(packed.page(), "GIF", interlace=False),
    "grey.bmp": lambda: saved(packed.page(), "BMP"),
    "colours.bmp": lambda: saved(colours(), "BMP"),
    "bits.bmp": lambda: saved(packed.page().convert("1"), "BMP"),
    "palette.bmp": lambda: saved(colours().quantize(16), "BMP"),
    "runs.bmp": lambda: runs.bmp(packed.page()),
    "alone.bmp": lambda: runs.bmp(packed.page(), alone=True),
    "halved.bmp": lambda: runs.bmp(packed.page(), halved=True),
    "halved-alone.bmp": lambda: runs.bmp(packed.page(), halved=True, alone=True),
    "lossy.webp": lambda: saved(colours(), "WEBP", quality=80),
    "lossy-clear.webp": lambda: saved(packed.page().convert("RGBA"), "WEBP", quality=80),
    "lossless.webp": lambda: saved(colours(), "WEBP", lossless=True),
    "lossless-fast.webp": lambda: saved(colours(), "WEBP", lossless=True, method=0),
    "lossless-clear.webp": lambda: saved(packed.page().convert("RGBA"), "WEBP", lossless=True),
    "lossless-few.webp": lambda: saved(colours().quantize(16).convert("RGB"), "WEBP", lossless=True),
    "said.webp": lambda: saved(colours(), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"),
    "grey.pgm": lambda: saved(packed.page(), "PPM"),
    "colours.ppm": lambda: saved(colours(), "PPM"),
    "bits.pbm": lambda: saved(packed.page().convert("1"), "PPM"),
    "plain.pgm": plain_pnm,
}  # fmt: skip


def read(path: Path) -> GreyImage:
    kind = {"pgm": "pnm", "ppm": "pnm", "pbm": "pnm"}.get(path.suffix[1:], path.suffix[1:])
    with image_files.opened(path, kind, 10**9) as image:
        image_files.select_page(image, path, 1, 10**9)
        return image_files.read_grey(image, path)


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def unlike(one: Image.Image, other: Image.Image) -> float:
    return ImageStat.Stat(ImageChops.difference(one, other)).mean[0]


@pytest.mark.parametrize("name", FILES)
def test_of_a_file_that_lacks_its_end_the_rest_is_read_and_the_lack_is_told(
    name: str, tmp_path: Path
) -> None:
    content = FILES[name]()
    whole = read(written(tmp_path, name, content))

    torn = read(written(tmp_path, name, content[: int(len(content) * 0.97)]))

    assert whole.warnings == ()
    assert "cut short" in " ".join(torn.warnings)
    # What a BMP ends with is the picture's head.
    there = (0, 80, *packed.SIZE) if name.endswith(".bmp") else (0, 0, packed.SIZE[0], 600)
    assert unlike(torn.picture.crop(there), whole.picture.crop(there)) == 0
    gone = (0, 0, packed.SIZE[0], 12) if name.endswith(".bmp") else (0, 792, *packed.SIZE)
    paper = ImageStat.Stat(torn.picture.crop(gone)).mean[0]
    assert paper > 250 or name.startswith("interlaced")


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_which_half_is_gone_is_damaged(name: str, tmp_path: Path) -> None:
    content = FILES[name]()

    with pytest.raises(CorruptError):
        read(written(tmp_path, name, content[: len(content) // 2]))


@pytest.mark.parametrize("name", ["interlaced.png", "interlaced.gif"])
def test_rows_that_an_interlaced_file_lacks_are_like_those_above(name: str, tmp_path: Path) -> None:
    content = FILES[name]()
    torn = read(written(tmp_path, name, content[: int(len(content) * 0.97)])).picture

    foot = torn.crop((0, 770, *packed.SIZE))

    rows = [foot.crop((0, top, foot.width, top + 1)).tobytes() for top in range(foot.height)]
    assert rows[0::2] == rows[1::2]
    assert len(set(rows)) > 1


def test_runs_that_end_by_their_mark_before_the_last_row_are_whole(tmp_path: Path) -> None:
    content = runs.bmp(packed.page().crop((0, 100, *packed.SIZE)), rows=packed.SIZE[1])

    done = read(written(tmp_path, "early.bmp", content))

    assert (done.picture.size, done.warnings) == (packed.SIZE, ())
    assert done.picture.crop((0, 0, packed.SIZE[0], 100)).getextrema() == (255, 255)
    below = (0, 100, *packed.SIZE)
    assert unlike(done.picture.crop(below), packed.page().crop(below)) == 0


@pytest.mark.parametrize("fault", range(12))
def test_a_torn_lossless_webp_that_is_also_damaged_costs_no_more_than_itself(
    fault: int, tmp_path: Path
) -> None:
    content = bytearray(FILES["lossless.webp"]()[:-200])
    at = content.index(b"VP8L") + 9 + 2 * fault
    content[at : at + 3] = bytes([0xFF, 37 * fault % 256, 0x0F])

    with contextlib.suppress(CorruptError, UnsupportedTypeError, TooLargeError):
        assert "cut short" in " ".join(read(written(tmp_path, "odd.webp", bytes(content))).warnings)


def test_a_moving_webp_that_lacks_a_later_picture_is_read_without_a_word(tmp_path: Path) -> None:
    more = {"save_all": True, "append_images": [colours().rotate(180)]}
    content = saved(colours(), "WEBP", quality=80, **more)

    done = read(written(tmp_path, "moving.webp", content[: len(content) * 9 // 10]))

    assert (done.picture.size, done.warnings) == (packed.SIZE, ())


ENDS_EARLY: dict[str, Callable[[bytes], bytes]] = {
    "well": lambda raw: zlib.compress(raw[: len(raw) * 9 // 10]),
    "badly": lambda raw: zlib.compress(raw[: len(raw) * 9 // 10])[:-9],
}


@pytest.mark.parametrize("end", ENDS_EARLY)
def test_a_png_whose_data_end_early_says_so_though_each_of_its_chunks_is_sound(
    end: str, tmp_path: Path
) -> None:
    read_short = read(written(tmp_path, "scan.png", png_of(ENDS_EARLY[end](rows_of_png()))))

    assert read_short.warnings == ("A picture is cut short: about 10 % of it are missing",)
    assert ImageStat.Stat(read_short.picture.crop((0, 730, *packed.SIZE))).mean[0] == 255


def test_a_png_whose_checksum_of_all_data_is_wrong_says_so(tmp_path: Path) -> None:
    data = zlib.compress(rows_of_png())

    done = read(written(tmp_path, "scan.png", png_of(data[:-4] + b"\0\1\2\3")))

    assert "is damaged" in " ".join(done.warnings)
    assert unlike(done.picture, packed.page()) == 0


def tiff(packing: str | None) -> bytes:
    """Of one strip, which is the last thing in the file."""
    picture = packed.page().convert("1") if packing == "group4" else packed.page()
    content = saved(picture, "TIFF", compression=packing, strip_size=1 << 30)
    strip = packed.strip(picture, packing) if packing else packed.page().tobytes()
    return with_tag(273, len(with_tag(273, 0)(content)))(content) + strip


@pytest.mark.parametrize("packing", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "group4", "jpeg"])
def test_of_a_tiff_that_lacks_the_end_of_its_strip_the_rest_is_read_and_the_lack_is_told(
    packing: str | None, tmp_path: Path
) -> None:
    content = tiff(packing)
    whole = read(written(tmp_path, "scan.tiff", content))

    torn = read(written(tmp_path, "scan.tiff", content[: len(content) * 99 // 100]))

    assert whole.warnings == ()
    assert "cut short" in " ".join(torn.warnings)
    there = (0, 0, packed.SIZE[0], 600)
    assert unlike(torn.picture.crop(there), whole.picture.crop(there)) == 0


def three_pages() -> bytes:
    """A fax of three pages, the one turned by 180 degrees in their midst."""
    one = packed.page().convert("1")
    return saved(one, "TIFF", compression="group4", save_all=True, append_images=[one.rotate(180), one])


def directories(content: bytes) -> list[int]:
    found, (at,) = list[int](), struct.unpack_from("<I", content, 4)
    while at:
        found.append(at)
        (count,) = struct.unpack_from("<H", content, at)
        (at,) = struct.unpack_from("<I", content, at + 2 + 12 * count)
    return found


def with_nothing_for_its_width(content: bytes, page: int) -> bytes:
    at = content.index(struct.pack("<H", 256), directories(content)[page])
    return content[:at] + struct.pack("<H", 60_000) + content[at + 2 :]


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_of_a_tiff_of_which_one_page_is_damaged_the_others_are_read(bad: int, desk: Desk) -> None:
    done = desk.process(file_of(desk, with_nothing_for_its_width(three_pages(), bad), "fax.tif"))

    assert done.opened.pages == 3
    assert [(page["page"], page["status"]) for page in done.record["pages"] if page["status"] != "ok"] == [
        (bad + 1, "failed")
    ]
    assert done.record["pages"][bad]["error"]["code"] == "corrupt"
    assert done.text.count(packed.WORDS[0]) == 2
    sizes = [page["width_points"] > 0 for page in desk.inspect(desk.folder / "fax.tif")["page_list"]]
    assert sizes == [number != bad for number in range(3)]


@pytest.mark.parametrize("packing", [None, "tiff_lzw", "packbits"])
def test_a_tiff_that_does_not_say_what_0_means_is_dark_on_light(packing: str | None, tmp_path: Path) -> None:
    content = with_tag(262, None)(tiff(packing))

    done = read(written(tmp_path, "scan.tiff", content))

    assert done.warnings == ()
    assert unlike(done.picture, packed.page()) == 0


@pytest.mark.parametrize("order", ["II", "MM"])
def test_a_tiff_whose_head_leads_to_no_picture_is_damaged(order: str, desk: Desk) -> None:
    head = order.encode("ascii") + struct.pack("<H" if order == "II" else ">H", 42)
    # Long enough that bytes of the head could count as entries.
    path = file_of(desk, head + bytes(4) + b"\xff" * 400_000, "lost.tif")

    with pytest.raises(CorruptError, match=r"lost\.tif"):
        desk.open(path)


def test_a_tiff_whose_pages_are_said_to_lie_beyond_all_files_is_damaged(desk: Desk) -> None:
    content = b"II+\0" + tiff("packbits")[4:8] + b"\xff" * 8 + tiff("packbits")[16:]

    assert failure_of(desk, content, "far.tif").code == "corrupt"


@pytest.mark.parametrize("kept", [0, 3])
@pytest.mark.parametrize("black", [0, 1])
def test_what_a_fax_lacks_is_paper_whatever_stands_for_black(black: int, kept: int, tmp_path: Path) -> None:
    bits = packed.page().convert("1")
    drawn = ImageChops.invert(bits) if black else bits
    width, height = packed.SIZE
    strips = [packed.strip(drawn.crop((0, top, width, top + 100)), "group4") for top in range(0, height, 100)]
    strips[-1] = strips[-1][:kept]

    content = packed.tiff_of(strips, "group4", tiled=False, rows=100)
    done = read(written(tmp_path, "fax.tiff", with_tag(262, 1 - black)(content)))

    assert "cut short" in " ".join(done.warnings)
    there = (0, 0, width, 700)
    assert unlike(done.picture.crop(there), bits.convert("L").crop(there)) == 0
    assert ImageStat.Stat(done.picture.crop((0, 710, *packed.SIZE))).mean[0] == 255


def big_tiff(strip: bytes) -> bytes:
    """A fax of one strip, with 0 as black, which Pillow does not write."""
    (width, height), start = packed.SIZE, 16 + 8 + 9 * 20 + 8
    tags = {256: width, 257: height, 258: 1, 259: 4, 262: 1, 273: start, 277: 1, 278: height, 279: len(strip)}
    entries = b"".join(struct.pack("<HHQQ", tag, 4, 1, value) for tag, value in tags.items())
    return b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, len(tags)) + entries + bytes(8) + strip


def test_a_fax_in_a_big_tiff_that_lacks_its_foot_is_read_and_told(tmp_path: Path) -> None:
    bits = packed.page().convert("1")
    strip = packed.strip(bits, "group4")

    done = read(written(tmp_path, "fax.tiff", big_tiff(strip[: len(strip) * 93 // 100])))

    assert "cut short" in " ".join(done.warnings)
    there = (0, 0, packed.SIZE[0], 600)
    assert unlike(done.picture.crop(there), bits.convert("L").crop(there)) == 0


def lower(content: bytes) -> bytes:
    return content[:22] + struct.pack("<i", packed.SIZE[1] // 2) + content[26:]


BEYOND_SIZE: dict[str, Callable[[bytes], bytes]] = {
    "grey.bmp": lower,
    "colours.bmp": lower,
    "bits.bmp": lower,
    "grey.pgm": lambda content: 2 * content,
    "bits.pbm": lambda content: 2 * content,
}


@pytest.mark.parametrize("name", BEYOND_SIZE)
def test_what_a_file_holds_beyond_the_size_that_it_says_is_told(name: str, tmp_path: Path) -> None:
    done = read(written(tmp_path, name, BEYOND_SIZE[name](FILES[name]())))

    assert done.warnings == (image_files.BEYOND,)


@pytest.mark.parametrize("name", ["grey.png", "colours.bmp", "scan.tiff", "lossy.webp", "runs.bmp"])
def test_a_torn_file_becomes_a_pdf_that_shows_what_was_read(name: str, desk: Desk) -> None:
    content = tiff("jpeg") if name.endswith("tiff") else FILES[name]()

    done = desk.process(file_of(desk, content[: int(len(content) * 0.98)], name))

    assert "cut short" in " ".join(done.pages[0].warnings)
    assert sum(words in done.text for words in packed.WORDS) >= 4
    with pikepdf.open(done.outputs["pdf"]) as pdf:
        drawn = pdf.pages[0].Resources.XObject.values()
        (picture,) = [one for one in drawn if one.get("/Subtype") == pikepdf.Name.Image]
        shown = pikepdf.PdfImage(picture).as_pil_image().convert("L")
    there = (0, 80, packed.SIZE[0], 660)
    assert unlike(shown.crop(there), packed.page().crop(there)) < 1
