"""The first look at a file: what it is by content, or why it can't be processed. Content is covered by tests/faults, row by row."""

from __future__ import annotations

import os
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from ocr_worker.errors import NotFoundError, NotRegularError, OcrError
from tests.faults import documents, pictures
from tests.pages.desk import Desk

HEADS = {
    "heic": b"\0\0\0\x18ftypheic",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "psd": b"8BPS\0\x01",
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%PDF",
    "text": b"just words\n",
    "jp2": b"\0\0\0\x0cjP  \r\n\x87\n",
    "zip": b"PK\x03\x04",
    "fdf": b"%FDF-1.2\n1 0 obj\n<< /FDF << /Fields [] >> >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n",
}


@pytest.mark.parametrize("kind", HEADS)
def test_only_listed_types_are_opened(kind: str, desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(HEADS[kind].ljust(64, b"\n"))

    with pytest.raises(OcrError) as caught:
        desk.open(path)

    assert caught.value.code == "unsupported_type"
    assert "scan.pdf" in caught.value.message


@pytest.mark.parametrize("make", ["mkfifo", "mkdir"])
def test_what_is_no_regular_file_is_refused_without_blocking(make: str, desk: Desk, tmp_path: Path) -> None:
    getattr(os, make)(tmp_path / "odd.pdf")

    with pytest.raises(NotRegularError):
        desk.open(tmp_path / "odd.pdf")


@pytest.mark.parametrize("target", ["loop.pdf", "nowhere.pdf"])
def test_a_link_that_leads_nowhere_is_not_found(target: str, desk: Desk, tmp_path: Path) -> None:
    link = tmp_path / "loop.pdf"
    link.symlink_to(tmp_path / target)

    with pytest.raises(NotFoundError):
        desk.open(link)


def test_a_wrong_extension_is_only_a_warning(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(pictures.png())

    opened = desk.open(path)

    assert opened.type == "png"
    assert "read as png" in opened.warnings[0]


def test_a_name_that_is_not_utf_8_is_opened_like_any_other(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.pdf")
    path.write_bytes(documents.born_digital())

    done = desk.process(path)

    assert done.pages[0].status == "has_text"
    assert done.record["source"]["path"].endswith("caf%E9.pdf")


def test_pages_are_gathered_when_the_page_tree_is_lost(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "cut.pdf"
    content = documents.whole(documents.scan("Harvest moon", "Second page"), object_stream_mode=0)
    path.write_bytes(
        content.replace(b"/Type /Pages", b"/Tpye /Pages").replace(b"/Kids", b"/Kdis").rsplit(b"xref", 2)[0]
    )

    done = desk.process(path)

    assert done.opened.pages == 2
    assert "2 pages could be recovered" in done.opened.warnings[0]
    assert "Harvest moon" in done.text


def test_frames_of_a_looping_tiff_are_capped(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "loop.tif"
    path.write_bytes(pictures.looping_tiff())

    assert desk.open(path).pages <= 10_000


def test_an_animation_counts_as_one_page_and_says_so(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "moving.gif"
    path.write_bytes(pictures.animation("GIF"))

    opened = desk.open(path)

    assert opened.pages == 1
    assert any("first one is read" in warning for warning in opened.warnings)


def test_inspect_tells_of_a_pdf_what_the_protocol_promises(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "mixed.pdf"
    path.write_bytes(documents.mixed())

    report = desk.inspect(path)

    assert {key: report[key] for key in ("file", "type", "bytes", "pages", "encrypted", "signed", "form")} == {
        "file": str(path), "type": "pdf", "bytes": path.stat().st_size, "pages": 2,
        "encrypted": False, "signed": False, "form": "none",
    }  # fmt: skip
    assert [page["has_text"] for page in report["page_list"]] == [True, False]
    assert report["page_list"][0]["width_points"] == pytest.approx(documents.POINTS[0], abs=0.1)


def test_inspect_gives_the_displayed_size_of_an_image(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (600, 300), 255).save(path, dpi=(150, 150), exif=exif)

    page = desk.inspect(path)["page_list"][0]

    assert (page["width_points"], page["height_points"]) == (144, 288)


def test_inspect_knows_forms_and_protection(desk: Desk, tmp_path: Path) -> None:
    form, locked = tmp_path / "form.pdf", tmp_path / "locked.pdf"
    form.write_bytes(documents.form())
    locked.write_bytes(documents.encrypted("secret"))

    assert desk.inspect(form)["form"] == "acroform"
    assert desk.inspect(locked, "secret")["encrypted"]
    with pytest.raises(OcrError) as caught:
        desk.inspect(locked)
    assert caught.value.code == "encrypted"
    assert "(`passwords`)" in caught.value.message


def test_inspect_refuses_a_picture_that_a_batch_would_refuse_by_the_same_limit(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(pictures.huge_png(2**21, 2**21))

    with pytest.raises(OcrError, match=r"at most 250,000,000 are allowed") as caught:
        desk.inspect(path)

    assert caught.value.code == "too_large"


def test_a_portfolio_says_that_the_files_in_it_are_not_read(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.attachments["scan.pdf"] = b"%PDF-1.4"
        pdf.Root.Collection = pikepdf.Dictionary(View=pikepdf.Name.D)
        pdf.save(tmp_path / "portfolio.pdf")

    [warning] = desk.open(tmp_path / "portfolio.pdf").warnings

    assert "portfolio" in warning
    assert "(1)" in warning
