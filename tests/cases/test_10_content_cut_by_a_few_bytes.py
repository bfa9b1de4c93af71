"""A content or metadata a little damaged: viewers show all of it, and so it is delivered, with a warning (case 10)."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Stream, String

from ocr_worker.model.tasks import Failure, PageDone
from tests.cases import packed
from tests.cases.verdicts import file_of, page_of
from tests.faults.documents import UNTOUCHED, scan, whole
from tests.pages.desk import Desk


def scan_with(change: Callable[[bytes], bytes]) -> bytes:
    """A scanned page whose packed content is changed."""
    with scan() as pdf:
        sheet = pdf.pages[0]
        content = Stream(pdf, b"")
        content.write(change(zlib.compress(sheet.Contents.read_bytes() + b"\n")), filter=Name.FlateDecode)
        sheet.Contents = pdf.make_indirect(content)
        return whole(pdf, **UNTOUCHED)


@pytest.mark.parametrize("lost", [5, 6, 7, 8])
def test_a_scan_whose_content_lacks_a_few_bytes_is_read_with_a_warning(lost: int, desk: Desk) -> None:
    done = page_of(desk, scan_with(lambda content: content[:-lost]))

    assert isinstance(done, PageDone), done
    assert (done.status, done.words) == ("ok", 2)
    assert "breaks off" in " ".join(done.warnings)


@pytest.mark.parametrize("lost", [1, 4])
def test_a_checksum_is_not_missed(lost: int, desk: Desk) -> None:
    done = page_of(desk, scan_with(lambda content: content[:-lost]))

    assert isinstance(done, PageDone), done
    assert done.warnings == ()


def test_text_that_lacks_its_last_bytes_is_kept_with_a_warning(desk: Desk) -> None:
    done = page_of(desk, packed.typed("flate", lambda content: content[:-8]))

    assert isinstance(done, PageDone), done
    assert done.status == "has_text"
    assert "breaks off" in " ".join(done.warnings)


def test_text_of_which_half_is_gone_fails(desk: Desk) -> None:
    done = page_of(desk, packed.typed("flate", packed.cut(0.5)))

    assert isinstance(done, Failure)
    assert done.code == "corrupt"


def _xmp(content: bytes) -> Callable[[pikepdf.Pdf], object]:
    return lambda pdf: pdf.make_stream(content, Type=Name.Metadata, Subtype=Name.XML)


def _torn(pdf: pikepdf.Pdf) -> object:
    stream = Stream(pdf, b"")
    stream.write(zlib.compress(b"<x/>" * 1000)[:20], filter=Name.FlateDecode)
    return pdf.make_indirect(stream)


METADATA: dict[str, Callable[[pikepdf.Pdf], object]] = {
    "no-xml": _xmp(b"\xff\xfe\0no XML"),
    "cut": _xmp(b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'),
    "torn": _torn,
    "dictionary": lambda _: Dictionary(Title=String("What it is called")),
    "array": lambda _: Array([1]),
    "string": lambda _: String("none"),
}


@pytest.mark.parametrize("kind", METADATA)
def test_a_scan_with_damaged_metadata_is_delivered(kind: str, desk: Desk) -> None:
    with scan() as pdf:
        pdf.Root.Metadata = METADATA[kind](pdf)
        content = whole(pdf, fix_metadata_version=False)

    done = desk.process(file_of(desk, content, "scan.pdf"))

    assert done.text.split() == ["Harvest", "moon"]
    with pikepdf.open(done.outputs["pdf"]) as written:
        assert len(written.pages) == 1
