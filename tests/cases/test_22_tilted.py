"""Case 22: words of tilted pages are found by every reader, and lie on their print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest

from ocr_worker.model.page import Page, Word
from tests.long_rows import first
from tests.readers.made_pages import DPI, HEIGHT, one_column, save_layer, two_columns
from tests.readers.texts import READERS, Reader, found

TILTS = (0.2, 0.7, 2, 5, 9)
MAKERS = (one_column, two_columns)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("degrees", first(2, [-0.7, *TILTS, -5]))
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_reader_finds_the_words_of_a_tilted_page(
    reader: Reader, degrees: float, make: Callable[[float], Page], tmp_path: Path
) -> None:
    reader.require()
    page = make(degrees)

    share = found(page.text, reader.read(save_layer(page, tmp_path / "layer.pdf")))

    assert share.at_all >= 0.98
    # Poppler sorts the words of a steeper page by their height.
    assert share.in_order >= 0.98 or (reader.name == "poppler" and abs(degrees) >= 2)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("degrees", [*TILTS, -0.7, -5])
def test_words_lie_on_their_print(degrees: float, make: Callable[[float], Page], tmp_path: Path) -> None:
    page = make(degrees)

    text = pypdfium2.PdfDocument(save_layer(page, tmp_path / "layer.pdf"))[0].get_textpage()

    at, whole = 0, text.get_text_range()
    for word in page.words:
        at = whole.index(word.text, at)
        boxes = [text.get_charbox(at + n) for n in range(len(word.text))]
        at += len(word.text)
        middle = sum(box[1] + box[3] for box in boxes) / len(boxes) / 2
        left, right, above = _print(word)
        assert (boxes[0][0], boxes[-1][2]) == pytest.approx((left, right), abs=3)
        assert middle == pytest.approx(above, abs=3)


def _print(word: Word) -> tuple[float, float, float]:
    """Left, right and middle height of the word in points, y upwards."""
    left, top, right, bottom = word.box
    return left * 72 / DPI, right * 72 / DPI, (HEIGHT - (top + bottom) / 2) * 72 / DPI
