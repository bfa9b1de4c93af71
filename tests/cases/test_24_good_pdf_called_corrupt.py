"""Odd, but nothing that keeps a viewer from showing the page: delivered (case 24; issue 13, item 5). `internal` never comes from an input."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Object, Stream

from ocr_worker.model.tasks import Failure, OpenTask, PageDone, PageSettings, PageTask, Source
from ocr_worker.pages.page import PageWork
from ocr_worker.processes import child
from tests.cases import packed
from tests.cases.verdicts import failure_of, file_of, page_of
from tests.faults.documents import UNTOUCHED, add_text, changed, scan, whole
from tests.faults.pictures import animation, saved, sheet
from tests.pages.desk import Desk

Change = Callable[[pikepdf.Pdf], None]
FOREIGN_KEY: Any = Object.parse(b"/Im#ff#e9")


def _stream(pdf: pikepdf.Pdf) -> object:
    return pdf.make_stream(b"not what belongs here")


def filter_by_reference(pdf: pikepdf.Pdf) -> None:
    for part in list(pdf.objects):
        if isinstance(part, Stream) and "/Filter" in part:
            part.Filter = pdf.make_indirect(part.Filter)


def filters_by_reference(pdf: pikepdf.Pdf) -> None:
    for part in list(pdf.objects):
        if isinstance(part, Stream) and isinstance(part.get("/Filter"), Name):
            part.Filter = pdf.make_indirect(Array([pdf.make_indirect(part.Filter)]))


def packed_content_by_reference(pdf: pikepdf.Pdf) -> None:
    page = pdf.pages[0]
    content = Stream(pdf, b"")
    content.write(zlib.compress(page.Contents.read_bytes()), filter=Name.FlateDecode)
    page.Contents = pdf.make_indirect(content)
    content.Filter = pdf.make_indirect(Name.FlateDecode)


def foreign_picture_name(pdf: pikepdf.Pdf) -> None:
    """The picture's name is not UTF-8, in the resources and in the content."""
    page = pdf.pages[0]
    (name,) = page.Resources.XObject.keys()
    page.Resources.XObject[FOREIGN_KEY] = page.Resources.XObject[name]
    del page.Resources.XObject[name]
    page.Contents = pdf.make_stream(page.Contents.read_bytes().replace(name.encode(), b"/Im#ff#e9"))


def foreign_names_everywhere(pdf: pikepdf.Pdf) -> None:
    page = pdf.pages[0]
    foreign: Any = Object.parse(b"/#fe#ff")
    for owner in (
        page.obj,
        page.Resources,
        pdf.Root,
        pdf.trailer,
        next(iter(page.Resources.XObject.values())),
    ):
        owner[foreign] = Object.parse(b"/#c3")


def extra_key_in_picture(pdf: pikepdf.Pdf) -> None:
    next(iter(pdf.pages[0].Resources.XObject.values()))[FOREIGN_KEY] = Dictionary({"/A": FOREIGN_KEY})


def box(key: str) -> Change:
    return lambda pdf: pdf.pages[0].obj.__setitem__(key, _stream(pdf))


def entry(key: str, value: bytes) -> Change:
    return lambda pdf: pdf.pages[0].obj.__setitem__(key, Object.parse(value))


def odd_annotations(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.Annots = Array(
        [1, Name.X, Dictionary(), Dictionary(AP=1), Dictionary(AP=Dictionary(N=Array([])))]
    )


CHANGES: dict[str, Change] = {
    "filter-reference": filter_by_reference,
    "filters-reference": filters_by_reference,
    "content-filter-reference": packed_content_by_reference,
    "picture-name": foreign_picture_name,
    "names": foreign_names_everywhere,
    "picture-key": extra_key_in_picture,
    "cropbox-stream": box("/CropBox"),
    "trimbox-stream": box("/TrimBox"),
    "cropbox-names": entry("/CropBox", b"[/A /B /C /#ff]"),
    "rotate-name": entry("/Rotate", b"/#ff"),
    "rotate-real": entry("/Rotate", b"0.0"),
    "user-unit-name": entry("/UserUnit", b"/#ff"),
    "metadata-dictionary": lambda pdf: pdf.Root.__setitem__("/Metadata", Dictionary(Title=Name.X)),
    "form-array": lambda pdf: pdf.Root.__setitem__("/AcroForm", Array([1])),
    "permissions-name": lambda pdf: pdf.Root.__setitem__("/Perms", Object.parse(b"/#ff")),
    "annotations": odd_annotations,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_scan_with_something_odd_is_delivered_whole(change: str, desk: Desk) -> None:
    with scan() as pdf:
        CHANGES[change](pdf)
        content = whole(pdf, **UNTOUCHED, fix_metadata_version=False)

    done = desk.process(file_of(desk, content, "scan.pdf"))

    assert done.text.split() == ["Harvest", "moon"]
    assert set(done.outputs) == {"pdf", "txt", "json"}
    with pikepdf.open(done.outputs["pdf"]) as written:
        assert len(written.pages) == 1


@pytest.mark.parametrize("change", ["names", "cropbox-stream", "permissions-name"])
def test_inspection_answers_too(change: str, desk: Desk) -> None:
    assert desk.inspect(file_of(desk, changed(CHANGES[change]), "scan.pdf"))["pages"] == 1


def test_a_damaged_hex_string_costs_the_page(desk: Desk) -> None:
    with pikepdf.new() as pdf:
        page = add_text(pdf, "Some words")
        content = Stream(pdf, b"")
        text = page.Contents.read_bytes().hex().encode("ascii")
        content.write(text[:40] + b"\xa9" + text[40:] + b">", filter=Name.ASCIIHexDecode)
        page.Contents = pdf.make_indirect(content)
        damaged = whole(pdf, **UNTOUCHED)

    failure = failure_of(desk, damaged)

    assert failure.code == "corrupt"
    assert "file.pdf (page 1)" in failure.message


@pytest.mark.parametrize("share", [0.3, 0.4, 0.55, 0.7, 0.9])
@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_a_torn_animation_is_read_or_damaged(kind: str, share: float, desk: Desk) -> None:
    done = page_of(desk, packed.cut(share)(animation(kind)), f"moving.{kind.lower()}")

    assert isinstance(done, PageDone) or done.code == "corrupt"


def test_a_gif_cut_in_its_second_frame_is_read(desk: Desk) -> None:
    first = saved(sheet().convert("RGB"), "GIF")

    done = desk.process(file_of(desk, animation("GIF")[: len(first) + 500], "moving.gif"))

    assert done.text.split() == ["Harvest", "moon"]


@pytest.mark.parametrize("colours", [0, 1, 2, 255])
def test_a_png_whose_palette_is_shorter_than_its_pixels_is_delivered(colours: int, desk: Desk) -> None:
    path = file_of(desk, short_palette(colours), "scan.png")
    done = child.run(desk.bench, OpenTask(Source(str(path)), PageSettings()))
    if isinstance(done, Failure):
        assert done.code == "corrupt"
        return

    assert "pdf" in desk.process(path).outputs


def short_palette(colours: int) -> bytes:
    """A picture of 256 values with so many colours for them, and a clear one: it has to be packed anew."""
    picture = sheet().convert("RGB").quantize(256)
    content = saved(picture, "PNG", transparency=0, dpi=(200, 200))
    at = content.index(b"PLTE") - 4
    length = struct.unpack_from(">I", content, at)[0]
    body = content[at + 8 : at + 8 + length][: 3 * colours]
    chunk = struct.pack(">I", len(body)) + b"PLTE" + body + struct.pack(">I", zlib.crc32(b"PLTE" + body))
    return content[:at] + chunk + content[at + 12 + length :]


@pytest.mark.parametrize(("error", "code"), [(ValueError("odd"), "corrupt"), (TypeError("ours"), "internal")])
def test_what_nobody_foresaw_leaves_its_traceback_at_page_level(
    error: Exception, code: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(desk, whole(scan()), "scan.pdf")

    def fail(self: PageWork, task: PageTask) -> None:
        raise error

    monkeypatch.setattr(PageWork, "process", fail)
    failure = child.run(
        desk.bench, PageTask(Source(str(path)), PageSettings(), 1, str(desk.folder / "1.page"))
    )

    assert isinstance(failure, Failure)
    assert failure.code == code
    assert f"{type(error).__name__}: {error}" in failure.details["traceback"]
    assert "scan.pdf" in failure.message
