"""The generated scans: the same bytes on every run, and truth that is what is printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from samples import KINDS, build, save_blank_book, save_book, save_mixed_book, save_text_book
from tests.long_rows import first

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", first(4, ["labels", "dim_grainy", "receipt_askew", *KINDS]))
def test_the_same_call_gives_the_same_bytes(kind: str, tmp_path: Path) -> None:
    first = build(kind, tmp_path / "first")
    second = build(kind, tmp_path / "second")

    assert [sample.path.read_bytes() for sample in first] == [sample.path.read_bytes() for sample in second]


def test_another_seed_gives_another_page(tmp_path: Path) -> None:
    one, other = (build("clean", tmp_path / str(seed), seed=seed)[0] for seed in (1, 2))

    assert one.truth != other.truth
    assert one.path.read_bytes() != other.path.read_bytes()


def test_truth_is_the_text_that_a_reader_finds_in_the_born_digital_pages(tmp_path: Path) -> None:
    [sample] = build("born_digital", tmp_path)

    document = pypdfium2.PdfDocument(sample.path)
    found = [page.get_textpage().get_text_range() for page in document]

    assert [page.split() for page in found] == [page.split() for page in sample.truth.split("\f")]


def test_cards_have_the_size_that_the_goals_speak_of(tmp_path: Path) -> None:
    [sample] = build("cards", tmp_path)

    with Image.open(sample.path) as image:
        assert image.size == (1000, 630)


def test_a_fax_is_a_tiff_of_several_black_and_white_frames(tmp_path: Path) -> None:
    [sample] = build("fax", tmp_path)

    with Image.open(sample.path) as image:
        assert (getattr(image, "n_frames", 1), image.mode) == (sample.pages, "1")
        assert image.info["compression"] == "group4"


def test_the_mixed_file_holds_all_that_must_survive(tmp_path: Path) -> None:
    [sample] = build("mixed", tmp_path)

    with pikepdf.open(sample.path) as pdf:
        assert len(pdf.pages) == sample.pages
        assert list(pdf.attachments) == ["note.txt"]
        assert [item.title for item in pdf.open_outline().root] == ["Text", "Scan", "Blank"]
        assert "/Annots" in pdf.pages[0]
        assert "/PageLabels" in pdf.Root


@pytest.mark.parametrize("save", [save_book, save_text_book, save_blank_book, save_mixed_book])
def test_a_book_repeats_its_pages_and_hardly_grows(
    save: Callable[[Path, int], list[str]], tmp_path: Path
) -> None:
    short = save(tmp_path / "short.pdf", 16)
    long = save(tmp_path / "long.pdf", 160)

    assert long == short * 10
    with pikepdf.open(tmp_path / "long.pdf") as pdf:
        assert len(pdf.pages) == 160
    assert (tmp_path / "long.pdf").stat().st_size < (tmp_path / "short.pdf").stat().st_size + 144 * 512
