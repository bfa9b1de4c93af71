"""What a PDF says of itself, after it was changed: dates, structure, thumbnails, and how it is laid out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from lxml import etree
from pikepdf import Array, Dictionary, Name, String

from ocr_worker.model.tasks import PageSettings
from tests.faults import pictures
from tests.faults.documents import add_scan, add_text
from tests.pages.desk import ALL_OUTPUTS, Desk

OLD = "20200101000000"
XMP = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
%s><odd:kept xmlns:odd="urn:odd">as it was</odd:kept></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def _tagged(path: Path, scans: int = 0) -> Path:
    """A page of text, two more and so many scans; each text page with a paragraph in the tree."""
    with pikepdf.new() as pdf:
        root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
        elements, numbers = [], []
        for number in range(2):
            page = add_text(pdf, f"Typed page {number}")
            page.obj.StructParents = number
            page.obj.Contents = pdf.make_stream(
                b"/P <</MCID 0>> BDC\n" + page.Contents.read_bytes() + b"\nEMC"
            )
            page.obj.Thumb = pdf.make_stream(
                b"\xff", Width=1, Height=1, ColorSpace=Name.DeviceGray, BitsPerComponent=8
            )
            element = Dictionary(Type=Name.StructElem, S=Name.P, P=root, Pg=page.obj, K=0)
            elements.append(pdf.make_indirect(element))
            numbers += [number, Array([elements[-1]])]
        for _ in range(scans):
            add_scan(pdf, pictures.sheet("Harvest moon"))
        root.K, root.ParentTree = Array(elements), pdf.make_indirect(Dictionary(Nums=Array(numbers)))
        pdf.Root.StructTreeRoot, pdf.Root.MarkInfo = root, Dictionary(Marked=True)
        pdf.Root.PieceInfo = Dictionary(SearchIndex=Dictionary(LastModified=String(f"D:{OLD}")))
        pdf.docinfo["/ModDate"] = f"D:{OLD}Z"
        pdf.save(path)
    return path


def test_force_leaves_no_structure_no_thumbnail_and_no_index_of_what_is_gone(
    desk: Desk, tmp_path: Path
) -> None:
    done = desk.process(_tagged(tmp_path / "tagged.pdf"), PageSettings(existing_text="force"))

    with pikepdf.open(done.outputs["pdf"]) as pdf:
        assert {"/StructTreeRoot", "/MarkInfo", "/PieceInfo"}.isdisjoint(pdf.Root.keys())
        for page in pdf.pages:
            assert {"/StructParents", "/Thumb"}.isdisjoint(page.obj.keys())


def test_pages_that_were_not_touched_keep_their_structure(desk: Desk, tmp_path: Path) -> None:
    done = desk.process(_tagged(tmp_path / "tagged.pdf", scans=1))

    with pikepdf.open(done.outputs["pdf"]) as pdf:
        assert [int(element.K) for element in pdf.Root.StructTreeRoot.K] == [0, 0]
        assert [int(page.obj.StructParents) for page in list(pdf.pages)[:2]] == [0, 1]
        assert "/Thumb" in pdf.pages[0].obj


def test_the_date_moves_when_the_pdf_does(desk: Desk, tmp_path: Path) -> None:
    before = datetime.now(timezone.utc).replace(microsecond=0)
    changed = desk.process(_tagged(tmp_path / "changed.pdf", scans=1))
    untouched = desk.process(_tagged(tmp_path / "untouched.pdf"))

    with pikepdf.open(changed.outputs["pdf"]) as pdf:
        assert _moment(pdf.docinfo["/ModDate"]) >= before
    with pikepdf.open(untouched.outputs["pdf"]) as pdf:
        assert str(pdf.docinfo["/ModDate"]) == f"D:{OLD}Z"


@pytest.mark.parametrize(
    "dates",
    [
        b'xmp:ModifyDate="2020-01-01T00:00:00Z" xmp:MetadataDate="2020-01-01T00:00:00Z"',
        b"><xmp:ModifyDate>2020-01-01T00:00:00Z</xmp:ModifyDate",
    ],
)
def test_the_dates_of_the_xmp_move_too_and_nothing_else_of_it(
    dates: bytes, desk: Desk, tmp_path: Path
) -> None:
    path = _tagged(tmp_path / "xmp.pdf", scans=1)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.Root.Metadata = pdf.make_stream(XMP % dates, Type=Name.Metadata, Subtype=Name.XML)
        pdf.save(path)

    done = desk.process(path)

    with pikepdf.open(done.outputs["pdf"]) as pdf:
        packet = pdf.Root.Metadata.read_bytes()
        etree.fromstring(packet)
        assert b"2020-01-01" not in packet
        assert b'<odd:kept xmlns:odd="urn:odd">as it was</odd:kept>' in packet


def test_a_pdf_of_a_picture_says_what_it_is(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "K\u00e4se.png"
    path.write_bytes(pictures.png())

    done = desk.process(path)

    with pikepdf.open(done.outputs["pdf"]) as pdf:
        assert str(pdf.docinfo["/Title"]) == "K\u00e4se"
        assert str(pdf.docinfo["/Producer"]) == "OCR Sidecar"
        assert _moment(pdf.docinfo["/CreationDate"]) == _moment(pdf.docinfo["/ModDate"])


@pytest.mark.parametrize("linearized", [True, False])
def test_a_linearised_pdf_stays_so(linearized: bool, desk: Desk, tmp_path: Path) -> None:  # noqa: FBT001
    path = _tagged(tmp_path / "web.pdf", scans=1)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, linearize=linearized)

    done = desk.process(path)

    with pikepdf.open(done.outputs["pdf"]) as pdf:
        assert pdf.is_linearized is linearized


@pytest.mark.parametrize(("languages", "tags"), [(("eng",), "en"), (("eng", "deu"), "en de")])
def test_hocr_and_alto_say_the_language(
    languages: tuple[str, ...], tags: str, desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "scan.png"
    path.write_bytes(pictures.png())

    done = desk.process(path, replace(ALL_OUTPUTS, languages=languages))

    hocr, alto = (_parsed(done.outputs[kind]) for kind in ("hocr", "alto"))
    assert hocr.get("lang") == "en"
    assert hocr.xpath("//*[local-name()='meta'][@name='ocr-langs']/@content") == [tags]
    assert alto.xpath("//*[local-name()='processingStepSettings']/text()") == [f"languages: {tags}"]
    blocks = alto.xpath("//*[local-name()='TextBlock']/@LANG")
    assert blocks == (["en"] if languages == ("eng",) else [])


def _parsed(path: Path) -> Any:
    return etree.parse(path, etree.XMLParser(load_dtd=False, no_network=True)).getroot()


def _moment(date: Any) -> datetime:
    return datetime.strptime(str(date).replace("'", ""), "D:%Y%m%d%H%M%S%z")
