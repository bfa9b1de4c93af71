"""What is said of a page whose text may be wrong, or not all of it."""

from __future__ import annotations

from random import Random

import pytest
from PIL import Image, ImageChops

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.engine import Hints
from ocr_worker.model.page import Line, Word
from ocr_worker.pages import doubtful_text
from ocr_worker.pages.recognition import Reading
from samples.wear import noise
from tests.cases.shown import SIZE, sheet

HINTS = Hints(doubtful_confidence=65.0, doubtful_confidence_of_few=75.0)
ALL, FIRST_WORD = (80, 100, 700, 560), (90, 120, 180, 160)


def said(
    picture: Image.Image, box: tuple[int, int, int, int], confidence: float = 95.0, words: int = 1
) -> list[str]:
    """About a page of which this was read in one line."""
    line = Line((Word("word", box, confidence),) * words, box, (box[0], box[3], box[2], box[3]), 0, 0)
    return list(doubtful_text.remarks(GreyImage(picture, 150), Reading((line,), 0), HINTS))


def dim(grain: float) -> Image.Image:
    """As a camera sees a page in the dark: with 30 levels between paper and ink."""
    faint = sheet().point(lambda level: 60 + level * 30 // 255)
    speckle = Image.blend(Image.new("L", SIZE, 128), noise(SIZE, Random(3)), grain)
    return ImageChops.add(faint, speckle, 1, -128)


def test_a_faint_and_grainy_page_with_unread_ink_is_told() -> None:
    assert said(dim(0.1), FIRST_WORD) == [doubtful_text.GRAINY]


@pytest.mark.parametrize(
    ("picture", "box"),
    [
        (sheet(), FIRST_WORD),
        (dim(0.0), FIRST_WORD),
        (dim(0.02), ALL),
        (Image.new("L", SIZE, 255), FIRST_WORD),
    ],
    ids=["clear-partly-read", "faint-without-grain", "read-through", "white"],
)
def test_nothing_is_said_of_a_page_that_is_not_both_or_was_read(
    picture: Image.Image, box: tuple[int, int, int, int]
) -> None:
    assert said(picture, box) == []


def test_words_that_make_little_sense_are_told_with_their_confidence() -> None:
    (remark,) = said(sheet(), ALL, confidence=41.4)

    assert "a confidence of 41 of 100" in remark


@pytest.mark.parametrize(("words", "confidence", "count"), [(4, 70.0, 1), (4, 78.0, 0), (20, 70.0, 0)])
def test_a_few_words_are_told_where_they_are_less_sure_than_those_of_a_full_page(
    words: int, confidence: float, count: int
) -> None:
    assert len(said(sheet(), ALL, confidence, words)) == count


def test_nothing_is_said_of_a_page_without_words() -> None:
    assert list(doubtful_text.remarks(GreyImage(dim(0.1), 150), Reading((), 0), HINTS)) == []
