"""PDFs that are whole as files, with something torn in them: viewers show what is left of it and say nothing."""

from __future__ import annotations

import io
import zlib
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from tests.faults.documents import POINTS, UNTOUCHED, add_text, scan, whole
from tests.faults.pictures import SIZE, jpeg, saved, sheet

GREY = {"ColorSpace": Name.DeviceGray, "BitsPerComponent": 8}
FILL = "q 230.4 0 0 72 0 0 cm /Im0 Do Q"
MARGIN = "q 200 0 0 60 10 5 cm /Im0 Do Q"
"""Not a scan that is the page: it has to be drawn."""


STRIPS = "q 230.4 0 0 72 0 72 cm /Im0 Do Q q 230.4 0 0 72 0 0 cm /Im1 Do Q"
"""One above the other, on a page as high as both."""


def pictured(content: str, *streams: bytes, packing: Any = Name.DCTDecode) -> bytes:
    """A page that draws pictures of a sheet's size, /Im0 and so on."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(POINTS[0], len(streams) * POINTS[1]))
    page.Resources = Dictionary(XObject=Dictionary())
    for number, packed in enumerate(streams):
        image = Stream(pdf, b"")
        image.write(packed, filter=packing)
        shape = {"Type": Name.XObject, "Subtype": Name.Image, "Width": SIZE[0], "Height": SIZE[1]}
        for name, value in {**shape, **GREY}.items():
            image[f"/{name}"] = value
        page.Resources.XObject[f"/Im{number}"] = pdf.make_indirect(image)
    page.Contents = pdf.make_stream(content.encode("ascii"))
    return whole(pdf, **UNTOUCHED)


def strips(lower: bytes | None = None) -> bytes:
    """A page of two pictures, one above the other."""
    return pictured(STRIPS, jpeg(sheet("Upper words")), lower or jpeg(sheet("Lower words")))


def jpx_strips() -> bytes:
    """Such a page of JPEG 2000, of which only the upper picture is one."""
    upper = saved(sheet("Upper words"), "JPEG2000")
    return pictured(STRIPS, upper, upper[:60], packing=Name.JPXDecode)


def in_form(image: bytes) -> bytes:
    """A picture that the page draws through a form, whose resources are the form's own."""
    with pikepdf.open(io.BytesIO(pictured(MARGIN, image))) as pdf:
        page = pdf.pages[0]
        form = pdf.make_stream(page.Contents.read_bytes())
        form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 0, *POINTS])
        form.Resources = page.Resources
        page.Resources = Dictionary(XObject=Dictionary(Fm=form))
        page.Contents = pdf.make_stream(b"/Fm Do")
        return whole(pdf, **UNTOUCHED)


def deflated(share: float) -> bytes:
    """A picture of grey samples, of whose packed bytes there is so much."""
    packed = zlib.compress(sheet().tobytes())
    return pictured(FILL, packed[: int(len(packed) * share)], packing=Name.FlateDecode)


def rewritten() -> bytes:
    """A torn picture after some program has packed anew what there was of it."""
    samples = sheet().tobytes()
    return pictured(FILL, zlib.compress(samples[: len(samples) // 2]), packing=Name.FlateDecode)


def text(change: Any) -> bytes:
    """A born-digital page of many lines, whose packed content is changed."""
    rows = b"".join(b"BT /F 18 Tf 20 %d Td (Row %d of words) Tj ET\n" % (700 - 20 * n, n) for n in range(30))
    with pikepdf.new() as pdf:
        page = add_text(pdf, "")
        page.MediaBox = Array([0, 0, 600, 800])
        packed = Stream(pdf, b"")
        packed.write(change(zlib.compress(rows)), filter=Name.FlateDecode)
        page.Contents = pdf.make_indirect(packed)
        return whole(pdf, **UNTOUCHED)


def decorated() -> bytes:
    """The same with a picture beside it, which nobody has to decode."""
    with (
        pikepdf.open(io.BytesIO(text(bytes))) as pdf,
        pikepdf.open(io.BytesIO(pictured(MARGIN, jpeg()))) as other,
    ):
        page = pdf.pages[0]
        page.Resources.XObject = Dictionary(Im0=pdf.copy_foreign(other.pages[0].Resources.XObject.Im0))
        page.Contents = Array([page.Contents, pdf.make_stream(MARGIN.encode("ascii"))])
        return whole(pdf, **UNTOUCHED)


def half(packed: bytes) -> bytes:
    return packed[: len(packed) // 2]


def without_checksum(packed: bytes) -> bytes:
    return packed[:-4]


def with_wrong_checksum(packed: bytes) -> bytes:
    return packed[:-4] + b"\1\2\3\4"


def many_filters() -> bytes:
    """A content of which nobody can make anything."""
    with scan() as pdf:
        stream = Stream(pdf, b"")
        stream.write(b"x" * 100, filter=Array([Name.ASCIIHexDecode] * 500))
        pdf.pages[0].Contents = stream
        return whole(pdf, **UNTOUCHED)
