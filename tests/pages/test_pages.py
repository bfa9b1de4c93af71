"""Pages of every kind, from the file to the words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import img2pdf
import pypdfium2
import pytest
from PIL import Image

from ocr_worker.errors import ChangedError, CorruptError
from ocr_worker.model.tasks import PageSettings, PageTask, Source
from samples import Sample
from tests.faults import documents, pictures
from tests.long_rows import first
from tests.pages.desk import Desk, Done

Build = Callable[[str], Sample]
AsRead = Callable[[str], Done]
LIKENESS = {
    "clean": 0.98,
    "rotated": 0.95,
    "skewed": 0.97,
    "fax": 0.9,
    "scanned_pdf": 0.97,
    "inverted": 0.95,
    "tilted": 0.995,
    "large_print": 0.99,
    "two_columns": 0.97,
}


@pytest.mark.parametrize("kind", first(5, LIKENESS))
def test_a_scan_is_read_as_it_was_printed(kind: str, sample: Build, as_read: AsRead) -> None:
    scan = sample(kind)

    done = as_read(kind)

    assert [page.status for page in done.pages] == ["ok"] * scan.pages
    assert _likeness(scan.truth, done.text) >= LIKENESS[kind]


def test_a_turned_page_stands_upright_in_the_results(sample: Build, desk: Desk, tmp_path: Path) -> None:
    upright = Image.open(sample("clean").path)
    turned = tmp_path / "turned.png"
    upright.transpose(Image.Transpose.ROTATE_90).save(turned, dpi=(300, 300))

    page = desk.process(turned, PageSettings(rotate_pages="on")).record["pages"][0]

    assert page["rotation"] == 90
    assert (page["width_px"], page["height_px"]) == upright.size
    tops = [line["box_px"][1] for line in page["lines"]]
    assert tops == sorted(tops)


def test_rotation_switched_off_leaves_a_turned_page_as_it_is(desk: Desk, tmp_path: Path) -> None:
    turned = tmp_path / "turned.png"
    pictures.sheet().transpose(Image.Transpose.ROTATE_180).save(turned, dpi=(200, 200))

    page = desk.process(turned, PageSettings(rotate_pages="off")).record["pages"][0]

    assert page["rotation"] == 0


def test_boxes_of_a_tilted_page_lie_where_its_words_are(sample: Build, as_read: AsRead) -> None:
    scan = sample("skewed")

    page = as_read("skewed").record["pages"][0]

    grey = Image.open(scan.path).convert("L")
    inked = [_darkest(grey, word["box_px"]) < 128 for line in page["lines"] for word in line["words"]]
    assert sum(inked) >= 0.98 * len(inked)


def test_text_of_a_born_digital_page_is_used_as_it_is(sample: Build, desk: Desk) -> None:
    scan = sample("born_digital")

    done = desk.process(scan.path)

    assert {page.status for page in done.pages} == {"has_text"}
    assert _likeness(scan.truth, done.text) == 1


def test_only_the_scans_of_a_mixed_document_are_recognised(desk: Desk, tmp_path: Path) -> None:
    path = _written(tmp_path / "mixed.pdf", documents.mixed())

    done = desk.process(path)

    assert [page.status for page in done.pages] == ["has_text", "ok"]
    assert "Typed page words" in done.text
    assert "Scanned page" in done.text


def test_force_recognises_a_born_digital_page_too(desk: Desk, tmp_path: Path) -> None:
    path = _written(tmp_path / "typed.pdf", documents.born_digital())

    done = desk.process(path, PageSettings(existing_text="force"))

    assert {page.status for page in done.pages} == {"ok"}


def test_text_that_cannot_be_read_is_flagged_and_redo_recognises_it(desk: Desk, tmp_path: Path) -> None:
    path = _written(tmp_path / "garbled.pdf", documents.garbage_map())

    kept = desk.process(path)
    redone = desk.process(path, PageSettings(existing_text="redo"))

    assert kept.pages[0].status == "has_text"
    assert "redo" in kept.pages[0].warnings[0]
    assert "Garbled words" in redone.text
    assert "stays in the PDF" in redone.pages[0].warnings[0]


@pytest.mark.needs("pdftoppm")
def test_a_page_that_pdfium_can_not_load_is_drawn_by_poppler(desk: Desk, tmp_path: Path) -> None:
    path = _written(tmp_path / "gap.pdf", documents.page_that_pdfium_loses())
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(path)[1]

    done = desk.process(path)

    assert [page.status for page in done.pages] == ["ok", "ok"]
    assert [page["text"].strip() for page in done.record["pages"]] == ["Harvest moon", "Second page"]


def test_faint_small_text_is_not_taken_for_a_blank_page(desk: Desk, sample: Build, tmp_path: Path) -> None:
    faint = tmp_path / "faint.png"
    Image.open(sample("clean").path).convert("L").point(lambda v: 235 + v * 20 // 255).save(
        faint, dpi=(300, 300)
    )

    assert desk.process(faint).pages[0].words > 10


def test_a_blank_page_is_fine_and_empty(desk: Desk, tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    Image.new("L", (1000, 1400), 250).save(blank)

    done = desk.process(blank)

    assert (done.pages[0].status, done.text, done.record["pages"][0]["lines"]) == ("blank", "", [])


def test_a_page_of_a_file_that_was_changed_is_refused(desk: Desk, sample: Build, tmp_path: Path) -> None:
    path = _written(tmp_path / "a.png", sample("clean").path.read_bytes())
    stamp = desk.open(path).stamp
    path.write_bytes(path.read_bytes() + b"\0")

    with pytest.raises(ChangedError, match=r"a\.png"):
        desk.bench.run(PageTask(Source(str(path), None, stamp), PageSettings(), 1, str(tmp_path / "1.page")))

    assert not (tmp_path / "1.page").exists()


def test_a_cut_off_image_is_corrupt(desk: Desk, sample: Build, tmp_path: Path) -> None:
    whole = tmp_path / "whole.jpg"
    Image.open(sample("clean").path).convert("RGB").save(whole)
    cut = _written(tmp_path / "cut.jpg", whole.read_bytes()[: whole.stat().st_size // 2])
    stamp = desk.open(cut).stamp

    with pytest.raises(CorruptError, match=r"cut\.jpg"):
        desk.bench.run(PageTask(Source(str(cut), None, stamp), PageSettings(), 1, str(tmp_path / "1.page")))


def test_a_resolution_that_would_cost_too_many_pixels_is_lowered(desk: Desk, tmp_path: Path) -> None:
    path = _written(tmp_path / "typed.pdf", documents.born_digital())
    settings = PageSettings(existing_text="force", dpi=600, max_pixels=100_000)

    page = desk.process(path, settings).record["pages"][0]

    assert page["width_px"] * page["height_px"] <= 101_000
    assert page["dpi"] < 200


def test_all_pages_of_a_mixed_tiff_are_read_at_their_own_size(
    desk: Desk, sample: Build, tmp_path: Path
) -> None:
    page = Image.open(sample("clean").path)
    path = tmp_path / "frames.tif"
    small = page.convert("RGB").resize((page.width // 2, page.height // 2), Image.Resampling.LANCZOS)
    page.convert("1").save(path, save_all=True, append_images=[small], dpi=(300, 300))

    done = desk.process(path)

    assert [page.status for page in done.pages] == ["ok", "ok"]
    assert [p["width_px"] for p in done.record["pages"]] == [page.width, page.width // 2]


def test_a_fax_of_oblong_pixels_is_read_as_well_as_one_of_square_ones(
    desk: Desk, sample: Build, tmp_path: Path
) -> None:
    letter = sample("letters")
    page = Image.open(letter.path).convert("L")
    coarse = page.resize((page.width, page.height // 2), Image.Resampling.BOX).point(
        lambda v: 255 if v > 140 else 0
    )
    path = tmp_path / "fax.tif"
    coarse.convert("1").save(path, dpi=(200, 100), compression="group4")

    done = desk.process(path)

    (found,) = done.record["pages"]
    assert (found["width_px"], found["height_px"]) == coarse.size
    assert (found["width_points"], found["height_points"]) == (
        page.width * 72 / 200,
        coarse.height * 72 / 100,
    )
    assert _likeness(letter.truth, done.text) >= 0.97
    inked = [_darkest(coarse, word["box_px"]) < 128 for line in found["lines"] for word in line["words"]]
    assert sum(inked) >= 0.98 * len(inked)


def test_boxes_of_a_turned_page_of_oblong_pixels_lie_where_its_words_are(
    desk: Desk, sample: Build, tmp_path: Path
) -> None:
    page = Image.open(sample("clean").path).convert("L")
    lying = page.resize((page.width // 2, page.height)).transpose(Image.Transpose.ROTATE_90)
    path = tmp_path / "lying.tif"
    lying.save(path, dpi=(300, 150))

    (found,) = desk.process(path, PageSettings(rotate_pages="on")).record["pages"]

    upright = lying.transpose(Image.Transpose.ROTATE_270)
    assert (found["width_px"], found["height_px"], found["rotation"]) == (*upright.size, 90)
    assert found["dpi"] == 150
    inked = [_darkest(upright, word["box_px"]) < 128 for line in found["lines"] for word in line["words"]]
    assert len(inked) > 100
    assert sum(inked) >= 0.98 * len(inked)


def test_a_scan_of_oblong_pixels_in_a_pdf_is_drawn_square_before_it_is_read(
    desk: Desk, sample: Build, tmp_path: Path
) -> None:
    page = Image.open(sample("letters").path).convert("L")
    image, path = tmp_path / "oblong.jpg", tmp_path / "oblong.pdf"
    page.resize((page.width, page.height // 2), Image.Resampling.BOX).save(image, dpi=(200, 100), quality=90)
    path.write_bytes(img2pdf.convert(str(image), engine=img2pdf.Engine.internal))

    (found,) = desk.process(path).record["pages"]

    across, down = (found[f"{side}_px"] / found[f"{side}_points"] for side in ("width", "height"))
    assert across == pytest.approx(down, rel=0.01)


def _likeness(expected: str, found: str) -> float:
    """Bag-of-words F1."""
    wanted, got = Counter(expected.split()), Counter(found.split())
    return 2 * sum((wanted & got).values()) / (sum(wanted.values()) + sum(got.values()))


def _darkest(grey: Image.Image, box: list[int]) -> float:
    lowest = grey.crop((box[0], box[1], box[2], box[3])).getextrema()[0]
    assert isinstance(lowest, (int, float))
    return lowest


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
