"""What becomes of an input: the content lines of INPUTS.md (1 to 43), a row or more each. Inputs are made by code."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2

from tests.faults import documents as pdf
from tests.faults import pictures as pic
from tests.faults import torn
from tests.faults.pictures import TEXT


@dataclass(frozen=True)
class Delivered:
    """What the worker made of a file."""

    done: dict[str, Any]
    """The data of its `file_done`."""

    @cached_property
    def results(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(Path(self.done["outputs"]["json"]).read_bytes())
        return found

    @property
    def pages(self) -> list[dict[str, Any]]:
        pages: list[dict[str, Any]] = self.results["pages"]
        return pages

    @property
    def pdf(self) -> Path:
        return Path(self.done["outputs"]["pdf"])

    def words(self, page: int = 1) -> list[dict[str, Any]]:
        return [word for line in self.pages[page - 1]["lines"] for word in line["words"]]


Check = Callable[[Delivered], None]


@dataclass(frozen=True)
class Row:
    line: int
    """Its number in INPUTS.md."""
    name: str
    make: Callable[[], bytes] | None
    code: str = ""
    """The code of its failure; none for a file that is done."""
    texts: tuple[str, ...] = (TEXT,)
    """Words of each page; an empty string is a page without."""
    statuses: tuple[str, ...] = ()
    """Of each page; ok where not given."""
    checks: tuple[Check, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    password: str | None = None
    failed_pages: tuple[int, ...] = ()
    page_code: str = "corrupt"
    """Of each failed page."""

    def __str__(self) -> str:
        return f"{self.line}-{self.name}"


def warned(*words: str) -> Check:
    """A warning of the file, or of its first page, holds each of these."""

    def check(file: Delivered) -> None:
        said = " ".join([*file.done["warnings"], *file.pages[0]["warnings"]])
        assert all(word in said for word in words), said

    return check


def warned_of_nothing(file: Delivered) -> None:
    assert not file.done.get("warnings")


def placed(file: Delivered) -> None:
    """The first word lies where it was drawn, in the frame that a reader sees."""
    page = file.pages[0]
    left, top, *_ = file.words()[0]["box_points"]
    assert page["width_points"] > 2 * page["height_points"]
    assert 15 < left < 30, left
    assert 20 < top < 40, top


def as_large_in_the_pdf(file: Delivered) -> None:
    """Each page has the size of the sheet, in the results and in the PDF."""
    document = pypdfium2.PdfDocument(file.pdf)
    sizes = {page.get_size() for page in document}
    sizes |= {(page["width_points"], page["height_points"]) for page in file.pages}
    document.close()
    assert {(round(width), round(height)) for width, height in sizes} == {(230, 72)}


def at_far_end(file: Delivered) -> None:
    """Boxes are in the pixels of the file, not in those that were read."""
    assert file.pages[0]["width_px"] == 40_000
    assert 38_900 < file.words()[0]["box_px"][0] < 39_200


def light(file: Delivered) -> None:
    """The output shows dark words on a light ground."""
    with_picture = pypdfium2.PdfDocument(file.pdf)
    counts = with_picture[0].render(scale=1, grayscale=True).to_pil().histogram()
    with_picture.close()
    assert sum(counts[200:]) > 0.8 * sum(counts)
    assert sum(counts[:100]) > 50


def within_budget(file: Delivered) -> None:
    page = file.pages[0]
    assert page["width_px"] * page["height_px"] <= 64_000_000


def keeps_fields(file: Delivered) -> None:
    with pikepdf.open(file.pdf) as document:
        assert [str(one.V) for one in document.Root.AcroForm.Fields] == ["Miller"]


def unsigned(file: Delivered) -> None:
    assert b"/ByteRange" not in file.pdf.read_bytes()
    with pikepdf.open(file.pdf) as document:
        assert "/Perms" not in document.Root
        assert all(
            "/ByteRange" not in part for part in document.objects if isinstance(part, pikepdf.Dictionary)
        )


def one_of_three(file: Delivered) -> None:
    assert file.done["pages"] == 1
    assert "3 frames" in " ".join(file.done["warnings"])


def still_locked(file: Delivered) -> None:
    document = pikepdf.open(file.pdf, password="secret")
    assert document.is_encrypted


def third_is_untouched(file: Delivered) -> None:
    """The page that failed is in the output as it was in the file; the others have their layer."""
    with pikepdf.open(file.pdf) as document, pikepdf.open(io.BytesIO(picture_cut_short())) as original:
        made, given = document.pages[2], original.pages[2]
        assert made.Contents.read_bytes() == given.Contents.read_bytes()
        assert _picture(made) == _picture(given)
        assert list(made.Resources.XObject.keys()) == ["/Im0"]
        assert len(document.pages[0].Resources.XObject.keys()) == 2


def bomb_is_untouched(file: Delivered) -> None:
    """Neither unpacked nor packed anew."""
    with pikepdf.open(file.pdf) as document, pikepdf.open(io.BytesIO(pdf.bomb_page())) as original:
        made, given = document.pages[1].Contents, original.pages[1].Contents
        assert made.get("/Filter") == given.get("/Filter")
        assert made.read_raw_bytes() == given.read_raw_bytes()


def three_resolutions(file: Delivered) -> None:
    assert [round(page["dpi"]) for page in file.pages] == [200, 300, 100]


def _picture(page: pikepdf.Page) -> bytes:
    content: bytes = page.Resources.XObject.Im0.read_raw_bytes()
    return content


def picture_cut_short() -> bytes:
    """The third page's picture ends in its middle, the file does not."""

    def shorten(document: pikepdf.Pdf) -> None:
        picture = next(iter(document.pages[2].Resources.XObject.values()))
        picture.write(picture.read_raw_bytes()[:2500], filter=pikepdf.Name.DCTDecode)

    return pdf.changed(shorten, pdf.scan("Page one", "Page two", "Page three"))


def _scan() -> bytes:
    return pdf.whole(pdf.scan())


def _without_contents() -> bytes:
    return pdf.changed(lambda document: document.pages[0].obj.__delitem__("/Contents"))


UNKNOWN = {
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "psd": b"8BPS\0\1" + bytes(40), "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
}  # fmt: skip
DEEP = {"16-bit": "I;16", "16-bit-big": "I;16B", "32-bit": "I", "float": "F"}
MIX = ("First", "Second", "Third")
SIGNED = {
    "signed": pdf.signed, "signed-in-kid": pdf.signed_in_kid, "signed-on-page": pdf.signed_on_page, "certified": pdf.certified,
}  # fmt: skip
UNSIGNED = {"signed": "unsigned_copy"}
SMALL = {"max_pixels": 100_000}
REDO = {"existing_text": "redo"}

ROWS = (
    Row(1, "empty.pdf", bytes, "empty"),
    Row(1, "empty.png", bytes, "empty"),
    Row(2, "missing.pdf", None, "not_found"),
    Row(3, "text.pdf", lambda: b"plain words\n" * 20, "unsupported_type"),
    Row(3, "page.jpg", lambda: b"<!DOCTYPE html><html></html>", "unsupported_type"),
    Row(4, "png.pdf", pic.png, checks=(placed, warned("pdf", "png"))),
    Row(4, "pdf.jpg", _scan, checks=(placed, warned("jpg", "pdf"))),
    Row(5, "junk.pdf", lambda: b"junk\n" * 100 + _scan(), checks=(placed,)),
    Row(6, "cut.pdf", partial(pdf.cut, 0.6), texts=("Page one", "Page two", "", ""),
        statuses=("ok", "ok", "failed", "failed"), failed_pages=(3, 4), checks=(warned("damaged", "pages"),)),
    Row(6, "xref.pdf", pdf.broken_xref, checks=(placed, warned("damaged", "mended", "1 page"))),
    Row(6, "odd-filter.pdf", pdf.odd_filter),
    Row(6, "stub.pdf", partial(pdf.cut, 0.01), "corrupt"),
    Row(6, "torn-picture.pdf", picture_cut_short, texts=("Page one", "Page two", ""),
        statuses=("ok", "ok", "failed"), failed_pages=(3,), checks=(third_is_untouched,)),
    Row(6, "strips.pdf", torn.strips, texts=("Upper words Lower words",)),
    Row(6, "strip-torn.pdf", lambda: torn.strips(torn.half(pic.jpeg())), "corrupt"),
    Row(6, "strip-junk.pdf", lambda: torn.strips(pic.jpeg()[:40]), "corrupt"),
    Row(6, "strip-jpx.pdf", torn.jpx_strips, "corrupt"),
    Row(6, "margin.pdf", lambda: torn.pictured(torn.MARGIN, pic.jpeg())),
    Row(6, "margin-torn.pdf", lambda: torn.pictured(torn.MARGIN, torn.half(pic.jpeg())), "corrupt"),
    Row(6, "margin-longer.pdf", lambda: torn.pictured(torn.MARGIN, pic.jpeg() + b"junk" * 99)),
    Row(6, "form-torn.pdf", lambda: torn.in_form(torn.half(pic.jpeg())), "corrupt"),
    Row(6, "deflated.pdf", partial(torn.deflated, 1)),
    Row(6, "deflated-torn.pdf", partial(torn.deflated, 0.7), "corrupt"),
    Row(6, "deflated-short.pdf", torn.rewritten, "corrupt"),
    Row(6, "text-torn.pdf", partial(torn.text, torn.half), "corrupt"),
    Row(6, "text-open.pdf", partial(torn.text, torn.without_checksum), texts=("Row 29 of words",), statuses=("has_text",)),
    Row(6, "text-checksum.pdf", partial(torn.text, torn.with_wrong_checksum), texts=("Row 29 of words",),
        statuses=("has_text",)),
    Row(6, "filters.pdf", torn.many_filters, "corrupt"),
    Row(7, "lonely.pdf", lambda: b"%PDF-1.7\n%%EOF\n", "corrupt"),
    Row(8, "no-pages.pdf", lambda: pdf.whole(pikepdf.new()), "no_pages"),
    Row(9, "no-contents.pdf", _without_contents, texts=("",), statuses=("blank",)),
    Row(10, "no-area.pdf", partial(pdf.boxed, "/MediaBox", [0, 0, 0, 0])),
    Row(10, "reversed.pdf", partial(pdf.boxed, "/MediaBox", [230.4, 72, 0, 0]), checks=(placed,)),
    Row(11, "crop.pdf", partial(pdf.boxed, "/CropBox", [-50, -50, 900, 900]), checks=(placed,)),
    Row(11, "crop-elsewhere.pdf", partial(pdf.boxed, "/CropBox", [1000, 1000, 1200, 1200]), checks=(placed,)),
    Row(12, "wide.pdf", partial(pdf.sized, 14_400), checks=(within_budget,)),
    Row(12, "unit.pdf", partial(pdf.sized, 1440, 10), checks=(within_budget,)),
    Row(13, "owner.pdf", partial(pdf.encrypted, ""), checks=(placed,)),
    Row(14, "locked.pdf", partial(pdf.encrypted, "secret"), "encrypted"),
    Row(14, "wrong.pdf", partial(pdf.encrypted, "secret"), "bad_password", password="Wrong-Pass"),
    Row(14, "right.pdf", partial(pdf.encrypted, "secret"), password="secret", checks=(still_locked,)),
    Row(15, "certificate.pdf", pdf.for_certificates, "encrypted"),
    Row(15, "future.pdf", pdf.of_the_future, "encrypted"),
    *(Row(16, f"{name}.pdf", make, "signed") for name, make in SIGNED.items()),
    *(Row(16, f"un{name}.pdf", make, options=UNSIGNED, checks=(placed, unsigned)) for name, make in SIGNED.items()),
    Row(17, "form.pdf", pdf.form, checks=(placed, keeps_fields)),
    Row(18, "xfa.pdf", pdf.dynamic_xfa, "xfa"),
    Row(19, "digital.pdf", pdf.born_digital, texts=("Born digital words",), statuses=("has_text",)),
    Row(20, "mixed.pdf", pdf.mixed, texts=("Typed page words", "Scanned page"), statuses=("has_text", "ok")),
    Row(21, "garbage.pdf", pdf.garbage_map, texts=("",), statuses=("has_text",), checks=(warned("redo"),)),
    Row(21, "garbage-redone.pdf", pdf.garbage_map, texts=("Garbled words",), options=REDO),
    *(Row(22, f"turned-{way}.pdf", partial(pdf.turned, way), checks=(placed,)) for way in (90, 180, 270)),
    Row(23, "page-loop.pdf", pdf.page_loop, "corrupt"),
    Row(23, "prev-loop.pdf", pdf.prev_loop, "corrupt"),
    Row(23, "prev-loop-mended.pdf", pdf.prev_loop_behind_pages, texts=("",), statuses=("blank",),
        checks=(warned("damaged", "mended", "1 page"),)),
    Row(24, "bomb.pdf", pdf.flate_bomb, "crashed"),
    Row(24, "bomb-page.pdf", pdf.bomb_page, texts=("Good page", ""), statuses=("ok", "crashed"),
        failed_pages=(2,), page_code="crashed", checks=(bomb_is_untouched,)),
    Row(24, "xref-bomb.pdf", pdf.xref_bomb, texts=("",), statuses=("blank",), checks=(warned("damaged", "mended"),)),
    Row(24, "object-bomb.pdf", pdf.object_stream_bomb, "crashed"),
    Row(24, "picture-bomb.pdf", pdf.picture_bomb, "too_large"),
    Row(25, "jpx.pdf", pdf.jpx, checks=(placed,)),
    Row(25, "jbig2.pdf", pdf.jbig2, checks=(placed,)),
    Row(25, "ccitt.pdf", pdf.ccitt, checks=(placed,)),
    Row(26, "500-pages.pdf", partial(pdf.many_pages, 500),
        texts=tuple(f"Page {n}" for n in range(1, 501)), statuses=("has_text",) * 500),
    Row(27, "huge.png", partial(pic.huge_png, 100_000, 100_000), "too_large"),
    Row(27, "huge-picture.pdf", _scan, "too_large", options=SMALL),
    Row(27, "decorated.pdf", torn.decorated, texts=("Row 29 of words",), statuses=("has_text",), options=SMALL),
    Row(28, "long.png", pic.long_strip, checks=(at_far_end,)),
    Row(29, "dot.png", partial(pic.blank, (1, 1)), texts=("",), statuses=("blank",)),
    Row(29, "strip.png", partial(pic.blank, (1, 5000)), texts=("",), statuses=("blank",)),
    Row(30, "mixed.tiff", pic.mixed_tiff, texts=MIX, checks=(three_resolutions,)),
    Row(31, "loop.tiff", pic.looping_tiff),
    Row(31, "10001-frames.tiff", partial(pic.tiff_of_frames, 10_001), "too_large"),
    Row(32, "cmyk.jpg", pic.cmyk_jpeg, checks=(placed, light)),
    Row(32, "plain-cmyk.jpg", pic.plain_cmyk_jpeg, checks=(placed, light)),
    Row(33, "deep.png", pic.deep_png, checks=(placed, light)),
    Row(33, "deep-clear.png", pic.deep_clear_png, checks=(placed, light)),
    Row(33, "deep.pgm", partial(pic.deep, "PPM", "I"), checks=(light,)),
    *(Row(33, f"{name}.tif", partial(pic.deep, "TIFF", mode), checks=(placed, light)) for name, mode in DEEP.items()),
    Row(34, "alpha.png", partial(pic.on_clear, 0), checks=(placed, light)),
    Row(34, "white-alpha.png", partial(pic.on_clear, 255), checks=(placed,)),
    Row(35, "palette.png", pic.clear_palette, checks=(placed,)),
    Row(36, "white-on-black.png", pic.white_on_black, checks=(placed,)),
    Row(37, "moving.gif", partial(pic.animation, "GIF"), checks=(one_of_three,)),
    Row(37, "moving.webp", partial(pic.animation, "WEBP"), checks=(one_of_three,)),
    *(Row(38, f"exif{way}.{kind}", partial(pic.turned_by_exif, way, kind), checks=(placed, light))
      for kind in ("jpeg", "png", "tiff") for way in range(1, 9)),
    Row(38, "exif-frame.tiff", pic.one_turned_frame, texts=MIX, checks=(placed, as_large_in_the_pdf)),
    Row(38, "phone.jpg", pic.phone_photo, checks=(placed, light, as_large_in_the_pdf, warned_of_nothing)),
    Row(39, "cut.jpg", lambda: pic.jpeg()[:3000], "corrupt"),
    Row(39, "junk.png", pic.junk_png, "corrupt"),
    Row(39, "cut.png", lambda: pic.png()[:-600], "corrupt"),
    Row(40, "no-dpi.jpg", partial(pic.with_resolution, None), checks=(warned("resolution"),)),
    Row(40, "0-dpi.tif", partial(pic.with_resolution, 0), checks=(warned("resolution"),)),
    Row(40, "1e6-dpi.tif", partial(pic.with_resolution, 1e6), checks=(warned("resolution"),)),
    *(Row(40, f"fax-{way}.tif", partial(pic.fax, way), checks=(placed, as_large_in_the_pdf)) for way in (1, 6)),
    *(Row(40, f"oblong-{way}.jpg", partial(pic.oblong_jpeg, way), checks=(placed, as_large_in_the_pdf)) for way in (1, 8)),
    *(Row(41, f"unknown.{kind}", partial(bytes, content), "unsupported_type") for kind, content in UNKNOWN.items()),
    Row(41, "lab.tif", pic.lab_tiff, "unsupported_type"),
    Row(42, "profile.jpg", pic.with_bad_profile, checks=(placed,)),
    Row(43, "blank.png", pic.blank, texts=("",), statuses=("blank",)),
)  # fmt: skip
