"""PDFs for the table of inputs: whole ones through pikepdf, broken ones byte by byte."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import img2pdf
import pikepdf
from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image, TiffImagePlugin

from tests.faults.pictures import SIZE, jpeg, saved, sheet
from tests.hold import held_name

UNTOUCHED = {"compress_streams": False, "stream_decode_level": pikepdf.StreamDecodeLevel.none}
"""For `whole`: streams are saved as they were made."""
POINTS = SIZE[0] * 72 / 200, SIZE[1] * 72 / 200


def whole(pdf: pikepdf.Pdf, **options: Any) -> bytes:
    target = io.BytesIO()
    pdf.save(target, **{"static_id": True, **options})
    return target.getvalue()


def scan(*texts: str) -> pikepdf.Pdf:
    """A page of one picture for each text."""
    pdf = pikepdf.new()
    for text in texts or ("Harvest moon",):
        add_scan(pdf, sheet(text))
    return pdf


def add_scan(pdf: pikepdf.Pdf, picture: Image.Image) -> pikepdf.Page:
    layout = img2pdf.get_fixed_dpi_layout_fun((200, 200))
    content = img2pdf.convert(jpeg(picture), layout_fun=layout)
    pdf.pages.extend(pikepdf.open(io.BytesIO(content)).pages)
    return pdf.pages[-1]


def add_text(pdf: pikepdf.Pdf, text: str, to_unicode: bytes | None = None) -> pikepdf.Page:
    page = pdf.add_blank_page(page_size=POINTS)
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    if to_unicode is not None:
        font.ToUnicode = pdf.make_stream(to_unicode)
    page.Resources = Dictionary(Font=Dictionary(F=font))
    page.Contents = pdf.make_stream(b"BT /F 18 Tf 20 30 Td (%s) Tj ET" % text.encode("ascii"))
    return page


def changed(change: Callable[[pikepdf.Pdf], None], pdf: pikepdf.Pdf | None = None) -> bytes:
    pdf = pdf or scan()
    change(pdf)
    return whole(pdf)


def odd_filter() -> bytes:
    """A stream beside the page, of a filter whose name is not UTF-8."""

    def add(pdf: pikepdf.Pdf) -> None:
        stream = pdf.make_stream(b"kept as it is")
        stream.Filter = pikepdf.Object.parse(b"/Fl#ffate")
        pdf.Root.Odd = stream

    return changed(add)


def born_digital() -> bytes:
    return changed(lambda pdf: None, _with_texts("Born digital words"))


def mixed() -> bytes:
    pdf = _with_texts("Typed page words")
    add_scan(pdf, sheet("Scanned page"))
    return whole(pdf)


def garbage_map() -> bytes:
    """Visible text of which no character has a meaning."""
    pdf = pikepdf.new()
    codes = b"".join(b"<%02x> <e0%02x>\n" % (code, code) for code in range(32, 127))
    cmap = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def\n"
        b"1 begincodespacerange <00> <ff> endcodespacerange\n95 beginbfchar\n"
        + codes
        + b"endbfchar endcmap end end"
    )
    add_text(pdf, "Garbled words", cmap)
    return whole(pdf)


def page_that_pdfium_loses() -> bytes:
    """Two pages with a null between them in their tree, which qpdf passes over and PDFium takes for the second one."""

    def part(pdf: pikepdf.Pdf) -> None:
        first, second = (page.obj for page in pdf.pages)
        pdf.Root.Pages.Kids = Array([first, None, second])
        pdf.Root.Pages.Count = 2

    return changed(part, scan("Harvest moon", "Second page"))


def cut(share: float) -> bytes:
    """A scan of four pages, cut off."""
    content = whole(scan("Page one", "Page two", "Page three", "Page four"))
    return content[: int(len(content) * share)]


def broken_xref() -> bytes:
    content = whole(scan(), object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return re.sub(rb"(startxref\s+)\d+", rb"\g<1>999999", content).replace(b"\nxref\n", b"\nxrxx\n")


def turned(degrees: int) -> bytes:
    """A scan that lies turned and has a /Rotate which shows it upright."""
    undo = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
    pdf = pikepdf.new()
    add_scan(pdf, sheet().transpose(undo[degrees])).Rotate = degrees
    return whole(pdf)


def boxed(key: str, box: list[float]) -> bytes:
    return changed(lambda pdf: pdf.pages[0].obj.__setitem__(key, Array(box)))


def sized(points: float, user_unit: float = 1) -> bytes:
    """A page of one scan, stretched to a square of a size."""
    pdf = scan()
    page = pdf.pages[0]
    page.MediaBox, page.UserUnit = Array([0, 0, points, points]), user_unit
    for box in {"/CropBox", "/TrimBox", "/BleedBox", "/ArtBox"} & set(page.obj.keys()):
        del page.obj[box]
    name = next(iter(page.Resources.XObject.keys()))
    page.Contents = pdf.make_stream(
        b"q %g 0 0 %g 0 %g cm %s Do Q" % (points, points / 3.2, points / 3, name.encode())
    )
    return whole(pdf)


def encrypted(user: str, owner: str = "the-owner") -> bytes:
    return whole(scan(), encryption=pikepdf.Encryption(owner=owner, user=user))


def for_certificates() -> bytes:
    """Encrypted for certain people: the handler is Adobe's public key one."""
    return _with_handler(
        b"<</Filter/Adobe.PubSec/SubFilter/adbe.pkcs7.s5/V 4/Length 128/CF<</DefaultCryptFilter<</CFM/AESV2/Length 16/Recipients[<3082>]>>>>/StmF/DefaultCryptFilter/StrF/DefaultCryptFilter>>"
    )


def of_the_future() -> bytes:
    """Encrypted by a version of the standard that nobody knows."""
    return _with_handler(b"<</Filter/Standard/V 9/R 9/O(%s)/U(%s)/P -1>>" % (b"a" * 32, b"a" * 32))


def _with_handler(handler: bytes) -> bytes:
    content = whole(scan(), object_stream_mode=pikepdf.ObjectStreamMode.disable, static_id=True)
    return content.replace(b"trailer <<", b"trailer << /Encrypt " + handler, 1)


def signed() -> bytes:
    def sign(pdf: pikepdf.Pdf) -> None:
        field = _widget(pdf, Dictionary(FT=Name.Sig, T=pikepdf.String("Signature"), V=_signature(pdf)))
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]), SigFlags=3)

    return changed(sign)


def signed_in_kid() -> bytes:
    """The field says what it is, its widget holds the signature."""

    def sign(pdf: pikepdf.Pdf) -> None:
        field = pdf.make_indirect(Dictionary(FT=Name.Sig, T=pikepdf.String("Signature")))
        field.Kids = Array([_widget(pdf, Dictionary(Parent=field, V=_signature(pdf)))])
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]), SigFlags=3)

    return changed(sign)


def signed_on_page() -> bytes:
    """The form does not list the field."""

    def sign(pdf: pikepdf.Pdf) -> None:
        _widget(pdf, Dictionary(FT=Name.Sig, T=pikepdf.String("Signature"), V=_signature(pdf)))
        pdf.Root.AcroForm = Dictionary(Fields=Array([]), SigFlags=3)

    return changed(sign)


def certified() -> bytes:
    """Signed by its author, with no field."""
    return changed(lambda pdf: pdf.Root.__setitem__("/Perms", Dictionary(DocMDP=_signature(pdf))))


def _signature(pdf: pikepdf.Pdf) -> Any:
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Sig, Filter=Name("/Adobe.PPKLite"), SubFilter=Name("/adbe.pkcs7.detached"),
            ByteRange=Array([0, 10, 20, 30]), Contents=pikepdf.String(b"\x30\x82" * 32),
        )
    )  # fmt: skip


def form() -> bytes:
    def fill(pdf: pikepdf.Pdf) -> None:
        field = _widget(pdf, Dictionary(FT=Name.Tx, T=pikepdf.String("Surname"), V=pikepdf.String("Miller")))
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]), DA=pikepdf.String("/Helv 12 Tf 0 g"))

    return changed(fill)


def dynamic_xfa() -> bytes:
    def fill(pdf: pikepdf.Pdf) -> None:
        template = pdf.make_stream(b'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"></xdp:xdp>')
        pdf.Root.AcroForm = Dictionary(Fields=Array([]), XFA=template)
        pdf.Root.NeedsRendering = True

    return changed(fill)


def page_loop() -> bytes:
    """A page tree whose only kid is itself."""
    return _raw([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[2 0 R]/Parent 2 0 R>>"])


def prev_loop() -> bytes:
    """A cross-reference section whose /Prev is itself, in front of a page tree that is gone."""
    return _with_prev_loop([b"<</Type/Catalog/Pages 9 0 R>>"])


def flate_bomb() -> bytes:
    """14 KB that would become 2 GB: a content stream of nothing but blanks, packed twice."""
    return _with_bomb(scan())


def bomb_page() -> bytes:
    """A scan, and a page that is such a bomb."""
    return _with_bomb(scan("Good page", "Bad page"))


def _with_bomb(pdf: pikepdf.Pdf) -> bytes:
    stream = Stream(pdf, b"")
    stream.write(zlib.compress(_packed_blanks(128), 9), filter=Array([Name.FlateDecode, Name.FlateDecode]))
    pdf.pages[-1].Contents = stream
    return whole(pdf, **UNTOUCHED)


def xref_bomb() -> bytes:
    """A cross-reference stream of 1 GB of blanks, in front of a sound page."""
    return _with_xref(b"/W[1 4 2]/Size 150000000/Filter/FlateDecode", _packed_blanks(64), _BARE)


def object_stream_bomb() -> bytes:
    """A list of objects, the catalogue among them, that would become 2 GB of blanks."""
    bomb = _packed_stream(b"/Type/ObjStm/N 1/First 8/Filter/FlateDecode", _packed_blanks(128))
    objects = {2: _BARE[2], 3: _BARE[3], 5: bomb}
    starts = _starts(objects)
    entries = [
        (0, 0, 65_535),
        (2, 5, 0),
        (1, starts[2], 0),
        (1, starts[3], 0),
        (1, starts[0], 0),
        (1, starts[5], 0),
    ]
    return _with_xref(
        b"/W[1 4 2]/Size 6", b"".join(struct.pack(">BIH", *entry) for entry in entries), objects
    )


_BARE = {
    1: b"<</Type/Catalog/Pages 2 0 R>>",
    2: b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
    3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>",
}
_HEAD = b"%PDF-1.7\n"


def _with_xref(fields: bytes, table: bytes, objects: dict[int, bytes]) -> bytes:
    """A PDF of these objects and a cross-reference stream, number 4."""
    xref = _numbered(4, _packed_stream(b"/Type/XRef/Root 1 0 R" + fields, table))
    content = _HEAD + b"".join(_numbered(number, body) for number, body in objects.items())
    return content + xref + b"startxref\n%d\n%%%%EOF\n" % len(content)


def _starts(objects: dict[int, bytes]) -> dict[int, int]:
    """Where each object lies; that of number 0 is where they end."""
    starts, at = {}, len(_HEAD)
    for number, body in objects.items():
        starts[number] = at
        at += len(_numbered(number, body))
    return {**starts, 0: at}


def _numbered(number: int, body: bytes) -> bytes:
    return b"%d 0 obj\n%s\nendobj\n" % (number, body)


def _packed_stream(fields: bytes, content: bytes) -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (fields, len(content), content)


def picture_bomb() -> bytes:
    """A page whose one picture says it has 10 000 000 000 pixels."""

    def stuff(pdf: pikepdf.Pdf) -> None:
        stream = Stream(pdf, b"")
        stream.write(zlib.compress(b"\0" * (1 << 24), 9), filter=Name.FlateDecode)
        stream.Type, stream.Subtype, stream.ColorSpace = Name.XObject, Name.Image, Name.DeviceRGB
        stream.Width, stream.Height, stream.BitsPerComponent = 100_000, 100_000, 8
        page = pdf.pages[0]
        page.Resources.XObject = Dictionary(Im=pdf.make_indirect(stream))
        page.Contents = pdf.make_stream(b"q 200 0 0 60 0 0 cm /Im Do Q")

    return changed(stuff)


def jpx() -> bytes:
    return _of_stream(
        saved(sheet(), "JPEG2000"), Name.JPXDecode, {"ColorSpace": Name.DeviceGray, "BitsPerComponent": 8}
    )


def ccitt() -> bytes:
    return _of_stream(_group4(), Name.CCITTFaxDecode, {
        "ColorSpace": Name.DeviceGray, "BitsPerComponent": 1,
        "DecodeParms": Dictionary(K=-1, Columns=SIZE[0], Rows=SIZE[1], BlackIs1=False),
    })  # fmt: skip


def jbig2() -> bytes:
    """A page information segment, and a generic region whose bits are packed as CCITT group 4."""
    width, height = SIZE
    info = struct.pack(">IIIIBH", width, height, 0, 0, 0, 0)
    region = struct.pack(">IIIIB", width, height, 0, 0, 0) + b"\1" + _group4()
    segments = struct.pack(">IBBBI", 0, 48, 0, 1, len(info)) + info
    segments += struct.pack(">IBBBI", 1, 38, 0, 1, len(region)) + region
    return _of_stream(segments, Name.JBIG2Decode, {"ColorSpace": Name.DeviceGray, "BitsPerComponent": 1})


def long_scan(folder: Path) -> Path:
    """A `long.pdf` of five scans below a folder: its last page is in work until the test lets it go."""
    pdf = scan()
    for number in range(4):
        add_scan(pdf, sheet(f"Page {number}", size=(1200, 1200)))
    file = held_name(folder / "scans", [5]) / "long.pdf"
    file.parent.mkdir()
    file.write_bytes(whole(pdf))
    return file


def many_pages(count: int) -> bytes:
    pdf = pikepdf.new()
    for number in range(1, count + 1):
        add_text(pdf, f"Page {number}")
    return whole(pdf)


def _packed_blanks(times: int) -> bytes:
    """A zlib stream of so many times 16 MiB of blanks: one block is packed, and repeated."""
    blanks, packer = b" " * (1 << 24), zlib.compressobj(9, wbits=-15)
    block = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 1
    for _ in range(times):
        checksum = zlib.adler32(blanks, checksum)
    return b"\x78\xda" + block * times + packer.flush() + struct.pack(">I", checksum)


def _with_texts(*texts: str) -> pikepdf.Pdf:
    pdf = pikepdf.new()
    for text in texts:
        add_text(pdf, text)
    return pdf


def _widget(pdf: pikepdf.Pdf, field: Dictionary) -> Any:
    field.Type, field.Subtype, field.Rect = Name.Annot, Name.Widget, Array([10, 10, 100, 30])
    made = pdf.make_indirect(field)
    pdf.pages[0].Annots = Array([made])
    return made


def _of_stream(content: bytes, packing: Name, fields: dict[str, Any]) -> bytes:
    """A page that shows one picture, packed as given."""
    pdf = pikepdf.new()
    stream = Stream(pdf, b"")
    stream.write(content, filter=packing)
    shape = {"Type": Name.XObject, "Subtype": Name.Image, "Width": SIZE[0], "Height": SIZE[1]}
    for name, value in {**shape, **fields}.items():
        stream[f"/{name}"] = value
    page = pdf.add_blank_page(page_size=POINTS)
    page.Resources = Dictionary(XObject=Dictionary(Im=pdf.make_indirect(stream)))
    page.Contents = pdf.make_stream(b"q %g 0 0 %g 0 0 cm /Im Do Q" % POINTS)
    return whole(pdf)


def _group4() -> bytes:
    """The bits of a sheet as one strip of CCITT group 4, without its TIFF."""
    TiffImagePlugin.STRIP_SIZE = 1 << 30
    # TIFF calls white 1 here, the two filters call it 0.
    content = saved(sheet().point(lambda v: 255 - v).convert("1"), "TIFF", compression="group4")
    with Image.open(io.BytesIO(content)) as tiff:
        assert isinstance(tiff, TiffImagePlugin.TiffImageFile)
        (offset,), (size,) = tiff.tag_v2[273], tiff.tag_v2[279]
    return content[offset : offset + size]


def prev_loop_behind_pages() -> bytes:
    """The same in front of a page tree that is whole."""
    return _with_prev_loop(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>",
        ]
    )


def _with_prev_loop(objects: list[bytes]) -> bytes:
    content = _raw(objects)
    start = content.rindex(b"xref\n", 0, content.rindex(b"startxref"))
    return content.replace(b"trailer\n<<", b"trailer\n<</Prev %d" % start)


def _raw(objects: list[bytes]) -> bytes:
    """A PDF of these objects, with a right cross-reference table."""
    content, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(content))
    return content + table + trailer
