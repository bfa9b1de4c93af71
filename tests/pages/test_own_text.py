"""Text that a page already has: each word with its own box, whatever characters come before it."""

from __future__ import annotations

from pathlib import Path

import pikepdf
import pytest

from ocr_worker.model.page import Line, Page, Word
from ocr_worker.outputs.searchable_pdf import LayerGrafter
from tests.pages.desk import Desk


@pytest.mark.parametrize(
    ("first", "read"),
    [
        ("An exam-", "An exam- ple"),
        ("Stra\u00dfe \u65e5\u672c\u8a9e", "Stra\u00dfe \u65e5\u672c\u8a9e ple"),
        ("Smile \U0001f600 \U0001d518", "Smile \U0001f600 \U0001d518 ple"),
    ],
)
def test_words_keep_their_places_behind_characters_that_pdfium_counts_otherwise(
    desk: Desk, tmp_path: Path, first: str, read: str
) -> None:
    path = _page(tmp_path / "own.pdf", [first, "ple of some more words to read"])

    done = desk.process(path)

    words = [word for line in done.record["pages"][0]["lines"] for word in line["words"]]
    assert done.pages[0].status == "has_text"
    assert done.text.split() == f"{read} of some more words to read".split()
    last = words[-1]
    assert last["text"] == "read"
    assert last["box_points"] == pytest.approx([310, 166, 350, 196], abs=1)


def test_lines_that_end_in_a_hyphen_are_lines(desk: Desk, tmp_path: Path) -> None:
    """PDFium joins the halves of such a word, and so their lines."""
    lines = ["a long exam-", "ple of words that are bro-", "ken over the lines of a page"]

    done = desk.process(_page(tmp_path / "own.pdf", lines))

    assert [line for line in done.text.splitlines() if line] == lines
    places = {
        word["text"]: word["box_points"]
        for line in done.record["pages"][0]["lines"]
        for word in line["words"]
    }
    assert places["exam-"][::2] == pytest.approx([120, 170], abs=1)
    assert places["ken"][0] == pytest.approx(50, abs=1)


def _page(path: Path, texts: list[str]) -> Path:
    """A sheet with these lines as its hidden layer; each word is as wide as it has letters, ten points apiece."""
    lines = []
    for number, text in enumerate(texts):
        top, left, words = 100 + 60 * number, 50, []
        for word in text.split():
            words.append(Word(word, (left, top, left + 10 * len(word), top + 30), None))
            left += 10 * len(word) + 10
        box = 50, top, left, top + 30
        lines.append(Line(tuple(words), box, (50.0, top + 30.0, float(left), top + 30.0), 0, 0))
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(600, 800))
        grafter = LayerGrafter(pdf)
        grafter.graft(Page(1, "ok", 600, 800, 72, lines=tuple(lines)))
        grafter.finish()
        pdf.save(path)
    return path
