"""A file's outputs: whole or absent, true to the original, agreeing with each other."""

from __future__ import annotations

import io
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageStat

from ocr_worker.errors import InternalError, OutputConflictError, OutputExistsError
from ocr_worker.model.tasks import ComposeTask, PageSettings, Source
from samples import Sample, save_text_book
from tests.faults import documents, pictures
from tests.limits import HANG_SECONDS
from tests.long_rows import first
from tests.pages.desk import ALL_OUTPUTS, Desk, Done
from tests.pages.readers import pdfium_text, poppler_text, pypdf_text, words

Build = Callable[[str], Sample]
AsRead = Callable[[str], Done]


def test_pdfium_and_pypdf_read_the_layer_as_the_text_file_says(as_read: AsRead) -> None:
    done = as_read("scanned_pdf")

    assert words(pdfium_text(done.outputs["pdf"])) == words(done.text)
    assert words(pypdf_text(done.outputs["pdf"])) == words(done.text)


@pytest.mark.needs("pdftotext")
@pytest.mark.parametrize("kind", first(2, ["scanned_pdf", "skewed", "rotated"]))
def test_poppler_reads_the_layer_as_the_text_file_says(kind: str, as_read: AsRead) -> None:
    done = as_read(kind)

    assert words(poppler_text(done.outputs["pdf"])) == words(done.text)


def test_outputs_are_made_durable_side_by_side_and_before_any_is_in_place(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "text.pdf"
    save_text_book(source, 1)
    met, fsync, in_place = threading.Barrier(3), os.fsync, list[str]()

    def sync(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            met.wait(HANG_SECONDS)
            in_place.extend(name.name for name in (tmp_path / "out").glob("text*"))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", sync)

    done = desk.process(source, PageSettings(outputs=("pdf", "txt", "json")))

    assert in_place == []
    assert all(output.exists() for output in done.outputs.values())


def test_the_original_stays_as_it_is_under_the_layer(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "rich.pdf"
    with documents.scan("Harvest moon", "Second page") as pdf:
        with pdf.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem("Chapter", 1))
        pdf.docinfo["/Title"] = "A rich one"
        pdf.attachments["note.txt"] = b"attached"
        pdf.Root.PageLabels = pikepdf.Dictionary(
            Nums=pikepdf.Array([0, pikepdf.Dictionary(S=pikepdf.Name.r)])
        )
        pdf.save(path)

    done = desk.process(path)

    with pikepdf.open(path) as before, pikepdf.open(done.outputs["pdf"]) as after:
        assert [_image_bytes(page) for page in before.pages] == [_image_bytes(page) for page in after.pages]
        assert [item.title for item in after.open_outline().root] == ["Chapter"]
        assert str(after.docinfo["/Title"]) == "A rich one"
        assert after.attachments["note.txt"].get_file().read_bytes() == b"attached"
        assert after.pages[1].label == "ii"
    assert "Harvest moon" in pdfium_text(done.outputs["pdf"])


def test_the_layer_is_small(sample: Build, as_read: AsRead) -> None:
    scan = sample("scanned_pdf")

    done = as_read("scanned_pdf")

    size = scan.path.stat().st_size
    assert done.outputs["pdf"].stat().st_size <= size * 1.02 + 8192 * scan.pages


def test_the_layer_shows_nothing(sample: Build, as_read: AsRead) -> None:
    scan = sample("scanned_pdf")

    done = as_read("scanned_pdf")

    before, after = (
        pypdfium2.PdfDocument(path)[0].render(scale=0.5).to_pil() for path in (scan.path, done.outputs["pdf"])
    )
    assert before.tobytes() == after.tobytes()


def test_pages_with_text_are_left_untouched(sample: Build, desk: Desk) -> None:
    scan = sample("born_digital")

    done = desk.process(scan.path)

    with pikepdf.open(scan.path) as before, pikepdf.open(done.outputs["pdf"]) as after:
        assert [page.Contents.read_bytes() for page in before.pages] == [
            page.Contents.read_bytes() for page in after.pages
        ]


@pytest.mark.long
def test_composing_twice_does_not_pile_up_layers(as_read: AsRead, desk: Desk, tmp_path: Path) -> None:
    again = tmp_path / "again.pdf"
    again.write_bytes(as_read("scanned_pdf").outputs["pdf"].read_bytes())

    kept = desk.process(again)
    redone = desk.process(again, PageSettings(existing_text="redo"))

    assert {page.status for page in kept.pages} == {"has_text"}
    assert {page.status for page in redone.pages} == {"ok"}
    assert words(pdfium_text(redone.outputs["pdf"])) == words(redone.text)


@pytest.mark.needs("pdftotext")
@pytest.mark.parametrize("turn", [0, 90])
def test_force_leaves_each_word_once_and_the_page_looks_as_before(
    turn: int, desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "typed.pdf"
    path.write_bytes(documents.changed(partial(_turned_and_cropped, turn), _typed()))
    readers = (pdfium_text, pypdf_text, poppler_text)

    done = desk.process(path, PageSettings(existing_text="force", rotate_pages="off"))

    made = done.outputs["pdf"]
    assert [page.status for page in done.pages] == ["ok", "ok"]
    assert words(done.text) == ["Typed", "page", "words", "Scanned", "page"]
    assert [sorted(words(read(made))) for read in readers] == [sorted(words(done.text))] * 3
    before, after = (_shown(place) for place in (path, made))
    assert before.size == after.size
    assert ImageStat.Stat(ImageChops.difference(before, after)).mean[0] < 2
    with pikepdf.open(path) as original, pikepdf.open(made) as pdf:
        assert len(pdf.pages[0].Annots) == 1
        assert "/Font" not in pdf.pages[0].Resources
        assert _image_bytes(pdf.pages[1]) == _image_bytes(original.pages[1])


def _typed() -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(documents.mixed()))


def _turned_and_cropped(turn: int, pdf: pikepdf.Pdf) -> None:
    page = pdf.pages[0]
    page.obj.Rotate = turn
    page.obj.CropBox = pikepdf.Array([10, 5, 220, 60])
    link = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=pikepdf.Array([20, 30, 90, 50]),
        A=pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("https://example.org")),
    )  # fmt: skip
    page.obj.Annots = pikepdf.Array([pdf.make_indirect(link)])


def _shown(path: Path) -> Image.Image:
    picture: Image.Image = pypdfium2.PdfDocument(path)[0].render(scale=1, grayscale=True).to_pil()
    return picture


def test_a_picture_that_was_to_replace_a_page_and_is_gone_asks_for_the_page_again(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "typed.pdf"
    path.write_bytes(documents.born_digital())
    settings = PageSettings(existing_text="force")
    done = desk.process(path, settings)
    (picture,) = (tmp_path / "pages" / "typed.pdf").glob("*.picture")
    picture.unlink()
    source = Source(str(path), None, done.opened.stamp)
    outputs = {kind: str(place) for kind, place in done.outputs.items()}

    with pytest.raises(InternalError, match=r"1\.picture"):
        desk.bench.run(ComposeTask(source, settings, 1, done.opened.sha256, str(picture.parent), outputs))


def test_a_turned_page_is_displayed_upright_with_its_layer(sample: Build, desk: Desk, tmp_path: Path) -> None:
    turned = tmp_path / "turned.png"
    Image.open(sample("clean").path).transpose(Image.Transpose.ROTATE_180).save(turned, dpi=(300, 300))

    done = desk.process(turned, PageSettings(rotate_pages="on"))

    assert pypdfium2.PdfDocument(done.outputs["pdf"])[0].get_rotation() == 180
    assert words(pdfium_text(done.outputs["pdf"])) == words(done.text)


def test_a_jpeg_goes_into_its_pdf_as_it_is_and_at_its_true_size(
    sample: Build, desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "scan.jpg"
    Image.open(sample("clean").path).convert("RGB").save(path, dpi=(300, 300), quality=70)

    done = desk.process(path)

    with pikepdf.open(done.outputs["pdf"]) as pdf:
        assert _image_bytes(pdf.pages[0]) == path.read_bytes()
    width, height = Image.open(path).size
    size = pypdfium2.PdfDocument(done.outputs["pdf"])[0].get_size()
    assert size == pytest.approx((width * 72 / 300, height * 72 / 300), abs=0.01)


def test_of_a_photo_with_a_preview_behind_it_the_photo_goes_into_the_pdf_as_it_is(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "phone.jpg"
    path.write_bytes(pictures.phone_photo())

    done = desk.process(path)

    assert done.opened.warnings == ()
    with pikepdf.open(done.outputs["pdf"]) as pdf:
        (page,) = pdf.pages
        image = _image_bytes(page)
    assert path.read_bytes().startswith(image)
    assert len(image) > 0.5 * path.stat().st_size


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P", "CMYK", "I;16", "RGBA", "LA"])
def test_a_tiff_of_any_mode_keeps_every_pixel(mode: str, desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    picture = Image.radial_gradient("L").convert(
        "RGBA" if mode in ("RGBA", "P") else "RGB" if mode == "CMYK" else "L"
    )
    (picture.convert("I").point(lambda v: v * 257) if mode == "I;16" else picture).convert(mode).save(path)

    done = desk.process(path)

    shown = pypdfium2.PdfDocument(done.outputs["pdf"])[0].render(scale=150 / 72).to_pil().convert("L")
    wanted = picture.convert("L") if mode == "I;16" else Image.open(path).convert("L")
    assert shown.size == wanted.size
    slack = 80 if mode == "CMYK" else 12  # readers mix inks by rules of their own
    assert (
        sum(abs(a - b) > slack for a, b in zip(shown.tobytes(), wanted.tobytes(), strict=True))
        < 0.02 * 256 * 256
    )


def test_the_outputs_agree_with_each_other(sample: Build, desk: Desk) -> None:
    done = desk.process(sample("fax").path, ALL_OUTPUTS)

    record = done.record
    assert record["text"] == done.text == "\f".join(page["text"] for page in record["pages"])
    for page in record["pages"]:
        assert [line["text"] for line in page["lines"]] == [row for row in page["text"].split("\n") if row]
    assert done.composed.characters == record["characters"] == len("".join(done.text.split()))
    assert done.composed.confidence == record["confidence"]


def test_protection_is_kept_or_dropped_as_told(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "locked.pdf"
    rules = pikepdf.Encryption(owner="owner", user="user", allow=pikepdf.Permissions(extract=False))
    with documents.scan() as pdf:
        pdf.save(path, encryption=rules)

    kept = desk.process(path, password="user")
    with pikepdf.open(kept.outputs["pdf"], password="user") as pdf:
        assert pdf.is_encrypted
        assert not pdf.allow.extract
    dropped = desk.process(path, PageSettings(keep_protection=False), password="user")
    with pikepdf.open(dropped.outputs["pdf"]) as pdf:
        assert not pdf.is_encrypted


def test_an_unsigned_copy_claims_no_signature_and_the_original_is_untouched(
    desk: Desk, tmp_path: Path
) -> None:
    path = tmp_path / "signed.pdf"
    path.write_bytes(documents.signed())
    before = path.read_bytes()

    done = desk.process(path, PageSettings(signed="unsigned_copy"))

    assert path.read_bytes() == before
    assert desk.inspect(path)["signed"]
    assert not desk.inspect(done.outputs["pdf"])["signed"]


def test_the_input_is_never_an_output(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(documents.whole(documents.scan()))
    before = path.read_bytes()
    (tmp_path / "out").mkdir()
    os.link(path, tmp_path / "out" / "scan.pdf")

    with pytest.raises(OutputConflictError):
        desk.process(path)

    assert path.read_bytes() == before
    assert [place.name for place in (tmp_path / "out").iterdir()] == ["scan.pdf"]


def test_a_fifo_at_a_target_is_refused_and_nothing_is_left_over(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    pictures.sheet("Harvest moon").save(path)
    (tmp_path / "out").mkdir()
    os.mkfifo(tmp_path / "out" / "scan.txt")

    with pytest.raises(OutputExistsError):
        desk.process(path)

    assert [place.name for place in (tmp_path / "out").iterdir()] == ["scan.txt"]


def test_a_failed_page_is_named_in_the_results_and_stays_in_the_pdf(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "frames.tif"
    pictures.sheet("Harvest moon").save(path, save_all=True, append_images=[pictures.sheet("Second")])
    opened = desk.open(path)
    settings = replace(PageSettings(), max_pixels=opened.page_weights[0])

    with pytest.raises(Exception, match="pixels"):
        desk.process(path, settings)


def test_results_are_up_to_date_until_source_settings_or_outputs_change(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    pictures.sheet("Harvest moon").save(path)

    done = desk.process(path)

    assert desk.reopen(path, done).up_to_date
    assert not desk.reopen(path, done, PageSettings(dpi=200)).up_to_date
    content = done.outputs["txt"].read_bytes()
    done.outputs["txt"].write_bytes(content[:-1])
    assert not desk.reopen(path, done).up_to_date
    done.outputs["txt"].write_bytes(content)
    assert desk.reopen(path, done).up_to_date
    pictures.sheet("Hunter moon").save(path)
    assert not desk.reopen(path, done).up_to_date


def test_a_result_that_was_written_half_asks_for_the_page_again(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    pictures.sheet("Harvest moon").save(path)
    done = desk.process(path)
    result = tmp_path / "pages" / "scan.png" / "1.page"
    result.write_bytes(result.read_bytes()[:-20])
    source = Source(str(path), None, done.opened.stamp)
    outputs = {kind: str(place) for kind, place in done.outputs.items()}
    before = {place: place.read_bytes() for place in done.outputs.values()}

    with pytest.raises(Exception, match=r"1\.page"):
        desk.bench.run(
            ComposeTask(source, PageSettings(), 1, done.opened.sha256, str(result.parent), outputs)
        )

    assert {place: place.read_bytes() for place in done.outputs.values()} == before


def _image_bytes(page: pikepdf.Page) -> bytes:
    (image,) = (x for x in page.Resources.XObject.values() if x.get("/Subtype") == pikepdf.Name.Image)
    return bytes(image.read_raw_bytes())
