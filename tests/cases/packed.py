"""Pictures and contents packed by each of PDF's filters, and PDFs of them, to be cut short."""

from __future__ import annotations

import base64
import io
import random
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image, ImageDraw, ImageFont

from tests.faults.documents import UNTOUCHED, whole
from tests.faults.pictures import saved

SIZE = 640, 800
POINTS = SIZE[0] * 0.36, SIZE[1] * 0.36
"""At 200 dots an inch."""
WORDS = ("Harvest moon", "Silver river", "Copper kettle", "Winter garden", "Golden meadow")
_COMMON = (
    "the of and to in that was his with for had not but from have they which one were all their there been would when "
    "who will more out said what about time them some could into other then these only new very after most little "
    "house river morning garden winter window letter village mountain kitchen harbour evening summer silver"
)
_FOOT_ROWS, _GRAINS = 64, 16


def page() -> Image.Image:
    """Five lines of words, and a foot of grain, so that each byte of its packed end stands for something."""
    picture = Image.new("L", SIZE, 255)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(56)
    for number, words in enumerate(WORDS):
        pen.text((60, 40 + 140 * number), words, fill=0, font=font)
    grain = random.Random(1).randbytes(_FOOT_ROWS * (_GRAINS + 7) // 8)
    foot = Image.frombytes("1", (_GRAINS, _FOOT_ROWS), grain).convert("L")
    picture.paste(foot.resize((SIZE[0], _FOOT_ROWS), Image.Resampling.NEAREST), (0, SIZE[1] - _FOOT_ROWS))
    return picture


def strip(picture: Image.Image, compression: str) -> bytes:
    """What libtiff packs it to, in one strip."""
    content = saved(picture, "TIFF", compression=compression, strip_size=1 << 30)
    with Image.open(io.BytesIO(content)) as tiff:
        tags: Any = tiff
        ((start,), (length,)) = tags.tag_v2[273], tags.tag_v2[279]
    return content[start : start + length]


def jbig2(picture: Image.Image) -> bytes:
    """A page and a region on it, which is coded as a fax is."""
    width, height = picture.size
    region = struct.pack(">IIIIBB", width, height, 0, 0, 0, 1) + strip(picture.convert("1"), "group4")
    page_information = struct.pack(">IIIIBH", width, height, 0, 0, 0, 0)
    return _segment(0, 48, page_information) + _segment(1, 38, region)


def _segment(number: int, kind: int, data: bytes) -> bytes:
    return struct.pack(">IBBBI", number, kind, 0, 1, len(data)) + data


def _grey() -> bytes:
    return page().tobytes()


_FAX = Dictionary(K=-1, Columns=SIZE[0], BlackIs1=False)
_GREY = {"ColorSpace": Name.DeviceGray, "BitsPerComponent": 8}
_BITS = {"ColorSpace": Name.DeviceGray, "BitsPerComponent": 1}
A85, HEX, FLATE = Name.ASCII85Decode, Name.ASCIIHexDecode, Name.FlateDecode
Packing = tuple[Callable[[], bytes], list[Any], dict[str, Any]]
PICTURES: dict[str, Packing] = {
    "flate": (lambda: zlib.compress(_grey()), [FLATE], _GREY),
    "lzw": (lambda: strip(page(), "tiff_lzw"), [Name.LZWDecode], _GREY),
    "runs": (lambda: strip(page(), "packbits") + b"\x80", [Name.RunLengthDecode], _GREY),
    "hex": (lambda: _grey().hex().encode() + b">", [HEX], _GREY),
    "ascii85": (lambda: base64.a85encode(_grey()) + b"~>", [A85], _GREY),
    "ascii85-flate": (lambda: base64.a85encode(zlib.compress(_grey())) + b"~>", [A85, FLATE], _GREY),
    "ascii85-jpeg": (lambda: base64.a85encode(saved(page(), "JPEG")) + b"~>", [A85, Name.DCTDecode], _GREY),
    "jpeg": (lambda: saved(page(), "JPEG", quality=90), [Name.DCTDecode], _GREY),
    "jpeg-progressive": (lambda: saved(page(), "JPEG", progressive=True), [Name.DCTDecode], _GREY),
    "jpeg-restarts": (lambda: saved(page(), "JPEG", restart_marker_rows=1), [Name.DCTDecode], _GREY),
    "jpx": (lambda: saved(page(), "JPEG2000"), [Name.JPXDecode], _GREY),
    "jpx-tiles": (lambda: saved(page(), "JPEG2000", tile_size=(256, 256)), [Name.JPXDecode], _GREY),
    "fax-g4": (lambda: strip(page().convert("1"), "group4"), [Name.CCITTFaxDecode], {**_BITS, "DecodeParms": _FAX}),
    "jbig2": (lambda: jbig2(page()), [Name.JBIG2Decode], _BITS),
    "none": (_grey, [], _GREY),
}  # fmt: skip
_WIDTH = 64


def _rows_below(data: bytes) -> bytes:
    """As PNG's second filter leaves rows: each byte less the one above it."""
    data += b" " * (-len(data) % _WIDTH)
    above = bytes(_WIDTH) + data
    rows = (
        bytes((one - over) & 255 for one, over in zip(data[at : at + _WIDTH], above[at:], strict=False))
        for at in range(0, len(data), _WIDTH)
    )
    return b"".join(b"\2" + row for row in rows)


CONTENTS: dict[str, tuple[Callable[[bytes], bytes], list[Any]]] = {
    "predicted": (lambda data: zlib.compress(_rows_below(data)), [FLATE]),
    "flate": (zlib.compress, [FLATE]),
    "hex": (lambda data: data.hex().encode() + b">", [HEX]),
    "ascii85": (lambda data: base64.a85encode(data) + b"~>", [A85]),
    "ascii85-flate": (lambda data: base64.a85encode(zlib.compress(data)) + b"~>", [A85, FLATE]),
    "lzw": (lambda data: strip(Image.frombytes("L", (len(data), 1), data), "tiff_lzw"), [Name.LZWDecode]),
    "runs": (lambda data: b"".join(bytes([0, one]) for one in data) + b"\x80", [Name.RunLengthDecode]),
}


def pictured(name: str, change: Callable[[bytes], bytes] = bytes) -> bytes:
    """A page of one picture, drawn with a margin, whose packed bytes are changed."""
    make, filters, entries = PICTURES[name]
    return drawn(change(make()), filters, entries)


def drawn(packed: bytes, filters: list[Any], entries: dict[str, Any], margin: int = 2) -> bytes:
    """With a margin, which no scan has, a page has to be drawn to be read."""
    pdf = pikepdf.new()
    width, height = POINTS
    sheet = pdf.add_blank_page(page_size=POINTS)
    image = Stream(pdf, b"", Type=Name.XObject, Subtype=Name.Image, Width=SIZE[0], Height=SIZE[1])
    image.write(packed, filter=Array(filters) if filters else None)
    for key, value in entries.items():
        image[f"/{key}"] = value
    sheet.Resources = Dictionary(XObject=Dictionary(Im0=pdf.make_indirect(image)))
    place = f"{width - 2 * margin} 0 0 {height - 2 * margin} {margin} {margin}"
    sheet.Contents = pdf.make_stream(f"q {place} cm /Im0 Do Q".encode("ascii"))
    return whole(pdf, **UNTOUCHED)


NOT_INLINE = {"jpx", "jpx-tiles", "jbig2"}
_SHORT = {"ColorSpace": b"/CS", "BitsPerComponent": b"/BPC", "DecodeParms": b"/DP"}


def inline(name: str, change: Callable[[bytes], bytes] = bytes) -> bytes:
    """The same page, of which the picture lies in the content itself."""
    make, filters, entries = PICTURES[name]
    width, height = POINTS
    parts = [
        b"/W %d /H %d" % SIZE,
        *(b"%s %s" % (_SHORT[key], _written(value)) for key, value in entries.items()),
    ]
    if filters:
        parts.append(b"/F %s" % _written(filters[0] if len(filters) == 1 else Array(filters)))
    content = b"q %f 0 0 %f 2 2 cm BI %s ID " % (width - 4, height - 4, b" ".join(parts))
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=POINTS).Contents = pdf.make_stream(content + change(make()) + b"\nEI Q\n")
    return whole(pdf, **UNTOUCHED)


def _written(value: Any) -> bytes:
    return value.unparse() if isinstance(value, pikepdf.Object) else str(value).encode("ascii")


def filling(packed: bytes, filters: list[Any], entries: dict[str, Any]) -> bytes:
    """The picture is the page."""
    return drawn(packed, filters, entries, margin=0)


def typed(packing: str, change: Callable[[bytes], bytes] = bytes) -> bytes:
    """A born-digital page of 30 rows in one text, whose packed content is changed."""
    pick = random.Random(1)
    words = [" ".join(pick.choices(_COMMON.split(), k=7)) for _ in range(30)]
    rows = "".join(f"0 -20 Td (Row {n} {word}) Tj\n" for n, word in enumerate(words)).encode("ascii")
    pack, filters = CONTENTS[packing]
    pdf = pikepdf.new()
    sheet = pdf.add_blank_page(page_size=(600, 800))
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    sheet.Resources = Dictionary(Font=Dictionary(F=font))
    content = Stream(pdf, b"")
    settings = Dictionary(Predictor=12, Columns=_WIDTH) if packing == "predicted" else None
    packed = change(pack(b"BT /F 18 Tf 20 750 Td\n" + rows + b"ET\n"))
    content.write(packed, filter=Array(filters), decode_parms=settings and Array([settings]))
    sheet.Contents = pdf.make_indirect(content)
    return whole(pdf, **UNTOUCHED)


def cut(share: float) -> Callable[[bytes], bytes]:
    return lambda packed: packed[: int(len(packed) * share)]


FAXES = {"tiff_ccitt", "group3", "group4"}
_TIFF_CODES = {"raw": 1, "tiff_ccitt": 2, "group3": 3, "group4": 4, "tiff_lzw": 5, "jpeg": 7}
_TILE, _ROWS = 256, 200


def tiff_parts(packing: str, *, tiled: bool) -> list[bytes]:
    """The page as the strips or tiles that a TIFF has it in."""
    (width, height), (across, down) = SIZE, (_TILE, _TILE) if tiled else (SIZE[0], _ROWS)
    picture = page().convert("1") if packing in FAXES else page()
    tops, lefts = range(0, height, down), range(0, width, across)
    return [_tiff_part(picture.crop((x, y, x + across, y + down)), packing) for y in tops for x in lefts]


def _tiff_part(picture: Image.Image, packing: str) -> bytes:
    match packing:
        case "raw":
            return picture.tobytes()
        case "jpeg":
            return saved(picture, "JPEG", quality=90)
        case _:
            return strip(picture, packing)


def tiff_of(parts: list[bytes], packing: str, *, tiled: bool, rows: int = _ROWS) -> bytes:
    """A file that is whole, whatever its parts are."""
    starts = [8 + sum(map(len, parts[:n])) for n in range(len(parts))]
    lengths = [len(part) for part in parts]
    is_fax = packing in FAXES
    tags = {256: [SIZE[0]], 257: [SIZE[1]], 258: [1 if is_fax else 8], 259: [_TIFF_CODES[packing]],
        262: [0 if is_fax else 1], 277: [1]}  # fmt: skip
    if tiled:
        tags |= {322: [_TILE], 323: [_TILE], 324: starts, 325: lengths}
    else:
        tags |= {273: starts, 278: [rows], 279: lengths}
    body = b"".join(parts) + b"\0" * (sum(lengths) % 2)
    entries, beyond, behind = b"", b"", 8 + len(body) + 6 + 12 * len(tags)
    for tag, values in sorted(tags.items()):
        content = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            content, beyond = struct.pack("<I", behind + len(beyond)), beyond + content
        entries += struct.pack("<HHI", tag, 4, len(values)) + content
    return (
        b"II*\0"
        + struct.pack("<I", 8 + len(body))
        + body
        + struct.pack("<H", len(tags))
        + entries
        + bytes(4)
        + beyond
    )
