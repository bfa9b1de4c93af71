"""Pages made of a scan and of text that is shown, or is not."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageDraw, ImageFont

SIZE = 1240, 1754
"""A4 at 150 dpi."""
POINTS = 595.2, 841.92
LINES = (
    "barrel pencil mirror signal anchor",
    "saddle copper quarry harbour island",
    "needle winter river zipper candle",
    "meadow cottage window orchard ledger",
    "forest autumn feather office gravel",
    "velvet dinner bridge collar yellow",
)
WHOLE_PAGE = b"q 595.2 0 0 841.92 0 0 cm /Scan Do Q\n"
NOTE = "Remarks that nobody is meant to see on this sheet, though they are longer than many a stamp. " * 4


def sheet(lines: Iterable[str] = LINES, size: tuple[int, int] = SIZE, height: int = 34) -> Image.Image:
    picture = Image.new("L", size, 255)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(height)
    for row, line in enumerate(lines):
        pen.text((90, 120 + row * 2.4 * height), line, 0, font)
    return picture


def font(subtype: Name = Name.Type1) -> Dictionary:
    return Dictionary(Type=Name.Font, Subtype=subtype, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)


def jpeg(pdf: pikepdf.Pdf, picture: Image.Image) -> Any:
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=90)
    colours = Name.DeviceGray if picture.mode == "L" else Name.DeviceRGB
    return pdf.make_stream(
        target.getvalue(), Type=Name.XObject, Subtype=Name.Image, Width=picture.width, Height=picture.height,
        ColorSpace=colours, BitsPerComponent=8, Filter=Name.DCTDecode,
    )  # fmt: skip


def form(pdf: pikepdf.Pdf, content: bytes, box: tuple[float, ...], **resources: Any) -> Any:
    return pdf.make_stream(
        content, Type=Name.XObject, Subtype=Name.Form, BBox=Array(box), Resources=Dictionary(**resources)
    )


def page(pdf: pikepdf.Pdf, content: bytes, pictures: dict[str, Any] | None = None, **resources: Any) -> Any:
    """One with the font /F, and /Scan unless other pictures are given."""
    made = pdf.add_blank_page(page_size=POINTS)
    drawn = {"Scan": jpeg(pdf, sheet())} if pictures is None else pictures
    made.obj.Resources = Dictionary(Font=Dictionary(F=font()), XObject=Dictionary(**drawn), **resources)
    made.obj.Contents = pdf.make_stream(content)
    return made.obj


def layer(pdf: pikepdf.Pdf, name: str, *, on: bool) -> Any:
    group = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=pikepdf.String(name)))
    if "/OCProperties" not in pdf.Root:
        settings = Dictionary(ON=Array([]), OFF=Array([]))
        pdf.Root.OCProperties = Dictionary(OCGs=Array([]), D=settings)
    pdf.Root.OCProperties.OCGs.append(group)
    (pdf.Root.OCProperties.D.ON if on else pdf.Root.OCProperties.D.OFF).append(group)
    return group


def text(words: str, x: float, y: float, size: float = 9, before: str = "") -> bytes:
    return f"BT {before} /F {size} Tf {x} {y} Td ({words}) Tj ET\n".encode("ascii")


def saved(pdf: pikepdf.Pdf, path: Path) -> Path:
    pdf.save(path)
    return path


def words_of(lines: Iterable[str] = LINES) -> list[str]:
    return [word for line in lines for word in line.split()]
