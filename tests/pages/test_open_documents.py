"""The document that is worked on stays open, and what was read of it does not pile up in memory."""

from __future__ import annotations

import ctypes
import io
import platform
from pathlib import Path
from random import Random

import img2pdf
import pytest
from PIL import Image

from ocr_worker.engines.pdf import pdf_file, pdfium
from ocr_worker.engines.pdf.pdfium import PdfiumError
from ocr_worker.pages.open_documents import MOST_READ_BYTES, Documents
from ocr_worker.pages.rendering import load_sheet
from ocr_worker.pages.source_file import Stamp, stamp_of

PAGES = 16


class Heap(ctypes.Structure):
    """What glibc tells of it, as ten numbers."""

    _fields_ = (("numbers", ctypes.c_size_t * 10),)


def bytes_in_use() -> int:
    tell = ctypes.CDLL(None).mallinfo2
    tell.restype = Heap
    numbers = tell().numbers
    mapped, small = numbers[4], numbers[7]
    return int(mapped + small)


def photograph(seed: int) -> bytes:
    """A JPEG of a megabyte."""
    noise = Image.frombytes("L", (1000, 1000), Random(seed).randbytes(1_000_000))
    stream = io.BytesIO()
    noise.save(stream, "JPEG", quality=90)
    return stream.getvalue()


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("album") / "album.pdf"
    path.write_bytes(img2pdf.convert([photograph(seed) for seed in range(PAGES)], nodate=True))
    return path


def stamp(path: Path) -> Stamp:
    return stamp_of(path.stat())


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone tells what is in use")
def test_pages_that_were_seen_are_not_kept_in_memory(album: Path) -> None:
    documents = Documents()
    load_sheet(documents.pdf(album, None, stamp(album)), 1)
    before = bytes_in_use()

    most = 0
    for number in range(1, PAGES + 1):
        load_sheet(documents.pdf(album, None, stamp(album)), number)
        most = max(most, bytes_in_use() - before)

    documents.close()
    share = album.stat().st_size / PAGES
    assert share > 500_000
    assert most < MOST_READ_BYTES + 3 * share < PAGES * share / 1.5


def test_a_document_that_is_opened_afresh_shows_the_same_pages(album: Path) -> None:
    documents = Documents()
    first = documents.pdf(album, None, stamp(album))
    sizes = {number: load_sheet(first, number).inches for number in (1, PAGES)}

    opened = [documents.pdf(album, None, stamp(album)) for _ in range(PAGES)]

    assert {id(one.structure) for one in opened} == {id(first.structure)}
    assert 2 < len({id(one.rendering) for one in opened}) < PAGES / 2
    assert {number: load_sheet(opened[-1], number).inches for number in sizes} == sizes
    documents.close()


def test_one_that_can_not_be_opened_again_stays_open(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pdf = pdf_file.open_pdf(album, None)

    def refuse(*_: object) -> None:
        raise PdfiumError("gone")

    monkeypatch.setattr(pdfium, "load", refuse)

    assert pdf.afresh(album, None) is pdf
    assert load_sheet(pdf, 1).page is not None
    pdf.close()


def test_one_that_is_drawn_from_a_copy_stays_open(tmp_path: Path) -> None:
    torn = tmp_path / "torn.pdf"
    torn.write_bytes(img2pdf.convert([photograph(1)], nodate=True)[:-600])
    pdf = pdf_file.open_pdf(torn, None)

    assert "Its pages are drawn from a mended copy" in pdf.warnings
    assert pdf.afresh(torn, None) is pdf
    pdf.close()
