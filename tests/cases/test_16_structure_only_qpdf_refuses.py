"""A structure that PDFium makes out and qpdf doesn't: the pages are rebuilt, and that is said (case 16)."""

from __future__ import annotations

import re

import pikepdf
import pytest

from ocr_worker.engines.pdf import qpdf
from ocr_worker.errors import OcrError
from tests.cases.verdicts import file_of
from tests.faults.documents import scan, signed, whole
from tests.pages.desk import Desk

FIRST = 700_001
"""Numbers of objects far beyond what the file's size lets qpdf believe."""


def renumbered(content: bytes) -> bytes:
    """The same document, its objects counted from FIRST on."""
    body = content[: content.rindex(b"xref\n", 0, content.rindex(b"startxref"))]
    parts = re.split(rb"(stream\n.*?endstream)", body, flags=re.DOTALL)
    moved = b"".join(part if number % 2 else _moved(part) for number, part in enumerate(parts))
    starts = [found.start() for found in re.finditer(rb"(?m)^7000\d\d 0 obj", moved)]
    rows = b"".join(b"%010d 00000 n \n" % start for start in starts)
    table = b"xref\n0 1\n0000000000 65535 f \n%d %d\n" % (FIRST, len(starts)) + rows
    trailer = b"trailer << /Root %d 0 R /Size %d >>\n" % (FIRST, FIRST + len(starts))
    return moved + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(moved)


def _moved(part: bytes) -> bytes:
    return re.sub(
        rb"\b(\d+) 0 (obj|R)\b", lambda found: b"%d 0 %s" % (int(found[1]) + FIRST - 1, found[2]), part
    )


def plain(*texts: str) -> bytes:
    return whole(scan(*texts), object_stream_mode=pikepdf.ObjectStreamMode.disable)


def test_such_a_file_is_delivered_with_a_warning(desk: Desk) -> None:
    content = renumbered(plain("Harvest moon", "Silver river"))

    done = desk.process(file_of(desk, content, "scan.pdf"))

    assert done.text.split() == ["Harvest", "moon", "Silver", "river"]
    assert "rebuilt" in " ".join(done.opened.warnings)
    with pikepdf.open(done.outputs["pdf"]) as written:
        assert len(written.pages) == 2


def test_what_qpdf_refuses_is_what_this_is_about() -> None:
    with pytest.raises(qpdf.QpdfError):
        qpdf.load(renumbered(plain()), None, "scan.pdf")


def test_a_signed_one_is_not_rebuilt_into_one_that_nobody_signed(desk: Desk) -> None:
    with pikepdf.open(desk_source(desk, signed())) as pdf:
        content = renumbered(whole(pdf, object_stream_mode=pikepdf.ObjectStreamMode.disable))

    with pytest.raises(OcrError) as caught:
        desk.open(file_of(desk, content, "scan.pdf"))

    assert caught.value.code in ("corrupt", "signed")


def desk_source(desk: Desk, content: bytes) -> str:
    return str(file_of(desk, content, "signed.pdf"))
