"""Files that viewers show though something in them is wrong: delivered whole, and damage to the picture itself is told."""

from __future__ import annotations

import random
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pikepdf
import pytest
from pikepdf import Name
from PIL import Image

from ocr_worker.engines.images import jpeg_damage, jpeg_stream
from ocr_worker.model.tasks import Failure, PageDone
from tests.cases import packed
from tests.cases.verdicts import failure_of, file_of, page_of
from tests.faults.documents import add_text, scan, whole
from tests.faults.pictures import saved
from tests.long_rows import first
from tests.pages.desk import Desk

Change = Callable[[bytes], bytes]
PACKED_OBJECTS = pikepdf.ObjectStreamMode.generate
GREY = {"ColorSpace": Name.DeviceGray, "BitsPerComponent": 8}
MAIL = b"From: a@b.example\r\nSubject: scan\r\nX-Spam: " + b"y" * 2000 + b"\r\n\r\n"


def png() -> bytes:
    return saved(packed.page(), "PNG", dpi=(200, 200))


def chunk(kind: bytes, body: bytes, checksum: bytes | None = None) -> bytes:
    return (
        struct.pack(">I", len(body)) + kind + body + (checksum or struct.pack(">I", zlib.crc32(kind + body)))
    )


def before_data(extra: bytes) -> Change:
    def change(content: bytes) -> bytes:
        at = content.index(b"IDAT") - 4
        return content[:at] + extra + content[at:]

    return change


def bad_checksum(kind: bytes) -> Change:
    def change(content: bytes) -> bytes:
        at = content.index(kind)
        end = at + 4 + int.from_bytes(content[at - 4 : at], "big")
        return content[:end] + b"\0\1\2\3" + content[end + 4 :]

    return change


def picture_of(pdf: pikepdf.Pdf) -> Any:
    drawn = pdf.pages[0].Resources.XObject.values()
    (picture,) = [one for one in drawn if one.get("/Subtype") == Name.Image]
    return picture


PNGS: dict[str, Change] = {
    "text-checksum": before_data(chunk(b"tEXt", b"Comment\0x", b"\0\1\2\3")),
    "resolution-checksum": bad_checksum(b"pHYs"),
    "exif-checksum": before_data(chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\0", b"\0\1\2\3")),
    "short-resolution": before_data(chunk(b"pHYs", b"\0\0")),
    "short-transparency": before_data(chunk(b"tRNS", b"\0")),
    "large-text": before_data(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 3_000_000))),
    "end-checksum": bad_checksum(b"IEND"),
    "no-end": lambda content: content[:-12],
    "data-behind": lambda content: content + b"junk" * 500,
}


@pytest.mark.parametrize("change", first(5, PNGS))
def test_a_png_of_which_something_beside_the_picture_is_wrong_is_read_without_a_word(
    change: str, desk: Desk
) -> None:
    done = desk.process(file_of(desk, PNGS[change](png()), "scan.png"))

    assert done.pages[0].warnings == ()
    assert all(words in done.text for words in packed.WORDS)
    with pikepdf.open(done.outputs["pdf"]) as pdf:
        assert pikepdf.PdfImage(picture_of(pdf)).as_pil_image().tobytes() == packed.page().tobytes()


def test_a_png_whose_data_fail_their_checksum_says_so(desk: Desk) -> None:
    done = desk.process(file_of(desk, bad_checksum(b"IDAT")(png()), "scan.png"))

    assert "A picture is damaged" in " ".join(done.pages[0].warnings)
    assert all(words in done.text for words in packed.WORDS)


def test_a_png_that_no_viewer_shows_is_damaged(desk: Desk) -> None:
    assert failure_of(desk, bad_checksum(b"IHDR")(png()), "scan.png").code == "corrupt"


@pytest.mark.parametrize("said", [0, -10, 1000])
def test_a_webp_that_says_falsely_how_long_it_is_is_read(said: int, desk: Desk) -> None:
    content = saved(packed.page().convert("RGB"), "WEBP", lossless=True)
    length = 0 if said == 0 else len(content) - 8 + said

    done = desk.process(file_of(desk, content[:4] + struct.pack("<I", length) + content[8:], "scan.webp"))

    assert all(words in done.text for words in packed.WORDS)


def with_tag(tag: int, value: int | None) -> Change:
    """The one picture of a TIFF has this number there, or none."""

    def change(content: bytes) -> bytes:
        (at,) = struct.unpack_from("<I", content, 4)
        (count,) = struct.unpack_from("<H", content, at)
        entries = [content[at + 2 + 12 * n : at + 14 + 12 * n] for n in range(count)]
        entries = [entry for entry in entries if struct.unpack_from("<H", entry) != (tag,)]
        if value is not None:
            entries.append(struct.pack("<HHII", tag, 4, 1, value))
        listed = struct.pack("<H", len(entries)) + b"".join(
            sorted(entries, key=lambda entry: struct.unpack_from("<H", entry))
        )
        even = content + bytes(len(content) % 2)
        return even[:4] + struct.pack("<I", len(even)) + even[8:] + listed + bytes(4)

    return change


TIFFS = {
    "no-length": with_tag(279, None),
    "length-0": with_tag(279, 0),
    "length-beyond-the-end": with_tag(279, 1 << 20),
    "length-of-4-GiB": with_tag(279, 0xFFFFFFF0),
    "orientation-99": with_tag(274, 99),
}


@pytest.mark.parametrize(
    "packing", first(2, ["group4", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
)
@pytest.mark.parametrize("change", TIFFS)
def test_a_tiff_with_a_wrong_tag_is_read_without_a_word(change: str, packing: str, desk: Desk) -> None:
    picture = packed.page().convert("1") if packing == "group4" else packed.page()
    whole = saved(picture, "TIFF", compression=packing, dpi=(200, 200), strip_size=1 << 30)

    done = desk.process(file_of(desk, TIFFS[change](whole), "scan.tif"))

    assert done.pages[0].warnings == ()
    assert all(words in done.text for words in packed.WORDS)


def jpeg(**options: Any) -> bytes:
    return saved(packed.page(), "JPEG", quality=90, dpi=(200, 200), **options)


@pytest.mark.parametrize("at", [0, 20])
def test_a_jpeg_that_begins_twice_is_read_and_embedded_as_it_was(at: int, desk: Desk) -> None:
    content = jpeg()

    done = desk.process(file_of(desk, content[:at] + b"\xff\xd8" + content[at:], "scan.jpg"))

    assert done.pages[0].warnings == ()
    assert all(words in done.text for words in packed.WORDS)
    with pikepdf.open(done.outputs["pdf"]) as pdf:
        assert picture_of(pdf).read_raw_bytes() == content


def exchanged(content: bytes) -> bytes:
    """Two restart markers change places, and the rows between them."""
    marks = [found.start() for found in re.finditer(rb"\xff[\xd0-\xd7]", content)]
    one, other = marks[20], marks[21]
    changed = bytearray(content)
    changed[one + 1], changed[other + 1] = changed[other + 1], changed[one + 1]
    return bytes(changed)


def overwritten(content: bytes) -> bytes:
    found = jpeg_stream.layout(content)
    assert found is not None
    middle = (found.scans[0].start + found.scans[0].end) // 2
    return content[:middle] + random.Random(2).randbytes(40).replace(b"\xff", b"\0") + content[middle + 40 :]


DAMAGES: dict[str, tuple[dict[str, Any], Change]] = {
    "exchanged": ({"restart_marker_rows": 1}, exchanged),
    "overwritten": ({}, overwritten),
    "overwritten-restarts": ({"restart_marker_rows": 1}, overwritten),
    "line-ends": ({}, lambda content: content[:700] + content[700:].replace(b"\n", b"\r\n")),
}


@pytest.mark.parametrize("margin", first(1, [None, 0, 2]))
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_jpeg_that_was_changed_in_its_midst_says_so(damage: str, margin: int | None, desk: Desk) -> None:
    """As a file, as the scan that is a page, and as a picture on one."""
    options, change = DAMAGES[damage]

    good, bad = (
        page_of(desk, *_as(content, margin, number))
        for number, content in enumerate((jpeg(**options), change(jpeg(**options))))
    )

    assert isinstance(good, PageDone)
    assert good.warnings == ()
    assert isinstance(bad, Failure) or re.search("is damaged|cut short", " ".join(bad.warnings))


def _as(content: bytes, margin: int | None, number: int) -> tuple[bytes, str]:
    if margin is None:
        return content, f"{number}.jpg"
    return packed.drawn(content, [Name.DCTDecode], GREY, margin), f"{number}.pdf"


@pytest.mark.parametrize("kind", ["one", "strips", "tiles"])
def test_a_jpeg_in_a_tiff_that_was_changed_in_its_midst_says_so(kind: str, desk: Desk) -> None:
    parts = [jpeg()] if kind == "one" else packed.tiff_parts("jpeg", tiled=kind == "tiles")
    bad = parts[:]
    bad[len(parts) // 2] = overwritten(parts[len(parts) // 2])

    if kind == "one":
        whole, torn = (
            with_tag(278, packed.SIZE[1])(packed.tiff_of(one, "jpeg", tiled=False)) for one in (parts, bad)
        )
    else:
        whole, torn = (packed.tiff_of(one, "jpeg", tiled=kind == "tiles") for one in (parts, bad))

    done, other = page_of(desk, whole, "a.tif"), page_of(desk, torn, "b.tif")
    assert isinstance(done, PageDone)
    assert done.warnings == ()
    assert isinstance(other, PageDone)
    assert "A picture is damaged" in " ".join(other.warnings)


def sound_pictures() -> Iterator[tuple[Image.Image, dict[str, Any]]]:
    grain = Image.frombytes("L", (511, 397), random.Random(1).randbytes(511 * 397))
    colours = Image.merge("RGB", (grain, packed.page().resize(grain.size), grain.rotate(180)))
    for picture in (
        packed.page(),
        grain,
        colours,
        colours.convert("CMYK"),
        Image.new("RGB", (900, 700), "white"),
    ):
        for options in (
            {},
            {"optimize": True},
            {"restart_marker_rows": 1},
            {"restart_marker_rows": 3},
            {"restart_marker_blocks": 7},
        ):
            for quality in (10, 75, 100):
                yield picture, {**options, "quality": quality}


def test_no_sound_jpeg_is_taken_for_a_damaged_one() -> None:
    for picture, options in sound_pictures():
        found = jpeg_stream.layout(saved(picture, "JPEG", **options))
        assert found is not None

        assert jpeg_stream.share(found) == 1, (picture, options)
        assert jpeg_damage.look(found) == (1.0, False), (picture, options)


def test_what_fills_up_the_end_of_a_jpeg_is_no_damage() -> None:
    found = jpeg_stream.layout(jpeg()[:-2] + bytes(5) + b"\xff\xd9")
    assert found is not None

    assert jpeg_damage.look(found) == (1.0, False)


PDFS: dict[str, Change] = {
    "mail": lambda content: MAIL + content,
    "junk": lambda content: b"j" * 8000 + content,
    "no-head": lambda content: content[15:],
    "no-end": lambda content: content[:-60],
}


@pytest.mark.parametrize("mode", ["disable", "generate"])
@pytest.mark.parametrize("change", PDFS)
def test_a_pdf_with_a_wrong_beginning_or_end_is_read(change: str, mode: str, desk: Desk) -> None:
    content = PDFS[change](whole(scan(), object_stream_mode=pikepdf.ObjectStreamMode[mode]))

    done = desk.process(file_of(desk, content, "scan.pdf"))

    assert done.text.split() == ["Harvest", "moon"]
    assert "damaged" in " ".join(done.opened.warnings)


def test_a_pdf_that_begins_as_postscript_does_is_one(desk: Desk) -> None:
    content = b"%!PS-Adobe-3.0 PDF-1.4\n" + whole(scan())

    done = desk.process(file_of(desk, content, "scan.pdf"))

    assert done.text.split() == ["Harvest", "moon"]
    assert failure_of(desk, b"%!PS-Adobe-3.0 EPSF-3.0\n" + content, "figure.eps").code == "unsupported_type"


def test_a_pdf_of_packed_objects_without_its_table_keeps_its_bookmarks(desk: Desk) -> None:
    pdf = pikepdf.new()
    for number in range(6):
        add_text(pdf, f"Chapter {number}")
    with pdf.open_outline() as outline:
        outline.root.extend(pikepdf.OutlineItem(f"To {number}", number) for number in range(6))

    done = desk.process(file_of(desk, whole(pdf, object_stream_mode=PACKED_OBJECTS)[:-60], "book.pdf"))

    assert done.text.split() == [part for number in range(6) for part in ("Chapter", str(number))]
    with pikepdf.open(done.outputs["pdf"]) as written, written.open_outline() as outline:
        assert len(outline.root) == 6


def test_a_torn_pdf_of_packed_objects_keeps_the_pages_that_are_there(desk: Desk) -> None:
    content = whole(scan("Page one", "Page two", "Page three"), object_stream_mode=PACKED_OBJECTS)

    done = desk.process(file_of(desk, content[: len(content) * 6 // 10], "torn.pdf"))

    assert done.text.split() == ["Page", "one", "Page", "two"][: 2 * len(done.pages)]
    assert done.pages
    assert len(done.pages) < done.opened.pages


CONTAINERS: dict[str, Change] = {
    "speaks": lambda pdf: b"y" * 2000 + b"the first line of a file is %PDF-1.4\n",
    "zip": lambda pdf: b"PK\3\4" + pdf,
    "tar": lambda pdf: b"x" * 257 + b"ustar" + bytes(250) + pdf,
}  # fmt: skip


@pytest.mark.parametrize("container", CONTAINERS)
def test_what_speaks_of_a_pdf_or_holds_one_is_none(container: str, desk: Desk) -> None:
    content = CONTAINERS[container](whole(scan()))

    assert failure_of(desk, content, "other.bin").code == "unsupported_type"
